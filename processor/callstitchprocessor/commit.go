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

// errStorage is what a failure to store the state wraps. The sender keeps its
// records: an acknowledgement that is forgotten would be no promise.
var errStorage = errors.New("store the state of open calls")

// committer writes the state, in a goroutine of its own, one write at a time.
// Whoever comes while one is under way waits for the next one, together with all
// others: a slow disk makes writes larger, not queues longer.
//
// A nil committer stores nothing.
type committer struct {
	state      *state
	journal    *journal
	sharing    *sharedCalls
	logger     *zap.Logger
	telemetry  *metadata.TelemetryBuilder
	failureLog minuteLimiter

	writeRequested chan struct{} // there is something to write
	stop           chan struct{}
	ended          chan struct{}

	// Guarded by state.mu.
	nextWrite *write // not yet begun: what changes now will be in it
	inFlight  *write // under way; nil if none is
	lastError error  // of the last write; nil if it was stored
}

const (
	// retryInterval is how long after a write that failed the next one is tried,
	// if nobody wants one earlier.
	retryInterval = time.Second
	// maxUnwritten is how much may wait for a storage that fails, in bytes, before
	// nothing more is taken.
	maxUnwritten = 32 << 20
)

// write is one write that any number wait for.
type write struct {
	done chan struct{}
	err  error // set before done is closed

	// requests to be passed on when the write is over; guarded by state.mu.
	requests []*sharedRequest
}

func newWrite() *write { return &write{done: make(chan struct{})} }

// wait returns when the write is over, or the context. A nil write is over.
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

func newCommitter(s *state, j *journal, to *sharedCalls, logger *zap.Logger, telemetry *metadata.TelemetryBuilder) *committer {
	return &committer{
		state: s, journal: j, sharing: to, logger: logger, telemetry: telemetry,
		writeRequested: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
		nextWrite: newWrite(),
	}
}

// pendingWrite returns the write after which all of the state as it is now is stored,
// and has it begun; nil if it is stored already. The caller holds state.mu.
func (c *committer) pendingWrite() *write {
	switch {
	case c == nil:
		return nil
	case c.state.engine.HasChanges() || len(c.journal.unwritten) > 0:
		c.requestWrite()
		return c.nextWrite
	default:
		return c.inFlight
	}
}

// waitStored returns when the state as it is now is stored.
func (c *committer) waitStored(ctx context.Context) error {
	if c == nil {
		return nil
	}
	c.state.mu.Lock()
	due := c.pendingWrite()
	c.state.mu.Unlock()
	return due.wait(ctx)
}

// backlogError returns an error when the storage has failed for so long that nothing
// more may be taken. The caller holds state.mu.
func (c *committer) backlogError() error {
	if c == nil || c.lastError == nil || len(c.journal.unwritten) < maxUnwritten {
		return nil
	}
	c.requestWrite()
	return c.lastError
}

// requestWrite has the state written soon.
func (c *committer) requestWrite() {
	if c == nil {
		return
	}
	select {
	case c.writeRequested <- struct{}{}:
	default:
	}
}

// run writes until finish.
func (c *committer) run(ctx context.Context) {
	defer close(c.ended)
	again := time.NewTimer(retryInterval)
	again.Stop()
	defer again.Stop()
	for {
		select {
		case <-c.writeRequested:
		case <-again.C:
		case <-c.stop:
			_ = c.write(ctx) // failure says it
			return
		}
		if c.write(ctx) != nil {
			again.Reset(retryInterval)
		}
	}
}

// stopAndWait has the last of the state written and ends run. It returns why that
// could not be stored. A storage that does not come back is left behind.
func (c *committer) stopAndWait(ctx context.Context) error {
	close(c.stop)
	if !waitDone(ctx, c.ended) {
		return fmt.Errorf("%w: the storage does not come back", errStorage)
	}
	return c.lastError
}

// write writes what changed. What could not be written stays due.
func (c *committer) write(ctx context.Context) error {
	c.state.mu.Lock()
	w := c.nextWrite
	c.nextWrite, c.inFlight = newWrite(), w
	segment := c.journal.beginSegment()
	for left := c.state.engine.CountUnwrittenChanges(); ; {
		before := c.state.engine.CountUnwrittenChanges()
		segment = c.journal.appendChanges(segment, c.state.engine)
		if left -= before - c.state.engine.CountUnwrittenChanges(); left <= 0 {
			break
		}
		// Much has changed: whoever waits for the engine gets a turn. What they
		// change meanwhile is for the next write, whether it is in this one or not.
		c.state.mu.Unlock()
		c.state.mu.Lock()
	}
	segment = c.journal.appendSnapshotPiece(segment, c.state.engine)
	c.state.mu.Unlock()

	parts := 0
	if len(segment) > 0 {
		var err error
		if parts, err = c.journal.store(ctx, segment); err != nil {
			w.err = fmt.Errorf("%w: %w", errStorage, err)
			c.logFailure(ctx, err)
		}
	}

	c.state.mu.Lock()
	if w.err == nil {
		c.journal.markStored(segment, parts)
	} else {
		c.journal.keepUnwritten(segment)
	}
	c.inFlight, c.lastError = nil, w.err
	requests := w.requests
	w.requests = nil
	c.state.mu.Unlock()
	close(w.done)
	c.passOn(requests, w.err)
	return w.err
}

// passOn has requests passed on whose write is over, all that were stored together
// in one call.
func (c *committer) passOn(requests []*sharedRequest, err error) {
	switch {
	case len(requests) == 0:
	case err == nil:
		c.sharing.group.Add(requests...)
	default:
		for _, r := range requests {
			r.Answer(err)
		}
	}
}

func (c *committer) logFailure(ctx context.Context, err error) {
	c.telemetry.ProcessorCallstitchStorageFailures.Add(ctx, 1)
	if c.failureLog.allow(c.state.clock.now()) {
		c.logger.Error("State not stored; requests are refused, and their senders keep the records, until it is", zap.Error(err))
	}
}
