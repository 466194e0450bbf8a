// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"strconv"
	"time"
)

// parseTime reads CreationTime. Its Z is a literal of the layout, which is printed
// in whatever zone the formatter has; zoned is true if the text has an offset, which
// cannot mean anything else.
func parseTime(text string) (t time.Time, zoned, ok bool) {
	if t, ok := parseLayout(text); ok {
		return t, false, true
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), text[len(text)-1] != 'Z', true
	}
	if t, err := time.Parse("2006-01-02T15:04:05", text); err == nil {
		return t, false, true
	}
	t, err := time.Parse("2006-01-02T15:04:05Z0700", text)
	return t.UTC(), true, err == nil
}

// layout is that of CreationTime, with the digits as zeros.
const layout = "0000-00-00T00:00:00.000Z"

// parseLayout reads CreationTime as OCMS writes it, as time.Parse does in four times
// the time.
func parseLayout(text string) (t time.Time, ok bool) {
	if len(text) != len(layout) {
		return t, false
	}
	for i := range len(layout) {
		if c := text[i]; layout[i] == '0' && c-'0' > 9 || layout[i] != '0' && c != layout[i] {
			return t, false
		}
	}
	two := func(i int) int { return 10*int(text[i]-'0') + int(text[i+1]-'0') }
	year, month, day := 100*two(0)+two(2), two(5), two(8)
	hour, minute, second, milli := two(11), two(14), two(17), 10*two(20)+int(text[22]-'0')
	if month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	t = time.Date(year, time.Month(month), day, hour, minute, second, milli*int(time.Millisecond), time.UTC)
	// Date takes the 31st of June for the 1st of July.
	return t, day > 0 && (day <= 28 || t.Day() == day)
}

// maxOffset is the largest distance of a zone from Greenwich, in minutes: no
// zone is farther than 14 hours.
const maxOffset = 14 * 60

// parseOffset reads TimeZoneOffset, minutes east of Greenwich.
func parseOffset(text string) (minutes int, ok bool) {
	minutes, err := strconv.Atoi(text)
	return minutes, err == nil && minutes >= -maxOffset && minutes <= maxOffset
}
