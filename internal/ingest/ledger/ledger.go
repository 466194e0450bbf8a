// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"strings"
	"sync"
	"time"
)

// Ledger holds the sessions of all senders.
type Ledger struct {
	// Fingerprints of what was accepted without an index.
	Fingerprints Fingerprints

	limits Limits
	now    func() time.Time

	mu       sync.Mutex // guards everything below
	sessions map[string]*Session
	names    map[nameKey][]*Session // those with accepted records, by each of their names
	named    int                    // how many sessions with accepted records are named
	unnamed  int                    // and how many are not
	ticks    uint64                 // order of events, kept over restarts
	version1 uint64                 // how many sessions of version 1 were restored: their order
}

// New returns an empty ledger. now is its clock.
func New(limits Limits, now func() time.Time) *Ledger {
	return &Ledger{limits: limits, now: now, sessions: make(map[string]*Session), names: make(map[nameKey][]*Session)}
}

// Lock returns the session, new or known, for the caller alone until Unlock.
// It waits for the present holder, and gives up with ctx.
func (l *Ledger) Lock(ctx context.Context, id string) (*Session, error) {
	for ctx.Err() == nil {
		s, arrived := l.session(id)
		if err := s.acquire(ctx); err != nil {
			return nil, err
		}
		// It may have been evicted while we waited.
		l.mu.Lock()
		current := l.sessions[id] == s
		l.mu.Unlock()
		if current {
			s.arrived, s.counted = arrived, false
			return s, nil
		}
		<-s.lock
	}
	return nil, context.Cause(ctx)
}

// Unlock gives the session back. A session of which nothing was accepted is
// forgotten, so that questions alone leave no trace.
func (l *Ledger) Unlock(s *Session) {
	l.mu.Lock()
	if s.Fresh() && l.sessions[s.id] == s {
		delete(l.sessions, s.id)
	}
	l.mu.Unlock()
	<-s.lock
}

func (l *Ledger) session(id string) (s *Session, tick uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s = l.sessions[id]
	if s == nil {
		id = strings.Clone(id)
		s = &Session{id: id, lock: make(chan struct{}, 1), maxRanges: l.limits.Ranges}
		l.sessions[id] = s
	}
	l.ticks++
	return s, l.ticks
}

// Holds tells whether the session is in the ledger.
func (l *Ledger) Holds(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sessions[id] != nil
}
