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

	// addressComplete is the result of isAddressComplete for the value that begins at
	// addressStart, up to the offset addressScanned.
	addressStart, addressScanned int
	addressComplete              bool

	// brackets are the first ones in the value that findValueEnd read last. They are zero
	// if a quote is in front of them, or a quote or bracket is never closed.
	brackets bracketOffsets
	// skipped is true if findValueEnd skipped brackets or quotes in that value.
	skipped bool
}

// findValueEnd returns the offset of the comma that ends the value at start, and the
// name behind the comma. If found is false, the value ends with the line.
func (c *valueScanner) findValueEnd(key Key, start int) (end int, next attributeName, found bool) {
	text := c.text
	c.brackets, c.skipped = bracketOffsets{}, false
	for i, quoted := start, mayHaveQuotes[key] && !c.ignoreQuotes; ; i++ {
		if quoted {
			i += indexCommaOrOpening(text[i:])
		} else if n := strings.IndexByte(text[i:], ','); n >= 0 {
			i += n
		} else {
			i = len(text)
		}
		if i == len(text) {
			return i, attributeName{}, false
		}
		if text[i] != ',' {
			if i = c.skipQuoted(start, i); c.ignoreQuotes {
				quoted = false
			}
			continue
		}
		if known := matchDocumentedKey(text[i+1:]); known != Unknown {
			c.flagIncompleteAddress(key, start, i)
			return i, attributeName{i + 1, i + 1 + len(keyNames[known]), known}, true
		}
		if next, found = c.parseBoundary(key, start, i+1); found {
			return i, next, true
		}
	}
}

// skipQuoted returns the offset of the '"' or '>' that closes the one at open. If nothing
// closes it, it sets ignoreQuotes and returns an offset in front of start, where the scan
// begins again.
func (c *valueScanner) skipQuoted(start, open int) int {
	var n int
	inside, isBracket := c.text[open+1:], c.text[open] == '<'
	if isBracket {
		n = strings.IndexByte(inside, '>')
	} else {
		n = indexClosingQuote(inside)
	}
	switch closing := open + 1 + n; {
	case n < 0:
		c.flags |= UnbalancedQuote
		c.ignoreQuotes = true
		c.addressStart = -1
		c.brackets, c.skipped = bracketOffsets{}, true
		return start - 1
	case isBracket:
		c.addressStart, c.addressScanned, c.addressComplete = start, closing+1, true
		if !c.skipped {
			c.brackets = bracketOffsets{int32(open), int32(closing)} //nolint:gosec // no line is longer
		}
		c.skipped = true
		return closing
	default:
		c.skipped = true
		return closing
	}
}

// parseBoundary reports whether an attribute begins at i, behind a comma, so that the comma
// ends the value at start. It returns the attribute's name if so. A documented key that
// directly follows the comma was found before.
func (c *valueScanner) parseBoundary(key Key, start, i int) (next attributeName, ok bool) {
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
		c.flagIncompleteAddress(key, start, next.start-1)
		return next, true
	}
}

// flagIncompleteAddress sets Ambiguous if a value that ends at end is an incomplete
// address.
func (c *valueScanner) flagIncompleteAddress(key Key, start, end int) {
	if (key == To || key == From) && !c.isAddressComplete(start, end) {
		c.flags |= Ambiguous
	}
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
