// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

func printedRecord(index, entity string) string {
	return `<record type="callEnd" time="2026-01-05T08:00:00Z" recordIndex="7" correlatorIndex="` + index + `">` + "\n" + entity + "</record>\n"
}

func TestCutRecords(t *testing.T) {
	var printed strings.Builder
	for range largestBatch + 3 {
		printed.WriteString("-- POST http://localhost:8080/cdr\n<?xml version=\"1.0\"?><records session=\"s\">")
		printed.WriteString(printedRecord("0", "<call/>") + printedRecord("1", "<call/>") + "</records>\n")
	}
	records, err := cutRecords([]byte(printed.String()))
	require.NoError(t, err)
	assert.Len(t, records, 2*largestBatch, "whole batches only")
	assert.Equal(t, printedRecord("0", "<call/>"), string(records[0]))
	assert.Equal(t, printedRecord("1", "<call/>"), string(records[1]))
}

func TestCutRecordsRefuses(t *testing.T) {
	_, err := cutRecords([]byte(printedRecord("0", "<call/>")))
	require.ErrorIs(t, err, errNoRecords)
	_, err = cutRecords([]byte(`<record type="callEnd"><call/>`))
	require.ErrorContains(t, err, "without an end tag")
}

func TestBatchesDivideTheLargest(t *testing.T) {
	for _, batch := range batches {
		assert.Zero(t, largestBatch%batch)
	}
}

func TestRenderAndNumber(t *testing.T) {
	records := [][]byte{
		[]byte(printedRecord("12", "<call/>")),
		// A field that looks like an index is none.
		[]byte(printedRecord("345", `<call><name>correlatorIndex="9"</name></call>`)),
	}
	body, err := render("session-1", "bridge-1", records)
	require.NoError(t, err)
	request := body.withHeader("/cdr", "text/xml")

	assert.EqualValues(t, 43, request.number(41))
	head, rest, found := bytes.Cut(request.text, []byte("\r\n\r\n"))
	require.True(t, found)
	assert.Contains(t, string(head), "POST /cdr HTTP/1.1\r\n")
	assert.Equal(t, `<?xml version="1.0"?><records session="session-1" callBridge="bridge-1">`+
		printedRecord("0000000041", "<call/>")+
		printedRecord("0000000042", `<call><name>correlatorIndex="9"</name></call>`)+
		"</records>\n", string(rest))

	assert.EqualValues(t, 45, request.number(43), "fill in once more")
	assert.Contains(t, string(request.text), `correlatorIndex="0000000044"`)
	assert.NotContains(t, string(request.text), `correlatorIndex="0000000041"`)
	assert.Contains(t, string(body.text), `correlatorIndex="0000000000"`, "the body it was made from stays")
}

func TestRenderRefuses(t *testing.T) {
	_, err := render("s", "b", [][]byte{[]byte("<record type=\"callEnd\">\n<call>correlatorIndex=\"1\"</call></record>\n")})
	require.ErrorContains(t, err, "no correlatorIndex")
}

func TestSummarize(t *testing.T) {
	assert.Equal(t, summary{median: 3, least: 1, most: 9}, summarize([]float64{9, 1, 3}))
	assert.Equal(t, summary{median: 2.5, least: 1, most: 9}, summarize([]float64{3, 9, 2, 1}))
	assert.Equal(t, summary{median: 4, least: 4, most: 4}, summarize([]float64{4}))
}

func TestRatiosPairRounds(t *testing.T) {
	// The second round was twice as slow for both: the ratio does not care.
	assert.Equal(t, []float64{0.5, 0.5}, ratios([]float64{1, 2}, []float64{2, 4}))
}

