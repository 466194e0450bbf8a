// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logrecord

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/legato-otel/legato/internal/redact"
)

// AppendText appends received text to the body of a log record, without secrets. It escapes
// control characters as in Go's strings, so that no name breaks a line of a log, controls a
// terminal or changes the direction of the text. It also escapes invalid UTF-8.
func AppendText[T string | []byte](body []byte, text T) []byte {
	i := 0
	for i < len(text) && isPlain[text[i]] {
		i++
	}
	if i == len(text) {
		return append(body, text...)
	}
	for ; i < len(text); i++ {
		if redact.Sign(text[i]) {
			return appendEscaped(body, redact.Text(string(text)))
		}
	}
	return appendEscaped(body, text)
}

// AppendRedacted is AppendText for text without secrets.
func AppendRedacted[T string | []byte](body []byte, text T) []byte { return appendEscaped(body, text) }

// isPlain tells which bytes need no escape and cannot be part of a secret's mark.
var isPlain = func() (ordinary [256]bool) {
	for c := byte(' '); c < 0x7f; c++ {
		ordinary[c] = !redact.Sign(c)
	}
	return ordinary
}()

func appendEscaped[T string | []byte](body []byte, text T) []byte {
	kept := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c < 0x7f {
			i++
			continue
		}
		r, size := decodeRune(text[i:])
		if r == utf8.RuneError && size == 1 || breaksLine(r) {
			body = append(body, text[kept:i]...)
			body = appendEscape(body, r, c, size)
			kept = i + size
		}
		i += size
	}
	return append(body, text[kept:]...)
}

func decodeRune[T string | []byte](text T) (r rune, size int) {
	var buffer [utf8.UTFMax]byte
	return utf8.DecodeRune(buffer[:copy(buffer[:], text)])
}

// breaksLine reports whether a character must be escaped: controls, line and paragraph
// separators, and marks that change the direction of the text.
func breaksLine(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

func appendEscape(body []byte, r rune, c byte, size int) []byte {
	switch {
	case r == '\n':
		return append(body, `\n`...)
	case r == '\r':
		return append(body, `\r`...)
	case r == '\t':
		return append(body, `\t`...)
	case size == 1:
		return fmt.Appendf(body, `\x%02x`, c)
	default:
		return fmt.Appendf(body, `\u%04x`, r)
	}
}
