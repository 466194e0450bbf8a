// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/cdr"
	"github.com/legato-otel/legato/internal/logrecord"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/redact"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// eventNames of the documented record types.
var eventNames = [...]string{
	cdr.CallStart: names.EventCallStart, cdr.CallEnd: names.EventCallEnd,
	cdr.CallLegStart: names.EventCallLegStart, cdr.CallLegUpdate: names.EventCallLegUpdate, cdr.CallLegEnd: names.EventCallLegEnd,
	cdr.RecordingStart: names.EventRecordingStart, cdr.RecordingEnd: names.EventRecordingEnd,
	cdr.StreamingStart: names.EventStreamingStart, cdr.StreamingEnd: names.EventStreamingEnd,
}

// idKeys are the attributes of an object's own id.
var idKeys = [...]string{
	cdr.Call: names.CallID, cdr.CallLeg: names.CallLegID, cdr.Recording: names.RecordingID, cdr.Streaming: names.StreamingID,
}

// What error.type says of a record.malformed event.
const (
	errorMalformed         = "malformed_record"
	errorUnknownRecordType = "unknown_record_type"
	errorRejected          = "rejected_by_pipeline"
)

// convert returns the log records of what is new in the body: one for each
// wire record, a gap before the record that shows it, malformed parts last.
func (in *intake) convert(source resource, version string, observed time.Time) plog.Logs {
	logs, records := newLogs(source, version)
	records.EnsureCapacity(in.fresh + 1)
	now := pcommon.NewTimestampFromTime(observed)
	if in.previous != "" {
		in.appendSessionStart(records, now)
	}
	for i := range in.batch.Records {
		if in.records[i].duplicate {
			continue
		}
		r := &in.batch.Records[i]
		appendGap(records, &r.Header, in.records[i].missing, now)
		if r.Type == cdr.TypeUnknown {
			appendUnknown(records, r, now)
			continue
		}
		appendRecord(records, r, now)
	}
	for i := range in.batch.Malformed {
		if in.malformed[i].duplicate {
			continue
		}
		m := &in.batch.Malformed[i]
		appendGap(records, &m.Header, in.malformed[i].missing, now)
		appendMalformed(records, m, now)
	}
	return logs
}

// quarantine returns the whole body as record.malformed, and with it what the
// refused records would have said of the session: its start and its gaps.
func (in *intake) quarantine(source resource, version string, observed time.Time, cause error) plog.Logs {
	logs, records := newLogs(source, version)
	now := pcommon.NewTimestampFromTime(observed)
	if in.previous != "" {
		in.appendSessionStart(records, now)
	}
	for i := range in.batch.Records {
		appendGap(records, &in.batch.Records[i].Header, in.records[i].missing, now)
	}
	for i := range in.batch.Malformed {
		appendGap(records, &in.batch.Malformed[i].Header, in.malformed[i].missing, now)
	}
	appendRaw(records, in.request.Body, now, func(lr plog.LogRecord) {
		lr.Attributes().PutStr(names.ErrorType, errorRejected)
		lr.Attributes().PutStr(names.ErrorMessage, cause.Error())
	})
	return logs
}

func newLogs(source resource, version string) (plog.Logs, plog.LogRecordSlice) {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	source.put(rl.Resource().Attributes())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(metadata.ScopeName)
	sl.Scope().SetVersion(version)
	return logs, sl.LogRecords()
}

func appendRecord(to plog.LogRecordSlice, r *cdr.Record, now pcommon.Timestamp) {
	lr := to.AppendEmpty()
	lr.SetEventName(eventNames[r.Type])
	setTimes(lr, &r.Header, now)
	end := ending{severity: plog.SeverityNumberInfo}
	if r.Type == cdr.CallLegEnd {
		end = endingOf(r)
	}
	logrecord.SetSeverity(lr, end.severity)
	lr.Body().SetStr(describe(r))
	putRecord(lr.Attributes(), r)
	putIfSet(lr.Attributes(), names.ErrorType, end.failure)
}

// putRecord writes everything the wire record says.
func putRecord(m pcommon.Map, r *cdr.Record) {
	m.EnsureCapacity(4 + len(r.Fields) + len(r.Alarms))
	switch {
	case r.ID == "":
	case r.Object == cdr.ObjectUnknown:
		m.PutStr(names.MeetingServerAttribute(r.Element, "@id"), r.ID)
	default:
		m.PutStr(idKeys[r.Object], r.ID)
	}
	putHeader(m, &r.Header)
	unknown := 0
	for i := range r.Fields {
		if f := &r.Fields[i]; f.ID != cdr.Unknown {
			putValue(m, fieldKeys[f.ID], f.ID, f.Value)
		} else {
			unknown++
		}
	}
	putAlarms(m, r.Alarms)
	if unknown == 0 {
		return
	}
	documented := m.Len()
	for i := range r.Fields {
		if f := &r.Fields[i]; f.ID == cdr.Unknown {
			putUnknown(m, documented, r.Element, f)
		}
	}
}

