// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"errors"
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

// accept marks records of a session as accepted that a request brought.
func accept(l *Ledger, s *Session, identity Identity, indices ...uint64) AcceptResult {
	entries := numbers(indices...)
	return l.MarkAccepted(s, l.BeginRequest(s, identity), entries, s.Check(entries, nil))
}

// post is a whole request with the next record of a session.
func post(t *testing.T, l *Ledger, id string, identity Identity) (RequestInfo, AcceptResult) {
	t.Helper()
	s := locked(t, l, id)
	defer l.Unlock(s)
	next := uint64(0)
	if last, known := s.accounted.Last(); known {
		next = last + 1
	}
	p := l.BeginRequest(s, identity)
	entries := numbers(next)
	return p, l.MarkAccepted(s, p, entries, s.Check(entries, nil))
}

// begin accepts a record of a session and returns what had to go for it.
func begin(t *testing.T, l *Ledger, id, bridge string) (evicted []string) {
	t.Helper()
	_, accepted := post(t, l, id, Identity{Bridge: bridge})
	return accepted.EvictedSessions
}

func held(l *Ledger) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.sessions))
}

func TestLockIsExclusive(t *testing.T) {
	const workers, turns = 8, 50
	l := New(DefaultLimits, clock)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for range turns {
				s, err := l.Lock(t.Context(), "s")
				if !assert.NoError(t, err) {
					return
				}
				// Without the lock two workers would take the same index, and
				// the race detector would see them do it.
				last, _ := s.accepted.Last()
				next := numbers(last + 1)
				assert.Equal(t, []uint64{0}, shown(s.Check(next, nil)))
				s.take(next...)
				l.Unlock(s)
			}
		})
	}
	group.Wait()
	assert.Equal(t, Ranges{{1, workers * turns}}, locked(t, l, "s").accepted)
}

// A question that is not followed by an acceptance leaves a session fresh: it
// is forgotten under the feet of those who wait for it.
func TestLockOfForgottenSessionsIsExclusive(t *testing.T) {
	l := New(DefaultLimits, clock)
	var (
		group  sync.WaitGroup
		inside int
	)
	for range 8 {
		group.Go(func() {
			for range 200 {
				s, err := l.Lock(t.Context(), "s")
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
	l := New(DefaultLimits, clock)
	first := locked(t, l, "a")
	second := locked(t, l, "c")
	assert.NotSame(t, first, second)
}

// A resend that overtakes its own first try waits for its outcome.
func TestConcurrentResendWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(DefaultLimits, clock)
		batch := through(0, 9)
		first := locked(t, l, "s")
		require.NotContains(t, shown(first.Check(batch, nil)), dup)

		var resend []CheckResult
		go func() {
			s, err := l.Lock(t.Context(), "s")
			if assert.NoError(t, err) {
				resend = s.Check(batch, nil)
				l.Unlock(s)
			}
		}()
		synctest.Wait()
		require.Nil(t, resend, "the resend was checked while the first try was under way")

		first.take(batch...)
		l.Unlock(first)
		synctest.Wait()
		require.Len(t, resend, len(batch))
		for _, v := range resend {
			assert.True(t, v.IsDuplicate)
		}
	})
}

// If the first try fails, the resend that waited for it is new.
func TestConcurrentResendOfAFailedTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(DefaultLimits, clock)
		first := locked(t, l, "s")
		go func() {
			s, err := l.Lock(t.Context(), "s")
			if assert.NoError(t, err) {
				assert.Equal(t, []uint64{0}, shown(s.Check(numbers(7), nil)))
				s.take(numbers(7)...)
				l.Unlock(s)
			}
		}()
		synctest.Wait()
		l.Unlock(first)
		synctest.Wait()
		assert.Equal(t, []uint64{dup}, shown(locked(t, l, "s").Check(numbers(7), nil)))
	})
}

func TestLockGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(DefaultLimits, clock)
		holder := locked(t, l, "s")
		why := errors.New("the client went away")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, why)
		defer cancel()
		_, err := l.Lock(ctx, "s")
		require.ErrorIs(t, err, why)

		holder.take(numbers(1)...)
		l.Unlock(holder)
		again := locked(t, l, "s")
		assert.Same(t, holder, again, "who gave up took nothing away")
	})
}

// A client that is gone before it is served leaves no session behind.
func TestLockWithADeadContextLeavesNothing(t *testing.T) {
	l := New(DefaultLimits, clock)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range 100 {
		_, err := l.Lock(ctx, strconv.Itoa(i))
		require.ErrorIs(t, err, context.Canceled)
	}
	assert.Empty(t, held(l))
}

func TestUnlockForgetsFreshSessions(t *testing.T) {
	l := New(DefaultLimits, clock)
	s := locked(t, l, "s")
	s.Check(numbers(1), nil)
	l.Unlock(s)
	assert.Empty(t, held(l))
	begin(t, l, "s", "b")
	l.Unlock(locked(t, l, "s"))
	assert.Equal(t, []string{"s"}, held(l))
}

// Everything at once, for the race detector.
func TestConcurrentUse(t *testing.T) {
	l := New(Limits{Sessions: 4, SessionsPerBridge: 2, UnnamedSessions: 2, Ranges: 4}, clock)
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
				s, err := l.Lock(ctx, strconv.FormatUint(number, 10))
				if err == nil {
					identity := Identity{Bridge: strconv.FormatUint(number%3, 10), System: strconv.FormatUint(number%2, 10)}
					accept(l, s, identity, random.Uint64N(20))
					assert.NotEmpty(t, l.Encode(s))
					s.MarkStored()
					l.Unlock(s)
				}
				cancel()
				l.ContentHashes.MarkAccepted([]ContentHash{HashContent("s", strconv.FormatUint(number, 10))}, number%2 == 0)
				l.ContentHashes.Contains(ContentHash{})
				l.ContentHashes.Changes()
			}
		})
	}
	group.Wait()
	assert.LessOrEqual(t, len(held(l)), 4+4, "over the limit by the locked ones only")
}
