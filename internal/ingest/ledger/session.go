// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"math"
)

// Session is what the ledger holds of one run of a sender.
type Session struct {
	id        string
	maxRanges int
	lock      chan struct{} // holds one token while locked

	// Guarded by the lock. See the package comment for the two sets.
	accepted  Ranges
	accounted Ranges
	unsaved   bool
	arrived   uint64 // the tick at which the holder's request came
	counted   bool   // the holder's request is in posts
	announced bool   // its start was reported

	// Guarded by Ledger.mu and written by the holder of the lock only.
	said    Identity
	indexed bool   // it is counted, and found by its names
	begun   uint64 // the tick at which its first record was accepted
	heard   uint64 // the tick at which the last request with an accepted record came, begun at least
	since   int64  // when its bridge's name was first known, in Unix seconds
	heardAt int64  // when the last record was accepted, in Unix seconds
	next    uint64 // what Position returned when records were accepted last, 0 for none
	posts   int    // requests with accepted records: 0, 1, or 2 for more
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

// Fresh tells whether nothing of the session was accepted so far.
func (s *Session) Fresh() bool { return len(s.accounted) == 0 }

// Position is the index behind the highest that is accounted for: accepted, in
// quarantine or reported missing. ok is false for a session without numbers. The
// caller holds the session's lock.
func (s *Session) Position() (position uint64, ok bool) {
	last, ok := s.accounted.Last()
	if !ok || last == math.MaxUint64 {
		return 0, false
	}
	return last + 1, true
}

// Unsaved tells whether the session changed since MarkSaved was called.
func (s *Session) Unsaved() bool { return s.unsaved }

// MarkSaved says that the session's state is stored.
func (s *Session) MarkSaved() { s.unsaved = false }
