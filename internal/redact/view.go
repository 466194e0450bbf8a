// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import "strings"

// encoding is how the characters of a text lie in its bytes.
type encoding uint8

const (
	narrow encoding = iota // UTF-8, or any other that contains ASCII
	littleEndian
	bigEndian
	sparse // bytes with zero bytes anywhere among them
)

// other stands for a character that is not ASCII: no secret begins or ends with it.
const other = 0x80

// view is a text as a reader behind some levels of escapes sees it: percent-escapes,
// entities of XML, and escapes of JSON strings, in any mixture. It keeps no copy:
// offsets are those of the text.
type view struct {
	text     string
	encoding encoding
	levels   int
	plain    bool // the characters are the bytes
}

// at returns the character at offset i and the offset behind it; i is less than
// the length of the text.
func (v *view) at(i int) (c byte, next int) {
	if v.plain || v.encoding == narrow && !beginsEscape[v.text[i]] {
		return v.text[i], i + 1
	}
	if c, next = v.unit(i); v.levels == 0 || !beginsEscape[c] {
		return c, next
	}
	return v.decode(i, v.levels)
}

// decode is at for a number of levels. It ends within a few characters at each.
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
		if v.encoding == narrow && levels == 1 && !strings.HasPrefix(v.text[next:], "#") {
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

// unit returns a character of the encoding.
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
		if high != 0 || low >= other {
			return other, i + 2
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

// peek is decode that may stand at the end of the text.
func (v *view) peek(i, levels int) (c byte, next int, ok bool) {
	if i >= len(v.text) {
		return 0, i, false
	}
	c, next = v.decode(i, levels)
	return c, next, true
}

// hex reads digits hexadecimal digits.
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

// namedEntities are those of XML, without the ampersand.
var namedEntities = [...]struct {
	name      string
	character byte
}{{"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}}

// namedEntity is entity for names in plain text, which are nearly all there are. A
// name that XML does not have leaves the ampersand as it is.
func namedEntity(text string, i int) (c byte, end int) {
	for _, e := range namedEntities {
		if strings.HasPrefix(text[i:], e.name) {
			return e.character, i + len(e.name)
		}
	}
	return '&', i
}

// maxEntity is the length of the longest entity that stands for an ASCII
// character, without & and ;, with some leading zeros.
const maxEntity = 8

// entity reads what follows an ampersand.
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

// entityCharacter decodes the name of an entity. A character that is not ASCII is
// other.
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

// jsonEscape reads what follows a backslash.
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
	if n >= other {
		return other
	}
	return byte(n)
}

// viewsOf returns the views of a text that may show secrets: its bytes, its
// characters if they are not bytes, and those behind each level of escapes.
func viewsOf(text string, views []view) []view {
	views = append(views, view{text: text, plain: true})
	base := view{text: text}
	if strings.IndexByte(text, 0) >= 0 {
		base.encoding = encodingOf(text)
		views = append(views, base)
	}
	if base.encoding == narrow && !hasEscape(text) || !strings.ContainsAny(text, escapes) {
		return views
	}
	for base.levels = 1; base.levels <= levelsOf(text, base.encoding); base.levels++ {
		views = append(views, base)
	}
	return views
}

const (
	// maxLevels of escapes are read: a body in a parameter of a form in a URL, of which
	// a value holds XML.
	maxLevels = 3
	// maxViews of a text: its bytes, its characters, and those behind each level.
	maxViews = 2 + maxLevels
)

// levelsOf returns how many levels of escapes a text may have.
func levelsOf(text string, in encoding) int {
	if in != narrow {
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

// hasEscape tells whether a text has an escape: "a=b&c=d" and "100 %" have none.
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

// escapes begin an escape.
const escapes = `%&\`

// beginsEscape holds the characters that are not themselves behind an escape.
var beginsEscape = charset(escapes + "+")

// minUTF16 bounds the bytes of a UTF-16 text for each zero byte. A body has far
// fewer, because its names and tags are ASCII.
const minUTF16 = 20

// encodingOf tells the encoding of a text with zero bytes. In UTF-16, every ASCII
// character has one, and all of them lie on one side.
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
