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
		start = before(end, f.newest(keyCallDuration), second)
	}
	correlator := hashOf(f.newest(keyCorrelator))
	index := f.startIndex()
	if start == info.start && end == info.end && index == info.index && correlator == info.groupID {
		return
	}
	closes := end != 0 && info.end == 0
	info.start, info.end, info.index = start, end, index
	if correlator != info.groupID {
		e.leaveGroup(slot)
		info.groupID = correlator
	}
	e.updateCallGroup(slot)
	if !e.isFinal(slot) {
		e.spaces.current.file(e, slot, hashOf(f.newest(keyCoSpace)))
	}
	if e.restoring { // FinishLoad regroups all calls once
		return
	}
	if closes {
		e.queueEndOfCall(slot)
		if meeting := e.lookup(ScheduledMeeting, &o.identity); meeting != 0 {
			e.endOrReopen(meeting)
		}
	}
	e.regroup(correlator)
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

// before returns the time that lies duration units before end; 0 if either is unknown.
func before(end int64, duration []byte, unit int64) int64 {
	n, ok := number(duration)
	if end == 0 || !ok || n < 0 {
		return 0
	}
	return max(1, end-int64(min(n, float64(math.MaxInt64/unit))*float64(unit)))
}

func (e *Engine) containerOf(call uint32) *container {
	return e.containers.at(e.objects.at(call).containerIndex)
}

// interval is the time range of a call.
type interval struct {
	slot       uint32
	start, end int64
	bridge     uint64 // equal for calls of one bridge; 0 if unknown
	session    uint32
	index      uint64
	group      int // index of the first interval of the same conference
}

// intervalsOf returns the calls of a correlator that may form a conference with an open call,
// in the order of their starts, with group set.
func (e *Engine) intervalsOf(correlator uint64) []interval {
	all := e.collect(correlator, e.scratch.intervals[:0])
	slices.SortFunc(all, e.compareIntervals)
	e.inferEnds(all)
	e.findGroups(all)
	e.scratch.intervals = all
	return all
}

// compareIntervals orders calls by their starts. Records have times in seconds; on one bridge
// the record numbers order equal times.
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
	l := interval{slot: slot, start: info.start, end: info.end, session: o.session, index: info.index}
	if o.session != 0 {
		if l.bridge = e.sessions.at(o.session).bridge; l.bridge == 0 {
			l.bridge = uint64(o.session) // no bridge has this value
		}
	}
	if l.start == 0 {
		l.start = earliest(info.end, info.firstReference)
	}
	if l.end != 0 {
		return l
	}
	l.end = math.MaxInt64
	switch {
	case o.flags&(flagExpired|flagEvicted|flagIncomplete) != 0:
		l.end = max(l.start, info.lastReference)
	case e.bridgeRestarted(o):
		// The call lasted until its bridge stopped, and the bridge until its last record.
		l.end = max(l.start, e.sessions.at(o.session).last)
	case o.state == emitted, o.state == emittedContainer, o.flags&flagUnlisted != 0:
		l.end = max(l.start, info.lastReference)
	}
	return l
}

// inferEnds ends each call without a known end at the start of the next call on the same
// bridge. A bridge has one call of a coSpace at a time, so the end record was lost. Otherwise
// all later meetings there would join it.
func (e *Engine) inferEnds(all []interval) {
	next := e.scratch.nextStart
	clear(next)
	for i := len(all) - 1; i >= 0; i-- {
		l := &all[i]
		if l.bridge == 0 {
			continue
		}
		if start, found := next[l.bridge]; found && l.end == math.MaxInt64 {
			l.end = start
		}
		next[l.bridge] = l.start
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

// add adds a call to the run.
func (r *overlapRun) add(l *interval) {
	switch {
	case l.bridge == r.bridge && r.bridge != 0:
		r.end = max(r.end, l.end)
	case l.end > r.end:
		r.end, r.bridge, r.endOfOthers = l.end, l.bridge, max(r.end, r.endOfOthers)
	default:
		r.endOfOthers = max(r.endOfOthers, l.end)
	}
}

// join adds another run to the run.
func (r *overlapRun) join(other *overlapRun) {
	r.add(&interval{end: other.end, bridge: other.bridge})
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
		l := &all[i]
		for alive < len(runs) && runs[alive].end < l.start-e.tolerance && runs[alive].end < l.start {
			e.steps++
			alive++
		}
		to := len(runs)
		if alive < len(runs) {
			switch top := &runs[len(runs)-1]; {
			case l.bridge == 0 || l.bridge != top.bridge:
				to = alive
			case l.start < top.end, top.endOfOthers != 0 && top.endOfOthers >= l.start-e.tolerance:
				to = len(runs) - 1
			}
		}
		if to == len(runs) {
			runs = append(runs, overlapRun{first: i, end: l.end, bridge: l.bridge})
			continue
		}
		for len(runs)-1 > to {
			e.steps++
			runs[len(runs)-2].join(&runs[len(runs)-1])
			runs = runs[:len(runs)-1]
		}
		runs[to].add(l)
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
		if l := &conference[i]; l.start == best.start && e.compareIDs(l.slot, best.slot) < 0 {
			best = l
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

// regroup finds the conferences of a correlator's calls. A call keeps its trace once something
// with that trace was emitted; the other calls of its conference adopt it.
func (e *Engine) regroup(correlator uint64) {
	if correlator == 0 {
		return
	}
	all := e.intervalsOf(correlator)
	e.removeSuperseded(all)
	for i := 0; i < len(all); {
		conference := conferenceAt(all, i)
		i += len(conference)
		founder := e.objects.at(e.founderOf(conference))
		trace, span := e.containers.at(founder.containerIndex).own, founder.span
		for j := range conference {
			if info := e.containerOf(conference[j].slot); info.frozen {
				trace, span = info.trace, info.root
				break
			}
		}
		for j := range conference {
			if slot := conference[j].slot; !e.containerOf(slot).frozen {
				e.setTrace(slot, trace, span)
			}
		}
	}
}

// freeze fixes the trace of a call's conference before something of it is emitted.
func (e *Engine) freeze(call uint32) {
	info, o := e.containerOf(call), e.objects.at(call)
	if o.kind == Dialog {
		e.freezeDialog(call)
	}
	if info.frozen || o.kind != Call { // a session always has its own trace
		return
	}
	if info.groupList != inOpenList || e.correlators[info.groupID].open > maxOpenCalls {
		// The call is in no conference, or in one that is too large to compare.
		info.trace, info.root = info.own, o.span
		e.freezeOne(call)
		return
	}
	e.regroup(info.groupID)
	all := e.scratch.intervals
	for i := 0; i < len(all); {
		conference := conferenceAt(all, i)
		i += len(conference)
		if !slices.ContainsFunc(conference, func(l interval) bool { return l.slot == call }) {
			continue
		}
		for j := range conference {
			e.freezeOne(conference[j].slot)
		}
	}
}

func (e *Engine) freezeOne(call uint32) {
	if info := e.containerOf(call); !info.frozen {
		info.frozen = true
		e.markDirty(call, flagDirty)
		e.updateCallGroup(call)
	}
}
