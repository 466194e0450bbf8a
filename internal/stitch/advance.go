// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"math"
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
	if len(e.dying) > 0 {
		e.endOne()
		return true
	}
	if slot := e.queues[open].head; slot != 0 && e.objects.at(slot).since+e.maxOpen <= t {
		if !e.discard(slot) {
			e.objects.at(slot).flags |= flagExpired
			e.enter(slot, ended, t)
		}
		return true
	}
	if slot := e.queues[ended].head; slot != 0 && e.objects.at(slot).since+e.linger <= t {
		e.owe(slot, e.objects.at(slot).since+e.linger)
		return true
	}
	if slot := e.queues[done].head; slot != 0 && e.objects.at(slot).since+e.maxOpen <= t {
		if !e.forget(slot) {
			e.enter(slot, done, t)
		}
		return true
	}
	return e.forgetSession(t)
}

// owe has an object emitted or, if it is not one to be emitted, forgotten.
func (e *Engine) owe(slot uint32, since int64) {
	if !e.discard(slot) {
		e.enter(slot, owed, since)
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
			if o := e.objects.at(track); o.state == open || o.state == ended {
				e.discard(track)
			}
			track = next
		}
	}
	if !e.forget(slot) { // damaged state: something lives in what does not
		return false
	}
	e.stats.Unclaimed++
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
	case Call, CallLeg, Recording, Streaming:
		return true
	}
	f := &e.scratch.other
	e.open(f, slot)
	return slices.ContainsFunc(f.statements, func(s statement) bool { return s.phase != Note })
}

// Next returns when Advance has something to do next.
func (e *Engine) Next() (at time.Time, ok bool) {
	next := int64(0)
	due := func(slot uint32, after int64) {
		if slot != 0 {
			next = earliest(next, e.objects.at(slot).since+after)
		}
	}
	due(e.queues[open].head, e.maxOpen)
	due(e.queues[ended].head, e.linger)
	due(e.queues[done].head, e.maxOpen)
	if len(e.sessions.over) > 0 {
		next = earliest(next, e.sessions.at(e.sessions.over[0]).over+e.maxOpen)
	}
	if len(e.dying) > 0 {
		next = e.now
	}
	return time.Unix(0, next), next != 0
}

// maxSessionsOver bounds how many sessions are remembered to be over, the newest
// ones. Bridges do not restart that often.
const maxSessionsOver = 10_000

// EndSession ends everything of a session: its sender has started anew. That is
// done piece by piece, by Advance.
func (e *Engine) EndSession(now time.Time, session string) {
	t := e.tick(now)
	if session == "" {
		return
	}
	slot := e.sessions.find(bounded(session))
	s := e.sessions.at(slot)
	if s.over != 0 {
		return
	}
	if len(e.sessions.over) >= maxSessionsOver {
		e.forgetSession(math.MaxInt64)
	}
	s.over, s.watching = t, true
	e.sessions.touch(slot)
	e.sessions.over = append(e.sessions.over, slot)
	if s.open.head != 0 {
		e.dying = append(e.dying, slot)
	}
}

// endOne ends one object of a session that is over.
func (e *Engine) endOne() {
	s := e.sessions.at(e.dying[0])
	// A slot that was given to another session since has no end.
	if s.over != 0 && s.open.head != 0 {
		// Its conference is looked at again when it is rendered.
		e.enter(s.open.head, ended, e.now)
	}
	if s.over == 0 || s.open.head == 0 {
		e.dying = e.dying[1:]
	}
}

// forgetSession forgets that a session is over, long after it was.
func (e *Engine) forgetSession(t int64) bool {
	over := e.sessions.over
	if len(over) == 0 || e.sessions.at(over[0]).over+e.maxOpen > t {
		return false
	}
	e.sessions.over = over[1:]
	e.sessions.at(over[0]).watching = false
	// What still has it still needs to know, also after a restart.
	if e.journal.stored && e.sessions.at(over[0]).uses == 0 {
		e.journal.endedSessions = append(e.journal.endedSessions, e.sessions.texts[over[0]])
	}
	e.sessions.forget(over[0])
	return true
}

