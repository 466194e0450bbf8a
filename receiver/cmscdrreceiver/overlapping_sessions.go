// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// overlapLogInterval is the least time between two warnings about overlapping sessions.
const overlapLogInterval = time.Minute

// warnLimiter allows one warning in each overlapLogInterval, the first one included.
type warnLimiter struct{ nextUnixNano atomic.Int64 }

func (l *warnLimiter) allow(now time.Time) bool {
	next := l.nextUnixNano.Load()
	return now.UnixNano() >= next && l.nextUnixNano.CompareAndSwap(next, now.Add(overlapLogInterval).UnixNano())
}

// reportOverlap reports a session that sends records after a newer session of its Call
// Bridge began. The log leaves out both names, because they are text of the sender.
func (a *acceptor) reportOverlap(ctx context.Context, b *batch) {
	a.telemetry.ReceiverCmscdrOverlappingSessions.Add(ctx, 1)
	if !a.overlapWarnings.allow(time.Now()) {
		return
	}
	a.logger.Warn("A session goes on after a newer session of the same Call Bridge or system_id began: "+
		"if two Call Bridges share a system_id, give each its own; the restart of either ends no calls until then",
		zap.String("client.address", b.request.ClientAddress))
}
