// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/scan/timescan"
)

// cutDate parses the date at the beginning of a line. Without one, form is FormUnknown.
func (p *headerParser) cutDate(line string, now time.Time) (remainder string, timestamp time.Time, form Form) {
	line = skipBlanks(line)
	if remainder, timestamp, ok := p.cutBSD(line, now); ok {
		return remainder, timestamp, FormBSD
	}
	// RFC 5424 puts its version in front of the date.
	if remainder, timestamp, form := p.cutISO(line); form != FormUnknown {
		return remainder, timestamp, form
	}
	if version, rest := cutWord(line); version == "1" {
		if remainder, timestamp, form := p.cutISO(skipBlanks(rest)); form == FormISO {
			return remainder, timestamp, formVersioned
		}
	}
	return line, time.Time{}, FormUnknown
}

// cutBSD parses "Jul  3 15:01:22.811", which has neither year nor zone.
func (p *headerParser) cutBSD(line string, now time.Time) (remainder string, timestamp time.Time, ok bool) {
	if len(line) < len("Jan 1 00:00:00") || !isBlank(line[3]) {
		return "", time.Time{}, false
	}
	month := parseMonth(line[:3])
	if month == 0 {
		return "", time.Time{}, false
	}
	rest := skipBlanks(line[3:])
	day, rest, ok := cutNumber(rest, 1, 2)
	if !ok || len(rest) == 0 || !isBlank(rest[0]) {
		return "", time.Time{}, false
	}
	clock, rest, ok := cutClock(skipBlanks(rest))
	if !ok {
		return "", time.Time{}, false
	}
	timestamp, ok = resolveYear(month, day, clock, p.location, now)
	return rest, timestamp, ok
}

// maxClockAhead is how far in the future a date without a year may be, because the clock
// of a bridge may be ahead. A date further ahead is in a past year.
const maxClockAhead = 7 * 24 * time.Hour

// maxLeapGap is the largest number of years between two 29ths of February.
const maxLeapGap = 8

// resolveYear returns the newest date with that month and day that exists and is at most
// maxClockAhead after now.
func resolveYear(month time.Month, day int, clock timeOfDay, location *time.Location, now time.Time) (time.Time, bool) {
	latest := now.Add(maxClockAhead)
	year := latest.In(location).Year()
	for range maxLeapGap + 2 {
		timestamp := clock.date(year, month, day, location)
		if validDay(year, month, day) && !timestamp.After(latest) {
			return timestamp, true
		}
		year--
	}
	return time.Time{}, false
}

// validDay reports whether the month of a year has that day.
func validDay(year int, month time.Month, day int) bool {
	return day >= 1 && day <= timescan.DaysIn(year, int(month))
}

// cutISO parses "2024-03-05T16:50:25.736" with "Z", "+01:00" or no zone behind it, and the
// form of the web admin, which has blanks instead of the T.
func (p *headerParser) cutISO(line string) (remainder string, timestamp time.Time, form Form) {
	year, rest, ok := cutNumber(line, 4, 4)
	if !ok || !strings.HasPrefix(rest, "-") {
		return "", time.Time{}, FormUnknown
	}
	month, rest, ok := cutNumber(rest[1:], 2, 2)
	if !ok || !strings.HasPrefix(rest, "-") || month < 1 || month > 12 {
		return "", time.Time{}, FormUnknown
	}
	day, rest, ok := cutNumber(rest[1:], 2, 2)
	if !ok || rest == "" || !validDay(year, time.Month(month), day) {
		return "", time.Time{}, FormUnknown
	}
	switch form = FormExport; {
	case rest[0] == 'T':
		form, rest = FormISO, rest[1:]
	case isBlank(rest[0]):
		rest = skipBlanks(rest)
	default:
		return "", time.Time{}, FormUnknown
	}
	clock, rest, ok := cutClock(rest)
	if !ok {
		return "", time.Time{}, FormUnknown
	}
	location, rest := p.cutZone(rest)
	if rest != "" && !isBlank(rest[0]) {
		return "", time.Time{}, FormUnknown
	}
	return rest, clock.date(year, time.Month(month), day, location), form
}

// cutZone parses a zone. Without one, it returns the configured zone.
func (p *headerParser) cutZone(rest string) (*time.Location, string) {
	if strings.HasPrefix(rest, "Z") {
		return time.UTC, rest[1:]
	}
	if rest == "" || rest[0] != '+' && rest[0] != '-' {
		return p.location, rest
	}
	hours, remainder, ok := cutNumber(rest[1:], 2, 2)
	if !ok {
		return p.location, rest
	}
	minutes, remainder, ok := cutNumber(strings.TrimPrefix(remainder, ":"), 2, 2)
	if !ok || hours > 23 || minutes > 59 {
		return p.location, rest
	}
	offset := (hours*60 + minutes) * 60
	if rest[0] == '-' {
		offset = -offset
	}
	return time.FixedZone("", offset), remainder
}

type timeOfDay struct{ hour, minute, second, nanosecond int }

func (t timeOfDay) date(year int, month time.Month, day int, location *time.Location) time.Time {
	return time.Date(year, month, day, t.hour, t.minute, t.second, t.nanosecond, location)
}

// cutClock parses "15:01:22.811" with any number of digits in the fraction.
func cutClock(text string) (t timeOfDay, remainder string, ok bool) {
	for i, part := range [...]struct {
		to  *int
		max int
	}{{&t.hour, 23}, {&t.minute, 59}, {&t.second, 60}} {
		if i > 0 {
			if !strings.HasPrefix(text, ":") {
				return t, "", false
			}
			text = text[1:]
		}
		*part.to, text, ok = cutNumber(text, 2, 2)
		if !ok || *part.to > part.max {
			return t, "", false
		}
	}
	t.nanosecond, text = cutFraction(text)
	return t, text, true
}

// cutFraction parses ".811" as nanoseconds and ignores further digits.
func cutFraction(text string) (nanoseconds int, remainder string) {
	if len(text) < 2 || text[0] != '.' && text[0] != ',' || !isDigits(text[1:2]) {
		return 0, text
	}
	unit := int(100 * time.Millisecond)
	i := 1
	for ; i < len(text) && isDigits(text[i:i+1]); i++ {
		nanoseconds += int(text[i]-'0') * unit
		unit /= 10
	}
	return nanoseconds, text[i:]
}

// cutNumber parses a number of least to most digits.
func cutNumber(text string, minDigits, maxDigits int) (n int, remainder string, ok bool) {
	i := 0
	for i < len(text) && i < maxDigits && text[i] >= '0' && text[i] <= '9' {
		n = n*10 + int(text[i]-'0')
		i++
	}
	return n, text[i:], i >= minDigits
}

var months = [...]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

func parseMonth(text string) time.Month {
	for i, name := range months {
		if text == name {
			return time.Month(i + 1)
		}
	}
	return 0
}
