// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import "strings"

// Address is the value of From or To (RFC 3261, 20.20).
type Address struct {
	// Display is the name of the party without quotes and escapes, "" if there is
	// none.
	Display string
	URI     URI
	// Tag is the parameter of that name.
	Tag string
}

// ParseAddress reads an address. It is not ok if there is no URI. A display name
// without quotes may hold a comma, which the RFC forbids and phones send.
func ParseAddress(value string) (a Address, ok bool) {
	value = strings.TrimSpace(value)
	rest := value
	if strings.HasPrefix(rest, "\"") {
		if end := closingQuote(rest[1:]); end >= 0 {
			a.Display = unescape(rest[1 : end+1])
			rest = rest[end+2:]
		}
	}
	if open := strings.IndexByte(rest, '<'); open >= 0 {
		if a.Display == "" {
			a.Display = strings.TrimSpace(rest[:open])
		}
		uri, parameters, closed := strings.Cut(rest[open+1:], ">")
		if !closed {
			return a, false
		}
		a.URI, ok = ParseURI(strings.TrimSpace(uri))
		a.Tag = parameter(parameters, "tag")
		return a, ok
	}
	// Without brackets, all parameters are those of the header.
	uri, parameters := rest, ""
	if end := endOfAddrSpec(rest); end >= 0 {
		uri, parameters = rest[:end], rest[end:]
	}
	a.URI, ok = ParseURI(strings.TrimSpace(uri))
	a.Tag = parameter(parameters, "tag")
	return a, ok
}

// endOfAddrSpec returns where the parameters begin; a user may hold a semicolon.
func endOfAddrSpec(text string) int {
	at := strings.LastIndexByte(text, '@') + 1
	if end := strings.IndexByte(text[at:], ';'); end >= 0 {
		return at + end
	}
	return -1
}

// parameter returns the value of ;name=value, without quotes, in any case of
// letters of the name. The first equals sign ends the name.
func parameter(text, name string) string {
	for text != "" {
		var one string
		one, text = cutParameter(text)
		key, value, _ := strings.Cut(one, "=")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			return unquote(strings.TrimSpace(value))
		}
	}
	return ""
}

// cutParameter cuts at the first semicolon outside quotes.
func cutParameter(text string) (one, rest string) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ';':
			return text[:i], text[i+1:]
		case '"':
			end := closingQuote(text[i+1:])
			if end < 0 {
				continue
			}
			i += end + 1
		}
	}
	return text, ""
}

func unquote(text string) string {
	if n := len(text); n >= 2 && text[0] == '"' && text[n-1] == '"' {
		return unescape(text[1 : n-1])
	}
	return text
}

// unescape takes the backslashes out of a quoted string.
func unescape(text string) string {
	if strings.IndexByte(text, '\\') < 0 {
		return text
	}
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		b = append(b, text[i])
	}
	return string(b)
}
