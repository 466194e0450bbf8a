// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"
)

// updateCallRelations updates a call's times and correlator from its facts, and regroups its
// conference if they changed.
func (e *Engine) updateCallRelations(slot uint32) {
	o, f := e.objects.at(slot), &e.codec
	info := e.containers.at(o.containerIndex)
	s := f.timeRange()
	start, end := s.start, s.end
	if start == 0 {
		start = startFromDuration(end, f.newest(keyCallDuration), second)
	}
	correlator := hashOf(f.newest(keyCorrelator))
	index := f.startIndex()
	if start == info.start && end == info.end && index == info.startIndex && correlator == info.groupID {
		return
	}
	closes := end != 0 && info.end == 0
	info.start, info.end, info.startIndex = start, end, index
	previous := info.groupID
	if correlator != previous {
		e.leaveGroup(slot)
		info.groupID, info.supersededAt = correlator, 0
	}
	e.updateCallGroup(slot, 0)
	if !e.isFinal(slot) {
		e.spaces.current.setHash(e, slot, hashOf(f.newest(keyCoSpace)))
	}
	if e.restoring { // FinishLoad regroups all calls once
		return
	}
	if closes {
		e.queueEndOfCall(slot)
		if meeting := e.slotOfIdentity(ScheduledMeeting, &o.identity); meeting != 0 {
			e.endOrReopen(meeting)
		}
	}
	e.regroup(correlator)
	if previous != correlator {
		e.regroup(previous) // without the call
	}
}

// startIndex returns the index of the record that started the object, 0 if unknown.
func (f *factsCodec) startIndex() uint64 {
	for i := range f.statements {
		if f.statements[i].phase == Start {
			return f.statements[i].index
		}
	}
	return 0
}

// hashOf returns the hash of a value, 0 for an absent value or an empty text. GUIDs are hashed
// without regard to case.
func hashOf(raw []byte) uint64 {
	if len(raw) == 0 || raw[0] == tagText {
		return 0
	}
	if raw[0]&tagMask == tagText {
		var room [1 + len(identity{})]byte
		if content := textOf(raw); len(content) == guidText {
			return hash(appendCanonical(room[:0], string(content)))
		}
	}
	return hash(raw)
}

// startFromDuration returns the start of an object that ended at end after a duration in
// units; 0 if either is unknown.
func startFromDuration(end int64, duration []byte, unit int64) int64 {
	n, ok := number(duration)
	if end == 0 || !ok || n < 0 {
		return 0
	}
	return max(1, end-int64(min(n, float64(math.MaxInt64/unit))*float64(unit)))
}

func (e *Engine) infoOf(call uint32) *containerInfo {
	return e.containers.at(e.objects.at(call).containerIndex)
}

// interval is the time range of a call.
type interval struct {
	slot       uint32
	start, end int64
	bridge     uint64 // equal for calls of one bridge; 0 if unknown
	session    uint32
	index      uint64
	lastOfRun  bool // end is the last record of the bridge's run, so the call may have ended earlier
	group      int  // index of the first interval of the same conference
}

// intervalsOf returns the calls of a correlator that may form a conference with an open call,
// in the order of their starts, with group set.
func (e *Engine) intervalsOf(correlator uint64) []interval {
	all := e.appendComparable(correlator, e.scratch.intervals[:0])
	slices.SortFunc(all, e.compareIntervals)
	e.inferEnds(all)
	e.findGroups(all)
	e.scratch.intervals = all
	return all
}

// compareIntervals orders calls by their starts. Records have times in whole seconds, so the
// record numbers of a bridge order its calls of one second.
func (e *Engine) compareIntervals(a, b interval) int {
	if order := cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.bridge, b.bridge)); order != 0 {
		return order
	}
	if a.session != b.session {
		return strings.Compare(e.sessions.texts[a.session], e.sessions.texts[b.session])
	}
	return cmp.Or(cmp.Compare(a.index, b.index), e.compareIDs(a.slot, b.slot))
}