func TestReport(t *testing.T) {
	measured := make(results)
	for _, k := range kinds {
		for _, batch := range batches {
			measured[runKey{k.name, batch}] = []float64{2, 2, 2}
		}
	}
	measured[runKey{"cdr", 50}] = []float64{0.8, 0.9, 1.0}
	got := report(measured, []*traffic{{batch: 50, records: 1}}, options{rounds: 3, time: time.Second})
	assert.Contains(t, got, "| cdr / otlp-json | 50 | <= 0.45 | 0.45 | 0.40..0.50 | met |\n")
	assert.Contains(t, got, "| cdr / otlp-json | 10 | <= 0.60 | 1.00 | 1.00..1.00 | missed |\n")
	assert.Contains(t, got, "| cdr | 2.00 (2.00..2.00) | 2.00 (2.00..2.00) | 0.90 (0.80..1.00) |\n")
}

func TestGoalsNameKinds(t *testing.T) {
	for _, g := range goals {
		for _, name := range []string{g.over, g.under} {
			_, err := kindOf(name)
			require.NoError(t, err)
		}
		assert.True(t, isBatch(g.batch))
	}
}

func TestServeCountsWhatIsDelivered(t *testing.T) {
	records := [][]byte{[]byte(printedRecord("0", "<call/>")), []byte(printedRecord("0", "<call/>"))}
	posts, err := newTraffic(t.Context(), records, 2)
	require.NoError(t, err)
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			var into counter
			address, err := loopback.Address()
			require.NoError(t, err)
			served, err := k.start(t.Context(), address, &into)
			require.NoError(t, err)
			from, err := newClient(t.Context(), address, posts.by[k.encoding])
			require.NoError(t, err)
			sent, err := from.load(t.Context(), 20*time.Millisecond)
			require.NoError(t, err)
			from.close()
			require.NoError(t, served.Shutdown(t.Context()))
			require.NoError(t, k.verify(sent, 2, int(into.records.Load()+into.posts.Load())))
			assert.Equal(t, k.metrics, into.points.Load() > 0)
		})
	}
}

func TestVerifyFindsLostAndDoubledRecords(t *testing.T) {
	require.NoError(t, kinds[0].verify(3, 10, 30))
	for _, delivered := range []int{0, 29, 31} {
		require.ErrorContains(t, kinds[0].verify(3, 10, delivered), "of 30 were delivered")
	}
	require.Error(t, kinds[0].verify(0, 10, 0), "nothing sent is nothing measured")
}

func TestDuplicatesAreNotDelivered(t *testing.T) {
	// What verify is for: the receiver drops indices it knows.
	posts, err := newTraffic(t.Context(), [][]byte{[]byte(printedRecord("0", "<call/>"))}, 1)
	require.NoError(t, err)
	var into counter
	address, err := loopback.Address()
	require.NoError(t, err)
	served, err := kinds[0].start(t.Context(), address, &into)
	require.NoError(t, err)
	from := &round{requests: posts.by[cdrXML][0]}
	conn, err := dial(t.Context(), address, from)
	require.NoError(t, err)
	for range 3 {
		from.index = 7
		require.NoError(t, conn.post())
	}
	conn.close()
	require.NoError(t, served.Shutdown(t.Context()))
	require.ErrorContains(t, kinds[0].verify(conn.posts, 1, int(into.records.Load())), "1 of 3 were delivered")
}

func TestOptions(t *testing.T) {
	for args, want := range map[string]string{
		"":                                       "",
		"-rounds 0":                              "-rounds",
		"-time 1ms":                              "-time",
		"-warm-up 0s":                            "-warm-up",
		"-cpuprofile p -profile-kind x":          "-profile-kind",
		"-cpuprofile p -profile-batch 2":         "-profile-batch",
		"-cpuprofile p -profile-kind otlp-json":  "",
		"-cpuprofile p -profile-kind callstitch": "",
		"-cpuprofile p -profile-legs 0":          "-profile-legs",
		"-part records,restart":                  "",
		"-part records,nonsense":                 "-part",
		"-most-legs 10":                          "-most-legs",
		"-most-traces -1":                        "-most-traces",
		"-load-time 1ms":                         "-load-time",
		"-rate 0":                                "-rate",
		"extra":                                  "unexpected argument",
	} {
		_, err := parseOptions(strings.Fields(args))
		if want == "" {
			require.NoError(t, err, args)
			continue
		}
		require.ErrorContains(t, err, want, args)
	}
}
