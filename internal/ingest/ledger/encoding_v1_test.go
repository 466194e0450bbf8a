// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// restart returns a ledger with what is stored, in the order of ids.
func restart(t *testing.T, stored map[string][]byte, ids ...string) *Ledger {
	t.Helper()
	l := New(DefaultLimits, clock)
	for _, id := range ids {
		require.NoError(t, l.Restore(id, stored[id]))
	}
	return l
}

// A session that the first release stored stays older than the sessions that
// began since, however often the ledger is restored, and in whatever order.
func TestOrderOfVersion1(t *testing.T) {
	for name, storesAtStart := range map[string]bool{"stored at the start": true, "left as it is": false} {
		t.Run(name, func(t *testing.T) {
			stored := map[string][]byte{"a": golden(t, "session-v1.bin"), "old": golden(t, "session-v1.bin")}
			l := restart(t, stored, "a", "old")
			if storesAtStart {
				stored["old"] = l.Encode(l.sessions["old"])
			}
			post(t, l, "a", Identity{Bridge: goldenBridge})
			p, _ := post(t, l, "new", Identity{Bridge: goldenBridge})
			require.True(t, p.SessionStart.MustReport)
			for range 3 {
				stored["a"], stored["new"] = l.Encode(l.sessions["a"]), l.Encode(l.sessions["new"])
				l = restart(t, stored, "a", "new", "old")
				_, accepted := post(t, l, "new", Identity{Bridge: goldenBridge})
				assert.Empty(t, accepted.OverlappingSession, "nothing began after it")
			}
			p, accepted := post(t, l, "newest", Identity{Bridge: goldenBridge})
			assert.True(t, p.SessionStart.MustReport)
			assert.Empty(t, accepted.OverlappingSession)
		})
	}
}

func TestPreviousSessionIsTheNewest(t *testing.T) {
	stored := map[string][]byte{"old": golden(t, "session-v1.bin")}
	l := restart(t, stored, "old")
	post(t, l, "new", Identity{Bridge: goldenBridge})
	stored["new"] = l.Encode(l.sessions["new"])
	l = restart(t, stored, "new", "old")
	p, _ := post(t, l, "newest", Identity{Bridge: goldenBridge})
	assert.Equal(t, SessionStart{MustReport: true, PreviousSession: "new"}, p.SessionStart)
}

// The first release stored one name, which may be a bridge's id or what an
// operator calls it. It is followed under both and passed on as neither.
func TestNameOfVersion1(t *testing.T) {
	f := func(identity, want Identity, stays bool) {
		t.Helper()
		for _, again := range []bool{false, true} {
			l := restart(t, map[string][]byte{"s": golden(t, "session-v1.bin")}, "s")
			if again {
				stored := l.Encode(l.sessions["s"])
				l = restart(t, map[string][]byte{"s": stored}, "s")
				assert.Equal(t, stored, l.Encode(l.sessions["s"]))
			}
			p, _ := post(t, l, "s", identity)
			id := p.Identity
			id.bridgeOrSystem = ""
			assert.Equal(t, want, id)
			assert.Equal(t, stays, l.sessions["s"].identity.bridgeOrSystem != "")

			l = restart(t, map[string][]byte{"s": golden(t, "session-v1.bin")}, "s")
			p, _ = post(t, l, "next", identity)
			assert.Equal(t, identity.Bridge == goldenBridge || identity.System == goldenBridge, p.SessionStart == SessionStart{MustReport: true, PreviousSession: "s"})
		}
	}
	f(Identity{}, Identity{}, true)
	f(Identity{System: goldenBridge}, Identity{System: goldenBridge}, false)
	f(Identity{System: "cms1"}, Identity{System: "cms1"}, true)
	f(Identity{Bridge: goldenBridge}, Identity{Bridge: goldenBridge}, false)
	f(Identity{Bridge: goldenBridge, System: "cms1"}, Identity{Bridge: goldenBridge, System: "cms1"}, false)
	f(Identity{Bridge: "b", System: goldenBridge}, Identity{Bridge: "b", System: goldenBridge}, false)
}

func TestVersion1IsReplaced(t *testing.T) {
	for _, identity := range []Identity{{Bridge: goldenBridge}, {System: goldenBridge}} {
		l := restart(t, map[string][]byte{"s": golden(t, "session-v1.bin")}, "s")
		assert.False(t, l.isReplaced(l.sessions["s"]))
		post(t, l, "next", identity)
		assert.True(t, l.isReplaced(l.sessions["s"]), "%v", identity)
	}
}

// A request that does not say its stream is of the session's.
func TestStreamOfASession(t *testing.T) {
	l := New(DefaultLimits, clock)
	stream := Identity{System: "cms1", Numbering: "/0123456789abcdef"}
	post(t, l, "s", stream)
	p, _ := post(t, l, "s", Identity{System: "cms1"})
	assert.Equal(t, stream, p.Identity)
	p, _ = post(t, l, "next", stream)
	assert.Equal(t, SessionStart{MustReport: true, PreviousSession: "s"}, p.SessionStart)
}

func TestNewerStateIsRefused(t *testing.T) {
	for _, stored := range [][]byte{{3}, {255, 0, 0}} {
		require.ErrorIs(t, New(DefaultLimits, clock).Restore("s", stored), ErrNewer)
	}
	require.NotErrorIs(t, New(DefaultLimits, clock).Restore("s", []byte{2}), ErrNewer)
	require.NotErrorIs(t, New(DefaultLimits, clock).Restore("s", []byte{0, 1}), ErrNewer)
}
