// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

// elementEnds end the name of an element in a tag.
var elementEnds = charset(blanks + "/>\x00")

// tag takes what begins with < before i: the attributes and the content of a
// secret's element, or the content before its end tag, if the start tag is missing.
func (f *finder) tag(i int) {
	begin := f.position
	f.position = i
	c, next := f.look(i)
	isEnd := c == '/'
	if isEnd {
		i = next
	}
	name := f.readTagName(i)
	after, _ := f.look(name.end)
	f.address = !isEnd && elementEnds[after] && f.isAddressElement(name)
	if !name.secret || !elementEnds[after] {
		if !name.prefix { // <sip:user@host>
			f.position = name.end
		}
		return
	}
	if isEnd {
		f.position = name.end
		f.found(f.content, begin, Mark)
		return
	}
	f.element(name)
}

// element takes the element of a secret, whose start tag has the name.
func (f *finder) element(name tagName) {
	end := name.end
	tagEnd, empty, whole := f.skipTag(end)
	if start, _ := f.skipBlanks(end); start < tagEnd && (!empty || !f.isSlash(start)) {
		attributes := tagEnd
		if empty {
			attributes = f.slashBefore(start, tagEnd)
		}
		f.found(end, attributes, " "+Mark)
	}
	f.position = max(f.position, tagEnd)
	if !whole || empty {
		return
	}
	_, from := f.look(tagEnd)
	f.content, f.position = from, from
	f.found(from, f.endTag(from, name), Mark)
}

func (f *finder) isSlash(i int) bool {
	c, _ := f.look(i)
	return c == '/'
}

// slashBefore returns the offset of the last / before the end of an empty-element
// tag.
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

// skipTag returns the offset of the > of the tag whose name ends at i. A tag that
// ends with < or the text is not whole.
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
	local  int // where the part behind the prefix begins
	end    int
	secret bool
	prefix bool
}

// readTagName reads the name at i: it may have a prefix.
func (f *finder) readTagName(i int) tagName {
	n := tagName{local: i, end: i}
	for n.end < len(f.text) {
		c, next := f.at(n.end)
		switch {
		case c == '.' || c >= other:
		case isNameByte(c):
			w := f.readWord(n.end)
			n.secret = n.secret || w.secret || w.joined
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

// sameName compares the names of two tags without prefixes, in any case of letters.
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

// endTag returns the offset of the end tag of the element with that name whose
// content begins at i, and the end of the text if there is none.
func (f *finder) endTag(i int, name tagName) int {
	depth := 1
	for i < len(f.text) {
		c, next := f.at(i)
		if c != '<' {
			i = next
			continue
		}
		begin := i
		kind, after := f.look(next)
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

// skipDeclaration returns the offset behind a comment or a CDATA section that
// begins before i, behind "<!".
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

// hasText tells whether text begins at i, and returns the offset behind it.
func (f *finder) hasText(i int, text string) (behind int, ok bool) {
	for k := range len(text) {
		c, next := f.look(i)
		if c != text[k] || i >= len(f.text) {
			return i, false
		}
		i = next
	}
	return i, true
}
