// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"slices"
	"time"
)

// objectsPerAdvance bounds the steps of one Advance, Flush or Finish, so that callers do not wait
// long for the engine. A step moves one object at most.
const objectsPerAdvance = 64

// Advance moves objects whose deadline has passed: open ones past MaxOpen end, ended ones past
// Linger become pending, emitted ones without members are forgotten past MaxOpen or, if they are
// API requests, past requestRetention. It does a bounded amount of work; more reports that work
// is left.
func (e *Engine) Advance(now time.Time) (more bool) {
	t := e.tick(now)
	for budget := objectsPerAdvance; budget > 0; budget-- {
		if !e.advanceOne(t) {
			return false
		}
	}
	return true
}

// advanceOne moves one object. It returns false if no deadline has passed.
func (e *Engine) advanceOne(t int64) bool {
	if e.followUpOne() || e.endOneRemovedCall(t) { // a removed call is not pending before its open objects are examined
		return true
	}
	if slot := e.firstEnded(t >= e.grace.until); slot != 0 && e.objects.at(slot).since+e.linger <= t {
		e.makePending(slot, e.objects.at(slot).since+e.linger)
		return true
	}
	if e.continueComparison() {
		return true
	}
	if t < e.grace.until {
		return false
	}
	if slot := e.queues[open].head; slot != 0 && e.objects.at(slot).since+e.maxOpen <= t {
		if !e.forgetIfOnlyNotes(slot) {
			e.objects.at(slot).flags |= flagExpired
			e.setState(slot, ended, t)
		}
		return true
	}
	if slot := e.queues[emitted].head; slot != 0 && e.objects.at(slot).since+e.maxOpen <= t {
		e.forget(slot)
		return true
	}
	if slot := e.queues[emittedRequest].head; slot != 0 && e.objects.at(slot).since+e.requestRetention() <= t {
		e.forget(slot)
		return true
	}
	return e.forgetSession(t)
}

// followUpOne ends or reopens one object after its session or call ended, or after its session
// proved to be alive. It returns false if there is none.
func (e *Engine) followUpOne() bool {
	e.steps++
	switch {
	case len(e.resumedSessions) > 0:
		e.reopenOne()
	case len(e.closingSessions) > 0:
		e.endOneOfSession()
	case len(e.closingCalls) > 0:
		e.endOneOfCall()
	default:
		return false
	}
	return true
}

// makePending makes an object pending, or forgets it if only notes describe it. A note, such as
// a tag, is no sign of life of its object.
func (e *Engine) makePending(slot uint32, since int64) {
	if e.forgetIfOnlyNotes(slot) {
		return
	}
	o := e.objects.at(slot)
	if o.flags&(flagEnded|flagExpired|flagEvicted|flagIncomplete) == 0 {
		switch {
		case e.callHasEnded(o):
			o.flags |= flagCallEnded
		case e.bridgeRestarted(o):
			o.flags |= flagBridgeRestarted
		}
	}
	switch o.kind {
	case APIRequest:
		e.completeRequest(slot)
	case ScheduledMeeting:
		e.completeMeeting(slot)
	case Call, CallLeg, Recording, Streaming, RecordedSession, Track, Dialog, DialogFork:
	}
	e.setState(slot, pendingEmit, since)
	if o.kind == Call {
		e.endMeetingOf(slot, since)
	}
}

// forgetIfOnlyNotes forgets an object that only notes describe, together with its tracks. It
// returns false for any other object.
func (e *Engine) forgetIfOnlyNotes(slot uint32) bool {
	if e.hasOtherThanNotes(slot) {
		return false
	}
	if e.objects.at(slot).kind == RecordedSession {
		for track := e.infoOf(slot).tracks.head; track != 0; {
			next := e.objects.at(track).participant.next
			if o := e.objects.at(track); o.state.takesRecords() {
				e.forgetIfOnlyNotes(track)
			}
			track = next
		}
	}
	kind := e.objects.at(slot).kind
	// forget fails only if damaged state was loaded: then the object still contains one that
	// records other than notes describe.
	if !e.forget(slot) {
		return false
	}
	switch kind {
	case DialogFork: // not counted: the span of its dialog shows the branch
	case ScheduledMeeting: // not counted: no request that created its call has arrived
	default:
		e.stats.Unclaimed++
	}
	return true
}

// hasOtherThanNotes reports whether a record other than a note described an object.
func (e *Engine) hasOtherThanNotes(slot uint32) bool {
	o := e.objects.at(slot)
	switch o.kind {
	case RecordedSession:
		if e.infoOf(slot).firstNamedAt != 0 {
			return true
		}
	case Track:
	case DialogFork:
		return !e.isFirstBranch(slot)
	case ScheduledMeeting:
		return e.wasStarted(slot)
	case Call, CallLeg, Recording, Streaming, Dialog, APIRequest:
		return true
	}
	f := &e.scratch.codec
	e.readFacts(f, slot)
	return slices.ContainsFunc(f.statements, func(s statement) bool { return s.phase != Note })
}

