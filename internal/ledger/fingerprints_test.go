// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
)

func prints(first, last int) (all []Fingerprint) {
	for i := first; i <= last; i++ {
		all = append(all, FingerprintOf("s", strconv.Itoa(i)))
	}
	return all
}

func TestFingerprintsTellContentAndSessionApart(t *testing.T) {
	known := FingerprintOf("s", "x")
	assert.Equal(t, known, FingerprintOf("s", "x"))
	assert.NotEqual(t, FingerprintOf("s", "x"), FingerprintOf("s", "y"))
	assert.NotEqual(t, FingerprintOf("s", "x"), FingerprintOf("t", "x"))
	assert.NotEqual(t, FingerprintOf("s", "tx"), FingerprintOf("st", "x"))
	assert.NotEqual(t, FingerprintOf("", "x"), FingerprintOf("x", ""))
}

func TestFingerprintsHoldTheNewest(t *testing.T) {
	f := func(sizes ...int) {
		t.Helper()
		var ring Fingerprints
		next := 0
		for _, size := range sizes {
			ring.Accept(prints(next, next+size-1), false)
			next += size
		}
		for i := range next {
			want := i >= next-fingerprintLimit
			assert.Equal(t, want, ring.Contains(FingerprintOf("s", strconv.Itoa(i))), "%d of %v", i, sizes)
		}
		assert.LessOrEqual(t, len(ring.unnamed), fingerprintLimit)
	}
	f(1)
	f(fingerprintLimit)
	f(fingerprintLimit, 1)
	f(fingerprintLimit + 1)
	f(3*fingerprintLimit + 7)
	f(100, 100, 100, 100)
}

func TestFingerprintsUnsaved(t *testing.T) {
	var ring Fingerprints
	ring.Accept(nil, false)
	assert.False(t, ring.Unsaved(), "nothing changed")
	ring.Accept(prints(1, 1), false)
	assert.True(t, ring.Unsaved())
	_, first := ring.Snapshot()
	assert.True(t, ring.Unsaved(), "a snapshot that is not stored stays due")

	// What is accepted while the state is being written stays due as well.
	ring.Accept(prints(2, 2), false)
	ring.MarkSaved(first)
	assert.True(t, ring.Unsaved())
	_, second := ring.Snapshot()
	ring.MarkSaved(second)
	ring.MarkSaved(first)
	assert.False(t, ring.Unsaved(), "an older write that ends later takes nothing back")
}

func TestFingerprintsRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, fingerprintLimit, fingerprintLimit + 5} {
		var ring, restored Fingerprints
		ring.Accept(prints(1, n), false)
		restored.Accept(prints(9000, 9001), false) // replaced
		stored, _ := ring.Snapshot()
		restored.UnmarshalBinary(stored)
		again, _ := restored.Snapshot()
		assert.Equal(t, stored, again, "%d", n)
		assert.Len(t, restored.unnamed, min(n, fingerprintLimit))
	}
}

func TestStoredFingerprintsOfVersion1(t *testing.T) {
	const session = "af78b2d3-78c5-464f-8454-ada3c4d79e17"
	var ring Fingerprints
	ring.UnmarshalBinary(golden(t, "fingerprints-v1.bin"))
	assert.True(t, ring.Contains(FingerprintOf(session, "<record/>")))
	assert.True(t, ring.Contains(FingerprintOf(session, "junk")))
	assert.False(t, ring.Unsaved())
	stored, _ := ring.Snapshot()
	assert.Equal(t, slices.Concat([]byte{2, 0}, golden(t, "fingerprints-v1.bin")[1:]), stored, "unnamed ones of version 2")
}

// The bytes of a release are read by every later one.
func TestStoredFingerprintsOfVersion2(t *testing.T) {
	var ring, restored Fingerprints
	ring.Accept(prints(1, 2), true)
	ring.Accept(prints(3, 3), false)
	stored, _ := ring.Snapshot()
	one, two, three := prints(1, 1)[0], prints(2, 2)[0], prints(3, 3)[0]
	assert.Equal(t, slices.Concat([]byte{2, 2}, one[:], two[:], three[:]), stored)
	restored.UnmarshalBinary(stored)
	assert.Equal(t, prints(1, 2), restored.named)
	assert.Equal(t, prints(3, 3), restored.unnamed)
}

// Parts of nobody in particular do not push out those of known bridges.
func TestUnnamedFingerprintsLeaveNamedOnes(t *testing.T) {
	var ring Fingerprints
	ring.Accept(prints(1, 1), true)
	ring.Accept(prints(2, 2), false)
	ring.Accept(prints(3, 3+fingerprintLimit), false)
	assert.True(t, ring.Contains(prints(1, 1)[0]))
	assert.False(t, ring.Contains(prints(2, 2)[0]))
}

func TestDamagedFingerprints(t *testing.T) {
	stored := golden(t, "fingerprints-v1.bin")
	for n := range stored {
		var ring Fingerprints
		ring.UnmarshalBinary(stored[:n])
		assert.Len(t, ring.unnamed, max(0, n-1)/len(Fingerprint{}), "cut at %d", n)
	}
	var ring Fingerprints
	ring.Accept(prints(1, 1), false)
	ring.UnmarshalBinary(append([]byte{3}, stored[1:]...))
	assert.True(t, ring.Contains(prints(1, 1)[0]), "another version changes nothing")
	ring.UnmarshalBinary(slices.Concat(stored, make([]byte, 100*fingerprintLimit)))
	assert.Len(t, ring.unnamed, fingerprintLimit)
}
