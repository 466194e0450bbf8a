// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrSyntax says that the bytes are not JSON (RFC 8259).
var ErrSyntax = errors.New("not JSON")

// MaxDepth bounds nesting, and with it the stack.
const MaxDepth = 64

// Scanner reads JSON from the front. Text it returns is a part of data, or of
// scratch where there were escapes; both last until the next reset.
type Scanner struct {
	// RawControls lets control characters stand for themselves in strings. JSON
	// wants them escaped; some servers send names as people typed them.
	RawControls bool

	data    []byte
	pos     int
	scratch []byte
}

// Reset begins with new data.
func (s *Scanner) Reset(data []byte) {
	s.data, s.pos, s.scratch = data, 0, s.scratch[:0]
}

// Pos returns how much of the data is read.
func (s *Scanner) Pos() int { return s.pos }

// Seek goes to another place of the data.
func (s *Scanner) Seek(pos int) { s.pos = pos }

// Len returns how long the data is.
func (s *Scanner) Len() int { return len(s.data) }

// Since returns the bytes from pos to where the scanner stands.
func (s *Scanner) Since(pos int) []byte { return s.data[pos:s.pos] }

// Valid returns text with what is no UTF-8 replaced.
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

// Next skips white space and returns the byte that begins a token, 0 at the end.
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

// Take consumes c if it is the next token.
func (s *Scanner) Take(c byte) bool {
	if s.Next() != c {
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

// Text reads a string and returns its content, valid UTF-8.
func (s *Scanner) Text() ([]byte, error) {
	if !s.Take('"') {
		return nil, ErrSyntax
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
	return nil, ErrSyntax
}

// textSlowly goes on at i, where something other than plain ASCII stands. What
// is no UTF-8 becomes U+FFFD, as in encoding/json.
func (s *Scanner) textSlowly(begin, i int) ([]byte, error) {
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

// escape appends what the escape at the front of in stands for.
func (s *Scanner) escape(in []byte) (size int, ok bool) {
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

// Number reads a number and returns it as written.
func (s *Scanner) Number() ([]byte, error) {
	begin := s.pos
	if s.at('-') {
		s.pos++
	}
	switch {
	case s.at('0'):
		s.pos++
	case s.digits() == 0:
		return nil, ErrSyntax
	}
	if s.at('.') {
		s.pos++
		if s.digits() == 0 {
			return nil, ErrSyntax
		}
	}
	if s.at('e') || s.at('E') {
		s.pos++
		if s.at('+') || s.at('-') {
			s.pos++
		}
		if s.digits() == 0 {
			return nil, ErrSyntax
		}
	}
	return s.data[begin:s.pos], nil
}

func (s *Scanner) at(c byte) bool { return s.pos < len(s.data) && s.data[s.pos] == c }

func (s *Scanner) digits() (n int) {
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
		n++
	}
	return n
}

// Word reads one of true, false and null.
func (s *Scanner) Word(word string) error {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return ErrSyntax
	}
	s.pos += len(word)
	return nil
}

// Skip reads any value and forgets it.
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

// Object calls member for each member; member reads the value.
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

// Array calls value for each value, which reads it.
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
