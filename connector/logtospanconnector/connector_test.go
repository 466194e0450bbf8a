// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logtospanconnector

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/names"
)

func nextThat(t *testing.T, answers func(ptrace.Traces) error) consumer.Traces {
	t.Helper()
	next, err := consumer.NewTraces(func(_ context.Context, traces ptrace.Traces) error { return answers(traces) })
	require.NoError(t, err)
	return next
}

func TestDoesNotMutate(t *testing.T) {
	assert.False(t, newHarness(t, nil).Capabilities().MutatesData)
}

// The error that comes back is the next consumer's own, not one like it.
func TestErrorsAreReturnedAsTheyAre(t *testing.T) {
	retryable := errors.New("full")
	for _, want := range []error{
		retryable,
		consumererror.NewPermanent(errors.New("never")),
		consumererror.NewTraces(retryable, ptrace.NewTraces()),
		context.DeadlineExceeded,
	} {
		r := newHarness(t, nextThat(t, func(ptrace.Traces) error { return want }))
		got := r.ConsumeLogs(t.Context(), oneRecord(nil))
		if got != want { //nolint:errorlint // the very error, not one like it
			t.Errorf("got %v, want %v", got, want)
		}
		assert.Equal(t, consumererror.IsPermanent(want), consumererror.IsPermanent(got))
		r.counted(resultCounts{})
	}
}

// What was refused comes again and is counted then.
func TestRefusedRecordsAreCountedOnce(t *testing.T) {
	answer := errors.New("full")
	r := newHarness(t, nextThat(t, func(ptrace.Traces) error { return answer }))
	logs := oneRecord(nil)
	oneRecord(with(names.SpanKind, "odd")).ResourceLogs().MoveAndAppendTo(logs.ResourceLogs())
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	logs.MarkReadOnly()
	for range 3 {
		require.Error(t, r.ConsumeLogs(t.Context(), logs))
	}
	r.counted(resultCounts{})
	answer = nil
	require.NoError(t, r.ConsumeLogs(t.Context(), logs))
	r.counted(resultCounts{converted: 1, skipped: 1, kindUnknown: 1})
	assert.Equal(t, 1, r.log.Len())
}

func TestNothingMakesNoCall(t *testing.T) {
	called := false
	r := newHarness(t, nextThat(t, func(ptrace.Traces) error {
		called = true
		return nil
	}))
	require.NoError(t, r.ConsumeLogs(t.Context(), plog.NewLogs()))
	require.NoError(t, r.ConsumeLogs(t.Context(), oneRecord(func(lr plog.LogRecord) { lr.Attributes().Clear() })))
	require.NoError(t, r.ConsumeLogs(t.Context(), oneRecord(with(names.SpanStart, nil))))
	assert.False(t, called)
	r.counted(resultCounts{skipped: 1, startMissing: 1})
}

// The context, with what the client and the pipeline put there, goes along.
func TestContextIsHandedOn(t *testing.T) {
	type key struct{}
	var got any
	next, err := consumer.NewTraces(func(ctx context.Context, _ ptrace.Traces) error {
		got = ctx.Value(key{})
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, newHarness(t, next).ConsumeLogs(context.WithValue(t.Context(), key{}, "tenant"), oneRecord(nil)))
	assert.Equal(t, "tenant", got)
}

// One line for each kind of fault, and nothing of the record in it.
func TestFaultsAreLoggedOncePerKind(t *testing.T) {
	const secret = "paula@example.test"
	r := newHarness(t, nil)
	faults := map[result]func(plog.LogRecord){
		startInvalid:    with(names.SpanStart, secret),
		kindUnknown:     with(names.SpanKind, secret),
		statusUnknown:   with(names.SpanStatus, secret),
		parentIDInvalid: with(names.SpanParentID, secret),
		linkInvalid:     with(names.SpanLinks, []any{secret, secret}),
	}
	want := resultCounts{}
	for range 3 {
		for v, fault := range faults {
			require.NoError(t, r.ConsumeLogs(t.Context(), oneRecord(fault)))
			want[v]++
		}
	}
	r.counted(want)
	require.Equal(t, len(faults), r.log.Len())
	for _, entry := range r.log.All() {
		assert.Equal(t, zap.WarnLevel, entry.Level)
		assert.NotContains(t, entry.Message, secret)
		for _, value := range entry.ContextMap() {
			assert.NotContains(t, value, secret)
		}
	}
	for v := range faults {
		assert.Equal(t, 1, r.log.FilterFieldKey("explanation").FilterField(zap.String("reason", resultInfo[v].reason)).Len())
	}
}

// The result stands on its own: who gets it may change it.
func TestResultSharesNothingWithTheInput(t *testing.T) {
	logs := oneRecord(func(lr plog.LogRecord) {
		with("list", []any{"a", map[string]any{"b": "c"}})(lr)
		with(names.SpanLinks, []any{map[string]any{
			names.SpanLinkTraceID: "01000000000000000000000000000000", names.SpanLinkSpanID: "0100000000000000", "list": []any{"a"},
		}})(lr)
	})
	logs.ResourceLogs().At(0).Resource().Attributes().PutStr("service.name", "x")
	before := bytesOf(t, logs)
	traces, counts := convert(logs)
	require.Equal(t, resultCounts{converted: 1}, counts)
	rs := traces.ResourceSpans().At(0)
	rs.Resource().Attributes().PutStr("service.name", "y")
	rs.ScopeSpans().At(0).Scope().SetName("y")
	span := allSpans(traces)[0]
	list, _ := span.Attributes().Get("list")
	list.Slice().At(0).SetStr("y")
	list, _ = span.Links().At(0).Attributes().Get("list")
	list.Slice().At(0).SetStr("y")
	assert.Equal(t, before, bytesOf(t, logs))
}

// Several pipelines may send at once, and the same logs to several connectors.
func TestConcurrentUse(t *testing.T) {
	const workers, rounds = 8, 50
	logs := loadLogs(t, "testdata/golden/invalid/in.json")
	logs.MarkReadOnly()
	_, each := convert(logs)
	sink := new(consumertest.TracesSink)
	r := newHarness(t, sink)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range rounds {
				assert.NoError(t, r.ConsumeLogs(t.Context(), logs))
			}
		})
	}
	wg.Wait()
	want := each
	for v := range want {
		want[v] *= workers * rounds
	}
	r.counted(want)
	assert.Equal(t, workers*rounds, sink.SpanCount())
	assert.Equal(t, 11, r.log.Len())
}
