// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/mediasense/event"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/logrecord"
	"github.com/legato-otel/legato/internal/redact"
)

// eventNames of the documented events.
var eventNames = [event.TypeCount]string{
	event.SessionStarted: names.EventSessionStarted, event.SessionUpdated: names.EventSessionUpdated,
	event.SessionEnded: names.EventSessionEnded, event.SessionDeleted: names.EventSessionDeleted,
	event.SessionPruned: names.EventSessionPruned,
	event.TagAdded:      names.EventTagAdded, event.TagUpdated: names.EventTagUpdated, event.TagDeleted: names.EventTagDeleted,
	event.EnterLow: names.EventStorageEnterLow, event.ExitLow: names.EventStorageExitLow,
	event.EnterCritical: names.EventStorageEnterCritical, event.ExitCritical: names.EventStorageExitCritical,
	event.EnterEmergency: names.EventStorageEnterEmergency, event.ExitEmergency: names.EventStorageExitEmergency,
}

// What error.type says.
const (
	errorMalformed = "malformed_event"
	errorUnknown   = "unknown_event"
	errorTooLarge  = "event_too_large"
	errorExpands   = "event_expands"
	errorRejected  = "rejected_by_pipeline"
)

// maxEvent is the largest event, in bytes as posted, whose values become
// attributes. A larger one is kept as bytes: no backend takes its record.
const maxEvent = 2 << 20

// convert adds the log records of what is new in a piece: one for each event,
// those of its tracks behind it, malformed parts last.
func (d *delivery) convert(in *intake, p *outbox.Piece, to *outbox.Sender) {
	to.BeginPart(p.From)
	from, end := in.eventsOf(p)
	for i := from; i < end; i++ {
		if in.events[i].duplicate {
			continue
		}
		to.BeginPart(i)
		e := &in.batch.Events[i]
		switch {
		case len(e.Raw) > maxEvent:
			addTooLarge(to, e)
		case e.Type == event.TypeUnknown:
			addUnknown(to, e)
		default:
			appendEvent(to.Records, e, in.events[i].sessions, to.Now)
			if d.perTrack {
				appendTracks(to.Records, e, to.Now)
			}
		}
	}
	from, end = in.malformedOf(p)
	for i := from; i < end; i++ {
		if !in.malformed[i].duplicate {
			to.BeginPart(len(in.events) + i)
			addMalformed(to, &in.batch.Malformed[i])
		}
	}
	to.BeginPart(p.To)
}

// quarantine adds a piece as record.malformed.
func (in *intake) quarantine(p *outbox.Piece, kind string, to *outbox.Sender) {
	message := clipTo(p.Rejected.Error(), maxMessage)
	addRaw(to, names.EventMediaSenseMalformed, in.text(p), func(lr plog.LogRecord, _ bool) {
		lr.Attributes().PutStr(names.ErrorType, kind)
		lr.Attributes().PutStr(names.ErrorMessage, message)
	})
}

// maxMessage bounds the text of another component's error, in bytes.
const maxMessage = 1024

// appendEvent writes a documented event. sessions, if not nil, replace those of
// an event about several.
func appendEvent(to plog.LogRecordSlice, e *event.Event, sessions []string, now pcommon.Timestamp) {
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
func eventTime(e *event.Event) int64 {
	switch e.Type {
	case event.SessionStarted:
		start, _ := e.Int(event.SessionStartDate)
		return start
	case event.SessionEnded:
		start, hasStart := e.Int(event.SessionStartDate)
		duration, hasDuration := e.Int(event.SessionDuration)
		return endOf(start, duration, hasStart && hasDuration)
	case event.SessionUpdated:
		return e.NewestDate()
	case event.TagAdded, event.TagUpdated, event.TagDeleted:
		created, _ := e.Int(event.TagEventCreateDate)
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

// addUnknown keeps an event that is not documented: its bytes, and all its
// values under their mechanical names.
func addUnknown(to *outbox.Sender, e *event.Event) {
	addRaw(to, names.EventMediaSenseUnknown, e.Raw, func(lr plog.LogRecord, first bool) {
		if first {
			putEvent(lr.Attributes(), e)
		}
		putTypeAndAction(lr.Attributes(), e)
		lr.Attributes().PutStr(names.ErrorType, errorUnknown)
		lr.Attributes().PutStr(names.ErrorMessage, fmt.Sprintf("event type %q with action %q is not documented", clip(redact.Text(e.TypeText)), clip(redact.Text(e.ActionText))))
	})
}

// addTooLarge keeps the bytes of an event that is over maxEvent.
func addTooLarge(to *outbox.Sender, e *event.Event) {
	addRaw(to, names.EventMediaSenseMalformed, e.Raw, func(lr plog.LogRecord, _ bool) {
		putIfSet(lr.Attributes(), names.MediaSenseSessionID, clip(e.SessionID()))
		putTypeAndAction(lr.Attributes(), e)
		lr.Attributes().PutStr(names.ErrorType, errorTooLarge)
		lr.Attributes().PutStr(names.ErrorMessage, fmt.Sprintf("event has %d bytes, more than %d", len(e.Raw), maxEvent))
	})
}

// addMalformed keeps what could not be read: its bytes, and what could be read of
// it. If that is an event of its own, what it is about is enough.
func addMalformed(to *outbox.Sender, m *event.Malformed) {
	addRaw(to, names.EventMediaSenseMalformed, m.Raw, func(lr plog.LogRecord, first bool) {
		attributes := lr.Attributes()
		if m.Kept || !first || len(m.Raw) > maxEvent {
			putIfSet(attributes, names.MediaSenseSessionID, clip(m.Read.SessionID()))
		} else {
			putEvent(attributes, &m.Read)
		}
		putTypeAndAction(attributes, &m.Read)
		attributes.PutInt(names.MediaSenseRecordOffset, int64(m.Offset))
		attributes.PutStr(names.ErrorType, errorMalformed)
		attributes.PutStr(names.ErrorMessage, m.Err.Error())
	})
}

func putTypeAndAction(m pcommon.Map, e *event.Event) {
	putIfSet(m, names.MediaSenseEventType, clip(redact.Text(e.TypeText)))
	putIfSet(m, names.MediaSenseEventAction, clip(redact.Text(e.ActionText)))
}

func putIfSet(m pcommon.Map, key, value string) {
	if value != "" {
		m.PutStr(key, value)
	}
}

// addRaw adds bytes as they came, without secrets that can be recognized.
func addRaw(to *outbox.Sender, event, text string, complete func(lr plog.LogRecord, first bool)) {
	severity := plog.SeverityNumberError
	if event == names.EventMediaSenseUnknown {
		severity = plog.SeverityNumberWarn
	}
	to.AddRaw(&logrecord.Raw{
		Event: event, Severity: severity, Part: names.MediaSenseRecordPart, Parts: names.MediaSenseRecordParts,
		Text: text,
	}, func(lr plog.LogRecord, first bool) {
		lr.SetTimestamp(to.Now)
		complete(lr, first)
	})
}
