// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package logrecord writes the parts that log records of several receivers share:
// severities, bodies without secrets, and raw text in fragments. Its functions do not wait;
// its tests are tables.
package logrecord

import (
	"iter"
	"slices"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/redact"
)

// SetSeverity sets severity number and text.
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

// StampAttributes is how many attributes callstitch may add to a log record: the id of its
// call and attributes of that call. A receiver that reserves capacity for them saves
// callstitch a copy of the attributes.
const StampAttributes = 8

// MaxRaw bounds the raw text of one log record, in bytes. Backends and queues drop records of
// megabytes, after they were acknowledged. A longer text becomes several log records.
const MaxRaw = 256 << 10

// Raw is received text that becomes log records unchanged, except for secrets.
type Raw struct {
	// EventName and Severity of the log records.
	EventName string
	Severity  plog.SeverityNumber
	// PartKey and PartsKey are the attribute keys for the number of a fragment and the
	// number of fragments, if there are several.
	PartKey, PartsKey string
	// Text as received. Fragments redacts its secrets before it divides the text.
	Text string
}

// Fragment is the part of a Raw in one log record.
type Fragment struct {
	// Text without secrets, at most MaxRaw bytes.
	Text string
	// Number counts from 1 to Count.
	Number, Count int

	raw    *Raw
	isText bool // Raw.Text is valid UTF-8
}

// Fragments yields the fragments of the text. Only a few of them are in memory at a time,
// however long the text is.
func (r *Raw) Fragments() iter.Seq[Fragment] {
	return func(yield func(Fragment) bool) {
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
			if !yield(Fragment{Text: piece, Number: number, Count: of, raw: r, isText: text}) {
				return
			}
		}
	}
}

// Append appends a log record with the fragment as its body: a string if the text is valid
// UTF-8, else bytes. setAttributes writes its attributes.
func (p *Fragment) Append(to plog.LogRecordSlice, now pcommon.Timestamp, setAttributes func(plog.LogRecord)) {
	lr := to.AppendEmpty()
	lr.SetEventName(p.raw.EventName)
	lr.SetObservedTimestamp(now)
	SetSeverity(lr, p.raw.Severity)
	if p.isText {
		lr.Body().SetStr(p.Text)
	} else {
		lr.Body().SetEmptyBytes().FromRaw([]byte(p.Text))
	}
	setAttributes(lr)
	if p.Count > 1 {
		lr.Attributes().PutInt(p.raw.PartKey, int64(p.Number))
		lr.Attributes().PutInt(p.raw.PartsKey, int64(p.Count))
	}
}
