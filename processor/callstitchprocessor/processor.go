// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"

	"github.com/legato-otel/legato/internal/stitch"
	"github.com/legato-otel/legato/processor/callstitchprocessor/internal/metadata"
)

// callStitch is the processor. It owns the state and the goroutines.
type callStitch struct {
	config    *Config
	settings  processor.Settings
	telemetry *metadata.TelemetryBuilder
	next      consumer.Logs

	holdsConfig bool
	state       *state // nil before Start
	advancer    *advancer
	sender      *sender
	segmentLog  *segmentLog     // nil without storage
	committer   *committer      // nil without storage
	sharedNext  *sharedConsumer // passes requests on after the write that stores them, many in one call; nil without storage

	sources sources   // guarded by state.mu
	calls   sync.Pool // of *consumeCall
	closed  bool      // guarded by state.mu: requests are refused

	cancel context.CancelFunc // of the goroutines' context
	wg     sync.WaitGroup
}

var _ processor.Logs = (*callStitch)(nil)

func newProcessor(config *Config, set processor.Settings, next consumer.Logs) (*callStitch, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &callStitch{config: config, settings: set, telemetry: telemetry, next: next}, nil
}

// Capabilities implements consumer.Consumer: records are stamped in place.
func (*callStitch) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// Start restores the state and starts the goroutines. If it fails, it stops what it has
// started.
func (p *callStitch) Start(ctx context.Context, host component.Host) error {
	if err := runningConfigs.claim(p.config, p.settings.ID); err != nil {
		return err
	}
	p.holdsConfig = true
	if err := p.start(ctx, host); err != nil {
		return errors.Join(err, p.Shutdown(ctx))
	}
	return nil
}

func (p *callStitch) start(ctx context.Context, host component.Host) error {
	var err error
	if p.segmentLog, err = openSegmentLog(ctx, host, p.config.Storage, p.settings); err != nil {
		return err
	}
	state := newState(p.config)
	backgroundCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.cancel = cancel
	lost := 0
	if p.segmentLog != nil {
		if lost, err = p.segmentLog.restore(ctx, state); err != nil {
			return err
		}
	}
	p.telemetry.ProcessorCallstitchStorageSegmentsLost.Add(ctx, int64(lost))
	p.telemetry.ProcessorCallstitchSendFailures.Add(ctx, 0)
	p.telemetry.ProcessorCallstitchStorageFailures.Add(ctx, 0)
	if err := registerCallbacks(p.telemetry, state); err != nil {
		return err
	}

	p.state, p.closed = state, false
	p.sources = newSources()
	p.calls.New = func() any {
		return &consumeCall{reader: requestReader{engine: state.engine, sources: &p.sources}, p: p}
	}
	if p.segmentLog != nil {
		p.sharedNext = newSharedConsumer(backgroundCtx, p.next)
		p.committer = newCommitter(state, p.segmentLog, p.sharedNext, p.settings.Logger, p.telemetry)
		p.wg.Go(func() { p.committer.run(backgroundCtx) })
	}
	p.sender = newSender(state, p.committer, p.next, p.settings, p.telemetry)
	var sendCtx context.Context
	sendCtx, p.sender.cancel = context.WithCancel(backgroundCtx)
	p.wg.Go(func() { p.sender.run(sendCtx) })
	p.advancer = newAdvancer(state, p.committer, p.sender, p.settings.Logger)
	p.wg.Go(p.advancer.run)
	return nil
}

// errClosed refuses a request before Start or after Shutdown.
var errClosed = errors.New("the processor is not running")

// ConsumeLogs merges the records into the state, stamps them, and passes them on when the
// state is stored. After an error the caller must send the records again.
func (p *callStitch) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if p.state == nil {
		return errClosed
	}
	var shared *sharedRequest
	if p.sharedNext != nil {
		shared = p.sharedNext.newRequest(ctx, logs)
	}
	write, err := p.mergeAndStamp(ctx, logs, shared)
	switch {
	case err != nil:
		return err
	case write == nil: // nothing to store
	case shared != nil:
		err := p.awaitShared(ctx, write, shared)
		separately := errors.Is(err, errSendSeparately)
		if separately || err != nil && ctx.Err() == nil { // a request whose context ended may not have its answer yet
			restorePayload(shared, logs)
		}
		if !separately {
			return err
		}
	default:
		if err := write.wait(ctx); err != nil {
			return err
		}
	}
	return p.next.ConsumeLogs(ctx, logs)
}

// awaitShared waits until a request is stored and passed on together with others. It returns
// errSendSeparately if the caller must pass the request on alone.
func (p *callStitch) awaitShared(ctx context.Context, w *write, shared *sharedRequest) error {
	err := shared.Wait(ctx)
	if err == nil || ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	select {
	case <-w.done:
		return fmt.Errorf("wait for the next consumer: %w", err)
	default:
		return fmt.Errorf("%w: %w", errStorage, err)
	}
}

// mergeAndStamp merges and stamps the records. It returns the write that stores the changes,
// nil if there is nothing to store. If shared is not nil, the committer passes it on after
// that write.
func (p *callStitch) mergeAndStamp(ctx context.Context, logs plog.Logs, shared *sharedRequest) (*write, error) {
	r := p.calls.Get().(*consumeCall)
	r.ctx = ctx
	defer func() {
		r.ctx = nil
		r.reader.reset()
		p.calls.Put(r)
	}()
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if err := p.committer.backlogError(); err != nil {
		return nil, err
	}
	changed, err := r.reader.merge(logs, r)
	p.wakeIfEarlier()
	if err != nil {
		return nil, p.wrapFull(err)
	}
	if err := r.reader.stamp(r); err != nil {
		return nil, err
	}
	if p.state.engine.HasTraceChanges() {
		p.sender.wake()
	}
	if !changed {
		return nil, nil
	}
	w := p.committer.writeOfCurrentState()
	if w != nil && shared != nil {
		w.requests = append(w.requests, shared)
	}
	return w, nil
}

