// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"iter"
	"strings"
	"unicode/utf8"
)

// XMLPieces yields what XML returns, in pieces of at most size bytes that do not
// cut a character of text that is UTF-8. It needs memory for a few pieces,
// however long the text is.
func XMLPieces(text string, size int) iter.Seq[string] {
	return pieces(text, size, XML, (*editor).elements)
}

// JSONPieces yields what JSON returns, as XMLPieces does for XML.
func JSONPieces(text string, size int) iter.Seq[string] {
	return pieces(text, size, JSON, (*editor).jsonMembers)
}

func pieces(text string, size int, whole func(string) string, scan func(*editor)) iter.Seq[string] {
	return func(yield func(string) bool) {
		c := cutter{size: size, yield: yield}
		if len(text) <= size {
			c.put(whole(text))
		} else {
			e := editor{text: text, emit: c.add}
			scan(&e)
			e.result()
			c.put(URLs(string(c.pending)))
		}
		if !c.done && (c.ready != "" || !c.yielded) {
			yield(c.ready)
		}
	}
}

// maxRun is how many pieces long a run without a character that ends a URL may
// be. In a longer one no URL is looked for to its end: what follows the scheme
// of the first one is taken out, whatever it is.
const maxRun = 4

// maxScheme bounds the name of a URL's scheme that a cut may lie in, in bytes.
const maxScheme = 64

// cutter collects text that elements or members were taken out of, takes the
// secrets of its URLs out and yields it in pieces.
//
//	add -> pending -> URLs -> ready -> yield
type cutter struct {
	size  int
	yield func(string) bool

	pending  []byte // text whose URLs were not looked at
	skipping bool   // the next character that ends a URL ends what is left out
	ready    string // less than a piece
	yielded  bool
	done     bool // nobody wants more
}

func (c *cutter) add(text string) {
	for text != "" && !c.done {
		if c.skipping {
			n := strings.IndexAny(text, urlEnd)
			if n < 0 {
				return
			}
			text, c.skipping = text[n:], false
		}
		n := min(len(text), c.size)
		c.pending = append(c.pending, text[:n]...)
		text = text[n:]
		if len(c.pending) >= c.size {
			c.cut()
		}
	}
}

// cut passes on as much of what is pending as can be without the rest: no URL
// goes over a character that ends one.
func (c *cutter) cut() {
	text := string(c.pending)
	switch n := strings.LastIndexAny(text, urlEnd); {
	case n >= 0:
		c.pass(URLs(text[:n+1]), n+1)
	case len(text) < maxRun*c.size:
	default:
		if n := strings.Index(text, "://"); n >= 0 {
			c.skipping = true
			c.pass(text[:n+len("://")]+Mark, len(text))
			return
		}
		n := max(0, len(text)-maxScheme)
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		c.pass(text[:n], n)
	}
}

// pass yields text, which stands for the first n bytes of what is pending.
func (c *cutter) pass(text string, n int) {
	c.pending = append(c.pending[:0], c.pending[n:]...)
	c.put(text)
}

func (c *cutter) put(text string) {
	if c.ready != "" {
		text = c.ready + text
	}
	for len(text) > c.size && !c.done {
		n := c.size
		for n > c.size-utf8.UTFMax && !utf8.RuneStart(text[n]) {
			n--
		}
		if !utf8.RuneStart(text[n]) {
			n = c.size // it is not UTF-8
		}
		c.done = !c.yield(text[:n])
		c.yielded = true
		text = text[n:]
	}
	c.ready = text
}
