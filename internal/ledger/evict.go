// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import "time"

// Limits bounds what a ledger holds.
type Limits struct {
	// Sessions that name a bridge or a system, together.
	Sessions int
	// SessionsPerBridge of one bridge id or, without one, of one system.
	SessionsPerBridge int
	// Unnamed sessions, which name neither.
	Unnamed int
	// Ranges of each of the two sets of a session.
	Ranges int
}

// DefaultLimits holds 64 MB at the very most, from senders that leave nothing
// but holes, and a few KB in practice.
var DefaultLimits = Limits{Sessions: 3072, SessionsPerBridge: 8, Unnamed: 1024, Ranges: 512}

// StaleAfter is how long a session can be silent before its name loses the
// right of the older one. A bridge without a meeting for a month is rare, and
// all that it loses is that what it sends again is taken again.
const StaleAfter = 30 * 24 * time.Hour

// makeRoom drops sessions until the limits hold again after s got a new
// identity. Locked ones stay: they are in use. The caller holds l.mu.
func (l *Ledger) makeRoom(s *Session, now int64) (evicted []string) {
	if !s.said.Named() {
		return l.evict(evicted, l.limits.Unnamed, isUnnamed, lessKnown)
	}
	evicted = l.evict(evicted, l.limits.SessionsPerBridge, func(o *Session) bool { return o.primary() == s.primary() }, lessKnown)
	stale := now - int64(StaleAfter/time.Second)
	return l.evict(evicted, l.limits.Sessions, isNamed, func(a, b *Session) bool { return l.lessEstablished(a, b, stale) })
}

func isNamed(s *Session) bool   { return s.said.Named() }
func isUnnamed(s *Session) bool { return !s.said.Named() && s.begun > 0 }

// primary is the name under which the session is counted.
func (s *Session) primary() nameKey {
	keys, _ := s.said.keys()
	return keys[0]
}

// lessKnown tells whether a goes before b: one request alone does not push out
// a session that was heard again; else the one that was silent for longer goes.
func lessKnown(a, b *Session) bool {
	if once := a.posts < 2; once != (b.posts < 2) {
		return once
	}
	return a.heard < b.heard
}

// lessEstablished tells whether a goes before b, as the package comment says.
func (l *Ledger) lessEstablished(a, b *Session, stale int64) bool {
	if replaced := l.isReplaced(a); replaced != l.isReplaced(b) {
		return replaced
	}
	if silent := a.heardAt < stale; silent != (b.heardAt < stale) {
		return silent
	}
	if a.since != b.since && a.heardAt >= stale {
		return a.since > b.since
	}
	return lessKnown(a, b)
}

// isReplaced tells whether a newer session of the same bridge began and this one
// was not heard since.
func (l *Ledger) isReplaced(s *Session) bool {
	for _, o := range l.names[s.primary()] {
		if o.begun > s.heard {
			return true
		}
	}
	return false
}

// evict drops sessions that match, the first by less first, until at most limit
// of them are left. The caller holds l.mu.
func (l *Ledger) evict(evicted []string, limit int, match func(*Session) bool, less func(a, b *Session) bool) []string {
	count := 0
	for _, s := range l.sessions {
		if match(s) {
			count++
		}
	}
	for ; count > limit; count-- {
		var first *Session
		for _, s := range l.sessions {
			if match(s) && len(s.lock) == 0 && (first == nil || less(s, first)) {
				first = s
			}
		}
		if first == nil {
			break
		}
		l.unname(first)
		delete(l.sessions, first.id)
		evicted = append(evicted, first.id)
	}
	return evicted
}
