// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strings"

	"github.com/legato-otel/legato/internal/redact"
)

// after returns the text behind the first mark, or "".
func after(text, mark string) string {
	_, remainder, _ := strings.Cut(text, mark)
	return remainder
}

// cutGUID returns the GUID behind a prefix.
func cutGUID(text, prefix string) (id string, found bool) {
	remainder, found := strings.CutPrefix(text, prefix)
	if !found {
		return "", false
	}
	id, _ = parseGUID(remainder)
	return id, id != ""
}

// parseGUID returns the GUID at the beginning of text, behind blanks, in the lower case of
// call detail records.
func parseGUID(text string) (id, remainder string) {
	text = skipBlanks(text)
	if len(text) < guidLength || !isGUID(text[:guidLength]) || len(text) > guidLength && isGUIDByte(text[guidLength]) {
		return "", text
	}
	return strings.ToLower(text[:guidLength]), text[guidLength:]
}

const guidLength = 36

func isGUID(text string) bool {
	if len(text) != guidLength {
		return false
	}
	for i := range len(text) {
		switch i {
		case 8, 13, 18, 23:
			if text[i] != '-' {
				return false
			}
		default:
			if !isGUIDByte(text[i]) {
				return false
			}
		}
	}
	return true
}

func isGUIDByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// cutQuoted returns the text in the first quotes, and the text behind them.
func cutQuoted(text string) (quoted, remainder string) {
	_, rest, found := strings.Cut(text, `"`)
	if !found {
		return "", ""
	}
	quoted, remainder, _ = strings.Cut(rest, `"`)
	return quoted, remainder
}

// inParentheses returns the text from the first parenthesis to the last one.
func inParentheses(text string) string {
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return ""
	}
	return text[open+1 : end]
}

// putAddress adds a field with the address of a party without secrets.
func (r *Record) putAddress(key, address string) {
	cleaned := removeSpokenSecrets(redact.Address(address))
	r.Redacted = r.Redacted || cleaned != address
	r.putText(key, cleaned)
}

// clip returns at most limit bytes of text and does not split characters. text must be
// without secrets: half a secret may not be recognizable.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && text[limit]&0xc0 == 0x80 {
		limit--
	}
	return text[:limit]
}
