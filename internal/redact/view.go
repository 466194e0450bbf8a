// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import "strings"

// encoding is the encoding of a text's characters.
type encoding uint8

const (
	asciiCompatible encoding = iota // UTF-8, or any other encoding that contains ASCII
	littleEndian
	bigEndian
	sparse // bytes with zero bytes anywhere between them
)

// nonASCII represents any character that is not ASCII: no secret begins or ends with one.
const nonASCII = 0x80

// view decodes a text with some levels of escapes: percent escapes, XML entities and JSON
// escapes, in any mixture. It holds no copy; offsets are those of the text.
type view struct {
	text     string
	encoding encoding
	levels   int
	plain    bool // characters equal bytes
}

// at returns the character at offset i and the offset behind it. i must be less than the
// length of the text.
func (v *view) at(i int) (c byte, next int) {
	if v.plain || v.encoding == asciiCompatible && !escapeBytes[v.text[i]] {
		return v.text[i], i + 1
	}
	if c, next = v.unit(i); v.levels == 0 || !escapeBytes[c] {
		return c, next
	}
	return v.decode(i, v.levels)
}

// decode is at for a number of levels. At each level it reads a few characters at most.
func (v *view) decode(i, levels int) (c byte, next int) {
	if levels == 0 {
		return v.unit(i)
	}
	c, next = v.decode(i, levels-1)
	switch c {
	case '%':
		if n, end, ok := v.hex(next, levels-1, 2); ok {
			return byte(n), end //nolint:gosec // two hexadecimal digits
		}
	case '+': // a blank in a form
		return ' ', next
	case '&':
		if v.encoding == asciiCompatible && levels == 1 && !strings.HasPrefix(v.text[next:], "#") {
			return namedEntity(v.text, next)
		}
		if decoded, end, ok := v.entity(next, levels-1); ok {
			return decoded, end
		}
	case '\\':
		if decoded, end, ok := v.jsonEscape(next, levels-1); ok {
			return decoded, end
		}
	}
	return c, next
}

// unit returns one character of the encoding, without decoding escapes.
func (v *view) unit(i int) (c byte, next int) {
	switch v.encoding {
	case littleEndian, bigEndian:
		if i+1 >= len(v.text) {
			return v.text[i], i + 1
		}
		high, low := v.text[i], v.text[i+1]
		if v.encoding == littleEndian {
			high, low = low, high
		}
		if high != 0 || low >= nonASCII {
			return nonASCII, i + 2
		}
		return low, i + 2
	case sparse:
		for i+1 < len(v.text) && v.text[i] == 0 {
			i++
		}
		return v.text[i], i + 1
	default:
		return v.text[i], i + 1
	}
}

// peek is decode for an offset that may be the end of the text.
func (v *view) peek(i, levels int) (c byte, next int, ok bool) {
	if i >= len(v.text) {
		return 0, i, false
	}
	c, next = v.decode(i, levels)
	return c, next, true
}

// hex reads a number of digits hexadecimal digits.
func (v *view) hex(i, levels, digits int) (n uint32, end int, ok bool) {
	for range digits {
		c, next, more := v.peek(i, levels)
		digit, isDigit := hexDigit(c)
		if !more || !isDigit {
			return 0, i, false
		}
		n, i = n<<4|uint32(digit), next
	}
	return n, i, true
}

func hexDigit(c byte) (digit byte, ok bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case lower(c) >= 'a' && lower(c) <= 'f':
		return lower(c) - 'a' + 10, true
	default:
		return 0, false
	}
}

