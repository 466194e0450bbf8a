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
		rest = rest[open+1:]
		closing := strings.IndexByte(rest, '>')
		if closing < 0 {
			return false
		}
		a.Tag = tagOf(rest[closing+1:])
		return a.URI.parse(trimSpace(rest[:closing]))
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
	for all := newParameters(text); all.text != ""; {
		if name, value := all.next(); isName(name, "tag") {
			return unquote(value)
		}
	}
	return ""
}

// isToken tells whether a text has no separator of parameters and no space.
func isToken(text string) bool {
	for i := range len(text) {
		if !isTokenByte[text[i]] {
			return false
		}
	}
	return true
}

var isTokenByte = func() (is [256]bool) {
	for c := range is {
		is[c] = isPlain(byte(c)) && c != ';' && c != '"'
	}
	return is
}()

// parameters reads the parameters of a header field: name=value, separated by
// semicolons.
type parameters struct {
	text string // the parameters that were not read yet
	// ignoreQuotes is set if no quote follows, or one without an end.
	ignoreQuotes bool
}

func newParameters(text string) parameters {
	return parameters{text: text, ignoreQuotes: strings.IndexByte(text, '"') < 0}
}

// next cuts off the first parameter.
func (p *parameters) next() (name, value string) { return splitParameter(p.cut()) }

// cut cuts off the first parameter as it is written.
func (p *parameters) cut() (parameter string) {
	all := p.text
	end := strings.IndexByte(all, ';')
	if !p.ignoreQuotes {
		end = p.endOutsideQuotes(end)
	}
	if end < 0 {
		p.text = ""
		return all
	}
	p.text = all[end+1:]
	return all[:end]
}

// splitParameter splits a parameter at its first equals sign.
func splitParameter(parameter string) (name, value string) {
	for i := range len(parameter) {
		if parameter[i] == '=' {
			return trimSpace(parameter[:i]), trimSpace(parameter[i+1:])
		}
	}
	return trimSpace(parameter), ""
}

// endOutsideQuotes returns the offset of the first semicolon outside quotes, or -1.
// first is the first semicolon.
func (p *parameters) endOutsideQuotes(first int) (end int) {
	end = first
	for from := 0; end >= 0; {
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
			if end = strings.IndexByte(p.text[from:], ';'); end >= 0 {
				end += from
			}
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
