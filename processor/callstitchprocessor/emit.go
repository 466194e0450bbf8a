// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"encoding/hex"
	"runtime"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/processor/callstitchprocessor/internal/metadata"
)

// emitter lets time pass for the engine, and sends what is owed. It has one
// goroutine with one timer.
type emitter struct {
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

	armed time.Time // guarded by state.mu: when run looks by itself

	// Of run and, when that has ended, of finish.
	backoff   *backoff.ExponentialBackOff
	retryAt   time.Time // nothing is sent before; zero if nothing was refused
	suspects  int       // owed objects to be sent one by one: one of them was refused for good
	complaint rarely
}

const (
	// maxBatch is how many stitched records are sent together.
	maxBatch = 500
	// renderAtOnce is how many of them are rendered without letting go of the
	// lock, and renderMore how many when there is more than a batch of them: each
	// time the lock is let go, senders that are many may hold it for a while, and
	// what is owed must not grow for ever.
	renderAtOnce = 10
	renderMore   = 20
	// never is when the timer fires if there is nothing to wait for.
	never = 24 * time.Hour
	// grain is the least the timer waits: what is due within that time goes
	// together, in one batch and one write.
	grain = 50 * time.Millisecond
	// lastSend is how long the shutdown waits for the next consumer if what that
	// does not take is stored.
	lastSend = 5 * time.Second
)

func newEmitter(s *state, c *committer, next consumer.Logs, set processor.Settings, telemetry *metadata.TelemetryBuilder) *emitter {
	return &emitter{
		state: s, committer: c, next: next, logger: set.Logger, telemetry: telemetry, version: set.BuildInfo.Version,
		woken: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
		backoff: backoff.NewExponentialBackOff(),
	}
}

// run emits until finish.
func (e *emitter) run(ctx context.Context) {
	defer close(e.ended)
	timer := time.NewTimer(never)
	defer timer.Stop()
	for {
		e.advance()
		if !e.state.clock.now().Before(e.retryAt) {
			e.judge(ctx, e.send(ctx))
		}
		timer.Reset(e.arm())
		select {
		case <-timer.C:
		case <-e.woken:
		case <-e.stop:
			return
		}
	}
}

// advance lets the engine do what is due, a slice at a time.
func (e *emitter) advance() {
	slice := func() (more, changed bool) {
		e.state.mu.Lock()
		defer e.state.mu.Unlock()
		more = e.state.engine.Advance(e.state.clock.now())
		return more, e.state.engine.Changed()
	}
	for {
		more, changed := slice()
		if changed {
			e.committer.kick()
		}
		if !more {
			return
		}
		yield()
	}
}

// yield lets those go on who wait for the lock that was just released: who takes
// it again at once would starve them.
func yield() { runtime.Gosched() }

// arm returns how long there is nothing to do.
func (e *emitter) arm() time.Duration {
	e.state.mu.Lock()
	defer e.state.mu.Unlock()
	now := e.state.clock.now()
	next, ok := e.state.engine.Next()
	if !ok {
		next = now.Add(never)
	}
	if !e.retryAt.IsZero() && e.retryAt.Before(next) {
		next = e.retryAt
	}
	e.armed = next
	return max(next.Sub(now), grain)
}

// look wakes the emitter if there is something to do earlier than it knows. The
// caller holds state.mu.
func (e *emitter) look() {
	if next, ok := e.state.engine.Next(); ok && next.Before(e.armed) {
		e.wake()
	}
}

func (e *emitter) wake() {
	select {
	case e.woken <- struct{}{}:
	default:
	}
}

// send sends what is owed, until it is refused for now.
func (e *emitter) send(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-e.stop:
			return nil
		default:
		}
		if more, err := e.sendBatch(ctx); err != nil || !more {
			return err
		}
	}
}

// sendBatch sends the oldest of what is owed. It tells whether there was any.
func (e *emitter) sendBatch(ctx context.Context) (more bool, err error) {
	b := e.render()
	if len(b.objects) == 0 {
		return false, nil
	}
	// The traces of the batch are final from here on, also after a crash.
	if err := e.committer.settle(ctx); err != nil {
		return true, err
	}
	err = e.next.ConsumeLogs(ctx, b.logs)
	switch {
	case err == nil:
		e.emitted(b, true)
	case !consumererror.IsPermanent(err):
		e.telemetry.ProcessorCallstitchSendFailures.Add(ctx, 1)
		return true, err
	case len(b.objects) > 1:
		e.suspects = len(b.objects)
		return true, nil
	default:
		e.emitted(b, false)
		e.logger.Error("Stitched record refused for good by the next consumer; it is lost",
			zap.Stringer("kind", b.objects[0].kind), zap.String("span_id", hex.EncodeToString(b.objects[0].span[:])))
	}
	e.suspects = max(0, e.suspects-len(b.objects))
	return true, nil
}

// render renders the oldest of what is owed. Only this goroutine takes objects
// from there, so that those rendered already stay in front.
func (e *emitter) render() *batch {
	b, size := newBatch(e.version), maxBatch
	if e.suspects > 0 {
		size = 1
	}
	piece := func() (visited int) {
		e.state.mu.Lock()
		defer e.state.mu.Unlock()
		n := renderAtOnce
		if e.state.engine.Owes() > maxBatch {
			n = renderMore
		}
		return e.state.engine.Owed(b.last(), min(n, size-len(b.objects)), b.add)
	}
	for len(b.objects) < size && piece() > 0 {
		yield()
	}
	return b
}

// emitted notes what became of a batch. It need not be stored before the next
// one is sent, but soon.
func (e *emitter) emitted(b *batch, accepted bool) {
	e.state.mu.Lock()
	now := e.state.clock.now()
	for i := range b.objects {
		e.state.engine.Emitted(now, b.objects[i].ref, accepted)
	}
	e.state.mu.Unlock()
	e.committer.kick()
}

// judge decides when to send again, after an error.
func (e *emitter) judge(ctx context.Context, err error) {
	if err == nil {
		e.retryAt = time.Time{}
		e.backoff.Reset()
		return
	}
	now := e.state.clock.now()
	wait := e.backoff.NextBackOff()
	e.retryAt = now.Add(wait)
	if ctx.Err() == nil && e.complaint.allows(now) {
		e.logger.Warn("Stitched records not sent; they stay owed and are sent again",
			zap.Error(err), zap.Int("owed", e.state.stats().Owed), zap.Duration("in", wait))
	}
}

// finish ends run and sends what may be sent: with storage what has ended, else
// everything. What the next consumer refuses then, or has no time for, stays in
// the storage.
func (e *emitter) finish(ctx context.Context) {
	close(e.stop)
	if e.committer != nil {
		// The Collector itself gives no deadline.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, lastSend)
		defer cancel()
	}
	stop := context.AfterFunc(ctx, e.cancel)
	<-e.ended
	stop()
	e.cancel()

	e.state.mu.Lock()
	if now := e.state.clock.now(); e.committer != nil {
		e.state.engine.Flush(now)
	} else {
		e.state.engine.Finish(now)
	}
	e.state.mu.Unlock()

	var err error
	for more := true; more && err == nil; {
		if err = ctx.Err(); err == nil {
			more, err = e.sendBatch(ctx)
		}
	}
	switch owed := e.state.stats().Owed; {
	case owed == 0:
	case e.committer != nil:
		e.logger.Info("Stitched records not sent before the stop; they are stored, and sent after the next start", zap.Int("owed", owed), zap.Error(err))
	default:
		e.logger.Error("Stitched records lost: they could not be sent before the stop, and there is no storage", zap.Int("owed", owed), zap.Error(err))
	}
}
