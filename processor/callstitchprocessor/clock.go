// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import "time"

// clock tells the time since the start by the monotonic clock: when somebody
// sets the wall clock, nothing ends early and nothing waits for it to catch up.
type clock struct{ start time.Time }

func newClock() clock { return clock{start: time.Now()} }

func (c clock) now() time.Time { return c.start.Add(time.Since(c.start)) }

// minuteLimiter keeps a log line from filling the log.
type minuteLimiter struct{ lastAllowed time.Time }

// allow tells whether a minute has passed since it last did.
func (r *minuteLimiter) allow(now time.Time) bool {
	if !r.lastAllowed.IsZero() && now.Sub(r.lastAllowed) < time.Minute {
		return false
	}
	r.lastAllowed = now
	return true
}
