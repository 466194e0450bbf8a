// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package redact takes secrets out of the text that a receiver passes on:
// credentials in URLs and SIP URIs, stream keys, and the values of elements,
// attributes, members and parameters that are named like a passcode, password,
// secret or token. A secret is replaced by [Mark], so that a reader sees that
// something was there.
//
// [Text] serves every text, whatever its form: a value of a record as well as a
// quarantined body. It reads XML, JSON, forms and plain text alike, as they are and
// under three levels of escapes (percent, XML, JSON), in UTF-8 and UTF-16. The text
// may be damaged or cut anywhere: where the end of a secret is not found, all that
// follows is replaced. Its cost is linear, and it holds no more than a few spans.
//
// It is a safety net for wire text; it cannot know a secret that does not look
// like one.
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

// Text returns text without its secrets, and text itself if it has none.
func Text(text string) string {
	if !MayHoldSecret(text) {
		return text
	}
	return replaced(text, newSpans(text, false))
}

// replaced returns text with a mark in the place of each span.
func replaced(text string, spans spans) string {
	first, found := spans.next()
	if !found {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + len(Mark))
	kept := 0
	for s := first; found; s, found = spans.next() {
		b.WriteString(text[kept:s.from])
		b.WriteString(s.mark)
		kept = s.to
	}
	b.WriteString(text[kept:])
	return b.String()
}

// MayHoldSecret is a quick look: text that has none of the characters with which
// names, URLs and escapes stand before a secret has no secret that Text would find.
func MayHoldSecret(text string) bool {
	for i := range len(text) {
		if signs[text[i]] {
			return true
		}
	}
	return false
}

// Sign tells whether a byte makes MayHoldSecret true.
func Sign(c byte) bool { return signs[c] }

var signs = [256]bool{':': true, '=': true, '<': true, '%': true, '&': true, '\\': true, 0: true}

// words mark a name as that of a secret wherever they stand in it, in lower case.
var words = [...]string{
	"passcode", "password", "passwd", "passphrase", "secret", "streamurl", "streamkey", "token", "credential", "apikey", "api_key", "api-key",
}

// wholeWords mark a name only if they are all of it: they stand in many others.
var wholeWords = [...]string{"pin", "pwd"}

const longestWord = len("passphrase")

// wordsBy are the words by their first letter, in either case.
var wordsBy = func() (by [256][]string) {
	for _, word := range words {
		by[word[0]] = append(by[word[0]], word)
		by[word[0]-'a'+'A'] = append(by[word[0]-'a'+'A'], word)
	}
	return by
}()

// Secret tells whether an element, attribute, member or parameter of this name
// holds a secret, in any case of letters.
func Secret(name string) bool {
	for _, word := range wholeWords {
		if len(name) == len(word) && strings.EqualFold(name, word) {
			return true
		}
	}
	return holdsWord(name)
}

func holdsWord[T string | []byte](name T) bool {
	for i := range len(name) {
		for _, word := range wordsBy[name[i]] {
			if len(name)-i >= len(word) && lower(name[i+1]) == word[1] && equalLower(name[i:i+len(word)], word) {
				return true
			}
		}
	}
	return false
}

func equalLower[T string | []byte](text T, word string) bool {
	for i := range len(word) {
		if lower(text[i]) != word[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
