// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEvictionOfOneBridge(t *testing.T) {
	l := New(Limits{Sessions: 9, SessionsPerBridge: 2, UnnamedSessions: 9, Ranges: 4}, clock)
	assert.Empty(t, begin(t, l, "a1", "a"))
	assert.Empty(t, begin(t, l, "a2", "a"))
	assert.Empty(t, begin(t, l, "b1", "b"))
	assert.Empty(t, begin(t, l, "a1", "a")) // heard again
	assert.Equal(t, []string{"a2"}, begin(t, l, "a3", "a"))
	assert.Equal(t, []string{"a3"}, begin(t, l, "a4", "a"), "one request does not push out what was heard twice")
	assert.Empty(t, begin(t, l, "a4", "a"))
	assert.Equal(t, []string{"a1"}, begin(t, l, "a5", "a"), "of two that were heard twice the one that is silent goes")
	assert.Equal(t, []string{"a4", "a5", "b1"}, held(l))
}

// Sessions of one system share its places, unless they name a bridge.
func TestEvictionOfOneSystem(t *testing.T) {
	l := New(Limits{Sessions: 9, SessionsPerBridge: 1, UnnamedSessions: 9, Ranges: 4}, clock)
	f := func(id string, identity Identity, want ...string) {
		t.Helper()
		_, accepted := post(t, l, id, identity)
		assert.Equal(t, want, accepted.EvictedSessions, "%s", id)
	}
	f("a1", Identity{Bridge: "a", System: "x"})
	f("b1", Identity{Bridge: "b", System: "x"})
	f("s1", Identity{System: "x"})
	f("s2", Identity{System: "x"}, "s1")
	f("s2", Identity{Bridge: "a", System: "x"}, "a1") // it names its bridge late
	assert.Equal(t, []string{"b1", "s2"}, held(l))
}

// Who has no name pushes out nobody who has one, however many sessions come.
func TestUnnamedSessionsLeaveNamedOnes(t *testing.T) {
	l := New(DefaultLimits, clock)
	for i := range 100 {
		begin(t, l, fmt.Sprint("bridge ", i), strconv.Itoa(i))
		_, _ = post(t, l, fmt.Sprint("system ", i), Identity{System: strconv.Itoa(i)})
	}
	begin(t, l, "unnamed and heard twice", "")
	begin(t, l, "unnamed and heard twice", "")
	for i := range 5 * DefaultLimits.UnnamedSessions {
		begin(t, l, fmt.Sprint("made up ", i), "")
	}
	for i := range 100 {
		require.True(t, l.Contains(fmt.Sprint("bridge ", i)))
		require.True(t, l.Contains(fmt.Sprint("system ", i)))
	}
	assert.True(t, l.Contains("unnamed and heard twice"))
	assert.Equal(t, 200, l.namedCount)
	assert.Greater(t, l.unnamedCount, DefaultLimits.UnnamedSessions-DefaultLimits.UnnamedSessions/evictionShare-1)
}

// Made-up names push out each other: who was there before them stays, until it
// was silent for a month.
func TestMadeUpNamesLeaveOlderOnes(t *testing.T) {
	limits := Limits{Sessions: 200, SessionsPerBridge: 8, UnnamedSessions: 9, Ranges: 4}
	now := clock()
	l := New(limits, func() time.Time { return now })
	for i := range 50 {
		begin(t, l, fmt.Sprint("old ", i), fmt.Sprint("bridge ", i))
	}
	now = now.Add(time.Hour)
	for i := range 20 {
		begin(t, l, fmt.Sprint("restarted ", i), fmt.Sprint("bridge ", i))
	}
	now = now.Add(time.Second)
	flood := func() {
		for i := range 1000 {
			for range 3 {
				begin(t, l, fmt.Sprint("made up ", i), fmt.Sprint("nobody ", i))
			}
		}
	}
	flood()
	for i := range 50 {
		newest := fmt.Sprint("old ", i)
		if i < 20 {
			newest = fmt.Sprint("restarted ", i)
		}
		require.True(t, l.Contains(newest), "%s", newest)
	}
	begin(t, l, "restarted 30", "bridge 30")
	flood()
	assert.True(t, l.Contains("restarted 30"), "a name is as old as its first session")
	assert.Greater(t, len(l.sessions), limits.Sessions-limits.Sessions/evictionShare-1)

	now = now.Add(StaleAfter + time.Hour)
	begin(t, l, "restarted 1", "bridge 1")
	flood()
	assert.True(t, l.Contains("restarted 1"))
	assert.False(t, l.Contains("restarted 2"), "a name that was silent for a month is nobody's")
}

