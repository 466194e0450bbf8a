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
	// watchInterval is how often watchProblems checks a server.
	watchInterval = 5 * time.Second
	// socketTimeout is how long a further socket may take to connect.
	socketTimeout = 30 * time.Second
)

// watchProblems reports the problems of a server until ctx ends, and requests an unknown
// identity. It notices each problem within a minute.
func (srv *server) watchProblems(ctx context.Context) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	var missingSince time.Time
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if srv.sockets[0].state.Load() == stateRunning {
			srv.learnIdentity(ctx) // the API may not have been ready when the socket connected
		}
		p := srv.hub.problems(srv.index)
		srv.reportProblem(problemMalformed, p.Damaged, "messages of the last minutes could not be decoded")
		srv.reportProblem(problemLeftOut, len(p.LeftOut) > 0, "left out: %s", strings.Join(p.LeftOut, ", "))
		srv.reportProblem(problemPending, p.Pending > 0, "subscriptions of %d calls stay pending", p.Pending)
		srv.reportProblem(problemStateFull, p.Full, "the state exceeded max_state_size, %d bytes, within the last minutes", srv.config.MaxStateSize)
		srv.reportProblem(problemQueueFull, srv.queue.isOverflowing(), "the queue exceeded queue_size, %d records, or max_queue_size, %d bytes",
			srv.config.QueueSize, srv.config.MaxQueueSize)

		missing := srv.countMissingSockets()
		switch {
		case missing == 0:
			missingSince = time.Time{}
		case missingSince.IsZero():
			missingSince = time.Now()
		}
		late := !missingSince.IsZero() && time.Since(missingSince) >= socketTimeout
		srv.reportProblem(problemSockets, late, "%d of %d sockets are not connected", missing, srv.socketsWanted.Load())
	}
}

// reportProblem reports whether the server has a problem.
func (srv *server) reportProblem(p problem, has bool, format string, args ...any) {
	if has {
		srv.health.report(srv, p, fmt.Errorf(format, args...))
	} else {
		srv.health.report(srv, p, nil)
	}
}

// anySocketRefused reports whether the server refuses the requests of a wanted socket.
func (srv *server) anySocketRefused() bool {
	return slices.ContainsFunc(srv.sockets[:max(1, srv.socketsWanted.Load())], func(s *socket) bool { return s.refusing.Load() })
}

// countMissingSockets counts the wanted further sockets that are not connected.
func (srv *server) countMissingSockets() (n int) {
	for _, s := range srv.sockets[1:max(1, srv.socketsWanted.Load())] {
		if s.state.Load() != stateRunning {
			n++
		}
	}
	return n
}
