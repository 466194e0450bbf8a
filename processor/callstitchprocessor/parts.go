// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A segment is stored in parts under consecutive numbers. A store such as file_storage (bbolt)
// writes whole pages of 4 KiB with at least two values each. Larger values would make each
// write rewrite its neighbours; two parts fill a page.
//
//	part       sealed: place in its segment, 1 byte | a piece of the entries
//	sealed     version, 1 byte | CRC-32C of the rest, 4 bytes | content
//
// All numbers are big endian. Up to version 2 the checksum covered the content alone.
const (
	keyPart = "segment/%012d"

	// Version 7 adds API requests, scheduled meetings and absences (entry A). Version 6 adds
	// entries of single records (M). Version 5 adds SIP calls and forks. Version 4 adds
	// declarations that a session is over (T). Version 3 adds parts. Version 2, in whole
	// segments, adds recorded sessions, tracks and common texts
	// (internal/stitch/commontexts.go). Version 1 has none of these.
	formatVersion    = 7
	lastWholeVersion = 2 // the last version without parts

	sealSize       = 1 + crc32.Size
	headSize       = sealSize + 1
	partSize       = 2000 // 4096 less bbolt's headers and the keys, halved
	maxPartContent = partSize - headSize
)

// Places of a part in its segment.
const (
	partBegins = 1 << iota
	partEnds
)

func partKey(number uint64) string { return fmt.Sprintf(keyPart, number) }

// partsOf cuts the entries of a segment into parts. entries is not empty.
func partsOf(entries []byte) [][]byte {
	count := (len(entries) + maxPartContent - 1) / maxPartContent
	parts := make([][]byte, 0, count)
	buffer := make([]byte, 0, len(entries)+count*headSize)
	for len(entries) > 0 {
		n := min(len(entries), maxPartContent)
		var place byte
		if len(parts) == 0 {
			place |= partBegins
		}
		if n == len(entries) {
			place |= partEnds
		}
		start := len(buffer)
		buffer = append(append(buffer[:start+sealSize], place), entries[:n]...)
		part := buffer[start:len(buffer):len(buffer)]
		seal(part)
		parts, entries = append(parts, part), entries[n:]
	}
	return parts
}

// segmentReader joins parts to segments.
type segmentReader struct {
	entries   []byte
	inSegment bool
}

// add adds the next part. It returns the entries of a segment when it is complete; they are
// valid until the next call. add skips parts whose first part is missing: that part was
// damaged, which add reported, or it was deleted as obsolete.
func (r *segmentReader) add(value []byte) (entries []byte, err error) {
	version, content, err := unseal(value)
	if err == nil && version > lastWholeVersion && len(content) == 0 {
		err = errCut
	}
	if err != nil {
		r.inSegment = false
		return nil, err
	}
	if version <= lastWholeVersion {
		r.inSegment = false
		return content, nil
	}
	place, content := content[0], content[1:]
	if place&partBegins != 0 {
		r.entries, r.inSegment = r.entries[:0], true
	}
	if !r.inSegment {
		return nil, nil
	}
	r.entries = append(r.entries, content...)
	if place&partEnds == 0 {
		return nil, nil
	}
	r.inSegment = false
	return r.entries, nil
}

var checksums = crc32.MakeTable(crc32.Castagnoli)

// seal writes the head of a value; its content is in place.
func seal(value []byte) {
	value[0] = formatVersion
	binary.BigEndian.PutUint32(value[1:], checksum(value))
}

// checksum returns the checksum for the head of a value.
func checksum(value []byte) uint32 {
	var sum uint32
	if value[0] > lastWholeVersion {
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
