// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
)

var benchmarked = [...]string{"session-started.json", "session-ended.json", "tag-added-track.json", "storage-enter-low.json"}

// BenchmarkConvert is everything between the HTTP body and the next consumer:
// decode, keys, classification, log records.
func BenchmarkConvert(b *testing.B) {
	windows := createDefaultConfig().(*Config).Deduplication
	for _, name := range benchmarked {
		b.Run(name, func(b *testing.B) {
			a := &acceptor{accepted: newAcceptedKeys(0, true), windows: &windows}
			req := &webhook.Request{Body: fixture(b, name), ClientAddress: "192.0.2.60"}
			b.SetBytes(int64(len(req.Body)))
			b.ReportAllocs()
			for b.Loop() {
				out := convert(b, a, req)
				if out.Records.Len() != 1 {
					b.Fatal("not read")
				}
			}
		})
	}
}

// convert returns a sender with the log records of a body.
func convert(b *testing.B, a *acceptor, request *webhook.Request) *outbox.PayloadWriter {
	b.Helper()
	in := newBatch(a, request, time.Now())
	in.findNewParts(a.accepted, a.windows)
	in.resource = a.resource.build(request)
	out := &outbox.PayloadWriter{
		Context: b.Context(), MaxRawBytes: 1 << 20, ReceivedAt: pcommon.NewTimestampFromTime(in.receivedAt),
		AddResource: func(payload plog.Logs) plog.LogRecordSlice {
			resource := payload.ResourceLogs().AppendEmpty()
			in.PutResource(resource.Resource().Attributes())
			return resource.ScopeLogs().AppendEmpty().LogRecords()
		},
	}
	out.StartPayload()
	size := func(number int) (int, bool) {
		raw, isNew := in.Part(number)
		return len(raw), isNew
	}
	c := outbox.Limits{Bytes: 1 << 20, Records: 512}.NextChunk(0, in.Parts(), size)
	if err := in.AddRecords(&c, out); err != nil {
		b.Fatal(err)
	}
	return out
}

// BenchmarkOTLPJSON reads the same records from OTLP JSON, as a
// sender of OpenTelemetry would post them.
func BenchmarkOTLPJSON(b *testing.B) {
	windows := createDefaultConfig().(*Config).Deduplication
	for _, name := range benchmarked {
		b.Run(name, func(b *testing.B) {
			a := &acceptor{accepted: newAcceptedKeys(0, true), windows: &windows}
			req := &webhook.Request{Body: fixture(b, name), ClientAddress: "192.0.2.60"}
			out := convert(b, a, req)
			logs := plog.NewLogs()
			out.Records.MoveAndAppendTo(out.AddResource(logs))
			encoded, err := new(plog.JSONMarshaler).MarshalLogs(logs)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(encoded)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := new(plog.JSONUnmarshaler).UnmarshalLogs(encoded); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
