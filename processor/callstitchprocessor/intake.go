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

// intake takes the records of one request after the other. Everything in it is
// room that is used again; it is guarded as the engine is.
type intake struct {
	engine   *stitch.Engine
	sources  sources
	fields   []stitch.Field
	awaiting []awaiting
}

// awaiting is a record that is to be stamped when all of the request have been
// merged, so that the first record of a call has what the last one says.
type awaiting struct {
	record plog.LogRecord
	ref    stitch.Ref // zero for a roster event: whose it is, is looked up then
}

// event is what an EventName says of an object.
type event struct {
	kind  stitch.Kind
	phase stitch.Phase
}

var events = map[string]event{
	names.EventCallStart:      {stitch.Call, stitch.Start},
	names.EventCallEnd:        {stitch.Call, stitch.End},
	names.EventCallLegStart:   {stitch.CallLeg, stitch.Start},
	names.EventCallLegUpdate:  {stitch.CallLeg, stitch.Update},
	names.EventCallLegEnd:     {stitch.CallLeg, stitch.End},
	names.EventRecordingStart: {stitch.Recording, stitch.Start},
	names.EventRecordingEnd:   {stitch.Recording, stitch.End},
	names.EventStreamingStart: {stitch.Streaming, stitch.Start},
	names.EventStreamingEnd:   {stitch.Streaming, stitch.End},
}

// rosterEvent begins the names of what is stamped and not merged.
const rosterEvent = names.EventRoster + "."

func newIntake(engine *stitch.Engine) intake {
	return intake{engine: engine, sources: newSources()}
}

// merge merges the records of a request. It tells whether any of them is about
// an object or a session. After an error, forget ends the request.
func (in *intake) merge(now time.Time, logs plog.Logs) (concerned bool, err error) {
	for _, rl := range logs.ResourceLogs().All() {
		var source stitch.Source
		known := false
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				name := lr.EventName()
				switch e, isEvent := events[name]; {
				case isEvent:
					if !known {
						source, known = in.engine.Source(in.sources.of(rl)), true
					}
					merged, err := in.mergeRecord(now, lr, e, source)
					if err != nil {
						return concerned, err
					}
					concerned = concerned || merged
				case name == names.EventSessionStart:
					if former := text(lr.Attributes(), names.SessionPreviousID); former != "" {
						in.engine.EndSession(now, former)
						concerned = true
					}
				case strings.HasPrefix(name, rosterEvent):
					in.awaiting = append(in.awaiting, awaiting{record: lr})
				}
			}
		}
	}
	return concerned, nil
}

// mergeRecord merges one record. One that does not say what it is about passes
// as it is.
func (in *intake) mergeRecord(now time.Time, lr plog.LogRecord, e event, source stitch.Source) (merged bool, err error) {
	attributes := lr.Attributes()
	r := stitch.Record{
		Kind: e.kind, Phase: e.phase, ID: text(attributes, e.kind.IDKey()),
		Time: timeOf(lr), Index: indexOf(attributes), Source: source,
	}
	if r.ID == "" {
		return false, nil
	}
	in.fields = appendFields(in.fields[:0], attributes, e.kind.IDKey())
	r.Fields = in.fields
	ref, err := in.engine.Apply(now, &r)
	if err != nil {
		return false, err
	}
	in.awaiting = append(in.awaiting, awaiting{lr, ref})
	return true, nil
}

// stamp stamps the records that wait for it.
func (in *intake) stamp() {
	for _, a := range in.awaiting {
		ref := a.ref
		if ref == (stitch.Ref{}) {
			found := false
			if ref, found = in.find(a.record.Attributes()); !found {
				continue
			}
		}
		if known, ok := in.engine.Stamp(ref); ok {
			stamp(a.record, &known)
		}
	}
	in.forget()
}

// find returns what a roster event is about: a participant's leg, a leg or, if
// it names no more, a call.
func (in *intake) find(attributes pcommon.Map) (ref stitch.Ref, found bool) {
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

// forget ends a request: nothing of it is held longer.
func (in *intake) forget() {
	clear(in.awaiting)
	clear(in.fields)
	in.awaiting = in.awaiting[:0]
}
