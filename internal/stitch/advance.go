// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"slices"
	"time"
)

// slice is how many objects one Advance moves at most, so that nobody waits
// long for the engine.
const slice = 64

// Advance moves objects whose time has come: open ones past MaxOpen end, ended
// ones past Linger become owed, emitted ones past MaxOpen are forgotten. It does
// a bounded piece of work; more tells that there is more to do now.
func (e *Engine) Advance(now time.Time) (more bool) {
	t := e.tick(now)
	for budget := slice; budget > 0; budget-- {
		if !e.step(t) {
			return false
		}
	}
	return true
}

// step moves one object. It returns false if none is due.
func (e *Engine) step(t int64) bool {
	if e.followOne() {
		return true
	}
	if slot := e.firstEnded(t >= e.grace.until); slot != 0 && e.objects.at(slot).since+e.linger <= t {
		e.owe(slot, e.objects.at(slot).since+e.linger)
		return true
	}
	if e.removeOne(t) || e.compareSome() {
		return true
	}
	if t < e.grace.until {
		return false
	}
	if slot := e.queues[open].head; slot != 0 && e.objects.at(slot).since+e.maxOpen <= t {
		if !e.discard(slot) {
			e.objects.at(slot).flags |= flagExpired
			e.setState(slot, ended, t)
		}
		return true
	}
	if slot := e.queues[done].head; slot != 0 && e.objects.at(slot).since+e.maxOpen <= t {
		e.forget(slot)
		return true
	}
	if slot := e.queues[brief].head; slot != 0 && e.objects.at(slot).since+e.briefly() <= t {
		e.forget(slot)
		return true
	}
	return e.forgetSession(t)
}

// followOne handles one object that the end of a session or a call ends, or that
// a live session opens again. It returns false if there is none.
func (e *Engine) followOne() bool {
	e.steps++
	switch {
	case len(e.revivedSessions) > 0:
		e.reviveOne()
	case len(e.closingSessions) > 0:
		e.endOne()
	case len(e.closingCalls) > 0:
		e.closeOne()
	default:
		return false
	}
	return true
}

// owe has an object emitted or, if it is not one to be emitted, forgotten.
func (e *Engine) owe(slot uint32, since int64) {
	if e.discard(slot) {
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
		e.settleRequest(slot)
	case ScheduledMeeting:
		e.settleMeeting(slot)
	case Call, CallLeg, Recording, Streaming, Session, Track, Dialog, DialogFork:
	}
	e.setState(slot, owed, since)
	if o.kind == Call {
		e.endMeetingOf(slot, since)
	}
}