// Next returns the time at which Advance has work.
func (e *Engine) Next() (at time.Time, ok bool) {
	next := int64(0)
	due := func(slot uint32, after, notBefore int64) {
		if slot != 0 {
			next = earliestSet(next, max(e.objects.at(slot).since+after, notBefore))
		}
	}
	due(e.queues[ended].head, e.linger, 0)
	due(e.queues[endedIndirectly].head, e.linger, e.grace.until)
	due(e.queues[open].head, e.maxOpen, e.grace.until)
	due(e.queues[emitted].head, e.maxOpen, e.grace.until)
	due(e.queues[emittedRequest].head, e.requestRetention(), e.grace.until)
	if len(e.sessions.declaredOver) > 0 {
		next = earliestSet(next, max(e.sessions.at(e.sessions.declaredOver[0]).rememberedSince+e.maxOpen, e.grace.until))
	}
	if len(e.removals) > 0 {
		next = earliestSet(next, e.removals[0].due)
	}
	if e.HasFollowUps() {
		next = e.now
	}
	return time.Unix(0, next), next != 0
}

// HasFollowUps reports whether Advance has work without a deadline: objects to end or reopen
// because a session or a call ended, because a session is alive again, or because of a
// listing.
func (e *Engine) HasFollowUps() bool {
	return len(e.resumedSessions)+len(e.closingSessions)+len(e.closingCalls)+len(e.comparisons) > 0
}

// makeRoom frees n slots by forgetting emitted objects: API requests first, then the oldest
// others. If they do not suffice, it calls evict and returns false.
func (e *Engine) makeRoom(n int) bool {
	for e.objects.used()+n > e.maxObjects {
		e.steps++
		slot := e.firstForgettable()
		if slot == 0 {
			e.evict()
			return false
		}
		e.forget(slot)
		e.stats.Forgotten++
	}
	return true
}

// firstForgettable returns the emitted object that makeRoom forgets first, 0 if there is none.
func (e *Engine) firstForgettable() uint32 {
	if slot := e.queues[emittedRequest].head; slot != 0 {
		return slot
	}
	return e.queues[emitted].head
}

// evict makes evictionBatch objects pending. If more objects than that are above the limit, as
// after a restart with a smaller max_objects, it makes as many pending as are above the limit,
// at most maxEvictions.
const (
	evictionBatch = 64
	maxEvictions  = 1024
)

// evict makes objects pending: first those that have ended, then the oldest open ones. Once
// their stitched records are emitted, makeRoom can forget them.
func (e *Engine) evict() {
	// Objects that are set aside do not count, because the next consumer keeps refusing them.
	if e.countInState(pendingEmit) >= evictionBatch {
		return
	}
	for range min(max(evictionBatch, e.objects.used()-e.maxObjects), maxEvictions) {
		e.steps++
		slot := e.firstEnded(true)
		if slot == 0 {
			if slot = e.queues[open].head; slot == 0 {
				return
			}
			if e.forgetIfOnlyNotes(slot) {
				continue
			}
			e.objects.at(slot).flags |= flagEvicted
			e.stats.Evicted++
		}
		e.makePending(slot, e.now)
	}
}

// firstEnded returns the object that ended first, 0 if there is none. If includeIndirect is
// set, it also considers objects that ended with their call, session or bridge.
func (e *Engine) firstEnded(includeIndirect bool) uint32 {
	own, indirect := e.queues[ended].head, e.queues[endedIndirectly].head
	if includeIndirect && indirect != 0 && (own == 0 || e.objects.at(indirect).since < e.objects.at(own).since) {
		return indirect
	}
	return own
}

// MarkEmitted marks a pending object as emitted: the next consumer accepted it or, if accepted is
// false, refused it with a permanent error.
func (e *Engine) MarkEmitted(now time.Time, ref Ref, accepted bool) {
	e.tick(now)
	o := e.resolve(ref)
	if o == nil || o.state != pendingEmit && o.state != setAside {
		return
	}
	r := e.renderingOf(ref)
	if accepted {
		e.stats.Emitted[o.kind][r.outcome]++
	} else {
		e.stats.Rejected++
	}
	e.forgetAbsence(ref.slot)
	e.compactToTombstone(ref.slot, r)
	next := emitted
	switch {
	case o.kind == APIRequest:
		next = emittedRequest
	case o.kind.isContainer() && e.infoOf(ref.slot).memberCount > 0:
		next = emittedWithMembers
	}
	e.setState(ref.slot, next, e.now)
	if o.kind == Call {
		e.updateCallGroup(ref.slot, 0)
	}
}

// SetAside moves a pending object out of the queue because the next consumer keeps refusing
// it. The object stays pending; [Engine.VisitSetAside] visits it.
func (e *Engine) SetAside(ref Ref) {
	// The object keeps the time at which it became pending, because the stitched record
	// contains it.
	o := e.resolve(ref)
	if o == nil || o.state != pendingEmit && o.state != setAside {
		return
	}
	if o.state == pendingEmit {
		e.stats.SetAside++
	}
	e.setState(ref.slot, setAside, o.since)
}

