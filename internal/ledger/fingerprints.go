// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"crypto/sha256"
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

// fingerprintLimit is how many fingerprints are held, the newest ones. A
// sender that stops and waits sends the same thing again at once or never.
const fingerprintLimit = 256

// Fingerprints remembers the last accepted parts that have no index. It is safe
// for concurrent use; the zero value is empty.
type Fingerprints struct {
	mu      sync.Mutex
	held    []Fingerprint // the oldest first
	version uint64        // of held
	saved   uint64        // the newest version that is stored
}

// Contains tells whether the part was accepted lately.
func (f *Fingerprints) Contains(print Fingerprint) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.held, print)
}

// Accept notes parts as accepted.
func (f *Fingerprints) Accept(prints []Fingerprint) {
	if len(prints) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = append(f.held, prints...)
	if excess := len(f.held) - fingerprintLimit; excess > 0 {
		f.held = append(f.held[:0], f.held[excess:]...)
	}
	f.version++
}

// Unsaved tells whether there is something that is not stored.
func (f *Fingerprints) Unsaved() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.saved != f.version
}

// Snapshot returns the state for storage and its version, for Saved.
func (f *Fingerprints) Snapshot() (stored []byte, version uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	stored = make([]byte, 0, 1+len(f.held)*len(Fingerprint{}))
	stored = append(stored, encodingVersion)
	for i := range f.held {
		stored = append(stored, f.held[i][:]...)
	}
	return stored, f.version
}

// Saved notes that a snapshot of that version is stored.
func (f *Fingerprints) Saved(version uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.saved = max(f.saved, version)
}

// UnmarshalBinary restores stored state; what it cannot read it leaves out.
func (f *Fingerprints) UnmarshalBinary(stored []byte) {
	rest, ok := bytes.CutPrefix(stored, []byte{encodingVersion})
	if !ok {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = f.held[:0]
	for len(rest) >= len(Fingerprint{}) && len(f.held) < fingerprintLimit {
		f.held = append(f.held, Fingerprint(rest))
		rest = rest[len(Fingerprint{}):]
	}
}
