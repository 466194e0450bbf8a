// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "slices"

// maxHistory is how many statements an attribute that remembers is kept of.
const maxHistory = 256

// limitHistory drops an attribute that keeps its history from all statements but
// the first ones and the newest one that have it. No later record can bring a
// dropped one back among those.
func (f *factsCodec) limitHistory() {
	f.dropped = 0
	if len(f.statements) <= maxHistory {
		return
	}
	var total, passed [historyKeys]int
	for i := range f.statements {
		for _, e := range f.statements[i].entries {
			if e.key.keepsHistory() {
				total[e.key]++
			}
		}
	}
	for i := range f.statements {
		s := &f.statements[i]
		s.entries = slices.DeleteFunc(s.entries, func(e entry) bool {
			if !e.key.keepsHistory() {
				return false
			}
			passed[e.key]++
			if passed[e.key] < maxHistory || passed[e.key] == total[e.key] {
				return false
			}
			f.dropped++
			return true
		})
	}
}

// leaveOutEmpty leaves out the updates that have no attributes, except the one
// with the first and the one with the last time.
func (f *factsCodec) leaveOutEmpty() {
	first, last := 0, 0
	for i := range f.statements {
		t := f.statements[i].time
		if f.statements[i].phase == Note || f.statements[first].phase == Note {
			first, last = i, i // a note has no time, and is the first
			continue
		}
		if t < f.statements[first].time {
			first = i
		}
		if t >= f.statements[last].time {
			last = i
		}
	}
	kept := f.statements[:0]
	for i, s := range f.statements {
		if len(s.entries) > 0 || s.phase != Update || i == first || i == last {
			kept = append(kept, s)
		}
	}
	f.statements = kept
}
