// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/scan/timescan"
)

// Kind is the type of a value.
type Kind uint8

// The documented types of values. KindID is text whose inner blanks are removed; it need not
// be a GUID.
const (
	KindText Kind = iota
	KindID
	KindBool
	KindInt
	KindDouble
)

// Value is a text and, if it can be parsed, the value of its documented kind.
type Value struct {
	// Text as on the wire, trimmed.
	Text string
	// Kind is the documented kind, or KindText if Text cannot be parsed as that.
	Kind Kind
	bits uint64
}

// Int returns the value of a KindInt.
func (v Value) Int() int64 { return int64(v.bits) } //nolint:gosec // bits hold an int64 here

// Double returns the value of a KindDouble.
func (v Value) Double() float64 { return math.Float64frombits(v.bits) }

// Bool returns the value of a KindBool.
func (v Value) Bool() bool { return v.bits != 0 }

// parse parses text as kind, or keeps it as text.
func parse(text string, kind Kind) Value {
	text = trimBlanks(text)
	switch kind {
	case KindID:
		return Value{Text: withoutBlanks(text), Kind: KindID}
	case KindBool:
		if value, ok := parseBool(text); ok {
			return Value{Text: text, Kind: KindBool, bits: value}
		}
	case KindInt:
		if n, ok := parseUint(text); ok && n <= math.MaxInt64 {
			return Value{Text: text, Kind: KindInt, bits: n}
		}
	case KindDouble:
		if isDecimal(text) {
			if f, err := strconv.ParseFloat(text, 64); err == nil {
				return Value{Text: text, Kind: KindDouble, bits: math.Float64bits(f)}
			}
		}
	case KindText:
	}
	return Value{Text: text}
}

// parseBool accepts true and false in any case of letters, and XML Schema's 1 and 0.
func parseBool(text string) (bits uint64, ok bool) {
	switch {
	case text == "true", text == "1", strings.EqualFold(text, "true"):
		return 1, true
	case text == "false", text == "0", strings.EqualFold(text, "false"):
		return 0, true
	default:
		return 0, false
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// trimBlanks removes XML's white space only: a no-break space is part of a name.
func trimBlanks(s string) string {
	for s != "" && isBlank(s[0]) {
		s = s[1:]
	}
	for s != "" && isBlank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// withoutBlanks removes XML's white space, and returns s itself if it has none.
func withoutBlanks(s string) string {
	for i := range len(s) {
		if isBlank(s[i]) {
			return blanks.Replace(s)
		}
	}
	return s
}

var blanks = strings.NewReplacer(" ", "", "\n", "", "\t", "", "\r", "")

// parseUint reads plain digits: no sign, no blanks, no other base.
func parseUint(s string) (n uint64, ok bool) {
	if s == "" || len(s) > 20 {
		return 0, false
	}
	for i := range len(s) {
		digit := uint64(s[i] - '0')
		if digit > 9 || n > (math.MaxUint64-digit)/10 {
			return 0, false
		}
		n = n*10 + digit
	}
	return n, true
}

// isDecimal reports whether text is a plain decimal number ("45", "-0.25", "1.5e3"). strconv
// accepts NaN, Inf, hexadecimal numbers and underscores too.
func isDecimal(s string) bool {
	digits := false
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits = true
		case c == '.', c == '+', c == '-', (c == 'e' || c == 'E') && digits:
		default:
			return false
		}
	}
	return digits
}

// parseNumber parses an index or a count. A number above the int64 range is invalid: no bridge
// can count that far.
func parseNumber(s string) Number {
	s = trimBlanks(s)
	n, ok := parseUint(s)
	return Number{Value: n, Valid: ok && n <= math.MaxInt64, Text: s}
}

// parseTime parses RFC 3339. The wire has UTC and whole seconds, but fractions and offsets are
// valid too. A time that does not fit a pcommon.Timestamp is invalid.
func parseTime(s string) (time.Time, string) {
	s = trimBlanks(s)
	t, err := timescan.RFC3339(s)
	if err != nil || t.Year() < 1970 || t.Year() > 2261 {
		return time.Time{}, s
	}
	return t.UTC(), s
}