func putHeader(m pcommon.Map, h *cdr.Header) {
	putNumber(m, names.RecordIndex, h.Index)
	putNumber(m, names.RecordLegacyIndex, h.LegacyIndex)
	putNumber(m, names.RecordNumPrecedingMissing, h.Missing)
	if h.Time.IsZero() {
		putIfSet(m, names.RecordTime, h.TimeText)
	}
}

func putNumber(m pcommon.Map, key string, n cdr.Number) {
	switch {
	case n.Valid:
		m.PutInt(key, int64(n.Value)) //nolint:gosec // Valid means that it fits
	case n.Text != "":
		m.PutStr(key, n.Text)
	}
}

func setTimes(lr plog.LogRecord, h *cdr.Header, now pcommon.Timestamp) {
	if !h.Time.IsZero() {
		lr.SetTimestamp(pcommon.NewTimestampFromTime(h.Time))
	}
	lr.SetObservedTimestamp(now)
}

// appendGap reports the records that should have come before the one with this
// header and never will.
func appendGap(to plog.LogRecordSlice, h *cdr.Header, missing uint64, now pcommon.Timestamp) {
	if missing == 0 {
		return
	}
	lr := to.AppendEmpty()
	lr.SetEventName(names.EventRecordGap)
	setTimes(lr, h, now)
	logrecord.SetSeverity(lr, plog.SeverityNumberWarn)
	lr.Body().SetStr(fmt.Sprintf("%d records lost before record %s", missing, indexText(h)))
	putNumber(lr.Attributes(), names.RecordMissing, cdr.Number{Value: missing, Valid: true})
	putNumber(lr.Attributes(), names.RecordIndex, h.Index)
	putNumber(lr.Attributes(), names.RecordLegacyIndex, h.LegacyIndex)
}

func indexText(h *cdr.Header) string {
	if h.Index.Valid {
		return h.Index.Text
	}
	return h.LegacyIndex.Text
}

// appendSessionStart reports that a known bridge has started anew, at the time
// of the first record of its new session.
func (in *intake) appendSessionStart(to plog.LogRecordSlice, now pcommon.Timestamp) {
	lr := to.AppendEmpty()
	lr.SetEventName(names.EventSessionStart)
	if len(in.batch.Records) > 0 {
		setTimes(lr, &in.batch.Records[0].Header, now)
	} else {
		lr.SetObservedTimestamp(now)
	}
	logrecord.SetSeverity(lr, plog.SeverityNumberInfo)
	lr.Body().SetStr("call bridge " + in.bridge + " has started anew; calls of its former session have ended")
	lr.Attributes().PutStr(names.SessionPreviousID, in.previous)
}

// appendUnknown keeps a record of a type the guide does not know: its bytes,
// and all its values under their mechanical names.
func appendUnknown(to plog.LogRecordSlice, r *cdr.Record, now pcommon.Timestamp) {
	appendRaw(to, r.Raw, now, func(lr plog.LogRecord) {
		setTimes(lr, &r.Header, now)
		putRecord(lr.Attributes(), r)
		lr.Attributes().PutStr(names.RecordType, r.TypeText)
		lr.Attributes().PutStr(names.ErrorType, errorUnknownRecordType)
		lr.Attributes().PutStr(names.ErrorMessage, fmt.Sprintf("record type %q is not documented", r.TypeText))
	})
}

// appendMalformed keeps what could not be read: its bytes, and what was
// readable of its start tag.
func appendMalformed(to plog.LogRecordSlice, m *cdr.Malformed, now pcommon.Timestamp) {
	appendRaw(to, m.Raw, now, func(lr plog.LogRecord) {
		setTimes(lr, &m.Header, now)
		putHeader(lr.Attributes(), &m.Header)
		putIfSet(lr.Attributes(), names.RecordType, m.Header.TypeText)
		lr.Attributes().PutInt(names.RecordOffset, int64(m.Offset))
		lr.Attributes().PutStr(names.ErrorType, errorMalformed)
		lr.Attributes().PutStr(names.ErrorMessage, m.Err.Error())
	})
}

// appendRaw appends raw as the bodies of record.malformed events, each with the
// attributes that complete writes. Secrets that can be recognized are taken out.
func appendRaw(to plog.LogRecordSlice, raw string, now pcommon.Timestamp, complete func(plog.LogRecord)) {
	logrecord.Raw{
		Event: names.EventRecordMalformed, Severity: plog.SeverityNumberError,
		Part: names.RecordPart, Parts: names.RecordParts, Text: redact.XML(raw),
	}.Append(to, now, complete)
}
