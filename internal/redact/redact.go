// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package redact removes secrets from text that receivers pass on: credentials in
// URLs and SIP URIs, stream keys, and the values of elements, attributes, members and
// parameters whose name contains a word like passcode, password, secret or token. It
// replaces a secret by [Mark], so that a reader sees that there was one.
//
// [Text] accepts any text, from the value of one element to a quarantined body. It
// reads XML, JSON, forms and plain text, with up to three levels of escapes (percent,
// XML, JSON), in UTF-8 and UTF-16. The text may be damaged or cut anywhere: if the end
// of a secret is missing, all following text is replaced. The cost is linear, and
// memory is bounded by a few spans.
//
// The order: viewsOf decodes the text at each level of escapes; a finder finds the
// secrets of one view (finder.go, with tag.go, url.go and address.go); a merger joins
// the secrets of all views (spans.go); Text and [Pieces] replace them.
//
// redact is a safety net for text from the wire. It cannot recognize a secret that does
// not look like one. No function blocks. A new form of a secret is a new line in
// internal/testkit/secrets, which the tests of every receiver use.
package redact

import (
	"net/url"
	"strings"
)

// Mark replaces a secret.
const Mark = "REDACTED"

// URL keeps scheme and host of a URL and replaces the rest: the key of a stream may be in
// its path, query or user information. Text that is not a URL with a host becomes Mark.
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

// Text returns text with its secrets replaced. It returns text itself, without a copy, if
// there are none.
func Text(text string) string {
	if !MayHoldSecret(text) {
		return text
	}
	return replaceSecrets(text, newSecrets(text, false))
}

// replaceSecrets returns text with each secret replaced by its mark.
func replaceSecrets(text string, spans secrets) string {
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

// MayHoldSecret is a quick check: if text has none of the bytes of secretSigns, which stand
// between a name, URL or escape and its secret, Text finds no secret in it.
func MayHoldSecret(text string) bool {
	for i := range len(text) {
		if secretSigns[text[i]] {
			return true
		}
	}
	return false
}

// Sign reports whether a byte makes MayHoldSecret true.
func Sign(c byte) bool { return secretSigns[c] }

var secretSigns = [256]bool{':': true, '=': true, '<': true, '%': true, '&': true, '\\': true, 0: true}

// secretWords mark a name as that of a secret wherever they occur in it. They are in lower
// case, without the separators that a name may have between its letters.
var secretWords = [...]string{
	"passcode", "password", "passwd", "passphrase", "secret", "streamurl", "streamkey", "token", "credential", "apikey",
}

// ownWords mark a name only as separate words ("pin", "guestPin", "PIN_code"), because
// their letters occur in many other words.
var ownWords = [...]string{"pin", "pwd"}

// longestWord is the length of the longest word, with a separator behind each letter.
const longestWord = 2 * len("passphrase")

// nameWord is one of secretWords or ownWords.
type nameWord struct {
	text  string
	isOwn bool
}

// wordsByLetter are the words by their first letter, in either case.
var wordsByLetter = func() (by [256][]nameWord) {
	add := func(word nameWord) {
		by[word.text[0]] = append(by[word.text[0]], word)
		by[word.text[0]-'a'+'A'] = append(by[word.text[0]-'a'+'A'], word)
	}
	for _, word := range secretWords {
		add(nameWord{text: word})
	}
	for _, word := range ownWords {
		add(nameWord{word, true})
	}
	return by
}()

// IsSecretName reports whether an element, attribute, member or parameter with this name holds a
// secret, in any case of letters, with or without separators.
func IsSecretName(name string) bool { return hasSecretWord(name, true, true) }

// hasSecretWord reports whether a part of a name contains one of the words. begins and ends
// say whether the part is at the beginning and at the end of the name.
func hasSecretWord[T string | []byte](name T, begins, ends bool) bool {
	for i := range len(name) {
		for _, word := range wordsByLetter[name[i]] {
			if len(name)-i < len(word.text) || lower(name[i+1]) != word.text[1] && !isSeparator(name[i+1]) {
				continue
			}
			if word.isOwn {
				if isOwnWord(name, i, word.text, begins, ends) {
					return true
				}
			} else if hasWordLetters(name[i:], word.text) {
				return true
			}
		}
	}
	return false
}

func isSeparator(c byte) bool { return c == '_' || c == '-' || c == '.' }

// hasWordLetters reports whether text begins with the letters of a word, with any
// separators between them.
func hasWordLetters[T string | []byte](text T, word string) bool {
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

// isOwnWord reports whether the word at i is a separate word of the name: delimited by
// separators, digits or changes of case.
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
