// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"slices"
	"time"
)

// Limits bounds the sessions and ranges that a ledger holds.
type Limits struct {
	// Sessions bounds all sessions that name a bridge or a system.
	Sessions int
	// SessionsPerBridge bounds the sessions of one bridge id or, without one, of one system.
	SessionsPerBridge int
	// UnnamedSessions bounds the sessions that name neither.
	UnnamedSessions int
	// Ranges bounds each of the two sets of a session.
	Ranges int
}

// DefaultLimits bound the memory to 64 MB, for senders that leave only gaps. In practice a
// ledger needs a few KB.
var DefaultLimits = Limits{Sessions: 3072, SessionsPerBridge: 8, UnnamedSessions: 1024, Ranges: 512}

// StaleAfter is how long a session can send nothing before it loses its precedence over
// sessions of newer names. A bridge without a meeting for a month is rare, and its eviction
// has one consequence: the receiver accepts repeated records again.
const StaleAfter = 30 * 24 * time.Hour

// evictionShare is the share of a limit (1/16) that the ledger evicts at once, because each
// eviction examines all sessions.
const evictionShare = 16

// evictOverLimits evicts sessions above the limits after s got a new identity. It never
// evicts locked ones. The caller holds l.mu.
func (l *Ledger) evictOverLimits(s *Session, now int64) (evicted []string) {
	if !s.identity.Named() {
		if excess := l.unnamedCount - l.limits.UnnamedSessions; excess > 0 {
			return l.evictFirst(evicted, l.evictionCandidates(false, now), excess+l.limits.UnnamedSessions/evictionShare)
		}
		return nil
	}
	var sameBridge []candidate
	for _, o := range l.sessionsByName[s.primaryName()] {
		if o.primaryName() == s.primaryName() {
			sameBridge = append(sameBridge, candidate{session: o})
		}
	}
	evicted = l.evictFirst(evicted, sameBridge, len(sameBridge)-l.limits.SessionsPerBridge)
	if excess := l.namedCount - l.limits.Sessions; excess > 0 {
		evicted = l.evictFirst(evicted, l.evictionCandidates(true, now), excess+l.limits.Sessions/evictionShare)
	}
	return evicted
}

// primaryName is the name whose sessions SessionsPerBridge bounds.
func (s *Session) primaryName() nameKey {
	keys, _ := s.identity.keys()
	return keys[0]
}

// candidate is a session that the ledger may evict.
type candidate struct {
	session *Session
	// isReplaced reports that a newer session of the same bridge began, and this one sent
	// nothing since.
	isReplaced bool
	// isStale reports that it sent nothing for StaleAfter.
	isStale bool
	// namedSince is when its name was first known, 0 if it is stale or unnamed.
	namedSince int64
}

// evictionCandidates returns all named sessions, or all unnamed ones. The caller holds l.mu.
func (l *Ledger) evictionCandidates(named bool, now int64) (all []candidate) {
	for _, s := range l.sessions {
		if s.startTick == 0 || s.identity.Named() != named {
			continue
		}
		c := candidate{session: s}
		if named {
			c.isReplaced = l.isReplaced(s)
			if c.isStale = s.lastAcceptedAt < now-int64(StaleAfter/time.Second); !c.isStale {
				c.namedSince = s.namedSince
			}
		}
		all = append(all, c)
	}
	return all
}

// isReplaced reports whether a newer session of the same bridge began and s sent nothing
// since. The caller holds l.mu.
func (l *Ledger) isReplaced(s *Session) bool {
	keys, n := s.identity.keys()
	if s.identity.bridgeOrSystem == "" {
		n = 1 // the primary name
	}
	for _, key := range keys[:n] {
		if slices.ContainsFunc(l.sessionsByName[key], func(o *Session) bool { return o.startTick > s.lastHeardTick }) {
			return true
		}
	}
	return false
}

// compareCandidates orders candidates by the order of their eviction. Sessions of one
// request come before sessions of several, then the one that sent nothing for longest.
func compareCandidates(a, b candidate) int {
	return cmp.Or(
		compareBool(b.isReplaced, a.isReplaced),
		compareBool(b.isStale, a.isStale),
		cmp.Compare(b.namedSince, a.namedSince),
		compareBool(a.session.requestCount > 1, b.session.requestCount > 1),
		cmp.Compare(a.session.lastHeardTick, b.session.lastHeardTick),
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

// evictFirst evicts the first n candidates that are not locked. The caller holds l.mu.
func (l *Ledger) evictFirst(evicted []string, all []candidate, n int) []string {
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
		l.removeFromNames(c.session)
		delete(l.sessions, c.session.id)
		evicted = append(evicted, c.session.id)
		n--
	}
	return evicted
}
