// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package xmlscan

import (
	"errors"
	"fmt"
)

// Errors in a document. Every error of the scanner wraps one of them.
var (
	ErrTruncated          = errors.New("document ends too early")
	ErrEndTag             = errors.New("end tag does not match the open element")
	ErrMarkup             = errors.New("malformed markup")
	ErrName               = errors.New("malformed name")
	ErrAttributeValue     = errors.New("malformed attribute value")
	ErrDuplicateAttribute = errors.New("attribute stands twice in one tag")
	ErrCharacter          = errors.New("character not allowed in XML, or not UTF-8")
	ErrReference          = errors.New("unknown or malformed reference")
	ErrDoctype            = errors.New("DOCTYPE is refused")
	ErrEncoding           = errors.New("declared encoding is not UTF-8")
	ErrDeclaration        = errors.New("malformed or misplaced XML declaration")
	ErrOutsideRoot        = errors.New("content outside the root element")
	ErrDepth              = errors.New("elements are nested too deep")
	ErrAttributes         = errors.New("too many attributes in one tag")
)

// SyntaxError is an error in a document, with its position.
type SyntaxError struct {
	// Offset in bytes from the start of the document.
	Offset int
	// Err is one of this package's Err values.
	Err error
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("byte %d: %v", e.Offset, e.Err) }

func (e *SyntaxError) Unwrap() error { return e.Err }

func (s *Scanner) newError(err error) error { return &SyntaxError{Offset: s.position, Err: err} }

// newErrorAtEnd returns the error of markup without an end. All following text may belong
// to the markup, so the position moves to the end of the document.
func (s *Scanner) newErrorAtEnd(err error) error {
	failure := s.newError(err)
	s.position = len(s.document)
	return failure
}
