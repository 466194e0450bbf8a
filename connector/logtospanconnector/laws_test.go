// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logtospanconnector

import (
	"encoding/hex"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/legato-otel/legato/internal/names"
)

// FuzzConvert: whatever the logs are, the laws hold.
func FuzzConvert(f *testing.F) {
	seeds, err := filepath.Glob("testdata/golden/*/in.json")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds found: %v", err)
	}
	for _, seed := range seeds {
		content, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
		// Small ones are easier to alter in a way that matters.
		logs := loadLogs(f, seed)
		for _, lr := range allRecords(logs) {
			one := plog.NewLogs()
			lr.CopyTo(one.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
			content, err := (&plog.JSONMarshaler{}).MarshalLogs(one)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(content)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(content)
		if err != nil {
			return
		}
		holdsLaws(t, logs)
	})
}

// holdsLaws converts logs and holds the result against them.
func holdsLaws(t *testing.T, logs plog.Logs) {
	t.Helper()
	before := bytesOf(t, logs)
	logs.MarkReadOnly()
	traces, counts := convert(logs)
	require.Equal(t, before, bytesOf(t, logs), "the input is changed")

	// Each record is counted once, and is a span or not.
	var sum int64
	for _, n := range counts {
		sum += n
	}
	require.EqualValues(t, logs.LogRecordCount(), sum)
	require.EqualValues(t, traces.SpanCount(), counts[converted]+counts[linkInvalid])

	// Nothing empty, nothing torn apart.
	require.LessOrEqual(t, traces.ResourceSpans().Len(), logs.ResourceLogs().Len())
	for _, rs := range traces.ResourceSpans().All() {
		require.NotZero(t, rs.ScopeSpans().Len())
		for _, ss := range rs.ScopeSpans().All() {
			require.NotZero(t, ss.Spans().Len())
		}
	}

	// The spans are those of the records that the plain rule takes, in order.
	var expected []plog.LogRecord
	for _, lr := range allRecords(logs) {
		if isSpan(lr) {
			expected = append(expected, lr)
		}
	}
	spans := allSpans(traces)
	require.Len(t, spans, len(expected))
	for i, span := range spans {
		isWhole(t, span)
		isOf(t, span, expected[i])
	}
}

// isSpan is the rule as the README tells it, written a second time.
func isSpan(lr plog.LogRecord) bool {
	attributes := lr.Attributes()
	raw := func(key string) any {
		// AsRaw keeps the last of several with one key, Get finds the first.
		value, found := attributes.Get(key)
		if !found {
			return nil
		}
		return value.AsRaw()
	}
	in := func(key string, allowed ...any) bool {
		for _, a := range allowed {
			if assert.ObjectsAreEqual(a, raw(key)) {
				return true
			}
		}
		return false
	}
	start := startOf(raw(names.SpanStart))
	name, isText := raw(names.SpanName).(string)
	parent, parentIsText := raw(names.SpanParentID).(string)
	id, err := hex.DecodeString(parent)
	own := lr.SpanID()
	return !lr.TraceID().IsEmpty() && !own.IsEmpty() && start > 0 && lr.Timestamp() >= pcommon.Timestamp(start) &&
		(isText || raw(names.SpanName) == nil) && name+lr.EventName() != "" &&
		in(names.SpanKind, nil, "server", "client", "internal", "producer", "consumer") &&
		in(names.SpanStatus, nil, "unset", "ok", "error") &&
		(parentIsText || raw(names.SpanParentID) == nil) &&
		(parent == "" || err == nil && len(id) == 8 && pcommon.SpanID(id) != own && !pcommon.SpanID(id).IsEmpty())
}

func startOf(raw any) uint64 {
	switch raw := raw.(type) {
	case int64:
		return uint64(max(0, raw))
	case string:
		n, err := strconv.ParseUint(raw, 10, 64)
		if err == nil {
			return n
		}
	}
	return 0
}

