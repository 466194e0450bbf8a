// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/otel/consume"
	"github.com/legato-otel/legato/internal/otel/logrecord"
)

// Sender fills payloads with the log records of one piece and sends each to the
// next consumer: one payload in practice, several if raw bytes need them. Begin
// must be called first.
type Sender struct {
	// Context of the sending. After its end nothing is sent, even to a consumer
	// that ignores it.
	Context context.Context
	// Open returns where the log records of a new payload go.
	Open func(plog.Logs) plog.LogRecordSlice
	// Send hands a payload to the next consumer.
	Send func(context.Context, plog.Logs) error
	// Now is when the records were received.
	Now pcommon.Timestamp
	// MaxRaw is how many raw bytes go into one payload. One part of a long text
	// is never divided.
	MaxRaw int
	// Insist goes on with the next payload after one that was refused
	// permanently: for quarantine, of which as much as possible is kept.
	Insist bool

	// Records of the payload that is being filled.
	Records plog.LogRecordSlice
	logs    plog.Logs
	raw     int // raw bytes in logs
	err     error

	part  int // number of the part whose events are being added
	mark  int // how many of Records belong to the parts before
	taken Taken
}

// Taken says how much of a piece is in payloads that were taken.
type Taken struct {
	// Any: a payload was taken.
	Any bool
	// Parts is the number of the first part of which not all was taken.
	Parts int
	// Partly: the first events of that part were taken.
	Partly bool
}

// Begin begins a payload.
func (o *Sender) Begin() {
	o.logs, o.raw, o.mark = plog.NewLogs(), 0, 0
	o.Records = o.Open(o.logs)
}

// Size of the payload that is being filled, in bytes of OTLP.
func (o *Sender) Size() int { return new(plog.ProtoMarshaler).LogsSize(o.logs) }

// BeginPart says that the events of a part of the body follow, and that all of the
// parts before it are added.
func (o *Sender) BeginPart(number int) { o.part, o.mark = number, o.Records.Len() }

// Taken returns what was taken before the first payload that was not.
func (o *Sender) Taken() Taken { return o.taken }

// Flush sends what is in the payload and returns what kept it, or one before it,
// from being taken.
func (o *Sender) Flush() error {
	if o.Records.Len() == 0 || o.stopped() {
		return o.err
	}
	err := context.Cause(o.Context)
	if err == nil {
		err = o.Send(o.Context, o.logs)
	}
	if err != nil {
		o.err = errors.Join(o.err, err)
		return o.err
	}
	if o.err == nil {
		o.taken = Taken{Any: true, Parts: o.part, Partly: o.Records.Len() > o.mark}
	}
	return o.err
}

// stopped tells that nothing more is sent.
func (o *Sender) stopped() bool {
	return o.err != nil && (!o.Insist || !consume.IsPermanent(o.err))
}

// AddRaw adds the pieces of raw as events, each with the attributes that complete
// writes; first tells it which one should have all there are.
func (o *Sender) AddRaw(raw *logrecord.Raw, complete func(lr plog.LogRecord, first bool)) {
	for piece := range raw.Pieces() {
		if o.raw > 0 && o.raw+len(piece.Text) > o.MaxRaw && !o.next(piece.Number == 1) {
			return
		}
		o.raw += len(piece.Text)
		piece.Append(o.Records, o.Now, func(lr plog.LogRecord) { complete(lr, piece.Number == 1) })
	}
}

// next sends the payload and begins another one. The events of the part that were
// added before its raw bytes go with them: whole says that none of these is added.
func (o *Sender) next(whole bool) bool {
	held := plog.NewLogRecordSlice()
	if at := 0; whole && o.Records.Len() > o.mark {
		o.Records.RemoveIf(func(lr plog.LogRecord) bool {
			if at++; at <= o.mark {
				return false
			}
			lr.MoveTo(held.AppendEmpty())
			return true
		})
	}
	if err := o.Flush(); err != nil && o.stopped() {
		return false
	}
	o.Begin()
	held.MoveAndAppendTo(o.Records)
	return true
}
