// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/otel/consume"
	"github.com/legato-otel/legato/internal/stitch"
	"github.com/legato-otel/legato/processor/callstitchprocessor/internal/metadata"
)

// sender sends pending records in a goroutine of its own, in batches, the oldest first. It
// sends a refused batch again after a back-off. From refusal number triesBeforeSplit on, it
// halves the batch with each refusal, until a single record is refused. It sets that record
// aside and tries it alone from time to time, so that the record delays no others.
type sender struct {
	state     *state
	committer *committer
	next      consumer.Logs
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	version   string

	wakeups chan struct{}
	stop    chan struct{}
	ended   chan struct{}
	cancel  context.CancelFunc // of run's context

	busySince time.Time // guarded by state.mu: when the next consumer got the current batch; zero if it has none

	// Used by run and, after its end, by stopAndSendRest.
	pendingRetry     retrySchedule // of pending records
	setAsideRetry    retrySchedule // of records that are set aside
	traceChangeRetry retrySchedule // of trace change events
	size             int           // of the next batch
	toIsolate        int           // pending objects to send one by one, because their batch was refused with a permanent error
	unsentAreLost    bool          // the processor stops without storage
	refusalLog       minuteLimiter
}

// retrySchedule schedules the retries of one kind of payload.
type retrySchedule struct {
	backoff  *backoff.ExponentialBackOff
	at       time.Time // time of the next attempt; zero if nothing was refused
	failures int       // consecutive
}

func newRetrySchedule(first, longest time.Duration) retrySchedule {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = first, longest
	return retrySchedule{backoff: b}
}

// scheduleRetry schedules the next attempt, and returns the delay.
func (r *retrySchedule) scheduleRetry(now time.Time) time.Duration {
	wait := r.backoff.NextBackOff()
	r.at = now.Add(wait)
	r.failures++
	return wait
}

func (r *retrySchedule) reset() {
	if r.failures > 0 {
		r.at, r.failures = time.Time{}, 0
		r.backoff.Reset()
	}
}

const (
	// maxBatch bounds the stitched records of a batch.
	maxBatch = 500
	// rendersPerLock is how many records the sender renders, or marks as emitted, each time it
	// holds the lock (some tenths of a millisecond). Many requests may take the lock in
	// between. With a smaller number the sender could fall behind, and the queue of pending
	// records could grow without bound.
	rendersPerLock = 64
	// triesBeforeSplit is how often a batch is sent before it is halved. At a stop without
	// storage it is halved at once.
	triesBeforeSplit = 3
	// Back-off of pending records, and of records that are set aside.
	firstRetry, longestRetry                 = 500 * time.Millisecond, time.Minute
	firstSetAsideRetry, longestSetAsideRetry = 5 * time.Second, time.Minute
)

func newSender(s *state, c *committer, next consumer.Logs, set processor.Settings, telemetry *metadata.TelemetryBuilder) *sender {
	return &sender{
		state: s, committer: c, next: next, logger: set.Logger, telemetry: telemetry, version: set.BuildInfo.Version,
		wakeups: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
		pendingRetry: newRetrySchedule(firstRetry, longestRetry), setAsideRetry: newRetrySchedule(firstSetAsideRetry, longestSetAsideRetry), traceChangeRetry: newRetrySchedule(firstRetry, longestRetry),
		size: maxBatch,
	}
}

// run sends until it is stopped.
func (s *sender) run(ctx context.Context) {
	defer close(s.ended)
	timer := time.NewTimer(maxTimer)
	defer timer.Stop()
	for {
		s.send(ctx)
		timer.Reset(s.untilNextAttempt())
		select {
		case <-timer.C:
		case <-s.wakeups:
		case <-s.stop:
			return
		}
	}
}

func (s *sender) wake() {
	select {
	case s.wakeups <- struct{}{}:
	default:
	}
}

// stopped reports whether run must end.
func (s *sender) stopped(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	case <-s.stop:
		return true
	default:
		return false
	}
}

// untilNextAttempt returns the time until the next attempt.
func (s *sender) untilNextAttempt() time.Duration {
	now := s.state.clock.now()
	next := now.Add(maxTimer)
	if !s.pendingRetry.at.IsZero() {
		next = earlier(next, s.pendingRetry.at)
	} else if s.state.stats().CurrentlySetAside > 0 {
		next = earlier(next, s.setAsideRetry.at)
	}
	if !s.traceChangeRetry.at.IsZero() {
		next = earlier(next, s.traceChangeRetry.at)
	}
	return max(next.Sub(now), minTimer)
}

// send sends trace change events, pending records and set-aside records, each until the next
// consumer refuses one with a retryable error.
func (s *sender) send(ctx context.Context) {
	for !s.stopped(ctx) && !s.state.clock.now().Before(s.traceChangeRetry.at) {
		if more, err := s.sendTraceChanges(ctx); err != nil || !more {
			break
		}
	}
	for !s.stopped(ctx) && !s.state.clock.now().Before(s.pendingRetry.at) {
		if more, err := s.sendPending(ctx); err != nil || !more {
			break
		}
	}
	for s.pendingRetry.at.IsZero() && !s.stopped(ctx) && !s.state.clock.now().Before(s.setAsideRetry.at) {
		if more, err := s.sendSetAside(ctx); err != nil || !more {
			break
		}
	}
}

