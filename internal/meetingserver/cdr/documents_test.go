// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/scan/xmlscan"
)

func field(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../../testdata/field/cms-cdr/" + name)
	require.NoError(t, err)
	return string(text)
}

// shownBatches renders the batches of a body: session, indices of the records,
// and the bytes that could not be read.
func shownBatches(t *testing.T, text string) []string {
	t.Helper()
	var d Decoder
	var all []string
	for _, b := range checkBatches(t, &d, text) {
		line := []string{b.Session}
		for i := range b.Records {
			line = append(line, b.Records[i].Index.Text)
		}
		for _, raw := range raws(&b) {
			line = append(line, strconv.Quote(raw))
		}
		all = append(all, strings.Join(line, " "))
	}
	return all
}

// Documents of one session in one body are one batch, whatever stands between
// them that XML allows around a root; each other session is a batch of its own.
func TestDocumentsInOneBody(t *testing.T) {
	of := func(session string, records ...string) string {
		return `<records session="` + session + `">` + strings.Join(records, "") + `</records>`
	}
	f := func(text string, want ...string) {
		t.Helper()
		assert.Equal(t, want, shownBatches(t, text), "%q", text)
	}
	for _, between := range []string{"", "\n \t", "<?xml version=\"1.0\"?>", "\r\n<?xml version='1.0' encoding='utf-8'?>\n", "\uFEFF", " \uFEFF\n", "<!-- c --><?p?>"} {
		f(of("s", record(1))+between+of("s", record(2), record(3)), "s 1 2 3")
		f(of("s", record(1))+between+of("t", record(1)), "s 1", "t 1")
		f(of("s")+between+of("s")+between+of("s", record(2)), "s 2")
	}
	f(of("s", record(1))+of("t", record(1))+of("s", record(2)), "s 1", "t 1", "s 2")
	f(`<records session="s"/><records session="s"/>`, "s")
	// A document that cannot be read does not take the one before it with it.
	f(of("s", record(1))+`<records session="t" session="t">`+record(2), "s 1", " \"<records session=\\\"t\\\" session=\\\"t\\\">"+quoted(record(2))+"\"")
	f(of("s", record(1))+`<records`, `s 1 "<records"`)
	// What stands between two documents is put aside alone.
	f(of("s", record(1))+"junk"+of("s", record(2)), `s 1 "junk"`, "s 2")
	f(of("s", record(1))+"<!-- never closed "+of("s", record(2)), `s 1 "<!-- never closed "`, "s 2")
	f(of("s", record(1))+"</records>"+of("t", record(2)), `s 1 "</records>"`, "t 2")
	// The end of the first document is missing.
	f(`<records session="s">`+record(1)+of("t", record(2)), `s 1 ""`, "t 2")
	f(`<records session="s">`+record(1)+"<record><call>"+of("t", record(2)), `s 1 "<record><call>"`, "t 2")
}

func quoted(text string) string {
	shown := fmt.Sprintf("%q", text)
	return shown[1 : len(shown)-1]
}

// What the roots say of the bridge belongs to the batch.
func TestRootsOfOneSession(t *testing.T) {
	f := func(first, second string, want int) {
		t.Helper()
		var d Decoder
		batches := checkBatches(t, &d, "<records "+first+">"+record(1)+"</records><records "+second+">"+record(2)+"</records>")
		assert.Len(t, batches, want, "%s, %s", first, second)
	}
	f(`session="s" callBridge="b"`, `session="s"`, 1)
	f(`session="s"`, `session="s" callBridge="b"`, 1)
	f(`session="s" callBridge="b"`, `session="s" callBridge="c"`, 2)
	f(`session="s" region="x"`, `session="s" region="x"`, 1)
	f(`session="s" region="x"`, `session="s"`, 2)
	batch := decode(`<records session="s"/><records session="s" callBridge="b"/>`)
	assert.Equal(t, "b", batch.CallBridge)
}

func TestTwoDocumentsOfTheField(t *testing.T) {
	assert.Equal(t, []string{"11111111-aaaa-4bbb-8ccc-000000000001 7100 7101"}, shownBatches(t, field(t, "two-documents/body.xml")))
}

// A body of more sessions than anybody sends is kept, and not read to its end.
func TestManySessionsInOneBody(t *testing.T) {
	var text strings.Builder
	for i := range 2 * maxBatches {
		fmt.Fprintf(&text, `<records session="%d">%s</records>`, i, record(i))
	}
	var d Decoder
	batches := checkBatches(t, &d, text.String())
	require.Len(t, batches, maxBatches)
	last := batches[maxBatches-1].Malformed
	require.Len(t, last, 1)
	assert.ErrorIs(t, last[0].Err, ErrManyBatches)
	assert.Empty(t, last[0].Indices, "they are not of this session")
}

// The caps on records and values end a batch: the records behind it are the next
// one's, of the same session, and none is lost for the number of the others.
func TestFullBatchIsContinued(t *testing.T) {
	f := func(name, one string, count int) {
		t.Helper()
		text := `<records session="s" callBridge="b">` + strings.Repeat(one, count) + `</records><records session="t">` + record(1) + `</records>`
		var d Decoder
		records := 0
		batches := checkBatches(t, &d, text)
		require.Greater(t, len(batches), 2, name)
		for _, b := range batches[:len(batches)-1] {
			assert.Equal(t, "s", b.Session, name)
			assert.Equal(t, "b", b.CallBridge, name)
			assert.Empty(t, b.Malformed, name)
			assert.LessOrEqual(t, len(b.Records), maxRecords, name)
			records += len(b.Records)
		}
		assert.Equal(t, count, records, name)
		assert.Len(t, batches[len(batches)-1].Records, 1, name)
	}
	f("many records", "<record><call/></record>", 2*maxRecords+2)
	f("many values", "<record><call>"+strings.Repeat("<a/>", 100)+"</call></record>", maxValues/50)
	f("long paths", "<record><call><"+strings.Repeat("p", 1000)+"/></call></record>", 2*maxPaths/1000)
}

