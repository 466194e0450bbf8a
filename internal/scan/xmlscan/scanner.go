// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package xmlscan

import "strings"

// Kind is the kind of a token.
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

// Limits bound the documents that the scanner accepts.
type Limits struct {
	// Depth is the largest number of open elements.
	Depth int
	// Attributes is the largest number of attributes in one tag.
	Attributes int
}

// DefaultLimits exceed the records of a Call Bridge (depth 6, seven attributes), to allow
// for later releases.
var DefaultLimits = Limits{Depth: 32, Attributes: 64}

// Scanner reads one document token by token. Call Reset before the first Next.
type Scanner struct {
	document      string
	position      int
	start         int // of the last token
	documentStart int // offset behind the byte order mark
	limits        Limits
	open          []string // names of the open elements, outermost first
	rootSeen      bool     // the start tag of the root element was read
	endTagPending bool     // the last StartElement was an empty-element tag

	// Name of the element, for StartElement and EndElement.
	Name string
	// Text of a Text token.
	Text string
	// Attributes of a StartElement. Overwritten by the next StartElement.
	Attributes []Attribute

	// LeafDepth is the number of open elements above which a simple element is one Leaf
	// token; 0 disables Leaf. Records consist mostly of simple elements, and one token
	// instead of three makes reading them cheap. Reset sets LeafDepth to 0.
	LeafDepth int
}

const byteOrderMark = "\uFEFF"

// Reset prepares the scanner for document. It keeps the buffers.
func (s *Scanner) Reset(document string, limits Limits) {
	*s = Scanner{document: document, limits: limits, open: s.open[:0], Attributes: s.Attributes[:0]}
	if strings.HasPrefix(document, byteOrderMark) {
		s.position = len(byteOrderMark)
	}
	s.documentStart = s.position
}

