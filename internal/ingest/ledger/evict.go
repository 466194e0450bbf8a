// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"slices"
	"time"
)

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

// batch is the part of a limit that is dropped at once when it is exceeded, so
// that a flood of sessions pays for one look at all of them now and then.
const batch = 16

// makeRoom drops sessions until the limits hold again after s got a new
// identity. Locked ones stay: they are in use. The caller holds l.mu.
func (l *Ledger) makeRoom(s *Session, now int64) (evicted []string) {
	if !s.said.Named() {
		if excess := l.unnamed - l.limits.Unnamed; excess > 0 {
			return l.evict(evicted, l.candidates(false, now), excess+l.limits.Unnamed/batch)
		}
		return nil
	}
	var same []candidate
	for _, o := range l.names[s.primary()] {
		if o.primary() == s.primary() {
			same = append(same, candidate{session: o})
		}
	}
	evicted = l.evict(evicted, same, len(same)-l.limits.SessionsPerBridge)
	if excess := l.named - l.limits.Sessions; excess > 0 {
		evicted = l.evict(evicted, l.candidates(true, now), excess+l.limits.Sessions/batch)
	}
	return evicted
}

// primary is the name under which the session is counted.
func (s *Session) primary() nameKey {
	keys, _ := s.said.keys()
	return keys[0]
}

// candidate is a session that may have to go.
type candidate struct {
	session *Session
	// replaced: a newer session of the same bridge began, and this one was not
	// heard since.
	replaced bool
	// stale: it was silent for StaleAfter.
	stale bool
	// young is when its name was first known, 0 where that does not count.
	young int64
}

// candidates returns all named sessions, or all others. The caller holds l.mu.
func (l *Ledger) candidates(named bool, now int64) (all []candidate) {
	for _, s := range l.sessions {
		if s.begun == 0 || s.said.Named() != named {
			continue
		}
		c := candidate{session: s}
		if named {
			c.replaced = l.isReplaced(s)
			if c.stale = s.heardAt < now-int64(StaleAfter/time.Second); !c.stale {
				c.young = s.since
			}
		}
		all = append(all, c)
	}
	return all
}

// isReplaced tells whether a newer session of the same bridge began and s was not
// heard since. The caller holds l.mu.
func (l *Ledger) isReplaced(s *Session) bool {
	keys, n := s.said.keys()
	if s.said.either == "" {
		n = 1 // the primary name
	}
	for _, key := range keys[:n] {
		if slices.ContainsFunc(l.names[key], func(o *Session) bool { return o.begun > s.heard }) {
			return true
		}
	}
	return false
}

// compareCandidates orders candidates: the first to go first. One request alone
// does not push out a session that was heard again; of two such sessions the one
// goes that was silent for longer.
func compareCandidates(a, b candidate) int {
	return cmp.Or(
		compareBool(b.replaced, a.replaced),
		compareBool(b.stale, a.stale),
		cmp.Compare(b.young, a.young),
		compareBool(a.session.posts > 1, b.session.posts > 1),
		cmp.Compare(a.session.heard, b.session.heard),
	)
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// evict drops the first n of the candidates that nobody uses. The caller holds
// l.mu.
func (l *Ledger) evict(evicted []string, all []candidate, n int) []string {
	if n <= 0 {
		return evicted
	}
	slices.SortFunc(all, compareCandidates)
	for _, c := range all {
		if n == 0 {
			break
		}
		if len(c.session.lock) > 0 {
			continue
		}
		l.unname(c.session)
		delete(l.sessions, c.session.id)
		evicted = append(evicted, c.session.id)
		n--
	}
	return evicted
}
