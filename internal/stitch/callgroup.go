// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "math"

// callGroup holds the calls of a correlator in two lists: settled calls (see isSettled) and
// unsettled ones. Unsettled calls are compared whenever the conferences are regrouped. Settled
// calls are ordered by their ends, latest first; only those that reach the start of the
// earliest unsettled call are compared. The selection depends on the calls that the engine
// has, not on the order of their records.
type callGroup struct {
	firstUnsettled  uint32 // first unsettled call
	unsettledCount  int32  // number of unsettled calls
	settledCount    int32  // number of settled calls
	latestSettled   uint32 // settled call with the latest end
	earliestSettled uint32
}

// Limits of a group.
const (
	// maxUnsettledCalls is how many unsettled calls of a correlator are compared. If there are
	// more, each has a trace of its own; see separateExcess.
	maxUnsettledCalls = 1024
	// maxSettledCalls is how many settled calls a group remembers: those with the latest ends.
	maxSettledCalls = 1024
)

// groupList tells which list of its group a call is in.
type groupList uint8

const (
	inNoList groupList = iota
	inUnsettledList
	inSettledList
)

// isSettled reports whether a call's trace and end are final, so that it belongs into the list
// of settled calls.
func (e *Engine) isSettled(slot uint32) bool {
	o, info := e.objects.at(slot), e.infoOf(slot)
	return info.traceFrozen && (info.end != 0 || o.state == emitted || o.state == emittedWithMembers)
}

// updateCallGroup puts a call into the list of its group where it belongs. before is a settled
// call of the group which the call is likely to follow, 0 if none is known.
func (e *Engine) updateCallGroup(slot, before uint32) {
	info := e.infoOf(slot)
	if info.groupID == 0 {
		return
	}
	to := inUnsettledList
	if e.isSettled(slot) {
		to = inSettledList
	}
	if to == info.groupList && (to == inUnsettledList || e.isInOrder(slot)) {
		return
	}
	e.leaveCallGroup(slot)
	g := e.correlators[info.groupID]
	if to == inUnsettledList {
		info.group = listLinks{next: g.firstUnsettled}
		if g.firstUnsettled != 0 {
			e.infoOf(g.firstUnsettled).group.previous = slot
		}
		g.firstUnsettled = slot
		g.unsettledCount++
		info.groupList = inUnsettledList
		e.correlators[info.groupID] = g
		e.separateExcess(&g, slot)
		return
	}
	e.insertSettled(&g, slot, before)
	e.correlators[info.groupID] = g
}

// separateExcess gives each unsettled call of a group a trace of its own if there are too many of
// them; slot is the newest one. The calls stay alone when others are settled: otherwise the rest
// would be compared, and the order of arrival would decide which calls that are.
func (e *Engine) separateExcess(g *callGroup, slot uint32) {
	if g.unsettledCount <= maxUnsettledCalls {
		return
	}
	e.separate(slot)
	if g.unsettledCount > maxUnsettledCalls+1 {
		return // the others are alone since their number exceeded the limit
	}
	for other := g.firstUnsettled; other != 0; other = e.infoOf(other).group.next {
		e.steps++
		e.separate(other)
	}
}

// separate takes a call out of all conferences, unless a span with its conference's trace was sent.
func (e *Engine) separate(slot uint32) {
	if info := e.infoOf(slot); !info.traceFrozen {
		info.alone = true
		e.setTrace(slot, info.ownTrace, e.objects.at(slot).span)
	}
}

// isInOrder reports whether a settled call is between calls that end later and earlier.
func (e *Engine) isInOrder(slot uint32) bool {
	at := e.infoOf(slot).group
	return (at.previous == 0 || e.endsBefore(slot, at.previous)) && (at.next == 0 || e.endsBefore(at.next, slot))
}

