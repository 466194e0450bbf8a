// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/stitch"
)

// requestReader merges and stamps the records of one request. Its memory is reused for the next
// request.
type requestReader struct {
	engine        *stitch.Engine // guarded by the lock of the state
	sources       *sources       // guarded by the lock of the state
	resource      pcommon.Map    // of the current record
	fields        []stitch.Field
	pendingStamps []pendingStamp
	records       int // merged or stamped since the last yield
	ahead         readAhead
}

// lockYielder is the lock of the state, which a long request yields to other requests.
type lockYielder interface {
	// now returns the time of the state's clock.
	now() time.Time
	// yield releases the lock and takes it again. An error ends the request.
	yield() error
	// waitForRoom waits until objects are emitted, if the request has too many records to find
	// room at a retry. It returns false for a smaller request, and if the wait ends without
	// room.
	waitForRoom(records int) bool
}

// recordsPerTurn is how many records are merged or stamped before the lock is yielded.
const recordsPerTurn = 128

// countRecord counts a record, and yields the lock after every recordsPerTurn records.
func (br *requestReader) countRecord(lock lockYielder) error {
	if br.records++; br.records < recordsPerTurn {
		return nil
	}
	br.records = 0
	return lock.yield()
}

// pendingStamp is a record to be stamped after all records of the request are merged, so that
// the first record of a call has the context of the last one.
type pendingStamp struct {
	record plog.LogRecord
	ref    stitch.Ref // zero if the record was not merged: its object is found when it is stamped
	// stampByIDs reports that the ids in the record determine its stamp; if they determine
	// none, ref does.
	stampByIDs bool
}

// mergedEvent describes an event whose records are merged into the engine's objects.
type mergedEvent struct {
	kind  stitch.Kind
	phase stitch.Phase
	rank  uint64 // Record.Index of records that have no record number; 0 if they have one
}

// isCallDetailRecord reports whether the record is a call detail record: readAhead reads it.
func (e *mergedEvent) isCallDetailRecord() bool { return e.kind <= stitch.Streaming }

var mergedEvents = map[string]mergedEvent{
	names.EventCallStart:      {stitch.Call, stitch.Start, 0},
	names.EventCallEnd:        {stitch.Call, stitch.End, 0},
	names.EventCallLegStart:   {stitch.CallLeg, stitch.Start, 0},
	names.EventCallLegUpdate:  {stitch.CallLeg, stitch.Update, 0},
	names.EventCallLegEnd:     {stitch.CallLeg, stitch.End, 0},
	names.EventRecordingStart: {stitch.Recording, stitch.Start, 0},
	names.EventRecordingEnd:   {stitch.Recording, stitch.End, 0},
	names.EventStreamingStart: {stitch.Streaming, stitch.Start, 0},
	names.EventStreamingEnd:   {stitch.Streaming, stitch.End, 0},
	names.EventSessionStarted: {stitch.RecordedSession, stitch.Start, rankStarted},
	names.EventSessionUpdated: {stitch.RecordedSession, stitch.Update, rankUpdated},
	names.EventSessionEnded:   {stitch.RecordedSession, stitch.End, rankEnded},
	names.EventTagAdded:       {stitch.RecordedSession, stitch.Note, rankTagAdded},
	names.EventTagUpdated:     {stitch.RecordedSession, stitch.Note, rankTagUpdated},
	names.EventTagDeleted:     {stitch.RecordedSession, stitch.Note, rankTagDeleted},
	names.EventOCMSRequest:    {stitch.Dialog, stitch.Update, rankMessage},
	names.EventOCMSResponse:   {stitch.Dialog, stitch.Update, rankMessage},
	names.EventAPIRequest:     {stitch.APIRequest, stitch.End, rankRequest},
}

// subscriptionEventPrefix begins the names of roster events, which are stamped and not merged.
const subscriptionEventPrefix = names.EventRoster + "."

