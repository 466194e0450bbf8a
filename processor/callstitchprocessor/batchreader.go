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

// batchReader merges and stamps the records of one request. Its memory is reused for the next
// request.
type batchReader struct {
	engine        *stitch.Engine // guarded by the lock of the state
	sources       *sources       // guarded by the lock of the state
	resource      pcommon.Map    // of the current record
	fields        []stitch.Field
	pendingStamps []pendingStamp
	records       int // merged or stamped since the last yield
}

// lockYielder lets other requests use the state.
type lockYielder interface {
	// now returns the time of the state's clock.
	now() time.Time
	// yield releases and takes the lock. An error ends the request.
	yield() error
	// waitForRoom waits until objects are emitted, if a request of so many records cannot get
	// in otherwise. It returns false if there is no room.
	waitForRoom(records int) bool
}

// recordsPerTurn is how many records are merged or stamped before the lock is yielded.
const recordsPerTurn = 128

// countRecord counts a record, and yields the lock after recordsPerTurn.
func (in *batchReader) countRecord(others lockYielder) error {
	if in.records++; in.records < recordsPerTurn {
		return nil
	}
	in.records = 0
	return others.yield()
}

// pendingStamp is a record to be stamped after all records of the request are merged, so that
// the first record of a call has the context of the last one.
type pendingStamp struct {
	record plog.LogRecord
	ref    stitch.Ref // zero if the record was not merged: its object is found when it is stamped
	// isReference tells that the ids in the record count more than ref.
	isReference bool
}

// event is the meaning of an EventName.
type event struct {
	kind  stitch.Kind
	phase stitch.Phase
	rank  uint64 // index of records without a number
}

var events = map[string]event{
	names.EventCallStart:      {stitch.Call, stitch.Start, 0},
	names.EventCallEnd:        {stitch.Call, stitch.End, 0},
	names.EventCallLegStart:   {stitch.CallLeg, stitch.Start, 0},
	names.EventCallLegUpdate:  {stitch.CallLeg, stitch.Update, 0},
	names.EventCallLegEnd:     {stitch.CallLeg, stitch.End, 0},
	names.EventRecordingStart: {stitch.Recording, stitch.Start, 0},
	names.EventRecordingEnd:   {stitch.Recording, stitch.End, 0},
	names.EventStreamingStart: {stitch.Streaming, stitch.Start, 0},
	names.EventStreamingEnd:   {stitch.Streaming, stitch.End, 0},
	names.EventSessionStarted: {stitch.Session, stitch.Start, rankStarted},
	names.EventSessionUpdated: {stitch.Session, stitch.Update, rankUpdated},
	names.EventSessionEnded:   {stitch.Session, stitch.End, rankEnded},
	names.EventTagAdded:       {stitch.Session, stitch.Note, rankTagAdded},
	names.EventTagUpdated:     {stitch.Session, stitch.Note, rankTagUpdated},
	names.EventTagDeleted:     {stitch.Session, stitch.Note, rankTagDeleted},
	names.EventOCMSRequest:    {stitch.Dialog, stitch.Update, rankMessage},
	names.EventOCMSResponse:   {stitch.Dialog, stitch.Update, rankMessage},
	names.EventAPIRequest:     {stitch.APIRequest, stitch.End, rankRequest},
}

// Records that are stamped and not merged: roster events, and records of sessions that repeat
// others or follow the recording's end.
const rosterEvent = names.EventRoster + "."

func isStampedOnly(name string) bool {
	switch name {
	case names.EventAPICallLegQuality, names.EventTrackStarted, names.EventTrackUpdated, names.EventTrackEnded, names.EventSessionDeleted, names.EventSessionPruned:
		return true
	default:
		return strings.HasPrefix(name, rosterEvent)
	}
}

// merge merges the records of a request. concerned reports whether any of them changed the
// state. The caller holds the lock of the state.
func (in *batchReader) merge(logs plog.Logs, others lockYielder) (concerned bool, err error) {
	for _, rl := range logs.ResourceLogs().All() {
		var source stitch.Source
		known := false
		in.resource = rl.Resource().Attributes()
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if err := in.countRecord(others); err != nil {
					return concerned, err
				}
				name := lr.EventName()
				kind, isList := listEvents[name]
				switch e, isEvent := events[name]; {
				case isList:
					in.readList(rl, lr, kind, others.now())
				case isEvent:
					if !known {
						source, known = in.sources.of(rl), true
					}
					merged, err := in.mergeRecord(lr, e, source, others)
					if err != nil {
						return concerned, err
					}
					concerned = concerned || merged
				case name == names.EventSessionStart:
					concerned = in.endSession(lr, others.now()) || concerned
				case name == names.EventEventCallRemove:
					in.removeCall(lr, others.now())
					in.pendingStamps = append(in.pendingStamps, pendingStamp{record: lr})
				case isStampedOnly(name):
					in.pendingStamps = append(in.pendingStamps, pendingStamp{record: lr})
				case isSyslogReference(name):
					in.pendingStamps = append(in.pendingStamps, pendingStamp{record: lr, isReference: true})
				}
			}
		}
	}
	return concerned, nil
}

