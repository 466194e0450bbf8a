// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/meetingserver/cdr"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/logrecord"
	"github.com/legato-otel/legato/internal/redact"
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

// Values of error.type of a record.malformed event.
const (
	errorMalformed         = "malformed_record"
	errorUnknownRecordType = "unknown_record_type"
	errorTooLarge          = "record_too_large"
	errorExpands           = "record_expands"
	errorRefused           = "rejected_by_pipeline"
)

// maxRecordBytes is the length of the largest record whose values become attributes. A longer
// record is kept as posted, because no Call Bridge makes such a record and no backend accepts
// its attributes.
const maxRecordBytes = 2 << 20

// errorImplausibleGap is the error.type of a record.gap event with an implausible number.
const errorImplausibleGap = "implausible_gap"

// AddRecords implements outbox.Body. It adds one log record for each new wire record, a
// record.gap before the record that shows the gap, and the malformed parts last.
func (b *batch) AddRecords(c *outbox.Chunk, to *outbox.PayloadWriter) error {
	if b.exceedsExpansion(c) {
		return outbox.ErrRecordsTooLarge
	}
	to.Records.EnsureCapacity(c.NewParts + 1)
	if b.reportsSessionStart(c) {
		b.appendSessionStart(to.Records, to.ReceivedAt)
	}
	to.StartPart(c.From) // the session.start record belongs to no part
	from, end := b.recordsOf(c)
	for i := from; i < end; i++ {
		if b.records[i].isDuplicate {
			continue
		}
		to.StartPart(i)
		r := &b.decoded.Records[i]
		appendGap(to.Records, &r.Header, &b.records[i], to.ReceivedAt)
		switch {
		case len(r.Raw) > maxRecordBytes:
			addTooLargeRecord(to, r)
		case r.Type == cdr.TypeUnknown:
			addUnknownRecord(to, r)
		default:
			appendRecord(to.Records, r, to.ReceivedAt)
		}
	}
	from, end = b.malformedOf(c)
	for i := from; i < end; i++ {
		if b.malformed[i].isDuplicate {
			continue
		}
		to.StartPart(len(b.records) + i)
		m := &b.decoded.Malformed[i]
		appendGap(to.Records, &m.Header, &b.malformed[i], to.ReceivedAt)
		addMalformedPart(to, m)
	}
	to.StartPart(c.To) // all parts of the chunk are added
	return nil
}

// AddRaw implements outbox.Body. It adds a quarantined chunk as record.malformed events, after
// its session.start and record.gap events. A chunk that would expand too much has one
// record.gap for all its gaps.
func (b *batch) AddRaw(c *outbox.Chunk, to *outbox.PayloadWriter) {
	if b.reportsSessionStart(c) {
		b.appendSessionStart(to.Records, to.ReceivedAt)
	}
	errorType := errorRefused
	if errors.Is(c.QuarantineReason, outbox.ErrRecordsTooLarge) {
		errorType = errorExpands
		b.appendMergedGap(c, to)
	} else {
		for i := c.From; i < c.To; i++ {
			if p, header, _ := b.partAt(i); !p.isDuplicate {
				appendGap(to.Records, header, p, to.ReceivedAt)
			}
		}
	}
	message := clipText(c.QuarantineReason.Error(), maxErrorMessage)
	addRawText(to, b.rawText(c), func(lr plog.LogRecord, _ bool) {
		lr.Attributes().PutStr(names.ErrorType, errorType)
		lr.Attributes().PutStr(names.ErrorMessage, message)
	})
}

// appendMergedGap reports all gaps of a chunk in one event, before the last of them. One
// event for each gap could exceed outbox.MaxExpansion.
func (b *batch) appendMergedGap(c *outbox.Chunk, to *outbox.PayloadWriter) {
	var merged part
	var last *cdr.Header
	for i := c.From; i < c.To; i++ {
		if p, header, _ := b.partAt(i); p.missing > 0 && !p.gapSent {
			merged.addGap(ledger.CheckResult{Missing: p.missing, IsImplausible: p.isImplausible})
			last = header
		}
	}
	if last != nil {
		appendGap(to.Records, last, &merged, to.ReceivedAt)
	}
}

