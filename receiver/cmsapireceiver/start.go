// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import "time"

const (
	// maxUptime bounds what is taken for an uptime: no server runs for a century.
	maxUptime = 100 * 365 * 24 * 3600
	// startTolerance is by how much uptime may grow less than time passes without a
	// restart: it is in whole seconds, and an answer takes a while.
	startTolerance = 5 * time.Second
)

// startClock finds out when a bridge started. The time of the start is computed
// once and kept until the bridge restarts: computed anew at each scrape it would
// move by a second now and then, and each move reads as a reset of all sums.
type startClock struct {
	start  time.Time // zero before the first uptime
	uptime time.Duration
	at     time.Time // when uptime was read
}

// observe takes an uptime that was read at now, by an answer that took took. It
// returns when the bridge started and whether it restarted since the last call.
func (c *startClock) observe(now time.Time, seconds int64, took time.Duration) (start time.Time, restarted bool) {
	if seconds > maxUptime {
		return c.start, false
	}
	uptime := time.Duration(seconds) * time.Second
	known := !c.start.IsZero()
	// Two uptimes are compared with the monotonic clock: neither clock that tells the
	// time of day matters.
	restarted = known && uptime-c.uptime < now.Sub(c.at)-startTolerance-took
	if !known || restarted {
		c.start = now.Add(-uptime)
	}
	c.uptime, c.at = uptime, now
	return c.start, restarted
}
