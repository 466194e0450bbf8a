// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"iter"
	"unicode/utf8"
)

// Pieces yields text without its secrets in pieces of at most size bytes, one of
// them at least. A secret is replaced wherever the pieces are cut. Pieces are cut
// between characters and marks, where size leaves room for one. Nothing of the size
// of the text is held in memory.
func Pieces(text string, size int) iter.Seq[string] {
	return func(yield func(string) bool) {
		c := cutter{size: max(size, 1), yield: yield}
		kept := 0
		if MayHoldSecret(text) {
			spans := newSpans(text, false)
			for s, found := spans.next(); found && !c.stopped; s, found = spans.next() {
				c.add(text[kept:s.from])
				c.addWhole(s.mark)
				kept = s.to
			}
		}
		c.add(text[kept:])
		if !c.stopped && (c.length() > 0 || !c.yielded) {
			c.flush("")
		}
	}
}

// Prefix returns the first of the Pieces: as much of a text without its secrets as
// fits into size bytes. Cutting first would let the first part of a secret through.
func Prefix(text string, size int) string {
	for piece := range Pieces(text, size) {
		return piece
	}
	return ""
}

// cutter cuts text into pieces.
type cutter struct {
	size    int
	yield   func(string) bool
	whole   string // begins the next piece, if buffer is empty
	buffer  []byte // begins the next piece, at most size bytes
	yielded bool
	stopped bool
}

func (c *cutter) length() int { return len(c.whole) + len(c.buffer) }

// flush yields what begins the next piece, and text behind it.
func (c *cutter) flush(text string) {
	if c.length() > 0 {
		c.extend(text)
		text = c.whole + string(c.buffer)
	}
	c.stopped = c.stopped || !c.yield(text)
	c.whole, c.buffer, c.yielded = "", c.buffer[:0], true
}

// extend adds text that fits into the piece. The first is not copied: nothing
// follows it where a text has no secrets.
func (c *cutter) extend(text string) {
	switch {
	case c.length() == 0:
		c.whole = text
	case text != "":
		c.buffer = append(append(c.buffer, c.whole...), text...)
		c.whole = ""
	}
}

// addWhole keeps text in one piece if it fits into one.
func (c *cutter) addWhole(text string) {
	if len(text) <= c.size && c.length() > 0 && c.length()+len(text) > c.size {
		c.flush("")
	}
	c.add(text)
}

func (c *cutter) add(text string) {
	for !c.stopped && c.length()+len(text) > c.size {
		end := c.size - c.length()
		for back := 0; back < utf8.UTFMax && back <= end; back++ {
			if utf8.RuneStart(text[end-back]) {
				end -= back
				break
			}
		}
		if end == 0 && c.length() == 0 {
			end = c.size // not even one character fits
		}
		c.flush(text[:end])
		text = text[end:]
	}
	c.extend(text)
}
