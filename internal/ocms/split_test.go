// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Which commas separate attributes.
func TestSplit(t *testing.T) {
	for name, test := range map[string]struct {
		line  string
		extra []string
		want  []string
		flags Flags
	}{
		"a comma in a quoted name":          {line: `Method=BYE,From="Doe, Jane" <sip:j@x>;tag=1,To=<sip:b@y>`, want: []string{"Method=BYE", `From="Doe, Jane" <sip:j@x>;tag=1`, "To=<sip:b@y>"}},
		"a key in a quoted name":            {line: `To="O'Neil,To=Fake" <sip:8@x>,Method=BYE`, want: []string{`To="O'Neil,To=Fake" <sip:8@x>`, "Method=BYE"}},
		"an escaped quote":                  {line: `To="a\",Via=b" <sip:8@x>,Method=BYE`, want: []string{`To="a\",Via=b" <sip:8@x>`, "Method=BYE"}},
		"an escaped comma":                  {line: `To="a\,b" <sip:8@x>,Method=BYE`, want: []string{`To="a\,b" <sip:8@x>`, "Method=BYE"}},
		"a comma in a name, no quotes":      {line: "From=Bond, James <sip:jb@x>;tag=1,To=<sip:b@y>", want: []string{"From=Bond, James <sip:jb@x>;tag=1", "To=<sip:b@y>"}},
		"brackets in a quoted name":         {line: `From="a <b@c>" <sip:foo@x>;tag=3,x=1`, want: []string{`From="a <b@c>" <sip:foo@x>;tag=3`, "x=1"}},
		"a comma in brackets":               {line: "From=<sip:a,x=1@h>;tag=1,y=2", want: []string{"From=<sip:a,x=1@h>;tag=1", "y=2"}},
		"a documented key in brackets":      {line: "From=<sip:a,To=1@h>;tag=1,Method=BYE", want: []string{"From=<sip:a,To=1@h>;tag=1", "Method=BYE"}},
		"a user with =":                     {line: "RequestUri=sip:bob,x=1@h;transport=UDP,Method=BYE", want: []string{"RequestUri=sip:bob,x=1@h;transport=UDP", "Method=BYE"}, flags: Ambiguous},
		"a user with =, exactly":            {line: "RequestUri=sip:bob,x=1@h,y=2", extra: []string{"y"}, want: []string{"RequestUri=sip:bob,x=1@h", "y=2"}},
		"an additional one behind a URI":    {line: "RequestUri=sip:bob@h;transport=UDP,foo=bar,Method=BYE", want: []string{"RequestUri=sip:bob@h;transport=UDP", "foo=bar", "Method=BYE"}},
		"an address without brackets":       {line: "From=sip:bob,x=1@h;tag=1,foo=bar", want: []string{"From=sip:bob,x=1@h;tag=1", "foo=bar"}, flags: Ambiguous},
		"two readings":                      {line: "From=Smith, Via=Bob <sip:b@h>;tag=1,Method=BYE", want: []string{"From=Smith, Via=Bob <sip:b@h>;tag=1", "Method=BYE"}, flags: Ambiguous},
		"two readings without a blank":      {line: "From=Smith,Via=Bob <sip:b@h>;tag=1,Method=BYE", want: []string{"From=Smith", "Via=Bob <sip:b@h>;tag=1", "Method=BYE"}, flags: Ambiguous},
		"a name that is no key":             {line: "From=Smith,x=Bob <sip:b@h>;tag=1,Method=BYE", want: []string{"From=Smith,x=Bob <sip:b@h>;tag=1", "Method=BYE"}, flags: Ambiguous},
		"a lone quote in a Call-ID":         {line: `Call-ID=id<"odd>/[x]{y}@host,Method=BYE,x=1`, want: []string{`Call-ID=id<"odd>/[x]{y}@host`, "Method=BYE", "x=1"}},
		"a quote without an end":            {line: `From="Jane <sip:j@x>;tag=1,x=1,Method=BYE,y="a,b"`, want: []string{`From="Jane <sip:j@x>;tag=1,x=1`, `Method=BYE,y="a,b"`}, flags: UnbalancedQuote},
		"a bracket without an end":          {line: "note=a<b,x=1,Method=BYE,CSeq=1 BYE", want: []string{"note=a<b,x=1", "Method=BYE", "CSeq=1 BYE"}, flags: UnbalancedQuote},
		"a key in a quote, then a lone one": {line: `From="x,To=y",a=1,"z`, want: []string{`From="x`, `To=y",a=1,"z`}, flags: Ambiguous | UnbalancedQuote},
		"combined Via":                      {line: "Via=SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b;branch=2; SIP/2.0/TLS c;branch=3,Method=BYE", want: []string{"Via=SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b;branch=2; SIP/2.0/TLS c;branch=3", "Method=BYE"}},
		"a quoted parameter":                {line: `Content-Type=multipart/mixed;boundary="a,b=c",Method=BYE`, want: []string{`Content-Type=multipart/mixed;boundary="a,b=c"`, "Method=BYE"}},
		"empty values":                      {line: "Content-Type=,Content-Length=,From=,To=null,Method=BYE", want: []string{"Content-Type=", "Content-Length=", "From=", "To=null", "Method=BYE"}},
		"a blank behind the comma":          {line: "reason=monthly, soft limit,limit=100", want: []string{"reason=monthly, soft limit", "limit=100"}},
		"a key with a blank":                {line: "x=1,Creation Time=2024,y=2", want: []string{"x=1", "Creation Time=2024", "y=2"}},
		"a documented key twice":            {line: "Method=BYE,Method=INVITE", want: []string{"Method=BYE", "Method=INVITE"}, flags: DuplicateKey},
		"equals signs":                      {line: "icid=a=b;c=d,foo==,Method=BYE", want: []string{"icid=a=b;c=d", "foo==", "Method=BYE"}},
		"a comma at the end":                {line: "Method=BYE,", want: []string{"Method=BYE"}},
		"a carriage return":                 {line: "Method=BYE\r", want: []string{"Method=BYE"}},
		"lines that were joined":            {line: "Method=BYE,\nCSeq=1 BYE,\r\nVia=SIP/2.0/TCP a;\nrport,\n", want: []string{"Method=BYE", "CSeq=1 BYE", "Via=SIP/2.0/TCP a;\nrport"}},
		"names as configured":               {line: "a-b=1,c=2,d=3,Method=BYE", extra: []string{"d", "a-b"}, want: []string{"a-b=1,c=2", "d=3", "Method=BYE"}},
	} {
		t.Run(name, func(t *testing.T) {
			line, err := NewSplitter(test.extra).Split(test.line)
			require.NoError(t, err)
			assert.Equal(t, test.want, attributeTexts(&line))
			assert.Equal(t, test.flags.AppendNames(nil), line.Flags.AppendNames(nil))
			assert.Equal(t, strings.TrimRight(test.line, "\r\n"), line.Join())
		})
	}
}

