// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/meetingserver/cdr"
	"github.com/legato-otel/legato/internal/otel/aggregate"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// outcome is what became of a record; the attribute of receiver_cmscdr_records.
type outcome uint8

const (
	accepted  outcome = iota
	duplicate         // taken before
	refused           // the next consumer wants it again later
	malformed         // quarantined
	unknown           // of an unknown type, quarantined
	lost              // refused by the next consumer even as quarantine
	outcomes
)

var outcomeOptions = [outcomes][]metric.AddOption{
	accepted:  outcomeOption("accepted"),
	duplicate: outcomeOption("duplicate"),
	refused:   outcomeOption("refused"),
	malformed: outcomeOption("malformed"),
	unknown:   outcomeOption("unknown"),
	lost:      outcomeOption("lost"),
}

func outcomeOption(value string) []metric.AddOption {
	return []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attribute.String("outcome", value)))}
}

// zeroTelemetry lets the series be born at zero: a rate does not see what a
// series is born with, and the first loss is the one to be woken by.
func zeroTelemetry(ctx context.Context, telemetry *metadata.TelemetryBuilder) {
	telemetry.ReceiverCmscdrRecordsMissing.Add(ctx, 0)
	telemetry.ReceiverCmscdrOverlappingSessions.Add(ctx, 0)
	for _, what := range outcomeOptions {
		telemetry.ReceiverCmscdrRecords.Add(ctx, 0, what...)
	}
}

// count reports what became of a piece's records.
func (d *delivery) count(ctx context.Context, in *intake, p *outbox.Piece) {
	var counts [outcomes]int64
	var missing uint64
	now := time.Now()
	from, to := in.recordsOf(p)
	for i := from; i < to; i++ {
		r := &in.batch.Records[i]
		missing += in.records[i].countable()
		what := outcomeOf(p, in.records[i], r.Type)
		counts[what]++
		if lag := max(0, now.Sub(r.Time).Seconds()); what == accepted && !r.Time.IsZero() && aggregate.PlausibleSeconds(lag) {
			d.telemetry.ReceiverCmscdrLag.Record(ctx, lag)
		}
	}
	from, to = in.malformedOf(p)
	for i := from; i < to; i++ {
		missing += in.malformed[i].countable()
		counts[outcomeOfMalformed(p, in.malformed[i])]++
	}
	d.add(ctx, counts)
	if missing > 0 {
		d.telemetry.ReceiverCmscdrRecordsMissing.Add(ctx, int64(missing))
	}
}

func outcomeOf(p *outbox.Piece, j judged, t cdr.Type) outcome {
	switch what := outcomeOfMalformed(p, j); {
	case what != malformed || p.Rejected != nil:
		return what
	case t == cdr.TypeUnknown:
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

// countRefused reports that so many new parts of a body must come again.
func (d *delivery) countRefused(ctx context.Context, parts int) {
	var counts [outcomes]int64
	counts[refused] = int64(parts)
	d.add(ctx, counts)
}

func (d *delivery) add(ctx context.Context, counts [outcomes]int64) {
	for what, n := range counts {
		if n > 0 {
			d.telemetry.ReceiverCmscdrRecords.Add(ctx, n, outcomeOptions[what]...)
		}
	}
}

// statusOptions are made once: they are needed for every request.
var statusOptions = func() map[int]metric.MeasurementOption {
	all := make(map[int]metric.MeasurementOption)
	for _, status := range webhook.Statuses {
		all[status] = metric.WithAttributeSet(attribute.NewSet(attribute.Int("http.response.status_code", status)))
	}
	return all
}()

// countAnswers counts requests by the status they were answered with.
func (r *cdrReceiver) countAnswers(ctx context.Context, status int, n int64) {
	r.telemetry.ReceiverCmscdrRequests.Add(ctx, n, statusOptions[status])
}
