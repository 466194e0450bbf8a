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

// relateCall takes a call's times and correlator from its facts, and finds its
// conference anew if they changed.
func (e *Engine) relateCall(slot uint32) {
	o, f := e.objects.at(slot), &e.facts
	info := e.containers.at(o.info)
	s := f.span()
	start, end := s.start, s.end
	if start == 0 {
		start = before(end, f.newest(keyCallDuration), second)
	}
	correlator := hashOf(f.newest(keyCorrelator))
	if start == info.start && end == info.end && correlator == info.groupID {
		return
	}
	info.start, info.end = start, end
	if correlator != info.groupID {
		e.leaveGroup(slot)
		e.joinGroup(slot, correlator)
	}
	if !e.restoring { // Restored does it once for all
		e.regroup(info.groupID)
	}
}

// hashOf is the hash of a value, 0 if it is none or an empty text.
func hashOf(raw []byte) uint64 {
	if len(raw) == 0 || raw[0] == tagText {
		return 0
	}
	return hash(raw)
}

// before is the time that many units before end; 0 if either is unknown.
func before(end int64, duration []byte, unit int64) int64 {
	n, ok := number(duration)
	if end == 0 || !ok || n < 0 {
		return 0
	}
	return max(1, end-int64(min(n, float64(math.MaxInt64/unit))*float64(unit)))
}

// groups is the index of what containers of a kind have in common.
func (e *Engine) groups(kind Kind) map[uint64]uint32 {
	if kind == Session {
		return e.sameCall
	}
	return e.correlators
}

// joinGroup files a container under the hash of a correlator or of a recorded call.
func (e *Engine) joinGroup(slot uint32, under uint64) {
	info := e.containers.at(e.objects.at(slot).info)
	info.groupID = under
	if under == 0 {
		return
	}
	index := e.groups(e.objects.at(slot).kind)
	next := index[under]
	info.group = links{next: next}
	if next != 0 {
		e.infoOf(next).group.previous = slot
	}
	index[under] = slot
}

func (e *Engine) leaveGroup(slot uint32) {
	o := e.objects.at(slot)
	info := e.containers.at(o.info)
	if info.groupID == 0 {
		return
	}
	at := info.group
	switch {
	case at.previous != 0:
		e.infoOf(at.previous).group.next = at.next
	case at.next != 0:
		e.groups(o.kind)[info.groupID] = at.next
	default:
		delete(e.groups(o.kind), info.groupID)
	}
	if at.next != 0 {
		e.infoOf(at.next).group.previous = at.previous
	}
	info.groupID, info.group = 0, links{}
	if !info.frozen {
		info.trace, info.root = info.own, o.span
	}
}

func (e *Engine) infoOf(call uint32) *container { return e.containers.at(e.objects.at(call).info) }

// life is the time a call lasted, as far as conferences are concerned.
type life struct {
	slot       uint32
	start, end int64
	session    uint32
	group      int // index of another life of the same conference, in the end the first
}

// groupLimit is how many calls of one correlator, the newest, are compared. A
// coSpace has that many only if somebody calls it all day and nobody stays.
const groupLimit = 128

// lives returns the calls of a correlator in the order in which they began,
// with group set.
func (e *Engine) lives(correlator uint64) []life {
	all := e.scratch.lives[:0]
	for slot := e.correlators[correlator]; slot != 0 && len(all) < groupLimit; slot = e.infoOf(slot).group.next {
		all = append(all, e.lifeOf(slot))
	}
	slices.SortFunc(all, func(a, b life) int {
		return cmp.Or(cmp.Compare(a.start, b.start), e.compareIDs(a.slot, b.slot))
	})
	for i := range all {
		all[i].group = i
		e.bound(all[i:])
	}
	for i := range all {
		for j := range i {
			if e.overlap(&all[j], &all[i]) {
				unite(all, i, j)
			}
		}
	}
	for i := range all {
		all[i].group = root(all, i)
	}
	e.scratch.lives = all
	return all
}

