// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import "time"

// Every write costs the storage two syncs and the pages that it touches, however few requests
// share it, and every write is followed by a call of the next consumer. Under the posts of many
// bridges a write that begins as soon as the one before it ends is shared by five requests; with
// a pause by twenty, which takes a third less CPU time in the whole Collector
// (docs/performance.md). The pause ends as soon as no more requests arrive, so that senders that
// wait for their answers are not slowed down.

const (
	// writeInterval is how long after the begin of a write a pause before the next one ends.
	writeInterval = 12 * time.Millisecond
	// arrivalGap ends a pause: no request has arrived for so long.
	arrivalGap = 2 * time.Millisecond
	// minPausedRequests is how many requests must have shared the last write. With fewer, a pause
	// would save nothing.
	minPausedRequests = 4
)

// pause waits while requests for the next write arrive.
func (c *committer) pause() {
	if c.lastRequests < minPausedRequests {
		return
	}
	for until := c.lastBegin.Add(writeInterval); ; {
		wait := min(arrivalGap, time.Until(until))
		if wait <= 0 {
			return
		}
		before := c.countNextRequests()
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-c.stop:
			timer.Stop()
			return
		}
		if c.countNextRequests() == before {
			return
		}
	}
}

// countNextRequests returns how many requests wait for the next write.
func (c *committer) countNextRequests() int {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	return len(c.nextWrite.requests)
}
