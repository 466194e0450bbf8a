// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "time"

// An object is absent if its Call Bridge did not have it at some time and no record
// of it is from that time or later: the record of its end was lost. The times are
// a set of which the largest counts, and a later record of the object withdraws
// the absence, so that the order in which they come makes no difference.
// listing.go finds out who is absent.

// absences are by slot the latest time at which an object was found absent, by its
// sender's clock. Only objects that take records are in it, and those that wait to
// be emitted.
type absences map[uint32]int64

// markAbsent records that the sender of an object did not have it at a time.
func (e *Engine) markAbsent(slot uint32, at int64) {
	if at <= e.absences[slot] {
		return
	}
	e.absences[slot] = at
	if e.journal.stored {
		e.journal.absent[slot] = struct{}{}
	}
	if e.reviewAbsence(slot) {
		e.endOrReopen(slot)
	}
}

// reviewAbsence compares when an object was absent with its last record, and reports
// whether that changed anything.
func (e *Engine) reviewAbsence(slot uint32) (changed bool) {
	at, found := e.absences[slot]
	if !found {
		return false
	}
	o := e.objects.at(slot)
	before := o.flags & flagUnlisted
	o.flags &^= flagUnlisted
	if e.lastSeen(slot) < at {
		o.flags |= flagUnlisted
	}
	if changed = o.flags&flagUnlisted != before; changed {
		e.markDirty(slot, flagDirty)
	}
	return changed
}

// lastSign is the time of the last record of an object, or of one that names it.
func (e *Engine) lastSeen(slot uint32) int64 {
	o := e.objects.at(slot)
	f := &e.scratch.other
	e.readFacts(f, slot)
	last := f.timeRange().last
	if o.kind.holds() {
		last = max(last, e.containerOf(slot).lastReference)
	}
	return last
}

// forgetAbsence forgets that an object was absent: it is emitted or gone.
func (e *Engine) forgetAbsence(slot uint32) {
	if len(e.absences) > 0 {
		delete(e.absences, slot)
		delete(e.journal.absent, slot)
	}
}

// removal is a call that its bridge removed: an event subscription says so, or the
// bridge began the next call of the room.
type removal struct {
	call    Ref
	at, due int64 // by the sender's clock; by the engine's
}

const (
	// removalPatience is how long the records of the ends in a call may take to come
	// after its bridge removed it.
	removalDelay = 2 * time.Minute
	// maxRemovals bounds the removed calls that wait for the records of their ends.
	// Those that find no room are found by the next listings.
	maxRemovals = 10_000
)

// RemoveCall takes from an event subscription that a bridge removed a call at a
// time. If the records of the ends do not come, Advance ends the call and what is
// open in it as [Unlisted].
func (e *Engine) RemoveCall(now time.Time, call string, at int64) {
	t := e.tick(now)
	slot := e.find(Call, call)
	if slot == 0 || !e.objects.at(slot).state.takesRecords() || len(e.removals) == maxRemovals {
		return
	}
	e.removals = append(e.removals, removal{Ref{slot, e.objects.at(slot).generation}, at, t + int64(removalDelay)})
}

// removeSuperseded takes from the calls of a room, in the order in which they began,
// that a bridge has a room's call once at a time: one without an end is over when the
// next one there began. The latest of the next ones counts, so that the order in which
// they come makes no difference.
func (e *Engine) removeSuperseded(all []interval) {
	latest := e.scratch.nextStart
	clear(latest)
	for i := len(all) - 1; i >= 0; i-- {
		l := &all[i]
		if l.bridge == 0 {
			continue
		}
		info := e.containerOf(l.slot)
		start, found := latest[l.bridge]
		if !found {
			latest[l.bridge] = l.start
			continue
		}
		if info.end != 0 || start <= info.superseded || !e.objects.at(l.slot).state.takesRecords() || len(e.removals) == maxRemovals {
			continue
		}
		info.superseded = start
		e.removals = append(e.removals, removal{Ref{l.slot, e.objects.at(l.slot).generation}, start, e.now + int64(removalDelay)})
	}
}

// removeOne handles a removed call whose patience is over. It returns false if there
// is none.
func (e *Engine) endOneRemovedCall(t int64) bool {
	if len(e.removals) == 0 || e.removals[0].due > t {
		return false
	}
	r := &e.removals[0]
	o := e.resolve(r.call)
	if o == nil || !o.state.takesRecords() || e.lastSeen(r.call.slot) >= r.at {
		e.removals = e.removals[1:]
		return true
	}
	e.markAbsent(r.call.slot, r.at)
	if !e.markOneMemberAbsent(r.call.slot, r.at) {
		e.removals = e.removals[1:]
	}
	return true
}

// membersAtOnce is how many open objects of a call are looked at for one that has to
// end with it.
const membersPerStep = 64

// markMember marks one open object of a call as absent. It returns false if there is
// none.
func (e *Engine) markOneMemberAbsent(call uint32, at int64) bool {
	slot := e.containerOf(call).open.head
	for range membersPerStep {
		if slot == 0 {
			return false
		}
		e.steps++
		if e.lastSeen(slot) < at {
			e.markAbsent(slot, at)
			return e.objects.at(slot).state != open
		}
		slot = e.objects.at(slot).ofCall.next
	}
	return false
}
