// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"encoding/hex"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/names"
)

// recordCounts counts the outcomes of log records before they are written.
type recordCounts struct {
	// rows that are to be written.
	rows int
	// skipped say nothing of a row.
	skipped int
	// invalid are about an object without an id, or one that cannot be a key.
	invalid int
}

// converter makes rows of log records. Its scratch is used again and again.
type converter struct {
	batch   *store.Batch
	counts  recordCounts
	details details
	source  source
	// leaveOut tells which attributes of the record are not about its object; nil if
	// all are.
	leaveOut func(key string) bool
	// recordsLeft is how many records of the request are not converted yet.
	recordsLeft int
}

// maxReserved bounds the rows for which the first row of a kind reserves room: the other records
// of a large request may be of other kinds.
const maxReserved = 64

// appendRow appends an empty row and returns it. The first row of a kind reserves room for others,
// because a slice of rows that grows one by one is copied several times.
func appendRow[T any](c *converter, rows *[]T) *T {
	if *rows == nil {
		*rows = make([]T, 0, min(c.recordsLeft, maxReserved))
	}
	var empty T
	*rows = append(*rows, empty)
	return &(*rows)[len(*rows)-1]
}

// removeLast removes the row of a record that is invalid.
func removeLast[T any](rows *[]T) { *rows = (*rows)[:len(*rows)-1] }

// source has the attributes of the resource.
type source struct {
	bridge, system, session, address string
}

// convert makes rows of log records. It only reads them.
func convert(logs plog.Logs) (*store.Batch, recordCounts) {
	c := &converter{batch: &store.Batch{}, recordsLeft: logs.LogRecordCount()}
	for _, rl := range logs.ResourceLogs().All() {
		c.source = sourceOf(rl.Resource().Attributes())
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				c.add(lr)
				c.recordsLeft--
			}
		}
	}
	return c.batch, c.counts
}

func sourceOf(resource pcommon.Map) source {
	text := func(key string) string {
		v, ok := resource.Get(key)
		if !ok {
			return ""
		}
		short, _ := cut(clean(v.AsString()))
		return short
	}
	return source{bridge: text(names.ServiceInstanceID), system: text(names.SystemID), session: text(names.SessionID), address: text(names.ClientAddress)}
}

// add makes a row of one record.
func (c *converter) add(lr plog.LogRecord) {
	does, known := events[lr.EventName()]
	if !known || ofNoDialog(lr) {
		c.counts.skipped++
		return
	}
	if !does.add(c, lr, does.phase) {
		c.counts.invalid++
		return
	}
	c.counts.rows++
}

// event says which row an event is about, and which part of its life.
type event struct {
	phase store.Phase
	add   func(*converter, plog.LogRecord, store.Phase) bool
}

var events = map[string]event{
	names.EventCallStart: {store.Started, (*converter).addCall},
	names.EventCallEnd:   {store.Ended, (*converter).addCall},
	names.EventCallSpan:  {store.Stitched, (*converter).addCall},

	names.EventRecordGap: {0, (*converter).addGap},

	names.EventConferenceUpdate: {store.Updated, (*converter).addConferenceUpdate},

	names.EventCallLegStart:  {store.Started, (*converter).addLeg},
	names.EventCallLegUpdate: {store.Updated, (*converter).addLeg},
	names.EventCallLegEnd:    {store.Ended, (*converter).addLeg},
	names.EventCallLegSpan:   {store.Stitched, (*converter).addLeg},

	names.EventAPICallLegQuality: {0, (*converter).addQuality},

	names.EventEventParticipantAdd:    {0, (*converter).addLegChange},
	names.EventEventParticipantUpdate: {0, (*converter).addLegChange},
	names.EventEventParticipantRemove: {0, (*converter).addLegChange},

	names.EventRecordingStart: {store.Started, (*converter).addRecording},
	names.EventRecordingEnd:   {store.Ended, (*converter).addRecording},
	names.EventRecordingSpan:  {store.Stitched, (*converter).addRecording},
	names.EventStreamingStart: {store.Started, (*converter).addStreaming},
	names.EventStreamingEnd:   {store.Ended, (*converter).addStreaming},
	names.EventStreamingSpan:  {store.Stitched, (*converter).addStreaming},

	names.EventSessionStarted: {store.Started, (*converter).addSession},
	names.EventSessionUpdated: {store.Updated, (*converter).addSession},
	names.EventSessionEnded:   {store.Ended, (*converter).addSession},
	names.EventSessionSpan:    {store.Stitched, (*converter).addSession},
	names.EventTrackStarted:   {store.Started, (*converter).addTrack},
	names.EventTrackUpdated:   {store.Updated, (*converter).addTrack},
	names.EventTrackEnded:     {store.Ended, (*converter).addTrack},
	names.EventTrackSpan:      {store.Stitched, (*converter).addTrack},

	names.EventOCMSRequest:  {0, (*converter).addMessage},
	names.EventOCMSResponse: {0, (*converter).addMessage},
	names.EventDialogSpan:   {store.Stitched, (*converter).addDialog},

	names.EventStorageEnterLow:       {0, (*converter).addStorageEvent},
	names.EventStorageExitLow:        {0, (*converter).addStorageEvent},
	names.EventStorageEnterCritical:  {0, (*converter).addStorageEvent},
	names.EventStorageExitCritical:   {0, (*converter).addStorageEvent},
	names.EventStorageEnterEmergency: {0, (*converter).addStorageEvent},
	names.EventStorageExitEmergency:  {0, (*converter).addStorageEvent},
}