func TestEvictedSessionsAreForgottenWhole(t *testing.T) {
	l := New(Limits{Sessions: 1, SessionsPerBridge: 1, UnnamedSessions: 1, Ranges: 4}, clock)
	begin(t, l, "a1", "a")
	assert.Equal(t, []string{"a1"}, begin(t, l, "b1", "b"))
	assert.Len(t, l.sessionsByName, 1, "names do not pile up")
	s := locked(t, l, "a1")
	assert.True(t, s.IsNew())
	assert.Empty(t, l.BeginRequest(s, Identity{Bridge: "a"}).SessionStart)
}

func TestLockedSessionsAreNeverEvicted(t *testing.T) {
	l := New(Limits{Sessions: 2, SessionsPerBridge: 2, UnnamedSessions: 2, Ranges: 4}, clock)
	begin(t, l, "s1", "b")
	begin(t, l, "s2", "b")
	first := locked(t, l, "s1")
	second := locked(t, l, "s2")
	assert.Empty(t, begin(t, l, "s3", "b"), "all others are in use")
	assert.Equal(t, []string{"s1", "s2", "s3"}, held(l))

	l.Unlock(second)
	assert.Equal(t, []string{"s2", "s3"}, begin(t, l, "s4", "b"), "the next one makes up for it")
	assert.Equal(t, []string{"s1", "s4"}, held(l))
	first.take(numbers(1)...)
	l.Unlock(first)
}

// Whatever happens, the limits hold as soon as nobody holds a lock.
func TestLimitsHold(t *testing.T) {
	limits := Limits{Sessions: 6, SessionsPerBridge: 2, UnnamedSessions: 3, Ranges: 4}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 5))
		l := New(limits, clock)
		known := map[string]bool{}
		for range 60 {
			number := random.Uint64N(30)
			id := strconv.FormatUint(number, 10)
			identity := Identity{Bridge: []string{"", "", "a", "b", "c"}[random.IntN(5)], System: []string{"", "x", "y"}[number%3]}
			s := locked(t, l, id)
			require.Equal(t, !known[id], s.IsNew(), "seed %d: session %s", seed, id)
			known[id] = true
			for _, gone := range accept(l, s, identity, random.Uint64N(9)).EvictedSessions {
				require.NotEqual(t, id, gone)
				require.True(t, known[gone], "seed %d: %s was evicted and is not held", seed, gone)
				delete(known, gone)
			}
			l.Unlock(s)
			checkLimits(t, l, limits)
			require.Len(t, l.sessions, len(known))
		}
	}
}

func checkLimits(t *testing.T, l *Ledger, limits Limits) {
	t.Helper()
	unnamed, indexed := 0, 0
	count := map[nameKey]int{}
	for _, s := range l.sessions {
		if !s.identity.Named() {
			unnamed++
			continue
		}
		count[s.primaryName()]++
		require.LessOrEqual(t, count[s.primaryName()], limits.SessionsPerBridge)
		keys, n := s.identity.keys()
		indexed += n
		for _, key := range keys[:n] {
			require.True(t, slices.Contains(l.sessionsByName[key], s))
		}
	}
	require.Equal(t, []int{len(l.sessions) - unnamed, unnamed}, []int{l.namedCount, l.unnamedCount})
	require.LessOrEqual(t, unnamed, limits.UnnamedSessions)
	require.LessOrEqual(t, len(l.sessions)-unnamed, limits.Sessions)
	for _, all := range l.sessionsByName {
		indexed -= len(all)
	}
	require.Zero(t, indexed, "no name keeps a session that is gone")
}

// A made-up session when all places are taken.
func BenchmarkBeginWhenFull(b *testing.B) {
	l := New(DefaultLimits, clock)
	n := 0
	begin := func() {
		n++
		s, err := l.Lock(b.Context(), strconv.Itoa(n))
		if err != nil {
			b.Fatal(err)
		}
		accept(l, s, Identity{Bridge: strconv.Itoa(n)}, 0)
		l.Unlock(s)
	}
	for range DefaultLimits.Sessions {
		begin()
	}
	for b.Loop() {
		begin()
	}
}