// room makes room for n objects: it forgets the oldest that were emitted, and
// if there are none, lets the oldest open one go before its time.
func (e *Engine) room(n int) bool {
	for e.objects.used()+n > e.maxObjects {
		slot := e.queues[done].head
		if slot == 0 {
			e.evict()
			return false
		}
		if !e.forget(slot) {
			// Something is in it; all done ones may be such.
			if e.allHold() {
				e.evict()
				return false
			}
			e.enter(slot, done, e.now)
			continue
		}
		e.stats.Forgotten++
	}
	return true
}

// allHold tells whether nothing is done but what holds something.
func (e *Engine) allHold() bool {
	for kind := range kinds {
		if !kind.holds() && e.counts[kind][done] > 0 {
			return false
		}
	}
	for slot := e.queues[done].head; slot != 0; slot = e.objects.at(slot).queue.next {
		if e.infoOf(slot).members == 0 {
			return false
		}
	}
	return true
}

// evictions is how many objects are let go at a time when there is no room.
const evictions = 64

// evict lets the oldest open objects go. They are emitted, not dropped; until
// then there is no room.
func (e *Engine) evict() {
	if e.Owes() >= evictions {
		return
	}
	for range max(evictions, e.objects.used()-e.maxObjects) {
		slot := e.queues[ended].head
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

// Emitted notes that the next consumer took an object, or (accepted false) that
// it refused it for good.
func (e *Engine) Emitted(now time.Time, ref Ref, accepted bool) {
	e.tick(now)
	o := e.resolve(ref)
	if o == nil || o.state != owed {
		return
	}
	if accepted {
		e.stats.Emitted[o.kind][e.outcomeOf(ref.slot)]++
	} else {
		e.stats.Rejected++
	}
	e.bury(ref.slot)
	e.enter(ref.slot, done, e.now)
}

// bury leaves of an object only what late records and links need. A call keeps
// its facts: they are the context of what is still in it; a session those that
// are context or name its call, and its times.
func (e *Engine) bury(slot uint32) {
	o := e.objects.at(slot)
	switch o.kind {
	case Call:
		return
	case Session:
		f := &e.scratch.other
		e.open(f, slot)
		f.keep(func(k key) bool {
			return k.ofContext() || k.ofRecordedCall() || k == ownKey(Session) || k == keySessionDuration
		})
		e.store(slot, f.normalized(&e.dictionary))
		return
	case CallLeg, Recording, Streaming, Track:
	}
	grave := tombstone{e.traceOf(slot), e.startOf(slot), o.participant.hash, o.sip.hash}
	e.unbind(slot)
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
	e.queues[o.state].remove(e, slot, byState)
	e.counts[o.kind][o.state]--
	switch o.kind {
	case Call, Session:
		e.leaveGroup(slot)
		e.containers.release(o.info)
		e.contexts[slot%contextSlots].slot = 0
	case CallLeg:
		e.participants.file(e, slot, 0)
		e.sipCalls.file(e, slot, 0)
	case Recording, Streaming, Track:
	}
	e.arena.release(o.facts)
	if o.resource != 0 {
		e.resources.release(o.resource)
	}
	if o.session != 0 {
		e.sessions.release(o.session)
	}
	e.identities.remove(e.identityHash(o.kind, &o.identity), slot)
	if e.journal.stored {
		e.journal.gone = append(e.journal.gone, gone{o.kind, o.identity})
	}
	o.state, o.flags = free, o.flags&flagNoted
	e.objects.release(slot)
	return true
}

// Flush makes everything owed that has ended, without waiting for late records.
func (e *Engine) Flush(now time.Time) {
	t := e.tick(now)
	for len(e.dying) > 0 {
		e.endOne()
	}
	for slot := e.queues[ended].head; slot != 0; slot = e.queues[ended].head {
		e.owe(slot, t)
	}
}

// Finish makes everything owed, what is open as Incomplete: for a shutdown that
// keeps nothing.
func (e *Engine) Finish(now time.Time) {
	e.Flush(now)
	for slot := e.queues[open].head; slot != 0; slot = e.queues[open].head {
		e.objects.at(slot).flags |= flagIncomplete
		e.owe(slot, e.now)
	}
}
