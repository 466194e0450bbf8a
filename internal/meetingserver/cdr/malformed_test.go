// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/scan/xmlscan"
)

// The bad part of a body is put aside with its reason; good, the indices of
// the records that were read, is the same as if the part had not been there.
func TestBadPartsBetweenGoodRecords(t *testing.T) {
	f := func(bad string, want error, good ...uint64) {
		t.Helper()
		batch := decode(`<records session="s">` + record(1) + bad + record(2) + `</records>`)
		require.Len(t, batch.Malformed, 1, "%s", bad)
		assert.Equal(t, bad, batch.Malformed[0].Raw)
		assert.ErrorIs(t, batch.Malformed[0].Err, want, "%s", bad)
		assert.Equal(t, append([]uint64{1}, append(good, 2)...), indices(batch), "%s", bad)
	}
	f(`<record/>`, ErrNoObject)
	f(`<record></record>`, ErrNoObject)
	f("<record type=\"callEnd\">\n<!-- c --> </record>", ErrNoObject)
	f(`<record><call/><call/></record>`, ErrManyObjects)
	f(`<record><call/><callLeg/></record>`, ErrManyObjects)
	f(`<record>text<call/></record>`, ErrStray)
	f(`<record><call/>text</record>`, ErrStray)
	f(`<record><call></record>`, xmlscan.ErrEndTag)
	f(`<record><call><name>x</call></record>`, xmlscan.ErrEndTag)
	f(`<record><call></callLeg></record>`, xmlscan.ErrEndTag)
	f(`<record><call/></recor>`, xmlscan.ErrEndTag)
	f(`<record a="1" a="2"><call/></record>`, xmlscan.ErrDuplicateAttribute)
	f(`<record type=callEnd><call/></record>`, xmlscan.ErrAttributeValue)
	f(`<record type="callEnd><call/></record>`, xmlscan.ErrAttributeValue)
	f(`<record><call><name>&nbsp;</name></call></record>`, xmlscan.ErrReference)
	f(`<record><call><name>R&D</name></call></record>`, xmlscan.ErrReference)
	f("<record><call><name>\xff</name></call></record>", xmlscan.ErrCharacter)
	f("<record><call><name>\x07</name></call></record>", xmlscan.ErrCharacter)
	f(`<record><call><name>]]></name></call></record>`, xmlscan.ErrMarkup)
	f(`<record><!DOCTYPE x><call/></record>`, xmlscan.ErrDoctype)
	f(`<record><?><call/></record>`, xmlscan.ErrTruncated)
	f(`<record><!--><call/></record>`, xmlscan.ErrTruncated)
	f(`<record>`+strings.Repeat("<a>", 40)+strings.Repeat("</a>", 40)+`</record>`, xmlscan.ErrDepth)
	f(`<record><call `+manyAttributes(100)+`/></record>`, xmlscan.ErrAttributes)
	f(`<record><call>`+strings.Repeat("<a/>", maxFields+1)+`</call></record>`, ErrManyFields)
	f(`<record><callLeg>`+strings.Repeat("<alarm/>", maxFields+1)+`</callLeg></record>`, ErrManyFields)

	// Not a record at all.
	f(`text`, ErrStray)
	f(`<call id="c"/>`, ErrStray)
	f(`<recording id="c"><path>p</path></recording>`, ErrStray)
	f(`<Record><call/></Record>`, ErrStray)
	f(`<records/>`, ErrStray)
	f(`<call>`, ErrNested)
	f(`</record>`, xmlscan.ErrEndTag)

	// Truncated in the middle of the body: what follows is not lost with it.
	f(`<record><call><name>x`, ErrNested)
	f(`<record type="callEnd"><call><!-- never closed `, xmlscan.ErrTruncated)
	f(`<record type="callEnd"><call><![CDATA[ never closed `, xmlscan.ErrTruncated)
	f(`<record type="callEnd"><?allLeg id="one bit off"></callLeg></record>`, xmlscan.ErrTruncated)
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a" + strings.Repeat("x", i) + "='1'")
	}
	return b.String()
}

