// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"
	"sort"
)

// Range is an interval of indices, both ends included.
type Range struct {
	First, Last uint64
}

// Ranges is a set of indices: ascending ranges with at least one index between them.
type Ranges []Range

// search returns the position of the first range that ends at index or after it.
func (r Ranges) search(index uint64) int {
	// Almost every search is for the end of the set.
	if n := len(r); n == 0 || index > r[n-1].Last {
		return n
	}
	return sort.Search(len(r), func(i int) bool { return r[i].Last >= index })
}

// Contains reports whether index is in the set.
func (r Ranges) Contains(index uint64) bool {
	i := r.search(index)
	return i < len(r) && r[i].First <= index
}

// Last returns the largest index; ok is false for the empty set.
func (r Ranges) Last() (index uint64, ok bool) {
	if len(r) == 0 {
		return 0, false
	}
	return r[len(r)-1].Last, true
}

// Before returns the largest index of the set that is less than index; ok is
// false if there is none.
func (r Ranges) Before(index uint64) (before uint64, ok bool) {
	i := r.search(index)
	switch {
	case i < len(r) && r[i].First < index:
		return index - 1, true
	case i > 0:
		return r[i-1].Last, true
	default:
		return 0, false
	}
}

// CountWithin returns how many indices of [first, last] are in the set; last must not
// be less than first-1.
func (r Ranges) CountWithin(first, last uint64) (n uint64) {
	for i := r.search(first); i < len(r) && r[i].First <= last; i++ {
		n += min(r[i].Last, last) - max(r[i].First, first) + 1
	}
	return n
}

// Add returns the set with index in it.
func (r Ranges) Add(index uint64) Ranges { return r.AddRange(index, index) }

// AddRange returns the set with all of [first, last] in it. It may change r.
func (r Ranges) AddRange(first, last uint64) Ranges {
	i := r.search(first)
	if i > 0 && r[i-1].Last == first-1 {
		i-- // the range before it touches it
	}
	end := i // position after the last range that overlaps or touches it
	for end < len(r) && (r[end].First <= last || r[end].First-1 == last) {
		end++
	}
	if i == end {
		return slices.Insert(r, i, Range{First: first, Last: last})
	}
	r[i] = Range{First: min(first, r[i].First), Last: max(last, r[end-1].Last)}
	return slices.Delete(r, i+1, end)
}

// trim returns at most limit ranges. It closes the oldest gaps, but none wider than
// MaxMissing, because records of that one may still be received. Instead it drops the
// highest ranges, whose indices no real sender can have reached.
func (r Ranges) trim(limit int) Ranges {
	if len(r) <= limit {
		return r
	}
	kept := make(Ranges, 0, limit)
	excess := len(r) - limit
	for _, run := range r {
		if n := len(kept); n > 0 && excess > 0 && run.First-kept[n-1].Last-1 <= MaxMissing {
			kept[n-1].Last = run.Last
			excess--
			continue
		}
		kept = append(kept, run)
	}
	return kept[:min(len(kept), limit)]
}
