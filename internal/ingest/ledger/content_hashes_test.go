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

func prints(first, last int) (all []ContentHash) {
	for i := first; i <= last; i++ {
		all = append(all, HashContent("s", strconv.Itoa(i)))
	}
	return all
}

func TestFingerprintsTellContentAndSessionApart(t *testing.T) {
	known := HashContent("s", "x")
	assert.Equal(t, known, HashContent("s", "x"))
	assert.NotEqual(t, HashContent("s", "x"), HashContent("s", "y"))
	assert.NotEqual(t, HashContent("s", "x"), HashContent("t", "x"))
	assert.NotEqual(t, HashContent("s", "tx"), HashContent("st", "x"))
	assert.NotEqual(t, HashContent("", "x"), HashContent("x", ""))
}

func TestFingerprintsHoldTheNewest(t *testing.T) {
	f := func(sizes ...int) {
		t.Helper()
		var ring ContentHashes
		next := 0
		for _, size := range sizes {
			ring.MarkAccepted(prints(next, next+size-1), false)
			next += size
		}
		for _, ring := range []*ContentHashes{&ring, restoredPrints(t, storedPrints(&ring))} {
			for i := max(0, next-ContentHashLimit); i < next; i++ {
				assert.True(t, ring.Contains(HashContent("s", strconv.Itoa(i))), "%d of %v", i, sizes)
			}
			assert.Equal(t, next <= ContentHashLimit+segmentSize, ring.Contains(prints(0, 0)[0]))
			assert.LessOrEqual(t, len(ring.unnamed.newestSegmentOf), ContentHashLimit+segmentSize)
		}
	}
	f(1)
	f(segmentSize)
	f(segmentSize, 1)
	f(ContentHashLimit)
	f(ContentHashLimit, 1)
	f(ContentHashLimit + segmentSize)
	f(ContentHashLimit + segmentSize + 1)
	f(3*ContentHashLimit + 7)
	f(100, 100, 100, 100)
}

// A part that came again after it was forgotten is known as long as a new one.
func TestFingerprintAcceptedAgain(t *testing.T) {
	var ring ContentHashes
	ring.MarkAccepted(prints(0, segmentSize), false)
	ring.MarkAccepted(prints(0, 0), false)
	ring.MarkAccepted(prints(segmentSize+1, ContentHashLimit+segmentSize-2), false)
	ring.MarkAccepted(prints(ContentHashLimit+segmentSize-1, ContentHashLimit+segmentSize-1), false)
	assert.True(t, ring.Contains(prints(0, 0)[0]))
	assert.False(t, ring.Contains(prints(1, 1)[0]))
}

// storedPrints is a storage with all that a start would find.
func storedPrints(rings ...*ContentHashes) map[string][]byte {
	storage := map[string][]byte{}
	for _, ring := range rings {
		for ring.HasChanges() {
			store(storage, ring)
		}
	}
	return storage
}

func store(storage map[string][]byte, ring *ContentHashes) {
	snapshot := ring.Changes()
	for _, segment := range snapshot.Segments {
		storage[segment.Key] = segment.Value
	}
	if snapshot.DeleteFormerValue {
		delete(storage, FormerContentHashesKey)
	}
	ring.MarkStored(&snapshot)
}

func restoredPrints(t *testing.T, storage map[string][]byte) *ContentHashes {
	t.Helper()
	ring := new(ContentHashes)
	if stored := storage[FormerContentHashesKey]; stored != nil {
		require.NoError(t, ring.Restore(FormerContentHashesKey, stored))
	}
	found := 0
	for key := range ContentHashKeys() {
		if stored := storage[key]; stored != nil {
			require.NoError(t, ring.Restore(key, stored))
			found++
		}
	}
	if storage[FormerContentHashesKey] == nil {
		require.Len(t, storage, found)
	}
	return ring
}

func TestFingerprintsUnsaved(t *testing.T) {
	var ring ContentHashes
	ring.MarkAccepted(nil, false)
	assert.False(t, ring.HasChanges(), "nothing changed")
	ring.MarkAccepted(prints(1, 1), false)
	assert.True(t, ring.HasChanges())
	first := ring.Changes()
	assert.True(t, ring.HasChanges(), "a snapshot that is not stored stays due")

	// What is accepted while the state is being written stays due as well.
	ring.MarkAccepted(prints(2, 2), false)
	ring.MarkStored(&first)
	assert.True(t, ring.HasChanges())
	second := ring.Changes()
	ring.MarkStored(&second)
	ring.MarkStored(&first)
	assert.False(t, ring.HasChanges(), "an older write that ends later takes nothing back")
}

