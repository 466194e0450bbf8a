// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strings"

	"github.com/legato-otel/legato/internal/redact"
)

// form is the body of a request as a bridge logs it: one decoded parameter on a line,
// longer ones in chunks. The name of a parameter is what tells whether its value is a
// secret, so a chunk whose first line is missing is never shown.
type form struct {
	parameters []string // "name=value"
	chunk      int      // length of the last chunk, in bytes
	withheld   int      // chunks without a first line
	open       bool     // the last parameter may be continued
}

const (
	// chunkLength is where a bridge cuts a parameter, in characters.
	chunkLength = 48
	// continuation is how many blanks are in front of a chunk that is not the first,
	// and minContinuation the fewest that make one.
	continuation    = 6
	minContinuation = 4
)

// add reads a line of the body, with the blanks behind the colon of "API trace 1:".
// It returns how many bytes it holds more.
func (f *form) add(line string) int {
	text := skipBlanks(line)
	indent := len(line) - len(text)
	full := f.chunk >= chunkLength && f.open
	last := len(f.parameters) - 1
	switch {
	case full && f.continues(last, indent, text):
		if indent > continuation {
			text = line[continuation:] // blanks of the value
		}
		f.parameters[last] += text
		f.chunk = len(text)
		return len(text)
	case indent >= minContinuation:
		if text = strings.Trim(text, "& "); text != "" {
			f.withheld++
		}
		f.open = false
		return 0
	case strings.Trim(text, "& ") == "": // bodies begin with "&"
		f.open = false
		return 0
	case strings.IndexByte(text, '=') <= 0 && len(text) < chunkLength:
		f.withheld++
		f.open = false
		return 0
	default:
		f.parameters = append(f.parameters, text)
	}
	f.chunk, f.open = len(text), true
	return len(text) + perParameter
}

func (f *form) empty() bool { return len(f.parameters) == 0 && f.withheld == 0 }

// perParameter is what a parameter takes beside its text, in bytes.
const perParameter = 16

// continues tells whether a line behind a full chunk continues it. Where blanks were
// collapsed, a line that is no parameter does, and any behind a secret.
func (f *form) continues(last, indent int, text string) bool {
	if last < 0 {
		return false
	}
	name, _, hasName := strings.Cut(f.parameters[last], "=")
	return indent >= minContinuation || strings.IndexByte(text, '=') < 0 || !hasName || redact.Secret(name)
}

// isParameterName tells whether a text can be the name of a parameter.
func isParameterName(name string) bool {
	return name != "" && len(name) <= maxParameterName && (name[0]|0x20 >= 'a' && name[0]|0x20 <= 'z') && isPlainObject(name) && !strings.Contains(name, " ")
}

// pairs returns the parameters without secrets, and how many parts are withheld: text
// without a name could be the rest of a secret. announced tells that the beginning of
// the body was seen: without it, what looks like a parameter may be such a rest.
func (f *form) pairs(announced bool) (all []Pair, withheld int, had bool) {
	withheld = f.withheld
	for _, text := range f.parameters {
		name, value, hasName := strings.Cut(text, "=")
		switch {
		case !hasName || !isParameterName(name) || len(all) == maxParameters || !announced:
			withheld++
		default:
			cleaned, secret := cleanValue(name, strings.TrimSuffix(value, "&"))
			had = had || secret
			all = append(all, Pair{name, cleaned})
		}
	}
	return all, withheld, had || withheld > 0
}

const (
	maxParameterName = 64
	maxParameters    = 64
	// maxValue is where the value of a parameter or element is cut, in bytes.
	maxValue = 1024
)

// cleanValue returns the value of a parameter or element without secrets.
func cleanValue(name, value string) (cleaned string, had bool) {
	switch {
	case value == "":
		return "", false
	case redact.Secret(name):
		return redact.Mark, true
	case redact.IsAddress(name):
		cleaned = cleanSpoken(redact.Address(value))
	default:
		cleaned, _ = clean(value)
	}
	return clip(cleaned, maxValue), cleaned != value
}
