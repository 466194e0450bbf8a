// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
)

var benchmarked = [...]string{"session-started.json", "session-ended.json", "tag-added-track.json", "storage-enter-low.json"}

// BenchmarkConvert is everything between the HTTP body and the next consumer:
// decode, keys, judgement, log records.
func BenchmarkConvert(b *testing.B) {
	windows := createDefaultConfig().(*Config).Deduplication
	for _, name := range benchmarked {
		b.Run(name, func(b *testing.B) {
			d := &delivery{known: newKnown(0, true), windows: &windows, version: "bench", limits: outbox.Limits{Bytes: 1 << 20, Records: 512}}
			req := &webhook.Request{Body: fixture(b, name), Address: "192.0.2.60"}
			b.SetBytes(int64(len(req.Body)))
			b.ReportAllocs()
			for b.Loop() {
				in := newIntake(req, time.Now())
				in.judge(d.known, d.windows)
				source := d.resource.build(req)
				p := d.limits.Cut(0, in.parts(), in.sizeOfPart)
				out := d.newSender(b.Context(), in, &source)
				d.convert(in, &p, out)
				if out.Records.Len() != 1 {
					b.Fatal("not read")
				}
			}
		})
	}
}

// BenchmarkOTLPJSON reads the same records from OTLP JSON, which is what a
// sender that speaks OpenTelemetry would post.
func BenchmarkOTLPJSON(b *testing.B) {
	windows := createDefaultConfig().(*Config).Deduplication
	for _, name := range benchmarked {
		b.Run(name, func(b *testing.B) {
			d := &delivery{known: newKnown(0, true), windows: &windows, version: "bench", limits: outbox.Limits{Bytes: 1 << 20, Records: 512}}
			req := &webhook.Request{Body: fixture(b, name), Address: "192.0.2.60"}
			in := newIntake(req, time.Now())
			in.judge(d.known, d.windows)
			source := d.resource.build(req)
			p := d.limits.Cut(0, in.parts(), in.sizeOfPart)
			out := d.newSender(b.Context(), in, &source)
			d.convert(in, &p, out)
			logs := plog.NewLogs()
			out.Records.MoveAndAppendTo(out.Open(logs))
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
