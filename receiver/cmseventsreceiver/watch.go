// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// watchInterval is how often watchProblems checks a link.
	watchInterval = 5 * time.Second
	// socketTimeout is how long a further socket may take to connect.
	socketTimeout = 30 * time.Second
)

// watchProblems reports the problems of a link until ctx ends, and requests an unknown
// identity. It notices each problem within a minute.
func (l *link) watchProblems(ctx context.Context) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	var missingSince time.Time
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if l.sockets[0].state.Load() == stateRunning {
			l.learnIdentity(ctx) // the API may not have been ready when the socket connected
		}
		p := l.hub.problems(l.index)
		l.reportProblem(problemMalformed, p.Damaged, "messages of the last minutes could not be decoded")
		l.reportProblem(problemLeftOut, len(p.LeftOut) > 0, "left out: %s", strings.Join(p.LeftOut, ", "))
		l.reportProblem(problemPending, p.Pending > 0, "subscriptions of %d calls stay pending", p.Pending)
		l.reportProblem(problemStateFull, p.Full, "the state exceeded max_state_size, %d bytes, within the last minutes", l.config.MaxStateSize)
		l.reportProblem(problemQueueFull, l.queue.overflowed(), "the queue exceeded queue_size, %d records, or max_queue_size, %d bytes",
			l.config.QueueSize, l.config.MaxQueueSize)

		missing := l.countMissingSockets()
		switch {
		case missing == 0:
			missingSince = time.Time{}
		case missingSince.IsZero():
			missingSince = time.Now()
		}
		late := !missingSince.IsZero() && time.Since(missingSince) >= socketTimeout
		l.reportProblem(problemSockets, late, "%d of %d sockets are not connected", missing, l.socketsWanted.Load())
	}
}

// reportProblem reports whether the link has a problem.
func (l *link) reportProblem(p problem, has bool, format string, args ...any) {
	if has {
		l.health.report(l, p, fmt.Errorf(format, args...))
	} else {
		l.health.report(l, p, nil)
	}
}

// anySocketRefused reports whether the server refuses the requests of a wanted socket.
func (l *link) anySocketRefused() bool {
	return slices.ContainsFunc(l.sockets[:max(1, l.socketsWanted.Load())], func(s *socket) bool { return s.refusing.Load() })
}

// countMissingSockets counts the wanted further sockets that are not connected.
func (l *link) countMissingSockets() (n int) {
	for _, s := range l.sockets[1:max(1, l.socketsWanted.Load())] {
		if s.state.Load() != stateRunning {
			n++
		}
	}
	return n
}
