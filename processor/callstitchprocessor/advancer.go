// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"runtime"
	"time"

	"go.uber.org/zap"
)

// advancer advances the engine's time, in a goroutine with one timer. The sender sends in
// another goroutine, so that objects end and expire while a batch is being sent.
type advancer struct {
	state     *state
	committer *committer
	sender    *sender
	logger    *zap.Logger

	wakeups chan struct{}
	stop    chan struct{}
	ended   chan struct{}

	nextWake time.Time     // guarded by state.mu: when the timer fires
	slowLog  minuteLimiter // of run
}

const (
	// maxTimer is the timer's delay when no deadline is set.
	maxTimer = 24 * time.Hour
	// minTimer is the timer's least delay: deadlines within it share one batch and one write.
	minTimer = 50 * time.Millisecond
	// slowSend is how long the next consumer may take before the advancer logs a warning.
	slowSend = time.Minute
)

func newAdvancer(s *state, c *committer, to *sender, logger *zap.Logger) *advancer {
	return &advancer{
		state: s, committer: c, sender: to, logger: logger,
		wakeups: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
	}
}

// run advances the time until stopAndFlush.
func (e *advancer) run() {
	defer close(e.ended)
	timer := time.NewTimer(maxTimer)
	defer timer.Stop()
	for {
		if e.advance() > 0 {
			e.sender.wake()
		}
		e.warnOfSlowSend()
		timer.Reset(e.timeToNextWake())
		select {
		case <-timer.C:
		case <-e.wakeups:
		case <-e.stop:
			return
		}
	}
}

// advance lets the engine do all work whose deadline has passed, and yields the lock in
// between. It returns how many stitched records are pending then.
func (e *advancer) advance() (pending int) {
	step := func() (more, changed bool) {
		e.state.mu.Lock()
		defer e.state.mu.Unlock()
		more = e.state.engine.Advance(e.state.clock.now())
		pending = e.state.engine.CountPendingEmits()
		if e.state.engine.HasTraceChanges() {
			e.sender.wake()
		}
		return more, e.state.engine.HasChanges()
	}
	for {
		more, changed := step()
		if changed {
			e.committer.requestWrite()
		}
		if !more {
			return pending
		}
		letWaitersRun()
	}
}

// letWaitersRun lets goroutines run that wait for the lock. The caller has just released the lock; if
// it took the lock again at once, they would starve.
func letWaitersRun() { runtime.Gosched() }

// timeToNextWake returns the time until the next deadline.
func (e *advancer) timeToNextWake() time.Duration {
	e.state.mu.Lock()
	defer e.state.mu.Unlock()
	now := e.state.clock.now()
	next, ok := e.state.engine.Next()
	if !ok {
		next = now.Add(maxTimer)
	}
	if since := e.sender.busySince; !since.IsZero() {
		next = earlier(next, since.Add(slowSend*(now.Sub(since)/slowSend+1)))
	}
	e.nextWake = next
	if e.state.engine.HasFollowUps() {
		return 0
	}
	return max(next.Sub(now), minTimer)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// warnOfSlowSend warns that the next consumer has not answered for slowSend.
func (e *advancer) warnOfSlowSend() {
	e.state.mu.Lock()
	since, now, pending := e.sender.busySince, e.state.clock.now(), e.state.engine.CountPendingEmits()
	e.state.mu.Unlock()
	if since.IsZero() || now.Sub(since) < slowSend || !e.slowLog.allow(now) {
		return
	}
	e.logger.Warn("The next consumer has not answered; stitched records wait for it",
		zap.Stringer("for", now.Sub(since)), zap.Int("pending", pending))
}

// wakeIfEarlier wakes the advancer if a deadline is earlier than its timer. The caller holds
// state.mu.
func (e *advancer) wakeIfEarlier() {
	if next, ok := e.state.engine.Next(); ok && next.Before(e.nextWake) {
		e.wake()
	}
}

func (e *advancer) wake() {
	select {
	case e.wakeups <- struct{}{}:
	default:
	}
}

// stopAndFlush ends run and makes objects pending: with storage those that have ended,
// otherwise all.
func (e *advancer) stopAndFlush() {
	close(e.stop)
	<-e.ended
	flushSome := func() (more bool) {
		e.state.mu.Lock()
		defer e.state.mu.Unlock()
		now := e.state.clock.now()
		if e.committer != nil {
			return e.state.engine.Flush(now)
		}
		return e.state.engine.Finish(now)
	}
	for flushSome() {
		letWaitersRun()
	}
}
