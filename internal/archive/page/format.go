// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// localTime is a time as the page shows it, in its own zone.
type localTime struct{ time.Time }

// Exact is for a datetime attribute.
func (m localTime) Exact() string { return m.UTC().Format("2006-01-02T15:04:05.000Z") }

// Date and Clock are for people.
func (m localTime) Date() string { return m.Format("2006-01-02") }

// Clock has seconds: records have them, and people compare them.
func (m localTime) Clock() string { return m.Format("15:04:05") }

// Text is both.
func (m localTime) Text() string { return m.Format("2006-01-02 15:04:05") }

// Zone is the short name of the zone, as UTC or CET.
func (m localTime) Zone() string { return m.Format("MST") }

// Full is the time with its zone.
func (m localTime) Full() string { return m.Text() + " " + m.Zone() }

// duration as people write it, two units long.
func duration(seconds float64) string {
	if seconds < 0 || math.IsNaN(seconds) || seconds > 1e9 {
		return "–"
	}
	if seconds < 10 {
		return strconv.FormatFloat(math.Round(seconds*10)/10, 'f', -1, 64) + " s"
	}
	whole := int64(math.Round(seconds))
	switch {
	case whole < 60:
		return fmt.Sprintf("%d s", whole)
	case whole < 3600:
		return fmt.Sprintf("%d min %02d s", whole/60, whole%60)
	case whole < 86400:
		return fmt.Sprintf("%d h %02d min", whole/3600, whole/60%60)
	default:
		return fmt.Sprintf("%d d %02d h", whole/86400, whole/3600%24)
	}
}

// percent with one decimal, as alarms have it on the wire.
func percent(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) + " %" }

// count with narrow spaces between thousands.
func count(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}

// counted says how many, in words.
func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// noun in the number that fits.
func noun(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