// isStampedOnly reports whether the records of an event are stamped and not merged. These
// are roster events, readings of a leg's quality, and events of MediaSense about tracks, deletion
// and pruning.
func isStampedOnly(name string) bool {
	switch name {
	case names.EventAPICallLegQuality, names.EventTrackStarted, names.EventTrackUpdated, names.EventTrackEnded, names.EventSessionDeleted, names.EventSessionPruned:
		return true
	default:
		return strings.HasPrefix(name, subscriptionEventPrefix)
	}
}

// merge merges the records of a request; changed reports whether the state that must
// be stored before the request is passed on may have changed. The caller holds the lock of the state.
func (br *requestReader) merge(logs plog.Logs, lock lockYielder) (changed bool, err error) {
	for _, rl := range logs.ResourceLogs().All() {
		r := resourceReader{requestReader: br, rl: rl, lock: lock}
		br.resource = rl.Resource().Attributes()
		for _, sl := range rl.ScopeLogs().All() {
			if err := r.merge(sl.LogRecords()); err != nil {
				return changed || r.changed, err
			}
		}
		changed = changed || r.changed
	}
	return changed, nil
}

// resourceReader merges the records of one resource.
type resourceReader struct {
	*requestReader
	rl      plog.ResourceLogs
	lock    lockYielder
	source  stitch.Source // valid if known
	known   bool
	changed bool // a record may have changed the state
}

// merge merges records, up to stitch.MaxExpected at a time: the engine loads the memory of their
// objects together.
func (r *resourceReader) merge(records plog.LogRecordSlice) error {
	for at := 0; at < records.Len(); at += stitch.MaxExpected {
		n := min(stitch.MaxExpected, records.Len()-at)
		r.ahead.read(r.engine, records, at, n)
		for i := range n {
			if err := r.countRecord(r.lock); err != nil {
				return err
			}
			if err := r.mergeOne(records.At(at+i), i); err != nil {
				return err
			}
		}
	}
	return nil
}

// mergeOne merges a record; i is its index in ahead.
func (r *resourceReader) mergeOne(lr plog.LogRecord, i int) error {
	if r.ahead.records[i].isEvent {
		if !r.known {
			r.source, r.known = r.sources.get(r.rl), true
		}
		merged, err := r.mergeRecord(lr, i, r.source, r.lock)
		r.changed = r.changed || merged
		return err
	}
	name := lr.EventName()
	kind, isList := listEvents[name]
	switch {
	case isList:
		r.readList(r.rl, lr, kind, r.lock.now())
	case name == names.EventSessionStart:
		r.changed = r.endSession(lr, r.lock.now()) || r.changed
	case name == names.EventEventCallRemove:
		r.changed = r.removeCall(lr, r.lock.now()) || r.changed
		r.pendingStamps = append(r.pendingStamps, pendingStamp{record: lr})
	case isStampedOnly(name):
		r.pendingStamps = append(r.pendingStamps, pendingStamp{record: lr})
	case isSyslogReference(name):
		r.pendingStamps = append(r.pendingStamps, pendingStamp{record: lr, stampByIDs: true})
	}
	return nil
}

// endSession declares a Call Bridge's previous session over. That session ended when the new
// one began.
func (br *requestReader) endSession(lr plog.LogRecord, now time.Time) bool {
	former := text(lr.Attributes(), names.SessionPreviousID)
	if former == "" {
		return false
	}
	at := timeOf(lr)
	if at == 0 {
		at = now.UnixNano()
	}
	br.engine.EndSession(now, former, at)
	return true
}

