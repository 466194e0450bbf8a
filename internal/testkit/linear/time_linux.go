// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is the CPU time that the calling thread has had. getrusage is no
// replacement: it may count in ticks of the kernel.
func threadTime() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		panic(err) // only if the kernel has no such clock
	}
	return time.Duration(now.Nano())
}
