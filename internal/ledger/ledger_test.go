// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// begin accepts a first record of a session and returns what had to go for it.
func begin(t *testing.T, l *Ledger, id, bridge string) (evicted []string) {
	t.Helper()
	s := locked(t, l, id, bridge)
	defer l.Unlock(s)
	s.Accept(numbers(0))
	return l.Begin(s)
}

func held(l *Ledger) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.sessions))
}

func TestLockIsExclusive(t *testing.T) {
	const workers, turns = 8, 50
	l := New(DefaultLimits)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for range turns {
				s, err := l.Lock(t.Context(), "s", "b")
				if !assert.NoError(t, err) {
					return
				}
				// Without the lock two workers would take the same index, and
				// the race detector would see them do it.
				last, _ := s.accepted.Last()
				next := numbers(last + 1)
				assert.Equal(t, []uint64{0}, shown(s.Judge(next, nil)))
				s.Accept(next)
				l.Unlock(s)
			}
		})
	}
	group.Wait()
	assert.Equal(t, Ranges{{1, workers * turns}}, locked(t, l, "s", "b").accepted)
}

// A question that is not followed by an acceptance leaves a session fresh: it
// is forgotten under the feet of those who wait for it.
func TestLockOfForgottenSessionsIsExclusive(t *testing.T) {
	l := New(DefaultLimits)
	var (
		group  sync.WaitGroup
		inside int
	)
	for range 8 {
		group.Go(func() {
			for range 200 {
				s, err := l.Lock(t.Context(), "s", "b")
				if !assert.NoError(t, err) {
					return
				}
				inside++ // guarded by the session's lock, if that holds
				assert.Equal(t, 1, inside)
				inside--
				l.Unlock(s)
			}
		})
	}
	group.Wait()
	assert.Empty(t, held(l), "questions alone leave no trace")
}

func TestOtherSessionsDoNotWait(t *testing.T) {
	l := New(DefaultLimits)
	first := locked(t, l, "a", "b")
	second := locked(t, l, "c", "b")
	assert.NotSame(t, first, second)
}

// A resend that overtakes its own first try waits for its outcome.
func TestConcurrentResendWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(DefaultLimits)
		batch := through(0, 9)
		first := locked(t, l, "s", "b")
		require.NotContains(t, shown(first.Judge(batch, nil)), dup)

		var resend []Verdict
		go func() {
			s, err := l.Lock(t.Context(), "s", "b")
			if assert.NoError(t, err) {
				resend = s.Judge(batch, nil)
				l.Unlock(s)
			}
		}()
		synctest.Wait()
		require.Nil(t, resend, "the resend was judged while the first try was under way")

		first.Accept(batch)
		l.Unlock(first)
		synctest.Wait()
		require.Len(t, resend, len(batch))
		for _, v := range resend {
			assert.True(t, v.Duplicate)
		}
	})
}

// If the first try fails, the resend that waited for it is new.
func TestConcurrentResendOfAFailedTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(DefaultLimits)
		first := locked(t, l, "s", "b")
		go func() {
			s, err := l.Lock(t.Context(), "s", "b")
			if assert.NoError(t, err) {
				assert.Equal(t, []uint64{0}, shown(s.Judge(numbers(7), nil)))
				s.Accept(numbers(7))
				l.Unlock(s)
			}
		}()
		synctest.Wait()
		l.Unlock(first)
		synctest.Wait()
		assert.Equal(t, []uint64{dup}, shown(locked(t, l, "s", "b").Judge(numbers(7), nil)))
	})
}

func TestLockGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(DefaultLimits)
		holder := locked(t, l, "s", "b")
		why := errors.New("the client went away")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, why)
		defer cancel()
		_, err := l.Lock(ctx, "s", "b")
		require.ErrorIs(t, err, why)

		holder.Accept(numbers(1))
		l.Unlock(holder)
		again := locked(t, l, "s", "b")
		assert.Same(t, holder, again, "who gave up took nothing away")
	})
}

// A client that is gone before it is served leaves no session behind.
func TestLockWithADeadContextLeavesNothing(t *testing.T) {
	l := New(DefaultLimits)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range 100 {
		_, err := l.Lock(ctx, strconv.Itoa(i), "b")
		require.ErrorIs(t, err, context.Canceled)
	}
	assert.Empty(t, held(l))
}

func TestUnlockForgetsFreshSessions(t *testing.T) {
	l := New(DefaultLimits)
	s := locked(t, l, "s", "b")
	s.Judge(numbers(1), nil)
	l.Unlock(s)
	assert.Empty(t, held(l))
	begin(t, l, "s", "b")
	l.Unlock(locked(t, l, "s", "b"))
	assert.Equal(t, []string{"s"}, held(l))
}

func TestPrevious(t *testing.T) {
	l := New(DefaultLimits)
	f := func(id, bridge, want string) {
		t.Helper()
		s := locked(t, l, id, bridge)
		defer l.Unlock(s)
		assert.Equal(t, want, l.Previous(s), "%s of %q", id, bridge)
		s.Accept(numbers(0))
		assert.Empty(t, l.Previous(s), "a session that has begun follows none")
		l.Begin(s)
	}
	f("s1", "b", "")
	f("s2", "b", "s1")
	f("s1", "b", "") // an old one goes on
	f("s3", "b", "s1")
	f("x1", "other", "")
	f("u1", "", "")
	f("u2", "", "") // nobody knows whether one unnamed bridge is another's
}

