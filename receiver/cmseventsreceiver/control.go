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
	// minRequestInterval is the least time between two requests, so that calls that begin
	// one after the other share a request.
	minRequestInterval = 100 * time.Millisecond
	// ackTimeout is how long a server may take to acknowledge a request.
	ackTimeout = 10 * time.Second
	// listTimeout is how long a server may take to begin its list of calls.
	listTimeout = 30 * time.Second
	// refusedDelay is the first delay after a refused request.
	refusedDelay = 5 * time.Second
	// standstillInterval is how often controlRequests checks the clocks, maxStandstill how
	// long this process may stand still.
	standstillInterval = 2 * time.Second
	maxStandstill      = 5 * time.Second
)

// requestState is the state of the requests on one connection.
type requestState struct {
	nextID     int64 // message id of the next request
	setVersion uint64
	set        []events.Subscription
	resend     bool      // send a request even if the set has not changed
	pendingID  int64     // id of the request without an acknowledgement; 0: none
	answerBy   time.Time // deadline of the acknowledgement
	notBefore  time.Time // earliest time of the next request
	refusals   int       // refused requests in a row
	buffer     []byte
}

// controlRequests sends subscription requests and detects a dead peer. It returns when the
// connection has ended or must end.
func (c *connection) controlRequests(ctx context.Context) *failure {
	state := requestState{nextID: 1, resend: true}
	beginBy := time.Now().Add(listTimeout)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		heard := time.Unix(0, c.lastHeard.Load())
		switch {
		case state.pendingID != 0 && !now.Before(state.answerBy):
			return newFailure(reasonUnacknowledged, "a request was not acknowledged within %s", ackTimeout)
		case c.socketIndex == 0 && !c.listActive.Load() && !now.Before(beginBy), c.socketIndex == 0 && c.listIsLate(now):
			return newFailure(reasonInactive, "the server did not begin its list of calls within %s", listTimeout)
		case state.pendingID == 0 && now.Sub(heard) >= c.server.config.ProbeAfter:
			if failed := c.probeServer(ctx); failed != nil {
				return failed
			}
			state.resend = true // the acknowledgement proves that the socket works
			c.lastHeard.Store(time.Now().UnixNano())
		}
		if state.pendingID == 0 && !now.Before(state.notBefore) {
			if err := c.sendRequest(ctx, &state); err != nil {
				return c.endCause(ctx, newReadFailure(err))
			}
		}

		due := time.Now()
		if next := c.nextCheck(&state, now, heard, beginBy); next.After(due) {
			due = next
		}
		timer.Reset(time.Until(due))
		select {
		case <-c.subscriptionsChanged:
		case answer := <-c.answers:
			c.handleAck(&state, answer)
		case <-timer.C:
		case <-ctx.Done():
			return c.endCause(ctx, nil)
		}
		if late := lateness(due, time.Now()); late > maxStandstill {
			return c.endCause(ctx, newFailure(reasonStalled, "this process stood still for %s", late.Round(time.Second)))
		}
	}
}

// nextCheck returns the earliest time at which controlRequests has something to do, unless a
// message comes first. heard is the time of the last message, beginBy the deadline of the list.
func (c *connection) nextCheck(state *requestState, now, heard, beginBy time.Time) time.Time {
	next := heard.Add(c.server.config.ProbeAfter)
	sooner := func(t time.Time) {
		if t.Before(next) {
			next = t
		}
	}
	switch {
	case state.pendingID != 0:
		next = state.answerBy
	case state.notBefore.After(now):
		sooner(state.notBefore)
	}
	if c.socketIndex == 0 && !c.listActive.Load() {
		sooner(beginBy)
	}
	sooner(now.Add(standstillInterval))
	return next
}

// lateness is how much later than due it is. A server stops sending to a client that does
// not acknowledge for some time, but still answers requests. So a process that stood still
// must reconnect. A paused machine shows on the wall clock only, and a
// wall clock that was set back hides a stopped process, so lateness uses both clocks.
func lateness(due, now time.Time) time.Duration {
	return max(now.Sub(due), now.Round(0).Sub(due.Round(0)))
}

// endCause returns the failure that readMessages reported, if any: it sees the cause first.
// Otherwise it returns fallback.
func (*connection) endCause(ctx context.Context, fallback *failure) *failure {
	if failed, ok := context.Cause(ctx).(*failure); ok && failed != nil { //nolint:errorlint // the cause is never wrapped
		return failed
	}
	if fallback == nil {
		fallback = newFailure(reasonClosed, "stopped")
	}
	return fallback
}

// sendRequest sends the complete set of subscriptions if it changed or must be resent.
func (c *connection) sendRequest(ctx context.Context, state *requestState) error {
	set, version, changed := c.server.hub.subscriptionSet(c.server.index, c.socketIndex, state.setVersion)
	if changed {
		state.set, state.setVersion = set, version
	} else if !state.resend {
		return nil
	}
	state.buffer = events.AppendSubscribeRequest(state.buffer[:0], state.nextID, state.set)
	bounded, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	now := time.Now()
	state.pendingID, state.answerBy, state.notBefore, state.resend = state.nextID, now.Add(ackTimeout), now.Add(minRequestInterval), false
	state.nextID++
	return c.conn.Write(bounded, websocket.MessageText, state.buffer)
}

// handleAck handles the acknowledgement of a request. Statuses other than "success" exist,
// but their meaning is not documented. After such a status the request is repeated, with
// growing delays.
func (c *connection) handleAck(state *requestState, answer answer) {
	if answer.id != state.pendingID {
		return
	}
	state.pendingID = 0
	if answer.success {
		state.refusals = 0
		c.server.hub.requestAccepted(c.server.index, c.socketIndex)
		c.refusing.Store(false)
		if !c.server.anySocketRefused() { // otherwise another socket still has the problem
			c.server.health.report(c.server, problemRefused, nil)
		}
		if c.socketIndex > 0 {
			c.markUseful()
		}
		return
	}
	delay := refusedDelay << min(state.refusals, 3)
	leftOut, worthTrying := c.server.hub.requestRefused(c.server.index, c.socketIndex)
	if state.refusals++; worthTrying {
		delay = refusedDelay
	}
	if state.refusals > 1 {
		c.refusing.Store(true)
		c.server.health.report(c.server, problemRefused, fmt.Errorf("socket %d: refused %d times; the next request leaves out %v", c.socketIndex, state.refusals, leftOut))
	}
	c.server.logger.Debug("A request for subscriptions was refused", zap.Duration("wait", delay), zap.Strings("left_out", leftOut))
	state.resend, state.notBefore = true, time.Now().Add(delay)
}

// listIsLate reports whether the server accepted the subscription to its list of calls and
// does not begin the list.
func (c *connection) listIsLate(now time.Time) bool {
	since := c.server.hub.listPendingSince(c.server.index)
	return !since.IsZero() && now.Sub(since) >= listTimeout
}

// probeServer checks whether a silent server is reachable. A half-open socket looks like a
// quiet server, and servers answer no pings.
func (c *connection) probeServer(ctx context.Context) *failure {
	if err := c.server.account.checkReachable(ctx); err != nil {
		return c.endCause(ctx, newFailure(reasonSilent, "no message for %s, and the API does not answer: %w", c.server.config.ProbeAfter, err))
	}
	return nil
}
