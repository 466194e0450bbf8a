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

	woken  chan struct{}
	stop   chan struct{}
	ended  chan struct{}
	cancel context.CancelFunc // of what run does

	busySince time.Time // guarded by state.mu: since when the next consumer has had a batch; zero if it has none

	// Of run and, when that has ended, of finish.
	retry     attempts // of owed records
	aside     attempts // of records that were set aside
	joining   attempts // of the events about calls that joined a conference
	size      int      // of a batch
	isolating int      // owed objects to be sent one by one: one of them was refused with a permanent error
	isLast    bool     // the processor stops and has no storage: what is not sent now is lost
	complaint rarely
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
	// renderAtOnce is how many of them are rendered, or marked as done, without
	// letting go of the lock: some tenths of a millisecond of work. Each unlock may
	// let many senders in first, and the queue of owed records must not grow without
	// end.
	renderAtOnce = 64
	// triesTogether is how often a batch is tried before it is halved. At a stop
	// without storage it is halved at once.
	triesTogether = 3
	// Back-off of owed records, and of records that were set aside.
	firstRetry, longestRetry = 500 * time.Millisecond, time.Minute
	firstAside, longestAside = 5 * time.Second, time.Minute
)

func newSender(s *state, c *committer, next consumer.Logs, set processor.Settings, telemetry *metadata.TelemetryBuilder) *sender {
	return &sender{
		state: s, committer: c, next: next, logger: set.Logger, telemetry: telemetry, version: set.BuildInfo.Version,
		woken: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
		retry: newAttempts(firstRetry, longestRetry), aside: newAttempts(firstAside, longestAside), joining: newAttempts(firstRetry, longestRetry),
		size: maxBatch,
	}
}

// run sends until stopped.
func (s *sender) run(ctx context.Context) {
	defer close(s.ended)
	timer := time.NewTimer(never)
	defer timer.Stop()
	for {
		s.send(ctx)
		timer.Reset(s.pause())
		select {
		case <-timer.C:
		case <-s.woken:
		case <-s.stop:
			return
		}
	}
}

func (s *sender) wake() {
	select {
	case s.woken <- struct{}{}:
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
	next := now.Add(never)
	if !s.retry.at.IsZero() {
		next = earlier(next, s.retry.at)
	} else if s.state.stats().CurrentlySetAside > 0 {
		next = earlier(next, s.aside.at)
	}
	if !s.joining.at.IsZero() {
		next = earlier(next, s.joining.at)
	}
	return max(next.Sub(now), grain)
}

// send sends the events about calls that joined a conference, the owed records,
// and the records that were set aside, each until the next consumer refuses one
// with a retryable error.
func (s *sender) send(ctx context.Context) {
	for !s.stopped(ctx) && !s.state.clock.now().Before(s.joining.at) {
		if more, err := s.sendJoined(ctx); err != nil || !more {
			break
		}
	}
	for !s.stopped(ctx) && !s.state.clock.now().Before(s.retry.at) {
		if more, err := s.sendOwed(ctx); err != nil || !more {
			break
		}
	}
	for s.retry.at.IsZero() && !s.stopped(ctx) && !s.state.clock.now().Before(s.aside.at) {
		if more, err := s.sendAside(ctx); err != nil || !more {
			break
		}
	}
}

// sendOwed sends the oldest owed records. It reports whether there was any.
func (s *sender) sendOwed(ctx context.Context) (more bool, err error) {
	size := s.size
	if s.isolating > 0 {
		size = 1
	}
	b := s.render(s.state.engine.VisitPendingEmits, size)
	if len(b.objects) == 0 {
		s.retry.succeeded() // nothing is left to be tried again
		return false, nil
	}
	err = s.sendBatch(ctx, b)
	switch {
	case err == nil:
		s.retry.succeeded()
		s.size = min(2*s.size, maxBatch)
		s.emitted(b, true)
	case !consume.IsPermanent(err):
		s.refused(ctx, b, err)
		return true, err
	case len(b.objects) > 1:
		s.isolating = len(b.objects)
		return true, nil
	default:
		s.reject(b)
	}
	s.isolating = max(0, s.isolating-len(b.objects))
	return true, nil
}

// refused handles a batch that the next consumer refused with a retryable error.
func (s *sender) refused(ctx context.Context, b *batch, err error) {
	s.warn(ctx, err, &s.retry)
	switch {
	case ctx.Err() != nil, s.retry.failures < triesTogether && !s.isLast:
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
	if ctx.Err() != nil || !s.complaint.allows(now) {
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

// sendAside tries the one that was set aside or tried the longest time ago. It
// tells whether there was any.
func (s *sender) sendAside(ctx context.Context) (more bool, err error) {
	b := s.render(s.state.engine.VisitSetAside, 1)
	if len(b.objects) == 0 {
		return false, nil
	}
	err = s.sendBatch(ctx, b)
	switch {
	case err == nil:
		s.aside.succeeded()
		s.emitted(b, true)
	case !consume.IsPermanent(err):
		s.warn(ctx, err, &s.aside)
		s.setAside(b)
		return true, err
	default:
		s.reject(b)
	}
	return true, nil
}

// sendBatch hands a batch to the next consumer when the traces of it are stored:
// they are final from here on, also after a crash.
func (s *sender) sendBatch(ctx context.Context, b *batch) error {
	if err := s.committer.settle(ctx); err != nil {
		return err
	}
	return s.hand(ctx, b.logs)
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
		return owed(b.last(), min(renderAtOnce, size-len(b.objects)), b.add)
	}
	for len(b.objects) < size && piece() > 0 {
		yield()
	}
	return b
}

// emitted marks the objects of a batch as done. It need not be stored before the next one
// is sent, but soon.
func (s *sender) emitted(b *batch, accepted bool) {
	for objects := range slices.Chunk(b.objects, renderAtOnce) {
		s.state.mu.Lock()
		now := s.state.clock.now()
		for i := range objects {
			s.state.engine.Emitted(now, objects[i].ref, accepted)
		}
		s.state.announceRoom()
		s.state.mu.Unlock()
		yield()
	}
	s.committer.kick()
}

// reject gives up a record that the next consumer refused with a permanent error.
func (s *sender) reject(b *batch) {
	s.emitted(b, false)
	s.logger.Error("Stitched record refused for good by the next consumer; it is lost",
		zap.Stringer("kind", b.objects[0].kind), zap.String("span_id", hex.EncodeToString(b.objects[0].span[:])))
}
