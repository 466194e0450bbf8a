// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"errors"
	"slices"
	"strings"
)

// MaxAttributes is the largest number of attributes of one line; OCMS writes 13. If a line has
// more, the value of the last one contains the rest of the line.
const MaxAttributes = 128

// Attribute is one key=value of a line.
type Attribute struct {
	Key Key
	// Separator is the text between the previous attribute and this one: a comma, and
	// line breaks where lines were joined. It is "" for the first attribute.
	Separator string
	// Name as written, without the equals sign.
	Name string
	// Value as written; blanks are part of it.
	Value string
}

// Line is a line and its attributes.
type Line struct {
	// Text is the line without its line end.
	Text string
	// Trailer is the text behind the last attribute: a comma or nothing.
	Trailer string
	Flags   Flags

	offsets []attributeOffsets
	first   [KeyCount]valueOffsets // of the first attribute with a documented key
	// fromBrackets and toBrackets are around the URIs of the first From and To. They are
	// zero where only parse can find them.
	fromBrackets, toBrackets bracketOffsets
}

// bracketOffsets says where '<' and '>' are in a line. It is zero for none.
type bracketOffsets struct{ opening, closing int32 }

// attributeOffsets says where an attribute is in its line.
type attributeOffsets struct {
	name, equals, end int32
	key               Key
}

// valueOffsets says where a value is in its line. It is zero if there is none.
type valueOffsets struct{ start, end int32 }

// Len returns the number of attributes.
func (l *Line) Len() int { return len(l.offsets) }

// Attribute returns the attribute with this index, from 0.
func (l *Line) Attribute(i int) Attribute {
	s, separator := &l.offsets[i], int32(0)
	if i > 0 {
		separator = l.offsets[i-1].end
	}
	return Attribute{Key: s.key, Separator: l.Text[separator:s.name], Name: l.Text[s.name:s.equals], Value: l.Text[s.equals+1 : s.end]}
}

// Join concatenates the attributes and returns Text again.
func (l *Line) Join() string {
	var b strings.Builder
	b.Grow(len(l.Text))
	for i := range l.Len() {
		a := l.Attribute(i)
		b.WriteString(a.Separator)
		b.WriteString(a.Name)
		b.WriteByte('=')
		b.WriteString(a.Value)
	}
	b.WriteString(l.Trailer)
	return b.String()
}

// Value returns the value of a documented attribute's first occurrence.
func (l *Line) Value(k Key) (value string, ok bool) {
	s := &l.first[k]
	return l.Text[s.start:s.end], s.start > 0
}

// IsFirst reports whether the attribute with this index is the first with its key.
func (l *Line) IsFirst(i int) bool {
	s := &l.offsets[i]
	return l.first[s.key].start == s.equals+1
}

// IsFirstDocumented reports whether the attribute with this index is the first one with a
// documented key: an Event has its decoded value.
func (l *Line) IsFirstDocumented(i int) bool { return l.offsets[i].key != Unknown && l.IsFirst(i) }

// NonEmptyValue is Value, with ok false for an empty value and for "null", which Java
// prints for an absent one.
func (l *Line) NonEmptyValue(k Key) (value string, ok bool) {
	value, ok = l.Value(k)
	return value, ok && value != "" && value != "null"
}

// ErrNoAttribute means that a line does not begin with key=.
var ErrNoAttribute = errors.New("the line does not begin with an attribute, key=value")

// Splitter splits lines into attributes. It reuses its memory; one goroutine may use it
// at a time.
type Splitter struct {
	// ExtraKeys are the names of all additional attributes that applications log,
	// sorted. Unless empty, no other undocumented name begins an attribute.
	ExtraKeys []string

	offsets []attributeOffsets
}

// NewSplitter returns a splitter that knows the additional attributes extraKeys.
func NewSplitter(extraKeys []string) *Splitter {
	return &Splitter{ExtraKeys: slices.Sorted(slices.Values(extraKeys))}
}

// Split splits one line. The result is valid until the next call. The only error is
// ErrNoAttribute.
func (s *Splitter) Split(text string) (Line, error) {
	var line Line
	err := s.split(text, &line)
	return line, err
}

// initialAttributes is the capacity that a splitter allocates first.
const initialAttributes = 16

