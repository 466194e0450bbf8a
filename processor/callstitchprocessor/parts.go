// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A segment is stored in parts, under consecutive numbers. A store like
// file_storage (bbolt) keeps values in pages of 4 KiB, two in a page at least,
// and writes a page as a whole: with values of a segment's size each write would
// write the segments beside it once more. Two parts are a page.
//
//	part       sealed: where it is in its segment, 1 byte | a piece of the entries
//	sealed     version, 1 byte | CRC-32C of the rest, 4 bytes | content
//
// All numbers are big endian. Up to version 2 the checksum was that of the content
// alone.
const (
	keyPart = "segment/%012d"

	// Version 7 has API requests, scheduled meetings, and what bridges do not list any more
	// (entry A). Version 6 has what single records said (entry M). Version 5 has SIP calls and their
	// forks. Version 4 has what declared sessions over (entry T). Version 3 has parts; its
	// entries are those of version 2. Version 2 had whole segments, with recorded sessions and
	// tracks, and words (internal/stitch/words.go); version 1 knew none of these.
	formatVersion = 7
	wholeSegments = 2 // the last version that had them

	sealSize = 1 + crc32.Size
	headSize = sealSize + 1
	partSize = 2000 // 4096 less bbolt's heads and the keys, halved
	partRoom = partSize - headSize
)

// Where a part is in its segment.
const (
	partBegins = 1 << iota
	partEnds
)

func partKey(number uint64) string { return fmt.Sprintf(keyPart, number) }

// partsOf cuts the entries of a segment, which are not empty.
func partsOf(entries []byte) [][]byte {
	count := (len(entries) + partRoom - 1) / partRoom
	parts := make([][]byte, 0, count)
	room := make([]byte, 0, len(entries)+count*headSize)
	for len(entries) > 0 {
		n := min(len(entries), partRoom)
		var place byte
		if len(parts) == 0 {
			place |= partBegins
		}
		if n == len(entries) {
			place |= partEnds
		}
		start := len(room)
		room = append(append(room[:start+sealSize], place), entries[:n]...)
		part := room[start:len(room):len(room)]
		seal(part)
		parts, entries = append(parts, part), entries[n:]
	}
	return parts
}

// segmentReader puts segments together again from their parts in order.
type segmentReader struct {
	entries []byte
	begun   bool
}

// add takes the next part. It returns the entries of a segment when that is
// whole; they are good until the next call. A part whose beginning is not there
// is passed over: the beginning was damaged, which was an error then, or it was
// deleted, and the rest would have been next.
func (a *segmentReader) add(value []byte) (entries []byte, err error) {
	version, content, err := unseal(value)
	if err == nil && version > wholeSegments && len(content) == 0 {
		err = errCut
	}
	if err != nil {
		a.begun = false
		return nil, err
	}
	if version <= wholeSegments {
		a.begun = false
		return content, nil
	}
	place, content := content[0], content[1:]
	if place&partBegins != 0 {
		a.entries, a.begun = a.entries[:0], true
	}
	if !a.begun {
		return nil, nil
	}
	a.entries = append(a.entries, content...)
	if place&partEnds == 0 {
		return nil, nil
	}
	a.begun = false
	return a.entries, nil
}

var checksums = crc32.MakeTable(crc32.Castagnoli)

// seal fills in the head of a value whose content is behind it.
func seal(value []byte) {
	value[0] = formatVersion
	binary.BigEndian.PutUint32(value[1:], checksum(value))
}

// checksum returns the checksum that belongs into the head of a value.
func checksum(value []byte) uint32 {
	var sum uint32
	if value[0] > wholeSegments {
		sum = crc32.Checksum(value[:1], checksums)
	}
	return crc32.Update(sum, checksums, value[sealSize:])
}

var (
	errMissing = errors.New("it is missing")
	errCut     = errors.New("it is cut")
	errVersion = errors.New("it was written by a newer release")
	errDamaged = errors.New("it is damaged")
)

// unseal returns the content of a value, and the version that wrote it.
func unseal(value []byte) (version byte, content []byte, err error) {
	switch {
	case value == nil:
		return 0, nil, errMissing
	case len(value) < sealSize:
		return 0, nil, errCut
	case value[0] > formatVersion:
		return 0, nil, errVersion
	case value[0] == 0:
		return 0, nil, errDamaged
	case binary.BigEndian.Uint32(value[1:]) != checksum(value):
		return 0, nil, errDamaged
	}
	return value[0], value[sealSize:], nil
}
