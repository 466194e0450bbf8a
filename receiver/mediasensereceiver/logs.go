// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"errors"
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

// Values of error.type.
const (
	errorMalformed = "malformed_event"
	errorUnknown   = "unknown_event"
	errorTooLarge  = "event_too_large"
	errorExpands   = "event_expands"
	errorRejected  = "rejected_by_pipeline"
)

// maxEventBytes is the length of the largest event whose values become attributes. A longer
// event is kept as posted, because no backend accepts its attributes.
const maxEventBytes = 2 << 20

// AddRecords implements outbox.Body. It adds one log record for each new event, those of
// its tracks after it, and the malformed parts last.
func (b *batch) AddRecords(c *outbox.Chunk, to *outbox.PayloadWriter) error {
	to.Records.EnsureCapacity(c.NewParts)
	to.StartPart(c.From)
	from, end := b.eventsOf(c)
	for i := from; i < end; i++ {
		if b.events[i].isDuplicate {
			continue
		}
		to.StartPart(i)
		e := &b.decoded.Events[i]
		switch {
		case len(e.Raw) > maxEventBytes:
			addTooLargeEvent(to, e)
		case e.Type == event.TypeUnknown:
			addUnknownEvent(to, e)
		default:
			appendEvent(to.Records, e, b.events[i].newSessions, to.ReceivedAt)
			if b.acceptor.perTrack {
				appendTracks(to.Records, e, to.ReceivedAt)
			}
		}
	}
	from, end = b.malformedOf(c)
	for i := from; i < end; i++ {
		if !b.malformed[i].isDuplicate {
			to.StartPart(len(b.events) + i)
			addMalformedPart(to, &b.decoded.Malformed[i])
		}
	}
	to.StartPart(c.To)
	if len(b.request.Body) > outbox.SmallBody && !b.expansion.Allow(c.Bytes, to.Size()) {
		return outbox.ErrRecordsTooLarge
	}
	return nil
}

// AddRaw implements outbox.Body. It adds a quarantined chunk as record.malformed events.
func (b *batch) AddRaw(c *outbox.Chunk, to *outbox.PayloadWriter) {
	errorType := errorRejected
	if errors.Is(c.QuarantineReason, outbox.ErrRecordsTooLarge) {
		errorType = errorExpands
	}
	message := clipText(c.QuarantineReason.Error(), maxErrorMessage)
	addRawText(to, names.EventMediaSenseMalformed, b.rawText(c), func(lr plog.LogRecord, _ bool) {
		lr.Attributes().PutStr(names.ErrorType, errorType)
		lr.Attributes().PutStr(names.ErrorMessage, message)
	})
}

// maxErrorMessage bounds the text of another component's error, in bytes.
const maxErrorMessage = 1024

// appendEvent appends a documented event. sessions, if not nil, replace the sessions of an
// event about several.
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

// setTimes sets the event's own time, in milliseconds since 1970, or the time of receipt if
// it has none.
func setTimes(lr plog.LogRecord, date int64, now pcommon.Timestamp) {
	lr.SetObservedTimestamp(now)
	lr.SetTimestamp(now)
	if date > 0 && date <= latestDate {
		lr.SetTimestamp(pcommon.Timestamp(date * 1_000_000))
	}
}

// latestDate is the last date that fits a pcommon.Timestamp, in the year 2262.
const latestDate = 9_223_372_036_854

// eventTime returns when the event happened, in milliseconds since 1970, 0 if unknown.
func eventTime(e *event.Event) int64 {
	switch e.Type {
	case event.SessionStarted:
		start, _ := e.Int(event.SessionStartDate)
		return start
	case event.SessionEnded:
		start, hasStart := e.Int(event.SessionStartDate)
		duration, hasDuration := e.Int(event.SessionDuration)
		return endTime(start, duration, hasStart && hasDuration)
	case event.SessionUpdated:
		return e.NewestDate()
	case event.TagAdded, event.TagUpdated, event.TagDeleted:
		created, _ := e.Int(event.TagEventCreateDate)
		return created
	default:
		return 0
	}
}

// endTime returns start plus duration, 0 if one of them is unknown.
func endTime(start, duration int64, known bool) int64 {
	if !known || start <= 0 || duration < 0 || duration > latestDate {
		return 0
	}
	return start + duration
}

// addUnknownEvent keeps an undocumented event: its bytes, and all its values under mechanical
// names.
func addUnknownEvent(to *outbox.PayloadWriter, e *event.Event) {
	addRawText(to, names.EventMediaSenseUnknown, e.Raw, func(lr plog.LogRecord, first bool) {
		if first {
			putEvent(lr.Attributes(), e)
		}
		putTypeAndAction(lr.Attributes(), e)
		lr.Attributes().PutStr(names.ErrorType, errorUnknown)
		lr.Attributes().PutStr(names.ErrorMessage, fmt.Sprintf("event type %q with action %q is not documented", clipName(redact.Text(e.TypeText)), clipName(redact.Text(e.ActionText))))
	})
}

// addTooLargeEvent keeps the bytes of an event above maxEventBytes.
func addTooLargeEvent(to *outbox.PayloadWriter, e *event.Event) {
	addRawText(to, names.EventMediaSenseMalformed, e.Raw, func(lr plog.LogRecord, _ bool) {
		putIfSet(lr.Attributes(), names.MediaSenseSessionID, clipName(e.SessionID()))
		putTypeAndAction(lr.Attributes(), e)
		lr.Attributes().PutStr(names.ErrorType, errorTooLarge)
		lr.Attributes().PutStr(names.ErrorMessage, fmt.Sprintf("event has %d bytes, more than %d", len(e.Raw), maxEventBytes))
	})
}

// addMalformedPart keeps a damaged part: its bytes, and its readable values. If these are one
// of the batch's events too, the session is enough.
func addMalformedPart(to *outbox.PayloadWriter, m *event.Malformed) {
	addRawText(to, names.EventMediaSenseMalformed, m.Raw, func(lr plog.LogRecord, first bool) {
		attributes := lr.Attributes()
		if m.IsEvent || !first || len(m.Raw) > maxEventBytes {
			putIfSet(attributes, names.MediaSenseSessionID, clipName(m.Readable.SessionID()))
		} else {
			putEvent(attributes, &m.Readable)
		}
		putTypeAndAction(attributes, &m.Readable)
		attributes.PutInt(names.MediaSenseRecordOffset, int64(m.Offset))
		attributes.PutStr(names.ErrorType, errorMalformed)
		attributes.PutStr(names.ErrorMessage, m.Err.Error())
	})
}

func putTypeAndAction(m pcommon.Map, e *event.Event) {
	putIfSet(m, names.MediaSenseEventType, clipName(redact.Text(e.TypeText)))
	putIfSet(m, names.MediaSenseEventAction, clipName(redact.Text(e.ActionText)))
}

func putIfSet(m pcommon.Map, key, value string) {
	if value != "" {
		m.PutStr(key, value)
	}
}

// addRawText adds text as the bodies of events, without secrets.
func addRawText(to *outbox.PayloadWriter, event, text string, complete func(lr plog.LogRecord, first bool)) {
	severity := plog.SeverityNumberError
	if event == names.EventMediaSenseUnknown {
		severity = plog.SeverityNumberWarn
	}
	to.AddRaw(&logrecord.Raw{
		EventName: event, Severity: severity, PartKey: names.MediaSenseRecordPart, PartsKey: names.MediaSenseRecordParts,
		Text: text,
	}, func(lr plog.LogRecord, first bool) {
		lr.SetTimestamp(to.ReceivedAt)
		complete(lr, first)
	})
}