// namedEntities are the entities of XML, without the ampersand.
var namedEntities = [...]struct {
	name      string
	character byte
}{{"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}}

// namedEntity is entity for the most frequent case, a name in plain text. An unknown name
// leaves the ampersand as it is.
func namedEntity(text string, i int) (c byte, end int) {
	for _, e := range namedEntities {
		if strings.HasPrefix(text[i:], e.name) {
			return e.character, i + len(e.name)
		}
	}
	return '&', i
}

// maxEntity is the length of the longest entity of an ASCII character, without & and ;,
// with some leading zeros.
const maxEntity = 8

// entity reads an entity behind its ampersand.
func (v *view) entity(i, levels int) (c byte, end int, ok bool) {
	var name [maxEntity]byte
	n := 0
	for {
		c, next, more := v.peek(i, levels)
		switch {
		case !more:
			return 0, i, false
		case c == ';':
			c, ok := entityCharacter(string(name[:n]))
			return c, next, ok
		case n == maxEntity, !isNameByte(c) && c != '#':
			return 0, i, false
		}
		name[n], i = c, next
		n++
	}
}

// entityCharacter returns the character of an entity name; nonASCII for a character that is
// not ASCII.
func entityCharacter(name string) (c byte, ok bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	digits, isNumber := strings.CutPrefix(name, "#")
	if !isNumber || digits == "" {
		return 0, false
	}
	base := uint32(10)
	if digits[0] == 'x' || digits[0] == 'X' {
		base, digits = 16, digits[1:]
	}
	n := uint32(0)
	for i := range len(digits) {
		digit, isDigit := hexDigit(digits[i])
		if !isDigit || uint32(digit) >= base {
			return 0, false
		}
		n = n*base + uint32(digit) // seven digits at most
	}
	return ascii(n), digits != ""
}

// jsonEscape reads a JSON escape behind its backslash.
func (v *view) jsonEscape(i, levels int) (c byte, end int, ok bool) {
	c, next, more := v.peek(i, levels)
	if !more {
		return 0, i, false
	}
	switch c {
	case '"', '\\', '/':
		return c, next, true
	case 'n', 'r':
		return '\n', next, true
	case 't', 'b', 'f':
		return ' ', next, true
	case 'u':
		n, end, ok := v.hex(next, levels, 4)
		return ascii(n), end, ok
	default:
		return 0, i, false
	}
}

func ascii(n uint32) byte {
	if n >= nonASCII {
		return nonASCII
	}
	return byte(n)
}

// viewsOf appends the views of a text that may contain secrets: its bytes, its characters
// if they differ from the bytes, and each level of escapes.
func viewsOf(text string, views []view) []view {
	views = append(views, view{text: text, plain: true})
	base := view{text: text}
	if strings.IndexByte(text, 0) >= 0 {
		base.encoding = encodingOf(text)
		views = append(views, base)
	}
	if base.encoding == asciiCompatible && !hasEscape(text) || !strings.ContainsAny(text, escapes) {
		return views
	}
	for base.levels = 1; base.levels <= escapeLevels(text, base.encoding); base.levels++ {
		views = append(views, base)
	}
	return views
}

const (
	// maxLevels is the largest number of decoded levels of escapes, for example XML in a
	// form parameter in a URL.
	maxLevels = 3
	// maxViews is the largest number of views of a text: bytes, characters, and each level.
	maxViews = 2 + maxLevels
)

// escapeLevels returns how many levels of escapes a text may have.
func escapeLevels(text string, in encoding) int {
	if in != asciiCompatible {
		return maxLevels
	}
	for _, sign := range [...]string{"%25", "%26", "%5c", "%5C", "&amp;", "&#", `\\`, `\u00`} {
		if strings.Contains(text, sign) {
			return maxLevels
		}
	}
	kinds := 0
	for i := range len(escapes) {
		if strings.IndexByte(text, escapes[i]) >= 0 {
			kinds++
		}
	}
	return kinds
}

// hasEscape reports whether a text contains an escape: "a=b&c=d" and "100 %" do not.
func hasEscape(text string) bool {
	v := view{text: text}
	for i := strings.IndexAny(text, escapes); i >= 0 && i < len(text); {
		if _, next := v.decode(i, 1); next > i+1 {
			return true
		}
		i++
		n := strings.IndexAny(text[i:], escapes)
		if n < 0 {
			return false
		}
		i += n
	}
	return false
}

// escapes are the characters that begin an escape.
const escapes = `%&\`

// escapeBytes are the characters that may have another meaning at a level of escapes.
var escapeBytes = charset(escapes + "+")

// minUTF16 is the largest number of bytes per zero byte in UTF-16 text. Wire bodies have
// far fewer, because their names and tags are ASCII.
const minUTF16 = 20

// encodingOf returns the encoding of a text with zero bytes. In UTF-16 each ASCII character
// has one, always on the same side.
func encodingOf(text string) encoding {
	var zeros [2]int
	for i := range len(text) {
		if text[i] == 0 {
			zeros[i%2]++
		}
	}
	switch even, odd := zeros[0], zeros[1]; {
	case (even+odd)*minUTF16 < len(text):
		return sparse
	case odd > 9*even:
		return littleEndian
	case even > 9*odd:
		return bigEndian
	default:
		return sparse
	}
}
