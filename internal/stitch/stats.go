// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

// Stats counts.
type Stats struct {
	Open              [kinds]int // objects that are open or wait for late records
	PendingEmit       int        // not yet taken by the next consumer
	CurrentlySetAside int        // of those, set aside: they were refused again and again
	Remembered        int        // emitted
	Emitted           [kinds][outcomes]uint64
	Unclaimed         uint64 // of which only notes were seen; they are not emitted
	Rejected          uint64 // refused for good
	Late              uint64 // records of objects that were owed or emitted
	Evicted           uint64 // open ones that had to go
	SetAside          uint64 // times an object was set aside
	ResumedSessions   uint64 // senders' sessions that were heard of after they had been declared over
	Forgotten         uint64 // emitted ones that had to go before their time
	Restored          uint64 // objects, remembered ones included
	Dropped           uint64 // attributes that found no room
	Bytes             int    // what objects say, in memory
}

// Stats returns the counts.
func (e *Engine) Stats() Stats {
	s := e.stats
	for kind := range kinds {
		s.Open[kind] = e.counts[kind][open] + e.counts[kind][ended] + e.counts[kind][endedIndirectly]
		s.Remembered += e.counts[kind][emitted] + e.counts[kind][emittedHolder] + e.counts[kind][emittedRequest]
		s.CurrentlySetAside += e.counts[kind][setAside]
	}
	s.PendingEmit = e.CountPendingEmits()
	s.Bytes = e.arena.bytes()
	return s
}
