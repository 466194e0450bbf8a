// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
		for _, ring := range []*Fingerprints{&ring, restoredPrints(t, storedPrints(&ring))} {
			for i := max(0, next-FingerprintLimit); i < next; i++ {
				assert.True(t, ring.Contains(FingerprintOf("s", strconv.Itoa(i))), "%d of %v", i, sizes)
			}
			assert.Equal(t, next <= FingerprintLimit+segmentSize, ring.Contains(prints(0, 0)[0]))
			assert.LessOrEqual(t, len(ring.unnamed.held), FingerprintLimit+segmentSize)
		}
	}
	f(1)
	f(segmentSize)
	f(segmentSize, 1)
	f(FingerprintLimit)
	f(FingerprintLimit, 1)
	f(FingerprintLimit + segmentSize)
	f(FingerprintLimit + segmentSize + 1)
	f(3*FingerprintLimit + 7)
	f(100, 100, 100, 100)
}

// A part that came again after it was forgotten is known as long as a new one.
func TestFingerprintAcceptedAgain(t *testing.T) {
	var ring Fingerprints
	ring.Accept(prints(0, segmentSize), false)
	ring.Accept(prints(0, 0), false)
	ring.Accept(prints(segmentSize+1, FingerprintLimit+segmentSize-2), false)
	ring.Accept(prints(FingerprintLimit+segmentSize-1, FingerprintLimit+segmentSize-1), false)
	assert.True(t, ring.Contains(prints(0, 0)[0]))
	assert.False(t, ring.Contains(prints(1, 1)[0]))
}

// storedPrints is a storage with all that a start would find.
func storedPrints(rings ...*Fingerprints) map[string][]byte {
	storage := map[string][]byte{}
	for _, ring := range rings {
		for ring.Unsaved() {
			store(storage, ring)
		}
	}
	return storage
}

func store(storage map[string][]byte, ring *Fingerprints) {
	snapshot := ring.Snapshot()
	for _, segment := range snapshot.Segments {
		storage[segment.Key] = segment.Stored
	}
	if snapshot.Former {
		delete(storage, FormerFingerprints)
	}
	ring.MarkSaved(&snapshot)
}

func restoredPrints(t *testing.T, storage map[string][]byte) *Fingerprints {
	t.Helper()
	ring := new(Fingerprints)
	if stored := storage[FormerFingerprints]; stored != nil {
		require.NoError(t, ring.Restore(FormerFingerprints, stored))
	}
	found := 0
	for key := range FingerprintKeys() {
		if stored := storage[key]; stored != nil {
			require.NoError(t, ring.Restore(key, stored))
			found++
		}
	}
	if storage[FormerFingerprints] == nil {
		require.Len(t, storage, found)
	}
	return ring
}

func TestFingerprintsUnsaved(t *testing.T) {
	var ring Fingerprints
	ring.Accept(nil, false)
	assert.False(t, ring.Unsaved(), "nothing changed")
	ring.Accept(prints(1, 1), false)
	assert.True(t, ring.Unsaved())
	first := ring.Snapshot()
	assert.True(t, ring.Unsaved(), "a snapshot that is not stored stays due")

	// What is accepted while the state is being written stays due as well.
	ring.Accept(prints(2, 2), false)
	ring.MarkSaved(&first)
	assert.True(t, ring.Unsaved())
	second := ring.Snapshot()
	ring.MarkSaved(&second)
	ring.MarkSaved(&first)
	assert.False(t, ring.Unsaved(), "an older write that ends later takes nothing back")
}

// A save writes the segment that is filled, and not those that are full.
func TestFingerprintsAreStoredInSegments(t *testing.T) {
	var ring Fingerprints
	storage := map[string][]byte{}
	for i := range 3 * segmentCount {
		ring.Accept(prints(i*segmentSize, i*segmentSize+segmentSize-2), false)
		store(storage, &ring)
		ring.Accept(prints(i*segmentSize+segmentSize-1, i*segmentSize+segmentSize-1), false)
		snapshot := ring.Snapshot()
		require.Len(t, snapshot.Segments, 1)
		require.LessOrEqual(t, len(snapshot.Segments[0].Stored), 4<<10+8)
		store(storage, &ring)
		require.Empty(t, ring.Snapshot().Segments)
	}
	assert.Len(t, storage, segmentCount)
	again := restoredPrints(t, storage)
	assert.Equal(t, ring.unnamed.held, again.unnamed.held)
	assert.Equal(t, ring.unnamed.newest, again.unnamed.newest)
	assert.False(t, again.Unsaved())
}

