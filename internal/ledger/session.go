// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"context"
	"slices"
)

// Entry is one record as its sender numbered it.
type Entry struct {
	Index uint64
	// Missing is how many records directly before this one the sender says it
	// discarded.
	Missing uint64
	// Unnumbered says that discarded records have no index of their own, as
	// with CMS's recordIndex: Index does not jump over them.
	Unnumbered bool
}

// Verdict is what the ledger says of an entry.
type Verdict struct {
	// Duplicate: the record was accepted before, or stands twice in the batch.
	Duplicate bool
	// Missing is how many records before this one will never come. It is
	// counted at one entry only.
	Missing uint64
}

// Session is what is known of one run of a sender.
//
//	accepted   [0 ─────── 66]      [180]        holes: lost records
//	             duplicate   └ 113 ┘  └ next expected: 181
type Session struct {
	id     string
	bridge string
	used   uint64 // the ledger's tick of the last lock

	accepted  Ranges
	unsaved   bool
	maxRanges int

	lock chan struct{} // holds one token while locked
}

// acquire takes the lock. A free one is taken whatever became of ctx: only the
// holder may forget a session, and a new one that nobody held would stay.
func (s *Session) acquire(ctx context.Context) error {
	select {
	case s.lock <- struct{}{}:
		return nil
	default:
	}
	select {
	case s.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ID returns the session's id.
func (s *Session) ID() string { return s.id }

// Bridge returns the name of the bridge the session belongs to, "" if unknown.
func (s *Session) Bridge() string { return s.bridge }

// Fresh tells whether nothing of the session was accepted so far.
func (s *Session) Fresh() bool { return len(s.accepted) == 0 }

// Unsaved tells whether the session changed since Saved was called.
func (s *Session) Unsaved() bool { return s.unsaved }

// Saved notes that the session's state is stored.
func (s *Session) Saved() { s.unsaved = false }

// Judge returns a verdict for each entry, appended to verdicts. It changes
// nothing: the same entries can be judged again after a failed delivery.
//
// A gap is found where an index jumps. How much is missing is what the sender
// says, else the size of the jump; records the ledger has are not missing,
// whoever delivered them. The first index of a session may be anything: the
// receiver was registered late.
func (s *Session) Judge(entries []Entry, verdicts []Verdict) []Verdict {
	base := len(verdicts)
	verdicts = append(verdicts, make([]Verdict, len(entries))...)
	out := verdicts[base:]

	accepted := s.accepted
	if !s.follows(entries) {
		// Out of order or partly known: judge in the order of the index on a
		// copy, so that a record is not reported missing that comes later in
		// the same batch.
		accepted = slices.Clone(accepted)
		for _, i := range ascending(entries) {
			out[i] = judge(accepted, entries[i])
			accepted = accepted.Add(entries[i].Index)
		}
		return verdicts
	}
	last, known := accepted.Last()
	for i, e := range entries {
		switch {
		case e.Missing > 0:
			out[i].Missing = e.Missing - have(s.accepted, e)
		case known:
			out[i].Missing = e.Index - last - 1
		}
		last, known = e.Index, true
	}
	return verdicts
}

// follows tells whether all entries lie behind what was accepted, in order,
// and what the sender says it discarded does not reach back into the batch.
func (s *Session) follows(entries []Entry) bool {
	last, known := s.accepted.Last()
	for i, e := range entries {
		if known && e.Index <= last || i > 0 && e.Missing > 0 {
			return false
		}
		last, known = e.Index, true
	}
	return true
}

// have counts the records before e that its sender calls discarded and that
// are there all the same, because they came another way.
func have(accepted Ranges, e Entry) uint64 {
	if e.Index == 0 || e.Unnumbered {
		return 0
	}
	return accepted.Count(e.Index-min(e.Missing, e.Index), e.Index-1)
}

func judge(accepted Ranges, e Entry) (v Verdict) {
	if accepted.Contains(e.Index) {
		v.Duplicate = true
		return v
	}
	last, known := accepted.Last()
	switch {
	case known && e.Index < last:
		// It fills a hole that was reported when it opened.
	case e.Missing > 0:
		v.Missing = e.Missing - have(accepted, e)
	case known:
		v.Missing = e.Index - last - 1
	}
	return v
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

// Accept notes the entries as accepted.
func (s *Session) Accept(entries []Entry) {
	if len(entries) == 0 {
		return
	}
	if s.follows(entries) {
		for _, e := range entries {
			s.accepted = s.accepted.Add(e.Index)
		}
	} else {
		// In the order of the index the set grows at its end, which is cheap.
		for _, i := range ascending(entries) {
			s.accepted = s.accepted.Add(entries[i].Index)
		}
	}
	s.accepted = s.accepted.trim(s.maxRanges)
	s.unsaved = true
}