// maxErrorMessage bounds the text of another component's error, in bytes.
const maxErrorMessage = 1024

func appendRecord(to plog.LogRecordSlice, r *cdr.Record, now pcommon.Timestamp) {
	lr := to.AppendEmpty()
	lr.SetEventName(eventNames[r.Type])
	setTimes(lr, &r.Header, now)
	end := recordClass{severity: plog.SeverityNumberInfo}
	if r.Type == cdr.CallLegEnd {
		end = classifyLegEnd(r)
	}
	logrecord.SetSeverity(lr, end.severity)
	lr.Body().SetStr(describe(r))
	putRecord(lr.Attributes(), r)
	putIfSet(lr.Attributes(), names.ErrorType, end.failure)
}

// putRecord writes all values of a record.
func putRecord(m pcommon.Map, r *cdr.Record) {
	m.EnsureCapacity(4 + len(r.Fields) + len(r.Alarms) + logrecord.StampAttributes)
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
	documentedCount := m.Len()
	for i := range r.Fields {
		if f := &r.Fields[i]; f.ID == cdr.Unknown {
			putUnknown(m, documentedCount, r.Element, f)
		}
	}
}

func putHeader(m pcommon.Map, h *cdr.Header) {
	putNumber(m, names.RecordIndex, h.Index)
	putNumber(m, names.RecordLegacyIndex, h.LegacyIndex)
	putNumber(m, names.RecordNumPrecedingMissing, h.Missing)
	if h.Time.IsZero() {
		putIfSet(m, names.RecordTime, clipName(redact.Text(h.TimeText)))
	}
}

func putNumber(m pcommon.Map, key string, n cdr.Number) {
	switch {
	case n.Valid:
		m.PutInt(key, int64(n.Value)) //nolint:gosec // Valid means that it fits
	case n.Text != "":
		m.PutStr(key, clipName(redact.Text(n.Text)))
	}
}

func setTimes(lr plog.LogRecord, h *cdr.Header, now pcommon.Timestamp) {
	if !h.Time.IsZero() {
		lr.SetTimestamp(pcommon.NewTimestampFromTime(h.Time))
	}
	lr.SetObservedTimestamp(now)
}

// appendGap reports the missing records before the part with this header. An implausible
// number is reported as an error.
func appendGap(to plog.LogRecordSlice, h *cdr.Header, p *part, now pcommon.Timestamp) {
	if p.missing == 0 || p.gapSent {
		return
	}
	lr := to.AppendEmpty()
	lr.SetEventName(names.EventRecordGap)
	setTimes(lr, h, now)
	logrecord.SetSeverity(lr, plog.SeverityNumberWarn)
	lr.Body().SetStr(fmt.Sprintf("%d records lost before record %s", p.missing, indexText(h)))
	putNumber(lr.Attributes(), names.RecordMissing, cdr.Number{Value: p.missing, Valid: true})
	if p.isImplausible {
		message := fmt.Sprintf("a gap of %d records is larger than %d and is not counted", p.missing, uint64(ledger.MaxMissing))
		lr.Attributes().PutStr(names.ErrorType, errorImplausibleGap)
		lr.Attributes().PutStr(names.ErrorMessage, message)
		lr.Body().SetStr(message + ": before record " + indexText(h))
	}
	putNumber(lr.Attributes(), names.RecordIndex, h.Index)
	putNumber(lr.Attributes(), names.RecordLegacyIndex, h.LegacyIndex)
}

func indexText(h *cdr.Header) string {
	if h.Index.Valid {
		return clipName(h.Index.Text)
	}
	return clipName(h.LegacyIndex.Text)
}

