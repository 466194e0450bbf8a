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
	// lookEvery is how often a link's problems are looked for.
	lookEvery = 5 * time.Second
	// socketsFor is how long a further socket may take to connect.
	socketsFor = 30 * time.Second
)

// watch reports the problems of a link until ctx ends, and asks for an identity
// that is missing. Each problem is noticed within a minute.
func (l *link) watch(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var missingSince time.Time
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if l.sockets[0].state.Load() == running {
			l.learnIdentity(ctx) // it may not have been known at the connection
		}
		p := l.hub.problems(l.index)
		l.problem(damagedMessages, p.Damaged, "messages that cannot be read came within the last minutes")
		l.problem(leftOutElements, len(p.LeftOut) > 0, "left out: %s", strings.Join(p.LeftOut, ", "))
		l.problem(pendingCalls, p.Pending > 0, "subscriptions of %d calls stay pending", p.Pending)
		l.problem(overfullState, p.Full, "there was no room within the last minutes in max_state_size, %d bytes", l.config.MaxStateSize)
		l.problem(overfullQueue, l.queue.overflowed(), "no room in queue_size, %d records, or max_queue_size, %d bytes",
			l.config.QueueSize, l.config.MaxQueueSize)

		missing := l.missing()
		switch {
		case missing == 0:
			missingSince = time.Time{}
		case missingSince.IsZero():
			missingSince = time.Now()
		}
		late := !missingSince.IsZero() && time.Since(missingSince) >= socketsFor
		l.problem(missingSockets, late, "%d of %d sockets are not connected", missing, l.wanted.Load())
	}
}

// problem reports whether the link has a problem.
func (l *link) problem(p problem, has bool, format string, args ...any) {
	if has {
		l.health.report(l, p, fmt.Errorf(format, args...))
	} else {
		l.health.report(l, p, nil)
	}
}

// refusing tells whether the server refuses the requests of a socket that is wanted.
func (l *link) refusing() bool {
	return slices.ContainsFunc(l.sockets[:max(1, l.wanted.Load())], func(s *socket) bool { return s.refusing.Load() })
}

// missing counts the further sockets that are wanted and not connected.
func (l *link) missing() (n int) {
	for _, s := range l.sockets[1:max(1, l.wanted.Load())] {
		if s.state.Load() != running {
			n++
		}
	}
	return n
}
