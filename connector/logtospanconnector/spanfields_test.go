// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logtospanconnector

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/legato-otel/legato/internal/names"
)

// convertOne converts one record and returns the result and the span.
func convertOne(t *testing.T, change func(plog.LogRecord)) (result, []ptrace.Span) {
	t.Helper()
	traces, counts := convert(oneRecord(change))
	for v, n := range counts {
		if n > 0 {
			assert.Equal(t, int64(1), n)
			spans := allSpans(traces)
			assert.Equal(t, resultInfo[v].outcome == "converted", len(spans) == 1)
			return result(v), spans
		}
	}
	require.Fail(t, "the record was not counted")
	return 0, nil
}

// Whatever a value may be, the record is a whole span or none.
func TestValues(t *testing.T) {
	f := func(key string, value any, want result) {
		t.Helper()
		got, _ := convertOne(t, with(key, value))
		assert.Equal(t, resultInfo[want], resultInfo[got], "%s = %#v", key, value)
	}
	anything := []any{"", " ", "x", "-1", "1.5", "0", int64(0), int64(-1), int64(math.MaxInt64), int64(math.MinInt64), 1.5, math.NaN(), math.Inf(1), true, false, []byte{1}, []any{}, []any{"x"}, map[string]any{}, map[string]any{"x": 1}}
	except := func(right ...any) (wrong []any) {
		for _, value := range anything {
			isRight := false
			for _, r := range right {
				isRight = isRight || assert.ObjectsAreEqual(r, value)
			}
			if !isRight {
				wrong = append(wrong, value)
			}
		}
		return wrong
	}

	for _, value := range except(int64(math.MaxInt64)) {
		f(names.SpanStart, value, startInvalid)
	}
	f(names.SpanStart, nil, startMissing)
	f(names.SpanStart, int64(math.MaxInt64), endBeforeStart)
	f(names.SpanStart, "18446744073709551615", endBeforeStart)
	f(names.SpanStart, "18446744073709551616", startInvalid)
	f(names.SpanStart, "1709630052000000001", converted)
	f(names.SpanStart, "+1709630052000000001", startInvalid)
	f(names.SpanStart, " 1709630052000000001", startInvalid)
	f(names.SpanStart, "0x1", startInvalid)
	f(names.SpanStart, "1_000", startInvalid)
	f(names.SpanStart, "1e18", startInvalid)
	f(names.SpanStart, 1.709630052e18, startInvalid)
	f(names.SpanStart, int64(1), converted)
	f(names.SpanStart, int64(anEnd), converted)
	f(names.SpanStart, int64(anEnd+1), endBeforeStart)

	for _, value := range except(" ", "x", "-1", "1.5", "0") {
		f(names.SpanName, value, nameInvalid)
	}
	f(names.SpanName, nil, nameInvalid)

	for _, value := range except() {
		f(names.SpanKind, value, kindUnknown)
		f(names.SpanStatus, value, statusUnknown)
	}
	for _, value := range except("") {
		f(names.SpanParentID, value, parentIDInvalid)
	}
	for _, value := range []string{
		"0000000000000000", "00000000000000g0", "1234567890abcde", "1234567890abcdef0", "0x1234567890abcd", "1234567890abcde ", strings.Repeat("ab", 16), "方向方向方x",
	} {
		f(names.SpanParentID, value, parentIDInvalid)
	}
	f(names.SpanParentID, "0102030405060708", parentIsSelf)
	f(names.SpanParentID, "0102030405060709", converted)
	f(names.SpanParentID, "", converted)

	for _, value := range except([]any{}) {
		f(names.SpanLinks, value, linkInvalid)
	}
	f(names.SpanLinks, []any{}, converted)
}

