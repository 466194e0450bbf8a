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
	unsaved bool
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
	f.unsaved = true
}

// Unsaved tells whether there is something MarshalBinary was not asked for.
func (f *Fingerprints) Unsaved() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.unsaved
}

// Saved notes whether the last MarshalBinary is stored.
func (f *Fingerprints) Saved(stored bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unsaved = f.unsaved || !stored
}

// MarshalBinary returns the state for storage and takes it for saved; call
// Saved(false) if it was not.
func (f *Fingerprints) MarshalBinary() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unsaved = false
	b := make([]byte, 0, 1+len(f.held)*len(Fingerprint{}))
	b = append(b, version)
	for i := range f.held {
		b = append(b, f.held[i][:]...)
	}
	return b
}

// UnmarshalBinary restores stored state; what it cannot read it leaves out.
func (f *Fingerprints) UnmarshalBinary(stored []byte) {
	rest, ok := bytes.CutPrefix(stored, []byte{version})
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
