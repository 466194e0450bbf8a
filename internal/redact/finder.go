// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import "strings"

// span is a secret: text[from:to], to be replaced by mark.
type span struct {
	from, to int
	mark     string
}

// finder finds the secrets that a view shows, in order. It walks the text once:
// where it looks ahead for the end of something, it goes on behind that end.
type finder struct {
	view
	position int
	queue    [2]span // found and not returned yet
	queued   int

	// text begins behind the last tag or secret: the content of an element whose
	// start tag was cut off.
	content int
	// There is no @ between position and noAt that belongs to a SIP URI.
	noAt int
}

// next returns the next secret.
func (f *finder) next() (s span, found bool) {
	for f.queued == 0 {
		if f.position >= len(f.text) {
			return span{}, false
		}
		switch c, next := f.at(f.position); {
		case c == '<':
			f.tag(next)
		case c == '>':
			f.content, f.position = next, next
		case c == ':':
			f.colon(f.position)
		case isNameByte(c):
			f.name()
		default:
			f.position = next
		}
	}
	s = f.queue[0]
	f.queue[0] = f.queue[1]
	f.queued--
	return s, true
}

// found queues a secret and goes on behind it.
func (f *finder) found(from, to int, mark string) {
	f.position = max(f.position, to)
	if from >= to {
		return
	}
	f.content = max(f.content, to)
	f.queue[f.queued] = span{from, to, mark}
	f.queued++
}

// look returns the character at i, 0 at the end of the text.
func (f *finder) look(i int) (c byte, next int) {
	if i >= len(f.text) {
		return 0, i
	}
	return f.at(i)
}

// skipTo returns the offset of the first character of stops at or behind i.
func (f *finder) skipTo(i int, stops *[256]bool) int {
	for i < len(f.text) {
		c, next := f.at(i)
		if stops[c] {
			return i
		}
		i = next
	}
	return i
}

// skipBlanks returns the offset of the first character that is none, and whether a
// line ended before it.
func (f *finder) skipBlanks(i int) (end int, newLine bool) {
	for i < len(f.text) {
		c, next := f.at(i)
		if !blank[c] {
			break
		}
		newLine = newLine || c == '\n' || c == '\r'
		i = next
	}
	return i, newLine
}

// skipString returns the offset of the closing quote of a string that starts at i,
// behind its opening quote.
func (f *finder) skipString(i int, quote byte) int {
	for i < len(f.text) {
		c, next := f.at(i)
		if c == quote {
			return i
		}
		if i = next; c == '\\' && i < len(f.text) {
			_, i = f.at(i)
		}
	}
	return i
}

func charset(characters string) *[256]bool {
	var set [256]bool
	for i := range len(characters) {
		set[characters[i]] = true
	}
	return &set
}

const blanks = " \t\r\n"

