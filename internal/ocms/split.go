// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"errors"
	"slices"
	"strings"
)

// MaxAttributes of one line are told apart; OCMS writes 13. What is behind the
// last one belongs to its value.
const MaxAttributes = 128

// Attribute is one of a line.
type Attribute struct {
	Key Key
	// Lead is what separates the attribute from the one before: a comma, and line
	// breaks where several lines were joined. It is "" for the first.
	Lead string
	// Name as written, without the equals sign.
	Name string
	// Value as written; blanks are part of it.
	Value string
}

// Line is a line and its attributes.
type Line struct {
	// Text of the line without the line end.
	Text string
	// Rest is what is behind the last attribute: a comma at the end of the line.
	Rest  string
	Flags Flags

	spans []span
	first [KeyCount]uint8 // index of a key's first attribute, plus one
}

// span is where an attribute stands in its line.
type span struct {
	lead, name, equals, end int32
	key                     Key
}

// Len returns the number of attributes.
func (l *Line) Len() int { return len(l.spans) }

// Attribute returns the attribute with this index, from 0.
func (l *Line) Attribute(i int) Attribute {
	s := &l.spans[i]
	return Attribute{Key: s.key, Lead: l.Text[s.lead:s.name], Name: l.Text[s.name:s.equals], Value: l.Text[s.equals+1 : s.end]}
}

// Join writes the attributes as they stood: for every line that could be split,
// the result is its Text.
func (l *Line) Join() string {
	var b strings.Builder
	b.Grow(len(l.Text))
	for i := range l.Len() {
		a := l.Attribute(i)
		b.WriteString(a.Lead)
		b.WriteString(a.Name)
		b.WriteByte('=')
		b.WriteString(a.Value)
	}
	b.WriteString(l.Rest)
	return b.String()
}

// Value returns the value of a documented attribute's first occurrence.
func (l *Line) Value(k Key) (value string, ok bool) {
	i := l.first[k]
	if i == 0 {
		return "", false
	}
	s := &l.spans[i-1]
	return l.Text[s.equals+1 : s.end], true
}

// IsFirst tells whether the attribute with this index is the first with its key.
func (l *Line) IsFirst(i int) bool { return int(l.first[l.spans[i].key]) == i+1 }

// IsDocumented tells whether the attribute with this index is the first one of a
// documented key, which the event has in its type.
func (l *Line) IsDocumented(i int) bool { return l.spans[i].key != Unknown && l.IsFirst(i) }

// Set returns the value of a documented attribute that is neither empty nor the
// text null, which stand for no value.
func (l *Line) Set(k Key) (value string, ok bool) {
	value, ok = l.Value(k)
	return value, ok && value != "" && value != "null"
}

// ErrNoAttribute is why a line is no event: it does not begin with key=.
var ErrNoAttribute = errors.New("the line does not begin with an attribute, key=value")

// Splitter splits lines into attributes. It reuses its memory and is for one
// goroutine.
type Splitter struct {
	// ExtraKeys are the names of all additional attributes that applications log,
	// sorted. If there are any, no other undocumented name begins an attribute.
	ExtraKeys []string

	spans []span
}

// NewSplitter returns a splitter for lines with these additional attributes.
func NewSplitter(extraKeys []string) *Splitter {
	return &Splitter{ExtraKeys: slices.Sorted(slices.Values(extraKeys))}
}

// Split splits one line. It is valid until the next call. An error is
// ErrNoAttribute.
func (s *Splitter) Split(text string) (Line, error) {
	text = strings.TrimRight(text, "\r\n")
	line := Line{Text: text}
	name, ok := nameAt(text, 0)
	if !ok {
		return line, ErrNoAttribute
	}
	c := cutter{text: text, extra: s.ExtraKeys, quote: -1, bracket: -1}
	spans, lead := s.spans[:0], 0
	for more := true; more; {
		current := span{lead: int32(lead), name: int32(name.start), equals: int32(name.equals), key: name.key} //nolint:gosec // no line is longer
		lead, more = len(text), false
		if len(spans) == MaxAttributes-1 {
			c.flags |= TooManyAttributes
		} else if comma, found := c.valueEnd(name.key, name.equals+1); found {
			lead, more, name = comma, true, c.next
		}
		current.end = int32(lead) //nolint:gosec // no line is longer
		if spans = append(spans, current); current.key == Unknown {
			continue
		}
		if line.first[current.key] == 0 {
			line.first[current.key] = uint8(len(spans)) //nolint:gosec // at most MaxAttributes
		} else {
			c.flags |= DuplicateKey
		}
	}
	// A comma at the end of the line is no part of the last value: layouts with one
	// attribute per line have it.
	if last := &spans[len(spans)-1]; last.end > last.equals+1 && text[last.end-1] == ',' {
		last.end--
		line.Rest = text[last.end:]
	}
	s.spans, line.spans, line.Flags = spans, spans, c.flags
	return line, nil
}

// name is where the name of an attribute stands.
type name struct {
	start, equals int
	key           Key
}

// nameAt returns the name of the attribute that begins at i.
func nameAt(text string, i int) (n name, ok bool) {
	rest := text[i:]
	if rest == "" {
		return name{}, false
	}
	for _, key := range keysByInitial[rest[0]] {
		if known := keyNames[key]; strings.HasPrefix(rest, known) && len(rest) > len(known) && rest[len(known)] == '=' {
			return name{i, i + len(known), key}, true
		}
	}
	end := 0
	for end < len(rest) && isNameByte[rest[end]] {
		end++
	}
	switch {
	case end == 0 || end == len(rest) || !isLetter(rest[0]):
		return name{}, false
	case rest[end] == '=':
		return name{i, i + end, Unknown}, true
	case rest[end] == ' ' && strings.HasPrefix(rest, creationTimeOfTable+"="):
		return name{i, i + len(creationTimeOfTable), CreationTime}, true
	default:
		return name{}, false
	}
}

// keysByInitial are the documented attributes by the first letter of their names.
var keysByInitial = func() (all [256][]Key) {
	for k := Unknown + 1; k < KeyCount; k++ {
		all[keyNames[k][0]] = append(all[keyNames[k][0]], k)
	}
	return all
}()

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

var isNameByte = func() (is [256]bool) {
	for c := range 256 {
		is[c] = isLetter(byte(c)) || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-'
	}
	return is
}()
