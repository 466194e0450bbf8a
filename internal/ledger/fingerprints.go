// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
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

// fingerprintLimit is how many fingerprints of each kind are held, the newest
// ones. A sender that stops and waits sends the same thing again at once or never.
const fingerprintLimit = 256

// Fingerprints remembers the last accepted parts that have no index. Those of
// named sessions have places of their own, so that nobody without a name pushes
// them out. It is safe for concurrent use; the zero value is empty.
type Fingerprints struct {
	mu      sync.Mutex
	named   []Fingerprint // the oldest first
	unnamed []Fingerprint // the oldest first
	version uint64        // of named and unnamed
	saved   uint64        // the newest version that is stored
}

// Contains tells whether the part was accepted lately.
func (f *Fingerprints) Contains(print Fingerprint) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.named, print) || slices.Contains(f.unnamed, print)
}

// Accept marks parts as accepted. named tells whether they are of a session that
// names its bridge and that the ledger knew before.
func (f *Fingerprints) Accept(prints []Fingerprint, named bool) {
	if len(prints) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if named {
		f.named = newest(f.named, prints)
	} else {
		f.unnamed = newest(f.unnamed, prints)
	}
	f.version++
}

func newest(held, prints []Fingerprint) []Fingerprint {
	held = append(held, prints...)
	if excess := len(held) - fingerprintLimit; excess > 0 {
		held = slices.Delete(held, 0, excess)
	}
	return held
}

// Unsaved tells whether there is something that is not stored.
func (f *Fingerprints) Unsaved() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.saved != f.version
}

// fingerprintsVersion is the first byte of stored fingerprints. Version 1 has
// unnamed ones only:
//
//	1 | fingerprint | ...
//	2 | how many are named, as uvarint | fingerprint | ...
const fingerprintsVersion = 2

// Snapshot returns the state for storage and its version, for MarkSaved.
func (f *Fingerprints) Snapshot() (stored []byte, version uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	stored = make([]byte, 0, 3+(len(f.named)+len(f.unnamed))*len(Fingerprint{}))
	stored = append(stored, fingerprintsVersion)
	stored = binary.AppendUvarint(stored, uint64(len(f.named)))
	for _, held := range [][]Fingerprint{f.named, f.unnamed} {
		for i := range held {
			stored = append(stored, held[i][:]...)
		}
	}
	return stored, f.version
}

// MarkSaved says that a snapshot of that version is stored.
func (f *Fingerprints) MarkSaved(version uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.saved = max(f.saved, version)
}

// UnmarshalBinary restores stored state; what it cannot read it leaves out.
func (f *Fingerprints) UnmarshalBinary(stored []byte) {
	r := reader{rest: stored}
	named := uint64(0)
	switch r.byte() {
	case 1:
	case fingerprintsVersion:
		named = min(r.uvarint(), fingerprintLimit)
	default:
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.named, f.unnamed = f.named[:0], f.unnamed[:0]
	for rest := r.rest; len(rest) >= len(Fingerprint{}); rest = rest[len(Fingerprint{}):] {
		switch {
		case uint64(len(f.named)) < named:
			f.named = append(f.named, Fingerprint(rest))
		case len(f.unnamed) < fingerprintLimit:
			f.unnamed = append(f.unnamed, Fingerprint(rest))
		}
	}
}
