// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"slices"
	"strings"
)

// valueScanner finds where each value of one line ends.
type valueScanner struct {
	text      string
	extraKeys []string // sorted
	flags     Flags
	// ignoreQuotes is true behind a quote or bracket that is never closed: there, a
	// comma separates only in front of a documented key.
	ignoreQuotes bool

	// quote and bracket are the offsets of the next '"' and '<'. They are searched
	// again only when the scan has passed them, so that no byte is searched twice.
	nextQuote, nextBracket int

	// addressComplete is the result of isAddressComplete for the value that begins at
	// addressStart, up to the offset addressScanned.
	addressStart, addressScanned int
	addressComplete              bool
}

// findValueEnd returns the offset of the comma that ends the value at start, and the
// name behind the comma. If found is false, the value ends with the line.
func (c *valueScanner) findValueEnd(key Key, start int) (end int, next attributeName, found bool) {
	if mayHaveQuotes[key] && !c.ignoreQuotes {
		end, next, found = c.findQuotedValueEnd(key, start)
		if found || !c.ignoreQuotes {
			return end, next, found
		}
	}
	for i := start; ; i++ {
		n := strings.IndexByte(c.text[i:], ',')
		if n < 0 {
			return len(c.text), attributeName{}, false
		}
		i += n
		if next, found = c.boundaryAt(key, start, i); found {
			return i, next, true
		}
	}
}

// findQuotedValueEnd is findValueEnd for keys whose values may hold quoted strings and
// angle brackets, within which a comma does not separate. If one of them is never
// closed, it sets ignoreQuotes and finds nothing.
func (c *valueScanner) findQuotedValueEnd(key Key, start int) (end int, next attributeName, found bool) {
	// outside is the offset behind the last closed quote or bracket.
	for i, outside := start, start; ; i++ {
		if n := strings.IndexByte(c.text[i:], ','); n >= 0 {
			i += n
		} else {
			i = len(c.text)
		}
		for open := c.nextOpening(outside); open < i; open = c.nextOpening(outside) {
			closing := c.findClosing(open)
			if closing < 0 {
				c.flags |= UnbalancedQuote
				c.ignoreQuotes = true
				c.addressStart = -1 // the scan begins again at start, ignoring brackets
				return len(c.text), attributeName{}, false
			}
			outside = closing + 1
			if c.text[closing] == '>' {
				c.addressStart, c.addressScanned, c.addressComplete = start, outside, true
			}
		}
		switch {
		case outside > i:
			i = outside - 1
		case i == len(c.text):
			return i, attributeName{}, false
		default:
			if next, found = c.boundaryAt(key, start, i); found {
				return i, next, true
			}
		}
	}
}

// findClosing returns the offset of the '"' or '>' that closes the one at open, or -1.
func (c *valueScanner) findClosing(open int) int {
	inside := c.text[open+1:]
	var n int
	if c.text[open] == '"' {
		n = indexClosingQuote(inside)
	} else {
		n = strings.IndexByte(inside, '>')
	}
	if n < 0 {
		return -1
	}
	return open + 1 + n
}

// boundaryAt reports whether the comma at i ends the value at start, and returns the
// name behind the comma if so.
func (c *valueScanner) boundaryAt(key Key, start, i int) (next attributeName, ok bool) {
	i++
	if i < len(c.text) {
		if known := matchDocumentedKey(c.text[i:]); known != Unknown {
			return c.acceptDocumented(key, start, attributeName{i, i + len(keyNames[known]), known}), true
		}
	}
	for i < len(c.text) && (c.text[i] == '\n' || c.text[i] == '\r') {
		i++
	}
	next, ok = parseNameAt(c.text, i)
	switch {
	case !ok:
		c.flagKeyAfterBlanks(i)
		return next, false
	case next.key == Unknown:
		return next, c.acceptsUndocumented(key, start, next)
	default:
		return c.acceptDocumented(key, start, next), true
	}
}

// acceptDocumented returns next. It sets Ambiguous if next follows an incomplete
// address.
func (c *valueScanner) acceptDocumented(key Key, start int, next attributeName) attributeName {
	if (key == To || key == From) && !c.isAddressComplete(start, next.start-1) {
		c.flags |= Ambiguous
	}
	return next
}

// acceptsUndocumented reports whether an undocumented name ends the value at start.
func (c *valueScanner) acceptsUndocumented(key Key, start int, next attributeName) bool {
	isExtra := c.isExtraKey(c.text[next.start:next.equals])
	switch {
	case c.ignoreQuotes, len(c.extraKeys) > 0 && !isExtra:
		return false
	case hasUserPart[key] && !isExtra && !c.isAddressComplete(start, next.start-1):
		// The name may belong to the user part: sip:bob,x=1@host.
		c.flags |= Ambiguous
		return false
	default:
		return true
	}
}

// flagKeyAfterBlanks sets Ambiguous if a documented key follows a comma and blanks:
// From=Smith, Via=Bob <...> may be one attribute or two.
func (c *valueScanner) flagKeyAfterBlanks(i int) {
	if i == len(c.text) || c.text[i] != ' ' {
		return
	}
	for i < len(c.text) && c.text[i] == ' ' {
		i++
	}
	if n, ok := parseNameAt(c.text, i); ok && n.key != Unknown {
		c.flags |= Ambiguous
	}
}

func (c *valueScanner) isExtraKey(name string) bool {
	_, found := slices.BinarySearch(c.extraKeys, name)
	return found
}

func isEmptyOrNull(value string) bool { return value == "" || value == "null" }

// isAddressComplete reports whether the part of an address that may hold a comma ends
// before end: a user part ends with '@', a name-addr with '>'. An empty value and
// "null" are complete too.
func (c *valueScanner) isAddressComplete(start, end int) bool {
	if c.addressStart != start {
		c.addressStart, c.addressScanned, c.addressComplete = start, start, false
	}
	if !c.addressComplete {
		part := c.text[c.addressScanned:end]
		c.addressComplete = strings.IndexByte(part, '@') >= 0 || strings.IndexByte(part, '>') >= 0
		c.addressScanned = end
	}
	return c.addressComplete || isEmptyOrNull(strings.TrimRight(c.text[start:min(end, start+len("null,"))], ",\r\n"))
}

// nextOpening returns the offset of the first '"' or '<' from i on, or the length.
func (c *valueScanner) nextOpening(i int) int {
	if c.nextQuote < i || c.nextBracket < i {
		c.searchOpening(i)
	}
	return min(c.nextQuote, c.nextBracket)
}

func (c *valueScanner) searchOpening(i int) {
	if c.nextQuote < i {
		c.nextQuote = indexByteFrom(c.text, i, '"')
	}
	if c.nextBracket < i {
		c.nextBracket = indexByteFrom(c.text, i, '<')
	}
}

func indexByteFrom(text string, i int, wanted byte) int {
	if n := strings.IndexByte(text[i:], wanted); n >= 0 {
		return i + n
	}
	return len(text)
}

// indexClosingQuote returns the offset of the quote that closes a quoted string, or -1.
// text begins behind the opening quote. A backslash escapes the next character.
func indexClosingQuote(text string) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}
