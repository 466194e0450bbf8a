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
	// ContentHashes of accepted parts without an index.
	ContentHashes ContentHashes

	limits Limits
	now    func() time.Time

	mu             sync.Mutex // guards everything below
	sessions       map[string]*Session
	sessionsByName map[nameKey][]*Session // sessions with accepted records, by each of their names
	namedCount     int                    // named sessions with accepted records
	unnamedCount   int                    // other sessions with accepted records
	tick           uint64                 // logical clock, kept over restarts
	version1Count  uint64                 // restored sessions of version 1; gives them an order
}

// New returns an empty ledger. now is its clock.
func New(limits Limits, now func() time.Time) *Ledger {
	return &Ledger{limits: limits, now: now, sessions: make(map[string]*Session), sessionsByName: make(map[nameKey][]*Session)}
}

// Lock returns the session with this id, new or known, and locks it until Unlock. It waits
// for the current holder until ctx ends.
func (l *Ledger) Lock(ctx context.Context, id string) (*Session, error) {
	for ctx.Err() == nil {
		s, arrived := l.getOrAddSession(id)
		if err := s.lockOrWait(ctx); err != nil {
			return nil, err
		}
		// Another request may have evicted it during the wait.
		l.mu.Lock()
		current := l.sessions[id] == s
		l.mu.Unlock()
		if current {
			s.requestTick, s.requestCounted = arrived, false
			return s, nil
		}
		<-s.lock
	}
	return nil, context.Cause(ctx)
}

// Unlock unlocks the session. It removes a session without accepted records, so that
// checks alone need no memory.
func (l *Ledger) Unlock(s *Session) {
	l.mu.Lock()
	if s.IsNew() && l.sessions[s.id] == s {
		delete(l.sessions, s.id)
	}
	l.mu.Unlock()
	<-s.lock
}

func (l *Ledger) getOrAddSession(id string) (s *Session, tick uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s = l.sessions[id]
	if s == nil {
		id = strings.Clone(id)
		s = &Session{id: id, lock: make(chan struct{}, 1), maxRanges: l.limits.Ranges}
		l.sessions[id] = s
	}
	l.tick++
	return s, l.tick
}

// Contains reports whether the session is in the ledger.
func (l *Ledger) Contains(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sessions[id] != nil
}
