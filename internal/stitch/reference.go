// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"github.com/legato-otel/legato/internal/ids"
)

// Reference holds the ids that a line of a bridge's log contains. Each may be "".
type Reference struct {
	Call, CallLeg, Participant string
	// Correlator and CoSpace identify a room. They refer to the call that runs there at Time,
	// by the bridge's clock, in nanoseconds since 1970.
	Correlator, CoSpace string
	Time                int64
}

// StampReference returns the ids for a log line: those of its leg, else of its call, else of
// the call that runs in its room. A reference changes no state. A leg or call that is unknown
// has the ids that follow from its own id (docs/ids.md); ok is false if the line names neither
// and no call is known to run in its room.
func (e *Engine) StampReference(m *Reference) (s Stamp, ok bool) {
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
	call := e.callRunningAt(m)
	meeting, started := e.meetingRunningAt(m)
	switch {
	case meeting != 0 && (call == 0 || started > e.infoOf(call).start+e.tolerance):
		// The known call ran before this meeting, or this meeting's start record is late.
		return e.stampCall(e.idOf(meeting))
	case call != 0:
		return e.Stamp(e.refTo(call))
	default:
		return s, false
	}
}

func (e *Engine) stampLeg(leg, call string) (Stamp, bool) {
	if slot := e.slotOf(CallLeg, leg); slot != 0 {
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
	if slot := e.slotOf(Call, call); slot != 0 {
		return e.Stamp(e.refTo(slot))
	}
	return Stamp{Trace: ids.Trace(Call.Name(), call), Span: ids.Span(Call.Name(), call)}, true
}

// callRunningAt returns the call that runs in a room at a time, 0 if none is known: the one
// that started last, and of several the one with the smallest id, so the order of arrival
// makes no difference.
func (e *Engine) callRunningAt(m *Reference) (best uint32) {
	consider := func(slot uint32) {
		if e.objects.at(slot).kind != Call || !e.isRunningAt(slot, m.Time) {
			return
		}
		if best == 0 || e.infoOf(slot).start > e.infoOf(best).start ||
			e.infoOf(slot).start == e.infoOf(best).start && e.compareIDs(slot, best) < 0 {
			best = slot
		}
	}
	if m.Correlator != "" {
		if g := e.correlators[hashOf(appendText(nil, m.Correlator))]; g.unsettledCount <= maxSameHash {
			for slot := g.firstUnsettled; slot != 0; slot = e.infoOf(slot).group.next {
				e.steps++
				consider(slot)
			}
		}
	}
	if best == 0 && m.CoSpace != "" {
		for _, slot := range e.objectsByHash(&e.spaces, hashOf(appendText(nil, m.CoSpace))) {
			consider(slot)
		}
	}
	return best
}

// isRunningAt reports whether a call had begun and not ended at a time, within ClockTolerance.
func (e *Engine) isRunningAt(call uint32, at int64) bool {
	info := e.infoOf(call)
	return info.start != 0 && info.start-e.tolerance <= at && (info.end == 0 || at <= info.end+e.tolerance)
}

// meetingRunningAt returns the scheduled meeting of a space at a time, and when its call was
// created.
func (e *Engine) meetingRunningAt(m *Reference) (best uint32, started int64) {
	if m.CoSpace == "" {
		return 0, 0
	}
	var chosen meetingTimes
	for _, slot := range append([]uint32(nil), e.objectsByHash(&e.spaces, hashOf(appendText(nil, m.CoSpace)))...) {
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
