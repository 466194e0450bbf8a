// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package xmlscan

import "unicode/utf8"

// class is a set of properties of a byte. One table look-up for each byte keeps the inner
// loops short.
type class uint16

const (
	classBlank class = 1 << iota
	className
	classNameStart
	classControl // not allowed in a document
	classHigh    // part of a multi-byte character: needs a UTF-8 check
	classAmpersand
	classReturn
	classBracket
	classTextStop // '<'
	classDoubleQuote
	classSingleQuote

	// classNotSimple are the classes that text of a Leaf may not have, because they need a
	// check or decoding.
	classNotSimple = classControl | classAmpersand | classHigh | classReturn | classBracket
)

var classes = func() (t [256]class) {
	for c := range 0x20 {
		t[c] = classControl
	}
	for _, c := range " \t\n\r" {
		t[c] = classBlank
	}
	t['\r'] |= classReturn
	for c := 'a'; c <= 'z'; c++ {
		t[c] = className | classNameStart
		t[c-'a'+'A'] = className | classNameStart
	}
	for c := '0'; c <= '9'; c++ {
		t[c] = className
	}
	t['-'], t['.'] = className, className
	t['_'], t[':'] = className|classNameStart, className|classNameStart
	t['&'], t['<'], t[']'] = classAmpersand, classTextStop, classBracket
	t['"'], t['\''] = classDoubleQuote, classSingleQuote
	for c := utf8.RuneSelf; c < len(t); c++ {
		t[c] = className | classNameStart | classHigh
	}
	return t
}()

// validCharacters reports whether text is UTF-8 of characters in XML's Char production. The
// caller has checked ASCII control characters by class.
func validCharacters(text string) bool {
	for i, r := range text {
		switch {
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return false
			}
		case r >= utf8.RuneSelf && !validCharacter(r):
			return false
		}
	}
	return true
}

// validCharacter reports whether r matches production 2 of XML 1.0, Char.
func validCharacter(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}

// nameStartRanges are the characters above ASCII of production 4 of XML 1.0 (fifth
// edition), NameStartChar.
var nameStartRanges = [][2]rune{
	{0xC0, 0xD6},
	{0xD8, 0xF6},
	{0xF8, 0x2FF},
	{0x370, 0x37D},
	{0x37F, 0x1FFF},
	{0x200C, 0x200D},
	{0x2070, 0x218F},
	{0x2C00, 0x2FEF},
	{0x3001, 0xD7FF},
	{0xF900, 0xFDCF},
	{0xFDF0, 0xFFFD},
	{0x10000, 0xEFFFF},
}

// nameRanges are the characters above ASCII that production 4a, NameChar, adds.
var nameRanges = [][2]rune{{0xB7, 0xB7}, {0x300, 0x36F}, {0x203F, 0x2040}}

// validUnicodeName checks a name with characters above ASCII. The caller has checked its
// ASCII characters.
func validUnicodeName(name string) bool {
	if !validCharacters(name) {
		return false
	}
	for i, r := range name {
		if r < utf8.RuneSelf || inRanges(nameStartRanges, r) || i > 0 && inRanges(nameRanges, r) {
			continue
		}
		return false
	}
	return true
}

func inRanges(ranges [][2]rune, r rune) bool {
	for _, bounds := range ranges {
		if r >= bounds[0] && r <= bounds[1] {
			return true
		}
	}
	return false
}
