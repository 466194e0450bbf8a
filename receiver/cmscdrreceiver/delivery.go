// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/consume"
	"github.com/legato-otel/legato/internal/ingest"
	"github.com/legato-otel/legato/internal/ledger"
	"github.com/legato-otel/legato/internal/logrecord"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// delivery takes a body to the next consumer. accept is the one place where it
// is decided whether a bridge may delete its records.
type delivery struct {
	logs      consumer.Logs // nil if there is no logs pipeline
	ledger    *ledger.Ledger
	store     *ledgerStore
	measures  *measures // nil if there is no metrics pipeline
	obsreport *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
	resource  resourceBuilder
	version   string
	limits    ingest.Limits
	intakes   intakePool
	overlaps  overlapLimiter
}

// accept returns nil if everything in the body is safe: taken by the next
// consumer now or before, or quarantined, and marked in the ledger. After an
// error those pieces are marked that were taken, and the sender must send the
// body again, for the rest.
func (d *delivery) accept(ctx context.Context, req ingest.Request) error {
	in := d.intakes.get(req)
	defer d.intakes.put(in)
	for {
		if err := d.acceptBatch(ctx, in); err != nil {
			return err
		}
		if !in.readNext() {
			return nil
		}
	}
}

// acceptBatch does that for the part of a body that is of one session.
func (d *delivery) acceptBatch(ctx context.Context, in *intake) error {
	if err := in.lock(ctx, d.ledger); err != nil {
		return err
	}
	defer in.unlock(d.ledger)
	in.judge(&d.ledger.Fingerprints)

	// From here on a client that hangs up is not the end: records that were
	// taken must be marked and stored, or they would be taken again.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(in.request.Closing, cancel)() //nolint:contextcheck // it ends with the receiver, not with the request

	evicted, err := d.acceptPieces(ctx, in)
	return errors.Join(err, d.store.save(ctx, d.ledger, in.session, evicted))
}

// acceptPieces hands the pieces of a body on, one after the other, and marks each
// as accepted when it was taken.
func (d *delivery) acceptPieces(ctx context.Context, in *intake) (evicted []string, err error) {
	var source resource
	if in.fresh > 0 {
		source = d.resource.build(in, in.request)
	}
	for from, left := 0, in.fresh; from < in.parts(); {
		p := d.limits.Cut(from, in.parts(), in.sizeOfPart)
		if p.Fresh > 0 {
			if err := d.deliver(ctx, in, &p, &source); err != nil {
				d.countRefused(ctx, left)
				return evicted, err
			}
			accepted := in.accept(d.ledger, &p)
			evicted = append(evicted, accepted.Evicted...)
			if accepted.Overlaps != "" {
				d.reportOverlap(ctx, in)
			}
			d.measures.record(ctx, in, &p, source, d.logger)
		}
		d.count(ctx, in, &p)
		from, left = p.To, left-p.Fresh
	}
	return evicted, nil
}

// deliver hands on the new part of a piece. What the pipeline refuses permanently
// is not sent to it again, as the contract of consumers asks; its bytes go to
// quarantine instead.
func (d *delivery) deliver(ctx context.Context, in *intake, p *ingest.Piece, source *resource) error {
	if d.logs == nil {
		return nil
	}
	if in.expands(p) {
		p.Rejected = ingest.ErrExpands
		return d.quarantine(ctx, in, p, source, errorExpands)
	}
	out := d.newOutbox(ctx, source)
	out.Records.EnsureCapacity(p.Fresh + 1)
	in.convert(p, out)
	err := out.Flush()
	if err == nil || !consume.IsPermanent(err) {
		return err
	}
	p.Rejected = err
	d.logger.Error("Records refused permanently by the pipeline; they are quarantined", in.fields(p, err)...)
	return d.quarantine(ctx, in, p, source, errorRejected)
}

// quarantine hands on a piece as bytes, in payloads as small as they can be. What
// is refused permanently even so is lost: no answer to the sender can save it.
func (d *delivery) quarantine(ctx context.Context, in *intake, p *ingest.Piece, source *resource, kind string) error {
	out := d.newOutbox(ctx, source)
	out.MaxRaw, out.Insist = logrecord.MaxRaw, true
	in.quarantine(p, kind, out)
	err := out.Flush()
	if err == nil || !consume.IsPermanent(err) {
		return err
	}
	p.Lost = true
	d.logger.Error("Quarantine refused permanently by the pipeline as well; its records are lost", in.fields(p, err)...)
	return nil
}

// newOutbox returns an outbox for records from a source.
func (d *delivery) newOutbox(ctx context.Context, source *resource) *ingest.Outbox {
	out := &ingest.Outbox{
		Context: ctx, Send: d.consume, MaxRaw: d.limits.Bytes, Now: pcommon.NewTimestampFromTime(time.Now()),
		Open: func(logs plog.Logs) plog.LogRecordSlice {
			rl := logs.ResourceLogs().AppendEmpty()
			source.put(rl.Resource().Attributes())
			sl := rl.ScopeLogs().AppendEmpty()
			sl.Scope().SetName(metadata.ScopeName)
			sl.Scope().SetVersion(d.version)
			return sl.LogRecords()
		},
	}
	out.Begin()
	return out
}

// fields say in the Collector's log which records it is about. A session's name
// is text of the sender, and is left out unless it looks like an id.
func (in *intake) fields(p *ingest.Piece, err error) []zap.Field {
	fields := []zap.Field{zap.Int("records", p.Fresh), zap.Error(err)}
	if isID(in.batch.Session) {
		fields = append(fields, zap.String("session", in.batch.Session))
	}
	if entries, _, _ := in.marksOf(p); len(entries) > 0 {
		first, last := entries[0].Index, entries[0].Index
		for _, e := range entries {
			first, last = min(first, e.Index), max(last, e.Index)
		}
		fields = append(fields, zap.Uint64("first_index", first), zap.Uint64("last_index", last))
	}
	return fields
}

// isID tells whether text is made as a GUID is.
func isID(text string) bool {
	const longest = 64
	return text != "" && len(text) <= longest && strings.Trim(text, "0123456789abcdefABCDEF-") == ""
}

func (d *delivery) consume(ctx context.Context, logs plog.Logs) error {
	ctx = d.obsreport.StartLogsOp(ctx)
	count := logs.LogRecordCount()
	err := d.logs.ConsumeLogs(ctx, logs)
	d.obsreport.EndLogsOp(ctx, metadata.Type.String(), count, err)
	return err
}
