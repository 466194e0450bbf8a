// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// goal bounds the ratio of two kinds' CPU time per record.
type goal struct {
	over, under string
	batch       int
	atMost      float64
}

// goals of the project. With single records the HTTP server is most of the
// cost, which is why they are the loosest there.
var goals = []goal{
	{"cdr", "otlp-json", 1, 0.85},
	{"cdr", "otlp-json", 10, 0.60},
	{"cdr", "otlp-json", 50, 0.45},
	{"cdr", "otlp-proto", 1, 1.00},
	{"cdr", "otlp-proto", 10, 0.85},
	{"cdr", "otlp-proto", 50, 0.75},
	{"cdr+metrics", "otlp-json", 1, 1.00},
	{"cdr+metrics", "otlp-json", 10, 0.80},
	{"cdr+metrics", "otlp-json", 50, 0.70},
	{"cdr", "floor", 1, 1.25},
}

// report renders everything as Markdown.
func report(measured results, all []*traffic, o options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Method: median of %d rounds of %s, %d connections, CPU time of the receiver's process, GOGC=%s\n\n",
		o.rounds, o.time, connections, collection())
	reportGoals(&b, measured)
	b.WriteByte('\n')
	reportCosts(&b, measured)
	b.WriteByte('\n')
	reportSizes(&b, all)
	return b.String()
}

// machine describes the machine of the figures.
func machine() string {
	return fmt.Sprintf("Machine: %s, %s/%s, %d cores, %s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cpuModel())
}

func reportGoals(b *strings.Builder, measured results) {
	b.WriteString("| CPU per record | records per post | goal | measured | spread | |\n|---|---|---|---|---|---|\n")
	for _, g := range goals {
		s := summarize(ratios(measured[runKey{g.over, g.batch}], measured[runKey{g.under, g.batch}]))
		fmt.Fprintf(b, "| %s / %s | %d | <= %.2f | %.2f | %.2f..%.2f | %s |\n",
			g.over, g.under, g.batch, g.atMost, s.median, s.least, s.most, verdict(s.median <= g.atMost))
	}
}

func reportCosts(b *strings.Builder, measured results) {
	reportHead(b, "us per record (spread)")
	for _, k := range kinds {
		fmt.Fprintf(b, "| %s |", k.name)
		for _, batch := range batches {
			s := summarize(measured[runKey{k.name, batch}])
			fmt.Fprintf(b, " %.2f (%.2f..%.2f) |", s.median, s.least, s.most)
		}
		b.WriteByte('\n')
	}
}

func reportSizes(b *strings.Builder, all []*traffic) {
	reportHead(b, "bytes per record, HTTP headers included")
	for _, e := range []encoding{cdrXML, otlpJSON, otlpProto} {
		fmt.Fprintf(b, "| %s |", wires[e].name)
		for _, t := range all {
			fmt.Fprintf(b, " %d |", t.size(e))
		}
		b.WriteByte('\n')
	}
}

// reportHead begins a table with one column for each batch size.
func reportHead(b *strings.Builder, title string) {
	fmt.Fprintf(b, "| %s |", title)
	for _, batch := range batches {
		fmt.Fprintf(b, " %d |", batch)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(batches)) + "\n")
}

// collection is how often the receiver's garbage is collected: its process
// inherits the environment.
func collection() string {
	if percent := os.Getenv("GOGC"); percent != "" {
		return percent
	}
	return "100"
}

// cpuModel names the processor where the system tells.
func cpuModel() string {
	const unknown = "unknown CPU"
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return unknown
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return unknown
}
