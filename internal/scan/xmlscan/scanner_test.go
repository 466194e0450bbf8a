// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package xmlscan

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// render walks a document and writes its tokens on one line.
func render(document string, limits Limits) (string, error) { return renderFrom(document, limits, 0) }

// renderFrom does so with Leaf tokens below leafDepth, which read the same as
// the three tokens they stand for.
func renderFrom(document string, limits Limits, leafDepth int) (string, error) {
	var (
		s   Scanner
		out strings.Builder
	)
	s.Reset(document, limits)
	s.LeafDepth = leafDepth
	for {
		kind, err := s.Next()
		if err != nil {
			return out.String(), err
		}
		switch kind {
		case EndOfDocument:
			return out.String(), nil
		case StartElement:
			out.WriteString("<" + s.Name)
			for _, a := range s.Attributes {
				out.WriteString(" " + a.Name + "=" + a.Value)
			}
			out.WriteString(">")
		case EndElement:
			out.WriteString("</" + s.Name + ">")
		case Text:
			out.WriteString("{" + s.Text + "}")
		case Leaf:
			out.WriteString("<" + s.Name + ">")
			if s.Text != "" {
				out.WriteString("{" + s.Text + "}")
			}
			out.WriteString("</" + s.Name + ">")
		}
	}
}

func TestAccepted(t *testing.T) {
	f := func(document, want string) {
		t.Helper()
		sameWithLeaves(t, document)
		got, err := render(document, DefaultLimits)
		require.NoError(t, err, "%q", document)
		assert.Equal(t, want, got, "%q", document)
	}
	f(`<a/>`, `<a></a>`)
	f(`<a></a>`, `<a></a>`)
	f(`<a ></a >`, `<a></a>`)
	f("<?xml version=\"1.0\"?>\n<a>x</a>\n", `<a>{x}</a>`)
	f(`<?xml version='1.0' encoding='utf-8' standalone="yes"?><a/>`, `<a></a>`)
	f("\uFEFF<?xml version=\"1.0\"?><a/>", `<a></a>`)
	f(`<a b="1" c='2'/>`, `<a b=1 c=2></a>`)
	f(`<a b = "1"><c/></a>`, `<a b=1><c></c></a>`)
	f(`<a b='"' c="'" d=">"/>`, `<a b=" c=' d=>></a>`)
	f(`<a>R&amp;D &lt;x&gt; &quot;y&apos; &#65;&#x42;</a>`, `<a>{R&D <x> "y' AB}</a>`)
	f(`<a b="&amp;&#x20AC;"/>`, `<a b=&€></a>`)
	f(`<a><![CDATA[<x> & ]] y]]></a>`, `<a>{<x> & ]] y}</a>`)
	f(`<a>1<!-- < & -->2</a>`, `<a>{1}{2}</a>`)
	f(`<a><?target <x> ?></a>`, `<a></a>`)
	f("<a>1\r\n2\r3</a>", "<a>{1\n2\n3}</a>")
	f(`<方向>受信</方向>`, `<方向>{受信}</方向>`)
	f(`<a:b.c-d_1/>`, `<a:b.c-d_1></a:b.c-d_1>`)
	f("<a\n\tb='1'\r\n/>", `<a b=1></a>`)
	f(`<a>]] ]></a>`, `<a>{]] ]>}</a>`)
	f(`<a>`+strings.Repeat("x", 1<<20)+`</a>`, `<a>{`+strings.Repeat("x", 1<<20)+`}</a>`)
}

