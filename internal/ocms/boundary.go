// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"slices"
	"strings"
)

// cutter finds the ends of the values of one line.
type cutter struct {
	text  string
	extra []string // sorted
	flags Flags
	// ignoreQuotes is set behind a quote or bracket without an end: there, only
	// documented keys separate.
	ignoreQuotes bool

	// The next quote and bracket at or behind the offsets that were looked at; each
	// byte of a line is looked at once.
	quote, bracket int

	// Whether the value that begins at addressStart is complete, as far as
	// addressRead.
	addressStart, addressRead int
	addressComplete           bool
}

// valueEnd returns the comma that ends the value which begins at start, and the
// name behind it. Without one, the value goes on to the end of the line.
func (c *cutter) valueEnd(key Key, start int) (end int, next name, found bool) {
	if hasQuotes[key] && !c.ignoreQuotes {
		end, next, found = c.quotedEnd(key, start)
		if found || !c.ignoreQuotes {
			return end, next, found
		}
	}
	for i := start; ; i++ {
		n := strings.IndexByte(c.text[i:], ',')
		if n < 0 {
			return len(c.text), name{}, false
		}
		i += n
		if next, found = c.endsAt(key, start, i); found {
			return i, next, true
		}
	}
}

// quotedEnd is valueEnd for values in which a comma in quotes or brackets separates
// nothing. It sets ignoreQuotes if one of them has no end.
func (c *cutter) quotedEnd(key Key, start int) (end int, next name, found bool) {
	// outside is where the text behind all quotes and brackets so far begins.
	for i, outside := start, start; ; i++ {
		if n := strings.IndexByte(c.text[i:], ','); n >= 0 {
			i += n
		} else {
			i = len(c.text)
		}
		for open := c.opening(outside); open < i; open = c.opening(outside) {
			closing := c.closing(open)
			if closing < 0 {
				c.flags |= UnbalancedQuote
				c.ignoreQuotes = true
				c.addressStart = -1 // the brackets so far separate nothing
				return len(c.text), name{}, false
			}
			outside = closing + 1
			if c.text[closing] == '>' {
				c.addressStart, c.addressRead, c.addressComplete = start, outside, true
			}
		}
		switch {
		case outside > i:
			i = outside - 1
		case i == len(c.text):
			return i, name{}, false
		default:
			if next, found = c.endsAt(key, start, i); found {
				return i, next, true
			}
		}
	}
}

// closing returns the offset of the quote or bracket that closes the one at open,
// or -1.
func (c *cutter) closing(open int) int {
	inside := c.text[open+1:]
	n := -1
	if c.text[open] == '"' {
		n = closingQuote(inside)
	} else {
		n = strings.IndexByte(inside, '>')
	}
	if n < 0 {
		return -1
	}
	return open + 1 + n
}

// endsAt tells whether the comma at i ends the value that begins at start, and
// returns the name behind it if it does.
func (c *cutter) endsAt(key Key, start, i int) (next name, ok bool) {
	i++
	if i < len(c.text) {
		if known := documented(c.text[i:]); known != Unknown {
			return c.endsAtDocumented(key, start, name{i, i + len(keyNames[known]), known}), true
		}
	}
	for i < len(c.text) && (c.text[i] == '\n' || c.text[i] == '\r') {
		i++
	}
	next, ok = nameAt(c.text, i)
	switch {
	case !ok:
		c.findBehindBlanks(i)
		return next, false
	case next.key == Unknown:
		return next, c.mayBeAttribute(key, start, next)
	default:
		return c.endsAtDocumented(key, start, next), true
	}
}

// endsAtDocumented returns next, and sets Ambiguous if the value in front of it is
// not complete.
func (c *cutter) endsAtDocumented(key Key, start int, next name) name {
	if (key == To || key == From) && !c.isComplete(start, next.start-1) {
		c.flags |= Ambiguous
	}
	return next
}

// mayBeAttribute tells whether a name that is not documented ends the value that
// begins at start.
func (c *cutter) mayBeAttribute(key Key, start int, next name) bool {
	isExtra := c.isExtra(c.text[next.start:next.equals])
	switch {
	case c.ignoreQuotes, len(c.extra) > 0 && !isExtra:
		return false
	case isURI[key] && !isExtra && !c.isComplete(start, next.start-1):
		// It may be part of the user: sip:bob,x=1@host.
		c.flags |= Ambiguous
		return false
	default:
		return true
	}
}

// findBehindBlanks sets Ambiguous if a documented key follows a comma and a blank:
// From=Smith, Via=Bob <...> may be two attributes.
func (c *cutter) findBehindBlanks(i int) {
	if i == len(c.text) || c.text[i] != ' ' {
		return
	}
	for i < len(c.text) && c.text[i] == ' ' {
		i++
	}
	if n, ok := nameAt(c.text, i); ok && n.key != Unknown {
		c.flags |= Ambiguous
	}
}

func (c *cutter) isExtra(name string) bool {
	_, found := slices.BinarySearch(c.extra, name)
	return found
}

func isNone(value string) bool { return value == "" || value == "null" }

// isComplete tells whether the address that begins at start has, up to end, all
// that may hold a comma: the user part ends with @, a name-addr with >. No address
// is complete.
func (c *cutter) isComplete(start, end int) bool {
	if c.addressStart != start {
		c.addressStart, c.addressRead, c.addressComplete = start, start, false
	}
	if !c.addressComplete {
		part := c.text[c.addressRead:end]
		c.addressComplete = strings.IndexByte(part, '@') >= 0 || strings.IndexByte(part, '>') >= 0
		c.addressRead = end
	}
	return c.addressComplete || isNone(strings.TrimRight(c.text[start:min(end, start+len("null,"))], ",\r\n"))
}

// opening returns the offset of the first quote or bracket at or behind i.
func (c *cutter) opening(i int) int {
	if c.quote < i || c.bracket < i {
		c.findOpening(i)
	}
	return min(c.quote, c.bracket)
}

func (c *cutter) findOpening(i int) {
	if c.quote < i {
		c.quote = indexFrom(c.text, i, '"')
	}
	if c.bracket < i {
		c.bracket = indexFrom(c.text, i, '<')
	}
}

func indexFrom(text string, i int, wanted byte) int {
	if n := strings.IndexByte(text[i:], wanted); n >= 0 {
		return i + n
	}
	return len(text)
}

// closingQuote returns the offset of the quote that ends a quoted string, behind
// its first one, or -1. A backslash escapes the character behind it.
func closingQuote(text string) int {
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