// compareIDs compares two ids as texts. GUIDs in lower case have the order of their bytes.
func (e *Engine) compareIDs(a, b uint32) int {
	x, y := e.objects.at(a), e.objects.at(b)
	if (x.flags|y.flags)&flagTextID == 0 {
		return bytes.Compare(x.identity[:], y.identity[:])
	}
	return strings.Compare(e.idOf(a), e.idOf(b))
}

func (e *Engine) intervalOf(slot uint32) interval {
	e.steps++
	o := e.objects.at(slot)
	info := e.containers.at(o.containerIndex)
	i := interval{slot: slot, start: info.start, end: info.end, session: o.session, index: info.startIndex}
	if o.session != 0 {
		if i.bridge = e.sessions.at(o.session).bridge; i.bridge == 0 {
			i.bridge = uint64(o.session) // no bridge has this value
		}
	}
	if i.start == 0 {
		i.start = earliestSet(info.end, info.firstNamedAt)
	}
	if i.end != 0 {
		return i
	}
	switch {
	case e.bridgeRestarted(o) && e.sessionIsOver(o) && o.state != emitted && o.state != emittedWithMembers &&
		o.flags&(flagExpired|flagEvicted|flagIncomplete) == 0:
		// The call lasted until its bridge stopped. The bridge ran at least until its last
		// record.
		i.end, i.lastOfRun = max(i.start, e.sessions.at(o.session).last), true
	case e.isFinal(slot), o.flags&(flagExpired|flagUnlisted) != 0:
		// This end no longer changes, although the session may be alive: later meetings of the
		// room must not join the call.
		i.end = max(i.start, info.lastNamedAt)
	default:
		i.end = math.MaxInt64
	}
	return i
}

// inferEnds ends each call without a known end at the start of the next call on the same
// bridge. A bridge has one call of a coSpace at a time, so the end record was lost. Without
// this, all later meetings of the coSpace would join the call's conference.
func (e *Engine) inferEnds(all []interval) {
	next := e.scratch.nextStart
	clear(next)
	for i := len(all) - 1; i >= 0; i-- {
		call := &all[i]
		if call.bridge == 0 {
			continue
		}
		if start, found := next[call.bridge]; found && (call.end == math.MaxInt64 || call.lastOfRun) {
			call.end = min(call.end, start)
		}
		next[call.bridge] = call.start
	}
}

// overlap reports whether two calls belong to one conference; a began first. Calls on one
// bridge have one clock, so they need no tolerance.
func (e *Engine) overlap(a, b *interval) bool {
	if a.bridge == b.bridge && a.bridge != 0 {
		return b.start < a.end
	}
	return a.end >= b.start || a.end >= b.start-e.tolerance
}

// overlapRun is a sequence of calls of one conference in the order of their starts.
type overlapRun struct {
	first       int   // index of its first call
	end         int64 // the latest end
	bridge      uint64
	endOfOthers int64 // the latest end on bridges other than bridge; 0 if there is none
}

// addCall extends the run by a call.
func (r *overlapRun) addCall(call *interval) {
	switch {
	case call.bridge == r.bridge && r.bridge != 0:
		r.end = max(r.end, call.end)
	case call.end > r.end:
		r.end, r.bridge, r.endOfOthers = call.end, call.bridge, max(r.end, r.endOfOthers)
	default:
		r.endOfOthers = max(r.endOfOthers, call.end)
	}
}

// joinRun extends the run by another run.
func (r *overlapRun) joinRun(other *overlapRun) {
	r.addCall(&interval{end: other.end, bridge: other.bridge})
	r.endOfOthers = max(r.endOfOthers, other.endOfOthers)
}

