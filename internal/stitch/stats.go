// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

// Stats are the engine's counts.
type Stats struct {
	Open              [kinds]int // objects that are open or linger
	PendingEmit       int        // objects that the next consumer has not accepted yet
	CurrentlySetAside int        // pending objects that were set aside after repeated refusals
	Remembered        int        // emitted objects that are remembered
	Emitted           [kinds][outcomes]uint64
	Unclaimed         uint64 // objects with nothing but notes, which are not emitted
	Rejected          uint64 // objects that the next consumer refused with a permanent error
	Late              uint64 // records of objects that were final
	Evicted           uint64 // open objects that made room
	SetAside          uint64 // times an object was set aside
	ResumedSessions   uint64 // sessions with a record after they were declared over
	Forgotten         uint64 // emitted objects that made room before MaxOpen
	Restored          uint64 // objects, remembered ones included
	Dropped           uint64 // attributes that had no room
	Bytes             int    // memory of all facts
}

// Stats returns the counts.
func (e *Engine) Stats() Stats {
	s := e.stats
	for kind := range kinds {
		s.Open[kind] = e.counts[kind][open] + e.counts[kind][ended] + e.counts[kind][endedIndirectly]
		s.Remembered += e.counts[kind][emitted] + e.counts[kind][emittedWithMembers] + e.counts[kind][emittedRequest]
		s.CurrentlySetAside += e.counts[kind][setAside]
	}
	s.PendingEmit = e.CountPendingEmits()
	s.Bytes = e.arena.bytes()
	return s
}