var (
	blank = charset(blanks)
	// urlEnds end a URL in a text, and authorityEnds its authority.
	urlEnds       = charset(blanks + `"'<>`)
	authorityEnds = charset(blanks + `"'<>/?#\`)
	// What ends a value that is not in quotes, behind "name=" and behind "name:".
	assignedEnds = charset(blanks + `"'<>&`)
	textEnds     = charset(blanks + `"'<>`)
	jsonEnds     = charset(blanks + `,}]`)
	lineEnds     = charset("\r\n")
)

var nameBytes = charset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")

func isNameByte(c byte) bool { return nameBytes[c] }

// word is a run of the characters of a name.
type word struct {
	from, end int
	secret    bool
	begin     [8]byte // its first characters, in lower case, for what is known by them
	length    int     // in characters, at most as many as begin has, plus one
}

// readWord reads the run at i.
func (f *finder) readWord(i int) (w word) {
	w.from = i
	if f.plain {
		return f.readPlainWord(i)
	}
	// The characters, with what of the former ones may begin a word.
	var window [64]byte
	n := 0
	for i < len(f.text) {
		c, next := f.at(i)
		if !isNameByte(c) {
			break
		}
		if w.length < len(w.begin) {
			w.begin[w.length] = lower(c)
		}
		w.length = min(w.length+1, len(w.begin)+1)
		if n == len(window) {
			w.secret = w.secret || holdsWord(window[:])
			n = copy(window[:], window[len(window)-longestWord:])
		}
		window[n], i = c, next
		n++
	}
	w.secret = w.secret || holdsWord(window[:n]) || w.length <= len(w.begin) && Secret(string(w.begin[:w.length]))
	w.end = i
	return w
}

// readPlainWord is readWord where characters are bytes.
func (f *finder) readPlainWord(i int) (w word) {
	end := i
	for end < len(f.text) && nameBytes[f.text[end]] {
		end++
	}
	text := f.text[i:end]
	w.from, w.end, w.length = i, end, min(len(text), len(w.begin)+1)
	for k := range min(len(text), len(w.begin)) {
		w.begin[k] = lower(text[k])
	}
	w.secret = Secret(text)
	return w
}

func (w *word) is(text string) bool {
	return w.length == len(text) && string(w.begin[:w.length]) == text
}

func (w *word) hasPrefix(text string) bool {
	return w.length >= len(text) && string(w.begin[:len(text)]) == text
}

// name takes the name at position: a secret's, or the scheme of a URL.
func (f *finder) name() {
	w := f.readWord(f.position)
	f.position = w.end
	if w.secret {
		f.value(w.end)
		return
	}
	if c, _ := f.look(w.end); c != ':' {
		return
	}
	if w.is("sip") || w.is("sips") || w.is("h323") {
		f.sip(w.end)
		return
	}
	f.colon(w.end)
	if w.hasPrefix("rtmp") {
		f.streamKey(w.end)
	}
}

// colon takes the user information of a URL whose scheme ends at the offset.
func (f *finder) colon(colon int) {
	from, ok := f.authority(colon)
	if !ok {
		_, f.position = f.at(colon)
		return
	}
	f.position = from
	first, _ := f.look(from)
	end, at, port := from, -1, -1
	for end < len(f.text) {
		c, next := f.at(end)
		if authorityEnds[c] {
			break
		}
		switch {
		case c == '@':
			at = end // the last one: a password may hold an @ itself
		case c == ':' && port < 0:
			port = next
		}
		end = next
	}
	switch {
	case at >= 0:
		f.found(from, at, Mark)
	case first != '[' && f.cutPassword(port, end):
		f.found(from, end, Mark)
	}
}

// cutPassword tells whether what follows the colon of a host at the end of the text
// is no port, but a password whose @ was cut off.
func (f *finder) cutPassword(from, end int) bool {
	if from < 0 || end < len(f.text) {
		return false
	}
	for from < end {
		c, next := f.at(from)
		if c < '0' || c > '9' {
			return true
		}
		from = next
	}
	return false
}

// authority returns where the authority of a URL begins, behind "://".
func (f *finder) authority(colon int) (from int, ok bool) {
	_, i := f.at(colon)
	for range 2 {
		c, next := f.look(i)
		if c != '/' {
			return 0, false
		}
		i = next
	}
	return i, true
}

// streamKey takes all that follows the host of a URL of a stream.
func (f *finder) streamKey(colon int) {
	from, ok := f.authority(colon)
	if !ok {
		return
	}
	path := f.skipTo(from, authorityEnds)
	f.found(path, f.skipTo(path, urlEnds), "/"+Mark)
}

// sip takes the password of a SIP URI: the user stays. The password ends before
// the last @ of the URI without its parameters.
func (f *finder) sip(colon int) {
	if _, ok := f.authority(colon); ok {
		f.colon(colon)
		return
	}
	_, i := f.at(colon)
	f.position = i
	if i < f.noAt {
		return
	}
	first, _ := f.look(i)
	password, at := -1, -1
	for i < len(f.text) {
		c, next := f.at(i)
		if urlEnds[c] || at >= 0 && (c == ';' || c == '?' || c == '/') {
			break
		}
		switch {
		case c == ':' && password < 0:
			password = next
		case c == '@' && password < 0:
			return // a user and no password
		case c == '@':
			at = i
		}
		i = next
	}
	switch {
	case at >= 0:
		f.found(password, at, Mark)
	case first != '[' && f.cutPassword(password, i):
		f.found(password, i, Mark)
	default:
		f.noAt = i
	}
}

// value takes the value behind a secret's name that ends at the offset: behind
// "name=", "name:" and their like, and in a part of a form below its header.
func (f *finder) value(end int) {
	i := end
	c, next := f.look(i)
	inQuotes := c == '"' || c == '\''
	for c == '"' || c == '\'' || c == '[' || c == ']' {
		i = next
		if c, next = f.look(i); i-end > maxBrackets {
			return
		}
	}
	i, newLine := f.skipBlanks(i)
	separator, next := f.look(i)
	if separator != '=' && separator != ':' {
		if newLine && inQuotes {
			f.found(i, f.skipTo(i, lineEnds), Mark)
		}
		return
	}
	if c, after := f.look(next); c == '=' || c == '>' && separator == '=' {
		next = after
	}
	from, newLine := f.skipBlanks(next)
	mark := Mark
	if separator == ':' && inQuotes {
		mark = `"` + Mark + `"`
	}
	switch c, next := f.look(from); {
	case c == '"' || c == '\'':
		closing := f.skipString(next, c)
		if separator == ':' && next-from == 1 && closing > next {
			_, behind := f.look(closing)
			f.found(from, behind, `"`+Mark+`"`)
			return
		}
		f.found(next, closing, Mark)
	case separator == ':' && (c == '{' || c == '['):
		f.found(from, f.skipJSON(from), `"`+Mark+`"`)
	case newLine && !inQuotes:
		// The value is empty, and the next line is another's.
	case separator == '=':
		f.found(from, f.skipTo(from, assignedEnds), mark)
	case inQuotes:
		f.found(from, f.skipTo(from, jsonEnds), mark)
	default:
		f.found(from, f.skipTo(from, textEnds), mark)
	}
}

// maxBrackets is how many bytes may lie between a name and its separator: a quote
// or brackets, in the widest escapes.
const maxBrackets = 32

// skipJSON returns the offset behind the object or list at i.
func (f *finder) skipJSON(i int) int {
	depth := 0
	for i < len(f.text) {
		c, next := f.at(i)
		switch c {
		case '"':
			if next = f.skipString(next, c); next < len(f.text) {
				_, next = f.at(next)
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return next
			}
		}
		i = next
	}
	return i
}

// isElementEnd ends the name of an element in a tag.
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
	if after, _ := f.look(name.end); !name.secret || !elementEnds[after] {
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
			n.secret = n.secret || w.secret
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

// spans are the secrets of a text, in order.
type spans struct {
	single finder // of a text that has one view only
	merged *merger
}

func newSpans(text string) spans {
	if strings.IndexByte(text, 0) < 0 && !hasEscape(text) {
		return spans{single: finder{view: view{text: text, plain: true}}}
	}
	m := new(merger)
	m.reset(text)
	return spans{merged: m}
}

func (s *spans) next() (span, bool) {
	if s.merged == nil {
		return s.single.next()
	}
	return s.merged.next()
}

// merger merges what the views of a text show.
type merger struct {
	finders [maxViews]finder
	heads   [maxViews]span
	more    [maxViews]bool
	count   int
}

func (m *merger) reset(text string) {
	var buffer [maxViews]view
	for i, v := range viewsOf(text, buffer[:0]) {
		m.finders[i] = finder{view: v}
		m.heads[i], m.more[i] = m.finders[i].next()
		m.count = i + 1
	}
}

// next returns the next secret. Secrets that overlap are one.
func (m *merger) next() (s span, found bool) {
	first := -1
	for i := range m.count {
		if m.more[i] && (first < 0 || m.heads[i].from < m.heads[first].from) {
			first = i
		}
	}
	if first < 0 {
		return span{}, false
	}
	s = m.take(first)
	for joined := true; joined; {
		joined = false
		for i := range m.count {
			for m.more[i] && m.heads[i].from < s.to {
				s.to = max(s.to, m.take(i).to)
				joined = true
			}
		}
	}
	return s, true
}

// take returns the head of a finder, with its mark in the text's encoding.
func (m *merger) take(i int) span {
	s := m.heads[i]
	switch m.finders[i].encoding {
	case littleEndian:
		s.mark = widened(s.mark, "", "\x00")
	case bigEndian:
		s.mark = widened(s.mark, "\x00", "")
	}
	m.heads[i], m.more[i] = m.finders[i].next()
	return s
}

func widened(mark, before, behind string) string {
	var b strings.Builder
	for i := range len(mark) {
		b.WriteString(before)
		b.WriteByte(mark[i])
		b.WriteString(behind)
	}
	return b.String()
}
