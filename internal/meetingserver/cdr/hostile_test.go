// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/linear"
)

// hostileSize is the size of a hostile body; one a quarter as large takes a
// quarter of the time.
const hostileSize = 2 << 20

// hostile bodies by what they try. All are made of a unit repeated between a
// head and a tail.
var hostile = []struct{ name, head, unit, tail string }{
	{"nested start tags", "<records>", "<record ", ""},
	{"nested records", "<records>", "<record>", ""},
	{"nested records with attributes", "<records>", `<record type="callEnd" correlatorIndex="1">`, ""},
	{"nested empty records", "<records>", "<record/>", "</records>"},
	{"tiny bad records", "<records>", `<record type="a"/>`, "</records>"},
	{"bad records with bad tags", "<records>", `<record type="a"><a></b></record>`, "</records>"},
	{"tiny good records", "<records>", `<record><a/></record>`, "</records>"},
	{"text between records", "<records>", `x<record><a/></record>`, "</records>"},
	{"unterminated comments", "<records>", "<!--", ""},
	{"records with unterminated comments", "<records>", "<record><!-- ", ""},
	{"records with unterminated CDATA", "<records>", "<record><a><![CDATA[", ""},
	{"records with unterminated instructions", "<records>", "<record><?a ", ""},
	{"records with unterminated values", "<records>", "<record a='", ""},
	{"a late end of all comments", "<records>", "<record ><!-- ", "\x01-->"},
	{"a late bad end of all comments", "<records>", "<record ><!-- ", "--x"},
	{"a late end of all CDATA", "<records>", "<record ><a><![CDATA[ ", "\x01]]>"},
	{"a late end of all instructions", "<records>", "<record ><?x ", "\x01?>"},
	{"attributes of the root", "<records ", `a="" `, "/>"},
	{"different attributes of the root", "<records ", "", "/>"},
	{"attributes of a record", "<records><record ", `a="" `, "/></records>"},
	{"deep nesting", "<records><record>", "<a>", ""},
	{"deep nesting, closed", "<records><record><call>", "<a></a>", "</call></record></records>"},
	{"end tags", "<records><record>", "</a>", ""},
	{"end tags of records", "<records>", "</record>", ""},
	{"text in pieces", "<records><record><call><name>", "<!---->1234567", "</name></call></record></records>"},
	{"blanks in pieces", "<records><record><call>", "<!----> ", "</call></record></records>"},
	{"CDATA in pieces", "<records><record><call><name>", "<![CDATA[x]]>", "</name></call></record></records>"},
	{"alarms", "<records><record><callLeg>", "<alarm/>", "</callLeg></record></records>"},
	{"unknown elements", "<records><record><callLeg>", "<a/>", "</callLeg></record></records>"},
	{"references", "<records><record><call><name>", "&amp;", "</name></call></record></records>"},
	{"unterminated references", "<records><record><call><name>", "&", "</name></call></record></records>"},
	{"a long number", `<records><record correlatorIndex="`, "9", `"><call/></record></records>`},
	{"a long character reference", `<records><record><call><name>&#`, "0", `65;</name></call></record></records>`},
	{"a long name", "<records><record><", "a", "/></record></records>"},
	{"a long text", "<records><record><call><name>", "a", "</name></call></record></records>"},
	{"brackets", "<records><record><call><name>", "]]", "</name></call></record></records>"},
	{"returns", "<records><record><call><name>", "\r", "</name></call></record></records>"},
	{"blanks in an id", `<records><record><call id="`, "a ", `"/></record></records>`},
	{"ends of the root", "<records>", "</records", ""},
	{"bad records before ends of the root", "<records>", "<record><a></b></records x", ""},
	{"no markup", "", "x", ""},
	{"blanks only", "", " ", ""},
	{"roots", "", "<records>", ""},
}

func TestHostileBodiesAreCheap(t *testing.T) {
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			text := func(size int) string {
				if h.unit == "" {
					return h.head + differentAttributes(size/attributeSize) + h.tail
				}
				return h.head + strings.Repeat(h.unit, size/len(h.unit)) + h.tail
			}
			small, large := text(hostileSize/4), text(hostileSize)
			var batch *Batch
			linear.Assert(t, hostileSize/4, func(size int) {
				if size == hostileSize {
					batch = decode(large)
				} else {
					decode(small)
				}
			})
			assert.LessOrEqual(t, len(batch.Malformed), maxMalformed)
			for i := range batch.Records {
				require.LessOrEqual(t, len(batch.Records[i].Fields), maxFields)
				require.LessOrEqual(t, len(batch.Records[i].Alarms), maxFields)
			}
		})
	}
}

// attributeSize is about the size of one of differentAttributes.
const attributeSize = 10

func differentAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d='' ", i)
	}
	return b.String()
}

// Many faults are reported as many, up to a point; the rest of the body joins
// the last report, and is kept.
func TestManyFaultsAreBounded(t *testing.T) {
	bad := `<record type="a"><a></b></record>`
	f := func(faults, want int) {
		t.Helper()
		text := body(strings.Repeat(bad, faults), record(1))
		batch := decode(text)
		checkLossless(t, text, batch)
		assert.Len(t, batch.Malformed, want)
	}
	f(1, 1)
	f(maxMalformed-1, maxMalformed-1)
	f(maxMalformed, maxMalformed)
	f(10*maxMalformed, maxMalformed)
}
