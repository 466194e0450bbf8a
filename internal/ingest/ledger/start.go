// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"math"
	"slices"
)

// Post is what a request says besides its records, and what follows from it.
type Post struct {
	// Identity of the bridge, as far as the request or its session ever said it.
	Identity Identity
	// Start of the session, if it is to be reported with this request.
	Start Start

	said Identity
}

// Start says that a session of a known bridge begins. See the package comment
// for what Previous promises.
type Start struct {
	// Begins: the start is to be reported, once for a session.
	Begins bool
	// Previous is the session that this one replaces; "" if several live sessions
	// share the bridge's name, so that nobody knows.
	Previous string
}

// Post completes what a request says of its bridge. The caller holds the
// session's lock.
func (l *Ledger) Post(s *Session, said Identity) Post {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Post{Identity: l.complete(s, said), Start: l.start(s, said.or(s.said)), said: said}
}

// start finds out whether the session's start is to be reported now: with its
// first records, or when its bridge becomes known later. A session that was heard
// since this one began is no predecessor. The caller holds l.mu.
func (l *Ledger) start(s *Session, id Identity) (start Start) {
	if s.announced || !id.Named() || s.posts > 1 && id == s.said {
		return start
	}
	begun := s.begun
	if s.Fresh() {
		begun = math.MaxUint64
	}
	var older []*Session
	l.peers(s, id, func(o *Session) bool {
		if o.begun < begun {
			older = append(older, o)
		}
		return true
	})
	if len(older) == 0 {
		return start
	}
	newest := slices.MaxFunc(older, func(a, b *Session) int { return cmp.Compare(a.begun, b.begun) })
	// A bridge that sends its id may leave it out of the first request: the
	// decision waits for the second one.
	incomplete := id.Bridge == "" && newest.said.Bridge != ""
	if again := !s.Fresh() && id == s.said; again != incomplete {
		return start
	}
	start.Begins = true
	if !sharedName(older, begun) {
		start.Previous = newest.id
	}
	return start
}

// sharedName tells whether any of the sessions was heard after a newer one of
// them, or the one that began at begun, had begun.
func sharedName(sessions []*Session, begun uint64) bool {
	return slices.ContainsFunc(sessions, func(s *Session) bool {
		return s.heard > begun || slices.ContainsFunc(sessions, func(o *Session) bool { return o.begun > s.begun && o.begun < s.heard })
	})
}

// Accepted is what followed from accepted records.
type Accepted struct {
	// Evicted sessions had to go.
	Evicted []string
	// Overlaps is a newer session of the same bridge that had begun before this
	// request came: the older one is alive, and two live sessions share a name.
	// It is "" otherwise, and reported once for a request.
	Overlaps string
}

// Accept marks entries as accepted: all of a request's, or a part, with the
// verdicts that Judge gave for them. post is what Post returned. The caller holds
// the session's lock.
func (l *Ledger) Accept(s *Session, post Post, entries []Entry, verdicts []Verdict) (out Accepted) {
	if len(entries) == 0 {
		return out
	}
	begins := s.Fresh()
	s.markAll(entries, verdicts)

	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now().Unix()
	l.ticks++
	if begins {
		s.begun = l.ticks
	}
	s.heard, s.heardAt = max(s.begun, s.arrived), now
	s.next, _ = s.Position()
	s.announced = s.announced || post.Start.Begins
	if id := post.said.or(s.said); begins || id != s.said {
		l.rename(s, id, now)
		out.Evicted = l.makeRoom(s, now)
	}
	if !s.counted {
		s.counted = true
		s.posts = min(s.posts+1, 2)
		out.Overlaps = l.overlaps(s)
	}
	return out
}

// overlaps returns a session of the same bridge that began after s did and
// before the request that is being accepted came; "" if there is none. The
// caller holds l.mu.
func (l *Ledger) overlaps(s *Session) (newer string) {
	l.peers(s, s.said, func(o *Session) bool {
		if o.begun > s.begun && o.begun < s.arrived {
			newer = o.id
		}
		return newer == ""
	})
	return newer
}