// PendingSince returns when the oldest pending object became pending; ok is false if there is
// none.
func (e *Engine) PendingSince() (since time.Time, ok bool) {
	first := int64(0)
	for _, in := range []state{pendingEmit, setAside} {
		if slot := e.queues[in].head; slot != 0 {
			first = earliestSet(first, e.objects.at(slot).since)
		}
	}
	return time.Unix(0, first), first != 0
}

// compactToTombstone reduces an object to what late records and links need. A call keeps its
// facts, because they are the context of its objects. A recorded session keeps its id, its
// times, the attributes that its tracks get as context, and those that name its recorded call.
func (e *Engine) compactToTombstone(slot uint32, r rendering) {
	o := e.objects.at(slot)
	switch o.kind {
	case Call:
		e.spaces.current.remove(e, slot)
		return
	case ScheduledMeeting:
		e.compactMeeting(slot)
		return
	case RecordedSession:
		f := &e.scratch.codec
		e.readFacts(f, slot)
		f.retainKeys(func(k key) bool {
			return k.ofContext() || k.ofRecordedCall() || k == idKeyOf(RecordedSession) || k == keySessionDuration
		})
		e.storeFacts(slot, f.encodeNormalized(&e.dictionary))
		return
	case Dialog:
		e.compactDialog(slot)
		return
	case CallLeg, Recording, Streaming, Track, DialogFork, APIRequest:
	}
	remains := tombstone{r.trace, r.start, o.participant.hash, o.sip.hash}
	e.removeFromContainer(slot)
	if o.kind == CallLeg {
		e.participants.moveToEmitted(e, slot)
		e.sipCalls.moveToEmitted(e, slot)
	}
	e.scratch.tombstoneBytes = remains.append(e.scratch.tombstoneBytes[:0])
	e.storeFacts(slot, e.scratch.tombstoneBytes)
}

// forget frees an object. It returns false for one that holds others.
func (e *Engine) forget(slot uint32) bool {
	o := e.objects.at(slot)
	if o.kind.isContainer() && e.containers.at(o.containerIndex).memberCount > 0 {
		return false
	}
	e.removeFromContainer(slot)
	if o.state == open {
		e.removeFromOpenLists(slot)
	}
	e.removeFromSessionEnded(slot)
	e.forgetAbsence(slot)
	e.queues[o.state].remove(e, slot, byState)
	e.counts[o.kind][o.state]--
	switch o.kind {
	case Call, RecordedSession, Dialog:
		if o.kind == Call {
			e.spaces.current.remove(e, slot)
		}
		e.forgetContext(slot)
		e.leaveGroup(slot)
		e.containers.release(o.containerIndex)
	case CallLeg:
		e.participants.remove(e, slot)
		e.sipCalls.remove(e, slot)
	case APIRequest:
		e.spaceChanges.current.remove(e, slot)
	case ScheduledMeeting:
		e.spaces.current.remove(e, slot)
		e.meetings.remove(e, slot)
	case Recording, Streaming, Track, DialogFork:
	}
	e.arena.release(o.facts, o.factsSize)
	if o.resource != 0 {
		e.resources.release(o.resource)
	}
	if o.session != 0 {
		e.sessions.release(o.session)
	}
	e.identities.remove(e.identities.findLink(e.identityHash(o.kind, &o.identity), slot))
	if e.journal.stored {
		e.journal.forgotten = append(e.journal.forgotten, objectKey{o.kind, o.identity})
	}
	o.state, o.flags = free, o.flags&flagQueuedForJournal
	e.objects.release(slot)
	return true
}

// Flush makes the objects pending whose own end record arrived or which expired, and does not wait
// for late records. Objects that ended with their call or session stay ended, because their own end records may
// arrive after the restart. Flush does a bounded amount of work; more reports that work is
// left.
func (e *Engine) Flush(now time.Time) (more bool) {
	return e.makeEndedPending(now, false)
}

// makeEndedPending makes ended objects pending, in the order of firstEnded.
func (e *Engine) makeEndedPending(now time.Time, includeIndirect bool) (more bool) {
	t := e.tick(now)
	for budget := objectsPerAdvance; budget > 0; budget-- {
		e.steps++
		if e.followUpOne() {
			continue
		}
		slot := e.firstEnded(includeIndirect)
		if slot == 0 {
			return false
		}
		e.makePending(slot, t)
	}
	return true
}

// Finish makes all objects pending, open ones as Incomplete, for a shutdown without storage.
// It does a bounded amount of work, as Flush does.
func (e *Engine) Finish(now time.Time) (more bool) {
	if e.makeEndedPending(now, true) {
		return true
	}
	for budget := objectsPerAdvance; budget > 0; budget-- {
		e.steps++
		slot := e.queues[open].head
		if slot == 0 {
			return false
		}
		e.objects.at(slot).flags |= flagIncomplete
		e.makePending(slot, e.now)
	}
	return true
}