// insertSettled inserts a call into the list of settled calls. If before is in the list and ends
// later, the search begins there.
func (e *Engine) insertSettled(g *callGroup, slot, before uint32) {
	info := e.infoOf(slot)
	if g.settledCount >= maxSettledCalls {
		if last := g.earliestSettled; e.endsBefore(slot, last) {
			return
		}
		e.removeSettled(g, g.earliestSettled)
	}
	previous, next := uint32(0), g.latestSettled
	if before != 0 && e.infoOf(before).groupList == inSettledList && e.endsBefore(slot, before) {
		previous, next = before, e.infoOf(before).group.next
	}
	for next != 0 && e.endsBefore(slot, next) {
		e.steps++
		previous, next = next, e.infoOf(next).group.next
	}
	info.group = listLinks{previous: previous, next: next}
	if previous != 0 {
		e.infoOf(previous).group.next = slot
	} else {
		g.latestSettled = slot
	}
	if next != 0 {
		e.infoOf(next).group.previous = slot
	} else {
		g.earliestSettled = slot
	}
	g.settledCount++
	info.groupList = inSettledList
}

// endsBefore orders settled calls by their ends; of equal ends the larger id comes first.
func (e *Engine) endsBefore(a, b uint32) bool {
	x, y := e.intervalOf(a).end, e.intervalOf(b).end
	return x < y || x == y && e.compareIDs(a, b) > 0
}

func (e *Engine) removeSettled(g *callGroup, slot uint32) {
	info := e.infoOf(slot)
	at := info.group
	if at.previous != 0 {
		e.infoOf(at.previous).group.next = at.next
	} else {
		g.latestSettled = at.next
	}
	if at.next != 0 {
		e.infoOf(at.next).group.previous = at.previous
	} else {
		g.earliestSettled = at.previous
	}
	g.settledCount--
	info.group, info.groupList = listLinks{}, inNoList
}

// leaveCallGroup removes a call from the group of its correlator.
func (e *Engine) leaveCallGroup(slot uint32) {
	info := e.infoOf(slot)
	if info.groupList == inNoList {
		return
	}
	g := e.correlators[info.groupID]
	if info.groupList == inSettledList {
		e.removeSettled(&g, slot)
	} else {
		at := info.group
		if at.previous != 0 {
			e.infoOf(at.previous).group.next = at.next
		} else {
			g.firstUnsettled = at.next
		}
		if at.next != 0 {
			e.infoOf(at.next).group.previous = at.previous
		}
		g.unsettledCount--
		info.group, info.groupList = listLinks{}, inNoList
	}
	if g.unsettledCount == 0 && g.settledCount == 0 {
		delete(e.correlators, info.groupID)
		return
	}
	e.correlators[info.groupID] = g
}

// appendComparable appends the calls of a correlator that have to be compared; it appends none
// if there are too many.
func (e *Engine) appendComparable(correlator uint64, to []interval) []interval {
	g := e.correlators[correlator]
	if g.unsettledCount > maxUnsettledCalls {
		return to
	}
	earliest := int64(math.MaxInt64)
	for slot := g.firstUnsettled; slot != 0; slot = e.infoOf(slot).group.next {
		if e.infoOf(slot).alone {
			continue
		}
		call := e.intervalOf(slot)
		earliest = min(earliest, call.start)
		to = append(to, call)
	}
	if len(to) == 0 {
		return to
	}
	for slot := g.latestSettled; slot != 0; slot = e.infoOf(slot).group.next {
		call := e.intervalOf(slot)
		if call.end < earliest && call.end < earliest-e.tolerance {
			break
		}
		if !e.infoOf(slot).alone {
			to = append(to, call)
		}
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
	info.groupID, info.group, info.alone = 0, listLinks{}, false
	if !info.traceFrozen {
		e.setTrace(slot, info.ownTrace, o.span)
	}
}

// joinRecordedCall adds a recorded session to the list of sessions of its recorded call;
// callHash identifies the call, 0 for none.
func (e *Engine) joinRecordedCall(slot uint32, callHash uint64) {
	info := e.infoOf(slot)
	info.groupID = callHash
	if callHash == 0 {
		return
	}
	next := e.recordedSessionsByCall[callHash]
	info.group = listLinks{next: next}
	if next != 0 {
		e.infoOf(next).group.previous = slot
	}
	e.recordedSessionsByCall[callHash] = slot
}

func (e *Engine) leaveRecordedCall(slot uint32) {
	info := e.infoOf(slot)
	at := info.group
	switch {
	case at.previous != 0:
		e.infoOf(at.previous).group.next = at.next
	case at.next != 0:
		e.recordedSessionsByCall[info.groupID] = at.next
	default:
		delete(e.recordedSessionsByCall, info.groupID)
	}
	if at.next != 0 {
		e.infoOf(at.next).group.previous = at.previous
	}
}
