// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package redact takes secrets out of what a receiver passes on: stream keys in
// URLs, and elements that hold passcodes, passwords, secrets or tokens. What is
// taken out is replaced by [Mark], so that a reader sees that something was there.
//
// It is a safety net for text that is kept as it came (unknown elements,
// quarantined bodies); it cannot know a secret that does not look like one.
package redact

import (
	"net/url"
	"strings"
)

// Mark stands where a secret was.
const Mark = "REDACTED"

// URL keeps scheme and host of a URL and replaces the rest: a stream's key may
// be in its path, its query or its user information. Text that is not a URL
// with a host is replaced whole.
func URL(text string) string {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return ""
	case err != nil || u.Host == "":
		return Mark
	default:
		return u.Scheme + "://" + u.Host + "/" + Mark
	}
}

// Secret tells whether an element or attribute of this name holds a secret.
func Secret(name string) bool {
	name = strings.ToLower(name)
	for _, part := range [...]string{"passcode", "password", "secret", "token", "streamurl", "streamkey"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// XML takes secrets out of text that may or may not be XML: what a secret
// element holds, its attributes and children included, the value of a secret
// attribute, what follows the host of an rtmp URL, and the user information of
// every URL. Its cost is linear, whatever the text.
func XML(text string) string { return URLs(elements(text)) }

// JSON takes secrets out of text that may or may not be JSON, and may be damaged:
// what a secret element holds, nested or not, what follows the host of an rtmp
// URL, and the user information of every URL. Its cost is linear.
func JSON(text string) string { return URLs(jsonMembers(text)) }

// editor copies text with some spans replaced by Mark. Spans come in order.
type editor struct {
	text string
	out  strings.Builder
	kept int
	// emit, if not nil, gets the copy bit by bit, and out stays empty.
	emit func(string)
}

func (e *editor) replace(from, to int, with string) {
	e.write(e.text[e.kept:from])
	e.write(with)
	e.kept = to
}

func (e *editor) write(text string) {
	if e.emit != nil {
		e.emit(text)
		return
	}
	e.out.WriteString(text)
}

func (e *editor) result() string {
	if e.kept == 0 && e.emit == nil {
		return e.text
	}
	e.write(e.text[e.kept:])
	return e.out.String()
}

// elements replaces what names that speak of secrets stand for.
func elements(text string) string {
	e := editor{text: text}
	e.elements()
	return e.result()
}

func (e *editor) elements() {
	text := e.text
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && isNameByte(text[end]) {
			end++
		}
		switch {
		case end == i:
			end++
		case i > 0 && text[i-1] == '/' || !Secret(text[i:end]):
		case i > 0 && text[i-1] == '<':
			end = e.element(i, end)
		default:
			end = e.attribute(end)
		}
		i = end
	}
}

// attribute replaces the quoted text behind "name=" and returns where to go on.
func (e *editor) attribute(end int) int {
	assigned, ok := strings.CutPrefix(strings.TrimLeft(e.text[end:], blanks), "=")
	if !ok {
		return end
	}
	from, to := quoted(e.text, strings.TrimLeft(assigned, blanks))
	if from < to {
		e.replace(from, to, Mark)
	}
	return max(end, to)
}

// How far behind a name the end of its tag and of its element are looked for.
// They keep the cost of hostile text linear; beyond them the text up to the
// next tag goes.
const (
	maxTag     = 256
	maxElement = 1024
)

// element replaces the attributes and the content of the element whose name is
// text[i:end] and returns where to go on.
func (e *editor) element(i, end int) int {
	tag := strings.IndexAny(e.text[end:min(len(e.text), end+maxTag)], "<>")
	if tag < 0 || e.text[end+tag] != '>' {
		return end
	}
	attributes, empty := strings.CutSuffix(e.text[end:end+tag], "/")
	if strings.TrimSpace(attributes) != "" {
		e.replace(end, end+len(attributes), " "+Mark)
	}
	from := end + tag + 1
	if empty {
		return from
	}
	to := contentEnd(e.text, from, e.text[i:end])
	if from < to {
		e.replace(from, to, Mark)
	}
	return to
}

// contentEnd finds the end of the content that starts at from.
func contentEnd(text string, from int, name string) int {
	rest := text[from:]
	if n := strings.Index(rest[:min(len(rest), maxElement)], "</"+name); n >= 0 {
		return from + n
	}
	stop := "<"
	if strings.HasPrefix(rest, "<![CDATA[") {
		stop = "]]>"
	}
	if n := strings.Index(rest, stop); n >= 0 {
		return from + n
	}
	return len(text)
}

// quoted finds the text between the quotes value, a tail of text, starts with.
func quoted(text, value string) (from, to int) {
	if value == "" || value[0] != '"' && value[0] != '\'' {
		return 0, 0
	}
	from = len(text) - len(value) + 1
	if n := strings.IndexByte(value[1:], value[0]); n >= 0 {
		return from, from + n
	}
	return from, len(text)
}

const blanks = " \t\r\n"

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// jsonMembers replaces the values of members whose names speak of secrets. It
// looks for names, not for quotes in pairs: the text may be cut anywhere.
func jsonMembers(text string) string {
	e := editor{text: text}
	e.jsonMembers()
	return e.result()
}

func (e *editor) jsonMembers() {
	text := e.text
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && isNameByte(text[end]) {
			end++
		}
		if end == i {
			i++
			continue
		}
		if Secret(text[i:end]) {
			rest := strings.TrimLeft(strings.TrimPrefix(text[end:], "\""), blanks)
			if value, ok := strings.CutPrefix(rest, ":"); ok {
				value = strings.TrimLeft(value, blanks)
				from := len(text) - len(value)
				end = from + jsonValue(value)
				if end > from {
					e.replace(from, end, `"`+Mark+`"`)
				}
			}
		}
		i = end
	}
}

// jsonValue returns how long the value at the front of text is, all of the text
// if it does not end.
func jsonValue(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return min(i+1, len(text))
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return i
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// URLs takes the secrets out of all URLs in a text: what follows the host of an
// rtmp URL, and the user information of every other one. Text without a URL
// ("recorder@example.com") is returned as it is.
func URLs(text string) string {
	e := editor{text: text}
	for at := 0; ; {
		n := strings.Index(text[at:], "://")
		if n < 0 {
			return e.result()
		}
		colon := at + n
		scheme := colon
		for scheme > at && isNameByte(text[scheme-1]) {
			scheme--
		}
		at = colon + len("://")
		if colon-scheme >= len("rtmp") && strings.EqualFold(text[scheme:scheme+len("rtmp")], "rtmp") {
			end := endBefore(text, at, urlEnd)
			e.replace(scheme, end, URL(text[scheme:end]))
			at = end
			continue
		}
		// The last one: a password may hold an @ itself.
		authority := text[at:endBefore(text, at, urlEnd+"/?#")]
		if n := strings.LastIndexByte(authority, '@'); n >= 0 {
			e.replace(at, at+n, Mark)
		}
	}
}

// urlEnd are the characters no URL holds.
const urlEnd = "\"'<> \t\r\n"

// endBefore returns the offset of the first of stops at or behind i.
func endBefore(text string, i int, stops string) int {
	for i < len(text) && strings.IndexByte(stops, text[i]) < 0 {
		i++
	}
	return i
}
