// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"iter"
	"unicode/utf8"
)

// Pieces yields text without its secrets in pieces of at most size bytes; it yields at
// least one piece. A secret is replaced wherever the pieces are cut. Cuts are between
// characters and marks if size allows it. Pieces holds no copy of the whole text.
func Pieces(text string, size int) iter.Seq[string] {
	return func(yield func(string) bool) {
		c := cutter{size: max(size, 1), yield: yield}
		kept := 0
		if MayHoldSecret(text) {
			spans := newSecrets(text, false)
			for s, found := spans.next(); found && !c.stopped; s, found = spans.next() {
				c.addText(text[kept:s.from])
				c.addWhole(s.mark)
				kept = s.to
			}
		}
		c.addText(text[kept:])
		if !c.stopped && (c.pieceLength() > 0 || !c.yielded) {
			c.flush("")
		}
	}
}

// Prefix returns the first of the Pieces: the beginning of text without its secrets, at
// most size bytes. Cutting before redacting could leave the first part of a secret.
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
	head    string // beginning of the next piece if buffer is empty
	buffer  []byte // beginning of the next piece, at most size bytes
	yielded bool
	stopped bool
}

func (c *cutter) pieceLength() int { return len(c.head) + len(c.buffer) }

// flush yields the next piece: the collected beginning, and text behind it.
func (c *cutter) flush(text string) {
	if c.pieceLength() > 0 {
		c.extendPiece(text)
		text = c.head + string(c.buffer)
	}
	c.stopped = c.stopped || !c.yield(text)
	c.head, c.buffer, c.yielded = "", c.buffer[:0], true
}

// extendPiece adds text that fits into the piece. It does not copy the first text, because
// nothing follows it in a text without secrets.
func (c *cutter) extendPiece(text string) {
	switch {
	case c.pieceLength() == 0:
		c.head = text
	case text != "":
		c.buffer = append(append(c.buffer, c.head...), text...)
		c.head = ""
	}
}

// addWhole adds text that stays in one piece if it fits.
func (c *cutter) addWhole(text string) {
	if len(text) <= c.size && c.pieceLength() > 0 && c.pieceLength()+len(text) > c.size {
		c.flush("")
	}
	c.addText(text)
}

func (c *cutter) addText(text string) {
	for !c.stopped && c.pieceLength()+len(text) > c.size {
		end := c.size - c.pieceLength()
		for back := 0; back < utf8.UTFMax && back <= end; back++ {
			if utf8.RuneStart(text[end-back]) {
				end -= back
				break
			}
		}
		if end == 0 && c.pieceLength() == 0 {
			end = c.size // size is smaller than a character
		}
		c.flush(text[:end])
		text = text[end:]
	}
	c.extendPiece(text)
}
