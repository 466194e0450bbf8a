// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"math"
	"time"
)

// An object ends by its own end record, with its call or recorded session, because its sender
// began a newer session, or because its sender no longer has it (absence.go). Each cause is a
// function of the records that the engine has. All but the first can be withdrawn while the
// object lingers: a record puts the object into another call, or shows that its sender's
// session is alive. Then the object is open again.

// hasEnded reports whether the records end an object.
func (e *Engine) hasEnded(o *object) bool {
	return o.flags&(flagEnded|flagExpired|flagUnlisted) != 0 || e.sessionIsOver(o) || e.endOfContainer(o) != 0
}

// endOfContainer returns when the call or recorded session of an object ended. The call of a
// scheduled meeting is the one that it created. It returns 0 if the end is unknown.
func (e *Engine) endOfContainer(o *object) int64 {
	container := o.containerSlot
	if o.kind == ScheduledMeeting {
		container = e.slotOfIdentity(Call, &o.identity)
	}
	if container == 0 {
		return 0
	}
	info := e.infoOf(container)
	if o.kind == ScheduledMeeting && info.end == 0 && e.bridgeForgot(container) {
		return max(info.start, info.lastNamedAt, 1)
	}
	return info.end
}

// bridgeForgot reports whether a call without a known end is final because its bridge does not
// have it any more: the bridge restarted or does not list it, or the call expired.
func (e *Engine) bridgeForgot(call uint32) bool {
	return e.isFinal(call) && e.objects.at(call).flags&(flagEvicted|flagIncomplete) == 0
}

// endMeetingOf ends the scheduled meeting of a call that became pending. That includes a call
// without an end record that its bridge forgot (bridgeForgot): no client can delete that call
// any more.
func (e *Engine) endMeetingOf(call uint32, since int64) {
	meeting := e.slotOfIdentity(ScheduledMeeting, &e.objects.at(call).identity)
	if meeting != 0 && e.objects.at(meeting).state == open && e.hasEnded(e.objects.at(meeting)) {
		e.setState(meeting, endedIndirectly, since)
	}
}

// endOrReopen moves an object to the state that the records imply: open or ended.
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
		// The stitched record contains the time of this state, so it must not depend on which
		// end came first.
		e.setState(slot, to, o.since)
	default:
		e.setState(slot, to, e.now)
	}
	e.addToSessionEnded(slot)
}

// addToSessionEnded adds an object that ended with its session to the session's list of such
// objects, so that the engine can reopen it if the session proves to be alive. It does nothing
// for other objects.
func (e *Engine) addToSessionEnded(slot uint32) {
	o := e.objects.at(slot)
	if o.state != ended && o.state != endedIndirectly || o.flags&(flagEnded|flagInEnded) != 0 || !e.sessionIsOver(o) {
		return
	}
	o.flags |= flagInEnded
	e.sessions.at(o.session).ended.push(e, slot, bySession)
}

// sessionIsOver reports whether the session of an object's sender is over.
func (e *Engine) sessionIsOver(o *object) bool {
	return o.session != 0 && e.sessions.at(o.session).isOver()
}

// callHasEnded reports whether the object's call has ended; for a pending or emitted object,
// whether the object ended because of that.
func (e *Engine) callHasEnded(o *object) bool {
	if o.state == pendingEmit || o.state == setAside || o.state == emitted {
		return o.flags&flagCallEnded != 0
	}
	return o.kind != Track && e.endOfContainer(o) != 0
}

// bridgeRestarted reports whether the session of the object's sender is over; for a pending or
// emitted object, whether the object ended because of that.
func (e *Engine) bridgeRestarted(o *object) bool {
	if o.state == pendingEmit || o.state == setAside || o.state == emitted || o.state == emittedWithMembers {
		return o.flags&flagBridgeRestarted != 0
	}
	return e.sessionIsOver(o)
}

// queueEndOfCall queues a call so that Advance ends its open objects.
func (e *Engine) queueEndOfCall(call uint32) {
	if e.infoOf(call).open.head != 0 {
		e.closingCalls = append(e.closingCalls, call)
	}
}

// endOneOfCall ends one open object of a call that has ended.
func (e *Engine) endOneOfCall() {
	call := e.closingCalls[0]
	o := e.objects.at(call)
	// The slot may belong to another object by now. If that is a call that has ended,
	// closingCalls contains it twice, which does no harm.
	if o.state != free && o.kind == Call && e.infoOf(call).end != 0 {
		if info := e.infoOf(call); info.open.head != 0 {
			e.endOrReopen(info.open.head)
			return
		}
	}
	e.closingCalls = e.closingCalls[1:]
}