// The bytes of each release are read by every later one, and stored anew.
func TestStoredFingerprintsOfFormerVersions(t *testing.T) {
	const session = "af78b2d3-78c5-464f-8454-ada3c4d79e17"
	v1 := golden(t, "fingerprints-v1.bin")
	one, two, three := prints(1, 1)[0], prints(2, 2)[0], prints(3, 3)[0]
	v2 := slices.Concat([]byte{2, 2}, one[:], two[:], three[:])
	f := func(stored []byte, named, unnamed []Fingerprint) {
		t.Helper()
		storage := map[string][]byte{FormerFingerprints: stored}
		ring := restoredPrints(t, storage)
		assert.True(t, ring.Unsaved())
		for _, again := range []*Fingerprints{ring, restoredPrints(t, storedPrints(ring))} {
			assert.ElementsMatch(t, named, slices.Collect(maps.Keys(again.named.held)))
			assert.ElementsMatch(t, unnamed, slices.Collect(maps.Keys(again.unnamed.held)))
		}
	}
	f(v1, nil, []Fingerprint{FingerprintOf(session, "<record/>"), FingerprintOf(session, "junk")})
	f(v2, prints(1, 2), prints(3, 3))

	storage := map[string][]byte{FormerFingerprints: v2}
	ring := restoredPrints(t, storage)
	store(storage, ring)
	assert.Equal(t, map[string][]byte{
		"fingerprints/named/0":   slices.Concat([]byte{3, 0}, one[:], two[:]),
		"fingerprints/unnamed/0": slices.Concat([]byte{3, 0}, three[:]),
	}, storage, "version 3")
}

// Parts of nobody in particular do not push out those of known bridges.
func TestUnnamedFingerprintsLeaveNamedOnes(t *testing.T) {
	var ring Fingerprints
	ring.Accept(prints(1, 1), true)
	ring.Accept(prints(2, 2), false)
	ring.Accept(prints(3, 3+FingerprintLimit+segmentSize), false)
	assert.True(t, ring.Contains(prints(1, 1)[0]))
	assert.False(t, ring.Contains(prints(2, 2)[0]))
}

func TestDamagedFingerprints(t *testing.T) {
	f := func(want error, key string, stored ...byte) {
		t.Helper()
		var ring Fingerprints
		ring.Accept(prints(1, 1), false)
		require.ErrorIs(t, ring.Restore(key, stored), want)
		assert.True(t, ring.Contains(prints(1, 1)[0]), "nothing is changed")
	}
	const key = "fingerprints/unnamed/0"
	f(ErrStored, key)
	f(ErrStored, key, 0)
	f(ErrStored, key, 2, 0)
	f(ErrStored, key, 3)
	f(ErrStored, key, 3, 1)
	f(ErrStored, key, 3, 0, 7)
	f(ErrStored, key, append([]byte{3, 0}, make([]byte, (segmentSize+1)*len(Fingerprint{}))...)...)
	f(ErrStored, "fingerprints/unnamed/33", 3, 33)
	f(ErrStored, FormerFingerprints, 3, 0)
	f(ErrNewer, key, 4, 0)
	f(ErrNewer, FormerFingerprints, 4, 0)

	stored := golden(t, "fingerprints-v1.bin")
	for n := range stored[1:] {
		var ring Fingerprints
		require.NoError(t, ring.Restore(FormerFingerprints, stored[:n+1]))
		assert.Len(t, ring.unnamed.held, n/len(Fingerprint{}), "cut at %d", n)
	}
	var ring Fingerprints
	require.NoError(t, ring.Restore(FormerFingerprints, slices.Concat(stored, make([]byte, 100*segmentSize))))
	assert.LessOrEqual(t, ring.unnamed.newest, uint64(1))
}
