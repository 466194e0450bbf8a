// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package xmlscan

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// oracle renders a document as encoding/xml sees it, in the form of render.
// Comments, processing instructions and adjacent text are folded away there,
// because the two packages split text at different places.
func oracle(document string) (string, error) {
	d := xml.NewDecoder(strings.NewReader(document))
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("encoding") }
	var out bytes.Buffer
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return out.String(), nil
		}
		if err != nil {
			return out.String(), err
		}
		switch token := token.(type) {
		case xml.StartElement:
			out.WriteString("<" + qualified(token.Name))
			for _, a := range token.Attr {
				out.WriteString(" " + qualified(a.Name) + "=" + a.Value)
			}
			out.WriteString(">")
		case xml.EndElement:
			out.WriteString("</" + qualified(token.Name) + ">")
		case xml.CharData:
			out.WriteString("{" + string(token) + "}")
		}
	}
}

func qualified(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// fold joins text tokens that follow each other and drops text outside the root.
func fold(rendered string) string {
	rendered = strings.ReplaceAll(rendered, "}{", "")
	if i := strings.IndexByte(rendered, '<'); i > 0 {
		rendered = rendered[i:]
	}
	if i := strings.LastIndexByte(rendered, '>'); i >= 0 {
		rendered = rendered[:i+1]
	}
	return strings.ReplaceAll(rendered, "{}", "")
}

// FuzzAgainstEncodingXML: whatever this package accepts, encoding/xml accepts
// with the same names, attributes and text.
func FuzzAgainstEncodingXML(f *testing.F) {
	seeds, err := filepath.Glob("../../../testdata/cms-cdr/*/*.xml")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds found: %v", err)
	}
	for _, seed := range seeds {
		body, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(body))
	}
	f.Add("<a b='&#x41;'>1<![CDATA[2]]>3<!-- x --><?y z?>\r\n</a>")
	f.Fuzz(func(t *testing.T, document string) {
		sameWithLeaves(t, document)
		got, err := render(document, DefaultLimits)
		if err != nil || !strings.HasPrefix(document, "<") || knownDifference(document) {
			return
		}
		want, err := oracle(document)
		if err != nil {
			t.Fatalf("accepted %q, encoding/xml says %v", document, err)
		}
		if fold(got) != fold(want) {
			t.Fatalf("%q:\n got  %s\n want %s", document, fold(got), fold(want))
		}
	})
}

// knownDifference tells documents on which encoding/xml is known to stray from
// XML 1.0: names with colons or above ASCII (fourth edition tables), and
// braces, which the rendering of this test uses itself.
func knownDifference(document string) bool {
	if strings.ContainsAny(document, "{}") {
		return true
	}
	var s Scanner
	s.Reset(document, DefaultLimits)
	for {
		kind, err := s.Next()
		if err != nil || kind == EndOfDocument {
			return false
		}
		odd := func(name string) bool {
			return strings.IndexFunc(name, func(r rune) bool { return r == ':' || r > unicode.MaxASCII }) >= 0
		}
		if odd(s.Name) || slices.ContainsFunc(s.Attributes, func(a Attribute) bool { return odd(a.Name) }) {
			return true
		}
	}
}

// sameWithLeaves: whether simple elements come as one token or as three makes
// no difference to what is read, nor to what is wrong and where.
func sameWithLeaves(t *testing.T, document string) {
	t.Helper()
	want, wantErr := renderFrom(document, DefaultLimits, 0)
	for depth := 1; depth < 4; depth++ {
		got, err := renderFrom(document, DefaultLimits, depth)
		if got != want || fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Fatalf("%q with leaves from depth %d:\n got  %s %v\n want %s %v", document, depth, got, err, want, wantErr)
		}
	}
}
