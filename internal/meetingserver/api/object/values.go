// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package object

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// text keeps the first text that is not empty.
func text(to *string) func(string) {
	return func(s string) {
		if *to == "" {
			*to = s
		}
	}
}

// count keeps a number that cannot be negative: -1 stands for unknown.
func count(to **int64) func(string) {
	return func(s string) {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
			*to = &n
		}
	}
}

// decimal keeps a number that cannot be negative, with a point or a comma.
func decimal(to **float64) func(string) {
	return func(s string) {
		x, err := strconv.ParseFloat(strings.Replace(s, ",", ".", 1), 64)
		if err == nil && x >= 0 && !math.IsInf(x, 0) {
			*to = &x
		}
	}
}

// truth keeps a boolean.
func truth(to **bool) func(string) {
	return func(s string) {
		switch strings.ToLower(s) {
		case "true", "yes", "1", "enabled":
			*to = new(true)
		case "false", "no", "0", "disabled":
			*to = new(false)
		}
	}
}

// present keeps that an element is there.
func present(to *bool) func(string) { return func(string) { *to = true } }

// instant keeps a time in RFC 3339.
func instant(to *time.Time) func(string) {
	return func(s string) {
		if t, err := time.Parse(time.RFC3339, s); err == nil {
			*to = t
		}
	}
}

// day keeps a date, as the beginning of the day in UTC. The months are English
// whatever the language of server or reader.
func day(to *time.Time) func(string) {
	return func(s string) {
		for _, layout := range []string{"2006-Jan-02", time.DateOnly} {
			if t, err := time.Parse(layout, s); err == nil {
				*to = t
				return
			}
		}
	}
}
