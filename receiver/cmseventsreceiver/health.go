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

// problem is something that keeps the picture of a server from being whole.
type problem uint8

const (
	disconnected     problem = iota // the first socket is not connected
	wrongCredentials                // the API answers 401 or 403
	damagedMessages                 // messages that cannot be read
	leftOutElements                 // the server refuses elements, and is not asked for them
	pendingCalls                    // subscriptions never become active
	overfullQueue                   // event records find no room
	refusedRequests                 // the server takes no request
	missingSockets                  // further sockets do not connect
	overfullState                   // calls or participants find no room
	problems
)

// problemTexts are the name of each problem in metrics, what the log says when it
// comes, and whether the component is well all the same.
var problemTexts = [problems]struct {
	name, appears string
	mild          bool
}{
	disconnected:     {name: "disconnected", appears: "No events from the Call Bridge; trying again"},
	wrongCredentials: {name: "unauthorized", appears: "The server refuses the account; no request for some minutes, because accounts get locked. Mend username, password or role"},
	damagedMessages:  {name: "malformed", appears: "The server sends messages that cannot be read; only what they are about is asked for again, ever less often"},
	leftOutElements:  {name: "left_out", appears: "The server refuses some elements, which are not asked for any more", mild: true},
	pendingCalls:     {name: "pending", appears: "The server does not begin subscriptions of calls; they are tried again, ever less often"},
	overfullQueue:    {name: "queue_full", appears: "The queue is full; what changes meanwhile is reported in short when there is room"},
	refusedRequests:  {name: "refused", appears: "The server does not take a request for subscriptions; trying again"},
	missingSockets:   {name: "sockets", appears: "Further sockets do not connect; the calls that have no room on the others are not followed"},
	overfullState:    {name: "state_full", appears: "More calls, participants or text than max_state_size has room for; what is above is left out"},
}

// health tells the host, on change, how the links fare together: well when none
// has a problem.
type health struct {
	host component.Host

	mu      sync.Mutex
	open    map[*link]*[problems]error // nil: no such problem
	failing map[*link]reason           // of disconnected
	ill     bool                       // as last reported
}

func newHealth(host component.Host) *health {
	return &health{host: host, open: make(map[*link]*[problems]error), failing: make(map[*link]reason)}
}

// failed says that a link has no connection. The same reason is logged once.
func (h *health) failed(l *link, f *failure) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if former, known := h.failing[l]; known && former == f.reason {
		return
	}
	h.failing[l] = f.reason
	level := l.logger.Warn
	if f.reason == unauthorized {
		level = l.logger.Error
	}
	level(problemTexts[disconnected].appears, zap.String("reason", reasonNames[f.reason]), zap.Error(f))
	h.set(l, disconnected, f)
}

// recovered says that a link has its connection.
func (h *health) recovered(l *link) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l.logger.Info("Following the events of the Call Bridge")
	delete(h.failing, l)
	h.set(l, disconnected, nil)
}

// report says that a link has a problem, or with nil that it has not. It is logged
// when it comes and when it goes.
func (h *health) report(l *link, p problem, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	had := h.of(l)[p] != nil
	switch name := zap.String("problem", problemTexts[p].name); {
	case err != nil && !had && p == wrongCredentials:
		l.logger.Error(problemTexts[p].appears, name, zap.Error(err))
	case err != nil && !had:
		l.logger.Warn(problemTexts[p].appears, name, zap.Error(err))
	case err == nil && had:
		l.logger.Info("The problem is over", name)
	}
	h.set(l, p, err)
}

func (h *health) of(l *link) *[problems]error {
	if h.open[l] == nil {
		h.open[l] = new([problems]error)
	}
	return h.open[l]
}

// set reports the component's status if it changes: a new problem, or none left.
func (h *health) set(l *link, p problem, err error) {
	all := h.of(l)
	before := all[p]
	all[p] = err
	if problemTexts[p].mild {
		return
	}
	if err != nil {
		var former, now *failure
		if before == nil || errors.As(before, &former) && errors.As(err, &now) && former.reason != now.reason {
			h.ill = true
			componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(statusError(l, p, err)))
		}
		return
	}
	if !h.ill || before == nil || h.anyProblem() {
		return
	}
	h.ill = false
	componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
}

// anyProblem tells whether a link has a problem that makes the component ill.
func (h *health) anyProblem() bool {
	for _, open := range h.open {
		for p, err := range open {
			if err != nil && !problemTexts[p].mild {
				return true
			}
		}
	}
	return false
}

func statusError(l *link, p problem, err error) error {
	if p == disconnected {
		return fmt.Errorf("no events from %s: %w", l.name, err)
	}
	return fmt.Errorf("%s: %s: %w", l.name, problemTexts[p].name, err)
}

// has tells whether a link has a problem.
func (h *health) has(l *link) (all [problems]bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for p, err := range h.of(l) {
		all[p] = err != nil
	}
	return all
}
