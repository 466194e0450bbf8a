// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import "time"

const (
	// maxUptime is the longest plausible uptime, a century.
	maxUptime = 100 * 365 * 24 * 3600
	// startTolerance is by how much less than the clock uptime may advance without a
	// restart: it is in whole seconds, and an answer takes time.
	startTolerance = 5 * time.Second
)

// startClock computes the start time of a bridge once, and keeps it until the bridge restarts.
// Computed at each scrape, it would vary by a second, and each variation would be a reset of all
// sums.
type startClock struct {
	start  time.Time // zero before the first uptime
	uptime time.Duration
	at     time.Time // when uptime was read
}

// observe adds an uptime in seconds that was read at now by a request with duration took. It
// returns the start of the bridge, and whether it has restarted since the last call.
func (c *startClock) observe(now time.Time, seconds int64, took time.Duration) (start time.Time, restarted bool) {
	if seconds > maxUptime {
		return c.start, false
	}
	uptime := time.Duration(seconds) * time.Second
	known := !c.start.IsZero()
	// Two uptimes are compared by the monotonic clock, which changes of the time of day do
	// not affect.
	restarted = known && uptime-c.uptime < now.Sub(c.at)-startTolerance-took
	if !known || restarted {
		c.start = now.Add(-uptime)
	}
	c.uptime, c.at = uptime, now
	return c.start, restarted
}
