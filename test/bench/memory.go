// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// memory is the memory of a process.
type memory struct {
	// Heap is the live heap after a garbage collection, in bytes.
	Heap int64 `json:"heap,omitempty"`
	// Resident is the resident memory as the system counts it, before that collection.
	Resident int64 `json:"resident,omitempty"`
	// Collect is the CPU time of one full collection.
	Collect time.Duration `json:"collect,omitempty"`
}

// The system may count CPU time in steps of some milliseconds, and one collection may cost as
// much: so many are measured, unless they take longer.
const (
	mostCollections = 10
	enoughToMeasure = 200 * time.Millisecond
)

// measureMemory needs a process that does nothing else meanwhile.
func measureMemory() (m memory, err error) {
	m.Resident = procNumber("/proc/self/status", "VmRSS:") << 10
	runtime.GC()
	before, err := cpuTime()
	if err != nil {
		return m, err
	}
	for n := range time.Duration(mostCollections) {
		runtime.GC()
		after, err := cpuTime()
		if err != nil {
			return m, err
		}
		if m.Collect = (after - before) / (n + 1); after-before > enoughToMeasure {
			break
		}
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	m.Heap = int64(stats.HeapAlloc) //nolint:gosec // an amount of memory
	return m, nil
}

// minus subtracts the memory that a process holds anyway.
func (m memory) minus(base memory) memory {
	return memory{m.Heap - base.Heap, m.Resident - base.Resident, max(0, m.Collect-base.Collect)}
}

// of returns the memory of each of n objects if all together have m.
func (m memory) of(n, all int) memory {
	return memory{m.Heap * int64(n) / int64(all), m.Resident * int64(n) / int64(all), m.Collect * time.Duration(n) / time.Duration(all)}
}

// procNumber returns the number behind a key in a file of the proc file system,
// 0 where there is none.
func procNumber(name, key string) int64 {
	file, err := os.Open(name)
	if err != nil {
		return 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] != key {
			continue
		}
		n, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	return 0
}

// written is how many bytes this process has handed to the system to write. What
// went to the disks (write_bytes) counts whole folios of the page cache, however
// little of one was written.
func written() int64 { return procNumber("/proc/self/io", "wchar:") }
