// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// headerOf decodes a record with these attributes in its start tag.
func headerOf(t *testing.T, attributes string) Header {
	t.Helper()
	return only(t, `<record `+attributes+`><call id="c"/></record>`).Header
}

func TestRecordTypes(t *testing.T) {
	f := func(text string, want Type) {
		t.Helper()
		got := headerOf(t, `type="`+text+`"`)
		assert.Equal(t, want, got.Type, "%q", text)
	}
	// Spec section 2.2, written out again on purpose.
	f("callStart", CallStart)
	f("callEnd", CallEnd)
	f("callLegStart", CallLegStart)
	f("callLegEnd", CallLegEnd)
	f("callLegUpdate", CallLegUpdate)
	f("recordingStart", RecordingStart)
	f("recordingEnd", RecordingEnd)
	f("streamingStart", StreamingStart)
	f("streamingEnd", StreamingEnd)
	f(" callEnd\n", CallEnd)
	f("CallEnd", TypeUnknown)
	f("transcriptStart", TypeUnknown)
	f("", TypeUnknown)
}

func TestUnknownTypeKeepsItsText(t *testing.T) {
	got := headerOf(t, `type=" transcriptStart "`)
	assert.Equal(t, "transcriptStart", got.TypeText)
	assert.Empty(t, got.Type.String())
}

func TestTypesListsTheDocumentedOnes(t *testing.T) {
	seen := make(map[string]bool)
	for _, documented := range Types() {
		assert.NotEmpty(t, documented.String())
		assert.Equal(t, documented, typeOf(documented.String()))
		seen[documented.String()] = true
	}
	assert.Len(t, seen, 9)
}

func TestTimes(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		got := headerOf(t, `time="`+text+`"`)
		shown := ""
		if !got.Time.IsZero() {
			shown = got.Time.Format(time.RFC3339Nano)
			assert.Equal(t, time.UTC, got.Time.Location(), "%q", text)
		}
		assert.Equal(t, want, shown, "%q", text)
		assert.Equal(t, trimBlanks(text), got.TimeText, "the text stays, readable or not")
	}
	f("2024-03-05T09:14:02Z", "2024-03-05T09:14:02Z")
	f(" 2024-03-05T09:14:02Z\t", "2024-03-05T09:14:02Z")
	f("2024-03-05T09:14:02.25Z", "2024-03-05T09:14:02.25Z")
	f("2024-03-05T09:14:02.123456789+09:00", "2024-03-05T00:14:02.123456789Z")
	f("2024-03-05T09:14:02-05:30", "2024-03-05T14:44:02Z")
	f("2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z")
	f("2023-02-29T23:59:59Z", "")
	f("2024-03-05T24:00:00Z", "")
	f("2024-03-05T09:14:60Z", "")
	f("2024-03-05 09:14:02", "")
	f("2024-03-05T09:14:02", "")
	f("2024-03-05T09:14:02z", "")
	f("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z")
	f("2261-12-31T23:59:59Z", "2261-12-31T23:59:59Z")
	f("1969-12-31T23:59:59Z", "") // not in the range of a pcommon.Timestamp
	f("2262-01-01T00:00:00Z", "")
	f("1709630042", "")
	f("yesterday", "")
	f("", "")
}

// A time is read for each record, whatever the one before had.
func TestTimesOfNeighbours(t *testing.T) {
	texts := []string{
		"2024-03-05T09:14:02Z", "2024-03-05T09:14:02Z", " 2024-03-05T09:14:02Z", "yesterday", "yesterday", "",
		"2024-03-05T09:14:03Z", "", "2024-03-05T09:14:02Z",
	}
	var records []string
	for _, text := range texts {
		records = append(records, `<record time="`+text+`"><call/></record>`)
	}
	var d Decoder
	for range 2 {
		batch := d.Decode(body(records...))
		require.Len(t, batch.Records, len(texts))
		for i, text := range texts {
			assert.Equal(t, headerOf(t, `time="`+text+`"`), batch.Records[i].Header, "%d: %q", i, text)
		}
	}
}

