// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"math"
	"time"

	"go.uber.org/zap"
)

// A stop may take seconds, not minutes. Without storage the sender therefore isolates refused
// records without a pause: it halves a refused batch at once, and sets a single record aside
// on its first refusal. It pauses only after maxConsecutiveRefusals.

const (
	// maxConsecutiveRefusals is how many consecutive refusals make the sender pause. Nine
	// refusals halve a full batch to a single record. The others allow for further records
	// that are refused.
	maxConsecutiveRefusals = 32
	// Back-off of the last retries of a stop.
	firstStopRetry, longestStopRetry = 100 * time.Millisecond, time.Second
)

// stopAndSendRest ends run and sends all pending records. With storage it stops at the first
// refusal, because the records are stored; otherwise it retries until the context ends. It
// does not wait for a next consumer that does not return.
func (s *sender) stopAndSendRest(ctx context.Context) {
	close(s.stop)
	stop := context.AfterFunc(ctx, s.cancel)
	ended := waitDone(ctx, s.ended)
	stop()
	s.cancel()
	var err error
	if ended {
		err = s.sendLast(ctx)
	}
	switch pending := s.state.stats().PendingEmit; {
	case pending == 0:
	case s.committer != nil:
		s.logger.Info("Stitched records not sent before the stop; they are stored, and sent after the next start", zap.Int("pending", pending), zap.Error(err))
	default:
		s.logger.Error("Stitched records lost: they could not be sent before the stop, and there is no storage", zap.Int("pending", pending), zap.Error(err))
	}
}

// sendLast sends all pending records before a stop. It returns the reason if some are left.
func (s *sender) sendLast(ctx context.Context) error {
	sent := make(chan struct{})
	var last error
	go func() {
		defer close(sent)
		if s.committer != nil {
			last = s.sendAll(ctx, 1).err
			return
		}
		last = s.sendUntilEmpty(ctx)
	}()
	if !waitDone(ctx, sent) {
		return ctx.Err()
	}
	return last
}

// sendUntilEmpty sends until the next consumer has accepted or permanently refused all
// records, or the context ends. It returns the reason if some are left.
func (s *sender) sendUntilEmpty(ctx context.Context) error {
	s.unsentAreLost = true
	s.pendingRetry.reset() // refusals before the stop do not count
	pause := newRetrySchedule(firstStopRetry, longestStopRetry)
	for {
		r := s.sendAll(ctx, maxConsecutiveRefusals)
		if s.state.stats().PendingEmit == 0 {
			return nil
		}
		if r.progressed {
			pause.reset()
		}
		if !sleep(ctx, pause.scheduleRetry(time.Time{})) {
			return r.err
		}
	}
}

// sendAll sends trace change events, pending records, and each set-aside record once. It stops
// when the next consumer has refused maxRefusals attempts in a row.
func (s *sender) sendAll(ctx context.Context, maxRefusals int) *retryRound {
	r := &retryRound{maxRefusals: maxRefusals}
	r.send(ctx, math.MaxInt, s.sendTraceChanges)
	r.send(ctx, math.MaxInt, s.sendPending)
	r.send(ctx, s.state.stats().CurrentlySetAside, s.sendSetAside)
	return r
}

// retryRound is a series of attempts without a pause.
type retryRound struct {
	maxRefusals int   // consecutive refusals that end it
	refusals    int   // refusals since the last success
	progressed  bool  // the next consumer accepted something, or refused it with a permanent error
	err         error // the last refusal, or the error of the context
}

// send sends until nothing is left, tries are used up, or the round ends.
func (r *retryRound) send(ctx context.Context, tries int, send func(context.Context) (more bool, err error)) {
	for ; tries > 0 && r.refusals < r.maxRefusals; tries-- {
		if err := ctx.Err(); err != nil {
			r.err = err
			return
		}
		more, err := send(ctx)
		switch {
		case err != nil:
			r.refusals++
			r.err = err
		case !more:
			return
		default:
			r.refusals = 0
			r.progressed = true
		}
	}
}
