// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest/dedup"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/otel/cluster"
	"github.com/legato-otel/legato/internal/otel/consume"
	"github.com/legato-otel/legato/internal/otel/logrecord"
	"github.com/legato-otel/legato/receiver/ocmsreceiver/internal/metadata"
)

// delivery delivers lines to the next consumer.
type delivery struct {
	logs                consumer.Logs // nil if there is no logs pipeline
	deduplication       *DeduplicationConfig
	extraKeys           []string // sorted
	creationTimeIsLocal bool
	seesLineEnds        bool // the offsets of the file input show whether a line has an end
	keepOriginal        bool
	retry               configretry.BackOffConfig
	limits              outbox.Limits
	acceptedKeys        *dedup.Set
	store               *store        // nil without storage
	eventMetrics        *eventMetrics // nil if there is no metrics pipeline
	resources           resources
	obsreport           *receiverhelper.ObsReport
	telemetry           *metadata.TelemetryBuilder
	logger              *limitedLog
	version             string

	// attemptsContext ends shutdown_timeout after the beginning of a stop. The context of an
	// input ends at the beginning: the attempt in flight continues, and no other follows.
	attemptsContext context.Context //nolint:containedctx // it is the receiver's life, not a request's
}

// errStopped means that the receiver stopped before the next consumer accepted the lines.
var errStopped = errors.New("the receiver stops; the lines are read again")

// deliverBatch returns nil when the next consumer has accepted all lines, now or earlier,
// or their quarantine. Its only error is errStopped.
func (d *delivery) deliverBatch(ctx context.Context, from *origin, lines []rawLine) error {
	in := d.newBatch(from, lines)
	d.warnAboutXML(in)
	unlock, err := d.acceptedKeys.Lock(ctx, in.keys)
	if err != nil {
		return d.abandonBatch(in, len(in.lines))
	}
	defer unlock()
	d.markDuplicates(in)
	for at, left := 0, in.newLines; at < len(in.lines); {
		p := d.limits.NextChunk(at, len(in.lines), in.lineSize)
		if p.NewParts > 0 {
			if err := d.deliverUntilTaken(ctx, in, &p); err != nil {
				return d.abandonBatch(in, left)
			}
			d.acceptedKeys.MarkAccepted(in.dedupEntriesOf(p.From, p.To), in.received)
			d.storeTaken(in, &p)
			d.eventMetrics.countAccepted(d.attemptsContext, in, &p) //nolint:contextcheck // it ends with the receiver, not with the input
		}
		d.countOutcomes(in, &p)
		d.warnAboutMalformed(in, &p)
		at, left = p.To, left-p.NewParts
	}
	return nil
}

// abandonBatch handles lines that a stop interrupted. It stores no more offsets, so that
// lines of a file are read again after the next start; lines of syslog are lost.
func (d *delivery) abandonBatch(in *batch, lines int) error {
	if in.origin.rereadable {
		d.store.stopStoring()
		return errStopped
	}
	d.countLines(lost, lines)
	d.logger.Warn("Stopped before the pipeline took what came by syslog; its events are lost", zap.Int("events", lines))
	return errStopped
}

// storeTaken stores that the lines of a piece were delivered, so that they are not
// delivered again after a crash.
func (d *delivery) storeTaken(in *batch, p *outbox.Chunk) {
	if !in.origin.rereadable {
		return
	}
	uids := make([]uid, 0, p.NewParts)
	for i := p.From; i < p.To; i++ {
		if !in.lines[i].duplicate {
			uids = append(uids, in.lines[i].uid)
		}
	}
	if err := d.store.saveTaken(d.attemptsContext, uids, d.acceptedKeys); err != nil {
		d.logger.Warn("Cannot store what was taken; after a crash it may be taken again", zap.Error(err))
	}
}

// deliverUntilTaken retries until the next consumer accepts the piece or its quarantine,
// or until retry_on_failure ends. Its only error is errStopped.
func (d *delivery) deliverUntilTaken(ctx context.Context, in *batch, p *outbox.Chunk) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = d.retry.InitialInterval, d.retry.MaxInterval
	pause.RandomizationFactor, pause.Multiplier = d.retry.RandomizationFactor, d.retry.Multiplier
	pause.Reset()
	for {
		err := d.deliverOnce(in, p)
		if err == nil {
			return nil
		}
		d.countLines(refused, p.NewParts)
		if ctx.Err() != nil || d.attemptsContext.Err() != nil {
			return errStopped
		}
		if !d.retry.Enabled || d.retry.MaxElapsedTime > 0 && time.Since(in.received) >= d.retry.MaxElapsedTime {
			p.Lost = true
			d.logger.Error("Gave up as retry_on_failure says; the events are lost", in.logFields(p, err)...)
			return nil
		}
		d.logger.Warn("Events refused by the pipeline; trying again", in.logFields(p, err)...)
		timer := time.NewTimer(pause.NextBackOff())
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return errStopped
		}
	}
}

// deliverOnce sends the new lines of a piece to the next consumer once. After a permanent
// error it sends them as quarantined lines instead, because the contract of consumers
// forbids to send the same data again.
func (d *delivery) deliverOnce(in *batch, p *outbox.Chunk) error {
	if d.logs == nil {
		return nil
	}
	p.QuarantineReason = nil
	out := d.newSender(in)
	out.Records.EnsureCapacity(p.NewParts)
	d.addRecords(in, p, out)
	err := out.Flush()
	if err == nil || !consume.IsPermanent(err) {
		return err
	}
	p.QuarantineReason = err
	d.logger.Error("Events refused permanently by the pipeline; they are quarantined", in.logFields(p, err)...)
	out = d.newSender(in)
	out.MaxRawBytes, out.ContinueAfterRefusal = logrecord.MaxRaw, true
	addQuarantined(in, p, out)
	if err = out.Flush(); err == nil || !consume.IsPermanent(err) {
		return err
	}
	p.Lost = true
	d.logger.Error("Quarantine refused permanently by the pipeline as well; its events are lost", in.logFields(p, err)...)
	return nil
}

// logFields returns the number, file and offsets of the lines of a piece, for the
// Collector's log.
func (in *batch) logFields(p *outbox.Chunk, err error) []zap.Field {
	fields := []zap.Field{zap.Int("events", p.NewParts), zap.Error(err)}
	if name := in.origin.filePath(); name != "" {
		fields = append(fields, zap.String("file", name), zap.Int64("first_offset", in.lines[p.From].offset), zap.Int64("last_offset", in.lines[p.To-1].offset))
	}
	return fields
}

func (d *delivery) newSender(in *batch) *outbox.PayloadWriter {
	out := &outbox.PayloadWriter{
		Context: d.attemptsContext, Send: d.consume, MaxRawBytes: d.limits.Bytes, ReceivedAt: pcommon.NewTimestampFromTime(in.received),
		AddResource: func(logs plog.Logs) plog.LogRecordSlice {
			rl := logs.ResourceLogs().AppendEmpty()
			in.origin.resource.putTo(rl.Resource().Attributes())
			sl := rl.ScopeLogs().AppendEmpty()
			sl.Scope().SetName(metadata.ScopeName)
			sl.Scope().SetVersion(d.version)
			return sl.LogRecords()
		},
	}
	out.StartPayload()
	return out
}

func (d *delivery) consume(ctx context.Context, logs plog.Logs) error {
	ctx = d.obsreport.StartLogsOp(ctx)
	count := logs.LogRecordCount()
	err := d.logs.ConsumeLogs(cluster.WithMetadata(ctx, logs), logs)
	d.obsreport.EndLogsOp(ctx, metadata.Type.String(), count, err)
	return err
}
