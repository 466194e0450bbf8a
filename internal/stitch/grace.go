// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "time"

// After a restart, senders deliver the records that they kept meanwhile, among them end
// records of open objects. Deadlines that passed while the process was down wait for those.

const (
	// graceFirst is how long the first records may take to arrive after a restart, and
	// graceExtension how long each next record of a backlog may take.
	graceFirst     = 2 * time.Minute
	graceExtension = time.Minute
	// graceLimit bounds the grace, because all records of a sender with a wrong clock look
	// old.
	graceLimit = time.Hour
	// backlogAge is the age from which a record counts as part of a backlog.
	backlogAge = time.Minute
)

// grace is the time after a restart in which no object expires, none is forgotten, and objects
// that only their call or session ended are not emitted. It lasts as long as a backlog
// arrives.
type grace struct {
	until, limit int64 // engine's clock; 0 for none
}

// beginGrace begins the grace after a restart.
func (e *Engine) beginGrace(t int64) {
	e.grace = grace{until: t + int64(graceFirst), limit: t + int64(graceLimit)}
}

// extendGrace extends the grace if a record is part of a backlog; at is the record's time by
// the sender's clock.
func (e *Engine) extendGrace(t, at int64) {
	if t < e.grace.until && at != 0 && t-at > int64(backlogAge) {
		e.grace.until = min(max(e.grace.until, t+int64(graceExtension)), e.grace.limit)
	}
}