// mergeRecord merges the record with an index in ahead. A call detail record without an id passes unchanged; another
// record without one is only stamped.
func (br *requestReader) mergeRecord(lr plog.LogRecord, i int, source stitch.Source, lock lockYielder) (merged bool, err error) {
	attributes := lr.Attributes()
	e, x := br.ahead.records[i].event, &br.ahead.expected[i]
	r := stitch.Record{Kind: e.kind, ID: x.ID, Known: x.Known, Phase: e.phase, Time: timeOf(lr), Index: e.rank, Source: source}
	br.fields = br.fields[:0]
	switch {
	case e.phase == stitch.Note:
		merged = br.readTag(attributes, &r)
	case e.kind == stitch.RecordedSession:
		merged = br.readSession(attributes, &r)
	case e.kind == stitch.Dialog:
		merged = br.readMessage(lr, &r)
	case e.kind == stitch.APIRequest:
		merged = br.readRequest(lr, &r)
	default:
		r.Index, r.Fields = br.ahead.records[i].index, br.ahead.fieldsOf(i)
		merged = r.ID != ""
	}
	stampByIDs := e.kind == stitch.APIRequest
	if !merged {
		if e.rank > 0 {
			br.pendingStamps = append(br.pendingStamps, pendingStamp{record: lr, stampByIDs: stampByIDs})
		}
		return false, nil
	}
	ref, err := br.engine.Apply(lock.now(), &r)
	for err != nil && lock.waitForRoom(len(br.pendingStamps)) {
		ref, err = br.engine.Apply(lock.now(), &r)
	}
	if err != nil {
		return false, err
	}
	br.pendingStamps = append(br.pendingStamps, pendingStamp{lr, ref, stampByIDs})
	return true, nil
}

// appendField adds an attribute of a record, unless it has no value.
func (br *requestReader) appendField(key string, v pcommon.Value) {
	if value, ok := valueOf(v); ok {
		br.fields = append(br.fields, stitch.Field{Key: key, Value: value})
	}
}

// stamp stamps the pending records. The caller holds the lock of the state.
func (br *requestReader) stamp(lock lockYielder) error {
	for i := range br.pendingStamps {
		p := &br.pendingStamps[i]
		if s, ok := br.stampOf(p); ok {
			stamp(p.record, &s)
		}
		if err := br.countRecord(lock); err != nil {
			return err
		}
	}
	return nil
}

func (br *requestReader) stampOf(p *pendingStamp) (s stitch.Stamp, ok bool) {
	switch attributes := p.record.Attributes(); {
	case p.stampByIDs:
		return br.stampReference(p)
	case p.ref != stitch.Ref{}:
		return br.engine.Stamp(p.ref)
	case strings.HasPrefix(p.record.EventName(), names.MediaSense):
		return br.stampOfMediaSense(attributes)
	case strings.HasPrefix(p.record.EventName(), names.OCMS):
		return br.stampOfDialog(attributes)
	default:
		ref, found := br.findRosterObject(attributes)
		if !found {
			return s, false
		}
		return br.engine.Stamp(ref)
	}
}

// findRosterObject returns the object of a roster event: a participant's leg, a leg or a call.
func (br *requestReader) findRosterObject(attributes pcommon.Map) (ref stitch.Ref, found bool) {
	if id := text(attributes, names.ParticipantID); id != "" {
		if ref, found = br.engine.FindParticipant(id); found {
			return ref, true
		}
	}
	if id := text(attributes, names.CallLegID); id != "" {
		if ref, found = br.engine.Find(stitch.CallLeg, id); found {
			return ref, true
		}
	}
	if id := text(attributes, names.CallID); id != "" {
		return br.engine.Find(stitch.Call, id)
	}
	return ref, false
}

// maxReusedFields is the largest number of fields whose memory is reused.
const maxReusedFields = 1024

// reset releases all references to the request's data.
func (br *requestReader) reset() {
	br.ahead.reset()
	clear(br.pendingStamps)
	clear(br.fields[:cap(br.fields)])
	if cap(br.fields) > maxReusedFields {
		br.fields = nil
	}
	br.pendingStamps, br.records, br.resource = br.pendingStamps[:0], 0, pcommon.Map{}
}
