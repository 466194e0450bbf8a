// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
)

// Limits bounds what a ledger holds.
type Limits struct {
	// Sessions of all bridges together.
	Sessions int
	// SessionsPerBridge of one named bridge.
	SessionsPerBridge int
	// Ranges of one session.
	Ranges int
}

// DefaultLimits holds 64 MB at the very most, from senders that leave nothing
// but holes, and a few KB in practice.
var DefaultLimits = Limits{Sessions: 4096, SessionsPerBridge: 8, Ranges: 1024}

// Ledger holds the sessions of all senders.
type Ledger struct {
	// Fingerprints of what was accepted without an index.
	Fingerprints Fingerprints

	limits Limits

	mu       sync.Mutex // guards everything below
	sessions map[string]*Session
	ticks    uint64
	bridges  map[string]string // newest session of each named bridge
}

// New returns an empty ledger.
func New(limits Limits) *Ledger {
	return &Ledger{limits: limits, sessions: make(map[string]*Session), bridges: make(map[string]string)}
}

// Lock returns the session, new or known, for the caller alone until Unlock.
// It waits for the present holder, and gives up with ctx.
func (l *Ledger) Lock(ctx context.Context, id, bridge string) (*Session, error) {
	for ctx.Err() == nil {
		s := l.session(id, bridge)
		if err := s.acquire(ctx); err != nil {
			return nil, err
		}
		// It may have been evicted while we waited.
		l.mu.Lock()
		current := l.sessions[id] == s
		l.mu.Unlock()
		if current {
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

func (l *Ledger) session(id, bridge string) *Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sessions[id]
	if s == nil {
		s = &Session{id: id, bridge: bridge, lock: make(chan struct{}, 1), maxRanges: l.limits.Ranges}
		l.sessions[strings.Clone(id)] = s
		s.id, s.bridge = strings.Clone(id), strings.Clone(bridge)
	}
	l.ticks++
	s.used = l.ticks
	return s
}

// Holds tells whether the session is in the ledger.
func (l *Ledger) Holds(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sessions[id] != nil
}

// Previous returns the session that a fresh session of a named bridge follows,
// "" if it follows none.
func (l *Ledger) Previous(s *Session) string {
	if s.bridge == "" || !s.Fresh() {
		return ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bridges[s.bridge]
}

// Begin notes that the session is its bridge's newest one, if its first record
// was just accepted, and returns the sessions that had to go for it. The caller
// holds the session's lock.
func (l *Ledger) Begin(s *Session) (evicted []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.bridge != "" {
		l.bridges[s.bridge] = s.id
		evicted = l.evict(evicted, l.limits.SessionsPerBridge, func(o *Session) bool { return o.bridge == s.bridge })
	}
	return l.evict(evicted, l.limits.Sessions, func(*Session) bool { return true })
}

// evict drops the least recently used of the sessions that match until at most
// limit of them are left. Locked ones stay: they are in use.
func (l *Ledger) evict(evicted []string, limit int, match func(*Session) bool) []string {
	var candidates []*Session
	for _, s := range l.sessions {
		if match(s) {
			candidates = append(candidates, s)
		}
	}
	excess := len(candidates) - limit
	if excess <= 0 {
		return evicted
	}
	slices.SortFunc(candidates, func(a, b *Session) int { return cmp.Compare(a.used, b.used) })
	for _, s := range candidates {
		if excess == 0 {
			break
		}
		if len(s.lock) > 0 {
			continue
		}
		delete(l.sessions, s.id)
		if l.bridges[s.bridge] == s.id {
			delete(l.bridges, s.bridge)
		}
		evicted = append(evicted, s.id)
		excess--
	}
	return evicted
}