// endSession declares over the session that a new session of its Call Bridge replaces, at the
// time at which the new one began.
func (in *batchReader) endSession(lr plog.LogRecord, now time.Time) bool {
	former := text(lr.Attributes(), names.SessionPreviousID)
	if former == "" {
		return false
	}
	at := timeOf(lr)
	if at == 0 {
		at = now.UnixNano()
	}
	in.engine.EndSession(now, former, at)
	return true
}

// mergeRecord merges one record. A record without an id passes unchanged.
func (in *batchReader) mergeRecord(lr plog.LogRecord, e event, source stitch.Source, others lockYielder) (merged bool, err error) {
	attributes := lr.Attributes()
	r := stitch.Record{Kind: e.kind, Phase: e.phase, Time: timeOf(lr), Index: e.rank, Source: source}
	in.fields = in.fields[:0]
	switch {
	case e.phase == stitch.Note:
		merged = in.readTag(attributes, &r)
	case e.kind == stitch.Session:
		merged = in.readSession(attributes, &r)
	case e.kind == stitch.Dialog:
		merged = in.readMessage(lr, &r)
	case e.kind == stitch.APIRequest:
		merged = in.readRequest(lr, &r)
	default:
		merged = in.readObject(attributes, &r)
	}
	mention := e.kind == stitch.APIRequest
	if !merged {
		if e.rank > 0 {
			in.pendingStamps = append(in.pendingStamps, pendingStamp{record: lr, isReference: mention})
		}
		return false, nil
	}
	ref, err := in.engine.Apply(others.now(), &r)
	for err != nil && others.waitForRoom(len(in.pendingStamps)) {
		ref, err = in.engine.Apply(others.now(), &r)
	}
	if err != nil {
		return false, err
	}
	in.pendingStamps = append(in.pendingStamps, pendingStamp{lr, ref, mention})
	return true, nil
}

// readObject reads a call detail record.
func (in *batchReader) readObject(attributes pcommon.Map, r *stitch.Record) bool {
	key := r.Kind.IDKey()
	r.ID, r.Index = text(attributes, key), indexOf(attributes)
	if r.ID == "" {
		return false
	}
	in.fields = appendFields(in.fields, attributes, key)
	r.Fields = in.fields
	return true
}

// appendField adds an attribute of a record, unless it has no value.
func (in *batchReader) appendField(key string, v pcommon.Value) {
	if value, ok := read(v); ok {
		in.fields = append(in.fields, stitch.Field{Key: key, Value: value})
	}
}

// stamp stamps the pending records. The caller holds the lock of the state.
func (in *batchReader) stamp(others lockYielder) error {
	for i := range in.pendingStamps {
		a := &in.pendingStamps[i]
		if known, ok := in.stampOf(a); ok {
			stamp(a.record, &known)
		}
		if err := in.countRecord(others); err != nil {
			return err
		}
	}
	return nil
}

func (in *batchReader) stampOf(a *pendingStamp) (known stitch.Stamp, ok bool) {
	switch attributes := a.record.Attributes(); {
	case a.isReference:
		return in.stampReference(a)
	case a.ref != stitch.Ref{}:
		return in.engine.Stamp(a.ref)
	case strings.HasPrefix(a.record.EventName(), names.MediaSense):
		return in.recordedStamp(attributes)
	case strings.HasPrefix(a.record.EventName(), names.OCMS):
		return in.dialogStamp(attributes)
	default:
		ref, found := in.findRosterObject(attributes)
		if !found {
			return known, false
		}
		return in.engine.Stamp(ref)
	}
}

// findRosterObject returns the object of a roster event: a participant's leg, a leg or a call.
func (in *batchReader) findRosterObject(attributes pcommon.Map) (ref stitch.Ref, found bool) {
	if id := text(attributes, names.ParticipantID); id != "" {
		if ref, found = in.engine.FindParticipant(id); found {
			return ref, true
		}
	}
	if id := text(attributes, names.CallLegID); id != "" {
		if ref, found = in.engine.Find(stitch.CallLeg, id); found {
			return ref, true
		}
	}
	if id := text(attributes, names.CallID); id != "" {
		return in.engine.Find(stitch.Call, id)
	}
	return ref, false
}

// maxRoom is the largest number of fields whose memory is reused.
const maxRoom = 1024

// reset drops all references to the request.
func (in *batchReader) reset() {
	clear(in.pendingStamps)
	clear(in.fields[:cap(in.fields)])
	if cap(in.fields) > maxRoom {
		in.fields = nil
	}
	in.pendingStamps, in.records, in.resource = in.pendingStamps[:0], 0, pcommon.Map{}
}
