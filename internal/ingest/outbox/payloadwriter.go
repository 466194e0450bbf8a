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

// PayloadWriter fills payloads with the log records of one chunk and sends each to the next
// consumer: one payload normally, several if the raw bytes exceed MaxRawBytes. Call
// StartPayload first.
type PayloadWriter struct {
	// Context of the sending. The PayloadWriter sends nothing after its end, even if the
	// consumer ignores the context.
	Context context.Context
	// AddResource adds the resource of a new payload and returns where its log records
	// go.
	AddResource func(plog.Logs) plog.LogRecordSlice
	// Send sends a payload to the next consumer.
	Send func(context.Context, plog.Logs) error
	// ReceivedAt is the observed time of the log records.
	ReceivedAt pcommon.Timestamp
	// MaxRawBytes bounds the raw bytes of one payload. A single fragment may be longer.
	MaxRawBytes int
	// ContinueAfterRefusal sends the next payload although the consumer refused one
	// permanently: as much of a quarantined chunk as possible is kept.
	ContinueAfterRefusal bool

	// Records of the payload that is being filled.
	Records  plog.LogRecordSlice
	payload  plog.Logs
	rawBytes int // in payload
	err      error

	part      int // number of the part whose log records are being added
	partStart int // how many of Records belong to earlier parts
	progress  Progress
}

// Progress is the part of a chunk that the consumer accepted.
type Progress struct {
	// AnySent reports that the consumer accepted a payload.
	AnySent bool
	// NextPart is the number of the first part that the consumer did not accept whole.
	NextPart int
	// NextPartStarted reports that the consumer accepted the first log records of that part.
	NextPartStarted bool
}

// StartPayload starts an empty payload.
func (s *PayloadWriter) StartPayload() {
	s.payload, s.rawBytes, s.partStart = plog.NewLogs(), 0, 0
	s.Records = s.AddResource(s.payload)
}

// Size returns the size of the payload that is being filled, in bytes of OTLP.
func (s *PayloadWriter) Size() int { return new(plog.ProtoMarshaler).LogsSize(s.payload) }

// StartPart says that the log records of a part follow, and that those of all earlier
// parts are added.
func (s *PayloadWriter) StartPart(number int) { s.part, s.partStart = number, s.Records.Len() }

// Progress returns the parts that the consumer accepted before it refused a payload.
func (s *PayloadWriter) Progress() Progress { return s.progress }

// Flush sends the payload. It returns the errors of this payload and of earlier ones.
func (s *PayloadWriter) Flush() error {
	if s.Records.Len() == 0 || s.isStopped() {
		return s.err
	}
	err := context.Cause(s.Context)
	if err == nil {
		err = s.Send(s.Context, s.payload)
	}
	if err != nil {
		s.err = errors.Join(s.err, err)
		return s.err
	}
	if s.err == nil {
		s.progress = Progress{AnySent: true, NextPart: s.part, NextPartStarted: s.Records.Len() > s.partStart}
	}
	return s.err
}

// isStopped reports that the PayloadWriter sends no more payloads.
func (s *PayloadWriter) isStopped() bool {
	return s.err != nil && (!s.ContinueAfterRefusal || !consume.IsPermanent(s.err))
}

// AddRaw adds raw as log records of one fragment each. setAttributes writes the
// attributes of each; isFirst asks it for the attributes that only the first one has.
func (s *PayloadWriter) AddRaw(raw *logrecord.Raw, setAttributes func(lr plog.LogRecord, isFirst bool)) {
	for fragment := range raw.Fragments() {
		isFirst := fragment.Number == 1
		if s.rawBytes > 0 && s.rawBytes+len(fragment.Text) > s.MaxRawBytes && !s.sendAndStartNext(isFirst) {
			return
		}
		s.rawBytes += len(fragment.Text)
		fragment.Append(s.Records, s.ReceivedAt, func(lr plog.LogRecord) { setAttributes(lr, isFirst) })
	}
}

// sendAndStartNext sends the payload and starts the next one. It returns false if the
// PayloadWriter is stopped. Before the first fragment of a part, it moves the part's other log
// records into the next payload, so that they are sent with the fragment.
func (s *PayloadWriter) sendAndStartNext(beforeFirstFragment bool) bool {
	moved := plog.NewLogRecordSlice()
	if i := 0; beforeFirstFragment && s.Records.Len() > s.partStart {
		s.Records.RemoveIf(func(lr plog.LogRecord) bool {
			if i++; i <= s.partStart {
				return false
			}
			lr.MoveTo(moved.AppendEmpty())
			return true
		})
	}
	if err := s.Flush(); err != nil && s.isStopped() {
		return false
	}
	s.StartPayload()
	moved.MoveAndAppendTo(s.Records)
	return true
}
