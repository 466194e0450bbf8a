// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"math"
)

// Session is the state of one run of a sender.
type Session struct {
	id        string
	maxRanges int
	lock      chan struct{} // holds one token while locked

	// Guarded by the lock. See the package comment for the two sets.
	accepted       Ranges
	accounted      Ranges
	changed        bool
	requestTick    uint64 // tick at which the current request arrived
	requestCounted bool   // requestCount includes the current request
	startReported  bool   // the start of the session was reported

	// Guarded by Ledger.mu and written by the holder of the lock only.
	identity       Identity
	isIndexed      bool   // it is in sessionsByName
	startTick      uint64 // tick of the first accepted record, 0 before
	lastHeardTick  uint64 // tick at which the last request with an accepted record arrived, at least startTick
	namedSince     int64  // when the ledger first had the bridge's name, in Unix seconds
	lastAcceptedAt int64  // time of the last accepted record, in Unix seconds
	nextIndex      uint64 // Position after the last accepted record, 0 for none
	requestCount   int    // requests with accepted records, at most 2
}

// lockOrWait takes the lock, or waits for it until ctx ends. It takes a free lock even after
// the end of ctx: only the holder may remove a session, and a new session without a holder
// would stay.
func (s *Session) lockOrWait(ctx context.Context) error {
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

// IsNew reports that no record of the session was accepted before.
func (s *Session) IsNew() bool { return len(s.accounted) == 0 }

// NextIndex returns the index after the highest accounted one: accepted, quarantined or
// reported missing. ok is false for a session without indices. The caller holds the
// session's lock.
func (s *Session) NextIndex() (position uint64, ok bool) {
	last, ok := s.accounted.Last()
	if !ok || last == math.MaxUint64 {
		return 0, false
	}
	return last + 1, true
}

// HasChanges reports whether the session changed since MarkStored.
func (s *Session) HasChanges() bool { return s.changed }

// MarkStored marks the session's state as stored.
func (s *Session) MarkStored() { s.changed = false }
