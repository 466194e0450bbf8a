// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"crypto/sha256"
	"sync"
)

// Fingerprint stands for content that has no index.
type Fingerprint [16]byte

// FingerprintOf returns the fingerprint of content as it came in a session.
func FingerprintOf(session, content string) (f Fingerprint) {
	hash := sha256.New()
	hash.Write([]byte(session))
	hash.Write([]byte{0})
	hash.Write([]byte(content))
	copy(f[:], hash.Sum(nil))
	return f
}

// FingerprintLimit is how many of the newest fingerprints of each kind are held at
// least. A sender that stops and waits sends the same body again at once or never:
// as many parts without an index as this may a body have that is known again, in
// 0.5 MB of memory for each kind.
const FingerprintLimit = (segmentCount - 1) * segmentSize

// segmentSize is how many fingerprints are stored in one value, of 4 KiB, and
// segmentCount how many such values a kind has.
const (
	segmentSize  = 256
	segmentCount = 33
)

// Fingerprints remembers the last accepted parts that have no index. Those of
// named sessions have places of their own, so that nobody without a name pushes
// them out. It is safe for concurrent use; the zero value is empty.
type Fingerprints struct {
	mu      sync.Mutex
	named   printRing
	unnamed printRing
	version uint64 // of named and unnamed
	saved   uint64 // the newest version that is stored
	former  bool   // the value of a former version is still stored
}

// Contains tells whether the part was accepted lately.
func (f *Fingerprints) Contains(print Fingerprint) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.named.contains(print) || f.unnamed.contains(print)
}

// Accept marks parts as accepted. named tells whether they are of a session that
// names its bridge and that the ledger knew before.
func (f *Fingerprints) Accept(prints []Fingerprint, named bool) {
	if len(prints) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.version++
	ring := &f.unnamed
	if named {
		ring = &f.named
	}
	for _, print := range prints {
		ring.add(print, f.version)
	}
}

// Unsaved tells whether there is something that is not stored.
func (f *Fingerprints) Unsaved() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.saved != f.version
}

// printRing holds fingerprints in segments: the newest one is filled, and takes the
// place of the oldest.
type printRing struct {
	segments [segmentCount]printSegment // each at its number modulo segmentCount
	newest   uint64                     // number of the segment that is filled
	held     map[Fingerprint]uint64     // the number of the newest segment with it
}

type printSegment struct {
	number  uint64
	prints  []Fingerprint // the oldest first
	version uint64        // of the Fingerprints, at the last change
}

func (r *printRing) contains(print Fingerprint) bool {
	_, ok := r.held[print]
	return ok
}

func (r *printRing) add(print Fingerprint, version uint64) {
	if r.held == nil {
		r.held = make(map[Fingerprint]uint64)
	}
	if len(r.segments[r.newest%segmentCount].prints) >= segmentSize {
		r.newest++
		r.clear(r.newest % segmentCount)
	}
	segment := &r.segments[r.newest%segmentCount]
	segment.number, segment.version = r.newest, version
	segment.prints = append(segment.prints, print)
	r.held[print] = r.newest
}

// clear empties the place of a segment. A fingerprint that a newer segment has too
// stays.
func (r *printRing) clear(place uint64) {
	segment := &r.segments[place]
	for _, print := range segment.prints {
		if r.held[print] == segment.number {
			delete(r.held, print)
		}
	}
	segment.prints = segment.prints[:0]
}
