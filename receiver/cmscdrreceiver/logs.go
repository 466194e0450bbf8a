// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"cmp"
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

// What error.type says of a record.malformed event.
const (
	errorMalformed         = "malformed_record"
	errorUnknownRecordType = "unknown_record_type"
	errorTooLarge          = "record_too_large"
	errorExpands           = "record_expands"
	errorRejected          = "rejected_by_pipeline"
)

// maxRecord is the largest record, in bytes as posted, whose values become
// attributes. A larger one, which no Call Bridge makes and no backend takes, is
// kept as bytes.
const maxRecord = 2 << 20

// errorImplausibleGap is the error.type of a record.gap event whose number
// cannot be right.
const errorImplausibleGap = "implausible_gap"

// convert adds the log records of what is new in a piece: one for each wire
// record, a gap before the record that shows it, malformed parts last.
func (in *intake) convert(p *outbox.Piece, to *outbox.Sender) {
	if in.begins(p) {
		in.appendSessionStart(to.Records, to.Now)
	}
	to.BeginPart(p.From)
	from, end := in.recordsOf(p)
	for i := from; i < end; i++ {
		if in.records[i].duplicate {
			continue
		}
		to.BeginPart(i)
		r := &in.batch.Records[i]
		appendGap(to.Records, &r.Header, &in.records[i], to.Now)
		switch {
		case len(r.Raw) > maxRecord:
			addTooLarge(to, r)
		case r.Type == cdr.TypeUnknown:
			addUnknown(to, r)
		default:
			appendRecord(to.Records, r, to.Now)
		}
	}
	from, end = in.malformedOf(p)
	for i := from; i < end; i++ {
		if in.malformed[i].duplicate {
			continue
		}
		to.BeginPart(len(in.records) + i)
		m := &in.batch.Malformed[i]
		appendGap(to.Records, &m.Header, &in.malformed[i], to.Now)
		addMalformed(to, m)
	}
	to.BeginPart(p.To)
}

// quarantine adds a piece as record.malformed, and with it what its records
// would have said of the session: its start and its gaps.
func (in *intake) quarantine(p *outbox.Piece, kind string, to *outbox.Sender) {
	if in.begins(p) {
		in.appendSessionStart(to.Records, to.Now)
	}
	if kind == errorExpands {
		in.appendOneGap(p, to)
	} else {
		for i := p.From; i < p.To; i++ {
			if j, header, _ := in.part(i); !j.duplicate {
				appendGap(to.Records, header, j, to.Now)
			}
		}
	}
	message := clipTo(p.Rejected.Error(), maxMessage)
	addRaw(to, in.text(p), func(lr plog.LogRecord, _ bool) {
		lr.Attributes().PutStr(names.ErrorType, kind)
		lr.Attributes().PutStr(names.ErrorMessage, message)
	})
}

// appendOneGap reports all holes of a piece in one event, at the last of them:
// one for each could be more bytes than the piece may become.
func (in *intake) appendOneGap(p *outbox.Piece, to *outbox.Sender) {
	var all judged
	var last *cdr.Header
	for i := p.From; i < p.To; i++ {
		if j, header, _ := in.part(i); j.missing > 0 && !j.gapSent {
			all.add(ledger.Verdict{Missing: j.missing, Implausible: j.implausible})
			last = header
		}
	}
	if last != nil {
		appendGap(to.Records, last, &all, to.Now)
	}
}

// maxMessage bounds the text of another component's error, in bytes.
const maxMessage = 1024

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
	m.EnsureCapacity(4 + len(r.Fields) + len(r.Alarms) + logrecord.RoomForStamp)
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
		putIfSet(m, names.RecordTime, clip(redact.Text(h.TimeText)))
	}
}

func putNumber(m pcommon.Map, key string, n cdr.Number) {
	switch {
	case n.Valid:
		m.PutInt(key, int64(n.Value)) //nolint:gosec // Valid means that it fits
	case n.Text != "":
		m.PutStr(key, clip(redact.Text(n.Text)))
	}
}

func setTimes(lr plog.LogRecord, h *cdr.Header, now pcommon.Timestamp) {
	if !h.Time.IsZero() {
		lr.SetTimestamp(pcommon.NewTimestampFromTime(h.Time))
	}
	lr.SetObservedTimestamp(now)
}

