// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strings"

	"github.com/legato-otel/legato/internal/redact"
)

// formBody joins the lines of a request's body. A bridge logs one decoded parameter per
// line, and long ones in chunks. The name of a parameter decides whether its value is a
// secret, so a chunk without its first line is withheld.
type formBody struct {
	parameters  []string // "name=value"
	lastChunk   int      // length of the last chunk, in bytes
	withheld    int      // number of chunks without a first line
	mayContinue bool     // the next line may continue the last parameter
}

const (
	// chunkLength is the length at which a bridge splits a parameter, in characters.
	chunkLength = 48
	// chunkIndent is the number of blanks in front of a chunk other than the first, and
	// minChunkIndent the smallest number that is accepted.
	chunkIndent    = 6
	minChunkIndent = 4
)

// addLine adds a line of the body, with the blanks behind the colon of "API trace 1:". It
// returns the number of bytes by which the form grew.
func (f *formBody) addLine(line string) int {
	text := skipBlanks(line)
	indent := len(line) - len(text)
	full := f.lastChunk >= chunkLength && f.mayContinue
	last := len(f.parameters) - 1
	switch {
	case full && f.continuesChunk(last, indent, text):
		if indent > chunkIndent {
			text = line[chunkIndent:] // blanks of the value
		}
		f.parameters[last] += text
		f.lastChunk = len(text)
		return len(text)
	case indent >= minChunkIndent:
		if text = strings.Trim(text, "& "); text != "" {
			f.withheld++
		}
		f.mayContinue = false
		return 0
	case strings.Trim(text, "& ") == "": // bodies begin with "&"
		f.mayContinue = false
		return 0
	case strings.IndexByte(text, '=') <= 0 && len(text) < chunkLength:
		f.withheld++
		f.mayContinue = false
		return 0
	default:
		f.parameters = append(f.parameters, text)
	}
	f.lastChunk, f.mayContinue = len(text), true
	return len(text) + parameterOverhead
}

func (f *formBody) empty() bool { return len(f.parameters) == 0 && f.withheld == 0 }

// parameterOverhead is the memory of a parameter without its text, in bytes.
const parameterOverhead = 16

// continuesChunk reports whether a line behind a full chunk continues it. An indented line
// does. Where a relay collapsed blanks, a line that is not a parameter does, and every
// line behind a secret.
func (f *formBody) continuesChunk(last, indent int, text string) bool {
	if last < 0 {
		return false
	}
	name, _, hasName := strings.Cut(f.parameters[last], "=")
	return indent >= minChunkIndent || strings.IndexByte(text, '=') < 0 || !hasName || redact.IsSecretName(name)
}

// isParameterName reports whether a text can be the name of a parameter.
func isParameterName(name string) bool {
	return name != "" && len(name) <= maxParameterName && (name[0]|0x20 >= 'a' && name[0]|0x20 <= 'z') && isPlainObject(name) && !strings.Contains(name, " ")
}

// cleanPairs returns the parameters without secrets, and the number of parts that are
// withheld because they may be the rest of a secret: text without a name, and all text if
// the beginning of the body was not seen (contentLineFirst is false).
func (f *formBody) cleanPairs(contentLineFirst bool) (all []Pair, withheld int, had bool) {
	withheld = f.withheld
	for _, text := range f.parameters {
		name, value, hasName := strings.Cut(text, "=")
		switch {
		case !hasName || !isParameterName(name) || len(all) == maxParameters || !contentLineFirst:
			withheld++
		default:
			cleaned, secret := removeValueSecrets(name, strings.TrimSuffix(value, "&"))
			had = had || secret
			all = append(all, Pair{name, cleaned})
		}
	}
	return all, withheld, had || withheld > 0
}

const (
	maxParameterName = 64
	maxParameters    = 64
	// maxValue is the longest value of a parameter or element that is kept, in bytes.
	maxValue = 1024
)

// removeValueSecrets returns the value of a parameter or element without secrets.
func removeValueSecrets(name, value string) (cleaned string, had bool) {
	switch {
	case value == "":
		return "", false
	case redact.IsSecretName(name):
		return redact.Mark, true
	case redact.IsAddress(name):
		cleaned = removeSpokenSecrets(redact.Address(value))
	default:
		cleaned, _ = removeSecrets(value)
	}
	return clip(cleaned, maxValue), cleaned != value
}
