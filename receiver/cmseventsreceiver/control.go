// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"fmt"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/meetingserver/events"
)

const (
	// between is the least time between two requests, so that calls that come
	// one after the other share one.
	between = 100 * time.Millisecond
	// ackTimeout is how long a server may take to acknowledge a request.
	ackTimeout = 10 * time.Second
	// beginTimeout is how long it may take to announce its calls.
	beginTimeout = 30 * time.Second
	// refusedPause is how long a request that was not taken waits, at first.
	refusedPause = 5 * time.Second
	// watchEvery is how often control looks whether the process stands still,
	// and standstill for how long it may.
	watchEvery = 2 * time.Second
	standstill = 5 * time.Second
)

// asking is what one connection asks for.
type asking struct {
	next     int64 // id of the next request
	version  uint64
	set      []events.Subscription
	due      bool  // to be sent, whatever its version
	open     int64 // id of the request that is not answered; 0 for none
	answerBy time.Time
	notUntil time.Time
	refusals int
	buffer   []byte
}

// control sends requests, and finds out that the peer is not there any more. It
// returns when the connection has ended or should.
func (c *session) control(ctx context.Context) *failure {
	a := asking{next: 1, due: true}
	beginBy := time.Now().Add(beginTimeout)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		heard := time.Unix(0, c.heard.Load())
		switch {
		case a.open != 0 && !now.Before(a.answerBy):
			return fail(unacknowledged, "a request was not acknowledged within %s", ackTimeout)
		case c.slot == 0 && !c.live.Load() && !now.Before(beginBy), c.slot == 0 && c.listIsLate(now):
			return fail(inactive, "the server did not announce its calls within %s", beginTimeout)
		case a.open == 0 && now.Sub(heard) >= c.link.config.ProbeAfter:
			if failed := c.probe(ctx); failed != nil {
				return failed
			}
			a.due = true // its answer comes through the socket itself
			c.heard.Store(time.Now().UnixNano())
		}
		if a.open == 0 && !now.Before(a.notUntil) {
			if err := c.ask(ctx, &a); err != nil {
				return c.ended(ctx, readFailure(err))
			}
		}

		next := heard.Add(c.link.config.ProbeAfter)
		sooner := func(t time.Time) {
			if t.Before(next) {
				next = t
			}
		}
		switch {
		case a.open != 0:
			next = a.answerBy
		case a.notUntil.After(now):
			sooner(a.notUntil)
		}
		if c.slot == 0 && !c.live.Load() {
			sooner(beginBy)
		}
		sooner(now.Add(watchEvery))
		due := time.Now()
		if next.After(due) {
			due = next
		}
		timer.Reset(time.Until(due))
		select {
		case <-c.subscriptions:
		case answer := <-c.acks:
			c.answered(&a, answer)
		case <-timer.C:
		case <-ctx.Done():
			return c.ended(ctx, nil)
		}
		if late := lateness(due, time.Now()); late > standstill {
			return c.ended(ctx, fail(stalled, "this process stood still for %s", late.Round(time.Second)))
		}
	}
}

// lateness is how much later it is than planned. A server that is not
// acknowledged for some time, nobody knows how long, says nothing any more, while
// it still answers requests: the connection would be followed in vain for ever.
// The wall clock tells of a virtual machine that was paused, the other one of a
// process that was.
func lateness(due, now time.Time) time.Duration {
	return max(now.Sub(due), now.Round(0).Sub(due.Round(0)))
}

// ended prefers the reason that the reader gave: it knows first.
func (*session) ended(ctx context.Context, otherwise *failure) *failure {
	if failed, ok := context.Cause(ctx).(*failure); ok && failed != nil { //nolint:errorlint // it is set as it is
		return failed
	}
	if otherwise == nil {
		otherwise = fail(closed, "stopped")
	}
	return otherwise
}

// ask sends the complete set of subscriptions if it changed.
func (c *session) ask(ctx context.Context, a *asking) error {
	set, version, changed := c.link.hub.request(c.link.index, c.slot, a.version)
	if changed {
		a.set, a.version = set, version
	} else if !a.due {
		return nil
	}
	a.buffer = events.AppendSubscribeRequest(a.buffer[:0], a.next, a.set)
	bounded, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	now := time.Now()
	a.open, a.answerBy, a.notUntil, a.due = a.next, now.Add(ackTimeout), now.Add(between), false
	a.next++
	return c.conn.Write(bounded, websocket.MessageText, a.buffer)
}

// answered takes an acknowledgement. One that is not "success" is documented to
// exist, but not what it means: the request is sent again, ever less often.
func (c *session) answered(a *asking, answer ack) {
	if answer.id != a.open {
		return
	}
	a.open = 0
	if answer.success {
		a.refusals = 0
		c.link.hub.asked(c.link.index, c.slot)
		c.refusing.Store(false)
		if !c.link.refusing() { // else another socket has the problem
			c.link.health.report(c.link, refusedRequests, nil)
		}
		if c.slot > 0 {
			c.nowUseful()
		}
		return
	}
	pause := refusedPause << min(a.refusals, 3)
	leftOut, worthTrying := c.link.hub.refused(c.link.index, c.slot)
	if a.refusals++; worthTrying {
		pause = refusedPause
	}
	if a.refusals > 1 {
		c.refusing.Store(true)
		c.link.health.report(c.link, refusedRequests, fmt.Errorf("refused %d times on socket %d; left out next: %v", a.refusals, c.slot, leftOut))
	}
	c.link.logger.Debug("A request for subscriptions was refused", zap.Duration("wait", pause), zap.Strings("left_out", leftOut))
	a.due, a.notUntil = true, time.Now().Add(pause)
}

// listIsLate tells whether the server took a request for its calls, and does not
// begin to announce them.
func (c *session) listIsLate(now time.Time) bool {
	since := c.link.hub.listPending(c.link.index)
	return !since.IsZero() && now.Sub(since) >= beginTimeout
}

// probe asks a silent server whether it is there. A half-open socket looks like
// a quiet server, and the server answers no pings.
func (c *session) probe(ctx context.Context) *failure {
	if err := c.link.account.reachable(ctx); err != nil {
		return c.ended(ctx, fail(silent, "nothing came for %s, and the API does not answer: %w", c.link.config.ProbeAfter, err))
	}
	return nil
}
