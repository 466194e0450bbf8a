// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// threadClock tells what became of a thread's time. It is of the thread that
// opened it, to which its goroutine must be bound.
type threadClock struct {
	waits *os.File
	line  [64]byte
}

func openThreadClock() (*threadClock, error) {
	waits, err := os.Open("/proc/thread-self/schedstat")
	return &threadClock{waits: waits}, err
}

func (c *threadClock) close() { _ = c.waits.Close() }

// usage returns the CPU time of the thread, the time it could have gone on and
// found no processor, and how often any thread of this process was taken off
// one.
func (c *threadClock) usage() (u usage, err error) {
	// The times that getrusage has of a thread may be those of the last tick.
	var clock unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &clock); err != nil {
		return u, fmt.Errorf("clock_gettime: %w", err)
	}
	u.used = time.Duration(clock.Nano())
	var all unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &all); err != nil {
		return u, fmt.Errorf("getrusage: %w", err)
	}
	u.displaced = all.Nivcsw
	n, err := c.waits.ReadAt(c.line[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return u, err
	}
	// Time on a processor, time waiting for one, turns.
	fields := bytes.Fields(c.line[:n])
	if len(fields) < 2 {
		return u, fmt.Errorf("schedstat has %q", c.line[:n])
	}
	waited, err := strconv.ParseInt(string(fields[1]), 10, 64)
	u.waited = time.Duration(waited)
	return u, err
}

// syncData writes a file's contents to the disk.
func syncData(file *os.File) error {
	if err := unix.Fdatasync(int(file.Fd())); err != nil {
		return fmt.Errorf("fdatasync: %w", err)
	}
	return nil
}
