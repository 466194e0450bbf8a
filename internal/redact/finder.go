// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

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
	// The tag at position begins an element that holds an address.
	address bool
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
			if f.address {
				f.address = false
				f.bare(next, true)
			}
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

// isPlus tells whether the character c at i, a blank of a form, stands in the text
// as a plus sign. Outside of forms it is one, as in a telephone number, and ends no
// address.
func (f *finder) isPlus(i int, c byte) bool { return c == ' ' && f.text[i] == '+' }

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

// word is a run of the characters of a name. Dots within it part it: what is known
// by its characters alone is known by those behind the last dot.
type word struct {
	end    int
	secret bool    // the last part is a secret's name
	joined bool    // all parts together are one
	begin  [8]byte // the last part's first characters, in lower case
	length int     // of the last part in characters, at most as many as begin has, plus one
}

// readWord reads the run at i.
func (f *finder) readWord(i int) (w word) {
	if f.plain {
		return f.readPlainWord(i)
	}
	from, dots := i, false
	var part nameWindow
	for i < len(f.text) {
		c, next := f.at(i)
		if c == '.' {
			if c, _ := f.look(next); !isNameByte(c) {
				break
			}
			w.length, part, dots, i = 0, nameWindow{}, true, next
			continue
		}
		if !isNameByte(c) {
			break
		}
		if w.length < len(w.begin) {
			w.begin[w.length] = lower(c)
		}
		w.length = min(w.length+1, len(w.begin)+1)
		part.add(c)
		i = next
	}
	w.secret, w.end = part.isSecret(), i
	w.joined = dots && f.isSecretName(from, i)
	return w
}

// isSecretName tells whether the characters from one offset to another are a secret's
// name.
func (f *finder) isSecretName(from, end int) bool {
	var name nameWindow
	for from < end {
		c, next := f.at(from)
		name.add(c)
		from = next
	}
	return name.isSecret()
}

// nameWindow holds the last characters of a name, with what of the former ones may
// begin a word.
type nameWindow struct {
	characters [64]byte
	n          int
	isCut      bool // former ones are gone
	found      bool // a word was in them
}

func (w *nameWindow) add(c byte) {
	if w.n > 0 && isSeparator(c) && isSeparator(w.characters[w.n-1]) {
		return // any number of them is as good as one
	}
	if w.n == len(w.characters) {
		w.found = w.found || holdsWord(w.characters[:], !w.isCut, false)
		w.n = copy(w.characters[:], w.characters[len(w.characters)-longestWord:])
		w.isCut = true
	}
	w.characters[w.n] = c
	w.n++
}

func (w *nameWindow) isSecret() bool {
	return w.found || holdsWord(w.characters[:w.n], !w.isCut, true)
}

// readPlainWord is readWord where characters are bytes.
func (f *finder) readPlainWord(i int) (w word) {
	from, end := i, i
	for end < len(f.text) {
		if !nameBytes[f.text[end]] {
			if f.text[end] != '.' || end+1 >= len(f.text) || !nameBytes[f.text[end+1]] {
				break
			}
			from = end + 1
		}
		end++
	}
	text := f.text[from:end]
	w.end, w.length = end, min(len(text), len(w.begin)+1)
	for k := range min(len(text), len(w.begin)) {
		w.begin[k] = lower(text[k])
	}
	w.secret = Secret(text)
	w.joined = from > i && Secret(f.text[i:end])
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
	c, _ := f.look(w.end)
	if w.secret || w.joined && c != ':' { // token.example.test:443 is a host
		f.value(w.end)
		return
	}
	if c != ':' {
		return
	}
	if w.is("sip") || w.is("sips") || w.is("h323") || w.is("tel") {
		f.sip(w.end)
		return
	}
	f.colon(w.end)
	if w.hasPrefix("rtmp") {
		f.streamKey(w.end)
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
