// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
)

// problem is a condition that makes the state of a server incomplete.
type problem uint8

const (
	problemDisconnected problem = iota // the first socket is not connected
	problemUnauthorized                // the API answers 401 or 403
	problemMalformed                   // messages cannot be decoded
	problemLeftOut                     // the server refuses elements, which requests leave out
	problemPending                     // subscriptions never become active
	problemQueueFull                   // event records exceed the queue
	problemRefused                     // the server refuses requests
	problemSockets                     // further sockets do not connect
	problemStateFull                   // calls or participants exceed max_state_size
	problemCount
)

// problemInfo has, for each problem, its label in metrics, its log message, and whether the
// component stays healthy.
var problemInfo = [problemCount]struct {
	name, message string
	healthy       bool
}{
	problemDisconnected: {name: "disconnected", message: "No events from the Call Bridge; reconnecting"},
	problemUnauthorized: {name: "unauthorized", message: "The Call Bridge refuses the account; requests pause for some minutes, because Call Bridges lock accounts. Correct username, password or role"},
	problemMalformed:    {name: "malformed", message: "The Call Bridge sends messages that cannot be decoded; their subscriptions are renewed with growing delays"},
	problemLeftOut:      {name: "left_out", message: "The Call Bridge refuses some elements; requests leave them out", healthy: true},
	problemPending:      {name: "pending", message: "The Call Bridge does not begin subscriptions of calls; they are retried with growing delays"},
	problemQueueFull:    {name: "queue_full", message: "The queue is full; the difference is reported when it has room"},
	problemRefused:      {name: "refused", message: "The Call Bridge refuses a request for subscriptions; retrying"},
	problemSockets:      {name: "sockets", message: "Further sockets do not connect; calls that do not fit on the connected sockets are not watched"},
	problemStateFull:    {name: "state_full", message: "Calls, participants or text exceed max_state_size; further ones are ignored"},
}

// health reports the component status for all servers together, on change: OK while no server
// has a problem.
type health struct {
	host component.Host

	mu          sync.Mutex
	problems    map[*server]*[problemCount]error // errors by problem; nil: no such problem
	lastReasons map[*server]disconnectReason     // last logged reason of a disconnected server
	unhealthy   bool                             // last reported status
}

func newHealth(host component.Host) *health {
	return &health{host: host, problems: make(map[*server]*[problemCount]error), lastReasons: make(map[*server]disconnectReason)}
}

// reportDisconnected records that the first socket of a server is not connected. It logs a
// reason once until it changes.
func (h *health) reportDisconnected(srv *server, f *failure) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if former, known := h.lastReasons[srv]; known && former == f.reason {
		return
	}
	h.lastReasons[srv] = f.reason
	level := srv.logger.Warn
	if f.reason == reasonUnauthorized {
		level = srv.logger.Error
	}
	level(problemInfo[problemDisconnected].message, zap.String("reason", reasonNames[f.reason]), zap.Error(f))
	h.setProblem(srv, problemDisconnected, f)
}

// reportConnected records that the first socket of a server is connected.
func (h *health) reportConnected(srv *server) {
	h.mu.Lock()
	defer h.mu.Unlock()
	srv.logger.Info("Following the events of the Call Bridge")
	delete(h.lastReasons, srv)
	h.setProblem(srv, problemDisconnected, nil)
}

// report records that a server has a problem; a nil err means that the problem is over. It
// logs both, each once.
func (h *health) report(srv *server, p problem, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	had := h.problemsOf(srv)[p] != nil
	switch name := zap.String("problem", problemInfo[p].name); {
	case err != nil && !had && p == problemUnauthorized:
		srv.logger.Error(problemInfo[p].message, name, zap.Error(err))
	case err != nil && !had:
		srv.logger.Warn(problemInfo[p].message, name, zap.Error(err))
	case err == nil && had:
		srv.logger.Info("The problem is over", name)
	}
	h.setProblem(srv, p, err)
}

func (h *health) problemsOf(srv *server) *[problemCount]error {
	if h.problems[srv] == nil {
		h.problems[srv] = new([problemCount]error)
	}
	return h.problems[srv]
}

// setProblem stores the problem, and reports the component status if it changes.
func (h *health) setProblem(srv *server, p problem, err error) {
	all := h.problemsOf(srv)
	before := all[p]
	all[p] = err
	if problemInfo[p].healthy {
		return
	}
	if err != nil {
		var former, now *failure
		if before == nil || errors.As(before, &former) && errors.As(err, &now) && former.reason != now.reason {
			h.unhealthy = true
			componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(statusError(srv, p, err)))
		}
		return
	}
	if !h.unhealthy || before == nil || h.anyProblem() {
		return
	}
	h.unhealthy = false
	componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
}

// anyProblem reports whether a server has a problem that makes the component unhealthy.
func (h *health) anyProblem() bool {
	for _, open := range h.problems {
		for p, err := range open {
			if err != nil && !problemInfo[p].healthy {
				return true
			}
		}
	}
	return false
}

func statusError(srv *server, p problem, err error) error {
	if p == problemDisconnected {
		return fmt.Errorf("no events from %s: %w", srv.address, err)
	}
	return fmt.Errorf("%s: %s: %w", srv.address, problemInfo[p].name, err)
}

// activeProblems returns which problems a server has.
func (h *health) activeProblems(srv *server) (all [problemCount]bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for p, err := range h.problemsOf(srv) {
		all[p] = err != nil
	}
	return all
}
