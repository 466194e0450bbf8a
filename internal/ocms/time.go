// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"strconv"
	"time"
)

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
	if month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	t = time.Date(year, time.Month(month), day, hour, minute, second, milli*int(time.Millisecond), time.UTC)
	// Date turns the 31st of June into the 1st of July.
	return t, day > 0 && (day <= 28 || t.Day() == day)
}

// digitsAt returns the values of the digits in the eight bytes at i, one per byte,
// the first in the lowest. It is not ok if a byte differs in kind from the layout;
// separators has 0xff where the layout has no digit.
func digitsAt(text string, i int, separators uint64) (digits uint64, ok bool) {
	digits = loadWord(text[i:]) ^ loadWord(creationTimeLayout[i:]) // a digit's value; 0 for a separator
	const above9, top = 0x76_76_76_76_76_76_76_76, 0x80_80_80_80_80_80_80_80
	return digits, digits&separators == 0 && (digits+above9|digits)&top == 0
}

// twoDigits returns the decimal number whose digits are in bytes i and i+1.
func twoDigits(digits uint64, i int) int {
	return 10*int(digits>>(8*i)&0xff) + int(digits>>(8*i+8)&0xff)
}

// loadWord returns the first eight bytes of text, the first one in the lowest byte.
func loadWord(text string) uint64 {
	_ = text[7]
	return uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
		uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
}

// maxOffsetMinutes is the largest offset from UTC: no zone is beyond 14 hours.
const maxOffsetMinutes = 14 * 60

// parseOffset parses TimeZoneOffset, minutes east of Greenwich.
func parseOffset(text string) (minutes int, ok bool) {
	minutes, err := strconv.Atoi(text)
	return minutes, err == nil && minutes >= -maxOffsetMinutes && minutes <= maxOffsetMinutes
}
