// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package logrecord writes what log records of several receivers have in common:
// severities and quarantine.
package logrecord

import (
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
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
	// Text without secrets.
	Text string
}

// Append appends the text as the body of one event, or of several if it is
// long; as text if it is text, each with the attributes that complete writes.
func (r Raw) Append(to plog.LogRecordSlice, now pcommon.Timestamp, complete func(plog.LogRecord)) {
	raw := r.Text
	parts := max(1, (len(raw)+MaxRaw-1)/MaxRaw)
	text := utf8.ValidString(raw)
	for part := range parts {
		lr := to.AppendEmpty()
		lr.SetEventName(r.Event)
		lr.SetObservedTimestamp(now)
		SetSeverity(lr, r.Severity)
		end := len(raw)
		if part < parts-1 {
			end = cut(raw, MaxRaw, text)
		}
		if text {
			lr.Body().SetStr(raw[:end])
		} else {
			lr.Body().SetEmptyBytes().FromRaw([]byte(raw[:end]))
		}
		raw = raw[end:]
		complete(lr)
		if parts > 1 {
			lr.Attributes().PutInt(r.Part, int64(part+1))
			lr.Attributes().PutInt(r.Parts, int64(parts))
		}
	}
}

// cut returns how much of raw fits into limit without cutting a character.
func cut(raw string, limit int, text bool) int {
	if len(raw) <= limit {
		return len(raw)
	}
	for text && limit > 0 && !utf8.RuneStart(raw[limit]) {
		limit--
	}
	return limit
}