// findGroups sets the group of each interval; the intervals are ordered by start. A conference
// is a contiguous sequence: a call that begins between two overlapping calls overlaps one of
// them. Runs that a later call may still join are on a stack. All runs below the top consist
// of calls of one bridge, because a call of another bridge would have joined them. So a call
// joins the lowest such run, or the top run, or none.
func (e *Engine) findGroups(all []interval) {
	runs := e.scratch.runs[:0]
	alive := 0 // index of the lowest run that a call may join
	for i := range all {
		call := &all[i]
		for alive < len(runs) && runs[alive].end < call.start-e.tolerance && runs[alive].end < call.start {
			e.steps++
			alive++
		}
		to := len(runs)
		if alive < len(runs) {
			switch top := &runs[len(runs)-1]; {
			case call.bridge == 0 || call.bridge != top.bridge:
				to = alive
			case call.start < top.end, top.endOfOthers != 0 && top.endOfOthers >= call.start-e.tolerance:
				to = len(runs) - 1
			}
		}
		if to == len(runs) {
			runs = append(runs, overlapRun{first: i, end: call.end, bridge: call.bridge})
			continue
		}
		for len(runs)-1 > to {
			e.steps++
			runs[len(runs)-2].joinRun(&runs[len(runs)-1])
			runs = runs[:len(runs)-1]
		}
		runs[to].addCall(call)
	}
	for i := range runs {
		end := len(all)
		if i+1 < len(runs) {
			end = runs[i+1].first
		}
		for j := runs[i].first; j < end; j++ {
			all[j].group = runs[i].first
		}
	}
	e.scratch.runs = runs
}

// founderOf returns the call that founds a conference: the earliest, and of several the one
// with the smallest id.
func (e *Engine) founderOf(conference []interval) uint32 {
	best := &conference[0]
	for i := range conference {
		if call := &conference[i]; call.start == best.start && e.compareIDs(call.slot, best.slot) < 0 {
			best = call
		}
	}
	return best.slot
}

// conferenceAt returns the intervals of the conference that begins at index i.
func conferenceAt(all []interval, i int) []interval {
	end := i
	for end < len(all) && all[end].group == i {
		end++
	}
	return all[i:end]
}

// regroup finds the conferences of a correlator's calls and sets their traces. A call whose
// trace was emitted keeps it; the other calls of its conference adopt that trace.
func (e *Engine) regroup(correlator uint64) {
	if correlator == 0 {
		return
	}
	all := e.intervalsOf(correlator)
	e.queueSuperseded(all)
	for i := 0; i < len(all); {
		conference := conferenceAt(all, i)
		i += len(conference)
		founder := e.objects.at(e.founderOf(conference))
		trace, span := e.containers.at(founder.containerIndex).ownTrace, founder.span
		for j := range conference {
			if info := e.infoOf(conference[j].slot); info.traceFrozen {
				trace, span = info.trace, info.rootSpan
				break
			}
		}
		for j := range conference {
			if slot := conference[j].slot; !e.infoOf(slot).traceFrozen {
				e.setTrace(slot, trace, span)
			}
		}
	}
}

// freezeContainer fixes the trace of a call's conference or of a SIP call before a span with
// that trace is emitted.
func (e *Engine) freezeContainer(call uint32) {
	info, o := e.infoOf(call), e.objects.at(call)
	if o.kind == Dialog {
		e.freezeDialog(call)
	}
	if info.traceFrozen || o.kind != Call { // a session always has its own trace
		return
	}
	if info.groupList != inUnsettledList || info.alone { // the call is in no conference
		info.trace, info.rootSpan = info.ownTrace, o.span
		e.freezeCall(call, 0)
		return
	}
	e.regroup(info.groupID)
	all := e.scratch.intervals
	for i := 0; i < len(all); {
		conference := conferenceAt(all, i)
		i += len(conference)
		if slices.ContainsFunc(conference, func(l interval) bool { return l.slot == call }) {
			e.freezeConference(conference)
			return
		}
	}
}

// freezeConference fixes the traces of the calls of a conference. It reorders conference: the list
// of settled calls begins with the latest end, so each call is inserted behind the one before it,
// and the whole conference takes one pass over the list.
func (e *Engine) freezeConference(conference []interval) {
	slices.SortFunc(conference, func(a, b interval) int {
		return cmp.Or(cmp.Compare(b.end, a.end), e.compareIDs(a.slot, b.slot))
	})
	before := uint32(0)
	for i := range conference {
		call := conference[i].slot
		e.freezeCall(call, before)
		before = call
	}
}

func (e *Engine) freezeCall(call, before uint32) {
	if info := e.infoOf(call); !info.traceFrozen {
		info.traceFrozen = true
		e.markDirty(call, flagDirty)
		e.updateCallGroup(call, before)
	}
}