// sendPending sends the oldest pending records. more reports whether there were any.
func (s *sender) sendPending(ctx context.Context) (more bool, err error) {
	size := s.size
	if s.toIsolate > 0 {
		size = 1
	}
	b := s.render(s.state.engine.VisitPendingEmits, size)
	if len(b.objects) == 0 {
		s.pendingRetry.reset() // nothing is left to retry
		return false, nil
	}
	err = s.sendBatch(ctx, b)
	switch {
	case err == nil:
		s.pendingRetry.reset()
		s.size = min(2*s.size, maxBatch)
		s.markEmitted(b, true)
	case !consume.IsPermanent(err):
		s.handleRefusal(ctx, b, err)
		return true, err
	case len(b.objects) > 1:
		s.toIsolate = len(b.objects)
		return true, nil
	default:
		s.dropRefusedRecord(b)
	}
	s.toIsolate = max(0, s.toIsolate-len(b.objects))
	return true, nil
}

// handleRefusal handles a batch that the next consumer refused with a retryable error, or that
// was not sent because the state could not be stored.
func (s *sender) handleRefusal(ctx context.Context, b *batch, err error) {
	s.retryLater(ctx, err, &s.pendingRetry)
	switch {
	case errors.Is(err, errStorage): // the next consumer has not seen the batch
	case ctx.Err() != nil, s.pendingRetry.failures < triesBeforeSplit && !s.unsentAreLost:
	case len(b.objects) > 1:
		s.size = len(b.objects) / 2
	default:
		s.setAside(b)
		s.toIsolate = max(0, s.toIsolate-1)
	}
}

// retryLater schedules the next attempt, and logs the refusal at most once a minute.
func (s *sender) retryLater(ctx context.Context, err error, schedule *retrySchedule) {
	now := s.state.clock.now()
	wait := schedule.scheduleRetry(now)
	if ctx.Err() != nil || !s.refusalLog.allow(now) {
		return
	}
	stats := s.state.stats()
	s.logger.Warn("Stitched records or trace changes not sent; they are retried",
		zap.Error(err), zap.Int("pending", stats.PendingEmit), zap.Int("set_aside", stats.CurrentlySetAside), zap.Stringer("retry_in", wait))
}

// setAside sets the only record of a batch aside, or moves it behind the others that are set
// aside.
func (s *sender) setAside(b *batch) {
	s.state.mu.Lock()
	s.state.engine.SetAside(b.objects[0].ref)
	s.state.mu.Unlock()
}

// sendSetAside sends the set-aside record whose last attempt is the longest ago. more reports
// whether there was one.
func (s *sender) sendSetAside(ctx context.Context) (more bool, err error) {
	b := s.render(s.state.engine.VisitSetAside, 1)
	if len(b.objects) == 0 {
		return false, nil
	}
	err = s.sendBatch(ctx, b)
	switch {
	case err == nil:
		s.setAsideRetry.reset()
		s.markEmitted(b, true)
	case !consume.IsPermanent(err):
		s.retryLater(ctx, err, &s.setAsideRetry)
		s.setAside(b)
		return true, err
	default:
		s.dropRefusedRecord(b)
	}
	return true, nil
}

// sendBatch waits until the state is stored, then sends a batch. The stored state has the
// batch's traces, so they stay the same after a crash.
func (s *sender) sendBatch(ctx context.Context, b *batch) error {
	if err := s.committer.waitStored(ctx); err != nil {
		return err
	}
	return s.consume(ctx, b.logs)
}

func (s *sender) setBusy(since time.Time) {
	s.state.mu.Lock()
	s.busySince = since
	s.state.mu.Unlock()
}

// render renders pending or set-aside records, yielding the lock in between. Only this
// goroutine removes pending objects, so the rendered objects stay at the head of the queue.
func (s *sender) render(visit func(stitch.Ref, int, func(*stitch.Stitched)) int, size int) *batch {
	b := newBatch(s.version)
	renderSome := func() (visited int) {
		s.state.mu.Lock()
		defer s.state.mu.Unlock()
		return visit(b.last(), min(rendersPerLock, size-len(b.objects)), b.add)
	}
	for len(b.objects) < size && renderSome() > 0 {
		letWaitersRun()
	}
	return b
}

// markEmitted marks the objects of a batch as emitted and requests a write, without waiting for
// it: the sender renders the next batch meanwhile. sendBatch waits until these marks and the
// traces of that next batch are stored.
func (s *sender) markEmitted(b *batch, accepted bool) {
	for objects := range slices.Chunk(b.objects, rendersPerLock) {
		s.state.mu.Lock()
		now := s.state.clock.now()
		for i := range objects {
			s.state.engine.MarkEmitted(now, objects[i].ref, accepted)
		}
		s.state.signalRoom()
		s.state.mu.Unlock()
		letWaitersRun()
	}
	s.committer.requestWrite()
}

// dropRefusedRecord drops the only record of a batch, because the next consumer refused it with
// a permanent error.
func (s *sender) dropRefusedRecord(b *batch) {
	s.markEmitted(b, false)
	s.logger.Error("Stitched record lost: the next consumer refused it with a permanent error",
		zap.Stringer("kind", b.objects[0].kind), zap.String("span_id", hex.EncodeToString(b.objects[0].span[:])))
}