// wakeIfEarlier wakes the advancer if a deadline is earlier than its timer. It does nothing if
// the processor stopped while the lock was yielded. The caller holds state.mu.
func (p *callStitch) wakeIfEarlier() {
	if !p.closed {
		p.advancer.wakeIfEarlier()
	}
}

// wrapFull adds advice to stitch.ErrFull.
func (p *callStitch) wrapFull(err error) error {
	if !errors.Is(err, stitch.ErrFull) {
		return err
	}
	p.sender.wake()
	return fmt.Errorf("%w: max_objects (%d) is reached. The oldest objects are being sent to make room: "+
		"send again; raise max_objects or lower max_open if this lasts", err, p.config.MaxObjects)
}

// consumeCall is one call of ConsumeLogs. It yields the state's lock to other calls.
type consumeCall struct {
	reader requestReader
	p      *callStitch
	ctx    context.Context //nolint:containedctx // of the current call of ConsumeLogs
}

var _ lockYielder = (*consumeCall)(nil)

func (r *consumeCall) now() time.Time { return r.p.state.clock.now() }

// yield lets others use the state. The caller holds state.mu before and after.
func (r *consumeCall) yield() error {
	r.p.wakeIfEarlier()
	r.p.state.mu.Unlock()
	letWaitersRun()
	r.p.state.mu.Lock()
	if r.p.closed {
		return errClosed
	}
	return r.ctx.Err()
}

// maxWaitForRoom is how long a request waits for room.
const maxWaitForRoom = 5 * time.Second

// waitForRoom waits until objects are emitted, if the request has merged more records than half of
// max_objects: at a retry it would find no room either. For a smaller request it returns false
// at once. The caller holds state.mu before and after.
func (r *consumeCall) waitForRoom(records int) bool {
	if records <= r.p.config.MaxObjects/2 {
		return false
	}
	room := r.p.state.room
	r.p.sender.wake()
	r.p.state.mu.Unlock()
	defer r.p.state.mu.Lock()
	timer := time.NewTimer(maxWaitForRoom)
	defer timer.Stop()
	select {
	case <-room:
		return true // after a stop the next yield ends the request
	case <-timer.C:
		return false
	case <-r.ctx.Done():
		return false
	}
}

// lastWriteTimeout is how long the last write may exceed shutdown_timeout.
const lastWriteTimeout = 500 * time.Millisecond

// Shutdown sends pending records and stores the rest; without storage it sends open objects as
// incomplete. It takes at most shutdown_timeout plus a fixed margin, even if the next consumer
// or the storage does not return. Afterwards nothing is consumed or stored, except by calls
// that did not return. Shutdown may be called without Start, and more than once.
func (p *callStitch) Shutdown(ctx context.Context) error {
	// The Collector sets no deadline.
	ctx, cancel := context.WithTimeout(ctx, p.config.ShutdownTimeout)
	defer cancel()
	var errs error
	if p.advancer != nil {
		p.refuseRequests()
		p.advancer.stopAndFlush()
		p.sender.stopAndSendRest(ctx)
		p.advancer = nil
	}
	if p.committer != nil {
		errs = p.stopCommitter(ctx)
		p.committer = nil
	}
	if p.sharedNext != nil {
		errs = errors.Join(errs, p.stopSharing(ctx))
	}
	if p.cancel != nil {
		p.cancel()
	}
	errs = errors.Join(errs, p.waitBounded(ctx, "goroutines", p.wg.Wait))
	if p.segmentLog != nil {
		var err error
		client := p.segmentLog.client
		errs = errors.Join(errs, p.waitBounded(ctx, "storage client", func() { err = client.Close(context.WithoutCancel(ctx)) }))
		if errs == nil {
			errs = err
		}
		p.segmentLog = nil
	}
	p.telemetry.Shutdown()
	if p.holdsConfig {
		runningConfigs.release(p.config)
		p.holdsConfig = false
	}
	return errs
}

// waitBounded waits for a call that may not return. It returns an error when shutdown_timeout
// and a margin are over.
func (p *callStitch) waitBounded(ctx context.Context, what string, call func()) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		call()
	}()
	if !waitDone(ctx, done) {
		return fmt.Errorf("shutdown_timeout (%s) is over and the %s did not end: it is left behind", p.config.ShutdownTimeout, what)
	}
	return nil
}

func (p *callStitch) refuseRequests() {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	p.closed = true
}

// stopSharing refuses waiting requests and waits for the running calls of the next consumer. A
// refused request is stored already; merging it again changes nothing.
func (p *callStitch) stopSharing(ctx context.Context) error {
	p.sharedNext.group.Close(errClosed)
	defer context.AfterFunc(ctx, p.cancel)()
	return p.waitBounded(ctx, "calls of the next consumer", p.sharedNext.group.Wait)
}

// stopCommitter writes the last changes. The write may exceed shutdown_timeout by
// lastWriteTimeout.
func (p *callStitch) stopCommitter(ctx context.Context) error {
	lastWriteCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(lastWriteTimeout, func() {
			cancel()
			p.cancel()
		})
	})
	defer stop()
	return p.committer.stopAndWait(lastWriteCtx)
}
