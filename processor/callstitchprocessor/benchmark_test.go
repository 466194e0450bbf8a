// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/processor/callstitchprocessor/internal/metadata"
)

// legs returns a request with update records of as many legs, each in a call,
// with as many attributes as a leg has.
func legs(n int) plog.Logs {
	logs := say(names.EventCallLegUpdate, 0, nil)
	rl := logs.ResourceLogs().At(0)
	for _, key := range []string{names.ServiceInstanceID, names.CallBridgeID, names.ClientAddress, names.SystemID} {
		rl.Resource().Attributes().PutStr(key, "d80df859-cbc0-44ee-8611-449ab1bf39d7")
	}
	all := rl.ScopeLogs().At(0).LogRecords()
	for all.Len() < n {
		all.At(0).CopyTo(all.AppendEmpty())
	}
	for i, lr := range all.All() {
		a := lr.Attributes()
		a.PutStr(names.CallLegID, fmt.Sprintf("fc9c85ca-8c41-4a1a-9252-%012d", i))
		a.PutStr(names.CallID, fmt.Sprintf("46d49cb4-8171-4abc-97f5-%012d", i/4))
		a.PutInt(names.RecordIndex, int64(i+1))
		a.PutStr(names.ParticipantID, fmt.Sprintf("60ebbdd8-9d88-41c2-8983-%012d", i))
		for k := range 12 {
			a.PutStr(fmt.Sprintf("cisco.meeting_server.call_leg.attribute_%d", k), "room1@example.test")
		}
	}
	return logs
}

// BenchmarkConsume measures requests whose records are of known legs, without
// storage: reading, merging and stamping.
func BenchmarkConsume(b *testing.B) {
	for _, n := range []int{1, 10, 50} {
		b.Run(fmt.Sprintf("%d records", n), func(b *testing.B) {
			settings := processortest.NewNopSettings(metadata.Type)
			made, err := NewFactory().CreateLogs(b.Context(), settings, createDefaultConfig(), consumertest.NewNop())
			require.NoError(b, err)
			require.NoError(b, made.Start(b.Context(), componenttest.NewNopHost()))
			defer func() { require.NoError(b, made.Shutdown(b.Context())) }()
			logs := legs(n)
			b.ReportAllocs()
			for b.Loop() {
				if err := made.ConsumeLogs(b.Context(), logs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/record")
		})
	}
}

// BenchmarkReadAndStamp measures what this package does with a record, without
// the engine.
func BenchmarkReadAndStamp(b *testing.B) {
	s := newState(createDefaultConfig().(*Config))
	all := newSources()
	br := &requestReader{engine: s.engine, sources: &all}
	logs := together(say(names.EventCallStart, 0, map[string]any{
		names.CallID: "46d49cb4-8171-4abc-97f5-000000000000", names.CallCorrelator: "c", names.CoSpaceID: "s", "cisco.meeting_server.call.name": "n",
	}), legs(1))
	_, err := br.merge(logs, alone(noon))
	require.NoError(b, err)
	ref := br.pendingStamps[1].ref
	lr := records(logs)[1]
	fields := lr.Attributes().Len()
	added := map[string]bool{names.CallCorrelator: true, names.CoSpaceID: true, "cisco.meeting_server.call.name": true}
	b.ReportAllocs()
	for b.Loop() {
		br.sources.get(logs.ResourceLogs().At(1))
		br.ahead.read(s.engine, logs.ResourceLogs().At(1).ScopeLogs().At(0).LogRecords(), 0, 1)
		known, _ := s.engine.Stamp(ref)
		stamp(lr, &known)
		lr.SetTraceID(pcommon.TraceID{})
		lr.SetSpanID(pcommon.SpanID{})
		lr.Attributes().RemoveIf(func(key string, _ pcommon.Value) bool { return added[key] })
	}
	require.Equal(b, fields, lr.Attributes().Len())
}
