// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// A SIP call is one object, of the kind Dialog: it has what was said with one
// Call-ID, and becomes the span of the branch that was answered first, or of the
// call if none was. Any further branch that was answered is an object in it, of
// the kind DialogFork. A fork holds its own item of the call's list of branches;
// all else that its span has stands in the call.
//
// A fork is made when the call turns out to have another branch that was answered
// earlier, so it makes no difference whose answer comes first. A fork that becomes
// the first branch, because an earlier answer to it comes late, is discarded.

// applyDialog merges a record of a SIP call.
func (e *Engine) applyDialog(slot uint32, r *Record) (Ref, error) {
	branch := branchOf(r.Items)
	fork := uint32(0)
	if branch != "" {
		fork = e.find(DialogFork, forkID(r.ID, branch))
	}
	if e.isFinal(slot) {
		return e.refTo(e.applyToFinalCall(slot, fork, r)), nil
	}
	if need := e.newDialogsFor(slot, fork, branch); need > 0 && !e.makeRoom(need) {
		return Ref{}, ErrFull
	}
	slot = e.apply(slot, r)
	if branch != "" {
		slot = e.applyToForks(slot, branch)
	}
	return e.refTo(slot), nil
}

func (e *Engine) refTo(slot uint32) Ref { return Ref{slot, e.objects.at(slot).generation} }

// branchOf is the id of the branch that a record is about, "" if it is about the
// call.
func branchOf(items []Item) string {
	for i := range items {
		if items[i].List == wellKnownTexts[keyBranches] {
			return items[i].ID
		}
	}
	return ""
}

// newDialogsFor returns for how many objects a record may need room.
func (e *Engine) newDialogsFor(slot, fork uint32, branch string) (n int) {
	switch {
	case e.objects.used() < e.maxObjects:
		return 0
	case slot == 0: // the first branch is no object
		return 1
	case branch != "" && fork == 0:
		return 1
	default:
		return 0
	}
}

// applyToForks gives the fork of a branch what the call, just merged, knows of it, and
// makes the forks that are missing. It returns the object of the branch.
func (e *Engine) applyToForks(call uint32, branch string) (slot uint32) {
	slot = call
	for _, r := range e.forkRecords(call, branch) {
		fork := e.applyToFork(e.find(DialogFork, r.ID), &r)
		if r.Items[0].ID == branch && fork != 0 && e.wasObserved(fork) {
			slot = fork
		}
	}
	return slot
}

// forkRecords are what a call, whose record was about a branch, has to say to its
// forks. The first branch has a fork if it has not always been the first one; it
// may be another branch's turn again.
func (e *Engine) forkRecords(call uint32, branch string) (records []Record) {
	f := &e.scratch.other
	e.readFacts(f, call)
	branches := f.branches()
	if len(branches) < 2 {
		return nil
	}
	first, callID := string(f.firstBranch().id), e.idOf(call) // which opens the same facts
	for i := range branches {
		id := string(branches[i].id)
		r := Record{Kind: DialogFork, Phase: Note, ID: forkID(callID, id)}
		switch known := e.find(DialogFork, r.ID) != 0; {
		case known && id != branch, !known && id == first:
			continue
		}
		r.Items = []Item{e.copyItem(&branches[i])}
		records = append(records, r)
	}
	return records
}

// applyToFork merges a record into a fork, 0 for a new one, if there is room. It
// returns the fork, 0 if there is none.
func (e *Engine) applyToFork(fork uint32, r *Record) uint32 {
	switch {
	case fork == 0 && e.objects.used() >= e.maxObjects:
		return 0
	case e.isFinal(fork):
		e.stats.Late++
		return fork
	default:
		return e.apply(fork, r)
	}
}

// applyToLateCall merges what a record says of a branch into its fork when the call
// takes no records any more. A branch that is answered only then gets a fork if
// the call's span says that none was: the call crossed with its cancellation, or
// its caller tried again later. It returns the object of the record.
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

// unanswered tells whether a call was without an answer when it ended. One with an
// answer has no marks left when it is done.
func (e *Engine) unanswered(call uint32) bool {
	f := &e.scratch.other
	e.readFacts(f, call)
	return f.marks() != nil && len(f.branches()) == 0
}

// copyItem returns an item as a record has it.
func (e *Engine) copyItem(it *item) Item {
	c := Item{List: e.dictionary.texts[it.list], At: it.at, ID: string(it.id)}
	for _, field := range it.fields {
		c.Fields = append(c.Fields, Field{Key: e.dictionary.texts[field.key], Value: value(field.raw)})
	}
	return c
}