// A save writes the segment that is filled, and not those that are full.
func TestFingerprintsAreStoredInSegments(t *testing.T) {
	var ring ContentHashes
	storage := map[string][]byte{}
	for i := range 3 * segmentCount {
		ring.MarkAccepted(prints(i*segmentSize, i*segmentSize+segmentSize-2), false)
		store(storage, &ring)
		ring.MarkAccepted(prints(i*segmentSize+segmentSize-1, i*segmentSize+segmentSize-1), false)
		snapshot := ring.Changes()
		require.Len(t, snapshot.Segments, 1)
		require.LessOrEqual(t, len(snapshot.Segments[0].Value), 4<<10+8)
		store(storage, &ring)
		require.Empty(t, ring.Changes().Segments)
	}
	assert.Len(t, storage, segmentCount)
	again := restoredPrints(t, storage)
	assert.Equal(t, ring.unnamed.newestSegmentOf, again.unnamed.newestSegmentOf)
	assert.Equal(t, ring.unnamed.newestSegment, again.unnamed.newestSegment)
	assert.False(t, again.HasChanges())
}

// The bytes of each release are read by every later one, and stored anew.
func TestStoredFingerprintsOfFormerVersions(t *testing.T) {
	const session = "af78b2d3-78c5-464f-8454-ada3c4d79e17"
	v1 := golden(t, "fingerprints-v1.bin")
	one, two, three := prints(1, 1)[0], prints(2, 2)[0], prints(3, 3)[0]
	v2 := slices.Concat([]byte{2, 2}, one[:], two[:], three[:])
	f := func(stored []byte, named, unnamed []ContentHash) {
		t.Helper()
		storage := map[string][]byte{FormerContentHashesKey: stored}
		ring := restoredPrints(t, storage)
		assert.True(t, ring.HasChanges())
		for _, again := range []*ContentHashes{ring, restoredPrints(t, storedPrints(ring))} {
			assert.ElementsMatch(t, named, slices.Collect(maps.Keys(again.named.newestSegmentOf)))
			assert.ElementsMatch(t, unnamed, slices.Collect(maps.Keys(again.unnamed.newestSegmentOf)))
		}
	}
	f(v1, nil, []ContentHash{HashContent(session, "<record/>"), HashContent(session, "junk")})
	f(v2, prints(1, 2), prints(3, 3))

	storage := map[string][]byte{FormerContentHashesKey: v2}
	ring := restoredPrints(t, storage)
	store(storage, ring)
	assert.Equal(t, map[string][]byte{
		"fingerprints/named/0":   slices.Concat([]byte{3, 0}, one[:], two[:]),
		"fingerprints/unnamed/0": slices.Concat([]byte{3, 0}, three[:]),
	}, storage, "version 3")
}

// Parts of nobody in particular do not push out those of known bridges.
func TestUnnamedFingerprintsLeaveNamedOnes(t *testing.T) {
	var ring ContentHashes
	ring.MarkAccepted(prints(1, 1), true)
	ring.MarkAccepted(prints(2, 2), false)
	ring.MarkAccepted(prints(3, 3+ContentHashLimit+segmentSize), false)
	assert.True(t, ring.Contains(prints(1, 1)[0]))
	assert.False(t, ring.Contains(prints(2, 2)[0]))
}

func TestDamagedFingerprints(t *testing.T) {
	f := func(want error, key string, stored ...byte) {
		t.Helper()
		var ring ContentHashes
		ring.MarkAccepted(prints(1, 1), false)
		require.ErrorIs(t, ring.Restore(key, stored), want)
		assert.True(t, ring.Contains(prints(1, 1)[0]), "nothing is changed")
	}
	const key = "fingerprints/unnamed/0"
	f(ErrUnreadable, key)
	f(ErrUnreadable, key, 0)
	f(ErrUnreadable, key, 2, 0)
	f(ErrUnreadable, key, 3)
	f(ErrUnreadable, key, 3, 1)
	f(ErrUnreadable, key, 3, 0, 7)
	f(ErrUnreadable, key, append([]byte{3, 0}, make([]byte, (segmentSize+1)*len(ContentHash{}))...)...)
	f(ErrUnreadable, "fingerprints/unnamed/33", 3, 33)
	f(ErrUnreadable, FormerContentHashesKey, 3, 0)
	f(ErrNewer, key, 4, 0)
	f(ErrNewer, FormerContentHashesKey, 4, 0)

	stored := golden(t, "fingerprints-v1.bin")
	for n := range stored[1:] {
		var ring ContentHashes
		require.NoError(t, ring.Restore(FormerContentHashesKey, stored[:n+1]))
		assert.Len(t, ring.unnamed.newestSegmentOf, n/len(ContentHash{}), "cut at %d", n)
	}
	var ring ContentHashes
	require.NoError(t, ring.Restore(FormerContentHashesKey, slices.Concat(stored, make([]byte, 100*segmentSize))))
	assert.LessOrEqual(t, ring.unnamed.newestSegment, uint64(1))
}
