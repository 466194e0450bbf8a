// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"math"
	"time"
)

// An object ends by a record of its own, with its call or its recorded session,
// because its sender began a newer session, or because its sender does not have
// it any more (absence.go). Which of these hold is a function
// of the records that the engine has. All but the first can be withdrawn while
// the object lingers: a record puts it into another call, or shows that its
// sender's session is alive. Then the object is open again.

// hasEnded reports whether any record that the engine has ends an object.
func (e *Engine) hasEnded(o *object) bool {
	return o.flags&(flagEnded|flagExpired|flagUnlisted) != 0 || e.sessionIsOver(o) || e.endOfCall(o) != 0
}

// endOfCall is when the call or the recorded session ended that an object is in or,
// if it is a scheduled meeting, that it created; 0 if that is not known.
func (e *Engine) endOfCall(o *object) int64 {
	call := o.holder
	if o.kind == ScheduledMeeting {
		call = e.lookup(Call, &o.identity)
	}
	if call == 0 {
		return 0
	}
	info := e.containerOf(call)
	if o.kind == ScheduledMeeting && info.end == 0 && e.isOver(call) {
		return max(info.start, info.lastReference, 1)
	}
	return info.end
}

// isOver tells whether a call is over of which no end is known: its bridge restarted, or
// its time was up.
func (e *Engine) isOver(call uint32) bool {
	return e.isFinal(call) && e.objects.at(call).flags&(flagEvicted|flagIncomplete) == 0
}

// endMeetingOf ends the scheduled meeting of a call that became owed: nobody deletes a
// call that its bridge forgot.
func (e *Engine) endMeetingOf(call uint32, since int64) {
	meeting := e.lookup(ScheduledMeeting, &e.objects.at(call).identity)
	if meeting != 0 && e.objects.at(meeting).state == open && e.hasEnded(e.objects.at(meeting)) {
		e.setState(meeting, endedIndirectly, since)
	}
}

// endOrReopen moves an object to the state that the records make it have: open or
// one of those that have ended.
func (e *Engine) endOrReopen(slot uint32) {
	o := e.objects.at(slot)
	if !o.state.takesRecords() {
		return
	}
	to := open
	switch {
	case o.flags&(flagEnded|flagExpired) != 0:
		to = ended
	case e.hasEnded(o):
		to = endedIndirectly
	}
	switch {
	case o.state == to:
	case o.state == endedIndirectly && to == ended:
		// When it was due is sent, and is the same whichever end comes first.
		e.setState(slot, to, o.since)
	default:
		e.setState(slot, to, e.now)
	}
	e.addToSessionEnded(slot)
}

// listInEnded puts an object that its sender's session ended into that
// session's list, so that it is found if the session is alive.
func (e *Engine) addToSessionEnded(slot uint32) {
	o := e.objects.at(slot)
	if o.state != ended && o.state != endedIndirectly || o.flags&(flagEnded|flagInEnded) != 0 || !e.sessionIsOver(o) {
		return
	}
	o.flags |= flagInEnded
	e.sessions.at(o.session).ended.push(e, slot, bySession)
}

// sessionIsOver tells whether the session of an object's sender is over.
func (e *Engine) sessionIsOver(o *object) bool {
	return o.session != 0 && e.sessions.at(o.session).isOver()
}

// callHasEnded tells whether the object ended, or would if it were now, because
// its call did.
func (e *Engine) callHasEnded(o *object) bool {
	if o.state == pendingEmit || o.state == setAside || o.state == emitted {
		return o.flags&flagCallEnded != 0
	}
	return o.kind != Track && e.endOfCall(o) != 0
}

// bridgeStarted likewise tells whether that is because its Call Bridge started
// anew.
func (e *Engine) bridgeStarted(o *object) bool {
	if o.state == pendingEmit || o.state == setAside || o.state == emitted || o.state == emittedHolder {
		return o.flags&flagBridgeStarted != 0
	}
	return e.sessionIsOver(o)
}

// closeCall queues a call whose open objects have to end. Advance ends them.
func (e *Engine) queueEndOfCall(call uint32) {
	if e.containerOf(call).open.head != 0 {
		e.closingCalls = append(e.closingCalls, call)
	}
}

