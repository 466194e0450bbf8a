// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"time"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/meetingserver/cdr"
	"github.com/legato-otel/legato/internal/otel/aggregate"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// addTelemetryZeros makes each series begin at 0, because rate() does not see the value
// that a series begins with, and the first lost record must raise an alert.
func addTelemetryZeros(ctx context.Context, telemetry *metadata.TelemetryBuilder) {
	telemetry.ReceiverCmscdrRecordsMissing.Add(ctx, 0)
	telemetry.ReceiverCmscdrOverlappingSessions.Add(ctx, 0)
	outbox.AddZeros(ctx, telemetry.ReceiverCmscdrRecords)
}

// countOutcomes counts the parts of a chunk by outcome, their missing records and lag.
func (a *acceptor) countOutcomes(ctx context.Context, b *batch, c *outbox.Chunk) {
	var counts outbox.Outcomes
	var missing uint64
	now := time.Now()
	from, to := b.recordsOf(c)
	for i := from; i < to; i++ {
		r, p := &b.decoded.Records[i], &b.records[i]
		missing += p.countableMissing()
		decoded := outbox.Accepted
		if r.Type == cdr.TypeUnknown {
			decoded = outbox.Unknown
		}
		outcome := c.OutcomeOf(p.isDuplicate, decoded)
		counts[outcome]++
		if lag := max(0, now.Sub(r.Time).Seconds()); outcome == outbox.Accepted && !r.Time.IsZero() && aggregate.PlausibleSeconds(lag) {
			a.telemetry.ReceiverCmscdrLag.Record(ctx, lag)
		}
	}
	from, to = b.malformedOf(c)
	for i := from; i < to; i++ {
		p := &b.malformed[i]
		missing += p.countableMissing()
		counts[c.OutcomeOf(p.isDuplicate, outbox.Malformed)]++
	}
	counts.AddTo(ctx, a.telemetry.ReceiverCmscdrRecords)
	if missing > 0 {
		a.telemetry.ReceiverCmscdrRecordsMissing.Add(ctx, int64(missing))
	}
}

// countRefused counts the new parts that the Call Bridge must send again.
func (a *acceptor) countRefused(ctx context.Context, parts int) {
	counts := outbox.Outcomes{outbox.Refused: int64(parts)}
	counts.AddTo(ctx, a.telemetry.ReceiverCmscdrRecords)
}
