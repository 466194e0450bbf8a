// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsevents

import (
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// errSyntax says that the bytes are not JSON (RFC 8259).
var errSyntax = errors.New("not JSON")

// maxDepth bounds nesting, and with it the stack.
const maxDepth = 64

// scanner reads JSON from the front. Text it returns is a part of data, or of
// scratch where there were escapes; both last until the next reset.
type scanner struct {
	data    []byte
	pos     int
	scratch []byte
}

func (s *scanner) reset(data []byte) {
	s.data, s.pos, s.scratch = data, 0, s.scratch[:0]
}

// next skips white space and returns the byte that begins a token, 0 at the end.
func (s *scanner) next() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// take consumes c if it is the next token.
func (s *scanner) take(c byte) bool {
	if s.next() != c {
		return false
	}
	s.pos++
	return true
}

// plain are the bytes that stand for themselves in a string: ASCII without
// control characters, quote and backslash.
var plain = func() (table [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// text reads a string and returns its content, valid UTF-8.
func (s *scanner) text() ([]byte, error) {
	if !s.take('"') {
		return nil, errSyntax
	}
	begin := s.pos
	for i := begin; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case plain[c]:
		case c == '"':
			s.pos = i + 1
			return s.data[begin:i], nil
		default:
			return s.textSlowly(begin, i)
		}
	}
	return nil, errSyntax
}

// textSlowly goes on at i, where something other than plain ASCII stands. What
// is no UTF-8 becomes U+FFFD, as in encoding/json.
func (s *scanner) textSlowly(begin, i int) ([]byte, error) {
	start := len(s.scratch)
	s.scratch = append(s.scratch, s.data[begin:i]...)
	for i < len(s.data) {
		switch c := s.data[i]; {
		case plain[c]:
			s.scratch = append(s.scratch, c)
			i++
		case c == '"':
			s.pos = i + 1
			return s.scratch[start:len(s.scratch):len(s.scratch)], nil
		case c == '\\':
			size, ok := s.escape(s.data[i:])
			if !ok {
				return nil, errSyntax
			}
			i += size
		case c < 0x20:
			return nil, errSyntax
		default:
			r, size := utf8.DecodeRune(s.data[i:])
			s.scratch = utf8.AppendRune(s.scratch, r)
			i += size
		}
	}
	return nil, errSyntax
}

// escape appends what the escape at the front of in stands for.
func (s *scanner) escape(in []byte) (size int, ok bool) {
	if len(in) < 2 {
		return 0, false
	}
	c := in[1]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		r, ok := hex4(in)
		if !ok {
			return 0, false
		}
		size = 6
		if utf16.IsSurrogate(r) {
			second, isEscape := hex4(in[6:])
			if pair := utf16.DecodeRune(r, second); isEscape && pair != utf8.RuneError {
				r, size = pair, 12
			} else {
				r = utf8.RuneError
			}
		}
		s.scratch = utf8.AppendRune(s.scratch, r)
		return size, true
	default:
		return 0, false
	}
	s.scratch = append(s.scratch, c)
	return 2, true
}

// hex4 reads \uXXXX.
func hex4(in []byte) (r rune, ok bool) {
	if len(in) < 6 || in[0] != '\\' || in[1] != 'u' {
		return 0, false
	}
	for _, c := range in[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// number reads a number and returns it as written.
func (s *scanner) number() ([]byte, error) {
	begin := s.pos
	if s.at('-') {
		s.pos++
	}
	switch {
	case s.at('0'):
		s.pos++
	case s.digits() == 0:
		return nil, errSyntax
	}
	if s.at('.') {
		s.pos++
		if s.digits() == 0 {
			return nil, errSyntax
		}
	}
	if s.at('e') || s.at('E') {
		s.pos++
		if s.at('+') || s.at('-') {
			s.pos++
		}
		if s.digits() == 0 {
			return nil, errSyntax
		}
	}
	return s.data[begin:s.pos], nil
}

func (s *scanner) at(c byte) bool { return s.pos < len(s.data) && s.data[s.pos] == c }

func (s *scanner) digits() (n int) {
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
		n++
	}
	return n
}

// word reads one of true, false and null.
func (s *scanner) word(word string) error {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return errSyntax
	}
	s.pos += len(word)
	return nil
}

// skip reads any value and forgets it.
func (s *scanner) skip(depth int) error {
	var err error
	switch c := s.next(); c {
	case '{':
		return s.object(depth, func(_ []byte) error { return s.skip(depth + 1) })
	case '[':
		return s.array(depth, func() error { return s.skip(depth + 1) })
	case '"':
		_, err = s.text()
	case 't':
		err = s.word("true")
	case 'f':
		err = s.word("false")
	case 'n':
		err = s.word("null")
	default:
		_, err = s.number()
	}
	return err
}

// object calls member for each member; member reads the value.
func (s *scanner) object(depth int, member func(name []byte) error) error {
	if depth >= maxDepth || !s.take('{') {
		return errSyntax
	}
	if s.take('}') {
		return nil
	}
	for {
		name, err := s.text()
		if err != nil {
			return err
		}
		if !s.take(':') {
			return errSyntax
		}
		if err := member(name); err != nil {
			return err
		}
		switch {
		case s.take(','):
		case s.take('}'):
			return nil
		default:
			return errSyntax
		}
		if s.next() != '"' {
			return errSyntax
		}
	}
}

// array calls value for each value, which reads it.
func (s *scanner) array(depth int, value func() error) error {
	if depth >= maxDepth || !s.take('[') {
		return errSyntax
	}
	if s.take(']') {
		return nil
	}
	for {
		if err := value(); err != nil {
			return err
		}
		switch {
		case s.take(','):
		case s.take(']'):
			return nil
		default:
			return errSyntax
		}
	}
}
