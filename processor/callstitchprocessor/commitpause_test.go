// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/legato-otel/legato/internal/testkit"
)

// arrivals are requests that arrive at regular times.
type arrivals struct {
	begin time.Time
	every time.Duration // 0 for none
}

func (a arrivals) count() int {
	if a.every == 0 {
		return 1
	}
	return 1 + int(time.Since(a.begin)/a.every)
}

// A write waits as long as requests arrive, up to writeInterval after the last write began. A gap
// ends the wait.
func TestPause(t *testing.T) {
	for _, c := range []struct {
		name  string
		since time.Duration // from the begin of the last write
		every time.Duration
		want  time.Duration
	}{
		{"many requests", 0, time.Millisecond, writeInterval},
		{"many requests, a long write", 5 * time.Millisecond, time.Millisecond, writeInterval - 5*time.Millisecond},
		{"a write that took longer than the interval", writeInterval, time.Millisecond, 0},
		{"one sender, which waits for its answer", time.Millisecond, 0, arrivalGap},
		{"few requests", 0, 5 * time.Millisecond, arrivalGap},
		{"few requests, each in a write of its own", 50 * time.Millisecond, 50 * time.Millisecond, 0},
		{"the interval ends before a gap", writeInterval - time.Millisecond, 0, time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := writePause{lastBegin: time.Now().Add(-c.since)}
				begin := time.Now()
				p.wait(arrivals{begin, c.every}.count, nil)
				assert.Equal(t, c.want, time.Since(begin))
			})
		})
	}
}

// Senders that wait for their answers are delayed by one gap in maxUnpaused writes; when requests
// arrive during a pause again, each write pauses.
func TestUselessPausesAreRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p writePause
		write := func(every time.Duration) (waited time.Duration) {
			begin := time.Now()
			p.wait(arrivals{begin, every}.count, nil)
			waited = time.Since(begin)
			p.lastBegin = time.Now()
			time.Sleep(time.Millisecond)
			return waited
		}
		writes := func(n int, every time.Duration) (paused int) {
			for range n {
				if write(every) > 0 {
					paused++
				}
			}
			return paused
		}
		writes(1000, 0)
		assert.Equal(t, 10, writes(10*(maxUnpaused+1), 0))
		writes(maxUnpaused+1, time.Millisecond)
		assert.Equal(t, 100, writes(100, time.Millisecond))
	})
}

// The wait that is left of the interval is no gap, unless no request arrived during the whole pause.
func TestShortRestIsNoGap(t *testing.T) {
	for _, c := range []struct {
		name  string
		since time.Duration // from the begin of the last write
		every time.Duration
		want  int // writes that will not pause
	}{
		{"requests arrived before it", time.Millisecond, 1950 * time.Microsecond, 0},
		{"no request arrived", writeInterval - time.Millisecond, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := writePause{lastBegin: time.Now().Add(-c.since)}
				p.wait(arrivals{time.Now(), c.every}.count, nil)
				assert.Equal(t, c.want, p.unpaused)
			})
		})
	}
}

func TestStopEndsThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		time.AfterFunc(3*time.Millisecond, func() { close(stop) })
		p := writePause{lastBegin: time.Now()}
		begin := time.Now()
		p.wait(arrivals{begin, time.Millisecond / 2}.count, stop)
		assert.Equal(t, 3*time.Millisecond, time.Since(begin))
	})
}

// Posts of many bridges share writes and calls of the next consumer, though the storage answers
// at once.
func TestManyBridgesShareWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		var wg sync.WaitGroup
		const posts = 1000
		for i := range posts {
			wg.Go(func() { assert.NoError(t, r.ConsumeLogs(t.Context(), startOf(fmt.Sprint("leg ", i)))) })
			time.Sleep(600 * time.Microsecond)
			synctest.Wait()
		}
		wg.Wait()
		assert.Equal(t, posts, r.next.passed.LogRecordCount())
		assert.Less(t, len(r.next.passed.AllLogs()), posts/15)
	})
}
