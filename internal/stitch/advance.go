// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"slices"
	"time"
)

// slice is how many objects one Advance moves at most, so that nobody waits
// long for the engine.
const objectsPerAdvance = 64

// Advance moves objects whose time has come: open ones past MaxOpen end, ended
// ones past Linger become owed, emitted ones past MaxOpen are forgotten. It does
// a bounded piece of work; more tells that there is more to do now.
func (e *Engine) Advance(now time.Time) (more bool) {
	t := e.tick(now)
	for budget := objectsPerAdvance; budget > 0; budget-- {
		if !e.advanceOne(t) {
			return false
		}
	}
	return true
}

// step moves one object. It returns false if none is due.
func (e *Engine) advanceOne(t int64) bool {
	if e.followUpOne() {
		return true
	}
	if slot := e.firstEnded(t >= e.grace.until); slot != 0 && e.objects.at(slot).since+e.linger <= t {
		e.queueEmit(slot, e.objects.at(slot).since+e.linger)
		return true
	}
	if e.endOneRemovedCall(t) || e.continueComparison() {
		return true
	}
	if t < e.grace.until {
		return false
	}
	if slot := e.queues[open].head; slot != 0 && e.objects.at(slot).since+e.maxOpen <= t {
		if !e.discardUnobserved(slot) {
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

// followOne handles one object that the end of a session or a call ends, or that
// a live session opens again. It returns false if there is none.
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

// owe has an object emitted or, if it is not one to be emitted, forgotten.
func (e *Engine) queueEmit(slot uint32, since int64) {
	if e.discardUnobserved(slot) {
		return
	}
	o := e.objects.at(slot)
	if o.flags&(flagEnded|flagExpired|flagEvicted|flagIncomplete) == 0 {
		switch {
		case e.callHasEnded(o):
			o.flags |= flagCallEnded
		case e.bridgeStarted(o):
			o.flags |= flagBridgeStarted
		}
	}
	switch o.kind {
	case APIRequest:
		e.completeRequest(slot)
	case ScheduledMeeting:
		e.completeMeeting(slot)
	case Call, CallLeg, Recording, Streaming, Session, Track, Dialog, DialogFork:
	}
	e.setState(slot, pendingEmit, since)
	if o.kind == Call {
		e.endMeetingOf(slot, since)
	}
}

// discard forgets an object that only notes were about, and the tracks in it,
// of which then no more is known. It returns false for any other.
func (e *Engine) discardUnobserved(slot uint32) bool {
	if e.wasObserved(slot) {
		return false
	}
	if e.objects.at(slot).kind == Session {
		for track := e.containerOf(slot).tracks.head; track != 0; {
			next := e.objects.at(track).participant.next
			if o := e.objects.at(track); o.state.takesRecords() {
				e.discardUnobserved(track)
			}
			track = next
		}
	}
	kind := e.objects.at(slot).kind
	if !e.forget(slot) { // damaged state: something lives in what does not
		return false
	}
	switch kind {
	case DialogFork: // its branch has the span of its call
	case ScheduledMeeting: // requests about a call that no client started
	default:
		e.stats.Unclaimed++
	}
	return true
}

// lived tells whether anything but notes was about an object.
func (e *Engine) wasObserved(slot uint32) bool {
	o := e.objects.at(slot)
	switch o.kind {
	case Session:
		if e.containerOf(slot).firstReference != 0 {
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
	f := &e.scratch.other
	e.readFacts(f, slot)
	return slices.ContainsFunc(f.statements, func(s statement) bool { return s.phase != Note })
}

// Next returns when Advance has something to do next.
func (e *Engine) Next() (at time.Time, ok bool) {
	next := int64(0)
	due := func(slot uint32, after, notBefore int64) {
		if slot != 0 {
			next = earliest(next, max(e.objects.at(slot).since+after, notBefore))
		}
	}
	due(e.queues[ended].head, e.linger, 0)
	due(e.queues[endedIndirectly].head, e.linger, e.grace.until)
	due(e.queues[open].head, e.maxOpen, e.grace.until)
	due(e.queues[emitted].head, e.maxOpen, e.grace.until)
	due(e.queues[emittedRequest].head, e.requestRetention(), e.grace.until)
	if len(e.sessions.over) > 0 {
		next = earliest(next, max(e.sessions.at(e.sessions.over[0]).over+e.maxOpen, e.grace.until))
	}
	if len(e.removals) > 0 {
		next = earliest(next, e.removals[0].due)
	}
	if e.HasFollowUps() {
		next = e.now
	}
	return time.Unix(0, next), next != 0
}

// Follows reports whether Advance has work that waits for no deadline: the
// consequences of the end of a session or a call, of a session being alive, or of
// what a bridge listed.
func (e *Engine) HasFollowUps() bool {
	return len(e.resumedSessions)+len(e.closingSessions)+len(e.closingCalls)+len(e.comparisons) > 0
}

// makeRoom makes room for n objects: it forgets the oldest that were emitted,
// and if there are none, lets the oldest open one go before its time.
func (e *Engine) makeRoom(n int) bool {
	for e.objects.used()+n > e.maxObjects {
		e.steps++
		slot := e.firstDone()
		if slot == 0 {
			e.evict()
			return false
		}
		e.forget(slot)
		e.stats.Forgotten++
	}
	return true
}

// firstDone returns the object that makes room first, 0 if there is none.
func (e *Engine) firstDone() uint32 {
	if slot := e.queues[emittedRequest].head; slot != 0 {
		return slot
	}
	return e.queues[emitted].head
}

// evictions is how many objects are let go at a time when there is no room, and
// maxEvictions the most.
const (
	evictionBatch = 64
	maxEvictions  = 1024
)

// evict lets the oldest open objects go. They are emitted, not dropped; until
// then there is no room.
func (e *Engine) evict() {
	// Those set aside free no room, whatever the next consumer takes.
	if e.count(pendingEmit) >= evictionBatch {
		return
	}
	// More than that only where max_objects is smaller than before a restart.
	for range min(max(evictionBatch, e.objects.used()-e.maxObjects), maxEvictions) {
		e.steps++
		slot := e.firstEnded(true)
		if slot == 0 {
			if slot = e.queues[open].head; slot == 0 {
				return
			}
			if e.discardUnobserved(slot) {
				continue
			}
			e.objects.at(slot).flags |= flagEvicted
			e.stats.Evicted++
		}
		e.queueEmit(slot, e.now)
	}
}

// firstEnded returns the object that ended first, 0 if none has; byOther includes
// those that no record of their own has ended.
func (e *Engine) firstEnded(byOther bool) uint32 {
	own, other := e.queues[ended].head, e.queues[endedIndirectly].head
	if byOther && other != 0 && (own == 0 || e.objects.at(other).since < e.objects.at(own).since) {
		return other
	}
	return own
}

// Emitted marks an owed object as done: the next consumer took it, or (accepted
// false) refused it with a permanent error.
func (e *Engine) Emitted(now time.Time, ref Ref, accepted bool) {
	e.tick(now)
	o := e.resolve(ref)
	if o == nil || o.state != pendingEmit && o.state != setAside {
		return
	}
	as := e.renderedAs(ref)
	if accepted {
		e.stats.Emitted[o.kind][as.outcome]++
	} else {
		e.stats.Rejected++
	}
	e.forgetAbsence(ref.slot)
	e.compactToTombstone(ref.slot, as)
	to := emitted
	switch {
	case o.kind == APIRequest:
		to = emittedRequest
	case o.kind.holds() && e.containerOf(ref.slot).memberCount > 0:
		to = emittedHolder
	}
	e.setState(ref.slot, to, e.now)
	if o.kind == Call {
		e.updateCallGroup(ref.slot)
	}
}

// SetAside takes an object that is owed out of the way of the others: the next
// consumer refuses it again and again. It stays owed, and [Engine.Aside] has it.
func (e *Engine) SetAside(ref Ref) {
	// The object keeps the time at which it became owed: the stitched record has it.
	o := e.resolve(ref)
	if o == nil || o.state != pendingEmit && o.state != setAside {
		return
	}
	if o.state == pendingEmit {
		e.stats.SetAside++
	}
	e.setState(ref.slot, setAside, o.since)
}

// OwedSince returns when the first object that is owed became so; ok is false if
// there is none.
func (e *Engine) PendingSince() (since time.Time, ok bool) {
	first := int64(0)
	for _, in := range []state{pendingEmit, setAside} {
		if slot := e.queues[in].head; slot != 0 {
			first = earliest(first, e.objects.at(slot).since)
		}
	}
	return time.Unix(0, first), first != 0
}

// compactToTombstone leaves of an object only what late records and links need. A call keeps
// its facts: they are the context of what is still in it; a session those that
// are context or name its call, and its times.
func (e *Engine) compactToTombstone(slot uint32, as rendered) {
	o := e.objects.at(slot)
	switch o.kind {
	case Call:
		e.spaces.current.file(e, slot, 0)
		return
	case ScheduledMeeting:
		e.compactMeeting(slot)
		return
	case Session:
		f := &e.scratch.other
		e.readFacts(f, slot)
		f.retainKeys(func(k key) bool {
			return k.ofContext() || k.ofRecordedCall() || k == ownKey(Session) || k == keySessionDuration
		})
		e.storeFacts(slot, f.normalized(&e.dictionary))
		return
	case Dialog:
		e.compactDialog(slot)
		return
	case CallLeg, Recording, Streaming, Track, DialogFork, APIRequest:
	}
	left := tombstone{as.trace, as.start, o.participant.hash, o.sip.hash}
	e.removeFromHolder(slot)
	if o.kind == CallLeg {
		e.participants.retire(e, slot)
		e.sipCalls.retire(e, slot)
	}
	e.scratch.tombstoneBytes = left.append(e.scratch.tombstoneBytes[:0])
	e.storeFacts(slot, e.scratch.tombstoneBytes)
}

// forget frees an object; not one that something is in.
func (e *Engine) forget(slot uint32) bool {
	o := e.objects.at(slot)
	if o.kind.holds() && e.containers.at(o.containerIndex).memberCount > 0 {
		return false
	}
	e.removeFromHolder(slot)
	if o.state == open {
		e.removeFromOpenLists(slot)
	}
	e.removeFromSessionEnded(slot)
	e.forgetAbsence(slot)
	e.queues[o.state].remove(e, slot, byState)
	e.counts[o.kind][o.state]--
	switch o.kind {
	case Call, Session, Dialog:
		if o.kind == Call {
			e.spaces.current.file(e, slot, 0)
		}
		e.forgetContext(slot)
		e.leaveGroup(slot)
		e.containers.release(o.containerIndex)
	case CallLeg:
		e.participants.remove(e, slot)
		e.sipCalls.remove(e, slot)
	case APIRequest:
		e.spaceChanges.current.file(e, slot, 0)
	case ScheduledMeeting:
		e.spaces.current.file(e, slot, 0)
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
	e.identities.remove(e.identities.linkTo(e.identityHash(o.kind, &o.identity), slot))
	if e.journal.stored {
		e.journal.forgotten = append(e.journal.forgotten, objectKey{o.kind, o.identity})
	}
	o.state, o.flags = free, o.flags&flagQueued
	e.objects.release(slot)
	return true
}

// Flush makes everything owed that a record of its own has ended, without waiting
// for late records. What ended with its call or its session stays: its own end may
// come after the restart. Flush does a bounded piece of work; more tells that there
// is more to do.
func (e *Engine) Flush(now time.Time) (more bool) {
	return e.queueEnded(now, false)
}

// oweEnded makes the objects owed that firstEnded returns, until there is none.
func (e *Engine) queueEnded(now time.Time, byOther bool) (more bool) {
	t := e.tick(now)
	for budget := objectsPerAdvance; budget > 0; budget-- {
		e.steps++
		if e.followUpOne() {
			continue
		}
		slot := e.firstEnded(byOther)
		if slot == 0 {
			return false
		}
		e.queueEmit(slot, t)
	}
	return true
}

// Finish makes everything owed, what is open as Incomplete: for a shutdown that
// keeps nothing. It does a bounded piece of work, as Flush.
func (e *Engine) Finish(now time.Time) (more bool) {
	if e.queueEnded(now, true) {
		return true
	}
	for budget := objectsPerAdvance; budget > 0; budget-- {
		e.steps++
		slot := e.queues[open].head
		if slot == 0 {
			return false
		}
		e.objects.at(slot).flags |= flagIncomplete
		e.queueEmit(slot, e.now)
	}
	return true
}
