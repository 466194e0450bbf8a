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
	state     *state
	journal   *journal
	sharing   *sharing
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	complaint rarely

	kicked chan struct{} // there is something to write
	stop   chan struct{}
	ended  chan struct{}

	// Guarded by state.mu.
	coming  *write // not yet begun: what changes now will be in it
	going   *write // under way; nil if none is
	failure error  // of the last write; nil if it was stored
}

const (
	// writeAgain is how long after a write that failed the next one is tried,
	// if nobody wants one earlier.
	writeAgain = time.Second
	// maxDue is how much may wait for a storage that fails, in bytes, before
	// nothing more is taken.
	maxDue = 32 << 20
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

func newCommitter(s *state, j *journal, to *sharing, logger *zap.Logger, telemetry *metadata.TelemetryBuilder) *committer {
	return &committer{
		state: s, journal: j, sharing: to, logger: logger, telemetry: telemetry,
		kicked: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
		coming: newWrite(),
	}
}

// due returns the write after which all of the state as it is now is stored,
// and has it begun; nil if it is stored already. The caller holds state.mu.
func (c *committer) due() *write {
	switch {
	case c == nil:
		return nil
	case c.state.engine.HasChanges() || len(c.journal.due) > 0:
		c.kick()
		return c.coming
	default:
		return c.going
	}
}

// settle returns when the state as it is now is stored.
func (c *committer) settle(ctx context.Context) error {
	if c == nil {
		return nil
	}
	c.state.mu.Lock()
	due := c.due()
	c.state.mu.Unlock()
	return due.wait(ctx)
}

// overdue returns an error when the storage has failed for so long that nothing
// more may be taken. The caller holds state.mu.
func (c *committer) overdue() error {
	if c == nil || c.failure == nil || len(c.journal.due) < maxDue {
		return nil
	}
	c.kick()
	return c.failure
}

// kick has the state written soon.
func (c *committer) kick() {
	if c == nil {
		return
	}
	select {
	case c.kicked <- struct{}{}:
	default:
	}
}

// run writes until finish.
func (c *committer) run(ctx context.Context) {
	defer close(c.ended)
	again := time.NewTimer(writeAgain)
	again.Stop()
	defer again.Stop()
	for {
		select {
		case <-c.kicked:
		case <-again.C:
		case <-c.stop:
			_ = c.write(ctx) // failure says it
			return
		}
		if c.write(ctx) != nil {
			again.Reset(writeAgain)
		}
	}
}

// finish has the last of the state written and ends run. It returns why that
// could not be stored. A storage that does not come back is left behind.
func (c *committer) finish(ctx context.Context) error {
	close(c.stop)
	if !comesBack(ctx, c.ended) {
		return fmt.Errorf("%w: the storage does not come back", errStorage)
	}
	return c.failure
}

// write writes what changed. What could not be written stays due.
func (c *committer) write(ctx context.Context) error {
	c.state.mu.Lock()
	w := c.coming
	c.coming, c.going = newWrite(), w
	segment := c.journal.begin()
	for left := c.state.engine.CountUnwrittenChanges(); ; {
		before := c.state.engine.CountUnwrittenChanges()
		segment = c.journal.add(segment, c.state.engine)
		if left -= before - c.state.engine.CountUnwrittenChanges(); left <= 0 {
			break
		}
		// Much has changed: whoever waits for the engine gets a turn. What they
		// change meanwhile is for the next write, whether it is in this one or not.
		c.state.mu.Unlock()
		c.state.mu.Lock()
	}
	segment = c.journal.finish(segment, c.state.engine)
	c.state.mu.Unlock()

	parts := 0
	if len(segment) > 0 {
		var err error
		if parts, err = c.journal.store(ctx, segment); err != nil {
			w.err = fmt.Errorf("%w: %w", errStorage, err)
			c.complain(ctx, err)
		}
	}

	c.state.mu.Lock()
	if w.err == nil {
		c.journal.stored(segment, parts)
	} else {
		c.journal.failed(segment)
	}
	c.going, c.failure = nil, w.err
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

func (c *committer) complain(ctx context.Context, err error) {
	c.telemetry.ProcessorCallstitchStorageFailures.Add(ctx, 1)
	if c.complaint.allows(c.state.clock.now()) {
		c.logger.Error("State not stored; requests are refused, and their senders keep the records, until it is", zap.Error(err))
	}
}