func TestNoAttribute(t *testing.T) {
	for _, text := range []string{"", " ", "=novalue,Method=BYE", "2024-06-10 INFO server started", "Method", "1a=2", " Method=BYE", "rport; SIP/2.0/TCP", "\ufeff"} {
		_, err := new(Splitter).Split(text)
		assert.ErrorIs(t, err, ErrNoAttribute, "%q", text)
	}
}

// The number of attributes is bounded, and the last one contains the rest of the line.
func TestManyAttributes(t *testing.T) {
	text := strings.TrimSuffix(strings.Repeat("a=1,", 10*MaxAttributes), ",")
	line, err := new(Splitter).Split(text)
	require.NoError(t, err)
	assert.Equal(t, MaxAttributes, line.Len())
	assert.Equal(t, TooManyAttributes, line.Flags)
	assert.Equal(t, text, line.Join())
}

// Decoding takes time in proportion to the length of a line: with quadratic time, a line
// of a mebibyte would exceed the timeout of the tests.
func TestLongLines(t *testing.T) {
	const size = 1 << 20
	var d Decoder
	for _, part := range []string{"<>", "From=a,b=", ",b=", `"`, `"",`, "To=<,", ", Via", "SIP/", ";SIP/", `a="`, "Via=SIP/2.0/UDP a;; ", `\\,`, ",\n", "<", "[", " ", ";"} {
		for _, key := range []string{"From", "Via", "MEDIA", "Service", "x"} {
			text := key + "=" + strings.Repeat(part, size/len(part))
			e, err := d.Decode(text)
			if !errors.Is(err, ErrNoService) {
				assert.NoError(t, err)
			}
			assert.Equal(t, strings.TrimRight(text, "\r\n"), e.Line.Join())
			_, _ = CutSyslogHeader(strings.Repeat(part, size/len(part)))
		}
	}
	for _, part := range []string{`\"`, `;\"`, ";", `;"`, `;a="";`, "=", "@", ":"} {
		for _, start := range []string{`From=<sip:a@b>;x="`, `From=sip:a@b;x="`, "From=sip:", "Via=SIP/2.0/UDP a;x=\"", "RequestUri=sip:", "MEDIA="} {
			text := start + strings.Repeat(part, size/len(part))
			_, err := d.Decode(text)
			assert.ErrorIs(t, err, ErrNoService)
		}
	}
}

func ExampleLine_Join() {
	line, _ := new(Splitter).Split("Method=BYE,From=\"Doe, Jane\" <sip:jane@example.test>;tag=1,")
	fmt.Println(line.Len(), line.Attribute(1).Value)
	fmt.Println(line.Join() == line.Text)
	// Output:
	// 2 "Doe, Jane" <sip:jane@example.test>;tag=1
	// true
}
