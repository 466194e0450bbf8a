// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"encoding/hex"
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

// sender sends owed records, in a goroutine of its own: the oldest first, in
// batches. A batch that is refused for now is sent again after a back-off. When
// that has been in vain some times, the batch is halved with each further try,
// until one record is left that the next consumer does not take: that one is set
// aside, tried alone from time to time, and holds up nobody.
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
	cancel  context.CancelFunc // of what run does

	busySince time.Time // guarded by state.mu: since when the next consumer has had a batch; zero if it has none

	// Of run and, when that has ended, of finish.
	pendingRetry     attempts // of owed records
	setAsideRetry    attempts // of records that were set aside
	traceChangeRetry attempts // of the events about calls that joined a conference
	size             int      // of a batch
	isolating        int      // owed objects to be sent one by one: one of them was refused with a permanent error
	isLast           bool     // the processor stops and has no storage: what is not sent now is lost
	refusalLog       minuteLimiter
}

// attempts is when something is tried again that was refused.
type attempts struct {
	backoff  *backoff.ExponentialBackOff
	at       time.Time // nothing is sent before; zero if nothing was refused
	failures int       // one after the other
}

func newAttempts(first, longest time.Duration) attempts {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = first, longest
	return attempts{backoff: b}
}

// failed decides when the next attempt is, and returns in what time.
func (a *attempts) failed(now time.Time) time.Duration {
	wait := a.backoff.NextBackOff()
	a.at = now.Add(wait)
	a.failures++
	return wait
}

func (a *attempts) succeeded() {
	if a.failures > 0 {
		a.at, a.failures = time.Time{}, 0
		a.backoff.Reset()
	}
}

const (
	// maxBatch is how many stitched records are sent together.
	maxBatch = 500
	// rendersPerLock is how many of them are rendered, or marked as done, without
	// letting go of the lock: some tenths of a millisecond of work. Each unlock may
	// let many senders in first, and the queue of owed records must not grow without
	// end.
	rendersPerLock = 64
	// triesBeforeSplit is how often a batch is tried before it is halved. At a stop
	// without storage it is halved at once.
	triesBeforeSplit = 3
	// Back-off of owed records, and of records that were set aside.
	firstRetry, longestRetry                 = 500 * time.Millisecond, time.Minute
	firstSetAsideRetry, longestSetAsideRetry = 5 * time.Second, time.Minute
)

func newSender(s *state, c *committer, next consumer.Logs, set processor.Settings, telemetry *metadata.TelemetryBuilder) *sender {
	return &sender{
		state: s, committer: c, next: next, logger: set.Logger, telemetry: telemetry, version: set.BuildInfo.Version,
		wakeups: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
		pendingRetry: newAttempts(firstRetry, longestRetry), setAsideRetry: newAttempts(firstSetAsideRetry, longestSetAsideRetry), traceChangeRetry: newAttempts(firstRetry, longestRetry),
		size: maxBatch,
	}
}

