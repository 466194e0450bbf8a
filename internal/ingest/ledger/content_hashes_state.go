// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/binary"
	"fmt"
	"iter"
	"strconv"
)

// contentHashesVersion is the first byte of a stored segment. Versions 1 and 2 were one
// value for all hashes; version 1 had hashes of unnamed sessions only:
//
//	1 | hash | ...
//	2 | number of hashes of named sessions, as uvarint | hash | ...
//	3 | number of the segment, as uvarint | hash | ...
const contentHashesVersion = 3

// FormerContentHashesKey is the storage key of the value of versions 1 and 2.
const FormerContentHashesKey = "fingerprints"

// ContentHashSegment is a stored value and its key.
type ContentHashSegment struct {
	Key   string
	Value []byte
}

// ContentHashChanges are the changes that have to be stored.
type ContentHashChanges struct {
	// Segments that changed.
	Segments []ContentHashSegment
	// DeleteFormerValue tells to delete the value under FormerContentHashesKey.
	DeleteFormerValue bool

	version uint64
}

// ContentHashKeys yields the keys of all possible segments.
func ContentHashKeys() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, named := range [...]bool{true, false} {
			for slot := range uint64(segmentCount) {
				if !yield(segmentKey(named, slot)) {
					return
				}
			}
		}
	}
}

func segmentKey(named bool, slot uint64) string {
	kind := "unnamed"
	if named {
		kind = "named"
	}
	return FormerContentHashesKey + "/" + kind + "/" + strconv.FormatUint(slot, 10)
}

// Changes returns the changes that are not stored.
func (f *ContentHashes) Changes() ContentHashChanges {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := ContentHashChanges{DeleteFormerValue: f.hasFormerValue, version: f.version}
	for i, ring := range [...]*hashRing{&f.named, &f.unnamed} {
		for slot := range ring.segments {
			if segment := &ring.segments[slot]; segment.version > f.storedVersion {
				key := segmentKey(i == 0, uint64(slot))
				out.Segments = append(out.Segments, ContentHashSegment{key, segment.encode()})
			}
		}
	}
	return out
}

func (s *hashSegment) encode() []byte {
	b := make([]byte, 0, 1+binary.MaxVarintLen64+len(s.hashes)*len(ContentHash{}))
	b = binary.AppendUvarint(append(b, contentHashesVersion), s.number)
	for i := range s.hashes {
		b = append(b, s.hashes[i][:]...)
	}
	return b
}

// MarkStored marks changes as stored. Hashes that were accepted since Changes returned them stay
// changes.
func (f *ContentHashes) MarkStored(snapshot *ContentHashChanges) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.storedVersion = max(f.storedVersion, snapshot.version)
	f.hasFormerValue = f.hasFormerValue && !snapshot.DeleteFormerValue
}

// Restore restores a stored value with its key, before the first use; the value of
// [FormerContentHashesKey] first. It leaves out a value that it cannot read.
func (f *ContentHashes) Restore(key string, stored []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := stateReader{unread: stored}
	version := r.byte()
	if version > contentHashesVersion {
		return fmt.Errorf("%w: the content hashes have version %d, this release reads 1 to %d", ErrNewer, version, contentHashesVersion)
	}
	if key == FormerContentHashesKey {
		return f.restoreFormerValue(version, &r)
	}
	number := r.int63()
	if version != contentHashesVersion || r.isDamaged || len(r.unread)%len(ContentHash{}) != 0 || len(r.unread) > segmentSize*len(ContentHash{}) {
		return errDamaged
	}
	for i, ring := range [...]*hashRing{&f.named, &f.unnamed} {
		if slot := number % segmentCount; key == segmentKey(i == 0, slot) {
			ring.restore(number, r.unread)
			return nil
		}
	}
	return errDamaged
}

// restore fills a segment with stored hashes.
func (r *hashRing) restore(number uint64, stored []byte) {
	if r.newestSegmentOf == nil {
		r.newestSegmentOf = make(map[ContentHash]uint64)
	}
	r.clearSlot(number % segmentCount)
	r.newestSegment = max(r.newestSegment, number)
	segment := &r.segments[number%segmentCount]
	*segment = hashSegment{number: number, hashes: segment.hashes}
	for ; len(stored) > 0; stored = stored[len(ContentHash{}):] {
		hash := ContentHash(stored)
		segment.hashes = append(segment.hashes, hash)
		r.newestSegmentOf[hash] = max(r.newestSegmentOf[hash], number)
	}
}

// restoreFormerValue restores the value of version 1 or 2, which had 256 hashes of each
// kind. They count as changes, so that the next save stores them as segments.
func (f *ContentHashes) restoreFormerValue(version byte, r *stateReader) error {
	named := uint64(0)
	switch version {
	case 1:
	case 2:
		named = min(r.uvarint(), segmentSize)
	default:
		return errDamaged
	}
	const most = 2 * segmentSize
	for n := uint64(0); len(r.unread) >= len(ContentHash{}) && n < most; n++ {
		ring := &f.unnamed
		if n < named {
			ring = &f.named
		}
		f.version, f.hasFormerValue = max(f.version, 1), true
		ring.add(ContentHash(r.unread), f.version)
		r.unread = r.unread[len(ContentHash{}):]
	}
	return nil
}
