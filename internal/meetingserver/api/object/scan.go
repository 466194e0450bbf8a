// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package object

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/legato-otel/legato/internal/scan/xmlscan"
)

// Errors of all decoders.
var (
	// ErrHTML means that the answer is an HTML page: a proxy, a portal or another server
	// answered instead of the Call Bridge.
	ErrHTML = errors.New("the answer is a page of HTML and not of the Meeting Server API: " +
		"a proxy or another web server answers there; check endpoint and proxy_url")
	// ErrMalformed means that the answer is not the XML of the object.
	ErrMalformed = errors.New("the answer cannot be read")
)

const (
	// maxName is the longest name that an error shows, in bytes.
	maxName = 64
	// maxPath and maxText are the longest path and text of one element, in bytes: no
	// object has longer ones.
	maxPath = 256
	maxText = 4 << 10
)

// setters store the text of elements and attributes, by path below the root: names in lower
// case, joined by '/'. An attribute is a leaf of its element.
type setters map[string]func(text string)

// visitor receives the elements of a document.
type visitor struct {
	// begin is called at the start of an element with its path; it may be nil.
	begin func(path []byte)
	// leaf is called with the text of an element at its end, and with each
	// attribute. The path is valid until it returns.
	leaf func(path []byte, text string)
}

// decode passes the leaves of a document with the given root to setters.
func decode(body []byte, root string, f setters) error {
	return scanDocument(body, root, visitor{leaf: func(path []byte, text string) {
		if set := f[string(path)]; set != nil {
			set(text)
		}
	}})
}

// scanDocument visits all elements below the root.
func scanDocument(body []byte, root string, v visitor) error {
	if IsHTML(body) {
		return ErrHTML
	}
	var s xmlscan.Scanner
	s.Reset(sanitize(body), xmlscan.DefaultLimits)
	var (
		path    []byte
		lengths []int // of path, before each open element below the root
		text    string
		visit   = func(text string) {
			if len(path) <= maxPath {
				v.leaf(path, clip(strings.TrimSpace(text), maxText))
			}
		}
	)
	for {
		kind, err := s.Next()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		switch kind {
		case xmlscan.EndOfDocument:
			return nil
		case xmlscan.StartElement:
			text = ""
			if s.Depth() == 1 {
				if !strings.EqualFold(s.Name, root) {
					return fmt.Errorf("%w: it is a <%s>, want a <%s>", ErrMalformed, clip(s.Name, maxName), root)
				}
			} else {
				lengths = append(lengths, len(path))
				path = appendName(path, s.Name)
				if v.begin != nil && len(path) <= maxPath {
					v.begin(path)
				}
			}
			for own, attributes := len(path), s.Attributes; len(attributes) > 0; attributes = attributes[1:] {
				path = appendName(path, attributes[0].Name)
				visit(attributes[0].Value)
				path = path[:own]
			}
		case xmlscan.Text:
			if len(text) < maxText {
				text += s.Text // several tokens only with CDATA and comments
			}
		case xmlscan.EndElement:
			if len(lengths) == 0 {
				continue // the root
			}
			visit(text)
			text = ""
			path = path[:lengths[len(lengths)-1]]
			lengths = lengths[:len(lengths)-1]
		}
	}
}

// appendName appends a name in lower case to a path.
func appendName(path []byte, name string) []byte {
	if len(path) > 0 {
		path = append(path, '/')
	}
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		path = append(path, c)
	}
	return path
}

// IsHTML reports whether an answer is an HTML page.
func IsHTML(body []byte) bool {
	head := bytes.ToLower(bytes.TrimLeft(body[:min(len(body), 512)], " \t\r\n\ufeff"))
	if bytes.HasPrefix(head, []byte("<?xml")) { // XHTML
		_, head, _ = bytes.Cut(head, []byte("?>"))
		head = bytes.TrimLeft(head, " \t\r\n")
	}
	for _, start := range []string{"<!doctype html", "<html", "<head", "<body"} {
		if bytes.HasPrefix(head, []byte(start)) {
			return true
		}
	}
	return false
}

// sanitize returns the document without surrounding blanks, and with a replacement character
// for each byte that XML does not allow: servers send names as people typed them, and one
// name must not make a whole list unreadable.
func sanitize(body []byte) string {
	text := strings.TrimSpace(string(body))
	if utf8.ValidString(text) && strings.IndexFunc(text, isForbidden) < 0 {
		return text
	}
	return strings.Map(func(r rune) rune {
		if isForbidden(r) {
			return utf8.RuneError
		}
		return r
	}, text)
}

// isForbidden reports whether a character is outside the Char production of XML.
func isForbidden(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == '\ufffe' || r == '\uffff'
}

// clip cuts text to a number of bytes at most, between characters.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// scanNames calls visit with the names of the elements directly below the root, as the server
// spells them.
func scanNames(body []byte, root string, visit func(name string)) error {
	if IsHTML(body) {
		return ErrHTML
	}
	var s xmlscan.Scanner
	s.Reset(sanitize(body), xmlscan.DefaultLimits)
	for {
		kind, err := s.Next()
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		case kind == xmlscan.EndOfDocument:
			return nil
		case kind == xmlscan.StartElement && s.Depth() == 1 && s.Name != root:
			return fmt.Errorf("%w: it is a <%s>, want a <%s>", ErrMalformed, clip(s.Name, maxName), root)
		case kind == xmlscan.StartElement && s.Depth() == 2:
			visit(s.Name)
		}
	}
}