// isWhole: no half spans.
func isWhole(t *testing.T, span ptrace.Span) {
	t.Helper()
	require.False(t, span.TraceID().IsEmpty())
	require.False(t, span.SpanID().IsEmpty())
	require.NotEqual(t, span.SpanID(), span.ParentSpanID())
	require.NotZero(t, span.StartTimestamp())
	require.GreaterOrEqual(t, span.EndTimestamp(), span.StartTimestamp())
	require.NotEmpty(t, span.Name())
	require.NotEqual(t, ptrace.SpanKindUnspecified, span.Kind())
	for _, link := range span.Links().All() {
		require.False(t, link.TraceID().IsEmpty())
		require.False(t, link.SpanID().IsEmpty())
	}
}

// isOf: the span says exactly what its record does.
func isOf(t *testing.T, span ptrace.Span, lr plog.LogRecord) {
	t.Helper()
	require.Equal(t, lr.TraceID(), span.TraceID())
	require.Equal(t, lr.SpanID(), span.SpanID())
	require.Equal(t, lr.Timestamp(), span.EndTimestamp())
	start, _ := lr.Attributes().Get(names.SpanStart)
	require.Equal(t, startOf(start.AsRaw()), uint64(span.StartTimestamp()))
	require.Equal(t, uint32(lr.Flags())&0xff, span.Flags())
	require.Equal(t, lr.DroppedAttributesCount(), span.DroppedAttributesCount())

	moved := map[string]bool{
		names.SpanName: true, names.SpanKind: true, names.SpanParentID: true,
		names.SpanStart: true, names.SpanStatus: true, names.SpanLinks: true,
	}
	want := pcommon.NewMap()
	lr.Attributes().CopyTo(want)
	want.RemoveIf(func(key string, _ pcommon.Value) bool { return moved[key] })
	if _, found := want.Get(names.RecordEventName); !found && lr.EventName() != "" {
		want.PutStr(names.RecordEventName, lr.EventName())
	}
	require.Equal(t, wireForm(t, want), wireForm(t, span.Attributes()))

	links, given := lr.Attributes().Get(names.SpanLinks)
	if given && links.Type() == pcommon.ValueTypeSlice {
		require.Equal(t, links.Slice().Len(), span.Links().Len()+int(span.DroppedLinksCount()))
	}
}

// wireForm compares what Equal cannot: a NaN is not equal to itself.
func wireForm(t *testing.T, m pcommon.Map) []byte {
	t.Helper()
	logs := plog.NewLogs()
	m.CopyTo(logs.ResourceLogs().AppendEmpty().Resource().Attributes())
	return bytesOf(t, logs)
}

// Ids and times are carried bit by bit, whatever they are.
func TestIDsAndTimesAreCarriedExactly(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 5_000 {
		logs := oneRecord(func(lr plog.LogRecord) {
			var trace pcommon.TraceID
			var span, parent pcommon.SpanID
			for _, id := range [][]byte{trace[:], span[:], parent[:]} {
				for i := range id {
					id[i] = byte(random.Uint32())
				}
			}
			start := 1 + random.Uint64()>>random.IntN(63)
			end := start + min(random.Uint64()>>random.IntN(63), ^start)
			lr.SetTraceID(trace)
			lr.SetSpanID(span)
			lr.SetTimestamp(pcommon.Timestamp(end))
			lr.SetFlags(plog.LogRecordFlags(random.Uint32()))
			lr.Attributes().PutStr(names.SpanParentID, hex.EncodeToString(parent[:]))
			if start>>63 == 0 && random.IntN(2) == 0 {
				lr.Attributes().PutInt(names.SpanStart, int64(start))
			} else {
				lr.Attributes().PutStr(names.SpanStart, strconv.FormatUint(start, 10))
			}
		})
		holdsLaws(t, logs)
		traces, counts := convert(logs)
		require.Equal(t, resultCounts{converted: 1}, counts)
		parent, _ := allRecords(logs)[0].Attributes().Get(names.SpanParentID)
		require.Equal(t, parent.Str(), allSpans(traces)[0].ParentSpanID().String())
	}
}
