// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/mediasense/event"
	"github.com/legato-otel/legato/internal/otel/aggregate"
)

// outcome is what became of an event; the attribute of receiver_mediasense_records.
type outcome uint8

const (
	accepted  outcome = iota
	duplicate         // taken before
	refused           // the next consumer wants it again later
	malformed         // quarantined
	unknown           // of an unknown type or action, kept as such
	lost              // refused by the next consumer even as quarantine
	outcomes
)

var outcomeOptions = func() (all [outcomes][]metric.AddOption) {
	for what, value := range [outcomes]string{"accepted", "duplicate", "refused", "malformed", "unknown", "lost"} {
		all[what] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attribute.String("outcome", value)))}
	}
	return all
}()

// statusOptions are made once: they are needed for every request.
var statusOptions = func() map[int]metric.MeasurementOption {
	all := make(map[int]metric.MeasurementOption)
	for _, status := range webhook.Statuses {
		all[status] = metric.WithAttributeSet(attribute.NewSet(attribute.Int("http.response.status_code", status)))
	}
	return all
}()

// countAnswers counts requests by the status they were answered with.
func (r *eventReceiver) countAnswers(ctx context.Context, status int, n int64) {
	r.telemetry.ReceiverMediasenseRequests.Add(ctx, n, statusOptions[status])
}

// startTelemetry lets the series be born at zero, because a rate does not see
// what a series is born with, and registers what is read when somebody looks.
func (r *eventReceiver) startTelemetry(ctx context.Context, d *delivery) error {
	for _, what := range outcomeOptions {
		r.telemetry.ReceiverMediasenseRecords.Add(ctx, 0, what...)
	}
	return r.telemetry.RegisterReceiverMediasenseKeysCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(int64(d.known.len()))
		return nil
	})
}

// count reports what became of a piece's events.
func (d *delivery) count(ctx context.Context, in *intake, p *outbox.Piece) {
	var counts [outcomes]int64
	now := time.Now()
	from, to := in.eventsOf(p)
	for i := from; i < to; i++ {
		e := &in.batch.Events[i]
		what := outcomeOf(p, in.events[i], e.Type)
		counts[what]++
		if date := eventTime(e); what == accepted && date > 0 && date <= latestDate {
			if lag := max(0, now.Sub(time.UnixMilli(date)).Seconds()); aggregate.PlausibleSeconds(lag) {
				d.telemetry.ReceiverMediasenseLag.Record(ctx, lag)
			}
		}
	}
	from, to = in.malformedOf(p)
	for i := from; i < to; i++ {
		counts[outcomeOfMalformed(p, in.malformed[i])]++
	}
	d.add(ctx, counts)
}

func outcomeOf(p *outbox.Piece, j judged, t event.Type) outcome {
	switch what := outcomeOfMalformed(p, j); {
	case what != malformed || p.Rejected != nil:
		return what
	case t == event.TypeUnknown:
		return unknown
	default:
		return accepted
	}
}

func outcomeOfMalformed(p *outbox.Piece, j judged) outcome {
	switch {
	case j.duplicate:
		return duplicate
	case p.Lost:
		return lost
	default:
		return malformed
	}
}

// countRefused reports that so many new parts of a body were not taken.
func (d *delivery) countRefused(ctx context.Context, parts int) {
	var counts [outcomes]int64
	counts[refused] = int64(parts)
	d.add(ctx, counts)
}

func (d *delivery) add(ctx context.Context, counts [outcomes]int64) {
	for what, n := range counts {
		if n > 0 {
			d.telemetry.ReceiverMediasenseRecords.Add(ctx, n, outcomeOptions[what]...)
		}
	}
}
