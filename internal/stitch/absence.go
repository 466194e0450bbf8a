// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "time"

// An object is absent if its Call Bridge did not have it at some time and no record of the
// object has that time or a later one: its end record was lost. Only the largest such time
// counts, and a later record of the object withdraws the absence. So the order of arrival
// makes no difference. listing.go finds absent objects.

// absences maps a slot to the latest time at which its object was found absent, by the
// sender's clock. It holds objects that accept records and objects that wait to be emitted.
type absences map[uint32]int64

// markAbsent records that the sender of an object did not have the object at a time.
func (e *Engine) markAbsent(slot uint32, at int64) {
	if at <= e.absences[slot] {
		return
	}
	e.absences[slot] = at
	if e.journal.stored {
		e.journal.unstoredAbsences[slot] = struct{}{}
	}
	if e.updateUnlistedFlag(slot) {
		e.endOrReopen(slot)
	}
}

// updateUnlistedFlag compares the time of an object's absence with the time of its last record, and
// reports whether the object's flag changed.
func (e *Engine) updateUnlistedFlag(slot uint32) (changed bool) {
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

// lastSeen returns the time of the last record that describes or names an object.
func (e *Engine) lastSeen(slot uint32) int64 {
	o := e.objects.at(slot)
	f := &e.scratch.codec
	e.readFacts(f, slot)
	last := f.timeRange().last
	if o.kind.isContainer() {
		last = max(last, e.infoOf(slot).lastNamedAt)
	}
	return last
}

// forgetAbsence deletes the absence of an object that is being emitted or forgotten.
func (e *Engine) forgetAbsence(slot uint32) {
	if len(e.absences) > 0 {
		delete(e.absences, slot)
		delete(e.journal.unstoredAbsences, slot)
	}
}

// removal is a call that its bridge removed: an event subscription reported it, or the bridge
// began the next call of the room.
type removal struct {
	call    Ref
	at, due int64 // at: sender's clock; due: engine's clock
	// superseded reports that queueSuperseded found it. FinishLoad finds it again, so it is not
	// stored.
	superseded bool
	started    bool // unexamined is set
	// unexamined is how many open objects of the call are not examined yet.
	unexamined uint32
}

const (
	// removalDelay is how long the end records of a call and its legs may take to arrive after
	// the bridge removed the call.
	removalDelay = 2 * time.Minute
	// maxRemovals bounds the removed calls that wait for end records. The next listings find
	// those beyond it.
	maxRemovals = 10_000
)

// RemoveCall records that a bridge removed a call at a time, as an event subscription
// reported. If no end records arrive, Advance ends the call and its open objects as
// [Unlisted]. RemoveCall reports whether the state changed.
func (e *Engine) RemoveCall(now time.Time, call string, at int64) (changed bool) {
	t := e.tick(now)
	slot := e.slotOf(Call, call)
	if slot == 0 || !e.objects.at(slot).state.takesRecords() || len(e.removals) == maxRemovals {
		return false
	}
	e.removals = append(e.removals, removal{call: e.refTo(slot), at: at, due: t + int64(removalDelay)})
	if e.journal.stored {
		e.journal.unstoredRemovals = append(e.journal.unstoredRemovals, e.removals[len(e.removals)-1])
	}
	return true
}

// queueSuperseded queues the removal of calls that a later call replaces. all are the calls
// of one room in the order of their starts. A bridge has one call of a room at a time, so a
// call without an end is over when the next call there begins. The latest of several next
// calls counts, so the order of arrival makes no difference. An earlier record of a next call may
// arrive late and change supersededAt: a removal with another time has no effect.
func (e *Engine) queueSuperseded(all []interval) {
	latest := e.scratch.nextStart
	clear(latest)
	for i := len(all) - 1; i >= 0; i-- {
		call := &all[i]
		if call.bridge == 0 {
			continue
		}
		info := e.infoOf(call.slot)
		start, found := latest[call.bridge]
		if !found {
			latest[call.bridge], info.supersededAt = call.start, 0
			continue
		}
		if info.end != 0 || start == info.supersededAt || !e.objects.at(call.slot).state.takesRecords() || len(e.removals) == maxRemovals {
			continue
		}
		info.supersededAt = start
		e.removals = append(e.removals, removal{call: e.refTo(call.slot), at: start, due: e.now + int64(removalDelay), superseded: true})
	}
}

// endOneRemovedCall handles a removed call whose delay is over. It returns false if there is
// none.
func (e *Engine) endOneRemovedCall(t int64) bool {
	if len(e.removals) == 0 || e.removals[0].due > t {
		return false
	}
	r := &e.removals[0]
	o := e.resolve(r.call)
	if o == nil || !o.state.takesRecords() || r.superseded && e.infoOf(r.call.slot).supersededAt != r.at || e.lastSeen(r.call.slot) >= r.at {
		e.removals = e.removals[1:]
		return true
	}
	e.markAbsent(r.call.slot, r.at)
	if !r.started {
		r.started, r.unexamined = true, e.infoOf(r.call.slot).memberCount
	}
	if !e.markOneMemberAbsent(r) {
		e.removals = e.removals[1:]
	}
	return true
}

// membersPerStep is how many open objects of a call one step examines.
const membersPerStep = 64

// markOneMemberAbsent examines open objects of a removed call until it has marked one as absent.
// It returns false if none is left.
func (e *Engine) markOneMemberAbsent(r *removal) bool {
	members := &e.infoOf(r.call.slot).open
	for range membersPerStep {
		slot := members.head
		if slot == 0 || r.unexamined == 0 {
			return false
		}
		e.steps++
		r.unexamined--
		if e.lastSeen(slot) < r.at {
			e.markAbsent(slot, r.at)
			return true
		}
		members.remove(e, slot, byCall) // behind the others
		members.push(e, slot, byCall)
	}
	return true
}