// Document error 4: a record "closed" by another start tag.
func TestUnclosedRecord(t *testing.T) {
	batch := decode(body(strings.TrimSuffix(record(1), "</record>")+"\n<record>", record(2)))
	require.Len(t, batch.Malformed, 1, "the outer record and the tag that should have closed it are one fault")
	assert.ErrorIs(t, batch.Malformed[0].Err, ErrNested)
	assert.Equal(t, uint64(1), batch.Malformed[0].Header.Index.Value, "which record it was is known")
	assert.Equal(t, []uint64{2}, indices(batch))
}

// A record inside a record is the sign of a missing end tag, so the inner one
// is read; the outer one's late end tag is a fault of its own.
func TestRecordInsideRecord(t *testing.T) {
	batch := decode(`<records><record correlatorIndex="9"><call>` + record(1) + `</call></record>` + record(2) + `</records>`)
	assert.Equal(t, []uint64{1, 2}, indices(batch))
	require.Len(t, batch.Malformed, 2)
	assert.Equal(t, `<record correlatorIndex="9"><call>`, batch.Malformed[0].Raw)
	assert.Equal(t, Number{Value: 9, Valid: true, Text: "9"}, batch.Malformed[0].Header.Index)
	assert.Equal(t, `</call></record>`, batch.Malformed[1].Raw)
}

// Records in an element nobody knows are read all the same.
func TestWrappedRecords(t *testing.T) {
	batch := decode(`<records><batch>` + record(1) + record(2) + `</batch></records>`)
	assert.Equal(t, []uint64{1, 2}, indices(batch))
	assert.Equal(t, []string{"<batch>", "</batch>"}, raws(batch))
}

func raws(b *Batch) []string {
	all := make([]string, 0, len(b.Malformed))
	for _, m := range b.Malformed {
		all = append(all, m.Raw)
	}
	return all
}

func TestWholeBodyMalformed(t *testing.T) {
	f := func(text string, want error) {
		t.Helper()
		batch := decode(text)
		assert.Empty(t, batch.Records, "%q", text)
		require.Len(t, batch.Malformed, 1, "%q", text)
		assert.Equal(t, text, batch.Malformed[0].Raw)
		assert.Zero(t, batch.Malformed[0].Offset)
		assert.ErrorIs(t, batch.Malformed[0].Err, want, "%q", text)
	}
	f("", xmlscan.ErrTruncated)
	f(" \n", xmlscan.ErrTruncated)
	f("cdr=1&data=hello", xmlscan.ErrOutsideRoot)
	f(`{"records":[]}`, xmlscan.ErrOutsideRoot)
	f(record(1), ErrRoot)
	f(`<recordings>`+record(1)+`</recordings>`, ErrRoot)
	f(`<x:records>`+record(1)+`</x:records>`, ErrRoot)
	f(`<records session="a" session="b">`+record(1)+`</records>`, xmlscan.ErrDuplicateAttribute)
	f(`<records session="a`, xmlscan.ErrTruncated)
	f(`<?>`, xmlscan.ErrTruncated)
	f(`<?><records/>?>`, xmlscan.ErrName)
	f(`<?xml version="1.0" encoding="UTF-16"?><records/>`, xmlscan.ErrEncoding)
	f(`<!DOCTYPE records><records>`+record(1)+`</records>`, xmlscan.ErrDoctype)
	f(fixtures(t)["malformed/doctype-entity.xml"], xmlscan.ErrDoctype) // trap 14
	f(fixtures(t)["malformed/not-xml.txt"], xmlscan.ErrOutsideRoot)
}

