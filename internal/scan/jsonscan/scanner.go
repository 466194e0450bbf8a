// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrSyntax means that the bytes are not JSON (RFC 8259).
var ErrSyntax = errors.New("not JSON")

// MaxDepth is the largest depth of nesting, which bounds the stack.
const MaxDepth = 64

// Scanner reads JSON from front to back. The text that it returns is part of data, or of
// scratch if it had escapes. Both are valid until the next Reset.
type Scanner struct {
	// RawControls accepts unescaped control characters in strings. JSON requires escapes,
	// but some servers send names as people typed them.
	RawControls bool

	data    []byte
	pos     int
	scratch []byte
}

// Reset begins with new data.
func (s *Scanner) Reset(data []byte) {
	s.data, s.pos, s.scratch = data, 0, s.scratch[:0]
}

// Pos returns the offset of the next unread byte.
func (s *Scanner) Pos() int { return s.pos }

// Seek continues at another offset.
func (s *Scanner) Seek(pos int) { s.pos = pos }

// Len returns the length of the data.
func (s *Scanner) Len() int { return len(s.data) }

// Since returns the bytes from pos to the current offset.
func (s *Scanner) Since(pos int) []byte { return s.data[pos:s.pos] }

// Valid returns text with invalid UTF-8 replaced by U+FFFD.
func (s *Scanner) Valid(text []byte) []byte {
	if utf8.Valid(text) {
		return text
	}
	start := len(s.scratch)
	for _, r := range string(text) {
		s.scratch = utf8.AppendRune(s.scratch, r)
	}
	return s.scratch[start:len(s.scratch):len(s.scratch)]
}

// Next skips white space and returns the first byte of the next token; 0 at the end.
func (s *Scanner) Next() byte {
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

// Take consumes c if it is the next token, and reports whether it was.
func (s *Scanner) Take(c byte) bool {
	if s.Next() != c {
		return false
	}
	s.pos++
	return true
}

// plainBytes are the bytes that need no decoding in a string: ASCII without control
// characters, quote and backslash.
var plainBytes = func() (table [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// Text reads a string and returns its content as valid UTF-8.
func (s *Scanner) Text() ([]byte, error) {
	if !s.Take('"') {
		return nil, ErrSyntax
	}
	begin := s.pos
	for i := begin; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case plainBytes[c]:
		case c == '"':
			s.pos = i + 1
			return s.data[begin:i], nil
		default:
			return s.decodeText(begin, i)
		}
	}
	return nil, ErrSyntax
}

// decodeText continues Text at i, the first byte that needs decoding. Invalid UTF-8 becomes
// U+FFFD, as in encoding/json.
func (s *Scanner) decodeText(begin, i int) ([]byte, error) {
	start := len(s.scratch)
	s.scratch = append(s.scratch, s.data[begin:i]...)
	for i < len(s.data) {
		switch c := s.data[i]; {
		case plainBytes[c]:
			s.scratch = append(s.scratch, c)
			i++
		case c == '"':
			s.pos = i + 1
			return s.scratch[start:len(s.scratch):len(s.scratch)], nil
		case c == '\\':
			size, ok := s.decodeEscape(s.data[i:])
			if !ok {
				return nil, ErrSyntax
			}
			i += size
		case c < 0x20 && !s.RawControls:
			return nil, ErrSyntax
		default:
			r, size := utf8.DecodeRune(s.data[i:])
			s.scratch = utf8.AppendRune(s.scratch, r)
			i += size
		}
	}
	return nil, ErrSyntax
}

// decodeEscape appends the character of the escape at the front of in.
func (s *Scanner) decodeEscape(in []byte) (size int, ok bool) {
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

// Number reads a number and returns its text.
func (s *Scanner) Number() ([]byte, error) {
	begin := s.pos
	if s.isNext('-') {
		s.pos++
	}
	switch {
	case s.isNext('0'):
		s.pos++
	case s.skipDigits() == 0:
		return nil, ErrSyntax
	}
	if s.isNext('.') {
		s.pos++
		if s.skipDigits() == 0 {
			return nil, ErrSyntax
		}
	}
	if s.isNext('e') || s.isNext('E') {
		s.pos++
		if s.isNext('+') || s.isNext('-') {
			s.pos++
		}
		if s.skipDigits() == 0 {
			return nil, ErrSyntax
		}
	}
	return s.data[begin:s.pos], nil
}

func (s *Scanner) isNext(c byte) bool { return s.pos < len(s.data) && s.data[s.pos] == c }

func (s *Scanner) skipDigits() (n int) {
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
		n++
	}
	return n
}

// Word reads one of the literals true, false and null.
func (s *Scanner) Word(word string) error {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return ErrSyntax
	}
	s.pos += len(word)
	return nil
}

// Skip reads any value and discards it.
func (s *Scanner) Skip(depth int) error {
	var err error
	switch c := s.Next(); c {
	case '{':
		return s.Object(depth, func(_ []byte) error { return s.Skip(depth + 1) })
	case '[':
		return s.Array(depth, func() error { return s.Skip(depth + 1) })
	case '"':
		_, err = s.Text()
	case 't':
		err = s.Word("true")
	case 'f':
		err = s.Word("false")
	case 'n':
		err = s.Word("null")
	default:
		_, err = s.Number()
	}
	return err
}

// Object reads an object. It calls member for each member, and member reads the value.
func (s *Scanner) Object(depth int, member func(name []byte) error) error {
	if depth >= MaxDepth || !s.Take('{') {
		return ErrSyntax
	}
	if s.Take('}') {
		return nil
	}
	for {
		name, err := s.Text()
		if err != nil {
			return err
		}
		if !s.Take(':') {
			return ErrSyntax
		}
		if err := member(name); err != nil {
			return err
		}
		switch {
		case s.Take(','):
		case s.Take('}'):
			return nil
		default:
			return ErrSyntax
		}
		if s.Next() != '"' {
			return ErrSyntax
		}
	}
}

// Array reads an array. It calls value for each element, and value reads it.
func (s *Scanner) Array(depth int, value func() error) error {
	if depth >= MaxDepth || !s.Take('[') {
		return ErrSyntax
	}
	if s.Take(']') {
		return nil
	}
	for {
		if err := value(); err != nil {
			return err
		}
		switch {
		case s.Take(','):
		case s.Take(']'):
			return nil
		default:
			return ErrSyntax
		}
	}
}
