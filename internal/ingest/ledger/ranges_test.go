// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/linear"
)

// set is a set of indices without any cleverness.
type set map[uint64]bool

func (s set) last() (last uint64, ok bool) {
	for index := range s {
		last, ok = max(last, index), true
	}
	return last, ok
}

func (s set) first() (first uint64, ok bool) {
	for index := range s {
		if !ok || index < first {
			first, ok = index, true
		}
	}
	return first, ok
}

func (s set) count(first, last uint64) (n uint64) {
	for index := range s {
		if first <= index && index <= last {
			n++
		}
	}
	return n
}

// checkRanges holds ranges to what they promise: ascending runs, at least one
// index apart.
func checkRanges(t *testing.T, r Ranges) {
	t.Helper()
	for i := range r {
		require.LessOrEqual(t, r[i].First, r[i].Last, "%v", r)
		if i > 0 {
			require.Greater(t, r[i].First, r[i-1].Last, "%v", r)
			require.Greater(t, r[i].First-r[i-1].Last, uint64(1), "%v touch", r)
		}
	}
}

// bases are the places of the number line where arithmetic is tried.
var bases = []uint64{0, 1000, math.MaxInt64 - 20, math.MaxUint64 - 40}

func TestRangesAreASet(t *testing.T) {
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 0))
		base := bases[seed%uint64(len(bases))]
		pick := func() uint64 { return base + random.Uint64N(41) }
		var (
			ranges Ranges
			model  = set{}
		)
		for range random.IntN(60) {
			index := pick()
			ranges = ranges.Add(index)
			model[index] = true

			checkRanges(t, ranges)
			for index := base; ; index++ {
				require.Equal(t, model[index], ranges.Contains(index), "seed %d: %d in %v", seed, index, ranges)
				if index == base+40 {
					break
				}
			}
			first, last := pick(), pick()
			first, last = min(first, last), max(first, last)
			require.Equal(t, model.count(first, last), ranges.CountWithin(first, last), "seed %d: [%d, %d] of %v", seed, first, last, ranges)
			gotLast, gotOK := ranges.Last()
			wantLast, wantOK := model.last()
			require.Equal(t, wantLast, gotLast)
			require.Equal(t, wantOK, gotOK)
		}
	}
}

func TestEmptyRanges(t *testing.T) {
	var r Ranges
	assert.False(t, r.Contains(0))
	assert.Zero(t, r.CountWithin(0, math.MaxUint64))
	_, ok := r.Last()
	assert.False(t, ok)
}

// The order in which indices come does not matter.
func TestAddCommutes(t *testing.T) {
	indices := []uint64{0, 1, 2, 4, 5, 7, 9, math.MaxUint64, math.MaxUint64 - 1}
	want := Ranges{{0, 2}, {4, 5}, {7, 7}, {9, 9}, {math.MaxUint64 - 1, math.MaxUint64}}
	random := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		random.Shuffle(len(indices), func(i, j int) { indices[i], indices[j] = indices[j], indices[i] })
		var r Ranges
		for _, index := range indices {
			r = r.Add(index)
		}
		require.Equal(t, want, r, "%v", indices)
	}
}

func TestTrimClosesTheOldestHoles(t *testing.T) {
	f := func(limit int, want Ranges) {
		t.Helper()
		got := Ranges{{1, 2}, {4, 5}, {7, 8}, {10, 11}}.trim(limit)
		assert.Equal(t, want, got, "limit %d", limit)
		checkRanges(t, got)
	}
	f(5, Ranges{{1, 2}, {4, 5}, {7, 8}, {10, 11}})
	f(4, Ranges{{1, 2}, {4, 5}, {7, 8}, {10, 11}})
	f(3, Ranges{{1, 5}, {7, 8}, {10, 11}})
	f(2, Ranges{{1, 8}, {10, 11}})
	f(1, Ranges{{1, 11}})
	assert.Empty(t, Ranges(nil).trim(1))

	// Real records may come from a hole that no loss can explain.
	const far = 10 * MaxMissing
	assert.Equal(t, Ranges{{1, 2}, {far, far + 3}}, Ranges{{1, 2}, {far, far}, {far + 2, far + 3}, {5 * far, 5 * far}}.trim(2))
	assert.Equal(t, Ranges{{1, 2}}, Ranges{{1, 2}, {far, far}, {5 * far, 5 * far}}.trim(1))
}

func TestBeforeAndAddRangeAgainstASet(t *testing.T) {
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 1))
		base := bases[seed%uint64(len(bases))]
		var ranges Ranges
		m := set{}
		for range 12 {
			first := base + random.Uint64N(40)
			last := first + min(random.Uint64N(8), base+40-first)
			ranges = ranges.AddRange(first, last)
			for index := first; ; index++ {
				m[index] = true
				if index == last {
					break
				}
			}
			checkRanges(t, ranges)
			require.Equal(t, uint64(len(m)), ranges.CountWithin(base, base+40), "seed %d", seed)
			at := base + random.Uint64N(41)
			want, found := uint64(0), false
			for index := range m {
				if index < at {
					want, found = max(want, index), true
				}
			}
			got, ok := ranges.Before(at)
			require.Equal(t, found, ok)
			require.Equal(t, want, got)
		}
	}
}

// A hostile sender may number its records backwards and with holes.
func TestAcceptingBackwardsIsCheap(t *testing.T) {
	const records = 400_000 // what fits a body of 20 MiB
	entries := make([]Entry, 0, records)
	for i := range uint64(records) {
		entries = append(entries, Entry{Index: 3 * i})
	}
	slices.Reverse(entries)
	linear.Assert(t, records/4, func(n int) {
		s := newSession(t, DefaultLimits)
		s.take(entries[:n]...)
		assert.Len(t, s.accepted, DefaultLimits.Ranges)
		checkRanges(t, s.accepted)
	})
}