func TestRefused(t *testing.T) {
	f := func(document string, want error) {
		t.Helper()
		sameWithLeaves(t, document)
		_, err := render(document, Limits{Depth: 4, Attributes: 3})
		require.ErrorIs(t, err, want, "%q", document)
		syntax, ok := errors.AsType[*SyntaxError](err)
		require.True(t, ok)
		assert.GreaterOrEqual(t, syntax.Offset, 0)
		assert.LessOrEqual(t, syntax.Offset, len(document))
	}
	for _, truncated := range []string{
		"", " ", "<", "<a", "<a ", "<a b", "<a b=", "<a b='", "<a b='x", "<a/", "<a>", "<a>x", "<a><", "<a></", "<a></a",
		"<a><!", "<a><!-", "<a><!-- x", "<a><!-- x --", "<a><![CDATA[", "<a><![CDATA[ x ]]", "<?xml", "<a><?x",
	} {
		f(truncated, ErrTruncated)
	}
	f(`cdr=1&data=hello`, ErrOutsideRoot)
	f(`<a/>x`, ErrOutsideRoot)
	f(`<a/><b/>`, ErrOutsideRoot)
	f(`<![CDATA[x]]><a/>`, ErrOutsideRoot)
	f(`</a>`, ErrEndTag)
	f(`<a></b>`, ErrEndTag)
	f(`<a></ab>`, ErrEndTag)
	f(`<ab></a>`, ErrEndTag)
	f(`<a></a x>`, ErrEndTag)
	f(`<a><b></a></b>`, ErrEndTag)
	f(`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, ErrDoctype)
	f(`<a><!ELEMENT b></a>`, ErrMarkup)
	f(`<a/ >`, ErrMarkup)
	f(`<a>]]></a>`, ErrMarkup)
	f(`<a><!-- x -- y --></a>`, ErrMarkup)
	f(`<1a/>`, ErrName)
	f(`<a><></a>`, ErrName)
	f(`<a 1='x'/>`, ErrName)
	f(`<a b='1'c='2'/>`, ErrName)
	f(`<a×/>`, ErrName)
	f(`<a b/>`, ErrAttributeValue)
	f(`<a b=1/>`, ErrAttributeValue)
	f(`<a b='<'/>`, ErrAttributeValue)
	f(`<a b='1' b='2'/>`, ErrDuplicateAttribute)
	f("<a>\x00</a>", ErrCharacter)
	f("<a>\x1b</a>", ErrCharacter)
	f("<a>\xff</a>", ErrCharacter)
	f("<a>\uFFFE</a>", ErrCharacter)
	f("<a b='\x01'/>", ErrCharacter)
	f("<a><!-- \x01 --></a>", ErrCharacter)
	f("<a><![CDATA[\x01]]></a>", ErrCharacter)
	f("<a><![CDATA[\xc3]]></a>", ErrCharacter)
	f(`<a>&nbsp;</a>`, ErrReference)
	f(`<a>&amp</a>`, ErrReference)
	f(`<a>&;</a>`, ErrReference)
	f(`<a>&#;</a>`, ErrReference)
	f(`<a>&#x;</a>`, ErrReference)
	f(`<a>&#xZ;</a>`, ErrReference)
	f(`<a>&#0;</a>`, ErrReference)
	f(`<a>&#xD800;</a>`, ErrReference)
	f(`<a>&#x110000;</a>`, ErrReference)
	f(`<a>&#99999999999999999999;</a>`, ErrReference)
	f(`<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, ErrEncoding)
	f(`<?xml version="1.1"?><a/>`, ErrDeclaration)
	f(`<?xml?><a/>`, ErrDeclaration)
	f(` <?xml version="1.0"?><a/>`, ErrDeclaration)
	f(`<a><?xml version="1.0"?></a>`, ErrDeclaration)
	f(`<?XML version="1.0"?><a/>`, ErrDeclaration)
	f(`<a><b><c><d><e/></d></c></b></a>`, ErrDepth)
	f(`<a b='' c='' d='' e=''/>`, ErrAttributes)
}

// A caller that skips a bad part must find the scanner usable behind it.
func TestResume(t *testing.T) {
	const document = `<r><x><y></x><x>2</x></r>`
	var s Scanner
	s.Reset(document, DefaultLimits)
	for range 3 {
		_, err := s.Next()
		require.NoError(t, err)
	}
	_, err := s.Next()
	require.ErrorIs(t, err, ErrEndTag)

	s.Resume(strings.LastIndex(document, "<x>"), 1)
	var kinds []Kind
	for range 5 {
		kind, err := s.Next()
		require.NoError(t, err)
		kinds = append(kinds, kind)
	}
	assert.Equal(t, []Kind{StartElement, Text, EndElement, EndElement, EndOfDocument}, kinds)
}

func TestSubstringsAliasTheDocument(t *testing.T) {
	const document = `<records session="a"><name>Weekly</name></records>`
	var s Scanner
	allocations := testing.AllocsPerRun(100, func() {
		s.Reset(document, DefaultLimits)
		for {
			kind, err := s.Next()
			if err != nil || kind == EndOfDocument {
				break
			}
		}
	})
	assert.Zero(t, allocations)
}
