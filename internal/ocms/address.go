// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import "strings"

// Address is the value of From or To (RFC 3261, 20.20).
type Address struct {
	// Display is the name of the party without quotes and escapes, "" without one.
	Display string
	URI     URI
	// Tag is the value of the header parameter tag.
	Tag string
}

// ParseAddress parses an address. ok is false without a URI. A display name without
// quotes may hold a comma: the RFC forbids it, but phones send it.
func ParseAddress(value string) (a Address, ok bool) {
	ok = a.parse(value)
	return a, ok
}

func (a *Address) parse(value string) (ok bool) {
	rest := trimSpace(value)
	if strings.HasPrefix(rest, "\"") {
		if end := indexClosingQuote(rest[1:]); end >= 0 {
			a.Display = unescape(rest[1 : end+1])
			rest = rest[end+2:]
		}
	}
	if opening := strings.IndexByte(rest, '<'); opening >= 0 {
		return a.parseNameAddr(rest, opening, opening+strings.IndexByte(rest[opening:], '>'))
	}
	// Without brackets, all parameters belong to the header (RFC 3261, 20.10).
	uri, parameters := rest, ""
	if end := endOfAddrSpec(rest); end >= 0 {
		uri, parameters = rest[:end], rest[end:]
	}
	a.Tag = tagOf(parameters)
	return a.URI.parse(trimSpace(uri))
}

// parseNameAddr parses an address whose URI is between the brackets at opening and closing;
// closing is below opening if the bracket is never closed. The caller parses a quoted
// display name.
func (a *Address) parseNameAddr(text string, opening, closing int) (ok bool) {
	if a.Display == "" {
		a.Display = trimSpace(strings.TrimSuffix(text[:opening], " "))
	}
	if closing < opening {
		return false
	}
	a.Tag = tagOf(text[closing+1:])
	return a.URI.parse(trimSpace(text[opening+1 : closing]))
}

// endOfAddrSpec returns the offset of the header parameters, or -1. The user part may
// hold a semicolon, so the search begins behind the @.
func endOfAddrSpec(text string) int {
	at := strings.LastIndexByte(text, '@') + 1
	if end := strings.IndexByte(text[at:], ';'); end >= 0 {
		return at + end
	}
	return -1
}

// tagOf returns the value of the parameter tag. It is nearly always the first
// parameter, which is checked first.
func tagOf(text string) string {
	const first = ";tag="
	if len(text) >= len(first) && text[:len(first)] == first && isToken(text[len(first):]) {
		return text[len(first):]
	}
	for all := (parameterReader{rest: text}); all.rest != ""; {
		if name, value := all.nextPair(); equalName(name, "tag") {
			return unquote(value)
		}
	}
	return ""
}

// isToken reports whether text has no space, quote or semicolon.
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
		is[c] = isVisibleASCII(byte(c)) && c != ';' && c != '"'
	}
	return is
}()

// parameterReader reads the parameters of a header field: name=value, separated by
// semicolons.
type parameterReader struct {
	rest string // unread parameters
	// ignoreQuotes is true behind an opening quote without a closing one: there, each
	// semicolon separates.
	ignoreQuotes bool
}

// nextPair removes the first parameter from rest and returns its name and value.
func (p *parameterReader) nextPair() (name, value string) { return splitParameter(p.nextText()) }

// nextText removes the first parameter from rest and returns its text.
func (p *parameterReader) nextText() (parameter string) {
	all := p.rest
	end := strings.IndexByte(all, ';')
	if !p.ignoreQuotes {
		end = p.indexSemicolonOutsideQuotes(end)
	}
	if end < 0 {
		p.rest = ""
		return all
	}
	p.rest = all[end+1:]
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

// indexSemicolonOutsideQuotes returns the offset of the first semicolon outside quotes,
// or -1. first is the offset of the first semicolon of all.
func (p *parameterReader) indexSemicolonOutsideQuotes(first int) (end int) {
	end = first
	for from := 0; end >= 0; {
		quote := strings.IndexByte(p.rest[from:end], '"')
		if quote < 0 {
			break
		}
		from += quote + 1
		n := indexClosingQuote(p.rest[from:])
		if n < 0 {
			p.ignoreQuotes = true
			break
		}
		from += n + 1
		if from > end {
			if end = strings.IndexByte(p.rest[from:], ';'); end >= 0 {
				end += from
			}
		}
	}
	return end
}

// equalName compares a parameter's name without regard to case.
func equalName(name, lower string) bool {
	return len(name) == len(lower) && (name == lower || strings.EqualFold(name, lower))
}

// trimSpace is strings.TrimSpace with an inlined path for text without outer space.
func trimSpace(text string) string {
	if text == "" || isVisibleASCII(text[0]) && isVisibleASCII(text[len(text)-1]) {
		return text
	}
	return strings.TrimSpace(text)
}

// isVisibleASCII reports whether c is an ASCII character with a glyph.
func isVisibleASCII(c byte) bool { return c > ' ' && c < 0x7f }

func unquote(text string) string {
	if n := len(text); n >= 2 && text[0] == '"' && text[n-1] == '"' {
		return unescape(text[1 : n-1])
	}
	return text
}

// unescape removes the backslashes of a quoted string.
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
