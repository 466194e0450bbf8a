// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"context"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/parser/keyvalue"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
)

// keyValueParser is stanza's key_value_parser, as a user of the file log
// receiver would set it up for event.log.
func keyValueParser(tb testing.TB) (operator.Operator, *testutil.FakeOutput) {
	tb.Helper()
	config := keyvalue.NewConfigWithID("kv")
	config.PairDelimiter = ","
	config.OutputIDs = []string{"fake"}
	parser, err := config.Build(componenttest.NewNopTelemetrySettings())
	require.NoError(tb, err)
	output := testutil.NewFakeOutput(tb)
	require.NoError(tb, parser.SetOutputs([]operator.Operator{output}))
	return parser, output
}

// TestBesideKeyValueParser compares stanza's parser for key=value with the right value of
// the same lines. The README of the receiver has the table.
func TestBesideKeyValueParser(t *testing.T) {
	for name, test := range map[string]struct {
		line  string
		key   Key
		right string
		peer  any  // nil: no such attribute
		fails bool // the peer reports an error; the whole line stays unparsed
	}{
		"a plain line":                  {line: "Method=BYE,CSeq=1 BYE", key: CSeq, right: "1 BYE", peer: "1 BYE"},
		"a tag":                         {line: "To=<sip:b@y>;tag=a=1,Method=BYE", key: To, right: "<sip:b@y>;tag=a=1", peer: "<sip:b@y>;tag=a=1"},
		"a comma in a quoted name":      {line: `From="Doe, Jane" <sip:j@x>,Method=BYE`, key: From, right: `"Doe, Jane" <sip:j@x>`, peer: "Doe, Jane <sip:j@x>"},
		"a comma in an unquoted name":   {line: "From=Bond, James <sip:j@x>,Method=BYE", key: From, right: "Bond, James <sip:j@x>", fails: true},
		"an apostrophe":                 {line: "From=O'Neil <sip:j@x>,Method=BYE", key: From, right: "O'Neil <sip:j@x>", fails: true},
		"a user with a comma":           {line: "RequestUri=sip:bob,x=1@h,Method=BYE", key: RequestURI, right: "sip:bob,x=1@h", peer: "sip:bob"},
		"a comma in brackets":           {line: "From=<sip:a,To=1@h>,To=<sip:b@y>", key: From, right: "<sip:a,To=1@h>", peer: "<sip:a"},
		"several hops in one Via":       {line: "Via=SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b;branch=2,Method=BYE", key: Via, right: "SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b;branch=2", peer: "SIP/2.0/UDP a;branch=1"},
		"a lone quote in a Call-ID":     {line: `Call-ID=a"b@h,Method=BYE`, key: CallID, right: `a"b@h`, fails: true},
		"a documented key again":        {line: "Method=BYE,note=x,Method=INVITE", key: Method, right: "BYE", peer: "INVITE"},
		"a quoted parameter":            {line: `Content-Type=multipart/mixed;boundary="a,b=c",Method=BYE`, key: ContentType, right: `multipart/mixed;boundary="a,b=c"`, peer: "multipart/mixed;boundary=a,b=c"},
		"blanks that are part of it":    {line: "Call-ID= a ,Method=BYE", key: CallID, right: " a ", peer: "a"},
		"an escape":                     {line: `From="a\"b" <sip:j@x>,Method=BYE`, key: From, right: `"a\"b" <sip:j@x>`, peer: `a\"b <sip:j@x>`},
		"a comma and blank in a reason": {line: "Service=eventlogger.a,reason=monthly, soft limit", key: Service, right: "eventlogger.a", fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			line, err := new(Splitter).Split(test.line)
			require.NoError(t, err)
			got, _ := line.Value(test.key)
			assert.Equal(t, test.right, got)

			parser, output := keyValueParser(t)
			e := entry.New()
			e.Body = test.line
			err = parser.Process(context.Background(), e)
			<-output.Received
			if test.fails {
				assert.Error(t, err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.peer, e.Attributes[test.key.String()])
		})
	}
}
