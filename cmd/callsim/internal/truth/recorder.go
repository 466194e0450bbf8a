// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// Recorder applies the events of a scenario to objects.
type Recorder struct {
	bridges    []scenario.Bridge
	calls      []*Call
	legs       []*Leg
	recordings []*Service
	streamings []*Service
	open       map[string]any // open objects by their id: *Call, *Leg or *Service
	rosters    *rosters       // nil without Events servers
	recorded   *recordings    // nil without MediaSense servers
}

// NewRecorder makes a recorder for the bridges of a scenario.
func NewRecorder(bridges []scenario.Bridge) *Recorder {
	return &Recorder{bridges: bridges, open: map[string]any{}}
}

// Observe applies one event. The index is that of the record made of it, and means nothing
// for an event that leaves none.
func (r *Recorder) Observe(ev scenario.Event, index uint64) {
	if r.rosters != nil {
		r.rosters.applyEvent(ev)
	}
	switch payload := ev.Payload.(type) {
	case scenario.CallStarted:
		r.addCall(ev, payload.Call, index)
	case scenario.CallEnded:
		c := r.open[payload.Call.ID].(*Call)
		r.endLife(&c.Life, ev, index)
	case scenario.LegStarted:
		r.addLeg(ev, payload.Leg, index)
	case scenario.LegChanged:
		l := r.open[payload.Leg.ID].(*Leg)
		l.addRecord(ev, index)
		r.moveLeg(l, payload.Leg)
		l.setPhase(payload.Leg.Phase, ev.Time)
	case scenario.LegEnded:
		l := r.open[payload.Leg.ID].(*Leg)
		r.endLife(&l.Life, ev, index)
		r.endLeg(l, payload, ev.Time)
	case scenario.RecordingStarted:
		s := &Service{Life: r.newLife(ev, payload.Recording.ID, index), Call: payload.Recording.Call, Leg: payload.Recording.Leg}
		r.recordings = append(r.recordings, s)
		r.open[s.ID] = s
	case scenario.RecordingEnded:
		r.endLife(&r.open[payload.Recording.ID].(*Service).Life, ev, index)
	case scenario.StreamingStarted:
		s := &Service{Life: r.newLife(ev, payload.Streaming.ID, index), Call: payload.Streaming.Call, Leg: payload.Streaming.Leg}
		r.streamings = append(r.streamings, s)
		r.open[s.ID] = s
	case scenario.StreamingEnded:
		r.endLife(&r.open[payload.Streaming.ID].(*Service).Life, ev, index)
	case scenario.BridgeRestarted:
		r.clearBridge(ev)
	}
}

func (r *Recorder) newLife(ev scenario.Event, id string, index uint64) Life {
	return Life{
		ID: id, Bridge: r.bridges[ev.Bridge].Name, Session: ev.Session,
		Start: ev.Time, LastSeen: ev.Time, Outcome: Open,
		bridge: ev.Bridge, records: []uint64{index}, began: ev.At,
	}
}

// addRecord counts one more record about the object.
func (l *Life) addRecord(ev scenario.Event, index uint64) {
	l.LastSeen = ev.Time
	l.records = append(l.records, index)
}

func (r *Recorder) endLife(l *Life, ev scenario.Event, index uint64) {
	l.addRecord(ev, index)
	end, seconds := ev.Time, int(ev.Time.Sub(l.Start)/time.Second)
	l.End, l.DurationSeconds = &end, &seconds
	l.Outcome, l.endedAt = Complete, ev.At
	delete(r.open, l.ID)
}

// clearBridge ends all objects of a bridge without a record.
func (r *Recorder) clearBridge(ev scenario.Event) {
	for id, object := range r.open {
		l := lifeOf(object)
		if l.bridge == ev.Bridge {
			l.Outcome, l.endedAt = Restarted, ev.At
			delete(r.open, id)
		}
	}
}

func lifeOf(object any) *Life {
	switch o := object.(type) {
	case *Call:
		return &o.Life
	case *Leg:
		return &o.Life
	default:
		return &object.(*Service).Life
	}
}

func (r *Recorder) addCall(ev scenario.Event, c scenario.Call, index uint64) {
	call := &Call{
		Life: r.newLife(ev, c.ID, index), Correlator: c.Correlator, CoSpace: c.CoSpace,
		Name: c.Name, Type: string(c.Type),
	}
	r.calls = append(r.calls, call)
	r.open[call.ID] = call
}
