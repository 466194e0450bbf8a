// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package xmlscan

import (
	"strings"
	"unicode/utf8"
)

// readText reads character data up to the next '<' or the end of the document.
func (s *Scanner) readText() error {
	start := s.position
	end, seen := scanClass(s.document, start, classTextStop)
	if seen&classControl != 0 {
		return s.newError(ErrCharacter)
	}
	raw := s.document[start:end]
	if seen&(classAmpersand|classHigh|classReturn|classBracket) != 0 {
		if seen&classBracket != 0 && strings.Contains(raw, "]]>") {
			return s.newError(ErrMarkup)
		}
		var err error
		if raw, err = s.decode(raw, seen); err != nil {
			return err
		}
	}
	s.Text = raw
	s.position = end
	return nil
}

// readAttributeValue reads from behind the opening quote to behind the closing one.
func (s *Scanner) readAttributeValue(i int, quote byte) (value string, end int, err error) {
	d := s.document
	stop := classDoubleQuote
	if quote == '\'' {
		stop = classSingleQuote
	}
	end, seen := scanClass(d, i, stop|classTextStop)
	switch {
	case end == len(d):
		return "", i, s.newErrorAtEnd(ErrTruncated)
	case d[end] == '<':
		return "", i, s.newError(ErrAttributeValue)
	case seen&classControl != 0:
		return "", i, s.newError(ErrCharacter)
	}
	value = d[i:end]
	if seen&(classAmpersand|classHigh|classReturn) != 0 {
		if value, err = s.decode(value, seen); err != nil {
			return "", i, err
		}
	}
	return value, end + 1, nil
}

// scanClass returns the offset of the first byte of a class in stop, or the length of d,
// and the classes of the bytes before it.
func scanClass(d string, i int, stop class) (end int, seen class) {
	for i < len(d) {
		c := classes[d[i]]
		if c&stop != 0 {
			break
		}
		seen |= c
		i++
	}
	return i, seen
}

func (s *Scanner) readCDATA() error {
	const open, shut = "<![CDATA[", "]]>"
	start := s.position + len(open)
	n := strings.Index(s.document[start:], shut)
	if n < 0 {
		return s.newErrorAtEnd(ErrTruncated)
	}
	raw := s.document[start : start+n]
	_, seen := scanClass(raw, 0, 0)
	if seen&classControl != 0 {
		return s.newError(ErrCharacter)
	}
	raw, err := s.decode(raw, seen&^classAmpersand)
	if err != nil {
		return err
	}
	s.Text = raw
	s.position = start + n + len(shut)
	return nil
}

func (s *Scanner) skipComment() error {
	const open = "<!--"
	start := s.position + len(open)
	n := strings.Index(s.document[start:], "--")
	if n < 0 || start+n+2 == len(s.document) {
		return s.newErrorAtEnd(ErrTruncated)
	}
	if s.document[start+n+2] != '>' {
		return s.newError(ErrMarkup)
	}
	if err := s.checkSkipped(s.document[start : start+n]); err != nil {
		return err
	}
	s.position = start + n + 3
	return nil
}

// checkSkipped checks the characters of a comment or processing instruction by the rules
// for text.
func (s *Scanner) checkSkipped(raw string) error {
	_, seen := scanClass(raw, 0, 0)
	if seen&classControl != 0 || seen&classHigh != 0 && !validCharacters(raw) {
		return s.newError(ErrCharacter)
	}
	return nil
}

// skipInstruction skips "<?target ...?>". It accepts the XML declaration at the start of
// the document only, with a supported encoding.
func (s *Scanner) skipInstruction() error {
	const open, shut = "<?", "?>"
	d := s.document
	start := s.position + len(open)
	n := strings.Index(d[start:], shut)
	if n < 0 {
		return s.newErrorAtEnd(ErrTruncated)
	}
	content := d[start : start+n]
	target, _, ok := nameAt(content, 0)
	if !ok {
		return s.newError(ErrName)
	}
	if err := s.checkSkipped(content); err != nil {
		return err
	}
	if strings.EqualFold(target, "xml") {
		if target != "xml" || s.position != s.documentStart {
			return s.newError(ErrDeclaration)
		}
		if err := s.checkDeclaration(content); err != nil {
			return err
		}
	}
	s.position = start + n + len(shut)
	return nil
}

// checkDeclaration checks version and encoding of an XML declaration.
func (s *Scanner) checkDeclaration(content string) error {
	if version := pseudoAttribute(content, "version"); version != "1.0" {
		return s.newError(ErrDeclaration)
	}
	switch encoding := pseudoAttribute(content, "encoding"); {
	case encoding == "", strings.EqualFold(encoding, "utf-8"), strings.EqualFold(encoding, "us-ascii"):
		return nil
	default:
		return s.newError(ErrEncoding)
	}
}

// pseudoAttribute returns the quoted value behind name= in an XML declaration,
// or "" if there is none.
func pseudoAttribute(content, name string) string {
	_, rest, found := strings.Cut(content, name)
	if !found {
		return ""
	}
	rest = rest[skipBlanks(rest, 0):]
	rest, found = strings.CutPrefix(rest, "=")
	if !found {
		return ""
	}
	rest = rest[skipBlanks(rest, 0):]
	if rest == "" || rest[0] != '"' && rest[0] != '\'' {
		return ""
	}
	value, _, found := strings.Cut(rest[1:], rest[:1])
	if !found {
		return ""
	}
	return value
}

// decode checks the characters of raw and replaces its references and line
// ends. It returns raw itself when nothing had to be replaced.
func (s *Scanner) decode(raw string, seen class) (string, error) {
	if seen&classHigh != 0 && !validCharacters(raw) {
		return "", s.newError(ErrCharacter)
	}
	if seen&classReturn != 0 {
		raw = strings.ReplaceAll(strings.ReplaceAll(raw, "\r\n", "\n"), "\r", "\n")
	}
	if seen&classAmpersand == 0 {
		return raw, nil
	}
	var b strings.Builder
	b.Grow(len(raw))
	for {
		before, after, found := strings.Cut(raw, "&")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		reference, rest, found := strings.Cut(after, ";")
		r, ok := resolveReference(reference)
		if !found || !ok {
			return "", s.newError(ErrReference)
		}
		b.WriteRune(r)
		raw = rest
	}
}

// resolveReference returns the character of a reference ("amp", "#65", "#x41").
func resolveReference(reference string) (rune, bool) {
	switch reference {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	digits, found := strings.CutPrefix(reference, "#")
	if !found {
		return 0, false
	}
	base := rune(10)
	if hex, found := strings.CutPrefix(digits, "x"); found {
		digits, base = hex, 16
	}
	r, ok := parseCodePoint(digits, base)
	return r, ok && validCharacter(r)
}

// parseCodePoint parses digits as a code point. It stops above the range of Unicode, so its
// cost and its result are bounded.
func parseCodePoint(digits string, base rune) (rune, bool) {
	var r rune
	for i := range len(digits) {
		var digit rune
		switch c := digits[i]; {
		case c >= '0' && c <= '9':
			digit = rune(c - '0')
		case base == 16 && c >= 'a' && c <= 'f':
			digit = rune(c-'a') + 10
		case base == 16 && c >= 'A' && c <= 'F':
			digit = rune(c-'A') + 10
		default:
			return 0, false
		}
		if r = r*base + digit; r > utf8.MaxRune {
			return 0, false
		}
	}
	return r, digits != ""
}
