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

	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/otel/cluster"
	"github.com/legato-otel/legato/internal/otel/consume"
	"github.com/legato-otel/legato/internal/otel/logrecord"
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
	limits    outbox.Limits
	intakes   intakePool
	overlaps  overlapLimiter
}

// accept returns nil if everything in the body is safe: taken by the next
// consumer now or before, or quarantined, and marked in the ledger. After an
// error those pieces are marked that were taken, and the sender must send the
// body again, for the rest.
func (d *delivery) accept(ctx context.Context, req webhook.Request) error {
	in := d.intakes.get(req)
	defer d.intakes.put(in)

	// A client that hangs up is not the end of a batch: records that were taken must
	// be marked and stored, or they would be taken again.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(req.Closing, cancel)() //nolint:contextcheck // it ends with the receiver, not with the request

	err := d.acceptBatch(ctx, work, in)
	for err == nil && in.readNext() {
		err = d.acceptBatch(ctx, work, in)
	}
	return errors.Join(err, d.store.save(work, d.ledger, in.touched, in.evicted))
}

// acceptBatch does that for the part of a body that is of one session, without
// storing it. ctx is the client's, and work the one of what the client cannot end.
func (d *delivery) acceptBatch(ctx, work context.Context, in *intake) error {
	if err := in.lock(ctx, d.ledger); err != nil {
		return err
	}
	defer in.unlock(d.ledger)
	in.judge(&d.ledger.Fingerprints)
	err := d.acceptPieces(work, in)
	if in.session != nil && in.session.Unsaved() {
		in.touched = append(in.touched, in.session.ID())
	}
	return err
}

// acceptPieces hands the pieces of a batch on, one after the other, and marks each
// as accepted when it was taken.
func (d *delivery) acceptPieces(ctx context.Context, in *intake) error {
	var source resource
	if in.fresh > 0 {
		source = d.resource.build(in, in.request)
	}
	for from := 0; from < in.parts(); {
		p := d.limits.Cut(from, in.parts(), in.sizeOfPart)
		from = p.To
		if err := d.acceptPiece(ctx, in, p, &source); err != nil {
			d.countRefused(ctx, in.fresh)
			return err
		}
	}
	return nil
}

// acceptPiece hands a piece on. What the pipeline refuses permanently is not sent to
// it again, as the contract of consumers asks; its bytes go to quarantine instead.
func (d *delivery) acceptPiece(ctx context.Context, in *intake, p outbox.Piece, source *resource) error {
	if d.logs == nil || p.Fresh == 0 {
		d.mark(ctx, in, &p, source)
		return nil
	}
	if in.expands(&p) {
		p.Rejected = outbox.ErrExpands
		return d.quarantine(ctx, in, &p, source, errorExpands)
	}
	taken, err := d.deliver(ctx, in, &p, source)
	if err == nil {
		d.mark(ctx, in, &p, source)
		return nil
	}
	if taken > p.From {
		head := outbox.Between(p.From, taken, in.sizeOfPart)
		d.mark(ctx, in, &head, source)
		p = outbox.Between(taken, p.To, in.sizeOfPart)
	}
	if !consume.IsPermanent(err) {
		return err
	}
	p.Rejected = err
	d.logger.Error("Records refused permanently by the pipeline; they are quarantined", in.fields(&p, err)...)
	return d.quarantine(ctx, in, &p, source, errorRejected)
}

// mark marks a piece that was taken, or is in quarantine, as accepted and counts it.
func (d *delivery) mark(ctx context.Context, in *intake, p *outbox.Piece, source *resource) {
	if p.Fresh > 0 {
		begins := in.post.Start.Begins
		accepted := in.accept(d.ledger, p)
		in.evicted = append(in.evicted, accepted.Evicted...)
		if accepted.Overlaps != "" {
			d.reportOverlap(ctx, in)
		}
		d.measures.record(ctx, in, p, *source, begins && !in.post.Start.Begins, d.logger)
	}
	d.count(ctx, in, p)
	in.fresh -= p.Fresh
}

// deliver hands on the new parts of a piece. After an error it returns the number of
// the first part that was not taken whole: a long part is several payloads.
func (d *delivery) deliver(ctx context.Context, in *intake, p *outbox.Piece, source *resource) (taken int, err error) {
	out := d.newSender(ctx, source)
	out.Records.EnsureCapacity(p.Fresh + 1)
	in.convert(p, out)
	err = out.Flush()
	if err == nil {
		return p.To, nil
	}
	partly := out.Taken()
	if !partly.Any {
		return p.From, err
	}
	in.markSent(p, partly)
	return partly.Parts, err
}

// quarantine hands on the parts of a piece as bytes, in payloads as small as they
// can be.
func (d *delivery) quarantine(ctx context.Context, in *intake, p *outbox.Piece, source *resource, kind string) error {
	limits := outbox.Limits{Bytes: logrecord.MaxRaw, Records: p.Fresh}
	for from := p.From; from < p.To; {
		q := limits.Cut(from, p.To, func(part int) (bytes int, fresh bool) {
			bytes, fresh = in.sizeOfPart(part)
			return bytes + len("\n"), fresh
		})
		from, q.Rejected = q.To, p.Rejected
		if q.Fresh > 0 {
			if err := d.quarantinePayload(ctx, in, &q, source, kind); err != nil {
				return err
			}
		}
		d.mark(ctx, in, &q, source)
	}
	return nil
}

// quarantinePayload hands on parts that are one payload, or one part that is
// several. What is refused permanently even so is lost: no answer to the sender can
// save it.
func (d *delivery) quarantinePayload(ctx context.Context, in *intake, p *outbox.Piece, source *resource, kind string) error {
	out := d.newSender(ctx, source)
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

// newSender returns a sender for records from a source.
func (d *delivery) newSender(ctx context.Context, source *resource) *outbox.Sender {
	out := &outbox.Sender{
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
func (in *intake) fields(p *outbox.Piece, err error) []zap.Field {
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
	err := d.logs.ConsumeLogs(cluster.Context(ctx, logs), logs)
	d.obsreport.EndLogsOp(ctx, metadata.Type.String(), count, err)
	return err
}