// Faults in many documents cost no more than faults in one.
func TestFaultsOfManyDocumentsAreBounded(t *testing.T) {
	var d Decoder
	batches := checkBatches(t, &d, strings.Repeat(`<records session="s"/><!-- never closed `, 1<<16))
	assert.LessOrEqual(t, len(batches), maxMalformed+1)
}

// Which records stand in what cannot be read is known as far as their start tags
// can be read.
func TestIndicesOfMalformedParts(t *testing.T) {
	f := func(text, session string, want ...IndexRange) {
		t.Helper()
		batch := decode(text)
		assert.Equal(t, session, batch.Session, "%q", text)
		var got []IndexRange
		for _, m := range batch.Malformed {
			if m.Header.Index.Valid {
				got = append(got, IndexRange{First: m.Header.Index.Value, Last: m.Header.Index.Value})
			}
			got = append(got, m.Indices...)
		}
		assert.Equal(t, want, got, "%q", text)
	}
	run := func(first, last uint64) IndexRange { return IndexRange{First: first, Last: last} }
	// The start tag is damaged, and the index can be read.
	f(body(`<record type=callEnd correlatorIndex="7"><call/></record>`), "s", run(7, 7))
	f(body(`<record a="1" a="2" correlatorIndex = '7'><call/></record>`), "s", run(7, 7))
	f(body(`<record recordIndex="8" correlatorIndex="7" type="callEnd><call/></record>`), "s", run(7, 7))
	f(body(`<record recordIndex="8" type=callEnd><call/></record>`), "s", IndexRange{First: 8, Last: 8, Legacy: true})
	// It cannot be read for certain.
	f(body(`<record type=callEnd correlatorIndex="7" correlatorIndex="8"><call/></record>`), "s")
	f(body(`<record type=callEnd correlatorIndex=7><call/></record>`), "s")
	f(body(`<record type=callEnd correlatorIndex="7x"><call/></record>`), "s")
	f(body(`<record type=callEnd correlatorIndex="-7"><call/></record>`), "s")
	f(body(`<record type=callEnd xcorrelatorIndex="7"><call/></record>`), "s")
	f(body(`<record type=callEnd correlatorIndex="`), "s")
	// Nothing behind the root is read, but it is there.
	f(`<records session="s">`+record(1)+`</records>`+record(2)+record(3), "s", run(2, 3))
	// The root cannot be read.
	f(`<!DOCTYPE x><records session="s">`+record(4)+record(5)+record(9)+`</records>`, "s", run(4, 5), run(9, 9))
	f(`<records session="s" x=y>`+record(5)+record(4)+`</records>`, "s", run(4, 5))
	f(`<?xml version="1.0" encoding="latin1"?><records callBridge="b" session="s">`+record(4)+`</records>`, "s", run(4, 4))
	f(`<recordings session="s">`+record(4)+`</recordings>`, "", run(4, 4))
	f(toUTF16(`<?xml version="1.0"?><records session="s">`+record(4)+record(5)+`</records>`, false), "s", run(4, 5))
	f("\xfe\xff"+toUTF16(`<records session="s">`+record(4)+`é東京🙂`+record(5)+`</records>`, true), "s", run(4, 5))
}

func toUTF16(text string, bigEndian bool) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		low, high := byte(unit), byte(unit>>8)
		if bigEndian {
			low, high = high, low
		}
		b.WriteByte(low)
		b.WriteByte(high)
	}
	return b.String()
}

// However many faults a body has, each record in it is read, or its index is.
func TestEveryIndexOfADamagedBodyIsKnown(t *testing.T) {
	var d Decoder
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 4))
		var text strings.Builder
		text.WriteString(`<records session="s">`)
		const records = 300
		for index := range records {
			damaged := record(index)
			switch random.IntN(4) {
			case 0:
				damaged = strings.Replace(damaged, "</call>", "</cal>", 1)
			case 1:
				damaged = strings.Replace(damaged, `type="callEnd"`, "type=callEnd", 1)
			}
			text.WriteString(damaged)
			if random.IntN(20) == 0 {
				text.WriteString("</records>\n<records session='s'>")
			}
		}
		known := make(map[uint64]bool)
		for batch := d.Decode(text.String()); batch != nil; batch = d.DecodeNext() {
			for i := range batch.Records {
				known[batch.Records[i].Index.Value] = true
			}
			for _, m := range batch.Malformed {
				if m.Header.Index.Valid {
					known[m.Header.Index.Value] = true
				}
				for _, r := range m.Indices {
					for index := r.First; index <= r.Last; index++ {
						known[index] = true
					}
				}
			}
		}
		require.Len(t, known, records, "seed %d", seed)
	}
}

func TestMissingEndIsATruncation(t *testing.T) {
	batch := decode(`<records session="s">` + record(1) + `<records session="t"/>`)
	require.Len(t, batch.Malformed, 1)
	assert.ErrorIs(t, batch.Malformed[0].Err, xmlscan.ErrTruncated)
}
