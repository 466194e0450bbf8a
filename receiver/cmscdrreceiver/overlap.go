// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// overlapInterval is how often the log repeats that sessions overlap.
const overlapInterval = time.Minute

// overlapLimiter lets one warning of many through in each overlapInterval, the
// first one included.
type overlapLimiter struct{ next atomic.Int64 }

func (l *overlapLimiter) allow(now time.Time) bool {
	next := l.next.Load()
	return now.UnixNano() >= next && l.next.CompareAndSwap(next, now.Add(overlapInterval).UnixNano())
}

// reportOverlap reports a session that goes on after a newer session of its
// bridge began. The names are the sender's text, and stay out of the log.
func (d *delivery) reportOverlap(ctx context.Context, in *intake) {
	d.telemetry.ReceiverCmscdrOverlappingSessions.Add(ctx, 1)
	if !d.overlaps.allow(time.Now()) {
		return
	}
	d.logger.Warn("A session goes on after a newer session of the same Call Bridge or system_id began: "+
		"if two Call Bridges share a system_id, give each its own; the restart of either ends no calls until then",
		zap.String("client.address", in.request.Address))
}
