// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package object

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/scan/timescan"
)

// setText stores the first text that is not empty.
func setText(to *string) func(string) {
	return func(s string) {
		if *to == "" {
			*to = s
		}
	}
}

// setCount stores a number, unless it is negative: -1 means unknown.
func setCount(to **int64) func(string) {
	return func(s string) {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
			*to = &n
		}
	}
}

// setDecimal stores a number with a decimal point or comma, unless it is negative.
func setDecimal(to **float64) func(string) {
	return func(s string) {
		x, err := strconv.ParseFloat(strings.Replace(s, ",", ".", 1), 64)
		if err == nil && x >= 0 && !math.IsInf(x, 0) {
			*to = &x
		}
	}
}

// setBool stores a boolean.
func setBool(to **bool) func(string) {
	return func(s string) {
		switch strings.ToLower(s) {
		case "true", "yes", "1", "enabled":
			*to = new(true)
		case "false", "no", "0", "disabled":
			*to = new(false)
		}
	}
}

// setPresent stores that an element exists.
func setPresent(to *bool) func(string) { return func(string) { *to = true } }

// setTime stores a time in RFC 3339.
func setTime(to *time.Time) func(string) {
	return func(s string) {
		if t, err := timescan.RFC3339(s); err == nil {
			*to = t
		}
	}
}

// setDate stores a date as the beginning of the day in UTC. The names of months are English on
// all servers.
func setDate(to *time.Time) func(string) {
	return func(s string) {
		for _, layout := range []string{"2006-Jan-02", time.DateOnly} {
			if t, err := time.Parse(layout, s); err == nil {
				*to = t
				return
			}
		}
	}
}
