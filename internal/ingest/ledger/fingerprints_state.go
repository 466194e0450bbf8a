// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/binary"
	"fmt"
	"iter"
	"strconv"
)

// fingerprintsVersion is the first byte of a stored segment of fingerprints. The
// former versions are one value for all fingerprints; version 1 has unnamed ones only:
//
//	1 | fingerprint | ...
//	2 | how many are named, as uvarint | fingerprint | ...
//	3 | number of the segment, as uvarint | fingerprint | ...
const fingerprintsVersion = 3

// FormerFingerprints is the key of the value that former versions stored.
const FormerFingerprints = "fingerprints"

// FingerprintSegment is a stored value and its key.
type FingerprintSegment struct {
	Key    string
	Stored []byte
}

// FingerprintSnapshot is what is to be stored.
type FingerprintSnapshot struct {
	// Segments that changed since the last snapshot that was saved.
	Segments []FingerprintSegment
	// Former tells that the value of a former version is to be deleted with it.
	Former bool

	version uint64
}

// FingerprintKeys yields the keys of all segments there can be.
func FingerprintKeys() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, named := range [...]bool{true, false} {
			for place := range uint64(segmentCount) {
				if !yield(segmentKey(named, place)) {
					return
				}
			}
		}
	}
}

func segmentKey(named bool, place uint64) string {
	kind := "unnamed"
	if named {
		kind = "named"
	}
	return FormerFingerprints + "/" + kind + "/" + strconv.FormatUint(place, 10)
}

// Snapshot returns what is to be stored.
func (f *Fingerprints) Snapshot() FingerprintSnapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := FingerprintSnapshot{Former: f.former, version: f.version}
	for i, ring := range [...]*printRing{&f.named, &f.unnamed} {
		for place := range ring.segments {
			if segment := &ring.segments[place]; segment.version > f.saved {
				key := segmentKey(i == 0, uint64(place))
				out.Segments = append(out.Segments, FingerprintSegment{key, segment.encode()})
			}
		}
	}
	return out
}

func (s *printSegment) encode() []byte {
	b := make([]byte, 0, 1+binary.MaxVarintLen64+len(s.prints)*len(Fingerprint{}))
	b = binary.AppendUvarint(append(b, fingerprintsVersion), s.number)
	for i := range s.prints {
		b = append(b, s.prints[i][:]...)
	}
	return b
}

// MarkSaved says that a snapshot is stored. What was accepted since then is not.
func (f *Fingerprints) MarkSaved(snapshot *FingerprintSnapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.saved = max(f.saved, snapshot.version)
	f.former = f.former && !snapshot.Former
}

// Restore puts back a stored value with its key, before the fingerprints are used;
// that of [FormerFingerprints] first. After an error it is left out.
func (f *Fingerprints) Restore(key string, stored []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := reader{rest: stored}
	version := r.byte()
	if version > fingerprintsVersion {
		return fmt.Errorf("%w: the fingerprints have version %d, this release reads 1 to %d", ErrNewer, version, fingerprintsVersion)
	}
	if key == FormerFingerprints {
		return f.restoreFormer(version, &r)
	}
	number := r.number()
	if version != fingerprintsVersion || r.bad || len(r.rest)%len(Fingerprint{}) != 0 || len(r.rest) > segmentSize*len(Fingerprint{}) {
		return errDamaged
	}
	for i, ring := range [...]*printRing{&f.named, &f.unnamed} {
		if place := number % segmentCount; key == segmentKey(i == 0, place) {
			ring.restore(number, r.rest)
			return nil
		}
	}
	return errDamaged
}

// restore fills a segment with stored fingerprints.
func (r *printRing) restore(number uint64, stored []byte) {
	if r.held == nil {
		r.held = make(map[Fingerprint]uint64)
	}
	r.clear(number % segmentCount)
	r.newest = max(r.newest, number)
	segment := &r.segments[number%segmentCount]
	*segment = printSegment{number: number, prints: segment.prints}
	for ; len(stored) > 0; stored = stored[len(Fingerprint{}):] {
		print := Fingerprint(stored)
		segment.prints = append(segment.prints, print)
		r.held[print] = max(r.held[print], number)
	}
}

// restoreFormer takes the value of a former version, which held 256 fingerprints of
// each kind. They are unsaved, so that the next save stores them as segments.
func (f *Fingerprints) restoreFormer(version byte, r *reader) error {
	named := uint64(0)
	switch version {
	case 1:
	case 2:
		named = min(r.uvarint(), segmentSize)
	default:
		return errDamaged
	}
	const most = 2 * segmentSize
	for n := uint64(0); len(r.rest) >= len(Fingerprint{}) && n < most; n++ {
		ring := &f.unnamed
		if n < named {
			ring = &f.named
		}
		f.version, f.former = max(f.version, 1), true
		ring.add(Fingerprint(r.rest), f.version)
		r.rest = r.rest[len(Fingerprint{}):]
	}
	return nil
}
