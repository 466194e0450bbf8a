// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package ocms

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkBesideStringsSplit compares Split and Decode with strings.Split at commas
// on the same lines, in turns, by the CPU time of the process: the time that the
// garbage collector spends on the results of strings.Split is part of its cost.
func BenchmarkBesideStringsSplit(b *testing.B) {
	all, bytes := benchmarkLines(b)
	var splitter Splitter
	var decoder Decoder
	var parts int
	contestants := [...]struct {
		name string
		read func(line string)
		cpu  time.Duration
	}{
		{name: "strings.Split", read: func(line string) { parts += len(strings.Split(line, ",")) }},
		{name: "attributes", read: func(line string) { _, _ = splitter.Split(line) }},
		{name: "values", read: func(line string) { _, _ = decoder.Decode(line) }},
	}
	const repeats = 300
	for b.Loop() {
		for i := range contestants {
			start := cpuTime(b)
			for range repeats {
				for _, line := range all {
					contestants[i].read(line)
				}
			}
			contestants[i].cpu += cpuTime(b) - start
		}
	}
	if parts == 0 {
		b.Fatal("nothing was split")
	}
	for _, c := range contestants {
		megabytes := float64(bytes) * repeats * float64(b.N) / 1e6
		b.ReportMetric(megabytes/c.cpu.Seconds(), c.name+"-MB/s")
		b.ReportMetric(c.cpu.Seconds()/contestants[0].cpu.Seconds(), c.name+"-ratio")
	}
}

func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
