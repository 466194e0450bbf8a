// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// progress reports progress on standard error.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

// verdict on a goal.
func verdict(met bool) string {
	if met {
		return "met"
	}
	return "missed"
}

// fraction writes a ratio below 1 as 1/n.
func fraction(ratio float64) string {
	if ratio <= 0 {
		return "0"
	}
	if ratio > 1 {
		return fmt.Sprintf("%.1f", ratio)
	}
	return fmt.Sprintf("1/%.1f", 1/ratio)
}

// thousands writes a count of legs.
func thousands(n int) string {
	switch {
	case n >= 1_000_000 && n%1_000_000 == 0:
		return fmt.Sprintf("%dM", n/1_000_000)
	case n >= 1_000 && n%1_000 == 0:
		return fmt.Sprintf("%dk", n/1_000)
	default:
		return strconv.Itoa(n)
	}
}

// microseconds for each of n.
func microseconds(d time.Duration, n int) float64 {
	return float64(d) / float64(time.Microsecond) / float64(n)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond))
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
