// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package logrecord writes what log records of several receivers have in common:
// severities and quarantine.
package logrecord

import (
	"iter"
	"slices"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/redact"
)

// SetSeverity sets number and text.
func SetSeverity(lr plog.LogRecord, number plog.SeverityNumber) {
	lr.SetSeverityNumber(number)
	switch number {
	case plog.SeverityNumberWarn:
		lr.SetSeverityText("WARN")
	case plog.SeverityNumberError:
		lr.SetSeverityText("ERROR")
	default:
		lr.SetSeverityText("INFO")
	}
}

// RoomForStamp is how many attributes callstitch may add to a record: the id of
// its call and what is kept of that on everything in it. A receiver that leaves
// room for them saves callstitch a copy of the record's attributes.
const RoomForStamp = 8

// MaxRaw is the most of a raw part that goes into one log record, in bytes.
// Backends and queues drop records of megabytes, after they were acknowledged; a
// longer part becomes several records.
const MaxRaw = 256 << 10

// Raw is bytes that are kept as they came.
type Raw struct {
	// Event is the name of the events, and Severity theirs.
	Event    string
	Severity plog.SeverityNumber
	// Part and Parts are the attributes that number the records of a long text.
	Part, Parts string
	// Text as it came. Its secrets are taken out before it is cut into pieces.
	Text string
}

// Piece is what of a Raw goes into one log record.
type Piece struct {
	// Text without secrets, at most MaxRaw bytes.
	Text string
	// Number is from 1, and Of the number of all pieces of the Raw.
	Number, Of int

	raw  *Raw
	text bool // all of the Raw is text
}

// Pieces yields the pieces of the text: one, or several if it is long. What is
// held in memory at a time is a few pieces, whatever the text.
func (r *Raw) Pieces() iter.Seq[Piece] {
	return func(yield func(Piece) bool) {
		redacted := redact.Pieces(r.Text, MaxRaw)
		of := 0
		if len(r.Text) <= MaxRaw {
			redacted = slices.Values(slices.Collect(redacted))
		}
		for range redacted {
			of++
		}
		text, number := utf8.ValidString(r.Text), 0
		for piece := range redacted {
			number++
			if !yield(Piece{Text: piece, Number: number, Of: of, raw: r, text: text}) {
				return
			}
		}
	}
}

// Append appends the piece as the body of an event; as text if it is text, with
// the attributes that complete writes.
func (p *Piece) Append(to plog.LogRecordSlice, now pcommon.Timestamp, complete func(plog.LogRecord)) {
	lr := to.AppendEmpty()
	lr.SetEventName(p.raw.Event)
	lr.SetObservedTimestamp(now)
	SetSeverity(lr, p.raw.Severity)
	if p.text {
		lr.Body().SetStr(p.Text)
	} else {
		lr.Body().SetEmptyBytes().FromRaw([]byte(p.Text))
	}
	complete(lr)
	if p.Of > 1 {
		lr.Attributes().PutInt(p.raw.Part, int64(p.Number))
		lr.Attributes().PutInt(p.raw.Parts, int64(p.Of))
	}
}