// compareIDs compares two ids as texts; GUIDs in lower case are in the order of
// their bytes.
func (e *Engine) compareIDs(a, b uint32) int {
	x, y := e.objects.at(a), e.objects.at(b)
	if (x.flags|y.flags)&flagTextID == 0 {
		return bytes.Compare(x.identity[:], y.identity[:])
	}
	return strings.Compare(e.idOf(a), e.idOf(b))
}

func (e *Engine) lifeOf(slot uint32) life {
	o := e.objects.at(slot)
	info := e.containers.at(o.info)
	l := life{slot: slot, session: o.session, start: info.start, end: info.end}
	if l.start == 0 {
		l.start = earliest(info.end, info.mentioned)
	}
	if l.end == 0 {
		l.end = math.MaxInt64
		switch {
		case o.session != 0 && e.sessions.at(o.session).over != 0:
			// It lived until its bridge died, and that until its last record.
			l.end = max(l.start, e.sessions.at(o.session).last)
		case o.flags&(flagExpired|flagEvicted|flagIncomplete) != 0:
			l.end = max(l.start, info.lastMentioned)
		}
	}
	return l
}

// bound ends the first call of all, whose end is not known, where the next one
// on the same bridge begins: a bridge has a coSpace's call once at a time, so
// the end got lost. Otherwise all later meetings there would be one with it.
func (e *Engine) bound(all []life) {
	first := &all[0]
	if first.end != math.MaxInt64 || first.session == 0 {
		return
	}
	for i := range all[1:] {
		if later := &all[1+i]; later.session == first.session {
			first.end = later.start
			return
		}
	}
}

// overlap tells whether two calls are one conference; a began first. On one
// bridge there is one clock.
func (e *Engine) overlap(a, b *life) bool {
	if a.session == b.session && a.session != 0 {
		return b.start < a.end
	}
	return a.end >= b.start || a.end >= b.start-e.tolerance
}

// unite makes the groups of i and j one, under the one that began first.
func unite(all []life, i, j int) {
	i, j = root(all, i), root(all, j)
	all[max(i, j)].group = min(i, j)
}

func root(all []life, i int) int {
	for all[i].group != i {
		i = all[i].group
	}
	return i
}

// regroup finds the conferences of a correlator's calls. A call whose trace was
// emitted keeps it, and others that turn out to be of its conference take it.
func (e *Engine) regroup(correlator uint64) {
	if correlator == 0 {
		return
	}
	all := e.lives(correlator)
	for i := range all {
		if all[i].group != i {
			continue
		}
		founder := e.objects.at(all[i].slot)
		trace, span := e.containers.at(founder.info).own, founder.span
		for j := i; j < len(all); j++ {
			if info := e.infoOf(all[j].slot); all[j].group == i && info.frozen {
				trace, span = info.trace, info.root
				break
			}
		}
		for j := i; j < len(all); j++ {
			if info := e.infoOf(all[j].slot); all[j].group == i && !info.frozen {
				info.trace, info.root = trace, span
			}
		}
	}
}

// freeze fixes the trace of a call's conference, because something of it is
// about to be emitted.
func (e *Engine) freeze(call uint32) {
	info := e.infoOf(call)
	if info.frozen || e.objects.at(call).kind != Call { // a session's trace is its own
		return
	}
	e.regroup(info.groupID)
	e.freezeOne(call)
	all := e.scratch.lives
	if info.groupID == 0 {
		all = nil
	}
	group := -1
	for i := range all {
		if all[i].slot == call {
			group = all[i].group
		}
	}
	for i := range all {
		if all[i].group == group {
			e.freezeOne(all[i].slot)
		}
	}
}

func (e *Engine) freezeOne(call uint32) {
	if info := e.infoOf(call); !info.frozen {
		info.frozen = true
		e.touch(call, flagDirty)
	}
}