// discard forgets an object that only notes were about, and the tracks in it,
// of which then no more is known. It returns false for any other.
func (e *Engine) discard(slot uint32) bool {
	if e.lived(slot) {
		return false
	}
	if e.objects.at(slot).kind == Session {
		for track := e.infoOf(slot).tracks.head; track != 0; {
			next := e.objects.at(track).participant.next
			if o := e.objects.at(track); o.state.takesRecords() {
				e.discard(track)
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
func (e *Engine) lived(slot uint32) bool {
	o := e.objects.at(slot)
	switch o.kind {
	case Session:
		if e.infoOf(slot).mentioned != 0 {
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
	e.open(f, slot)
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
	due(e.queues[endedByOther].head, e.linger, e.grace.until)
	due(e.queues[open].head, e.maxOpen, e.grace.until)
	due(e.queues[done].head, e.maxOpen, e.grace.until)
	due(e.queues[brief].head, e.briefly(), e.grace.until)
	if len(e.sessions.over) > 0 {
		next = earliest(next, max(e.sessions.at(e.sessions.over[0]).over+e.maxOpen, e.grace.until))
	}
	if len(e.removals) > 0 {
		next = earliest(next, e.removals[0].due)
	}
	if e.Follows() {
		next = e.now
	}
	return time.Unix(0, next), next != 0
}

// Follows reports whether Advance has work that waits for no deadline: the
// consequences of the end of a session or a call, of a session being alive, or of
// what a bridge listed.
func (e *Engine) Follows() bool {
	return len(e.revivedSessions)+len(e.closingSessions)+len(e.closingCalls)+len(e.comparisons) > 0
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
	if slot := e.queues[brief].head; slot != 0 {
		return slot
	}
	return e.queues[done].head
}

// evictions is how many objects are let go at a time when there is no room, and
// maxEvictions the most.
const (
	evictions    = 64
	maxEvictions = 1024
)

// evict lets the oldest open objects go. They are emitted, not dropped; until
// then there is no room.
func (e *Engine) evict() {
	// Those set aside free no room, whatever the next consumer takes.
	if e.count(owed) >= evictions {
		return
	}
	// More than that only where max_objects is smaller than before a restart.
	for range min(max(evictions, e.objects.used()-e.maxObjects), maxEvictions) {
		e.steps++
		slot := e.firstEnded(true)
		if slot == 0 {
			if slot = e.queues[open].head; slot == 0 {
				return
			}
			if e.discard(slot) {
				continue
			}
			e.objects.at(slot).flags |= flagEvicted
			e.stats.Evicted++
		}
		e.owe(slot, e.now)
	}
}

// firstEnded returns the object that ended first, 0 if none has; byOther includes
// those that no record of their own has ended.
func (e *Engine) firstEnded(byOther bool) uint32 {
	own, other := e.queues[ended].head, e.queues[endedByOther].head
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
	if o == nil || o.state != owed && o.state != aside {
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
	to := done
	switch {
	case o.kind == APIRequest:
		to = brief
	case o.kind.holds() && e.infoOf(ref.slot).members > 0:
		to = holding
	}
	e.setState(ref.slot, to, e.now)
	if o.kind == Call {
		e.fileCall(ref.slot)
	}
}

// SetAside takes an object that is owed out of the way of the others: the next
// consumer refuses it again and again. It stays owed, and [Engine.Aside] has it.
func (e *Engine) SetAside(ref Ref) {
	// The object keeps the time at which it became owed: the stitched record has it.
	o := e.resolve(ref)
	if o == nil || o.state != owed && o.state != aside {
		return
	}
	if o.state == owed {
		e.stats.SetAside++
	}
	e.setState(ref.slot, aside, o.since)
}

// OwedSince returns when the first object that is owed became so; ok is false if
// there is none.
func (e *Engine) OwedSince() (since time.Time, ok bool) {
	first := int64(0)
	for _, in := range []state{owed, aside} {
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
		e.open(f, slot)
		f.keep(func(k key) bool {
			return k.ofContext() || k.ofRecordedCall() || k == ownKey(Session) || k == keySessionDuration
		})
		e.store(slot, f.normalized(&e.dictionary))
		return
	case Dialog:
		e.compactDialog(slot)
		return
	case CallLeg, Recording, Streaming, Track, DialogFork, APIRequest:
	}
	grave := tombstone{as.trace, as.start, o.participant.hash, o.sip.hash}
	e.unbind(slot)
	if o.kind == CallLeg {
		e.participants.retire(e, slot)
		e.sipCalls.retire(e, slot)
	}
	e.scratch.grave = grave.append(e.scratch.grave[:0])
	e.store(slot, e.scratch.grave)
}

// forget frees an object; not one that something is in.
func (e *Engine) forget(slot uint32) bool {
	o := e.objects.at(slot)
	if o.kind.holds() && e.containers.at(o.info).members > 0 {
		return false
	}
	e.unbind(slot)
	if o.state == open {
		e.unlistOpen(slot)
	}
	e.unlistEnded(slot)
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
		e.containers.release(o.info)
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
	e.identities.remove(e.identities.placeOf(e.identityHash(o.kind, &o.identity), slot))
	if e.journal.stored {
		e.journal.gone = append(e.journal.gone, gone{o.kind, o.identity})
	}
	o.state, o.flags = free, o.flags&flagNoted
	e.objects.release(slot)
	return true
}

// Flush makes everything owed that a record of its own has ended, without waiting
// for late records. What ended with its call or its session stays: its own end may
// come after the restart. Flush does a bounded piece of work; more tells that there
// is more to do.
func (e *Engine) Flush(now time.Time) (more bool) {
	return e.oweEnded(now, false)
}

// oweEnded makes the objects owed that firstEnded returns, until there is none.
func (e *Engine) oweEnded(now time.Time, byOther bool) (more bool) {
	t := e.tick(now)
	for budget := slice; budget > 0; budget-- {
		e.steps++
		if e.followOne() {
			continue
		}
		slot := e.firstEnded(byOther)
		if slot == 0 {
			return false
		}
		e.owe(slot, t)
	}
	return true
}

// Finish makes everything owed, what is open as Incomplete: for a shutdown that
// keeps nothing. It does a bounded piece of work, as Flush.
func (e *Engine) Finish(now time.Time) (more bool) {
	if e.oweEnded(now, true) {
		return true
	}
	for budget := slice; budget > 0; budget-- {
		e.steps++
		slot := e.queues[open].head
		if slot == 0 {
			return false
		}
		e.objects.at(slot).flags |= flagIncomplete
		e.owe(slot, e.now)
	}
	return true
}
