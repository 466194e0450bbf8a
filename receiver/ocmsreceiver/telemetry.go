// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ocms"
	"github.com/legato-otel/legato/internal/otel/aggregate"
)

// outcome is the fate of a line, an attribute of receiver_ocms_records.
type outcome uint8

const (
	accepted  outcome = iota
	duplicate         // delivered before, or about a message that was accepted
	refused           // by the next consumer, for now; it is retried
	malformed         // quarantined
	xml               // of a file in XML, kept as bytes
	lost              // not even its quarantine was accepted, or retries ended
	outcomes
)

var outcomeOptions = func() (all [outcomes][]metric.AddOption) {
	for what, value := range [outcomes]string{"accepted", "duplicate", "refused", "malformed", "xml", "lost"} {
		all[what] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attribute.String("outcome", value)))}
	}
	return all
}()

// flagOptions has the attribute of each flag, in the order of the bits.
var flagOptions = func() (all []metric.AddOption) {
	for _, name := range ocms.AllFlags.AppendNames(nil) {
		all = append(all, metric.WithAttributeSet(attribute.NewSet(attribute.String("flag", name))))
	}
	return all
}()

// startTelemetry lets the series begin at 0, because rate() ignores the first value of a
// series, and registers the gauge.
func (r *eventReceiver) startTelemetry(ctx context.Context, d *delivery) error {
	for _, what := range outcomeOptions {
		r.telemetry.ReceiverOcmsRecords.Add(ctx, 0, what...)
	}
	return r.telemetry.RegisterReceiverOcmsKeysCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(int64(d.acceptedKeys.Len()))
		return nil
	})
}

// countOutcomes counts the lines of a piece by outcome.
func (d *delivery) countOutcomes(in *batch, p *outbox.Chunk) {
	var counts [outcomes]int
	now := time.Now()
	for i := p.From; i < p.To; i++ {
		part := &in.lines[i]
		what := outcomeOf(p, part)
		if counts[what]++; what != accepted {
			continue
		}
		if t := part.event.Time; !t.IsZero() {
			if lag := max(0, now.Sub(t).Seconds()); aggregate.PlausibleSeconds(lag) {
				d.telemetry.ReceiverOcmsLag.Record(d.attemptsContext, lag)
			}
		}
		d.countFlags(part.event.Flags())
	}
	for what, n := range counts {
		d.countLines(outcome(what), n)
	}
}

func (d *delivery) countFlags(flags ocms.Flags) {
	for i := 0; flags != 0; i, flags = i+1, flags>>1 {
		if flags&1 != 0 {
			d.telemetry.ReceiverOcmsFlags.Add(d.attemptsContext, 1, flagOptions[i])
		}
	}
}

func outcomeOf(p *outbox.Chunk, part *batchLine) outcome {
	switch {
	case part.duplicate:
		return duplicate
	case p.Lost:
		return lost
	case p.QuarantineReason != nil || part.kind == isMalformed:
		return malformed
	case part.kind == isXML:
		return xml
	default:
		return accepted
	}
}

func (d *delivery) countLines(what outcome, n int) {
	if n > 0 {
		d.telemetry.ReceiverOcmsRecords.Add(d.attemptsContext, int64(n), outcomeOptions[what]...)
	}
}
