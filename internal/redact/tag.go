// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

// elementEnds end the name of an element in a tag.
var elementEnds = charset(blanks + "/>\x00")

// scanTag handles the tag whose < ends at i. It redacts attributes and content of a
// secret's element; behind an end tag without a start tag, the content before it.
func (f *finder) scanTag(i int) {
	begin := f.position
	f.position = i
	c, next := f.atOrZero(i)
	isEnd := c == '/'
	if isEnd {
		i = next
	}
	name := f.readTagName(i)
	after, _ := f.atOrZero(name.end)
	f.inAddress = !isEnd && elementEnds[after] && f.isAddressElement(name)
	if !name.secret || !elementEnds[after] {
		if !name.prefix { // <sip:user@host>
			f.position = name.end
		}
		return
	}
	if isEnd {
		f.position = name.end
		f.addSecret(f.content, begin, Mark)
		return
	}
	f.scanElement(name)
}

// scanElement redacts the element of a secret with this start tag.
func (f *finder) scanElement(name tagName) {
	end := name.end
	tagEnd, empty, whole := f.skipTag(end)
	if start, _ := f.skipBlanks(end); start < tagEnd && (!empty || !f.isSlash(start)) {
		attributes := tagEnd
		if empty {
			attributes = f.slashBefore(start, tagEnd)
		}
		f.addSecret(end, attributes, " "+Mark)
	}
	f.position = max(f.position, tagEnd)
	if !whole || empty {
		return
	}
	_, from := f.atOrZero(tagEnd)
	f.content, f.position = from, from
	f.addSecret(from, f.endTag(from, name), Mark)
}

func (f *finder) isSlash(i int) bool {
	c, _ := f.atOrZero(i)
	return c == '/'
}

// slashBefore returns the offset of the last / before the end of an empty-element tag.
func (f *finder) slashBefore(i, end int) (slash int) {
	for i < end {
		c, next := f.at(i)
		if c == '/' {
			slash = i
		}
		i = next
	}
	return slash
}

// skipTag returns the offset of the > of the tag whose name ends at i. whole is false if a
// < or the end of the text comes first.
func (f *finder) skipTag(i int) (end int, empty, whole bool) {
	last := byte(0)
	for i < len(f.text) {
		c, next := f.at(i)
		switch c {
		case '>':
			return i, last == '/', true
		case '<':
			return i, false, false
		case '"', '\'':
			for next < len(f.text) {
				closing, after := f.at(next)
				next = after
				if closing == c {
					break
				}
			}
		}
		if !blank[c] {
			last = c
		}
		i = next
	}
	return i, false, false
}

// tagName is the name in a tag.
type tagName struct {
	local  int // offset of the part behind the prefix
	end    int
	secret bool
	prefix bool
}

// readTagName reads the name at i, with an optional prefix.
func (f *finder) readTagName(i int) tagName {
	n := tagName{local: i, end: i}
	for n.end < len(f.text) {
		c, next := f.at(n.end)
		switch {
		case c == '.' || c >= nonASCII:
		case isNameByte(c):
			w := f.readName(n.end)
			n.secret = n.secret || w.secret || w.joinedSecret
			next = w.end
		case c == ':':
			n.local, n.prefix = next, true
		default:
			return n
		}
		n.end = next
	}
	return n
}

// sameName compares the names of two tags without their prefixes, in any case of letters.
func (f *finder) sameName(a, b tagName) bool {
	i, k := a.local, b.local
	for i < a.end && k < b.end {
		c, next := f.at(i)
		d, after := f.at(k)
		if lower(c) != lower(d) {
			return false
		}
		i, k = next, after
	}
	return i >= a.end && k >= b.end
}

// endTag returns the offset of the end tag of the element with this name whose content
// begins at i, or the end of the text.
func (f *finder) endTag(i int, name tagName) int {
	depth := 1
	for i < len(f.text) {
		c, next := f.at(i)
		if c != '<' {
			i = next
			continue
		}
		begin := i
		kind, after := f.atOrZero(next)
		switch kind {
		case '!':
			i = f.skipDeclaration(after)
		case '/':
			found := f.readTagName(after)
			if f.sameName(found, name) {
				if depth--; depth == 0 {
					return begin
				}
			}
			i = found.end
		default:
			found := f.readTagName(next)
			i = found.end
			if f.sameName(found, name) {
				empty, whole := false, false
				if i, empty, whole = f.skipTag(found.end); whole && !empty {
					depth++
				}
			}
		}
	}
	return i
}

// skipDeclaration returns the offset behind the comment or CDATA section whose "<!" ends at
// i.
func (f *finder) skipDeclaration(i int) int {
	for _, d := range [...]struct{ begin, end string }{{"--", "-->"}, {"[CDATA[", "]]>"}} {
		if behind, ok := f.hasText(i, d.begin); ok {
			for behind < len(f.text) {
				if end, ok := f.hasText(behind, d.end); ok {
					return end
				}
				_, behind = f.at(behind)
			}
			return behind
		}
	}
	return i
}

// hasText reports whether text begins at i, and returns the offset behind it.
func (f *finder) hasText(i int, text string) (behind int, ok bool) {
	for k := range len(text) {
		c, next := f.atOrZero(i)
		if c != text[k] || i >= len(f.text) {
			return i, false
		}
		i = next
	}
	return i, true
}
