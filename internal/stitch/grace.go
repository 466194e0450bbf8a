// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "time"

// After a restart, what the senders kept meanwhile comes in: the ends of what
// was open among it. Deadlines that passed while nobody listened wait for that.

const (
	// graceFirst is how long the first records may take to come after a restart,
	// and graceMore how long the next ones of a backlog.
	graceFirst = 2 * time.Minute
	graceMore  = time.Minute
	// graceLimit bounds the grace: a sender's clock may be wrong, so that all its
	// records look old.
	graceLimit = time.Hour
	// backlogAge is the age from which a record is one that its sender kept.
	backlogAge = time.Minute
)

// grace is the time after a restart in which nothing expires, nothing is
// forgotten, and objects that only their call or their session ended are not
// emitted. It lasts as long as records come that their senders kept.
type grace struct {
	until, limit int64 // engine's clock; 0 for none
}

// beginGrace begins the grace of a restart.
func (e *Engine) beginGrace(t int64) {
	e.grace = grace{until: t + int64(graceFirst), limit: t + int64(graceLimit)}
}

// extendGrace takes the arrival of a record into account; at is its time by the
// sender's clock.
func (e *Engine) extendGrace(t, at int64) {
	if t < e.grace.until && at != 0 && t-at > int64(backlogAge) {
		e.grace.until = min(max(e.grace.until, t+int64(graceMore)), e.grace.limit)
	}
}
