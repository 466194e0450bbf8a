// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import "time"

// parseCreationTime parses CreationTime. Its Z is a literal of the layout, printed in any
// zone; zoned is true only if the text has a numeric offset.
func parseCreationTime(text string) (t time.Time, zoned, ok bool) {
	if t, ok := parseExactLayout(text); ok {
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

// creationTimeLayout is how OCMS writes CreationTime, with a zero for each digit.
const creationTimeLayout = "0000-00-00T00:00:00.000Z"

// parseExactLayout parses text of creationTimeLayout, eight bytes at once: time.Parse
// takes several times as long.
func parseExactLayout(text string) (t time.Time, ok bool) {
	if len(text) != len(creationTimeLayout) {
		return t, false
	}
	date, dateOK := digitsAt(text, 0, 0xff_00_00_ff_00_00_00_00)
	clock, clockOK := digitsAt(text, 8, 0x00_00_ff_00_00_ff_00_00)
	rest, restOK := digitsAt(text, 16, 0xff_00_00_00_ff_00_00_ff)
	if !dateOK || !clockOK || !restOK {
		return t, false
	}
	year, month, day := 100*twoDigits(date, 0)+twoDigits(date, 2), twoDigits(date, 5), twoDigits(clock, 0)
	hour, minute, second := twoDigits(clock, 3), twoDigits(clock, 6), twoDigits(rest, 1)
	milli := 10*twoDigits(rest, 4) + int(rest>>(6*8)&0xff)
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	seconds := ((daysSince1970(year, month, day)*24+hour)*60+minute)*60 + second
	return time.Unix(int64(seconds), int64(milli)*int64(time.Millisecond)).UTC(), true
}

// monthLengths are those of a leap year.
var monthLengths = [...]int{1: 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// daysIn returns the number of days of a month.
func daysIn(year, month int) int {
	if isLeap := year%4 == 0 && (year%100 != 0 || year%400 == 0); month == 2 && !isLeap {
		return 28
	}
	return monthLengths[month]
}

// daysSince1970 returns the number of days from the first of January 1970 to a date in the
// Gregorian calendar, from year 0 on. Its years begin in March, so that the leap day is
// the last one; the months from March on have 153 days in five.
func daysSince1970(year, month, day int) int {
	if month -= 3; month < 0 {
		month += 12
		year--
	}
	const period, daysOfPeriod = 400, 146_097 // the calendar repeats
	const daysTo1970 = 719_468                // from the first of March of year 0
	year += period                            // not negative
	return 365*year + year/4 - year/100 + year/400 + (153*month+2)/5 + day - 1 - daysTo1970 - daysOfPeriod
}

// digitsAt returns the values of the digits in the eight bytes at i, one per byte,
// the first in the lowest. It is not ok if a byte differs in kind from the layout;
// separators has 0xff where the layout has no digit.
func digitsAt(text string, i int, separators uint64) (digits uint64, ok bool) {
	digits = loadWord(text, i) ^ loadWord(creationTimeLayout, i) // a digit's value; 0 for a separator
	const above9 = (0x80 - 10) * lowBits
	return digits, digits&separators == 0 && (digits+above9|digits)&topBits == 0
}

// twoDigits returns the decimal number whose digits are in bytes i and i+1.
func twoDigits(digits uint64, i int) int {
	return 10*int(digits>>(8*i)&0xff) + int(digits>>(8*i+8)&0xff)
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