// closeOne ends one object that is open in a call that has ended.
func (e *Engine) endOneOfCall() {
	call := e.closingCalls[0]
	o := e.objects.at(call)
	// A slot that was given to another object since has no end, or is listed twice.
	if o.state != free && o.kind == Call && e.containerOf(call).end != 0 {
		if info := e.containerOf(call); info.open.head != 0 {
			e.endOrReopen(info.open.head)
			return
		}
	}
	e.closingCalls = e.closingCalls[1:]
}

// maxSessionsOver bounds how many sessions are remembered to be over, the newest
// ones. Bridges do not restart that often.
const maxSessionsOver = 10_000

// EndSession declares a session over: at is when its sender began another one,
// by the sender's clock, in nanoseconds since 1970. Advance ends the open objects
// of the session. The session is alive again if a record of it has a later time:
// the declaration was wrong.
func (e *Engine) EndSession(now time.Time, session string, at int64) {
	t := e.tick(now)
	if session == "" {
		return
	}
	slot := e.sessions.find(boundedName(session))
	s := e.sessions.at(slot)
	wasOver := s.isOver()
	s.declared, s.renewed = max(s.declared, at), t
	e.sessions.touch(slot)
	if !s.watching {
		if len(e.sessions.over) >= maxSessionsOver {
			e.forgetSession(math.MaxInt64)
		}
		s.over, s.watching = t, true
		e.sessions.over = append(e.sessions.over, slot)
	}
	if s.isOver() && !wasOver && s.open.head != 0 {
		e.closingSessions = append(e.closingSessions, slot)
	}
}

// hear takes the time of a record as a sign of life of its sender's session, even
// if the record is too late for its object.
func (e *Engine) markSessionAlive(slot uint32, r *Record) {
	session := e.objects.at(slot).session
	if session == 0 || r.Source.session == "" {
		return
	}
	if e.sessions.texts[session] != r.Source.session {
		var known bool
		if session, known = e.sessions.number[r.Source.session]; !known {
			return
		}
	}
	s := e.sessions.at(session)
	if s.bridge < r.Source.bridge {
		s.bridge = r.Source.bridge
		e.sessions.touch(session)
	}
	if r.Phase == Note || r.Time <= s.last {
		return
	}
	wasOver := s.isOver()
	s.last = r.Time
	e.sessions.touch(session)
	if wasOver && !s.isOver() {
		e.stats.ResumedSessions++
		e.resumedSessions = append(e.resumedSessions, session)
	}
}

// endOne ends one object of a session that is over.
func (e *Engine) endOneOfSession() {
	s := e.sessions.at(e.closingSessions[0])
	// A slot that was given to another session since is not over.
	if s.isOver() && s.open.head != 0 {
		// Its conference is looked at again when it is rendered.
		e.endOrReopen(s.open.head)
		return
	}
	e.closingSessions = e.closingSessions[1:]
}

// reviveOne opens one object of a session that turned out to be alive, if
// nothing else ends it.
func (e *Engine) reopenOne() {
	s := e.sessions.at(e.resumedSessions[0])
	if slot := s.ended.head; slot != 0 && !s.isOver() {
		e.removeFromSessionEnded(slot)
		e.endOrReopen(slot)
		return
	}
	e.resumedSessions = e.resumedSessions[1:]
}

// unlistEnded undoes listInEnded.
func (e *Engine) removeFromSessionEnded(slot uint32) {
	if o := e.objects.at(slot); o.flags&flagInEnded != 0 {
		o.flags &^= flagInEnded
		e.sessions.at(o.session).ended.remove(e, slot, bySession)
	}
}

// forgetSession forgets that a session was declared over, long after that.
func (e *Engine) forgetSession(t int64) bool {
	over := e.sessions.over
	if len(over) == 0 || e.sessions.at(over[0]).over+e.maxOpen > t {
		return false
	}
	slot := over[0]
	s := e.sessions.at(slot)
	e.sessions.over = over[1:]
	if s.renewed > s.over && t != math.MaxInt64 { // it was declared so again
		s.over = s.renewed
		e.sessions.touch(slot)
		e.sessions.over = append(e.sessions.over, slot)
		return true
	}
	s.watching = false
	// What still has it still needs to know, also after a restart.
	if e.journal.stored && s.uses == 0 {
		e.journal.endedSessions = append(e.journal.endedSessions, e.sessions.texts[slot])
	}
	e.sessions.forget(slot)
	return true
}
