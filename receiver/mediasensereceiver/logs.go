// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/logrecord"
	"github.com/legato-otel/legato/internal/mediasense"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/redact"
	"github.com/legato-otel/legato/receiver/mediasensereceiver/internal/metadata"
)

// eventNames of the documented events.
var eventNames = [mediasense.TypeCount]string{
	mediasense.SessionStarted: names.EventSessionStarted, mediasense.SessionUpdated: names.EventSessionUpdated,
	mediasense.SessionEnded: names.EventSessionEnded, mediasense.SessionDeleted: names.EventSessionDeleted,
	mediasense.SessionPruned: names.EventSessionPruned,
	mediasense.TagAdded:      names.EventTagAdded, mediasense.TagUpdated: names.EventTagUpdated, mediasense.TagDeleted: names.EventTagDeleted,
	mediasense.EnterLow: names.EventStorageEnterLow, mediasense.ExitLow: names.EventStorageExitLow,
	mediasense.EnterCritical: names.EventStorageEnterCritical, mediasense.ExitCritical: names.EventStorageExitCritical,
	mediasense.EnterEmergency: names.EventStorageEnterEmergency, mediasense.ExitEmergency: names.EventStorageExitEmergency,
}

// What error.type says.
const (
	errorMalformed = "malformed_event"
	errorUnknown   = "unknown_event"
	errorRejected  = "rejected_by_pipeline"
)

// convert returns the log records of what is new in the body: one for each
// event, those of its tracks behind it, malformed parts last.
func (d *delivery) convert(in *intake, source *resource) plog.Logs {
	logs, records := d.newLogs(source)
	records.EnsureCapacity(in.fresh)
	now := pcommon.NewTimestampFromTime(in.received)
	for i := range in.batch.Events {
		if in.events[i].duplicate {
			continue
		}
		e := &in.batch.Events[i]
		if e.Type == mediasense.TypeUnknown {
			appendUnknown(records, e, now)
			continue
		}
		appendEvent(records, e, in.events[i].sessions, now)
		if d.perTrack {
			appendTracks(records, e, now)
		}
	}
	for i := range in.batch.Malformed {
		if !in.malformed[i].duplicate {
			appendMalformed(records, &in.batch.Malformed[i], now)
		}
	}
	return logs
}

// quarantine returns the whole body as record.malformed.
func (d *delivery) quarantine(in *intake, source *resource, cause error) plog.Logs {
	logs, records := d.newLogs(source)
	appendRaw(records, names.EventMediaSenseMalformed, in.request.Body, pcommon.NewTimestampFromTime(in.received), func(lr plog.LogRecord) {
		lr.Attributes().PutStr(names.ErrorType, errorRejected)
		lr.Attributes().PutStr(names.ErrorMessage, cause.Error())
	})
	return logs
}

func (d *delivery) newLogs(source *resource) (plog.Logs, plog.LogRecordSlice) {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	source.put(rl.Resource().Attributes())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(metadata.ScopeName)
	sl.Scope().SetVersion(d.version)
	return logs, sl.LogRecords()
}

// appendEvent writes a documented event. sessions, if not nil, replace those of
// an event about several.
func appendEvent(to plog.LogRecordSlice, e *mediasense.Event, sessions []string, now pcommon.Timestamp) {
	lr := to.AppendEmpty()
	lr.SetEventName(eventNames[e.Type])
	setTimes(lr, eventTime(e), now)
	logrecord.SetSeverity(lr, severityOf(e))
	m := lr.Attributes()
	putEvent(m, e)
	count := len(e.SessionIDs())
	if sessions != nil {
		list := m.PutEmptySlice(names.MediaSenseSessionIDs)
		for _, id := range sessions {
			list.AppendEmpty().SetStr(id)
		}
		count = len(sessions)
	}
	lr.Body().SetStr(describe(e, count))
}