// appendGap reports the records that should have come before the one with this
// header and never will. A number that cannot be right is reported as an error.
func appendGap(to plog.LogRecordSlice, h *cdr.Header, j *judged, now pcommon.Timestamp) {
	if j.missing == 0 || j.gapSent {
		return
	}
	lr := to.AppendEmpty()
	lr.SetEventName(names.EventRecordGap)
	setTimes(lr, h, now)
	logrecord.SetSeverity(lr, plog.SeverityNumberWarn)
	lr.Body().SetStr(fmt.Sprintf("%d records lost before record %s", j.missing, indexText(h)))
	putNumber(lr.Attributes(), names.RecordMissing, cdr.Number{Value: j.missing, Valid: true})
	if j.implausible {
		message := fmt.Sprintf("a hole of %d records is larger than %d and is not counted", j.missing, uint64(ledger.MaxMissing))
		lr.Attributes().PutStr(names.ErrorType, errorImplausibleGap)
		lr.Attributes().PutStr(names.ErrorMessage, message)
		lr.Body().SetStr(message + ": before record " + indexText(h))
	}
	putNumber(lr.Attributes(), names.RecordIndex, h.Index)
	putNumber(lr.Attributes(), names.RecordLegacyIndex, h.LegacyIndex)
}

func indexText(h *cdr.Header) string {
	if h.Index.Valid {
		return clip(h.Index.Text)
	}
	return clip(h.LegacyIndex.Text)
}

// appendSessionStart reports a new session of a known bridge, at the time of the
// first record of the body. It names the session that it replaces, if that is
// certain enough; internal/ingest/ledger says what the receiver of the event can rely on.
func (in *intake) appendSessionStart(to plog.LogRecordSlice, now pcommon.Timestamp) {
	lr := to.AppendEmpty()
	lr.SetEventName(names.EventSessionStart)
	if len(in.batch.Records) > 0 {
		setTimes(lr, &in.batch.Records[0].Header, now)
	} else {
		lr.SetObservedTimestamp(now)
	}
	logrecord.SetSeverity(lr, plog.SeverityNumberInfo)
	previous := strings.TrimSuffix(in.post.Start.Previous, in.legacy)
	name := cmp.Or(in.post.Identity.Bridge, in.post.Identity.System)
	bridge := string(logrecord.AppendText([]byte("call bridge "), name))
	if previous == "" {
		lr.Body().SetStr(bridge + " has a new session; several live sessions share its name, so none is taken to have ended")
		return
	}
	lr.Body().SetStr(bridge + " has started anew; calls of its former session have ended")
	lr.Attributes().PutStr(names.SessionPreviousID, previous)
}

// addUnknown keeps a record of a type the guide does not know: its bytes, and
// all its values under their mechanical names.
func addUnknown(to *outbox.Sender, r *cdr.Record) {
	addRaw(to, r.Raw, func(lr plog.LogRecord, first bool) {
		setTimes(lr, &r.Header, to.Now)
		if first {
			putRecord(lr.Attributes(), r)
		} else {
			putHeader(lr.Attributes(), &r.Header)
		}
		lr.Attributes().PutStr(names.RecordType, clip(redact.Text(r.TypeText)))
		lr.Attributes().PutStr(names.ErrorType, errorUnknownRecordType)
		lr.Attributes().PutStr(names.ErrorMessage, fmt.Sprintf("record type %q is not documented", clip(redact.Text(r.TypeText))))
	})
}

// addTooLarge keeps the bytes of a record that is over maxRecord.
func addTooLarge(to *outbox.Sender, r *cdr.Record) {
	addRaw(to, r.Raw, func(lr plog.LogRecord, _ bool) {
		setTimes(lr, &r.Header, to.Now)
		putHeader(lr.Attributes(), &r.Header)
		lr.Attributes().PutStr(names.RecordType, clip(redact.Text(r.TypeText)))
		lr.Attributes().PutStr(names.ErrorType, errorTooLarge)
		lr.Attributes().PutStr(names.ErrorMessage, fmt.Sprintf("record has %d bytes, more than %d", len(r.Raw), maxRecord))
	})
}

// addMalformed keeps a part that could not be read: its bytes, and what was
// readable of its start tag.
func addMalformed(to *outbox.Sender, m *cdr.Malformed) {
	addRaw(to, m.Raw, func(lr plog.LogRecord, _ bool) {
		setTimes(lr, &m.Header, to.Now)
		putHeader(lr.Attributes(), &m.Header)
		putIfSet(lr.Attributes(), names.RecordType, clip(redact.Text(m.Header.TypeText)))
		lr.Attributes().PutInt(names.RecordOffset, int64(m.Offset))
		lr.Attributes().PutStr(names.ErrorType, errorMalformed)
		lr.Attributes().PutStr(names.ErrorMessage, m.Err.Error())
	})
}

// addRaw adds text as the bodies of record.malformed events. Secrets that can be
// recognized are taken out.
func addRaw(to *outbox.Sender, text string, complete func(lr plog.LogRecord, first bool)) {
	to.AddRaw(&logrecord.Raw{
		Event: names.EventRecordMalformed, Severity: plog.SeverityNumberError,
		Part: names.RecordPart, Parts: names.RecordParts, Text: text,
	}, complete)
}
