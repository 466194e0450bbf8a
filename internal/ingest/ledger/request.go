// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"math"
	"slices"
)

// RequestInfo is the identity that a request states, and its consequences.
type RequestInfo struct {
	// Identity of the bridge, as stated by the request or by its session before.
	Identity Identity
	// SessionStart reports whether this request reports the start of its session.
	SessionStart SessionStart

	statedIdentity Identity
}

// SessionStart says that a session of a known bridge begins. The package comment lists the
// guarantees to a consumer.
type SessionStart struct {
	// MustReport reports that this request has to report the start, once for each session.
	MustReport bool
	// PreviousSession is the session that this one replaces. It is "" if several live
	// sessions share the bridge's name, because the ledger cannot know it then.
	PreviousSession string
}

// BeginRequest completes the identity that a request states. The caller holds the
// session's lock.
func (l *Ledger) BeginRequest(s *Session, stated Identity) RequestInfo {
	l.mu.Lock()
	defer l.mu.Unlock()
	return RequestInfo{Identity: l.completeIdentity(s, stated), SessionStart: l.sessionStart(s, stated.completedBy(s.identity)), statedIdentity: stated}
}

// sessionStart reports whether this request reports the session's start: the first request
// with records, or the first one that names the bridge. A session that sent records since
// this one began is no predecessor. The caller holds l.mu.
func (l *Ledger) sessionStart(s *Session, identity Identity) (start SessionStart) {
	if s.startReported || !identity.Named() || s.requestCount > 1 && identity == s.identity {
		return start
	}
	startTick := s.startTick
	if s.IsNew() {
		startTick = math.MaxUint64
	}
	var olderSessions []*Session
	l.visitPeers(s, identity, func(o *Session) bool {
		if o.startTick < startTick {
			olderSessions = append(olderSessions, o)
		}
		return true
	})
	if len(olderSessions) == 0 {
		return start
	}
	newest := slices.MaxFunc(olderSessions, func(a, b *Session) int { return cmp.Compare(a.startTick, b.startTick) })
	// A bridge that sends its id may leave it out of the first request: the second
	// request decides.
	incomplete := identity.Bridge == "" && newest.identity.Bridge != ""
	if again := !s.IsNew() && identity == s.identity; again != incomplete {
		return start
	}
	start.MustReport = true
	if !isNameShared(olderSessions, startTick) {
		start.PreviousSession = newest.id
	}
	return start
}

// isNameShared reports whether one of the sessions sent records after a newer one began, or
// after startTick, the start of the newest.
func isNameShared(sessions []*Session, startTick uint64) bool {
	return slices.ContainsFunc(sessions, func(s *Session) bool {
		return s.lastHeardTick > startTick || slices.ContainsFunc(sessions, func(o *Session) bool { return o.startTick > s.startTick && o.startTick < s.lastHeardTick })
	})
}

// AcceptResult lists the consequences of accepted records.
type AcceptResult struct {
	// EvictedSessions are the ids of the sessions that the ledger evicted.
	EvictedSessions []string
	// OverlappingSession is a newer session of the same bridge that began before this
	// request arrived: both sessions are alive and share a name. It is "" if there is
	// none, and is reported once for each request.
	OverlappingSession string
}

// MarkAccepted marks all entries of a request, or a part of them, as accepted, with the
// results of their check. request is the result of BeginRequest. The caller holds the
// session's lock.
func (l *Ledger) MarkAccepted(s *Session, request RequestInfo, entries []Entry, results []CheckResult) (result AcceptResult) {
	if len(entries) == 0 {
		return result
	}
	isNew := s.IsNew()
	s.markEntries(entries, results)

	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now().Unix()
	l.tick++
	if isNew {
		s.startTick = l.tick
	}
	s.lastHeardTick, s.lastAcceptedAt = max(s.startTick, s.requestTick), now
	s.nextIndex, _ = s.NextIndex()
	s.startReported = s.startReported || request.SessionStart.MustReport
	if id := request.statedIdentity.completedBy(s.identity); isNew || id != s.identity {
		l.setIdentity(s, id, now)
		result.EvictedSessions = l.evictOverLimits(s, now)
	}
	if !s.requestCounted {
		s.requestCounted = true
		s.requestCount = min(s.requestCount+1, 2)
		result.OverlappingSession = l.overlappingSession(s)
	}
	return result
}

// overlappingSession returns a session of the same bridge that began after s and before
// the current request of s arrived, or "". The caller holds l.mu.
func (l *Ledger) overlappingSession(s *Session) (newer string) {
	l.visitPeers(s, s.identity, func(o *Session) bool {
		if o.startTick > s.startTick && o.startTick < s.requestTick {
			newer = o.id
		}
		return newer == ""
	})
	return newer
}
