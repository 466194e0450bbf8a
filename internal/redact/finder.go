// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

// secret says that text[from:to] is a secret; mark replaces it.
type secret struct {
	from, to int
	mark     string
}

// finder finds the secrets of a view, in order, in one pass. Each look-ahead for an end
// continues behind that end, so the cost is linear.
type finder struct {
	view
	position int
	queue    [2]secret // found and not returned yet
	queued   int

	// content is the offset behind the last tag or secret: if a start tag was cut off, the
	// content of its element begins there.
	content int
	// inAddress means that the tag at position begins an element with an address.
	inAddress bool
	// sipSearchedTo is the end of the last search for the @ of a SIP URI: there is none
	// before it.
	sipSearchedTo int
}

// next returns the next secret.
func (f *finder) next() (s secret, found bool) {
	for f.queued == 0 {
		if f.position >= len(f.text) {
			return secret{}, false
		}
		switch c, next := f.at(f.position); {
		case c == '<':
			f.scanTag(next)
		case c == '>':
			f.content, f.position = next, next
			if f.inAddress {
				f.inAddress = false
				f.scanBareAddress(next, true)
			}
		case c == ':':
			f.scanUserInfo(f.position)
		case isNameByte(c):
			f.scanName()
		default:
			f.position = next
		}
	}
	s = f.queue[0]
	f.queue[0] = f.queue[1]
	f.queued--
	return s, true
}

// addSecret queues a secret, and continues behind it.
func (f *finder) addSecret(from, to int, mark string) {
	f.position = max(f.position, to)
	if from >= to {
		return
	}
	f.content = max(f.content, to)
	f.queue[f.queued] = secret{from, to, mark}
	f.queued++
}

// atOrZero is at, with 0 at the end of the text.
func (f *finder) atOrZero(i int) (c byte, next int) {
	if i >= len(f.text) {
		return 0, i
	}
	return f.at(i)
}

// skipTo returns the offset of the first character of stops at or after i.
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

// skipBlanks returns the offset of the first character that is not blank, and whether a
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

// skipString returns the offset of the closing quote of the string whose content begins at
// i.
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

// isPlus reports whether the blank c at i is a plus sign in the text. Outside of forms a
// plus is itself, as in a telephone number, and does not end an address.
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
	// Ends of a value without quotes, behind "name=", "name:", and in JSON.
	assignedEnds = charset(blanks + `"'<>&`)
	textEnds     = charset(blanks + `"'<>`)
	jsonEnds     = charset(blanks + `,}]`)
	lineEnds     = charset("\r\n")
)

var nameBytes = charset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")

func isNameByte(c byte) bool { return nameBytes[c] }

// dottedName is a run of name characters. Dots divide it into parts; prefix, length and secret
// describe the last part.
type dottedName struct {
	end          int
	secret       bool    // the last part is the name of a secret
	joinedSecret bool    // all parts together are the name of a secret
	prefix       [8]byte // the first characters of the last part, in lower case
	length       int     // characters of the last part, at most len(prefix)+1
}

// readName reads the name at i.
func (f *finder) readName(i int) (w dottedName) {
	if f.plain {
		return f.readPlainName(i)
	}
	from, dots := i, false
	var part nameWindow
	for i < len(f.text) {
		c, next := f.at(i)
		if c == '.' {
			if c, _ := f.atOrZero(next); !isNameByte(c) {
				break
			}
			w.length, part, dots, i = 0, nameWindow{}, true, next
			continue
		}
		if !isNameByte(c) {
			break
		}
		if w.length < len(w.prefix) {
			w.prefix[w.length] = lower(c)
		}
		w.length = min(w.length+1, len(w.prefix)+1)
		part.add(c)
		i = next
	}
	w.secret, w.end = part.isSecret(), i
	w.joinedSecret = dots && f.isSecretName(from, i)
	return w
}

// isSecretName reports whether the characters from one offset to another are the name of a
// secret.
func (f *finder) isSecretName(from, end int) bool {
	var name nameWindow
	for from < end {
		c, next := f.at(from)
		name.add(c)
		from = next
	}
	return name.isSecret()
}

