// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "math"

// callGroup holds the calls of a correlator. All calls that are not settled are compared
// whenever the conferences are regrouped. Settled calls (ended, trace emitted) are a list
// ordered by their ends, latest first; only those that reach the start of the earliest
// unsettled call are compared. The selection depends on the calls that the engine has, not on
// the order of their records.
type callGroup struct {
	first    uint32 // first unsettled call
	open     int32  // number of unsettled calls
	settled  int32  // number of settled calls
	latest   uint32 // first and last settled call
	earliest uint32
}

// Limits of a group.
const (
	// maxOpenCalls is how many unsettled calls of a correlator are compared. If there are
	// more, each has a trace of its own.
	maxOpenCalls = 1024
	// maxSettledCalls is how many settled calls a group remembers: those with the latest ends.
	maxSettledCalls = 1024
)

// groupList tells which list of its group a call is in.
type groupList uint8

const (
	inNoList groupList = iota
	inOpenList
	inSettledList
)

// isSettled reports whether the call's trace and end are final.
func (e *Engine) isSettled(slot uint32) bool {
	o, info := e.objects.at(slot), e.containerOf(slot)
	return info.frozen && (info.end != 0 || o.state == emitted || o.state == emittedContainer)
}

// updateCallGroup puts a call into the list of its group where it belongs.
func (e *Engine) updateCallGroup(slot uint32) {
	info := e.containerOf(slot)
	if info.groupID == 0 {
		return
	}
	to := inOpenList
	if e.isSettled(slot) {
		to = inSettledList
	}
	if to == inOpenList && info.groupList == inOpenList {
		return
	}
	e.leaveCallGroup(slot)
	g := e.correlators[info.groupID]
	if to == inOpenList {
		info.group = links{next: g.first}
		if g.first != 0 {
			e.containerOf(g.first).group.previous = slot
		}
		g.first = slot
		g.open++
		info.groupList = inOpenList
		e.correlators[info.groupID] = g
		return
	}
	e.insertSettled(&g, slot)
	e.correlators[info.groupID] = g
}

// insertSettled inserts a call into the list of settled calls.
func (e *Engine) insertSettled(g *callGroup, slot uint32) {
	info := e.containerOf(slot)
	if g.settled >= maxSettledCalls {
		if last := g.earliest; e.endsBefore(slot, last) {
			return
		}
		e.removeSettled(g, g.earliest)
	}
	previous, next := uint32(0), g.latest
	for next != 0 && e.endsBefore(slot, next) {
		e.steps++
		previous, next = next, e.containerOf(next).group.next
	}
	info.group = links{previous: previous, next: next}
	if previous != 0 {
		e.containerOf(previous).group.next = slot
	} else {
		g.latest = slot
	}
	if next != 0 {
		e.containerOf(next).group.previous = slot
	} else {
		g.earliest = slot
	}
	g.settled++
	info.groupList = inSettledList
}

// endsBefore orders settled calls by their ends; of equal ends the larger id comes first.
func (e *Engine) endsBefore(a, b uint32) bool {
	x, y := e.intervalOf(a).end, e.intervalOf(b).end
	return x < y || x == y && e.compareIDs(a, b) > 0
}

func (e *Engine) removeSettled(g *callGroup, slot uint32) {
	info := e.containerOf(slot)
	at := info.group
	if at.previous != 0 {
		e.containerOf(at.previous).group.next = at.next
	} else {
		g.latest = at.next
	}
	if at.next != 0 {
		e.containerOf(at.next).group.previous = at.previous
	} else {
		g.earliest = at.previous
	}
	g.settled--
	info.group, info.groupList = links{}, inNoList
}

// leaveCallGroup removes a call from the group of its correlator.
func (e *Engine) leaveCallGroup(slot uint32) {
	info := e.containerOf(slot)
	if info.groupList == inNoList {
		return
	}
	g := e.correlators[info.groupID]
	if info.groupList == inSettledList {
		e.removeSettled(&g, slot)
	} else {
		at := info.group
		if at.previous != 0 {
			e.containerOf(at.previous).group.next = at.next
		} else {
			g.first = at.next
		}
		if at.next != 0 {
			e.containerOf(at.next).group.previous = at.previous
		}
		g.open--
		info.group, info.groupList = links{}, inNoList
	}
	if g.open == 0 && g.settled == 0 {
		delete(e.correlators, info.groupID)
		return
	}
	e.correlators[info.groupID] = g
}

// collect appends the calls of a correlator that have to be compared, none if they are too
// many.
func (e *Engine) collect(correlator uint64, to []interval) []interval {
	g := e.correlators[correlator]
	if g.open > maxOpenCalls {
		return to
	}
	earliest := int64(math.MaxInt64)
	for slot := g.first; slot != 0; slot = e.containerOf(slot).group.next {
		l := e.intervalOf(slot)
		earliest = min(earliest, l.start)
		to = append(to, l)
	}
	if len(to) == 0 {
		return to
	}
	for slot := g.latest; slot != 0; slot = e.containerOf(slot).group.next {
		l := e.intervalOf(slot)
		if l.end < earliest && l.end < earliest-e.tolerance {
			break
		}
		to = append(to, l)
	}
	return to
}

// leaveGroup removes a container from the group of its correlator or recorded call.
func (e *Engine) leaveGroup(slot uint32) {
	o := e.objects.at(slot)
	info := e.containers.at(o.containerIndex)
	if info.groupID == 0 {
		return
	}
	if o.kind == Call {
		e.leaveCallGroup(slot)
	} else {
		e.leaveRecordedCall(slot)
	}
	info.groupID, info.group = 0, links{}
	if !info.frozen {
		e.setTrace(slot, info.own, o.span)
	}
}

// joinRecordedCall adds a session to the list of sessions of its recorded call; under is the
// hash that identifies the call, 0 for none.
func (e *Engine) joinRecordedCall(slot uint32, under uint64) {
	info := e.containerOf(slot)
	info.groupID = under
	if under == 0 {
		return
	}
	next := e.recordedCalls[under]
	info.group = links{next: next}
	if next != 0 {
		e.containerOf(next).group.previous = slot
	}
	e.recordedCalls[under] = slot
}

func (e *Engine) leaveRecordedCall(slot uint32) {
	info := e.containerOf(slot)
	at := info.group
	switch {
	case at.previous != 0:
		e.containerOf(at.previous).group.next = at.next
	case at.next != 0:
		e.recordedCalls[info.groupID] = at.next
	default:
		delete(e.recordedCalls, info.groupID)
	}
	if at.next != 0 {
		e.containerOf(at.next).group.previous = at.previous
	}
}