// setTimes sets the event's own time, in milliseconds since 1970, or the time
// at which it came if it has none.
func setTimes(lr plog.LogRecord, date int64, now pcommon.Timestamp) {
	lr.SetObservedTimestamp(now)
	lr.SetTimestamp(now)
	if date > 0 && date <= latestDate {
		lr.SetTimestamp(pcommon.Timestamp(date * 1_000_000))
	}
}

// latestDate is the last one that nanoseconds have room for, in the year 2262.
const latestDate = 9_223_372_036_854

// eventTime is when the event happened, in milliseconds since 1970; 0 if it
// does not say.
func eventTime(e *mediasense.Event) int64 {
	switch e.Type {
	case mediasense.SessionStarted:
		start, _ := e.Int(mediasense.SessionStartDate)
		return start
	case mediasense.SessionEnded:
		start, hasStart := e.Int(mediasense.SessionStartDate)
		duration, hasDuration := e.Int(mediasense.SessionDuration)
		return endOf(start, duration, hasStart && hasDuration)
	case mediasense.SessionUpdated:
		return e.NewestDate()
	case mediasense.TagAdded, mediasense.TagUpdated, mediasense.TagDeleted:
		created, _ := e.Int(mediasense.TagEventCreateDate)
		return created
	default:
		return 0
	}
}

// endOf is the end of what began and lasted, 0 if either is not known.
func endOf(start, duration int64, known bool) int64 {
	if !known || start <= 0 || duration < 0 || duration > latestDate {
		return 0
	}
	return start + duration
}

// appendUnknown keeps an event that is not documented: its bytes, and all its
// values under their mechanical names.
func appendUnknown(to plog.LogRecordSlice, e *mediasense.Event, now pcommon.Timestamp) {
	appendRaw(to, names.EventMediaSenseUnknown, e.Raw, now, func(lr plog.LogRecord) {
		putEvent(lr.Attributes(), e)
		putTypeAndAction(lr.Attributes(), e)
		lr.Attributes().PutStr(names.ErrorType, errorUnknown)
		lr.Attributes().PutStr(names.ErrorMessage, fmt.Sprintf("event type %q with action %q is not documented", clip(e.TypeText), clip(e.ActionText)))
	})
}

// appendMalformed keeps what could not be read: its bytes, and what could be
// read of it. If that is an event of its own, what it is about is enough.
func appendMalformed(to plog.LogRecordSlice, m *mediasense.Malformed, now pcommon.Timestamp) {
	appendRaw(to, names.EventMediaSenseMalformed, m.Raw, now, func(lr plog.LogRecord) {
		attributes := lr.Attributes()
		if m.Kept {
			putIfSet(attributes, names.MediaSenseSessionID, m.Read.SessionID())
		} else {
			putEvent(attributes, &m.Read)
		}
		putTypeAndAction(attributes, &m.Read)
		attributes.PutInt(names.MediaSenseRecordOffset, int64(m.Offset))
		attributes.PutStr(names.ErrorType, errorMalformed)
		attributes.PutStr(names.ErrorMessage, m.Err.Error())
	})
}

func putTypeAndAction(m pcommon.Map, e *mediasense.Event) {
	putIfSet(m, names.MediaSenseEventType, e.TypeText)
	putIfSet(m, names.MediaSenseEventAction, e.ActionText)
}

func putIfSet(m pcommon.Map, key, value string) {
	if value != "" {
		m.PutStr(key, value)
	}
}

// appendRaw appends bytes as they came, without secrets that can be recognized.
func appendRaw(to plog.LogRecordSlice, event, raw string, now pcommon.Timestamp, complete func(plog.LogRecord)) {
	severity := plog.SeverityNumberError
	if event == names.EventMediaSenseUnknown {
		severity = plog.SeverityNumberWarn
	}
	logrecord.Raw{
		Event: event, Severity: severity, Part: names.MediaSenseRecordPart, Parts: names.MediaSenseRecordParts, Text: redact.JSON(raw),
	}.Append(to, now, func(lr plog.LogRecord) {
		lr.SetTimestamp(now)
		complete(lr)
	})
}
