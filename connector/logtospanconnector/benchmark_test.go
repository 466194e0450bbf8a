// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logtospanconnector

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/connector/logtospanconnector/internal/metadata"
	"github.com/legato-otel/legato/internal/names"
)

const batchRecords = 100

// batch holds copies of a record with as many attributes as a call leg has.
func batch(b *testing.B, change func(plog.LogRecord)) plog.Logs {
	b.Helper()
	logs := oneRecord(func(lr plog.LogRecord) {
		lr.SetEventName("cisco.meeting_server.call_leg.span")
		with(names.SpanKind, names.SpanKindServer)(lr)
		with(names.SpanStatus, names.SpanStatusUnset)(lr)
		with(names.SpanParentID, "5581dbaf154caf46")(lr)
		for i := range 40 {
			lr.Attributes().PutStr("cisco.meeting_server.call_leg.attribute."+string(rune('a'+i)), "fc9c85ca-8c41-4a1a-9252-b16977d1e4e1")
		}
		if change != nil {
			change(lr)
		}
	})
	records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for records.Len() < batchRecords {
		records.At(0).CopyTo(records.AppendEmpty())
	}
	logs.MarkReadOnly()
	return logs
}

// BenchmarkRecord measures a record in batches of 100, through the connector
// that the factory makes.
func BenchmarkRecord(b *testing.B) {
	for name, change := range map[string]func(plog.LogRecord){
		"span": nil,
		"span with link": with(names.SpanLinks, []any{map[string]any{
			names.SpanLinkTraceID: "81eec228890c5310c28f44fe626b0159", names.SpanLinkSpanID: "5581dbaf154caf46", names.SpanLinkReason: "moved",
		}}),
		"skipped": func(lr plog.LogRecord) {
			for _, key := range []string{names.SpanName, names.SpanKind, names.SpanStatus, names.SpanParentID, names.SpanStart} {
				lr.Attributes().Remove(key)
			}
		},
		"invalid": with(names.SpanKind, "odd"),
	} {
		b.Run(name, func(b *testing.B) {
			settings := connectortest.NewNopSettings(metadata.Type)
			settings.TelemetrySettings = componenttest.NewTelemetry().NewTelemetrySettings()
			made, err := NewFactory().CreateLogsToTraces(b.Context(), settings, createDefaultConfig(), consumertest.NewNop())
			require.NoError(b, err)
			logs := batch(b, change)
			b.ReportAllocs()
			for b.Loop() {
				if err := made.ConsumeLogs(b.Context(), logs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batchRecords), "ns/record")
		})
	}
}
