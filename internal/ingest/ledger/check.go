// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"slices"
)

// MaxMissing is the largest plausible number of missing records in one gap. A Call Bridge
// makes about ten records for a call leg, so ten million are the records of a million
// legs. A larger number is a fault or a forgery and would make a counter useless.
const MaxMissing = 10_000_000

// Entry is one record as its sender numbered it.
type Entry struct {
	Index uint64
	// Following is how many records directly after Index the entry includes. It is 0
	// unless IsUnreadable.
	Following uint64
	// Discarded is how many records directly before this one the sender discarded, as
	// it reports.
	Discarded uint64
	// DiscardedHaveNoIndex reports that discarded records have no index, as with CMS's
	// recordIndex: Index does not jump over them.
	DiscardedHaveNoIndex bool
	// IsUnreadable reports that the record was received, but cannot be decoded. It is not
	// missing. A readable record with the same index is still new.
	IsUnreadable bool
}

// CheckResult is the result of an entry's check.
type CheckResult struct {
	// IsDuplicate reports that the index was accepted before, or that a readable entry with
	// the same index was checked before this one in the same request. It is never set for an
	// unreadable entry.
	IsDuplicate bool
	// Missing is how many records before this one are lost. Each gap is reported at one
	// entry only.
	Missing uint64
	// IsImplausible reports that Missing is above MaxMissing. Counters must leave it out.
	IsImplausible bool

	precedingIndices uint64 // number of indices directly before the entry; MarkAccepted adds them to accounted
}

// Check appends the result of each entry to results. It does not change the session: the
// same entries can be checked again after a failed delivery.
//
// A gap is where an index jumps. The number of missing records is the number that the
// sender reports, else the size of the jump, without the indices that are accepted or were
// reported before. The first index of a session can be any number, because the receiver
// may have been registered late: no record before it is missing, unless the sender reports
// discarded ones.
func (s *Session) Check(entries []Entry, results []CheckResult) []CheckResult {
	before := len(results)
	results = append(results, make([]CheckResult, len(entries))...)
	added := results[before:]

	if !s.areInOrder(entries) {
		// Check in the order of the index, on a copy of the sets: a record that follows
		// later in the same request is not missing.
		accepted, accounted := slices.Clone(s.accepted), slices.Clone(s.accounted)
		for _, i := range orderByIndex(entries) {
			added[i] = checkEntry(accepted, accounted, &entries[i])
			accepted, accounted = markEntry(accepted, accounted, &entries[i], added[i])
		}
		return results
	}
	last, known := s.accounted.Last()
	for i := range entries {
		if known {
			added[i].setIndexJump(entries[i].Index - last - 1)
		}
		last, known = entries[i].Index, true
	}
	return results
}

// areInOrder reports whether all entries are readable records with ascending indices, above
// all accounted ones, without discarded records.
func (s *Session) areInOrder(entries []Entry) bool {
	last, known := s.accounted.Last()
	for i := range entries {
		e := &entries[i]
		if known && e.Index <= last || e.Discarded > 0 || e.IsUnreadable {
			return false
		}
		last, known = e.Index, true
	}
	return true
}

func checkEntry(accepted, accounted Ranges, e *Entry) (result CheckResult) {
	if !e.IsUnreadable && accepted.Contains(e.Index) {
		result.IsDuplicate = true
		return result
	}
	before, known := accounted.Before(e.Index)
	if !known && len(accounted) > 0 {
		// The index is below the session's first one. The records before it, discarded ones
		// included, are older than the registration of the receiver and do not count as
		// missing.
		return result
	}
	// An accounted index is that of an unreadable record, or lies in a gap that was reported
	// before or that trim closed.
	if known && !accounted.Contains(e.Index) {
		result.setIndexJump(e.Index - before - 1)
	}
	if e.Discarded > 0 {
		result.setDiscarded(accounted, e)
	}
	return result
}

// setIndexJump reports the gap between two indices.
func (r *CheckResult) setIndexJump(missing uint64) {
	r.Missing, r.precedingIndices = missing, missing
	r.markImplausible()
}

// setDiscarded reports the sender's number of discarded records instead of the jump, and accounts
// for the whole jump if it is plausible.
func (r *CheckResult) setDiscarded(accounted Ranges, e *Entry) {
	r.Missing, r.IsImplausible = e.Discarded, false
	if !e.DiscardedHaveNoIndex && e.Index > 0 {
		numbered := min(e.Discarded, e.Index)
		r.Missing -= accounted.CountWithin(e.Index-numbered, e.Index-1)
		r.precedingIndices = max(r.precedingIndices, numbered)
	}
	r.markImplausible()
}

// markImplausible marks a result with more than MaxMissing missing records. It leaves
// their indices out of accounted: those records may still arrive, and a gap between them is
// then reported as any other.
func (r *CheckResult) markImplausible() {
	if r.Missing > MaxMissing {
		r.IsImplausible, r.precedingIndices = true, 0
	}
}

// markEntry returns both sets with the entry added. It may change the given ones.
func markEntry(accepted, accounted Ranges, e *Entry, result CheckResult) (newAccepted, newAccounted Ranges) {
	if result.IsDuplicate {
		return accepted, accounted
	}
	accounted = accounted.AddRange(e.Index-result.precedingIndices, e.Index+e.Following)
	if !e.IsUnreadable {
		accepted = accepted.Add(e.Index)
	}
	return accepted, accounted
}

// orderByIndex returns the positions of entries in the order of their index. Entries with
// the same index keep their order.
func orderByIndex(entries []Entry) []int {
	order := make([]int, len(entries))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(entries[a].Index, entries[b].Index) })
	return order
}

// markEntries marks entries as accepted, with the results of their check.
func (s *Session) markEntries(entries []Entry, results []CheckResult) {
	if s.areInOrder(entries) {
		for i := range entries {
			s.accepted, s.accounted = markEntry(s.accepted, s.accounted, &entries[i], results[i])
		}
	} else {
		// Ascending indices make the sets grow at their ends, which is cheap.
		for _, i := range orderByIndex(entries) {
			s.accepted, s.accounted = markEntry(s.accepted, s.accounted, &entries[i], results[i])
		}
	}
	if len(s.accepted) > s.maxRanges {
		s.accepted = s.accepted.trim(s.maxRanges)
		for _, interval := range s.accepted { // trim has joined ranges of accepted; the indices between them become accounted too
			s.accounted = s.accounted.AddRange(interval.First, interval.Last)
		}
	}
	s.accounted = s.accounted.trim(s.maxRanges)
	s.changed = true
}