// split splits text into line, which must be empty.
func (s *Splitter) split(text string, line *Line) error {
	for text != "" && (text[len(text)-1] == '\n' || text[len(text)-1] == '\r') {
		text = text[:len(text)-1]
	}
	line.Text = text
	name, ok := parseNameAt(text, 0)
	if !ok {
		return ErrNoAttribute
	}
	if s.offsets == nil {
		s.offsets = make([]attributeOffsets, 0, initialAttributes)
	}
	var c valueScanner
	c.text, c.extraKeys = text, s.ExtraKeys
	spans := s.offsets[:0]
	for more := true; more; {
		var next attributeName
		start, end := name.equals+1, len(text)
		switch {
		case len(spans) == MaxAttributes-1:
			c.flags |= TooManyAttributes
			c.brackets = bracketOffsets{}
			more = false
		case mayHaveQuotes[name.key]:
			end, next, more = c.findValueEnd(name.key, start)
		default:
			// Nearly always a documented key follows the first comma. Here, without calls
			// of methods, this takes half the time of findValueEnd.
			n := strings.IndexByte(text[start:], ',')
			if n >= 0 {
				next.start = start + n + 1
				next.key = matchDocumentedKey(text[next.start:])
			}
			if next.key != Unknown {
				end, next.equals = next.start-1, next.start+len(keyNames[next.key])
			} else {
				end, next, more = c.findValueEnd(name.key, start)
			}
		}
		if !more && end > start && text[end-1] == ',' {
			// A comma at the end of the line is not part of the last value: layouts with
			// one attribute per line write it.
			end--
			line.Trailer = text[end:]
		}
		spans = append(spans, attributeOffsets{})
		// The fields are set one by one: a copy of a struct waits for its parts.
		current := &spans[len(spans)-1]
		current.name, current.equals, current.end, current.key = int32(name.start), int32(name.equals), int32(end), name.key //nolint:gosec // no line is longer
		if first := &line.first[name.key]; first.start > 0 {
			c.flags |= DuplicateKey
		} else if name.key != Unknown {
			first.start, first.end = int32(start), int32(end) //nolint:gosec // no line is longer
			switch name.key {
			case From:
				line.fromBrackets = c.brackets
			case To:
				line.toBrackets = c.brackets
			default:
			}
		}
		name = next
	}
	s.offsets, line.offsets, line.Flags = spans, spans, c.flags
	return nil
}

// attributeName holds the offsets of an attribute's name and equals sign.
type attributeName struct {
	start, equals int
	key           Key
}

// parseNameAt returns the name of the attribute at i; ok is false without one.
func parseNameAt(text string, i int) (n attributeName, ok bool) {
	rest := text[i:]
	if key := matchDocumentedKey(rest); key != Unknown {
		return attributeName{i, i + len(keyNames[key]), key}, true
	}
	end := 0
	for end < len(rest) && isNameByte[rest[end]] {
		end++
	}
	switch {
	case end == 0 || end == len(rest) || !isLetter(rest[0]):
		return attributeName{}, false
	case rest[end] == '=':
		return attributeName{i, i + end, Unknown}, true
	case rest[end] == ' ' && strings.HasPrefix(rest, creationTimeWithBlank+"="):
		return attributeName{i, i + len(creationTimeWithBlank), CreationTime}, true
	default:
		return attributeName{}, false
	}
}

// matchDocumentedKey returns the documented attribute whose name and equals sign begin
// text, or Unknown. The compiler inlines comparisons with constants of up to 16 bytes,
// but not those within strings.HasPrefix.
func matchDocumentedKey(text string) Key {
	n := len(text)
	if n == 0 {
		return Unknown
	}
	switch text[0] {
	case 'C':
		switch {
		case n >= 5 && text[:5] == "CSeq=":
			return CSeq
		case n >= 8 && text[:8] == "Call-ID=":
			return CallID
		case n >= 13 && text[:13] == "CreationTime=":
			return CreationTime
		case n >= 13 && text[:13] == "Content-Type=":
			return ContentType
		case n >= 15 && text[:15] == "Content-Length=":
			return ContentLength
		}
	case 'F':
		if n >= 5 && text[:5] == "From=" {
			return From
		}
	case 'M':
		switch {
		case n >= 7 && text[:7] == "Method=":
			return Method
		case n >= 6 && text[:6] == "MEDIA=":
			return Media
		}
	case 'R':
		if n >= 11 && text[:11] == "RequestUri=" {
			return RequestURI
		}
	case 'S':
		switch {
		case n >= 8 && text[:8] == "Service=":
			return Service
		case n >= 11 && text[:11] == "StatusCode=":
			return StatusCode
		}
	case 'T':
		switch {
		case n >= 3 && text[:3] == "To=":
			return To
		case n >= 15 && text[:15] == "TimeZoneOffset=":
			return TimeZoneOffset
		}
	case 'V':
		if n >= 4 && text[:4] == "Via=" {
			return Via
		}
	}
	return Unknown
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

var isNameByte = func() (is [256]bool) {
	for c := range 256 {
		is[c] = isLetter(byte(c)) || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-'
	}
	return is
}()
