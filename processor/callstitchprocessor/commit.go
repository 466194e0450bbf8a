// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/legato-otel/legato/processor/callstitchprocessor/internal/metadata"
)

// errStorage wraps a failure to store the state. The request is refused, so its sender keeps
// the records.
var errStorage = errors.New("store the state of open calls")

// committer writes the state in a goroutine of its own, one write at a time. Requests that
// arrive during a write share the next one: a slow disk makes writes larger, not queues
// longer.
//
// A nil committer stores nothing.
type committer struct {
	state      *state
	segmentLog *segmentLog
	shared     *sharedConsumer
	logger     *zap.Logger
	telemetry  *metadata.TelemetryBuilder
	failureLog minuteLimiter

	writeRequested chan struct{} // there is something to write
	stop           chan struct{}
	ended          chan struct{}

	pause writePause // of run

	// Guarded by state.mu.
	nextWrite *write // not begun; it will contain the current changes
	inFlight  *write // nil if no write is in progress
	lastError error  // of the last write; nil if it succeeded
}

const (
	// retryInterval is how long after a failed write the next one starts, unless a request
	// starts it earlier.
	retryInterval = time.Second
	// maxUnwritten is how many bytes may wait for a failing storage before requests are
	// refused.
	maxUnwritten = 32 << 20
)

// write is a write of the state, begun or not. Any number of requests wait for it.
type write struct {
	done chan struct{}
	err  error // set before done is closed

	// requests are passed on after the write; guarded by state.mu.
	requests []*sharedRequest
}

func newWrite() *write { return &write{done: make(chan struct{})} }

// wait waits for the end of the write or of the context. A nil write has ended.
func (w *write) wait(ctx context.Context) error {
	if w == nil {
		return nil
	}
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errStorage, ctx.Err())
	}
}

func newCommitter(s *state, j *segmentLog, shared *sharedConsumer, logger *zap.Logger, telemetry *metadata.TelemetryBuilder) *committer {
	return &committer{
		state: s, segmentLog: j, shared: shared, logger: logger, telemetry: telemetry,
		writeRequested: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
		nextWrite: newWrite(),
	}
}

// writeOfCurrentState returns the write that stores the current state, and requests it unless it is
// in progress; nil if the state is stored. The caller holds state.mu.
func (c *committer) writeOfCurrentState() *write {
	switch {
	case c == nil:
		return nil
	case c.state.engine.HasChanges() || len(c.segmentLog.unwritten) > 0:
		c.requestWrite()
		return c.nextWrite
	default:
		return c.inFlight
	}
}

// waitStored waits until the current state is stored.
func (c *committer) waitStored(ctx context.Context) error {
	if c == nil {
		return nil
	}
	c.state.mu.Lock()
	w := c.writeOfCurrentState()
	c.state.mu.Unlock()
	return w.wait(ctx)
}

// backlogError returns the error of the last write if maxUnwritten bytes or more are
// unwritten, and requests another write. The caller holds state.mu.
func (c *committer) backlogError() error {
	if c == nil || c.lastError == nil || len(c.segmentLog.unwritten) < maxUnwritten {
		return nil
	}
	c.requestWrite()
	return c.lastError
}

// requestWrite makes run write soon.
func (c *committer) requestWrite() {
	if c == nil {
		return
	}
	select {
	case c.writeRequested <- struct{}{}:
	default:
	}
}

// run writes until stopAndWait.
func (c *committer) run(ctx context.Context) {
	defer close(c.ended)
	retry := time.NewTimer(retryInterval)
	retry.Stop()
	defer retry.Stop()
	for {
		select {
		case <-c.writeRequested:
			c.pause.wait(c.countNextRequests, c.stop)
		case <-retry.C:
		case <-c.stop:
			_ = c.writeChanges(ctx) // lastError keeps the error
			return
		}
		if c.writeChanges(ctx) != nil {
			retry.Reset(retryInterval)
		}
	}
}

// stopAndWait ends run after a last write, and returns that write's error. It does not wait
// for a storage longer than ctx allows and stopMargin.
func (c *committer) stopAndWait(ctx context.Context) error {
	close(c.stop)
	if !waitDone(ctx, c.ended) {
		return fmt.Errorf("%w: the storage did not answer in time", errStorage)
	}
	return c.lastError
}

// writeChanges stores the changes. After a failure they stay unwritten.
func (c *committer) writeChanges(ctx context.Context) error {
	c.pause.lastBegin = time.Now()
	c.state.mu.Lock()
	w := c.nextWrite
	c.nextWrite, c.inFlight = newWrite(), w
	segment := c.segmentLog.beginSegment()
	for left := c.state.engine.CountUnappendedChanges(); ; {
		before := c.state.engine.CountUnappendedChanges()
		segment = c.segmentLog.appendChanges(segment, c.state.engine)
		if left -= before - c.state.engine.CountUnappendedChanges(); left <= 0 {
			break
		}
		// Many objects have changed: let others take the lock. Requests that change the state
		// meanwhile wait for the next write, even if this one contains their changes.
		c.state.mu.Unlock()
		c.state.mu.Lock()
	}
	segment = c.segmentLog.appendSnapshotPiece(segment, c.state.engine)
	c.state.mu.Unlock()

	segmentParts := 0
	if len(segment) > 0 {
		var err error
		if segmentParts, err = c.segmentLog.store(ctx, segment); err != nil {
			w.err = fmt.Errorf("%w: %w", errStorage, err)
			c.logFailure(ctx, err)
		}
	}

	c.state.mu.Lock()
	if w.err == nil {
		c.segmentLog.markStored(segment, segmentParts)
	} else {
		c.segmentLog.keepUnwritten(segment)
	}
	c.inFlight, c.lastError = nil, w.err
	requests := w.requests
	w.requests = nil
	c.state.mu.Unlock()
	close(w.done)
	c.passOn(requests, w.err)
	return w.err
}

// passOn hands the requests of a finished write to the shared consumer, or answers them with the
// write's error.
func (c *committer) passOn(requests []*sharedRequest, err error) {
	switch {
	case len(requests) == 0:
	case err == nil:
		c.shared.group.Add(requests...)
	default:
		for _, r := range requests {
			r.Answer(err)
		}
	}
}

func (c *committer) logFailure(ctx context.Context, err error) {
	c.telemetry.ProcessorCallstitchStorageFailures.Add(ctx, 1)
	if c.failureLog.allow(c.state.clock.now()) {
		c.logger.Error("State not stored; until it is, requests are refused and their senders keep the records", zap.Error(err))
	}
}
