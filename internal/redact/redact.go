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
	"regexp"
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

// UserInfo takes user name and password out of a URL and returns all other
// text unchanged.
func UserInfo(text string) string {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return text
	}
	authority := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = i
	}
	at := strings.LastIndexByte(rest[:authority], '@')
	if at < 0 {
		return text
	}
	return scheme + "://" + Mark + rest[at:]
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

// XML takes secrets out of text that may or may not be XML: the text behind the
// start tag of a secret element, the value of a secret attribute, and what
// follows the host of every rtmp URL.
func XML(text string) string {
	text = secretElement.ReplaceAllStringFunc(text, blank)
	return credentials.ReplaceAllString(streamURLs(elements(text)), "://"+Mark+"@")
}

// credentials matches the user information of any URL.
var credentials = regexp.MustCompile(`://[^/\s<>"'@]+@`)

// secretElement matches an element with a secret name from its start tag to its
// end tag, children, comments and attributes included.
var secretElement = regexp.MustCompile(
	`(?is)<[^\s<>/]*(?:passcode|password|secret|token|streamurl|streamkey)[^\s<>/]*(?:\s[^<>]*)?>.*?</[^\s<>]*(?:passcode|password|secret|token|streamurl|streamkey)[^\s<>]*>` +
		`|<[^\s<>/]*(?:passcode|password|secret|token|streamurl|streamkey)[^\s<>/]*\s[^<>]*/>`)

// blank keeps the tags' names of a secret element and nothing between them.
func blank(element string) string {
	name := element[1:strings.IndexAny(element, " \t\r\n/>")]
	if strings.HasSuffix(element, "/>") {
		return "<" + name + " " + Mark + "/>"
	}
	end := element[strings.LastIndex(element, "</"):]
	if open := strings.IndexByte(element, '>'); open+1+len(end) == len(element) && !strings.ContainsAny(element[:open], " \t\r\n") {
		return element // it holds nothing
	}
	return "<" + name + ">" + Mark + end
}

// elements replaces the values behind names that hold secrets.
func elements(text string) string {
	var b strings.Builder
	kept := 0
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && isNameByte(text[end]) {
			end++
		}
		if end == i {
			i++
			continue
		}
		closing := i > 0 && text[i-1] == '/'
		if !closing && Secret(text[i:end]) {
			if from, to, found := valueBehind(text, end); found && from < to {
				b.WriteString(text[kept:from])
				b.WriteString(Mark)
				kept, end = to, to
			}
		}
		i = end
	}
	if kept == 0 {
		return text
	}
	b.WriteString(text[kept:])
	return b.String()
}

// maxTagRest is how far behind a name its tag's end is looked for. It keeps
// the cost of hostile text linear.
const maxTagRest = 256

// valueBehind finds the value that belongs to the name ending at i: the text up
// to the next tag behind "name ...>", or the quoted text behind "name=".
func valueBehind(text string, i int) (from, to int, found bool) {
	rest := strings.TrimLeft(text[i:], blanks)
	if assigned, ok := strings.CutPrefix(rest, "="); ok {
		return quoted(text, strings.TrimLeft(assigned, blanks))
	}
	tag := strings.IndexAny(rest[:min(len(rest), maxTagRest)], "<>")
	if tag < 0 || rest[tag] != '>' || strings.HasSuffix(rest[:tag], "/") {
		return 0, 0, false
	}
	rest = rest[tag+1:]
	from, stop := len(text)-len(rest), "<"
	if strings.HasPrefix(rest, "<![CDATA[") {
		stop = "]]>"
	}
	if n := strings.Index(rest, stop); n >= 0 {
		return from, from + n, true
	}
	return from, len(text), true
}

// quoted finds the text between the quotes value, a tail of text, starts with.
func quoted(text, value string) (from, to int, found bool) {
	if value == "" || value[0] != '"' && value[0] != '\'' {
		return 0, 0, false
	}
	from = len(text) - len(value) + 1
	if n := strings.IndexByte(value[1:], value[0]); n >= 0 {
		return from, from + n, true
	}
	return from, len(text), true
}

const blanks = " \t\r\n"

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// streamURL matches rtmp, rtmps, rtmpt and their kin up to where a URL ends.
var streamURL = regexp.MustCompile(`(?i)rtmp[a-z]{0,2}://[^"'<>\s]*`)

// streamURLs replaces what follows the host of every rtmp URL.
func streamURLs(text string) string {
	return streamURL.ReplaceAllStringFunc(text, URL)
}
