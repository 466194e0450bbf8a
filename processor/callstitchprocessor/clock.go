// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import "time"

// clock is the time of the start plus the monotonic time since then, so that setting the wall
// clock neither ends objects early nor delays them.
type clock struct{ start time.Time }

func newClock() clock { return clock{start: time.Now()} }

func (c clock) now() time.Time { return c.start.Add(time.Since(c.start)) }

// minuteLimiter allows one log line a minute.
type minuteLimiter struct{ lastAllowed time.Time }

// allow reports whether a minute has passed since it last returned true.
func (r *minuteLimiter) allow(now time.Time) bool {
	if !r.lastAllowed.IsZero() && now.Sub(r.lastAllowed) < time.Minute {
		return false
	}
	r.lastAllowed = now
	return true
}
