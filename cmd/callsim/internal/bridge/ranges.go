// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"slices"
	"sort"
)

// Ranges is a set of indices as ascending ranges that include both their ends
// and never touch.
type Ranges [][2]uint64

// Add puts an index into the set.
func (r *Ranges) Add(n uint64) {
	list := *r
	// The first range that reaches n or could be extended by it.
	at := sort.Search(len(list), func(i int) bool { return list[i][1]+1 >= n })
	switch {
	case at == len(list) || n+1 < list[at][0]:
		list = slices.Insert(list, at, [2]uint64{n, n})
	case n+1 == list[at][0]:
		list[at][0] = n
	case n == list[at][1]+1:
		list[at][1] = n
		if at+1 < len(list) && list[at+1][0] == n+1 {
			list[at][1] = list[at+1][1]
			list = slices.Delete(list, at+1, at+2)
		}
	}
	*r = list
}

// Has reports whether an index is in the set.
func (r Ranges) Has(n uint64) bool {
	at := sort.Search(len(r), func(i int) bool { return r[i][1] >= n })
	return at < len(r) && r[at][0] <= n
}

// Len counts the indices in the set.
func (r Ranges) Len() uint64 {
	var sum uint64
	for _, pair := range r {
		sum += pair[1] - pair[0] + 1
	}
	return sum
}
