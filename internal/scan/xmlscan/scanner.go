// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package xmlscan

import "strings"

// Kind tells what [Scanner.Next] found.
type Kind uint8

const (
	// EndOfDocument: the root element is closed and only blanks, comments and
	// processing instructions followed it.
	EndOfDocument Kind = iota
	// StartElement: Name and Attributes are set. An empty-element tag yields a
	// StartElement and then an EndElement.
	StartElement
	// EndElement: Name is set.
	EndElement
	// Text: Text is set, references decoded. One run of text may come as
	// several Text tokens (CDATA and comments split it).
	Text
	// Leaf stands for StartElement, Text and EndElement of an element that has
	// neither attributes nor children, and text that needs no decoding: Name
	// and Text are set. Only below Scanner.LeafDepth, see there.
	Leaf
)

// Attribute is one attribute of a start tag, its value's references decoded.
type Attribute struct {
	Name, Value string
}

// Limits caps what a document may ask of the scanner.
type Limits struct {
	// Depth is the largest number of open elements.
	Depth int
	// Attributes is the largest number of attributes in one tag.
	Attributes int
}

// DefaultLimits fits the records of a Call Bridge (depth 6, seven attributes)
// with room for what later releases may add.
var DefaultLimits = Limits{Depth: 32, Attributes: 64}

// Scanner walks one document token by token. The zero value is not usable:
// call Reset first.
type Scanner struct {
	document string
	position int
	start    int // of the last token
	first    int // where the document's own text begins, behind a byte order mark
	limits   Limits
	open     []string // names of the open elements, outermost first
	begun    bool     // the root's start tag was seen
	closing  bool     // the last StartElement was an empty-element tag

	// Name of the element, for StartElement and EndElement.
	Name string
	// Text of a Text token.
	Text string
	// Attributes of a StartElement. Overwritten by the next StartElement.
	Attributes []Attribute

	// LeafDepth is the number of open elements from which on simple elements
	// come as one Leaf token; 0 means never. Records are mostly made of such
	// elements: one token for three is what makes reading them cheap. Reset
	// sets it to 0.
	LeafDepth int
}

const byteOrderMark = "\uFEFF"

// Reset makes the scanner ready for document. It keeps its buffers.
func (s *Scanner) Reset(document string, limits Limits) {
	*s = Scanner{document: document, limits: limits, open: s.open[:0], Attributes: s.Attributes[:0]}
	if strings.HasPrefix(document, byteOrderMark) {
		s.position = len(byteOrderMark)
	}
	s.first = s.position
}

// NextDocument goes to what follows a closed root element, behind blanks and byte
// order marks, and makes the scanner read it as another document. It returns
// false, and changes nothing, if the root is open or nothing follows.
func (s *Scanner) NextDocument() bool {
	if len(s.open) > 0 || !s.begun {
		return false
	}
	at := s.position
	for {
		at = skipBlanks(s.document, at)
		if !strings.HasPrefix(s.document[at:], byteOrderMark) {
			break
		}
		at += len(byteOrderMark)
	}
	if at == len(s.document) {
		return false
	}
	s.position, s.first, s.begun, s.closing = at, at, false, false
	return true
}

// Offset is the byte offset behind the last token, or, after an error, the
// offset at which the error was noticed.
func (s *Scanner) Offset() int { return s.position }

// Start is the byte offset of the last token, or of the part an error is
// about. Comments and processing instructions before it are no part of it.
func (s *Scanner) Start() int { return s.start }

// Depth is the number of open elements.
func (s *Scanner) Depth() int { return len(s.open) }

// Resume continues behind a fault: at offset, with only the outermost depth
// elements still open. It lets a caller skip one bad part of a document and
// read the next; depth must not exceed Depth() at the time of the fault.
func (s *Scanner) Resume(offset, depth int) {
	s.position = offset
	s.open = s.open[:depth]
	s.closing = false
}

// Next returns the next token. After an error the scanner stays where the
// error was noticed; every error is a *SyntaxError.
func (s *Scanner) Next() (Kind, error) {
	s.start = s.position
	if s.closing {
		s.closing = false
		s.Name = s.pop()
		return EndElement, nil
	}
	for ; s.position < len(s.document); s.start = s.position {
		if s.document[s.position] != '<' {
			if len(s.open) == 0 {
				if err := s.blanksOnly(); err != nil {
					return EndOfDocument, err
				}
				continue
			}
			return Text, s.text()
		}
		kind, found, err := s.markup()
		if found || err != nil {
			return kind, err
		}
	}
	if len(s.open) > 0 || !s.begun {
		return EndOfDocument, s.fail(ErrTruncated)
	}
	return EndOfDocument, nil
}

// markup reads what follows a '<'. found is false for what yields no token.
func (s *Scanner) markup() (kind Kind, found bool, err error) {
	rest := s.document[s.position:]
	if len(rest) < 2 {
		return EndOfDocument, false, s.failAtEnd(ErrTruncated)
	}
	switch rest[1] {
	case '/':
		return EndElement, true, s.endTag()
	case '?':
		return EndOfDocument, false, s.processingInstruction()
	case '!':
		return s.declaration(rest)
	default:
		if err := s.startTag(); err != nil {
			return StartElement, true, err
		}
		if s.LeafDepth > 0 && len(s.open) > s.LeafDepth && len(s.Attributes) == 0 && !s.closing && s.leaf() {
			return Leaf, true, nil
		}
		return StartElement, true, nil
	}
}

// leaf completes the element whose start tag was just read, if nothing but
// simple text stands between it and its end tag.
func (s *Scanner) leaf() bool {
	end, seen := run(s.document, s.position, classTextStop)
	if seen&classNotSimple != 0 {
		return false
	}
	rest := s.document[end:]
	if len(rest) < len(s.Name)+3 || rest[1] != '/' || rest[2:2+len(s.Name)] != s.Name || rest[2+len(s.Name)] != '>' {
		return false
	}
	s.Text = s.document[s.position:end]
	s.position = end + len(s.Name) + 3
	s.pop()
	return true
}

