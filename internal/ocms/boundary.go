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
	// next is the name behind the comma that valueEnd found.
	next name
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

// valueEnd returns the comma that ends the value which begins at start. Without
// one, the value goes on to the end of the line.
func (c *cutter) valueEnd(key Key, start int) (comma int, found bool) {
	if !hasQuotes[key] || c.ignoreQuotes {
		return c.plainEnd(key, start)
	}
	guard := guard{cutter: c, position: start}
	for i := start; ; i++ {
		n := strings.IndexByte(c.text[i:], ',')
		if n < 0 {
			guard.advance(len(c.text))
			break
		}
		i += n
		guard.advance(i)
		if !guard.inside() && c.endsAt(key, start, i) {
			return i, true
		}
	}
	if guard.inside() {
		c.flags |= UnbalancedQuote
		c.ignoreQuotes = true
		return c.plainEnd(key, start)
	}
	return 0, false
}

// plainEnd is valueEnd for values in which quotes and brackets mean nothing.
func (c *cutter) plainEnd(key Key, start int) (comma int, found bool) {
	for i := start; ; i++ {
		n := strings.IndexByte(c.text[i:], ',')
		if n < 0 {
			return 0, false
		}
		i += n
		if c.endsAt(key, start, i) {
			return i, true
		}
	}
}

// endsAt tells whether the comma at i ends the value that begins at start, and
// sets next if it does.
func (c *cutter) endsAt(key Key, start, i int) bool {
	i++
	for i < len(c.text) && (c.text[i] == '\n' || c.text[i] == '\r') {
		i++
	}
	next, ok := nameAt(c.text, i)
	if !ok {
		c.lookBehindBlanks(i)
		return false
	}
	if next.key == Unknown && !c.mayBeAttribute(key, start, next) {
		return false
	}
	if next.key != Unknown && (key == To || key == From) && !c.isComplete(start, next.start-1) {
		c.flags |= Ambiguous
	}
	c.next = next
	return true
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

// lookBehindBlanks sets Ambiguous if a documented key follows a comma and a blank:
// From=Smith, Via=Bob <...> may be two attributes.
func (c *cutter) lookBehindBlanks(i int) {
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
	if isNone(strings.TrimRight(c.text[start:min(end, start+len("null,"))], ",\r\n")) {
		return true
	}
	if c.addressStart != start {
		c.addressStart, c.addressRead, c.addressComplete = start, start, false
	}
	if !c.addressComplete {
		part := c.text[c.addressRead:end]
		c.addressComplete = strings.IndexByte(part, '@') >= 0 || strings.IndexByte(part, '>') >= 0
		c.addressRead = end
	}
	return c.addressComplete
}

// opening returns the offset of the first quote or bracket at or behind i.
func (c *cutter) opening(i int) int {
	if c.quote < i {
		c.quote = indexFrom(c.text, i, '"')
	}
	if c.bracket < i {
		c.bracket = indexFrom(c.text, i, '<')
	}
	return min(c.quote, c.bracket)
}

func indexFrom(text string, i int, wanted byte) int {
	if n := strings.IndexByte(text[i:], wanted); n >= 0 {
		return i + n
	}
	return len(text)
}

// guard follows quoted strings and angle brackets through a value.
type guard struct {
	cutter   *cutter
	position int
	quoted   bool
	bracket  bool
}

func (g *guard) inside() bool { return g.quoted || g.bracket }

// advance reads up to the offset end.
func (g *guard) advance(end int) {
	text := g.cutter.text
	for g.position < end {
		n := -1
		switch part := text[g.position:end]; {
		case g.quoted:
			if n = closingQuote(part); n >= 0 {
				g.quoted = false
			}
		case g.bracket:
			if n = strings.IndexByte(part, '>'); n >= 0 {
				g.bracket = false
			}
		default:
			if open := g.cutter.opening(g.position); open < end {
				n = open - g.position
				g.quoted, g.bracket = text[open] == '"', text[open] == '<'
			}
		}
		if n < 0 {
			g.position = end
			return
		}
		g.position += n + 1
	}
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