// nameWindow holds the end of a name of any length, as much as a word may begin in.
type nameWindow struct {
	characters [64]byte
	length     int
	isCut      bool // earlier characters were dropped
	wordFound  bool // a word was in the dropped characters
}

func (w *nameWindow) add(c byte) {
	if w.length > 0 && isSeparator(c) && isSeparator(w.characters[w.length-1]) {
		return // several separators count as one
	}
	if w.length == len(w.characters) {
		w.wordFound = w.wordFound || hasSecretWord(w.characters[:], !w.isCut, false)
		w.length = copy(w.characters[:], w.characters[len(w.characters)-longestWord:])
		w.isCut = true
	}
	w.characters[w.length] = c
	w.length++
}

func (w *nameWindow) isSecret() bool {
	return w.wordFound || hasSecretWord(w.characters[:w.length], !w.isCut, true)
}

// readPlainName is readName for a plain view.
func (f *finder) readPlainName(i int) (w dottedName) {
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
	w.end, w.length = end, min(len(text), len(w.prefix)+1)
	for k := range min(len(text), len(w.prefix)) {
		w.prefix[k] = lower(text[k])
	}
	w.secret = IsSecretName(text)
	w.joinedSecret = from > i && IsSecretName(f.text[i:end])
	return w
}

func (w *dottedName) is(text string) bool {
	return w.length == len(text) && string(w.prefix[:w.length]) == text
}

func (w *dottedName) hasPrefix(text string) bool {
	return w.length >= len(text) && string(w.prefix[:len(text)]) == text
}

// scanName handles the name at position: the name of a secret, or the scheme of a URL.
func (f *finder) scanName() {
	w := f.readName(f.position)
	f.position = w.end
	c, _ := f.atOrZero(w.end)
	if w.secret || w.joinedSecret && c != ':' { // token.example.test:443 is a host
		f.scanValue(w.end)
		return
	}
	if c != ':' {
		return
	}
	if w.is("sip") || w.is("sips") || w.is("h323") || w.is("tel") {
		f.scanSIP(w.end)
		return
	}
	f.scanUserInfo(w.end)
	if w.hasPrefix("rtmp") {
		f.scanStreamKey(w.end)
	}
}

// scanValue redacts the value behind the name of a secret that ends at end: behind "name=",
// "name:" and similar, and in the part of a multipart form below its header.
func (f *finder) scanValue(end int) {
	i := end
	c, next := f.atOrZero(i)
	inQuotes := c == '"' || c == '\''
	for c == '"' || c == '\'' || c == '[' || c == ']' {
		i = next
		if c, next = f.atOrZero(i); i-end > maxBrackets {
			return
		}
	}
	i, newLine := f.skipBlanks(i)
	separator, next := f.atOrZero(i)
	if separator != '=' && separator != ':' {
		if newLine && inQuotes {
			f.addSecret(i, f.skipTo(i, lineEnds), Mark)
		}
		return
	}
	if c, after := f.atOrZero(next); c == '=' || c == '>' && separator == '=' {
		next = after
	}
	from, newLine := f.skipBlanks(next)
	mark := Mark
	if separator == ':' && inQuotes {
		mark = `"` + Mark + `"`
	}
	switch c, next := f.atOrZero(from); {
	case c == '"' || c == '\'':
		closing := f.skipString(next, c)
		if separator == ':' && next-from == 1 && closing > next {
			_, behind := f.atOrZero(closing)
			f.addSecret(from, behind, `"`+Mark+`"`)
			return
		}
		f.addSecret(next, closing, Mark)
	case separator == ':' && (c == '{' || c == '['):
		f.addSecret(from, f.skipJSON(from), `"`+Mark+`"`)
	case newLine && !inQuotes:
		// The value is empty; the next line belongs to something else.
	case separator == '=':
		f.addSecret(from, f.skipTo(from, assignedEnds), mark)
	case inQuotes:
		f.addSecret(from, f.skipTo(from, jsonEnds), mark)
	default:
		f.addSecret(from, f.skipTo(from, textEnds), mark)
	}
}

// maxBrackets is the largest number of bytes between a name and its separator: a quote or
// brackets, in the longest escapes.
const maxBrackets = 32

// skipJSON returns the offset behind the object or array at i.
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