// appendSessionStart reports a new session of a known Call Bridge, at the time of the batch's
// first record. The event names the session that the new one replaces, unless several live
// sessions share the bridge's name. The package comment of internal/ingest/ledger lists the
// guarantees to a consumer.
func (b *batch) appendSessionStart(to plog.LogRecordSlice, now pcommon.Timestamp) {
	lr := to.AppendEmpty()
	lr.SetEventName(names.EventSessionStart)
	if len(b.decoded.Records) > 0 {
		setTimes(lr, &b.decoded.Records[0].Header, now)
	} else {
		lr.SetObservedTimestamp(now)
	}
	logrecord.SetSeverity(lr, plog.SeverityNumberInfo)
	previous := strings.TrimSuffix(b.requestInfo.SessionStart.PreviousSession, b.legacySuffix)
	name := cmp.Or(b.requestInfo.Identity.Bridge, b.requestInfo.Identity.System)
	bridge := string(logrecord.AppendText([]byte("call bridge "), name))
	if previous == "" {
		lr.Body().SetStr(bridge + " has a new session; several live sessions share its name, so none is taken to have ended")
		return
	}
	lr.Body().SetStr(bridge + " has started anew; calls of its former session have ended")
	lr.Attributes().PutStr(names.SessionPreviousID, previous)
}

// addUnknownRecord keeps a record of an undocumented type: its bytes, and all its values under
// names made from its XML elements.
func addUnknownRecord(to *outbox.PayloadWriter, r *cdr.Record) {
	addRawText(to, r.Raw, func(lr plog.LogRecord, first bool) {
		setTimes(lr, &r.Header, to.ReceivedAt)
		if first {
			putRecord(lr.Attributes(), r)
		} else {
			putHeader(lr.Attributes(), &r.Header)
		}
		lr.Attributes().PutStr(names.RecordType, clipName(redact.Text(r.TypeText)))
		lr.Attributes().PutStr(names.ErrorType, errorUnknownRecordType)
		lr.Attributes().PutStr(names.ErrorMessage, fmt.Sprintf("record type %q is not documented", clipName(redact.Text(r.TypeText))))
	})
}

// addTooLargeRecord keeps the bytes of a record above maxRecordBytes.
func addTooLargeRecord(to *outbox.PayloadWriter, r *cdr.Record) {
	addRawText(to, r.Raw, func(lr plog.LogRecord, _ bool) {
		setTimes(lr, &r.Header, to.ReceivedAt)
		putHeader(lr.Attributes(), &r.Header)
		lr.Attributes().PutStr(names.RecordType, clipName(redact.Text(r.TypeText)))
		lr.Attributes().PutStr(names.ErrorType, errorTooLarge)
		lr.Attributes().PutStr(names.ErrorMessage, fmt.Sprintf("record has %d bytes, more than %d", len(r.Raw), maxRecordBytes))
	})
}

// addMalformedPart keeps a part that cannot be decoded: its bytes, and the readable
// attributes of its start tag.
func addMalformedPart(to *outbox.PayloadWriter, m *cdr.Malformed) {
	addRawText(to, m.Raw, func(lr plog.LogRecord, _ bool) {
		setTimes(lr, &m.Header, to.ReceivedAt)
		putHeader(lr.Attributes(), &m.Header)
		putIfSet(lr.Attributes(), names.RecordType, clipName(redact.Text(m.Header.TypeText)))
		lr.Attributes().PutInt(names.RecordOffset, int64(m.Offset))
		lr.Attributes().PutStr(names.ErrorType, errorMalformed)
		lr.Attributes().PutStr(names.ErrorMessage, m.Err.Error())
	})
}

// addRawText adds text as the bodies of record.malformed events, without secrets.
func addRawText(to *outbox.PayloadWriter, text string, complete func(lr plog.LogRecord, first bool)) {
	to.AddRaw(&logrecord.Raw{
		EventName: names.EventRecordMalformed, Severity: plog.SeverityNumberError,
		PartKey: names.RecordPart, PartsKey: names.RecordParts, Text: text,
	}, complete)
}
