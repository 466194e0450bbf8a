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

// words mark a name as that of a secret wherever they stand in it. They are in lower
// case and without the separators that a name may have between its letters.
var words = [...]string{
	"passcode", "password", "passwd", "passphrase", "secret", "streamurl", "streamkey", "token", "credential", "apikey",
}

// ownWords mark a name only as words of their own ("pin", "guestPin", "PIN_code"):
// their letters stand in many other words.
var ownWords = [...]string{"pin", "pwd"}

// longestWord is the length of the longest word, with a separator behind each letter.
const longestWord = 2 * len("passphrase")

// nameWord is one of words or ownWords.
type nameWord struct {
	text  string
	isOwn bool
}

// wordsBy are the words by their first letter, in either case.
var wordsBy = func() (by [256][]nameWord) {
	add := func(word nameWord) {
		by[word.text[0]] = append(by[word.text[0]], word)
		by[word.text[0]-'a'+'A'] = append(by[word.text[0]-'a'+'A'], word)
	}
	for _, word := range words {
		add(nameWord{text: word})
	}
	for _, word := range ownWords {
		add(nameWord{word, true})
	}
	return by
}()

// Secret tells whether an element, attribute, member or parameter of this name
// holds a secret, in any case of letters, with and without separators.
func Secret(name string) bool { return holdsWord(name, true, true) }

// holdsWord tells whether a part of a name holds one of the words. begins and ends
// tell whether the part is at the begin and at the end of the name.
func holdsWord[T string | []byte](name T, begins, ends bool) bool {
	for i := range len(name) {
		for _, word := range wordsBy[name[i]] {
			if len(name)-i < len(word.text) || lower(name[i+1]) != word.text[1] && !isSeparator(name[i+1]) {
				continue
			}
			if word.isOwn {
				if isOwnWord(name, i, word.text, begins, ends) {
					return true
				}
			} else if holdsLetters(name[i:], word.text) {
				return true
			}
		}
	}
	return false
}

func isSeparator(c byte) bool { return c == '_' || c == '-' || c == '.' }

// holdsLetters tells whether text begins with the letters of a word, whatever
// separators stand between them.
func holdsLetters[T string | []byte](text T, word string) bool {
	k := 0
	for i := range len(text) {
		c := text[i]
		if isSeparator(c) {
			continue
		}
		if lower(c) != word[k] {
			return false
		}
		if k++; k == len(word) {
			return true
		}
	}
	return false
}

// isOwnWord tells whether the letters of a word stand at i and are a word of the name:
// between separators, digits and changes of case.
func isOwnWord[T string | []byte](name T, i int, word string, begins, ends bool) bool {
	end := i + len(word)
	for k := range len(word) {
		if lower(name[i+k]) != word[k] {
			return false
		}
	}
	first, second, last := isUpper(name[i]), isUpper(name[i+1]), isUpper(name[end-1])
	switch {
	case i == 0:
		if !begins {
			return false
		}
	case isLetter(name[i-1]) && (!first || isUpper(name[i-1]) && second):
		return false // neither "guestPin" nor "IDPin"
	}
	switch {
	case end == len(name):
		return ends
	case !isLetter(name[end]):
		return true
	case isUpper(name[end]):
		return !last || end+1 < len(name) && isLetter(name[end+1]) && !isUpper(name[end+1]) // "PINCode"
	default:
		return first && second && last // "PINcode"
	}
}

func equalLower[T string | []byte](text T, word string) bool {
	for i := range len(word) {
		if lower(text[i]) != word[i] {
			return false
		}
	}
	return true
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

func isLetter(c byte) bool { return lower(c) >= 'a' && lower(c) <= 'z' }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
