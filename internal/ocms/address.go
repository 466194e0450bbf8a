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
	ok = a.parse(value)
	return a, ok
}

func (a *Address) parse(value string) (ok bool) {
	rest := trimSpace(value)
	if strings.HasPrefix(rest, "\"") {
		if end := closingQuote(rest[1:]); end >= 0 {
			a.Display = unescape(rest[1 : end+1])
			rest = rest[end+2:]
		}
	}
	if open := strings.IndexByte(rest, '<'); open >= 0 {
		if a.Display == "" {
			a.Display = trimSpace(rest[:open])
		}
		uri, parameters, closed := strings.Cut(rest[open+1:], ">")
		if !closed {
			return false
		}
		a.Tag = tagOf(parameters)
		return a.URI.parse(trimSpace(uri))
	}
	// Without brackets, all parameters are those of the header.
	uri, parameters := rest, ""
	if end := endOfAddrSpec(rest); end >= 0 {
		uri, parameters = rest[:end], rest[end:]
	}
	a.Tag = tagOf(parameters)
	return a.URI.parse(trimSpace(uri))
}

// endOfAddrSpec returns where the parameters begin; a user may hold a semicolon.
func endOfAddrSpec(text string) int {
	at := strings.LastIndexByte(text, '@') + 1
	if end := strings.IndexByte(text[at:], ';'); end >= 0 {
		return at + end
	}
	return -1
}

// tagOf returns the parameter tag, which is the first one nearly always.
func tagOf(text string) string {
	if tag, ok := strings.CutPrefix(text, ";tag="); ok && isToken(tag) {
		return tag
	}
	for all := (parameters{text: text}); all.text != ""; {
		if name, value := all.next(); isName(name, "tag") {
			return unquote(value)
		}
	}
	return ""
}

// isToken tells whether a text has no separator of parameters and no space.
func isToken(text string) bool {
	for i := range len(text) {
		if c := text[i]; c == ';' || c == '"' || !isPlain(c) {
			return false
		}
	}
	return true
}

// parameters are those of a header field, name=value and semicolons.
type parameters struct {
	text string // of those that are left
	// ignoreQuotes is set behind a quote without an end.
	ignoreQuotes bool
}

// next cuts off the first parameter. Its first equals sign ends the name.
func (p *parameters) next() (name, value string) {
	one := p.text
	if end := p.end(); end < len(one) {
		one, p.text = one[:end], one[end+1:]
	} else {
		p.text = ""
	}
	for i := range len(one) {
		if one[i] == '=' {
			return trimSpace(one[:i]), trimSpace(one[i+1:])
		}
	}
	return trimSpace(one), ""
}

// end returns the offset of the first semicolon outside quotes, or the length.
func (p *parameters) end() int {
	end := indexFrom(p.text, 0, ';')
	for from := 0; !p.ignoreQuotes; {
		quote := strings.IndexByte(p.text[from:end], '"')
		if quote < 0 {
			break
		}
		from += quote + 1
		n := closingQuote(p.text[from:])
		if n < 0 {
			p.ignoreQuotes = true
			break
		}
		from += n + 1
		if from > end {
			end = indexFrom(p.text, from, ';')
		}
	}
	return end
}

// isName compares a parameter's name in any case of letters.
func isName(name, lower string) bool {
	return len(name) == len(lower) && (name == lower || strings.EqualFold(name, lower))
}

// trimSpace is strings.TrimSpace, inlined for text that has no space around it.
func trimSpace(text string) string {
	if text == "" || isPlain(text[0]) && isPlain(text[len(text)-1]) {
		return text
	}
	return strings.TrimSpace(text)
}

// isPlain tells whether a byte is a visible character of ASCII.
func isPlain(c byte) bool { return c > ' ' && c < 0x7f }

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