func TestStartTagNumbers(t *testing.T) {
	attributes := map[string]func(Header) Number{
		"correlatorIndex":             func(h Header) Number { return h.Index },
		"recordIndex":                 func(h Header) Number { return h.LegacyIndex },
		"numPrecedingRecordsMissing":  func(h Header) Number { return h.Missing },
		"numPreceedingRecordsMissing": func(h Header) Number { return h.Missing },
	}
	f := func(text string, want uint64, valid bool) {
		t.Helper()
		for name, get := range attributes {
			got := get(headerOf(t, name+`="`+text+`"`))
			// A count of lost records beyond this is wrong and would distort
			// the metric permanently.
			valid := valid && (!strings.HasPrefix(name, "num") || want <= math.MaxUint32)
			assert.Equal(t, valid, got.Valid, "%s=%q", name, text)
			assert.Equal(t, trimBlanks(text), got.Text, "%s=%q", name, text)
			if valid {
				assert.Equal(t, want, got.Value, "%s=%q", name, text)
			}
		}
	}
	f("0", 0, true)
	f("196284", 196284, true)
	f(" 7\n", 7, true)
	f("007", 7, true)
	f("9223372036854775807", 9223372036854775807, true)
	f("9223372036854775808", 0, false)  // no int64
	f("18446744073709551615", 0, false) // no int64
	f("18446744073709551616", 0, false) // no uint64
	f("99999999999999999999999999", 0, false)
	f("-1", 0, false)
	f("+1", 0, false)
	f("1.0", 0, false)
	f("1e3", 0, false)
	f("0x10", 0, false)
	f("1 2", 0, false)
	f("x", 0, false)
	f("١", 0, false) // a digit, but not one of ASCII
	f("", 0, false)
}

func TestAbsentStartTagAttributes(t *testing.T) {
	assert.Equal(t, Header{}, only(t, `<record><call/></record>`).Header)
}

// An English edition of the guide prints a double e.
func TestMisspeltMissingAttributeOfTheFixture(t *testing.T) {
	batch := decode(fixtures(t)["gap/num-preceeding-misspelt.xml"])
	require.Len(t, batch.Records, 1)
	assert.Equal(t, Number{Value: 3, Valid: true, Text: "3"}, batch.Records[0].Missing)
	assert.Empty(t, batch.Records[0].Fields[0].Path, "it is no unknown attribute")
}

// Both spellings at once have never been seen; the one that says something wins.
func TestBothSpellingsOfMissing(t *testing.T) {
	f := func(attributes string, want uint64) {
		t.Helper()
		assert.Equal(t, want, headerOf(t, attributes).Missing.Value, "%s", attributes)
	}
	f(`numPrecedingRecordsMissing="3" numPreceedingRecordsMissing="3"`, 3)
	f(`numPrecedingRecordsMissing="3" numPreceedingRecordsMissing=""`, 3)
	f(`numPrecedingRecordsMissing="" numPreceedingRecordsMissing="3"`, 3)
}

func TestUnknownAttributesOfARecordComeFirst(t *testing.T) {
	r := only(t, `<record region=" eu " type="callEnd" xmlns:x="u"><call id="c" flavour="y"><name>n</name></call></record>`)
	assert.Equal(t, []string{
		"?record/@region=text:eu", "?record/@xmlns:x=text:u", "?@flavour=text:y", "name=text:n",
	}, fields(r))
}

func TestRoot(t *testing.T) {
	f := func(tag, session, bridge string, unknown ...string) {
		t.Helper()
		batch := decode(tag)
		require.Empty(t, batch.Malformed, "%s", tag)
		assert.Equal(t, session, batch.Session, "%s", tag)
		assert.Equal(t, bridge, batch.CallBridge, "%s", tag)
		assert.Equal(t, unknown, fieldsOf(batch.Attributes), "%s", tag)
	}
	f(`<records/>`, "", "")
	f(`<records></records>`, "", "")
	f(`<records session="a" callBridge="b"/>`, "a", "b")
	f(`<records callBridge='b' session='a'/>`, "a", "b")
	f("<records session=' a-\n b '/>", "a-b", "")
	f(`<records session=""/>`, "", "")
	f(`<records schema="9" session="a" x=""/>`, "a", "", "records/@schema=9", "records/@x=")
	f("\uFEFF<?xml version=\"1.0\"?>\n<!-- c --><records session=\"a\"/>\n<!-- d -->\n", "a", "")
}

func fieldsOf(all []Field) (shown []string) {
	for _, f := range all {
		shown = append(shown, fmt.Sprintf("%s=%s", f.Path, f.Text))
	}
	return shown
}
