// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package outbox

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

	"github.com/legato-otel/legato/internal/otel/cluster"
	"github.com/legato-otel/legato/internal/otel/consume"
	"github.com/legato-otel/legato/internal/otel/logrecord"
)

// Body is a posted body that a receiver decoded, or a section of one that is delivered by
// itself. Its parts have numbers from 0.
type Body interface {
	// Parts returns the number of parts.
	Parts() int
	// Part returns a part as posted, and whether it is new.
	Part(number int) (raw string, isNew bool)
	// PutResource writes the resource of all log records.
	PutResource(to pcommon.Map)
	// AddRecords adds the log records of a chunk's new parts. After ErrRecordsTooLarge,
	// Deliver quarantines the chunk.
	AddRecords(c *Chunk, to *PayloadWriter) error
	// AddRaw adds a chunk's new parts as posted, with c.QuarantineReason.
	AddRaw(c *Chunk, to *PayloadWriter)
	// MarkSent remembers which log records of a chunk the consumer accepted, if a later
	// payload of the chunk failed.
	MarkSent(c *Chunk, sent Progress)
	// MarkAccepted marks a chunk's new parts as accepted, and counts all its parts.
	MarkAccepted(ctx context.Context, c *Chunk)
	// LogFields identifies a chunk in the Collector's own log.
	LogFields(c *Chunk, err error) []zap.Field
}

// LogMessages of a Delivery.
type LogMessages struct {
	// Quarantined says that the consumer refused a chunk permanently, and Lost that it
	// refused the quarantined chunk too.
	Quarantined, Lost string
}

// Delivery delivers bodies to the next consumer of a receiver.
type Delivery struct {
	// Next is nil if the receiver is in no logs pipeline. Chunks are only marked then.
	Next consumer.Logs
	// ObsReport counts the log records of each payload. Format is their format.
	ObsReport *receiverhelper.ObsReport
	Format    string
	// Scope and Version of the log records.
	Scope, Version string
	Limits         Limits
	Messages       LogMessages
	Logger         *zap.Logger
}

// Deliver delivers the new parts of a body and marks them. If the consumer refuses parts
// permanently, Deliver sends their bytes in quarantine. If the consumer refuses these
// permanently too, they are lost, which is no error. After an error the parts of later chunks
// are not marked.
func (d *Delivery) Deliver(ctx context.Context, body Body, receivedAt time.Time) error {
	b := delivery{Delivery: d, body: body, receivedAt: pcommon.NewTimestampFromTime(receivedAt)}
	for from := 0; from < body.Parts(); {
		c := d.Limits.NextChunk(from, body.Parts(), b.sizeOf)
		from = c.To
		if err := b.deliverChunk(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// delivery is the delivery of one body.
type delivery struct {
	*Delivery
	body       Body
	receivedAt pcommon.Timestamp
}

func (d *delivery) sizeOf(part int) (bytes int, isNew bool) {
	raw, isNew := d.body.Part(part)
	return len(raw), isNew
}

// deliverChunk delivers a chunk. If the consumer refuses it permanently, deliverChunk
// quarantines it instead of returning the error: the sender would send the same body again,
// without end.
func (d *delivery) deliverChunk(ctx context.Context, c Chunk) error {
	if d.Next == nil || c.NewParts == 0 {
		d.body.MarkAccepted(ctx, &c)
		return nil
	}
	out := d.newPayloadWriter(ctx)
	err := d.body.AddRecords(&c, out)
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		d.body.MarkAccepted(ctx, &c)
		return nil
	}
	if sent := out.Progress(); sent.AnySent {
		d.body.MarkSent(&c, sent)
		if sent.NextPart > c.From {
			head := chunkOf(c.From, sent.NextPart, d.sizeOf)
			d.body.MarkAccepted(ctx, &head)
			c = chunkOf(sent.NextPart, c.To, d.sizeOf)
		}
	}
	if !errors.Is(err, ErrRecordsTooLarge) {
		if !consume.IsPermanent(err) {
			return err
		}
		d.Logger.Error(d.Messages.Quarantined, d.body.LogFields(&c, err)...)
	}
	c.QuarantineReason = err
	return d.quarantine(ctx, c)
}

// quarantine delivers a chunk as raw bytes, in payloads of at most logrecord.MaxRaw bytes, so that
// a refusal loses little. sendRaw splits a single longer part.
func (d *delivery) quarantine(ctx context.Context, c Chunk) error {
	limits := Limits{Bytes: logrecord.MaxRaw, Records: c.NewParts}
	for from := c.From; from < c.To; {
		small := limits.NextChunk(from, c.To, func(part int) (bytes int, isNew bool) {
			bytes, isNew = d.sizeOf(part)
			return bytes + len("\n"), isNew
		})
		from, small.QuarantineReason = small.To, c.QuarantineReason
		if small.NewParts > 0 {
			if err := d.sendRaw(ctx, &small); err != nil {
				return err
			}
		}
		d.body.MarkAccepted(ctx, &small)
	}
	return nil
}

// sendRaw sends a quarantined chunk in one payload. It sends a single part that is longer than
// MaxRaw in several. A chunk that the consumer refuses permanently is lost, because no answer
// to the sender of the body can save it.
func (d *delivery) sendRaw(ctx context.Context, c *Chunk) error {
	out := d.newPayloadWriter(ctx)
	out.MaxRawBytes, out.ContinueAfterRefusal = logrecord.MaxRaw, true
	d.body.AddRaw(c, out)
	err := out.Flush()
	if err == nil || !consume.IsPermanent(err) {
		return err
	}
	c.Lost = true
	d.Logger.Error(d.Messages.Lost, d.body.LogFields(c, err)...)
	return nil
}

func (d *delivery) newPayloadWriter(ctx context.Context) *PayloadWriter {
	out := &PayloadWriter{
		Context: ctx, Send: d.send, AddResource: d.addResource, MaxRawBytes: d.Limits.Bytes, ReceivedAt: d.receivedAt,
	}
	out.StartPayload()
	return out
}

func (d *delivery) addResource(payload plog.Logs) plog.LogRecordSlice {
	resource := payload.ResourceLogs().AppendEmpty()
	d.body.PutResource(resource.Resource().Attributes())
	scope := resource.ScopeLogs().AppendEmpty()
	scope.Scope().SetName(d.Scope)
	scope.Scope().SetVersion(d.Version)
	return scope.LogRecords()
}

func (d *delivery) send(ctx context.Context, payload plog.Logs) error {
	ctx = d.ObsReport.StartLogsOp(ctx)
	count := payload.LogRecordCount()
	err := d.Next.ConsumeLogs(cluster.WithMetadata(ctx, payload), payload)
	d.ObsReport.EndLogsOp(ctx, d.Format, count, err)
	return err
}

// RawText returns the new parts of a chunk, one on each line. It returns posted, the
// whole body with its envelope, if all parts of the body are new and in the chunk, posted is at
// most 2*c.Bytes+maxEnvelope bytes long, and it fits one log record or is one part.
func RawText(body Body, c *Chunk, posted string, maxEnvelope int) string {
	if c.NewParts == body.Parts() && len(posted) <= 2*c.Bytes+maxEnvelope && (len(posted) <= logrecord.MaxRaw || c.NewParts == 1) {
		return posted
	}
	var text strings.Builder
	text.Grow(c.Bytes + c.NewParts)
	for i := c.From; i < c.To; i++ {
		raw, isNew := body.Part(i)
		if !isNew {
			continue
		}
		if text.Len() > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(raw)
	}
	return text.String()
}
