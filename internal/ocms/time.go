// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"time"

	"github.com/legato-otel/legato/internal/scan/timescan"
)

// parseCreationTime parses CreationTime. Its Z is a literal of the layout, printed in any
// zone; zoned is true only if the text has a numeric offset.
func parseCreationTime(text string) (t time.Time, zoned, ok bool) {
	if t, err := timescan.RFC3339(text); err == nil {
		return t.UTC(), text[len(text)-1] != 'Z', true
	}
	if t, err := time.Parse("2006-01-02T15:04:05", text); err == nil {
		return t, false, true
	}
	t, err := time.Parse("2006-01-02T15:04:05Z0700", text)
	return t.UTC(), true, err == nil
}

// maxOffsetMinutes is the largest offset from UTC: no zone is beyond 14 hours.
const maxOffsetMinutes = 14 * 60

// parseOffset parses TimeZoneOffset, minutes east of Greenwich.
func parseOffset(text string) (minutes int, ok bool) {
	digits, sign := text, 1
	if text != "" && (text[0] == '-' || text[0] == '+') {
		digits = text[1:]
		if text[0] == '-' {
			sign = -1
		}
	}
	n, ok := parseDigits(digits, maxOffsetMinutes)
	return sign * int(n), ok //nolint:gosec // at most maxOffsetMinutes
}
