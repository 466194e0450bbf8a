// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "slices"

// maxHistory is how many values of an attribute with history an object keeps.
const maxHistory = 256

// limitHistory keeps the first maxHistory-1 values and the newest value of each attribute with
// history. Later records cannot make a dropped value one of these.
func (f *factsCodec) limitHistory() {
	f.dropped = 0
	if len(f.statements) <= maxHistory {
		return
	}
	var total, passed [historyKeys]int
	for i := range f.statements {
		for _, e := range f.statements[i].attributes {
			if e.key.keepsHistory() {
				total[e.key]++
			}
		}
	}
	for i := range f.statements {
		s := &f.statements[i]
		s.attributes = slices.DeleteFunc(s.attributes, func(e attribute) bool {
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

// leaveOutEmpty drops updates without attributes, except those with the first and the last
// time.
func (f *factsCodec) leaveOutEmpty() {
	first, last := 0, 0
	for i := range f.statements {
		t := f.statements[i].time
		if f.statements[i].phase == Note || f.statements[first].phase == Note {
			first, last = i, i // a note has no time, and comes first
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
		if len(s.attributes) > 0 || s.phase != Update || i == first || i == last {
			kept = append(kept, s)
		}
	}
	f.statements = kept
}
