// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"github.com/legato-otel/legato/internal/ids"
)

// Mention is what a line of a bridge's log says of what it is about: ids, each of which
// may be "".
type Mention struct {
	Call, CallLeg, Participant string
	// Correlator and CoSpace name a room, not a meeting: they mean the call that runs
	// there at Time, by the bridges' clocks, in nanoseconds since 1970.
	Correlator, CoSpace string
	Time                int64
}

// StampMention returns the ids of the object that a line is about, from the most
// specific id to the least: a leg, a call, the call that runs in a room. Nothing is made
// of a mention. A leg or a call that is not known has the ids that follow from its own
// (docs/ids.md); ok is false if a line names none, and no call is known that runs in its
// room.
func (e *Engine) StampMention(m *Mention) (s Stamp, ok bool) {
	if m.Participant != "" {
		if ref, found := e.FindParticipant(m.Participant); found {
			return e.Stamp(ref)
		}
	}
	switch {
	case m.CallLeg != "":
		return e.stampLeg(m.CallLeg, m.Call)
	case m.Call != "":
		return e.stampCall(m.Call)
	}
	call := e.callAt(m)
	meeting, started := e.meetingAt(m)
	switch {
	case meeting != 0 && (call == 0 || started > e.containerOf(call).start+e.tolerance):
		// The records of the call that ran there before, or of this one's start, come late.
		return e.stampCall(e.idOf(meeting))
	case call != 0:
		return e.Stamp(e.refTo(call))
	default:
		return s, false
	}
}

func (e *Engine) stampLeg(leg, call string) (Stamp, bool) {
	if slot := e.find(CallLeg, leg); slot != 0 {
		return e.Stamp(e.refTo(slot))
	}
	s := Stamp{Trace: ids.Trace(CallLeg.Name(), leg)}
	if call != "" {
		s, _ = e.stampCall(call)
	}
	s.Span = ids.Span(CallLeg.Name(), leg)
	return s, true
}

func (e *Engine) stampCall(call string) (Stamp, bool) {
	if slot := e.find(Call, call); slot != 0 {
		return e.Stamp(e.refTo(slot))
	}
	return Stamp{Trace: ids.Trace(Call.Name(), call), Span: ids.Span(Call.Name(), call)}, true
}

// callAt returns the call that runs in a room at some time, 0 if none is known: of
// several, the one that started last, of these the one with the smallest id. So it makes
// no difference which came first.
func (e *Engine) callAt(m *Mention) (best uint32) {
	consider := func(slot uint32) {
		if e.objects.at(slot).kind != Call || !e.runsAt(slot, m.Time) {
			return
		}
		if best == 0 || e.containerOf(slot).start > e.containerOf(best).start ||
			e.containerOf(slot).start == e.containerOf(best).start && e.compareIDs(slot, best) < 0 {
			best = slot
		}
	}
	if m.Correlator != "" {
		if g := e.correlators[hashOf(appendText(nil, m.Correlator))]; g.open <= chainLimit {
			for slot := g.first; slot != 0; slot = e.containerOf(slot).group.next {
				e.steps++
				consider(slot)
			}
		}
	}
	if best == 0 && m.CoSpace != "" {
		for _, slot := range e.legsUnder(&e.spaces, hashOf(appendText(nil, m.CoSpace))) {
			consider(slot)
		}
	}
	return best
}

// runsAt tells whether a call is known to have begun and not to have ended before a time;
// the clocks that wrote the times may differ.
func (e *Engine) runsAt(call uint32, at int64) bool {
	info := e.containerOf(call)
	return info.start != 0 && info.start-e.tolerance <= at && (info.end == 0 || at <= info.end+e.tolerance)
}

// meetingAt returns likewise the scheduled meeting of a space, and when its call was
// created.
func (e *Engine) meetingAt(m *Mention) (best uint32, started int64) {
	if m.CoSpace == "" {
		return 0, 0
	}
	var chosen meetingTimes
	for _, slot := range append([]uint32(nil), e.legsUnder(&e.spaces, hashOf(appendText(nil, m.CoSpace)))...) {
		if e.objects.at(slot).kind != ScheduledMeeting {
			continue
		}
		p, ok := e.meetingTimesOf(slot)
		if !ok || p.started.at-e.tolerance > m.Time || p.ended.at != 0 && m.Time > p.ended.at+e.tolerance {
			continue
		}
		if best == 0 || p.started.at > chosen.started.at || p.started.at == chosen.started.at && e.compareIDs(slot, best) < 0 {
			best, chosen = slot, p
		}
	}
	return best, chosen.started.at
}
