// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// A SIP call is one object of kind Dialog. It has the facts of one Call-ID, and becomes the
// span of the branch that was answered first or, without an answer, of the call. Each further
// answered branch is an object of kind DialogFork in it. A fork stores only its own item of
// the call's list of branches; its span takes the rest from the call.
//
// A fork is created when its call turns out to have a branch that was answered earlier, so the
// order of the answers makes no difference. A fork that becomes the first branch, because an
// earlier answer arrives late, is discarded.

// applyDialog merges a record of a SIP call.
func (e *Engine) applyDialog(slot uint32, r *Record) (Ref, error) {
	branch := branchOf(r.Items)
	fork := uint32(0)
	if branch != "" {
		fork = e.slotOf(DialogFork, forkID(r.ID, branch))
	}
	if e.isFinal(slot) {
		return e.refTo(e.applyToFinalCall(slot, fork, r)), nil
	}
	if need := e.slotsNeededForDialog(slot, fork, branch); need > 0 && !e.makeRoom(need) {
		return Ref{}, ErrFull
	}
	slot = e.mergeInto(slot, r)
	if branch != "" {
		slot = e.applyToForks(slot, branch)
	}
	return e.refTo(slot), nil
}

func (e *Engine) refTo(slot uint32) Ref { return Ref{slot, e.objects.at(slot).generation} }

// branchOf returns the id of the branch that a record describes, "" if it describes the call.
func branchOf(items []Item) string {
	for i := range items {
		if items[i].List == wellKnownTexts[keyBranches] {
			return items[i].ID
		}
	}
	return ""
}

// slotsNeededForDialog returns how many slots a record may need.
func (e *Engine) slotsNeededForDialog(slot, fork uint32, branch string) (n int) {
	switch {
	case e.objects.used() < e.maxObjects:
		return 0
	case slot == 0: // the first branch needs no object
		return 1
	case branch != "" && fork == 0:
		return 1
	default:
		return 0
	}
}

// applyToForks updates the fork of a branch from its call and creates missing forks. It
// returns the object of the branch.
func (e *Engine) applyToForks(call uint32, branch string) (slot uint32) {
	slot = call
	for _, r := range e.forkRecords(call, branch) {
		fork := e.applyToFork(e.slotOf(DialogFork, r.ID), &r)
		if r.Items[0].ID == branch && fork != 0 && e.hasOtherThanNotes(fork) {
			slot = fork
		}
	}
	return slot
}

// forkRecords returns the records by which a call updates its forks after a record of branch.
// The first branch also has a fork if another branch was first before; the order may change
// again.
func (e *Engine) forkRecords(call uint32, branch string) (records []Record) {
	f := &e.scratch.codec
	e.readFacts(f, call)
	branches := f.branches()
	if len(branches) < 2 {
		return nil
	}
	first, callID := string(f.firstBranch().id), e.idOf(call) // idOf overwrites the codec
	for i := range branches {
		id := string(branches[i].id)
		r := Record{Kind: DialogFork, Phase: Note, ID: forkID(callID, id)}
		switch known := e.slotOf(DialogFork, r.ID) != 0; {
		case known && id != branch, !known && id == first:
			continue
		}
		r.Items = []Item{e.copyItem(&branches[i])}
		records = append(records, r)
	}
	return records
}

// applyToFork merges a record into a fork, 0 for a new one. It returns the fork, 0 if there is
// no room.
func (e *Engine) applyToFork(fork uint32, r *Record) uint32 {
	switch {
	case fork == 0 && e.objects.used() >= e.maxObjects:
		return 0
	case e.isFinal(fork):
		e.stats.Late++
		return fork
	default:
		return e.mergeInto(fork, r)
	}
}

// applyToFinalCall merges a record into the fork of its branch when the call is final. A
// branch that is answered only then gets a fork if the call's span has no answer: the answer
// crossed with a CANCEL, or the caller tried again later. It returns the object of the record.
func (e *Engine) applyToFinalCall(call, fork uint32, r *Record) (slot uint32) {
	branch := branchOf(r.Items)
	if branch != "" && (fork != 0 || e.unanswered(call)) {
		part := Record{Kind: DialogFork, Phase: Note, ID: forkID(r.ID, branch), Time: r.Time}
		for i := range r.Items {
			if r.Items[i].ID == branch {
				part.Items = append(part.Items, r.Items[i])
			}
		}
		if fork = e.applyToFork(fork, &part); fork != 0 {
			return fork
		}
	}
	e.stats.Late++
	return call
}

// unanswered reports whether a call ended without an answer. An emitted call with an answer
// has no marks left.
func (e *Engine) unanswered(call uint32) bool {
	f := &e.scratch.codec
	e.readFacts(f, call)
	return f.marks() != nil && len(f.branches()) == 0
}