// NextDocument continues with another document behind the closed root element, blanks and
// byte order marks. It returns false, and changes nothing, if the root is open or nothing
// follows.
func (s *Scanner) NextDocument() bool {
	if len(s.open) > 0 || !s.rootSeen {
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
	s.position, s.documentStart, s.rootSeen, s.endTagPending = at, at, false, false
	return true
}

// Offset returns the byte offset behind the last token or, after an error, the offset of
// the error.
func (s *Scanner) Offset() int { return s.position }

// Start returns the byte offset of the last token or of the markup with the error. It does
// not include comments and processing instructions before the token.
func (s *Scanner) Start() int { return s.start }

// Depth returns the number of open elements.
func (s *Scanner) Depth() int { return len(s.open) }

// Resume continues after an error: at offset, with only the outermost depth elements open.
// So a caller can skip one damaged part of a document. depth must not exceed Depth() at the
// error.
func (s *Scanner) Resume(offset, depth int) {
	s.position = offset
	s.open = s.open[:depth]
	s.endTagPending = false
}

// Next returns the next token. After an error the scanner stays at the error. Every error
// is a *SyntaxError.
func (s *Scanner) Next() (Kind, error) {
	s.start = s.position
	if s.endTagPending {
		s.endTagPending = false
		s.Name = s.pop()
		return EndElement, nil
	}
	for ; s.position < len(s.document); s.start = s.position {
		if s.document[s.position] != '<' {
			if len(s.open) == 0 {
				if err := s.skipOutsideRoot(); err != nil {
					return EndOfDocument, err
				}
				continue
			}
			return Text, s.readText()
		}
		kind, found, err := s.readMarkup()
		if found || err != nil {
			return kind, err
		}
	}
	if len(s.open) > 0 || !s.rootSeen {
		return EndOfDocument, s.newError(ErrTruncated)
	}
	return EndOfDocument, nil
}

// readMarkup reads the markup that begins with '<'. found is false for markup without a
// token.
func (s *Scanner) readMarkup() (kind Kind, found bool, err error) {
	rest := s.document[s.position:]
	if len(rest) < 2 {
		return EndOfDocument, false, s.newErrorAtEnd(ErrTruncated)
	}
	switch rest[1] {
	case '/':
		return EndElement, true, s.readEndTag()
	case '?':
		return EndOfDocument, false, s.skipInstruction()
	case '!':
		return s.readDeclaration(rest)
	default:
		if err := s.readStartTag(); err != nil {
			return StartElement, true, err
		}
		if s.LeafDepth > 0 && len(s.open) > s.LeafDepth && len(s.Attributes) == 0 && !s.endTagPending && s.completeLeaf() {
			return Leaf, true, nil
		}
		return StartElement, true, nil
	}
}

// completeLeaf reads simple text and an end tag behind the last start tag. It returns
// false, and reads nothing, if anything else follows.
func (s *Scanner) completeLeaf() bool {
	end, seen := scanClass(s.document, s.position, classTextStop)
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

// readDeclaration reads a comment or a CDATA section. It rejects all other markup that
// begins with "<!".
func (s *Scanner) readDeclaration(rest string) (Kind, bool, error) {
	switch {
	case strings.HasPrefix(rest, "<!--"):
		return EndOfDocument, false, s.skipComment()
	case strings.HasPrefix(rest, "<![CDATA["):
		if len(s.open) == 0 {
			return EndOfDocument, false, s.newError(ErrOutsideRoot)
		}
		return Text, true, s.readCDATA()
	case strings.HasPrefix(rest, "<!DOCTYPE"):
		return EndOfDocument, false, s.newError(ErrDoctype)
	case isPrefix(rest, "<![CDATA["), isPrefix(rest, "<!--"):
		return EndOfDocument, false, s.newErrorAtEnd(ErrTruncated)
	default:
		return EndOfDocument, false, s.newError(ErrMarkup)
	}
}

// isPrefix reports whether the document ends within a token that would be whole.
func isPrefix(rest, whole string) bool { return len(rest) < len(whole) && whole[:len(rest)] == rest }

// skipOutsideRoot skips white space outside the root element.
func (s *Scanner) skipOutsideRoot() error {
	for s.position < len(s.document) {
		c := s.document[s.position]
		if c == '<' {
			return nil
		}
		if classes[c]&classBlank == 0 {
			return s.newError(ErrOutsideRoot)
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

func (s *Scanner) readEndTag() error {
	if len(s.open) == 0 {
		return s.newError(ErrEndTag)
	}
	name := s.open[len(s.open)-1]
	rest := s.document[s.position+2:]
	if !strings.HasPrefix(rest, name) {
		if strings.HasPrefix(name, rest) {
			return s.newErrorAtEnd(ErrTruncated)
		}
		return s.newError(ErrEndTag)
	}
	i := skipBlanks(rest, len(name))
	if i == len(rest) {
		return s.newErrorAtEnd(ErrTruncated)
	}
	if rest[i] != '>' {
		return s.newError(ErrEndTag)
	}
	s.position += 2 + i + 1
	s.Name = s.pop()
	return nil
}

func (s *Scanner) readStartTag() error {
	if s.rootSeen && len(s.open) == 0 {
		return s.newError(ErrOutsideRoot)
	}
	name, end, ok := nameAt(s.document, s.position+1)
	if !ok {
		return s.newError(ErrName)
	}
	if len(s.open) == s.limits.Depth {
		return s.newError(ErrDepth)
	}
	end, empty, err := s.readAttributes(end)
	if err != nil {
		return err
	}
	s.Name = name
	s.open = append(s.open, name)
	s.rootSeen = true
	s.endTagPending = empty
	s.position = end
	return nil
}

// readAttributes reads from the end of a tag's name to behind its '>'.
func (s *Scanner) readAttributes(i int) (end int, empty bool, err error) {
	s.Attributes = s.Attributes[:0]
	d := s.document
	if i < len(d) && d[i] == '>' {
		return i + 1, false, nil // most tags
	}
	for {
		at := i
		i = skipBlanks(d, i)
		if i == len(d) {
			return i, false, s.newErrorAtEnd(ErrTruncated)
		}
		switch {
		case d[i] == '>':
			return i + 1, false, nil
		case d[i] == '/':
			if i+1 == len(d) {
				return i, false, s.newErrorAtEnd(ErrTruncated)
			}
			if d[i+1] != '>' {
				return i, false, s.newError(ErrMarkup)
			}
			return i + 2, true, nil
		case at == i:
			return i, false, s.newError(ErrName)
		}
		if i, err = s.readAttribute(i); err != nil {
			return i, false, err
		}
	}
}

func (s *Scanner) readAttribute(i int) (end int, err error) {
	d := s.document
	name, end, ok := nameAt(d, i)
	if !ok {
		return i, s.newError(ErrName)
	}
	if len(s.Attributes) == s.limits.Attributes {
		return i, s.newError(ErrAttributes)
	}
	for k := range s.Attributes {
		if s.Attributes[k].Name == name {
			return i, s.newError(ErrDuplicateAttribute)
		}
	}
	end = skipBlanks(d, end)
	if end < len(d) && d[end] != '=' {
		return i, s.newError(ErrAttributeValue)
	}
	end = skipBlanks(d, end+1)
	if end >= len(d) {
		return i, s.newErrorAtEnd(ErrTruncated)
	}
	quote := d[end]
	if quote != '"' && quote != '\'' {
		return i, s.newError(ErrAttributeValue)
	}
	value, end, err := s.readAttributeValue(end+1, quote)
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
