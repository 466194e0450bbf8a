// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"math"
	"slices"
	"sort"
)

// Range is a run of indices, both ends included.
type Range struct {
	First, Last uint64
}

// Ranges is a set of indices: ascending runs, at least one index apart.
type Ranges []Range

// search returns the position of the first run that ends at or behind index.
func (r Ranges) search(index uint64) int {
	// Almost every question is about the end of the set.
	if n := len(r); n == 0 || index > r[n-1].Last {
		return n
	}
	return sort.Search(len(r), func(i int) bool { return r[i].Last >= index })
}

// Contains tells whether index is in the set.
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

// Count returns how many indices of [first, last] are in the set; last must not
// be less than first-1.
func (r Ranges) Count(first, last uint64) (n uint64) {
	for i := r.search(first); i < len(r) && r[i].First <= last; i++ {
		n += min(r[i].Last, last) - max(r[i].First, first) + 1
	}
	return n
}

// Add returns the set with index in it.
func (r Ranges) Add(index uint64) Ranges {
	i := r.search(index)
	if i < len(r) && r[i].First <= index {
		return r
	}
	// index lies in the hole between run i-1 and run i.
	left := i > 0 && r[i-1].Last == index-1
	right := i < len(r) && index < math.MaxUint64 && r[i].First == index+1
	switch {
	case left && right:
		r[i-1].Last = r[i].Last
		return slices.Delete(r, i, i+1)
	case left:
		r[i-1].Last = index
		return r
	case right:
		r[i].First = index
		return r
	default:
		return slices.Insert(r, i, Range{First: index, Last: index})
	}
}

// trim closes the oldest holes until at most limit runs are left. It gives the
// memory of the others back.
func (r Ranges) trim(limit int) Ranges {
	excess := len(r) - limit
	if excess <= 0 {
		return r
	}
	r[excess].First = r[0].First
	return slices.Clone(r[excess:])
}
