// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/mediasense/event"
	"github.com/legato-otel/legato/internal/otel/aggregate"
)

// startTelemetry makes each series begin at 0, because rate() does not see the value
// that a series begins with, and registers the gauge of accepted keys.
func (r *eventReceiver) startTelemetry(ctx context.Context, a *acceptor) error {
	outbox.AddZeros(ctx, r.telemetry.ReceiverMediasenseRecords)
	return r.telemetry.RegisterReceiverMediasenseKeysCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(int64(a.accepted.count()))
		return nil
	})
}

// countOutcomes counts the parts of a chunk by outcome, and the lag of its events.
func (a *acceptor) countOutcomes(ctx context.Context, b *batch, c *outbox.Chunk) {
	var counts outbox.Outcomes
	now := time.Now()
	from, to := b.eventsOf(c)
	for i := from; i < to; i++ {
		e := &b.decoded.Events[i]
		decoded := outbox.Accepted
		if e.Type == event.TypeUnknown {
			decoded = outbox.Unknown
		}
		outcome := c.OutcomeOf(b.events[i].isDuplicate, decoded)
		counts[outcome]++
		if date := eventTime(e); outcome == outbox.Accepted && date > 0 && date <= latestDate {
			if lag := max(0, now.Sub(time.UnixMilli(date)).Seconds()); aggregate.PlausibleSeconds(lag) {
				a.telemetry.ReceiverMediasenseLag.Record(ctx, lag)
			}
		}
	}
	from, to = b.malformedOf(c)
	for i := from; i < to; i++ {
		counts[c.OutcomeOf(b.malformed[i].isDuplicate, outbox.Malformed)]++
	}
	counts.AddTo(ctx, a.telemetry.ReceiverMediasenseRecords)
}

// countRefused counts the new parts that were not accepted.
func (a *acceptor) countRefused(ctx context.Context, parts int) {
	counts := outbox.Outcomes{outbox.Refused: int64(parts)}
	counts.AddTo(ctx, a.telemetry.ReceiverMediasenseRecords)
}
