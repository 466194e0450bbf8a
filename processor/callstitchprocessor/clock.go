// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import "time"

// clock tells the time since the start by the monotonic clock: when somebody
// sets the wall clock, nothing ends early and nothing waits for it to catch up.
type clock struct{ start time.Time }

func newClock() clock { return clock{start: time.Now()} }

func (c clock) now() time.Time { return c.start.Add(time.Since(c.start)) }

// rarely keeps a log line from filling the log.
type rarely struct{ last time.Time }

// allows tells whether a minute has passed since it last did.
func (r *rarely) allows(now time.Time) bool {
	if !r.last.IsZero() && now.Sub(r.last) < time.Minute {
		return false
	}
	r.last = now
	return true
}