// bindFork puts a fork into its call, and makes that if need be: stored state may
// have lost it.
func (e *Engine) putForkInCall(slot uint32, id string) {
	call := callOfFork(id)
	if call == "" {
		return
	}
	in := e.find(Dialog, call)
	if in == 0 {
		in = e.create(Dialog, call)
	}
	e.putInHolder(slot, in)
}

// relateDialog takes a call's times from its facts, and whether it has ended. An end
// is withdrawn when the caller turns out to have tried again.
func (e *Engine) updateDialogRelations(slot uint32) {
	o := e.objects.at(slot)
	c := e.codec.sipCall()
	e.containerOf(slot).start = c.invited
	o.flags &^= flagEnded
	if c.end() != 0 {
		o.flags |= flagEnded
	}
}

// relateFork likewise takes from the facts of a fork whether it has ended.
func (e *Engine) updateForkRelations(slot uint32) {
	o := e.objects.at(slot)
	o.flags &^= flagEnded
	if b := e.codec.firstBranch(); b != nil && endOfBranch(b) != 0 {
		o.flags |= flagEnded
	}
}

// isFirstBranch tells whether a fork turned out to be the first branch of its call,
// whose span is the call's.
func (e *Engine) isFirstBranch(fork uint32) bool {
	o := e.objects.at(fork)
	if o.holder == 0 {
		return false
	}
	id := e.idOf(fork)
	f := &e.scratch.other
	e.readFacts(f, o.holder)
	first := f.firstBranch()
	return first != nil && strings.HasSuffix(id, tagSeparator+string(first.id))
}

// legOfDialog returns the leg that the Meeting Server has of a SIP call, 0 if none
// is known: the same one whatever state it is in.
func (e *Engine) legOfDialog(call uint32) uint32 {
	return e.legOfSIPCall(e.objects.at(call).sip.hash, 0)
}

// freezeDialog fixes the trace of a SIP call, because something of it is about to be
// emitted: that of its leg, whose trace is fixed then too, or its own.
func (e *Engine) freezeDialog(call uint32) {
	info := e.containerOf(call)
	if info.frozen {
		return
	}
	if leg := e.legOfDialog(call); leg != 0 {
		e.freezeTraceOf(leg)
		info.trace, info.root = e.traceOf(leg), e.objects.at(leg).span
	}
	info.frozen = true
	e.markDirty(call, flagDirty)
}

// traceOfDialog is the trace of a SIP call, as far as is known.
func (e *Engine) traceOfDialog(call uint32) TraceID {
	info := e.containerOf(call)
	if !info.frozen {
		if leg := e.legOfDialog(call); leg != 0 {
			return e.traceOf(leg)
		}
	}
	return info.trace
}

// dialogStamp is what a record of a SIP call or a fork gets beside the ids: its
// dialog's id and what the call on the bridge says, if its leg is in one.
func (e *Engine) dialogStamp(slot uint32) []Field {
	o := e.objects.at(slot)
	call := slot
	if o.kind == DialogFork {
		if call = o.holder; call == 0 { // it is done
			return nil
		}
	}
	fields := e.scratch.stamp[:0]
	if leg := e.legOfDialog(call); leg != 0 && e.objects.at(leg).holder != 0 {
		in := e.objects.at(leg).holder
		e.rememberStampedTrace(in)
		fields = append(fields, e.contextOf(in)...)
	}
	fields = append(fields, Field{names.DialogID, Text(lowerASCII(e.idOf(slot)))})
	e.scratch.stamp = fields
	return fields
}

// compactDialog leaves of a SIP call only what late records need: its id, and of one
// without an answer when it began and who called whom.
func (e *Engine) compactDialog(slot uint32) {
	if e.containerOf(slot).memberCount > 0 {
		return // its forks need all of it
	}
	f := &e.scratch.other
	e.readFacts(f, slot)
	keep := func(k key) bool { return k == ownKey(Dialog) }
	if len(f.branches()) == 0 {
		marks := f.marks()
		keep = func(k key) bool { return k == ownKey(Dialog) || k == keySIPFrom || k == keySIPTo }
		f.retainKeys(keep)
		if marks != nil {
			f.items = append(f.items, *marks)
		}
	} else {
		f.retainKeys(keep)
		e.containerOf(slot).start = 0
	}
	e.storeFacts(slot, f.normalized(&e.dictionary))
}