// A session that is only asked about, or whose delivery fails, is not the
// bridge's newest one.
func TestPreviousChangesWithBeginOnly(t *testing.T) {
	l := New(DefaultLimits)
	begin(t, l, "s1", "b")
	s2 := locked(t, l, "s2", "b")
	assert.Equal(t, "s1", l.Previous(s2))
	l.Unlock(s2)
	s2 = locked(t, l, "s2", "b")
	assert.Equal(t, "s1", l.Previous(s2))
	l.Unlock(s2)
}

func TestEvictionTakesTheLeastRecentlyUsed(t *testing.T) {
	l := New(Limits{Sessions: 5, SessionsPerBridge: 2, Ranges: 4})
	assert.Empty(t, begin(t, l, "a1", "a"))
	assert.Empty(t, begin(t, l, "a2", "a"))
	assert.Empty(t, begin(t, l, "b1", "b"))
	l.Unlock(locked(t, l, "a1", "a")) // used again
	assert.Equal(t, []string{"a2"}, begin(t, l, "a3", "a"), "the limit of one bridge")
	assert.Equal(t, []string{"a1", "a3", "b1"}, held(l))

	assert.Empty(t, begin(t, l, "u1", ""))
	assert.Empty(t, begin(t, l, "u2", ""))
	assert.Equal(t, []string{"b1"}, begin(t, l, "u3", ""), "the limit of all")
	assert.Equal(t, []string{"a1", "a3", "u1", "u2", "u3"}, held(l))
}

func TestEvictedSessionsAreForgottenWhole(t *testing.T) {
	l := New(Limits{Sessions: 1, SessionsPerBridge: 1, Ranges: 4})
	begin(t, l, "a1", "a")
	assert.Equal(t, []string{"a1"}, begin(t, l, "b1", "b"))
	assert.Equal(t, map[string]string{"b": "b1"}, l.bridges, "bridges do not pile up")
	s := locked(t, l, "a1", "a")
	assert.True(t, s.Fresh())
	assert.Empty(t, l.Previous(s))
}

func TestLockedSessionsAreNeverEvicted(t *testing.T) {
	l := New(Limits{Sessions: 2, SessionsPerBridge: 2, Ranges: 4})
	begin(t, l, "s1", "b")
	begin(t, l, "s2", "b")
	first := locked(t, l, "s1", "b")
	second := locked(t, l, "s2", "b")
	assert.Empty(t, begin(t, l, "s3", "b"), "all others are in use")
	assert.Equal(t, []string{"s1", "s2", "s3"}, held(l))

	l.Unlock(second)
	assert.Equal(t, []string{"s2", "s3"}, begin(t, l, "s4", "b"), "the next one makes up for it")
	assert.Equal(t, []string{"s1", "s4"}, held(l))
	first.Accept(numbers(1))
	l.Unlock(first)
}

// Whatever happens, the limits hold as soon as nobody holds a lock.
func TestLimitsHold(t *testing.T) {
	limits := Limits{Sessions: 6, SessionsPerBridge: 2, Ranges: 4}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 5))
		l := New(limits)
		known := set{}
		for range 60 {
			number := random.Uint64N(30)
			id, bridge := strconv.FormatUint(number, 10), strconv.FormatUint(number%4, 10)
			if number%4 == 0 {
				bridge = ""
			}
			s := locked(t, l, id, bridge)
			require.Equal(t, !known[number], s.Fresh(), "seed %d: session %s", seed, id)
			fresh := s.Fresh()
			s.Accept(numbers(random.Uint64N(9)))
			known[number] = true
			if fresh {
				for _, gone := range l.Begin(s) {
					var n uint64
					fmt.Sscan(gone, &n)
					require.NotEqual(t, id, gone)
					require.True(t, known[n], "seed %d: %s was evicted and is not held", seed, gone)
					delete(known, n)
				}
			}
			l.Unlock(s)

			require.Len(t, l.sessions, len(known))
			require.LessOrEqual(t, len(known), limits.Sessions)
			count := map[string]int{}
			for _, s := range l.sessions {
				count[s.bridge]++
				require.True(t, s.bridge == "" || count[s.bridge] <= limits.SessionsPerBridge)
			}
			for bridge, newest := range l.bridges {
				require.Equal(t, bridge, l.sessions[newest].bridge)
			}
		}
	}
}

// Everything at once, for the race detector.
func TestConcurrentUse(t *testing.T) {
	l := New(Limits{Sessions: 4, SessionsPerBridge: 2, Ranges: 4})
	var group sync.WaitGroup
	for worker := range uint64(4) {
		group.Go(func() {
			random := rand.New(rand.NewPCG(worker, 1))
			for range 300 {
				number := random.Uint64N(8)
				ctx, cancel := context.WithCancel(t.Context())
				if random.IntN(8) == 0 {
					cancel()
				}
				s, err := l.Lock(ctx, strconv.FormatUint(number, 10), strconv.FormatUint(number%3, 10))
				if err == nil {
					l.Previous(s)
					fresh := s.Fresh()
					s.Judge(numbers(number), nil)
					s.Accept(numbers(random.Uint64N(20)))
					if fresh {
						l.Begin(s)
					}
					assert.NotEmpty(t, l.Encode(s))
					s.Saved()
					l.Unlock(s)
				}
				cancel()
				l.Fingerprints.Accept([]Fingerprint{FingerprintOf("s", strconv.FormatUint(number, 10))})
				l.Fingerprints.Contains(Fingerprint{})
				l.Fingerprints.Snapshot()
			}
		})
	}
	group.Wait()
	assert.LessOrEqual(t, len(held(l)), 4+4, "over the limit by the locked ones only")
}
