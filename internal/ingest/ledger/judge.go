// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"slices"
)

// MaxMissing is the largest number of records that one hole can be believed to
// hold. A Call Bridge makes some ten records for a call leg: ten million are the
// records of a million legs, all lost at once. A larger number is a fault or a
// forgery, and a counter that had added it up would be useless ever after.
const MaxMissing = 10_000_000

// Entry is one record as its sender numbered it.
type Entry struct {
	Index uint64
	// More is how many records directly behind Index the entry stands for too;
	// Unread entries only.
	More uint64
	// Missing is how many records directly before this one the sender says it
	// discarded.
	Missing uint64
	// DiscardsUnnumbered says that discarded records have no index of their own,
	// as with CMS's recordIndex: Index does not jump over them.
	DiscardsUnnumbered bool
	// Unread says that the record came, but cannot be read. It is not missing. A
	// readable record with the same index is still new.
	Unread bool
}

// Verdict is the ledger's answer about an entry.
type Verdict struct {
	// Duplicate: the record was accepted before, or stands twice in the batch.
	// Never set for an Unread entry.
	Duplicate bool
	// Missing is how many records before this one will never come. Each hole is
	// reported at one entry only, whoever reports it again.
	Missing uint64
	// Implausible: Missing is above MaxMissing. It is not to be added up.
	Implausible bool

	back uint64 // how many indices before the entry's Accept accounts for
}

// Judge returns a verdict for each entry, appended to verdicts. It changes
// nothing: the same entries can be judged again after a failed delivery.
//
// A gap is found where an index jumps. How much is missing is what the sender
// says, else the size of the jump. What the ledger has, and what it reported
// before, is not missing. The first index of a session may be anything: the
// receiver was registered late, and nothing before that index is missing, unless
// the sender says so with it.
func (s *Session) Judge(entries []Entry, verdicts []Verdict) []Verdict {
	base := len(verdicts)
	verdicts = append(verdicts, make([]Verdict, len(entries))...)
	out := verdicts[base:]

	if !s.follows(entries) {
		// Judge in the order of the index, on a copy: a record is not missing
		// that comes later in the same batch.
		accepted, accounted := slices.Clone(s.accepted), slices.Clone(s.accounted)
		for _, i := range ascending(entries) {
			out[i] = judge(accepted, accounted, &entries[i])
			accepted, accounted = mark(accepted, accounted, &entries[i], out[i])
		}
		return verdicts
	}
	last, known := s.accounted.Last()
	for i := range entries {
		if known {
			out[i].setJump(entries[i].Index - last - 1)
		}
		last, known = entries[i].Index, true
	}
	return verdicts
}

// follows tells whether all entries are plain records behind everything that is
// accounted for, in order.
func (s *Session) follows(entries []Entry) bool {
	last, known := s.accounted.Last()
	for i := range entries {
		e := &entries[i]
		if known && e.Index <= last || e.Missing > 0 || e.Unread {
			return false
		}
		last, known = e.Index, true
	}
	return true
}

func judge(accepted, accounted Ranges, e *Entry) (v Verdict) {
	if !e.Unread && accepted.Contains(e.Index) {
		v.Duplicate = true
		return v
	}
	before, known := accounted.Before(e.Index)
	if !known && len(accounted) > 0 {
		return v // from before the receiver was registered
	}
	// An index that is accounted for lies in a hole that was reported.
	if known && !accounted.Contains(e.Index) {
		v.setJump(e.Index - before - 1)
	}
	if e.Missing > 0 {
		v.setDiscarded(accounted, e)
	}
	return v
}

// setJump reports a hole between two indices.
func (v *Verdict) setJump(missing uint64) {
	v.Missing, v.back = missing, missing
	v.checkPlausible()
}

// setDiscarded reports what the sender says it discarded, instead of the jump.
// The sender's number settles the whole jump.
func (v *Verdict) setDiscarded(accounted Ranges, e *Entry) {
	v.Missing, v.Implausible = e.Missing, false
	if !e.DiscardsUnnumbered && e.Index > 0 {
		discarded := min(e.Missing, e.Index)
		v.Missing -= accounted.Count(e.Index-discarded, e.Index-1)
		v.back = max(v.back, discarded)
	}
	v.checkPlausible()
}

// checkPlausible accounts for nothing where the number cannot be right: the
// records in the hole may still come, and their own gaps count.
func (v *Verdict) checkPlausible() {
	if v.Missing > MaxMissing {
		v.Implausible, v.back = true, 0
	}
}

// mark returns the sets with the entry in them. It may change them.
func mark(accepted, accounted Ranges, e *Entry, v Verdict) (newAccepted, newAccounted Ranges) {
	if v.Duplicate {
		return accepted, accounted
	}
	accounted = accounted.AddRange(e.Index-v.back, e.Index+e.More)
	if !e.Unread {
		accepted = accepted.Add(e.Index)
	}
	return accepted, accounted
}

// ascending returns the positions of entries in the order of their index;
// equal ones stay in the order they came.
func ascending(entries []Entry) []int {
	order := make([]int, len(entries))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(entries[a].Index, entries[b].Index) })
	return order
}

// markAll marks entries as accepted. verdicts are those that Judge gave for them.
func (s *Session) markAll(entries []Entry, verdicts []Verdict) {
	if s.follows(entries) {
		for i := range entries {
			s.accepted, s.accounted = mark(s.accepted, s.accounted, &entries[i], verdicts[i])
		}
	} else {
		// In the order of the index the sets grow at their ends, which is cheap.
		for _, i := range ascending(entries) {
			s.accepted, s.accounted = mark(s.accepted, s.accounted, &entries[i], verdicts[i])
		}
	}
	if len(s.accepted) > s.maxRanges {
		s.accepted = s.accepted.trim(s.maxRanges)
		for _, run := range s.accepted { // the closed holes are accounted for as well
			s.accounted = s.accounted.AddRange(run.First, run.Last)
		}
	}
	s.accounted = s.accounted.trim(s.maxRanges)
	s.unsaved = true
}