// run sends until stopped.
func (s *sender) run(ctx context.Context) {
	defer close(s.ended)
	timer := time.NewTimer(maxTimer)
	defer timer.Stop()
	for {
		s.send(ctx)
		timer.Reset(s.pause())
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

// stopped tells whether nothing is to be sent any more.
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

// pause returns how long there is nothing to send.
func (s *sender) pause() time.Duration {
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

// send sends the events about calls that joined a conference, the owed records,
// and the records that were set aside, each until the next consumer refuses one
// with a retryable error.
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

// sendPending sends the oldest owed records. It reports whether there was any.
func (s *sender) sendPending(ctx context.Context) (more bool, err error) {
	size := s.size
	if s.isolating > 0 {
		size = 1
	}
	b := s.render(s.state.engine.VisitPendingEmits, size)
	if len(b.objects) == 0 {
		s.pendingRetry.succeeded() // nothing is left to be tried again
		return false, nil
	}
	err = s.sendBatch(ctx, b)
	switch {
	case err == nil:
		s.pendingRetry.succeeded()
		s.size = min(2*s.size, maxBatch)
		s.markEmitted(b, true)
	case !consume.IsPermanent(err):
		s.handleRefusal(ctx, b, err)
		return true, err
	case len(b.objects) > 1:
		s.isolating = len(b.objects)
		return true, nil
	default:
		s.rejectBatch(b)
	}
	s.isolating = max(0, s.isolating-len(b.objects))
	return true, nil
}

// handleRefusal handles a batch that the next consumer refused with a retryable error.
func (s *sender) handleRefusal(ctx context.Context, b *batch, err error) {
	s.warn(ctx, err, &s.pendingRetry)
	switch {
	case ctx.Err() != nil, s.pendingRetry.failures < triesBeforeSplit && !s.isLast:
	case len(b.objects) > 1:
		s.size = len(b.objects) / 2
	default:
		s.setAside(b)
		s.isolating = max(0, s.isolating-1)
	}
}

// warn logs now and then that something was refused, after it decided when to try
// again.
func (s *sender) warn(ctx context.Context, err error, a *attempts) {
	now := s.state.clock.now()
	wait := a.failed(now)
	if ctx.Err() != nil || !s.refusalLog.allow(now) {
		return
	}
	stats := s.state.stats()
	s.logger.Warn("Stitched records not sent; they stay owed and are sent again",
		zap.Error(err), zap.Int("owed", stats.PendingEmit), zap.Int("aside", stats.CurrentlySetAside), zap.Duration("in", wait))
}

// setAside takes a record that was refused again and again out of the way.
func (s *sender) setAside(b *batch) {
	s.state.mu.Lock()
	s.state.engine.SetAside(b.objects[0].ref)
	s.state.mu.Unlock()
}

// sendSetAside tries the one that was set aside or tried the longest time ago. It
// tells whether there was any.
func (s *sender) sendSetAside(ctx context.Context) (more bool, err error) {
	b := s.render(s.state.engine.VisitSetAside, 1)
	if len(b.objects) == 0 {
		return false, nil
	}
	err = s.sendBatch(ctx, b)
	switch {
	case err == nil:
		s.setAsideRetry.succeeded()
		s.markEmitted(b, true)
	case !consume.IsPermanent(err):
		s.warn(ctx, err, &s.setAsideRetry)
		s.setAside(b)
		return true, err
	default:
		s.rejectBatch(b)
	}
	return true, nil
}

// sendBatch hands a batch to the next consumer when the traces of it are stored:
// they are final from here on, also after a crash.
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

// render renders owed records, in pieces. Only this goroutine takes objects from
// there, so that those rendered already stay in front.
func (s *sender) render(owed func(stitch.Ref, int, func(*stitch.Stitched)) int, size int) *batch {
	b := newBatch(s.version)
	piece := func() (visited int) {
		s.state.mu.Lock()
		defer s.state.mu.Unlock()
		return owed(b.last(), min(rendersPerLock, size-len(b.objects)), b.add)
	}
	for len(b.objects) < size && piece() > 0 {
		yield()
	}
	return b
}

// markEmitted marks the objects of a batch as done. It need not be stored before the next one
// is sent, but soon.
func (s *sender) markEmitted(b *batch, accepted bool) {
	for objects := range slices.Chunk(b.objects, rendersPerLock) {
		s.state.mu.Lock()
		now := s.state.clock.now()
		for i := range objects {
			s.state.engine.Emitted(now, objects[i].ref, accepted)
		}
		s.state.signalRoom()
		s.state.mu.Unlock()
		yield()
	}
	s.committer.requestWrite()
}

// rejectBatch gives up a record that the next consumer refused with a permanent error.
func (s *sender) rejectBatch(b *batch) {
	s.markEmitted(b, false)
	s.logger.Error("Stitched record refused for good by the next consumer; it is lost",
		zap.Stringer("kind", b.objects[0].kind), zap.String("span_id", hex.EncodeToString(b.objects[0].span[:])))
}