func TestBehindTheRoot(t *testing.T) {
	f := func(behind string) {
		t.Helper()
		batch := decode(`<records>` + record(1) + `</records>` + behind)
		assert.Equal(t, []uint64{1}, indices(batch), "%q", behind)
		require.Len(t, batch.Malformed, 1, "%q", behind)
		assert.Equal(t, behind, batch.Malformed[0].Raw)
	}
	f("junk")
	f("\n junk")
	f("</records>")
	f(record(2)) // nothing behind the root belongs to the session
	f("\x00")
	f("<record")
	f("<recordings>" + record(2) + "</recordings>")
	f("<?xml version='1.0'?>")
	f("<?xml version='1.0'?>\n<other/>")
}

// What is behind the root must not vanish because the last record is bad.
func TestBehindTheRootOfABadRecord(t *testing.T) {
	f := func(tail, want string) {
		t.Helper()
		batch := decode(`<records>` + record(1) + tail)
		assert.Equal(t, []uint64{1}, indices(batch), "%q", tail)
		assert.Equal(t, []string{want}, raws(batch), "%q", tail)
	}
	f("<record><call></record></records>", "<record><call></record>")
	f("<record><call></record></records >\n", "<record><call></record>")
	f("<record><call></record></records>junk", "<record><call></record></records>junk")
	f("<record><call></record></recordsX>", "<record><call></record></recordsX>")
	f("<record><call></record></records", "<record><call></record></records")
	f("<record><call></record>", "<record><call></record>")
	f("<record><call></record></records><!-- c --></records>", "<record><call></record></records><!-- c -->")
}

func TestMissingEndOfRoot(t *testing.T) {
	batch := decode(`<records>` + record(1))
	assert.Equal(t, []uint64{1}, indices(batch))
	require.Len(t, batch.Malformed, 1, "the truncation is reported")
	assert.ErrorIs(t, batch.Malformed[0].Err, xmlscan.ErrTruncated)
	assert.Empty(t, batch.Malformed[0].Raw)
}

func TestHeaderOfAMalformedRecord(t *testing.T) {
	batch := decode(body(`<record type="callEnd" time="2024-03-05T09:14:02Z" correlatorIndex="7" x="y"><call></record>`))
	require.Len(t, batch.Malformed, 1)
	got := batch.Malformed[0]
	assert.Equal(t, CallEnd, got.Header.Type)
	assert.Equal(t, uint64(7), got.Header.Index.Value)
	assert.Equal(t, 2024, got.Header.Time.Year())
	assert.Equal(t, strings.Index(body(""), "\n</records>"), got.Offset)
}

// A record that is given up must leave nothing behind in the next one.
func TestBadRecordLeavesNoFields(t *testing.T) {
	batch := decode(body(
		`<record x="1"><callLeg y="2"><reason>r</reason><alarm type="a"/><call></record>`,
		`<record><callLeg><state>connected</state></callLeg></record>`,
	))
	require.Len(t, batch.Records, 1)
	assert.Equal(t, []string{"state=text:connected"}, fields(&batch.Records[0]))
	assert.Empty(t, batch.Records[0].Alarms)
}

// The buffers of one body must not show through in the next one.
func TestDecoderIsReusable(t *testing.T) {
	var d Decoder
	for range 2 {
		for name, text := range fixtures(t) {
			want := decode(text)
			got := d.Decode(text)
			assert.Equal(t, want.Session, got.Session, "%s", name)
			assert.Equal(t, want.CallBridge, got.CallBridge, "%s", name)
			assert.ElementsMatch(t, want.Attributes, got.Attributes, "%s", name)
			assert.Equal(t, raws(want), raws(got), "%s", name)
			require.Len(t, got.Records, len(want.Records), "%s", name)
			for i := range want.Records {
				assert.Equal(t, want.Records[i].Header, got.Records[i].Header, "%s", name)
				assert.Equal(t, fields(&want.Records[i]), fields(&got.Records[i]), "%s", name)
				assert.Equal(t, alarms(&want.Records[i]), alarms(&got.Records[i]), "%s", name)
			}
		}
	}
}