// maxSessionsOver bounds how many sessions are remembered as over; the newest declarations are
// kept.
const maxSessionsOver = 10_000

// EndSession declares a session over. at is when its sender began another session, by the
// sender's clock, in nanoseconds since 1970. Advance ends the open objects of the session. A
// record of the session with a later time proves the declaration wrong, and the session is
// alive again.
func (e *Engine) EndSession(now time.Time, session string, at int64) {
	t := e.tick(now)
	if session == "" {
		return
	}
	slot := e.sessions.findOrCreate(hashLongName(session))
	s := e.sessions.at(slot)
	wasOver := s.isOver()
	s.overAt, s.lastDeclaredOver = max(s.overAt, at), t
	e.sessions.markDirty(slot)
	if !s.inOverList {
		if len(e.sessions.declaredOver) >= maxSessionsOver {
			e.forgetSession(math.MaxInt64)
		}
		s.rememberedSince, s.inOverList = t, true
		e.sessions.declaredOver = append(e.sessions.declaredOver, slot)
	}
	if s.isOver() && !wasOver && s.open.head != 0 {
		e.closingSessions = append(e.closingSessions, slot)
	}
}

// markSessionAlive records that a session ran at the time of its record, even if the record's
// object is final. It declares the session alive again if the record is later than its end.
func (e *Engine) markSessionAlive(slot uint32, r *Record) {
	session := e.objects.at(slot).session
	if session == 0 || r.Source.session == "" {
		return
	}
	if e.sessions.texts[session] != r.Source.session {
		var known bool
		if session, known = e.sessions.slotOf[r.Source.session]; !known {
			return
		}
	}
	s := e.sessions.at(session)
	if s.bridge < r.Source.bridge {
		s.bridge = r.Source.bridge
		e.sessions.markDirty(session)
	}
	if r.Phase == Note || r.Time <= s.last {
		return
	}
	wasOver := s.isOver()
	s.last = r.Time
	e.sessions.markDirty(session)
	if wasOver && !s.isOver() {
		e.stats.ResumedSessions++
		e.resumedSessions = append(e.resumedSessions, session)
	}
}

// endOneOfSession ends one object of a session that is over.
func (e *Engine) endOneOfSession() {
	s := e.sessions.at(e.closingSessions[0])
	// The slot may have been given to another session, which is not over.
	if s.isOver() && s.open.head != 0 {
		// The conference is regrouped when the object is rendered (freezeTraceOf).
		e.endOrReopen(s.open.head)
		return
	}
	e.closingSessions = e.closingSessions[1:]
}

// reopenOne reopens one object of a session that proved to be alive, unless something else
// ends the object.
func (e *Engine) reopenOne() {
	s := e.sessions.at(e.resumedSessions[0])
	if slot := s.ended.head; slot != 0 && !s.isOver() {
		e.removeFromSessionEnded(slot)
		e.endOrReopen(slot)
		return
	}
	e.resumedSessions = e.resumedSessions[1:]
}

// removeFromSessionEnded undoes addToSessionEnded.
func (e *Engine) removeFromSessionEnded(slot uint32) {
	if o := e.objects.at(slot); o.flags&flagInEnded != 0 {
		o.flags &^= flagInEnded
		e.sessions.at(o.session).ended.remove(e, slot, bySession)
	}
}

// forgetSession forgets the oldest declaration that a session is over, if it is at least
// MaxOpen older than t. If the session was declared over again since then, the newer
// declaration stays. If t is math.MaxInt64, both are forgotten. forgetSession returns false if
// there was nothing to do.
func (e *Engine) forgetSession(t int64) bool {
	over := e.sessions.declaredOver
	if len(over) == 0 || e.sessions.at(over[0]).rememberedSince+e.maxOpen > t {
		return false
	}
	slot := over[0]
	s := e.sessions.at(slot)
	e.sessions.declaredOver = over[1:]
	if s.lastDeclaredOver > s.rememberedSince && t != math.MaxInt64 { // it was declared over once more
		s.rememberedSince = s.lastDeclaredOver
		e.sessions.markDirty(slot)
		e.sessions.declaredOver = append(e.sessions.declaredOver, slot)
		return true
	}
	s.inOverList = false
	// While objects of the session are left they need the declaration, also after a restart,
	// so it stays stored.
	if e.journal.stored && s.objectCount == 0 {
		e.journal.forgottenDeclarations = append(e.journal.forgottenDeclarations, e.sessions.texts[slot])
	}
	e.sessions.freeIfUnused(slot)
	return true
}
