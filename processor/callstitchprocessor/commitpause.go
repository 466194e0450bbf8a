// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import "time"

// Every write costs the storage two syncs and the pages that it touches, however few requests
// share it, and every write is followed by a call of the next consumer. Without a pause, one
// or two posts of many bridges share a write; with a pause about twenty do, which takes a third
// less CPU time in the whole Collector (docs/performance.md).
//
// A pause is useful only if requests arrive during it. Senders that wait for their answers send
// nothing meanwhile: the pause ends after a gap without requests, and the next writes do not
// pause.

const (
	// writeInterval is how long after the begin of a write the pause before the next one ends.
	writeInterval = 10 * time.Millisecond
	// arrivalGap ends a pause: no request has arrived for so long.
	arrivalGap = 2 * time.Millisecond
	// maxUnpaused is how many writes at most do not pause after a pause that a gap ended. It
	// doubles from one with each such pause.
	maxUnpaused = 256
)

// writePause decides when the next write begins. The zero value is ready for use.
type writePause struct {
	lastBegin time.Time // of the last write
	unpaused  int       // writes left that do not pause
	backoff   int       // writes that did not pause after the last gap; 0 if requests arrived until the end of the last pause
}

// wait waits while requests for the next write arrive. arrived returns how many have arrived for
// it. stop ends the wait.
func (p *writePause) wait(arrived func() int, stop <-chan struct{}) {
	if p.unpaused > 0 {
		p.unpaused--
		return
	}
	until := p.lastBegin.Add(writeInterval)
	left := time.Until(until)
	if left <= 0 {
		p.backoff = 0
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for first := arrived(); left > 0; left = time.Until(until) {
		before := arrived()
		timer.Reset(min(arrivalGap, left))
		select {
		case <-timer.C:
		case <-stop:
			return
		}
		// The last wait may be shorter than a gap; it counts if nothing arrived before it either.
		if arrived() == before && (left >= arrivalGap || before == first) {
			p.backoff = min(max(2*p.backoff, 1), maxUnpaused)
			p.unpaused = p.backoff
			return
		}
	}
	p.backoff = 0
}

// countNextRequests returns how many requests wait for the next write.
func (c *committer) countNextRequests() int {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	return len(c.nextWrite.requests)
}
