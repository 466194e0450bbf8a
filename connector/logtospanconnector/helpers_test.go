// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logtospanconnector

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/connector/logtospanconnector/internal/metadata"
	"github.com/legato-otel/legato/connector/logtospanconnector/internal/metadatatest"
	"github.com/legato-otel/legato/internal/names"
)

// harness is a started connector, with its consumer of traces, a log and internal metrics.
type harness struct {
	connector.Logs
	t         *testing.T
	sink      *consumertest.TracesSink
	log       *observer.ObservedLogs
	telemetry *componenttest.Telemetry
}

// newHarness connects next, or a sink if it is nil.
func newHarness(t *testing.T, next consumer.Traces) *harness {
	t.Helper()
	core, log := observer.New(zap.DebugLevel)
	r := &harness{t: t, sink: new(consumertest.TracesSink), log: log, telemetry: componenttest.NewTelemetry()}
	if next == nil {
		next = r.sink
	}
	settings := connectortest.NewNopSettings(metadata.Type)
	settings.TelemetrySettings = r.telemetry.NewTelemetrySettings()
	settings.Logger = zap.New(core)
	factory := NewFactory()
	made, err := factory.CreateLogsToTraces(t.Context(), settings, factory.CreateDefaultConfig(), next)
	require.NoError(t, err)
	require.NoError(t, made.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		require.NoError(t, made.Shutdown(ctx))
		require.NoError(t, r.telemetry.Shutdown(ctx))
	})
	r.Logs = made
	return r
}

// counted asserts the values of the counter, and that there are no others.
func (r *harness) counted(want resultCounts) {
	r.t.Helper()
	var points []metricdata.DataPoint[int64]
	for v, n := range want {
		if n == 0 {
			continue
		}
		attributes := []attribute.KeyValue{attribute.String("outcome", resultInfo[v].outcome)}
		if resultInfo[v].reason != "" {
			attributes = append(attributes, attribute.String("reason", resultInfo[v].reason))
		}
		points = append(points, metricdata.DataPoint[int64]{Attributes: attribute.NewSet(attributes...), Value: n})
	}
	if len(points) == 0 {
		_, err := r.telemetry.GetMetric("otelcol_connector_logtospan_records")
		require.Error(r.t, err, "something was counted")
		return
	}
	metadatatest.AssertEqualConnectorLogtospanRecords(r.t, r.telemetry, points, metricdatatest.IgnoreTimestamp())
}

func sumOf(t *testing.T, m metricdata.Metrics) []metricdata.DataPoint[int64] {
	t.Helper()
	sum, ok := m.Data.(metricdata.Sum[int64])
	require.True(t, ok)
	return sum.DataPoints
}

var (
	aTrace = pcommon.TraceID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	aSpan  = pcommon.SpanID{1, 2, 3, 4, 5, 6, 7, 8}
)

const (
	aStart = 1_709_630_052_000_000_001
	anEnd  = 1_709_630_099_000_000_002
)

// oneRecord returns logs with one good record, as change alters it.
func oneRecord(change func(plog.LogRecord)) plog.Logs {
	logs := plog.NewLogs()
	lr := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetTraceID(aTrace)
	lr.SetSpanID(aSpan)
	lr.SetTimestamp(anEnd)
	lr.Attributes().PutStr(names.SpanName, "call")
	lr.Attributes().PutInt(names.SpanStart, aStart)
	if change != nil {
		change(lr)
	}
	return logs
}

// with returns a change of oneRecord: the attribute of any type, nil takes
// it away.
func with(key string, value any) func(plog.LogRecord) {
	return func(lr plog.LogRecord) {
		if value == nil {
			lr.Attributes().Remove(key)
			return
		}
		if err := lr.Attributes().PutEmpty(key).FromRaw(value); err != nil {
			panic(err)
		}
	}
}

func allSpans(traces ptrace.Traces) (all []ptrace.Span) {
	for _, rs := range traces.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				all = append(all, span)
			}
		}
	}
	return all
}

func allRecords(logs plog.Logs) (all []plog.LogRecord) {
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				all = append(all, lr)
			}
		}
	}
	return all
}

// bytesOf is the wire form, which reports whether anything was changed.
func bytesOf(tb testing.TB, logs plog.Logs) []byte {
	tb.Helper()
	wire, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	require.NoError(tb, err)
	return wire
}