// The fields of the record itself.
func TestRecordFields(t *testing.T) {
	f := func(change func(plog.LogRecord), want result) {
		t.Helper()
		got, _ := convertOne(t, change)
		assert.Equal(t, resultInfo[want], resultInfo[got])
	}
	f(nil, converted)
	f(func(lr plog.LogRecord) { lr.SetTraceID(pcommon.TraceID{}) }, traceIDMissing)
	f(func(lr plog.LogRecord) { lr.SetSpanID(pcommon.SpanID{}) }, spanIDMissing)
	f(func(lr plog.LogRecord) { lr.SetTimestamp(0) }, endMissing)
	f(func(lr plog.LogRecord) { lr.SetTimestamp(0); lr.SetObservedTimestamp(anEnd) }, endMissing)
	f(func(lr plog.LogRecord) { lr.SetTimestamp(aStart) }, converted)
	f(func(lr plog.LogRecord) { lr.SetTimestamp(aStart - 1) }, endBeforeStart)
	f(func(lr plog.LogRecord) { lr.SetTimestamp(math.MaxUint64) }, converted)
	f(func(lr plog.LogRecord) { lr.Attributes().Clear() }, skipped)
	f(func(lr plog.LogRecord) { lr.Attributes().Clear(); lr.Attributes().PutStr("span.other", "x") }, skipped)
	f(func(lr plog.LogRecord) { lr.Attributes().Clear(); lr.Attributes().PutEmpty(names.SpanStart) }, skipped)
	f(func(lr plog.LogRecord) { lr.Attributes().Remove(names.SpanName); lr.SetEventName("e") }, converted)
}

// Each attribute that names a span makes the record one that has to be right.
func TestClaims(t *testing.T) {
	for _, key := range []string{names.SpanName, names.SpanKind, names.SpanParentID, names.SpanStatus, names.SpanLinks} {
		got, _ := convertOne(t, func(lr plog.LogRecord) {
			lr.Attributes().Clear()
			lr.Attributes().PutStr(key, "x")
		})
		assert.Equal(t, startMissing, got, "%s", key)
	}
}

func TestKindsAndStatus(t *testing.T) {
	for text, want := range map[any]ptrace.SpanKind{
		nil: ptrace.SpanKindInternal, "internal": ptrace.SpanKindInternal, "server": ptrace.SpanKindServer,
		"client": ptrace.SpanKindClient, "producer": ptrace.SpanKindProducer, "consumer": ptrace.SpanKindConsumer,
	} {
		_, spans := convertOne(t, with(names.SpanKind, text))
		assert.Equal(t, want, spans[0].Kind(), "%v", text)
	}
	for text, want := range map[any]ptrace.StatusCode{
		nil: ptrace.StatusCodeUnset, "unset": ptrace.StatusCodeUnset, "ok": ptrace.StatusCodeOk, "error": ptrace.StatusCodeError,
	} {
		_, spans := convertOne(t, func(lr plog.LogRecord) {
			with(names.SpanStatus, text)(lr)
			with(names.ErrorType, "remoteBusy")(lr)
		})
		assert.Equal(t, want, spans[0].Status().Code(), "%v", text)
		assert.Equal(t, want == ptrace.StatusCodeError, spans[0].Status().Message() == "remoteBusy", "only an error has a message")
		kept, _ := spans[0].Attributes().Get(names.ErrorType)
		assert.Equal(t, "remoteBusy", kept.Str())
	}
}

// OTLP does not allow it, but senders do it. The first one counts and none stays.
func TestAttributeThatStandsTwice(t *testing.T) {
	logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{
		"traceId":"01000000000000000000000000000000","spanId":"0100000000000000","timeUnixNano":"9","attributes":[
		{"key":"span.start_unix_nano","value":{"intValue":"3"}},{"key":"span.start_unix_nano","value":{"intValue":"4"}},
		{"key":"span.name","value":{"stringValue":"first"}},{"key":"span.name","value":{"stringValue":"second"}}]}]}]}]}`))
	require.NoError(t, err)
	traces, counts := convert(logs)
	assert.Equal(t, resultCounts{converted: 1}, counts)
	span := allSpans(traces)[0]
	assert.Equal(t, "first", span.Name())
	assert.EqualValues(t, 3, span.StartTimestamp())
	assert.Zero(t, span.Attributes().Len())
}

// Every verdict is described, and what the log says has no place for values.
func TestVerdictsAreDescribed(t *testing.T) {
	seen := make(map[string]bool)
	for v, k := range resultInfo {
		assert.Contains(t, []string{"converted", "skipped", "invalid"}, k.outcome)
		assert.Equal(t, result(v) <= skipped, k.reason == "")
		assert.Equal(t, k.reason == "", k.explanation == "")
		assert.NotContains(t, k.explanation, "%")
		assert.False(t, seen[k.outcome+k.reason])
		seen[k.outcome+k.reason] = true
	}
}
