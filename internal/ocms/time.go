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
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), text[len(text)-1] != 'Z', true
	}
	if t, err := time.Parse("2006-01-02T15:04:05", text); err == nil {
		return t, false, true
	}
	t, err := time.Parse("2006-01-02T15:04:05Z0700", text)
	return t.UTC(), true, err == nil
}

// maxOffset is the largest distance of a zone from Greenwich, in minutes: no
// zone is farther than 14 hours.
const maxOffset = 14 * 60

// parseOffset reads TimeZoneOffset, minutes east of Greenwich.
func parseOffset(text string) (minutes int, ok bool) {
	minutes, err := strconv.Atoi(text)
	return minutes, err == nil && minutes >= -maxOffset && minutes <= maxOffset
}
