// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package linear asserts that work does not grow faster than its input, without a
// limit in seconds.
package linear

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// Input that is four times as large takes linear work four times as long, and
// quadratic work 16 times.
const (
	factor = 4
	limit  = 9
	rounds = 7
)

// Assert fails the test if work of size 4n takes nine times the CPU time of work of size n, or
// more. The CPU time is that of the calling thread, without the collector's, so that other
// load on the machine counts little; the shortest of some rounds counts. n must be so large
// that fixed costs matter little and work(n) takes at least a millisecond. Work must not be
// passed on to other goroutines.
func Assert(tb testing.TB, n int, work func(n int)) {
	tb.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var shortest [2]time.Duration
	for round := range rounds {
		for i, size := range [...]int{n, factor * n} {
			runtime.GC()
			start := threadTime()
			work(size)
			took := threadTime() - start
			if round == 0 || took < shortest[i] {
				shortest[i] = took
			}
		}
		if shortest[1] < limit*shortest[0] {
			return
		}
	}
	tb.Errorf("size %d takes %s of CPU time, and %d times the size %s: that is not linear", n, shortest[0], factor, shortest[1])
}
