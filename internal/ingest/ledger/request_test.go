// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stories are requests one after the other, and what is found out at each: the
// session, what it says of its bridge (callBridge/system_id), then "start" with
// the session that is replaced, and "overlaps" with the newer session.
var stories = map[string]string{
	"a bridge restarts": `
		s1 b/
		s2 b/   start s1
		s2 b/
		s3 b/   start s2
	`,
	"bridges have names of their own": `
		a1 a/
		b1 b/
		c1 /c
		d1 /d
		a2 a/   start a1
		c2 /c   start c1
	`,
	"who has no name follows nobody": `
		s1 /
		s2 /
	`,
	"two bridges share a system_id": `
		a1 /x
		b1 /x   start a1
		a1 /x   overlaps b1
		b1 /x
		a2 /x   start
		b1 /x   overlaps a2
		a2 /x
		b2 /x   start
		a2 /x   overlaps b2
	`,
	"a shared name is parted while both run": `
		a1 /x
		b1 /x   start a1
		a1 /x   overlaps b1
		b1 /y
		a1 /x
		b2 /y   start b1
		a2 /x   start a1
	`,
	"two bridges with one id": `
		a1 b/
		b1 b/   start a1
		a1 b/   overlaps b1
		c1 b/   start
	`,
	"the nodes of a cluster share a system_id": `
		a1 a/x
		b1 b/x
		c1 c/x
		a1 a/x
		b2 b/x  start b1
		c1 c/x
		a1 a/x
	`,
	"the first request leaves the bridge's id out": `
		s1 b/
		s2 /
		s2 b/   start s1
		s2 b/
		s3 b/   start s2
	`,
	"the first request leaves the bridge's id out and has a system_id": `
		s1 b/x
		s2 /x
		s2 b/x  start s1
	`,
	"a bridge leaves its cluster": `
		s1 b/x
		s2 /x
		s2 /x   start s1
		s2 /x
		s3 /x   start s2
	`,
	"a bridge joins a cluster at a restart": `
		s1 /x
		s2 b/x  start s1
	`,
	"a bridge joins a cluster while it runs": `
		s1 /x
		s1 b/x
		s2 b/x  start s1
	`,
	"the id is left out in the middle": `
		s1 b/
		s1 /
		s1 b/
		s2 b/   start s1
	`,
	"a system_id is added while a session runs": `
		s1 /
		s1 /
		s1 /x
		s2 /x   start s1
	`,
	"a system_id is added and another bridge has it": `
		a1 /
		b1 /x
		a1 /x   overlaps b1
		b1 /x
		a2 /x   start
	`,
	"a system_id is changed while a session runs": `
		s1 /x
		s1 /y
		s2 /y   start s1
		t1 /x
	`,
	"a stale session comes late": `
		s2 b/
		s1 b/   start s2
		s2 b/   overlaps s1
	`,
}

func TestStories(t *testing.T) {
	for name, story := range stories {
		t.Run(name, func(t *testing.T) {
			l := New(DefaultLimits, clock)
			for line := range strings.Lines(strings.TrimSpace(story)) {
				step := strings.Fields(line)
				bridge, system, _ := strings.Cut(step[1], "/")
				p, accepted := post(t, l, step[0], Identity{Bridge: bridge, System: system})
				var got []string
				if p.SessionStart.MustReport {
					got = append(got, "start", p.SessionStart.PreviousSession)
				}
				if accepted.OverlappingSession != "" {
					got = append(got, "overlaps", accepted.OverlappingSession)
				}
				assert.Equal(t, strings.Join(step[2:], " "), strings.TrimSpace(strings.Join(got, " ")), "%s", line)
				l = restored(t, l) // a restart in between changes nothing
			}
		})
	}
}

// restored returns a ledger with the stored state of another.
func restored(t *testing.T, l *Ledger) *Ledger {
	t.Helper()
	again := New(l.limits, l.now)
	for id, s := range l.sessions {
		require.NoError(t, again.Restore(id, l.Encode(s)))
	}
	return again
}

// A session whose delivery fails has not begun: its start is reported with the
// request that is accepted.
func TestStartIsReportedWhenAccepted(t *testing.T) {
	l := New(DefaultLimits, clock)
	begin(t, l, "s1", "b")
	for range 2 {
		s := locked(t, l, "s2")
		assert.Equal(t, SessionStart{MustReport: true, PreviousSession: "s1"}, l.BeginRequest(s, Identity{Bridge: "b"}).SessionStart)
		l.Unlock(s)
	}
	p, _ := post(t, l, "s2", Identity{Bridge: "b"})
	assert.True(t, p.SessionStart.MustReport)
}

// A request that was under way when the new session began says nothing of the
// life of the old one.
func TestRequestUnderWayIsNoOverlap(t *testing.T) {
	l := New(DefaultLimits, clock)
	begin(t, l, "s1", "b")
	late := locked(t, l, "s1")
	begin(t, l, "s2", "b")
	assert.Empty(t, accept(l, late, Identity{Bridge: "b"}, 1).OverlappingSession)
	l.Unlock(late)
	_, accepted := post(t, l, "s1", Identity{Bridge: "b"})
	assert.Equal(t, "s2", accepted.OverlappingSession)
}

// Pieces of one request are one request.
func TestPiecesOfARequest(t *testing.T) {
	l := New(DefaultLimits, clock)
	begin(t, l, "s1", "b")
	begin(t, l, "s2", "b")
	s := locked(t, l, "s1")
	entries := numbers(1, 2, 5, 6)
	p, verdicts := l.BeginRequest(s, Identity{Bridge: "b"}), s.Check(entries, nil)
	assert.Equal(t, "s2", l.MarkAccepted(s, p, entries[:1], verdicts[:1]).OverlappingSession)
	assert.Empty(t, l.MarkAccepted(s, p, entries[1:2], verdicts[1:2]).OverlappingSession)
	// The rest is refused and comes again.
	assert.Equal(t, []uint64{dup, dup, 2, 0}, shown(s.Check(entries, nil)))
	l.MarkAccepted(s, p, entries[2:], verdicts[2:])
	assert.Equal(t, []uint64{dup, dup, dup, dup}, shown(s.Check(entries, nil)))
	assert.Equal(t, Ranges{{0, 6}}, s.accounted)
}

// The identity that a session once sent holds for all its requests.
func TestIdentity(t *testing.T) {
	l := New(DefaultLimits, clock)
	f := func(id string, identity, want Identity) {
		t.Helper()
		p, _ := post(t, l, id, identity)
		assert.Equal(t, want, p.Identity, "%s", id)
		l = restored(t, l)
	}
	f("s1", Identity{}, Identity{})
	f("s1", Identity{Bridge: "b"}, Identity{Bridge: "b"})
	f("s1", Identity{}, Identity{Bridge: "b"})
	f("s1", Identity{System: "x"}, Identity{Bridge: "b", System: "x"})
	f("s1", Identity{}, Identity{Bridge: "b", System: "x"})
	f("s1", Identity{System: "y"}, Identity{Bridge: "b", System: "y"}) // the newest statement
	f("s1", Identity{}, Identity{Bridge: "b", System: "y"})
	// A session that left it out so far is of the bridge that its system always was.
	f("s2", Identity{System: "y"}, Identity{Bridge: "b", System: "y"})
	f("s2", Identity{Bridge: "c"}, Identity{Bridge: "c", System: "y"})
	f("s3", Identity{System: "y"}, Identity{System: "y"}) // it was two
	f("s4", Identity{}, Identity{})
	f("s5", Identity{System: "z"}, Identity{System: "z"})
}