// declaration reads a comment or CDATA section and refuses everything else
// that starts with "<!".
func (s *Scanner) declaration(rest string) (Kind, bool, error) {
	switch {
	case strings.HasPrefix(rest, "<!--"):
		return EndOfDocument, false, s.comment()
	case strings.HasPrefix(rest, "<![CDATA["):
		if len(s.open) == 0 {
			return EndOfDocument, false, s.fail(ErrOutsideRoot)
		}
		return Text, true, s.cdata()
	case strings.HasPrefix(rest, "<!DOCTYPE"):
		return EndOfDocument, false, s.fail(ErrDoctype)
	case cutShort(rest, "<![CDATA["), cutShort(rest, "<!--"):
		return EndOfDocument, false, s.failAtEnd(ErrTruncated)
	default:
		return EndOfDocument, false, s.fail(ErrMarkup)
	}
}

// cutShort tells whether the document ends within what rest started to say.
func cutShort(rest, whole string) bool { return len(rest) < len(whole) && whole[:len(rest)] == rest }

// blanksOnly skips the white space that may stand outside the root element.
func (s *Scanner) blanksOnly() error {
	for s.position < len(s.document) {
		c := s.document[s.position]
		if c == '<' {
			return nil
		}
		if classes[c]&classBlank == 0 {
			return s.fail(ErrOutsideRoot)
		}
		s.position++
	}
	return nil
}

func (s *Scanner) pop() string {
	name := s.open[len(s.open)-1]
	s.open = s.open[:len(s.open)-1]
	return name
}

func (s *Scanner) endTag() error {
	if len(s.open) == 0 {
		return s.fail(ErrEndTag)
	}
	name := s.open[len(s.open)-1]
	rest := s.document[s.position+2:]
	if !strings.HasPrefix(rest, name) {
		if strings.HasPrefix(name, rest) {
			return s.failAtEnd(ErrTruncated)
		}
		return s.fail(ErrEndTag)
	}
	i := skipBlanks(rest, len(name))
	if i == len(rest) {
		return s.failAtEnd(ErrTruncated)
	}
	if rest[i] != '>' {
		return s.fail(ErrEndTag)
	}
	s.position += 2 + i + 1
	s.Name = s.pop()
	return nil
}

func (s *Scanner) startTag() error {
	if s.begun && len(s.open) == 0 {
		return s.fail(ErrOutsideRoot)
	}
	name, end, ok := nameAt(s.document, s.position+1)
	if !ok {
		return s.fail(ErrName)
	}
	if len(s.open) == s.limits.Depth {
		return s.fail(ErrDepth)
	}
	end, empty, err := s.attributes(end)
	if err != nil {
		return err
	}
	s.Name = name
	s.open = append(s.open, name)
	s.begun = true
	s.closing = empty
	s.position = end
	return nil
}

// attributes reads from the end of a tag's name to behind its '>'.
func (s *Scanner) attributes(i int) (end int, empty bool, err error) {
	s.Attributes = s.Attributes[:0]
	d := s.document
	if i < len(d) && d[i] == '>' {
		return i + 1, false, nil // most tags
	}
	for {
		at := i
		i = skipBlanks(d, i)
		if i == len(d) {
			return i, false, s.failAtEnd(ErrTruncated)
		}
		switch {
		case d[i] == '>':
			return i + 1, false, nil
		case d[i] == '/':
			if i+1 == len(d) {
				return i, false, s.failAtEnd(ErrTruncated)
			}
			if d[i+1] != '>' {
				return i, false, s.fail(ErrMarkup)
			}
			return i + 2, true, nil
		case at == i:
			return i, false, s.fail(ErrName)
		}
		if i, err = s.attribute(i); err != nil {
			return i, false, err
		}
	}
}

func (s *Scanner) attribute(i int) (end int, err error) {
	d := s.document
	name, end, ok := nameAt(d, i)
	if !ok {
		return i, s.fail(ErrName)
	}
	if len(s.Attributes) == s.limits.Attributes {
		return i, s.fail(ErrAttributes)
	}
	for k := range s.Attributes {
		if s.Attributes[k].Name == name {
			return i, s.fail(ErrDuplicateAttribute)
		}
	}
	end = skipBlanks(d, end)
	if end < len(d) && d[end] != '=' {
		return i, s.fail(ErrAttributeValue)
	}
	end = skipBlanks(d, end+1)
	if end >= len(d) {
		return i, s.failAtEnd(ErrTruncated)
	}
	quote := d[end]
	if quote != '"' && quote != '\'' {
		return i, s.fail(ErrAttributeValue)
	}
	value, end, err := s.attributeValue(end+1, quote)
	if err != nil {
		return i, err
	}
	s.Attributes = append(s.Attributes, Attribute{Name: name, Value: value})
	return end, nil
}

// skipBlanks returns the first offset at or behind i that is not white space.
func skipBlanks(d string, i int) int {
	for i < len(d) && classes[d[i]]&classBlank != 0 {
		i++
	}
	return min(i, len(d))
}

// nameAt reads the name that starts at i.
func nameAt(d string, i int) (name string, end int, ok bool) {
	var seen class
	for end = i; end < len(d); end++ {
		c := classes[d[end]]
		if c&className == 0 {
			break
		}
		seen |= c
	}
	if end == i || classes[d[i]]&classNameStart == 0 {
		return "", end, false
	}
	name = d[i:end]
	return name, end, seen&classHigh == 0 || validUnicodeName(name)
}