// Attributes that rows of all kinds share; those of a span that other columns
// say already are left out.
const (
	ignoredName   = names.SpanName
	ignoredKind   = names.SpanKind
	ignoredStatus = names.SpanStatus
)

// ofRecord begins the attributes that are about one record, not about the object that
// it describes.
const ofRecord = names.MeetingServer + ".record."

// fill reads a record into a row: first the columns of all rows, then the attributes. kind and
// idKey are the object's. It returns false if there is no id.
func fill[T any](c *converter, lr plog.LogRecord, phase store.Phase, kind, idKey string, row *T, o *store.Object, fields fields[T]) bool {
	attributes := lr.Attributes()
	id, ok := attributes.Get(idKey)
	if !ok || id.Type() != pcommon.ValueTypeStr {
		return false
	}
	o.ID = lower(clean(id.Str()))
	if o.ID == "" || len(o.ID) > maxID {
		return false
	}
	o.Phase = phase
	o.Bridge, o.System = c.source.bridge, c.source.system
	when := timeOf(lr)
	o.LastHeardAt = when
	o.Revision.Time = when
	c.details.reset()
	for key, value := range attributes.All() {
		switch key {
		case idKey, ignoredName, ignoredKind, ignoredStatus:
		case names.SpanStart:
			// Of another type it would be 0, which is 1970.
			if start := value.Int(); start > 0 {
				o.StartedAt = fromNanoseconds(start)
			} else {
				c.details.add(key, value)
			}
		case names.SpanParentID:
			o.ParentSpanID, _ = cut(clean(value.AsString()))
		case names.CallstitchOutcome:
			o.Outcome, _ = cut(clean(value.AsString()))
		case names.RecordIndex:
			if phase == store.Stitched {
				continue
			}
			o.Revision.Index = uint64(max(value.Int(), 0))
		case keyCallType, names.CallCorrelator:
			// Of the call that the object is in, whose row has them.
			if field, has := fields[key]; has && !set(field(row), value) {
				c.details.add(key, value)
			}
		default:
			if strings.HasPrefix(key, ofRecord) || c.leaveOut != nil && c.leaveOut(key) {
				continue
			}
			if field, has := fields[key]; !has || !set(field(row), value) {
				c.details.add(key, value)
			}
		}
	}
	o.Details = c.details.json()
	identify(lr, kind, o)
	switch phase {
	case store.Started:
		o.State = store.StateRunning
		if o.StartedAt.IsZero() {
			o.StartedAt = when
		}
	case store.Ended:
		o.State = store.StateEnded
		o.EndedAt = when
	case store.Stitched:
		finish(lr, o)
	default:
		o.State = store.StateRunning
	}
	return true
}

// finish fills the columns that a stitched record has with its own times.
func finish(lr plog.LogRecord, o *store.Object) {
	o.State = store.StateEnded
	o.EndedAt = o.LastHeardAt
	if o.StartedAt.IsZero() || o.StartedAt.After(o.EndedAt) {
		o.StartedAt = o.EndedAt
	}
	seconds := o.EndedAt.Sub(o.StartedAt).Seconds()
	o.DurationSeconds = &seconds
	o.Revision.Index = 0
	if due := lr.ObservedTimestamp(); due != 0 {
		o.Revision.Time = fromNanoseconds(int64(due)) //nolint:gosec // a time
	}
}

// identify fills in the ids of the span. A record that passed no callstitch has
// none; what belongs together is not known then, but the ids are the object's.
func identify(lr plog.LogRecord, kind string, o *store.Object) {
	if trace := lr.TraceID(); !trace.IsEmpty() {
		o.TraceID = hex.EncodeToString(trace[:])
	} else {
		trace := ids.Trace(kind, o.ID)
		o.TraceID = hex.EncodeToString(trace[:])
	}
	if span := lr.SpanID(); !span.IsEmpty() {
		o.SpanID = hex.EncodeToString(span[:])
	} else {
		span := ids.Span(kind, o.ID)
		o.SpanID = hex.EncodeToString(span[:])
	}
}

// timeOf returns the time of a record as the archive has it.
func timeOf(lr plog.LogRecord) time.Time { return exactTimeOf(lr).Truncate(time.Millisecond) }

// exactTimeOf returns the time of a record to the nanosecond.
func exactTimeOf(lr plog.LogRecord) time.Time {
	when := lr.Timestamp()
	if when == 0 {
		when = lr.ObservedTimestamp()
	}
	return time.Unix(0, max(int64(when), 0)).UTC() //nolint:gosec // the year 2262 at most
}

// fromNanoseconds is a time as the archive has it, between 1970 and 9999: in UTC,
// to the millisecond.
func fromNanoseconds(n int64) time.Time {
	return time.Unix(0, max(n, 0)).UTC().Truncate(time.Millisecond)
}

// lower turns ASCII letters to lower case, as ids are computed.
func lower(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}
