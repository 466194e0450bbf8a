// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/otel/cluster"
	"github.com/legato-otel/legato/internal/otel/consume"
	"github.com/legato-otel/legato/internal/otel/logrecord"
	"github.com/legato-otel/legato/receiver/mediasensereceiver/internal/metadata"
)

// delivery takes a body to the next consumer.
type delivery struct {
	logs      consumer.Logs // nil if there is no logs pipeline
	windows   *DeduplicationConfig
	perTrack  bool
	known     *known
	senders   *senders // nil without a subscription
	disks     *partitions
	store     *stateStore
	measures  *measures // nil if there is no metrics pipeline
	obsreport *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
	resource  resourceBuilder
	version   string
	limits    outbox.Limits
}

// accept returns nil if everything in the body is safe: taken by the next
// consumer now or before, or quarantined, and marked as known. After an error
// those pieces are marked that were taken.
func (d *delivery) accept(ctx context.Context, req webhook.Request) error {
	in := newIntake(&req, time.Now())
	unlock, err := d.known.lock(ctx, in.keys)
	if err != nil {
		return err
	}
	defer unlock()
	in.judge(d.known, d.windows)

	// From here on a client that hangs up is not the end: events that were
	// taken must be marked and stored, or they would be taken again.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(req.Closing, cancel)() //nolint:contextcheck // it ends with the receiver, not with the request

	err = d.acceptPieces(ctx, in)
	return errors.Join(err, d.store.save(ctx, d.known, d.disks))
}

// acceptPieces hands the pieces of a body on, one after the other, and marks each
// as known when it was taken.
func (d *delivery) acceptPieces(ctx context.Context, in *intake) error {
	var source resource
	if in.fresh > 0 {
		in.isNamed = d.senders.named(in.request.Address)
		source = d.resource.build(in.request)
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
	kind := errorExpands
	switch {
	case errors.Is(err, outbox.ErrExpands):
	case consume.IsPermanent(err):
		kind = errorRejected
		d.logger.Error("Events refused permanently by the pipeline; they are quarantined", in.fields(&p, err)...)
	default:
		return err
	}
	p.Rejected = err
	return d.quarantine(ctx, in, &p, source, kind)
}

// mark marks a piece that was taken, or is in quarantine, as known and counts it.
func (d *delivery) mark(ctx context.Context, in *intake, p *outbox.Piece, source *resource) {
	if p.Fresh > 0 {
		d.known.accept(in.entriesOf(p), in.received, in.isNamed)
		d.disks.apply(in, p)
		d.measures.record(ctx, in, p, source, d.logger)
	}
	d.count(ctx, in, p)
	in.fresh -= p.Fresh
}

// deliver hands on the new parts of a piece. After an error it returns the number of
// the first part that was not taken whole: a long part is several payloads.
func (d *delivery) deliver(ctx context.Context, in *intake, p *outbox.Piece, source *resource) (taken int, err error) {
	out := d.newSender(ctx, in, source)
	out.Records.EnsureCapacity(p.Fresh)
	d.convert(in, p, out)
	if len(in.request.Body) > outbox.SmallBody && !in.expansion.Add(p.Bytes, out.Size()) {
		err = outbox.ErrExpands
	} else if err = out.Flush(); err == nil {
		return p.To, nil
	}
	return max(p.From, out.Taken().Parts), err
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
	out := d.newSender(ctx, in, source)
	out.MaxRaw, out.Insist = logrecord.MaxRaw, true
	in.quarantine(p, kind, out)
	err := out.Flush()
	if err == nil || !consume.IsPermanent(err) {
		return err
	}
	p.Lost = true
	d.logger.Error("Quarantine refused permanently by the pipeline as well; its events are lost", in.fields(p, err)...)
	return nil
}

// fields say in the Collector's log which events of which sender it is about:
// they have neither session nor index.
func (in *intake) fields(p *outbox.Piece, err error) []zap.Field {
	return []zap.Field{
		zap.Int("events", p.Fresh), zap.Int("first_event", p.From), zap.Int("last_event", p.To-1),
		zap.String("client.address", in.request.Address), zap.Error(err),
	}
}

// newSender returns a sender for events from a source.
func (d *delivery) newSender(ctx context.Context, in *intake, source *resource) *outbox.Sender {
	out := &outbox.Sender{
		Context: ctx, Send: d.consume, MaxRaw: d.limits.Bytes, Now: pcommon.NewTimestampFromTime(in.received),
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

func (d *delivery) consume(ctx context.Context, logs plog.Logs) error {
	ctx = d.obsreport.StartLogsOp(ctx)
	count := logs.LogRecordCount()
	err := d.logs.ConsumeLogs(cluster.Context(ctx, logs), logs)
	d.obsreport.EndLogsOp(ctx, metadata.Type.String(), count, err)
	return err
}