// copyItem converts an item to the form that records have.
func (e *Engine) copyItem(it *item) Item {
	c := Item{List: e.dictionary.texts[it.list], At: it.at, ID: string(it.id)}
	for _, field := range it.fields {
		c.Fields = append(c.Fields, Field{Key: e.dictionary.texts[field.key], Value: value(field.raw)})
	}
	return c
}

// putForkInDialog puts a fork into its call, and creates the call if stored state lost it.
func (e *Engine) putForkInDialog(slot uint32, id string) {
	callID := callOfFork(id)
	if callID == "" {
		return
	}
	call := e.slotOf(Dialog, callID)
	if call == 0 {
		call = e.create(Dialog, callID)
	}
	e.putInContainer(slot, call)
}

// updateDialogRelations updates a call's start and end from its facts. A further attempt of
// the caller withdraws an end.
func (e *Engine) updateDialogRelations(slot uint32) {
	o := e.objects.at(slot)
	c := e.codec.sipCall()
	e.infoOf(slot).start = c.invited
	o.flags &^= flagEnded
	if c.end() != 0 {
		o.flags |= flagEnded
	}
}

// updateForkRelations updates whether a fork has ended.
func (e *Engine) updateForkRelations(slot uint32) {
	o := e.objects.at(slot)
	o.flags &^= flagEnded
	if b := e.codec.firstBranch(); b != nil && endOfBranch(b) != 0 {
		o.flags |= flagEnded
	}
}

// isFirstBranch reports whether a fork became the first branch of its call, which the call's
// span shows.
func (e *Engine) isFirstBranch(fork uint32) bool {
	o := e.objects.at(fork)
	if o.containerSlot == 0 {
		return false
	}
	id := e.idOf(fork)
	f := &e.scratch.codec
	e.readFacts(f, o.containerSlot)
	first := f.firstBranch()
	return first != nil && strings.HasSuffix(id, tagSeparator+string(first.id))
}

// legOfDialog returns the Meeting Server's leg of a SIP call, 0 if none is known, whatever the
// leg's state.
func (e *Engine) legOfDialog(call uint32) uint32 {
	return e.legOfSIPCall(e.objects.at(call).sip.hash, 0)
}

// freezeDialog fixes the trace of a SIP call before something of it is emitted: the trace of
// its leg, which is fixed too, or its own.
func (e *Engine) freezeDialog(call uint32) {
	info := e.infoOf(call)
	if info.traceFrozen {
		return
	}
	if leg := e.legOfDialog(call); leg != 0 {
		e.freezeTraceOf(leg)
		info.trace, info.rootSpan = e.traceOf(leg), e.objects.at(leg).span
	}
	info.traceFrozen = true
	e.markDirty(call, flagDirty)
}

// traceOfDialog returns the trace of a SIP call as far as it is known.
func (e *Engine) traceOfDialog(call uint32) TraceID {
	info := e.infoOf(call)
	if !info.traceFrozen {
		if leg := e.legOfDialog(call); leg != 0 {
			return e.traceOf(leg)
		}
	}
	return info.trace
}

// dialogStamp returns the attributes that a record of a dialog or a fork gets: the dialog
// id, and the context of the leg's call.
func (e *Engine) dialogStamp(slot uint32) []Field {
	o := e.objects.at(slot)
	call := slot
	if o.kind == DialogFork {
		if call = o.containerSlot; call == 0 { // the fork is emitted
			return nil
		}
	}
	fields := e.scratch.stamp[:0]
	if leg := e.legOfDialog(call); leg != 0 && e.objects.at(leg).containerSlot != 0 {
		legCall := e.objects.at(leg).containerSlot
		e.rememberStampedTrace(legCall)
		fields = append(fields, e.contextOf(legCall)...)
	}
	fields = append(fields, Field{names.DialogID, Text(lowerASCII(e.idOf(slot)))})
	e.scratch.stamp = fields
	return fields
}

// compactDialog reduces a SIP call to what late records need: its id and, without an answer,
// its start and its parties.
func (e *Engine) compactDialog(slot uint32) {
	if e.infoOf(slot).memberCount > 0 {
		return // its forks need its facts
	}
	f := &e.scratch.codec
	e.readFacts(f, slot)
	keep := func(k key) bool { return k == idKeyOf(Dialog) }
	if len(f.branches()) == 0 {
		marks := f.marks()
		keep = func(k key) bool { return k == idKeyOf(Dialog) || k == keySIPFrom || k == keySIPTo }
		f.retainKeys(keep)
		if marks != nil {
			f.items = append(f.items, *marks)
		}
	} else {
		f.retainKeys(keep)
		e.infoOf(slot).start = 0
	}
	e.storeFacts(slot, f.encodeNormalized(&e.dictionary))
}
