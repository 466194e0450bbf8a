// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// FinishLoad ends loading and rebuilds all derived indexes. Deadlines continue as if there had
// been no restart.
func (e *Engine) FinishLoad(now time.Time) {
	t := e.tick(now)
	e.loading = nil
	order := make([]uint32, 0, e.objects.used())
	for slot := uint32(1); slot <= e.objects.highest; slot++ {
		if o := e.objects.at(slot); o.state != free {
			order = append(order, slot)
			if o.session != 0 {
				e.sessions.at(o.session).objectCount++
			}
		}
	}
	slices.SortFunc(order, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(e.objects.at(a).since, e.objects.at(b).since), cmp.Compare(a, b))
	})
	for _, slot := range order {
		o := e.objects.at(slot)
		to := o.state
		if to == emitted && o.kind == APIRequest { // both states are stored as one letter
			to = emittedRequest
		}
		o.state = free
		since := o.since
		if to != pendingEmit { // the stitched record contains the time
			since = min(since, t)
		}
		e.setState(slot, to, since)
	}
	e.restoring = true
	for _, slot := range order {
		e.restoreRelations(slot)
	}
	e.restoring = false
	e.restoreAbsences()
	for _, slot := range order {
		// Both states are stored as one letter. During the grace, a sender that kept its
		// records can deliver the object's own end.
		if o := e.objects.at(slot); o.state == ended && o.flags&(flagEnded|flagExpired) == 0 {
			e.setState(slot, endedIndirectly, o.since)
		}
	}
	for _, slot := range order { // complete the complete the work that the stop interrupted
		e.endOrReopen(slot)
		e.restoreOutcome(slot)
	}
	for correlator := range e.correlators {
		e.regroup(correlator)
	}
	for _, slot := range order {
		if o := e.objects.at(slot); o.kind == Call {
			info := e.infoOf(slot)
			e.setTrace(slot, info.trace, info.rootSpan) // queues its trace change, if there is one
		}
	}
	e.restoreSessions()
	e.beginGrace(t)
	e.stats = Stats{Restored: uint64(len(order))} // the objects were counted before the restart
	e.resetNumbering()
	for e.objects.used() > e.maxObjects && e.firstForgettable() != 0 && e.forget(e.firstForgettable()) {
		e.stats.Forgotten++
	}
}

// restoreOutcome sets the outcome of a pending object. Up to version 3 it was not stored.
func (e *Engine) restoreOutcome(slot uint32) {
	o := e.objects.at(slot)
	if o.state == pendingEmit && o.flags&(flagEnded|flagExpired|flagEvicted|flagIncomplete|flagCallEnded|flagBridgeRestarted|flagUnlisted) == 0 && e.sessionIsOver(o) {
		o.flags |= flagBridgeRestarted
	}
}

// restoreRelations restores an object's relations to others from its facts.
func (e *Engine) restoreRelations(slot uint32) {
	o := e.objects.at(slot)
	if (o.state == emitted || o.state == emittedRequest) && !o.kind.keepsFacts() {
		if o.kind == CallLeg {
			left := e.tombstone(slot)
			e.participants.emitted.setHash(e, slot, left.participant)
			e.sipCalls.emitted.setHash(e, slot, left.sip)
		}
		return
	}
	e.readFacts(&e.codec, slot)
	if e.codec.hasEnd() {
		o.flags |= flagEnded
	}
	if o.state.takesRecords() {
		o.flags &^= flagUnlisted // restoreAbsences sets it
	}
	e.codec.participantBefore, e.codec.sipCallIDBefore = nil, nil
	switch o.kind {
	case Call:
		e.updateCallRelations(slot)
		return
	case RecordedSession:
		e.updateRecordedSessionRelations(slot)
		return
	case Track:
		e.putTrackInRecordedSession(slot, e.idOf(slot))
		return
	case Dialog:
		o.sip.hash = hashOf(appendCanonical(nil, e.idOf(slot)))
		e.updateDialogRelations(slot)
		return
	case DialogFork:
		e.putForkInDialog(slot, e.idOf(slot))
		e.updateForkRelations(slot)
		return
	case APIRequest:
		e.updateRequestRelations(slot)
		return
	case ScheduledMeeting:
		e.updateMeetingRelations(slot)
		return
	case CallLeg:
		e.updateLegRelations(slot, e.codec.attributes)
	case Recording, Streaming:
	}
	if call := e.codec.newestCall(); call != nil {
		e.putInContainer(slot, e.callOf(slot, call))
	}
}

// resetNumbering makes the next AppendChanges begin with all tables, because stored numbers
// belong to the process that wrote them. Objects are not stored again.
func (e *Engine) resetNumbering() {
	for _, slot := range e.journal.changed {
		e.objects.at(slot).flags &^= flagQueuedForJournal | flagDirty | flagDirtyFacts
	}
	e.journal.changed, e.journal.appended = e.journal.changed[:0], 0
	e.dictionary.written = 0
	e.resources.unwritten = e.resources.unwritten[:0]
	for _, slot := range e.resources.slotOf {
		e.resources.unwritten = append(e.resources.unwritten, slot)
	}
	for _, slot := range e.sessions.slotOf {
		e.sessions.markDirty(slot)
	}
}

func (e *Engine) restoreSessions() {
	for _, slot := range e.sessions.slotOf {
		switch s := e.sessions.at(slot); {
		case s.rememberedSince != 0:
			s.rememberedSince, s.inOverList = min(s.rememberedSince, e.now), true
			e.sessions.declaredOver = append(e.sessions.declaredOver, slot)
		default:
			e.sessions.freeIfUnused(slot)
		}
	}
	slices.SortFunc(e.sessions.declaredOver, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(e.sessions.at(a).rememberedSince, e.sessions.at(b).rememberedSince), strings.Compare(e.sessions.texts[a], e.sessions.texts[b]))
	})
}

// restoreAbsences restores the absences of the objects that still exist. The open objects of an
// absent call end with it; Advance examines them.
func (e *Engine) restoreAbsences() {
	for of, at := range e.loadedAbsences {
		slot := e.slotOfIdentity(of.kind, &of.identity)
		if slot == 0 || !e.objects.at(slot).state.takesRecords() {
			continue
		}
		e.absences[slot] = at
		e.updateUnlistedFlag(slot)
		if of.kind == Call && len(e.removals) < maxRemovals {
			e.removals = append(e.removals, removal{call: e.refTo(slot), at: at, due: e.now})
		}
	}
	e.loadedAbsences = nil
}
