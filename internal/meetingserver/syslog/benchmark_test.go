// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strings"
	"testing"
)

// BenchmarkRead lines of the seed, of which two in three are of API traces, and call log lines
// alone.
func BenchmarkRead(b *testing.B) {
	log := fixture(b, "cms-api/syslog-api-trace.log")
	for name, keep := range map[string]func(string) bool{
		"all":   func(string) bool { return true },
		"lines": func(line string) bool { return !strings.Contains(line, "API trace") },
	} {
		b.Run(name, func(b *testing.B) {
			var lines []string
			for line := range strings.Lines(log) {
				if keep(line) {
					lines = append(lines, line)
				}
			}
			r := newTestReader()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r.Read(noon, "source", lines[i%len(lines)], func(*Record) {})
			}
		})
	}
}
