// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package groupcall

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errTest = errors.New("refused")

// callee holds each call until the test releases it with its answer, or the call's
// context ends.
type callee struct {
	release chan error

	mu    sync.Mutex
	calls [][]int
}

// seen are the values of the calls so far.
func (c *callee) seen() [][]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls)
}

func (c *callee) call(ctx context.Context, requests []*Request[int]) {
	var values []int
	for _, r := range requests {
		values = append(values, r.Value)
	}
	c.mu.Lock()
	c.calls = append(c.calls, values)
	c.mu.Unlock()
	var err error
	select {
	case err = <-c.release:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	for _, r := range requests {
		r.Answer(err)
	}
}

func newTest(t *testing.T, change func(*Options[int])) (*Group[int], *callee) {
	t.Helper()
	c := &callee{release: make(chan error)}
	o := Options[int]{Call: c.call, Size: func(n int) int { return n }, MaxSize: 100, MaxRequests: 10}
	if change != nil {
		change(&o)
	}
	return New(t.Context(), o), c
}

// add adds values one after the other and returns their requests.
func add(g *Group[int], values ...int) (requests []*Request[int]) {
	for _, v := range values {
		r := g.NewRequest(v)
		g.Add(r)
		requests = append(requests, r)
		synctest.Wait()
	}
	return requests
}

// Those who wait share the next call, in the order in which they came, within the
// bounds of one.
func TestShare(t *testing.T) {
	for _, row := range []struct {
		name   string
		values []int
		want   [][]int
	}{
		{"one", []int{1}, [][]int{{1}}},
		{"the first is alone", []int{1, 2, 3}, [][]int{{1}, {2, 3}}},
		{"by size", []int{1, 60, 40, 1, 99, 2}, [][]int{{1}, {60, 40}, {1, 99}, {2}}},
		{"one that is too large", []int{1, 2, 500, 3}, [][]int{{1}, {2}, {500}, {3}}},
		{"by number", []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}, [][]int{{1}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {2}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			g, c := newTest(t, nil)
			requests := add(g, row.values...)
			for range row.want {
				c.release <- nil
				synctest.Wait()
			}
			for _, r := range requests {
				require.NoError(t, r.Wait(t.Context()))
			}
			assert.Equal(t, row.want, c.seen(), row.name)
		})
	}
}

// Requests that are added together share a call at once.
func TestAddTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, c := newTest(t, nil)
		a, b := g.NewRequest(1), g.NewRequest(2)
		g.Add(a, b)
		c.release <- errTest
		require.ErrorIs(t, a.Wait(t.Context()), errTest)
		require.ErrorIs(t, b.Wait(t.Context()), errTest)
		assert.Equal(t, [][]int{{1, 2}}, c.seen())
	})
}

func TestCallAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, c := newTest(t, nil)
		g.CallSingly(time.Second)
		add(g, 1, 2, 3)
		c.release <- nil
		synctest.Wait()
		c.release <- nil
		synctest.Wait()
		time.Sleep(2 * time.Second)
		add(g, 4, 5)
		c.release <- nil
		synctest.Wait()
		c.release <- nil
		assert.Equal(t, [][]int{{1}, {2}, {3}, {4, 5}}, c.seen())
	})
}

// One who gives up before a call is not in it; the context of a call ends when the
// last one has given up.
func TestGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, c := newTest(t, nil)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		requests := add(g, 1, 2, 3, 4)
		require.ErrorIs(t, requests[1].Wait(over), context.Canceled)
		early := g.NewRequest(5)
		require.ErrorIs(t, early.Wait(over), context.Canceled)
		g.Add(early)
		c.release <- nil
		synctest.Wait()
		require.ErrorIs(t, requests[2].Wait(over), context.Canceled)
		assert.Equal(t, [][]int{{1}, {3, 4}}, c.seen())
		synctest.Wait()
		require.ErrorIs(t, requests[3].Wait(over), context.Canceled)
		g.Close(errTest)
		g.Wait() // the call ended by its context
		require.NoError(t, requests[0].Wait(over), "an answer that is there counts")
	})
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newTest(t, func(o *Options[int]) { o.Timeout = time.Second })
		begun := time.Now()
		require.ErrorIs(t, g.Do(t.Context(), 1), context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(begun))
	})
}

// A slow call lets the next one begin, up to as many as there may be.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, c := newTest(t, func(o *Options[int]) { o.SlowAfter, o.MaxCalls = time.Second, 3 })
		add(g, 1, 2, 3)
		time.Sleep(time.Second + 1)
		assert.Equal(t, [][]int{{1}, {2, 3}}, c.seen())
		add(g, 4)
		time.Sleep(time.Minute)
		add(g, 5, 6)
		time.Sleep(time.Minute)
		assert.Equal(t, [][]int{{1}, {2, 3}, {4}}, c.seen())
		c.release <- nil
		synctest.Wait()
		assert.Equal(t, [][]int{{1}, {2, 3}, {4}, {5, 6}}, c.seen())
		for range 3 {
			c.release <- nil
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, c := newTest(t, nil)
		requests := add(g, 1, 2)
		assert.Equal(t, 1, g.WaitingCount())
		g.Close(errTest)
		assert.Zero(t, g.WaitingCount())
		require.ErrorIs(t, requests[1].Wait(t.Context()), errTest)
		require.ErrorIs(t, g.Do(t.Context(), 3), errTest)
		c.release <- nil
		g.Wait()
		require.NoError(t, requests[0].Wait(t.Context()))
		assert.Equal(t, [][]int{{1}}, c.seen())
	})
}

// Whatever requesters do, each that stays has one answer, that of its call, no call
// is above its bounds, and no more calls are under way than may be.
func TestManyRequesters(t *testing.T) {
	const requesters, values, maxCalls = 16, 300, 3
	var under, calls, answered atomic.Int32
	g := New(t.Context(), Options[int]{
		Call: func(ctx context.Context, requests []*Request[int]) {
			assert.LessOrEqual(t, under.Add(1), int32(maxCalls))
			defer under.Add(-1)
			calls.Add(1)
			size := 0
			for _, r := range requests {
				size += r.Value
			}
			assert.True(t, size <= 50 || len(requests) == 1)
			assert.LessOrEqual(t, len(requests), 8)
			if rand.IntN(3) == 0 {
				select {
				case <-time.After(time.Duration(rand.IntN(300)) * time.Microsecond):
				case <-ctx.Done():
				}
			}
			for _, r := range requests {
				if r.Value%2 == 0 {
					r.Answer(nil)
				} else {
					r.Answer(errTest)
				}
			}
		},
		Size: func(n int) int { return n }, MaxSize: 50, MaxRequests: 8, SlowAfter: 100 * time.Microsecond, MaxCalls: maxCalls,
	})
	var wg sync.WaitGroup
	for range requesters {
		wg.Go(func() {
			for range values {
				value := 1 + rand.IntN(60)
				ctx, cancel := context.WithCancel(t.Context())
				if rand.IntN(10) == 0 {
					ctx, cancel = context.WithTimeout(t.Context(), time.Duration(rand.IntN(200))*time.Microsecond)
				}
				err := g.Do(ctx, value)
				switch {
				case errors.Is(err, context.DeadlineExceeded):
				case value%2 == 0:
					answered.Add(1)
					assert.NoError(t, err)
				default:
					answered.Add(1)
					assert.ErrorIs(t, err, errTest)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	g.Close(errTest)
	g.Wait()
	assert.Positive(t, answered.Load())
	assert.Less(t, calls.Load(), int32(requesters*values), "no call was shared")
}
