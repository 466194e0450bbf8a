// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"bytes"
	"math"
	"slices"
)

// A record adds a statement to the facts of its object. Most records are newer
// than all before them, and are put behind these without reading them: the facts
// are then the same set, but not normalized. They are normalized when a record
// comes that is not newer, when they get too large, and when they are rendered.

const (
	// endRoom is the part of an object's room that updates leave to its start and
	// its end.
	endRoom = 16 << 10

	// maxShort is the longest value of a start or an end that has to be cut down.
	maxShort = 256

	// mostAppended is how large facts may get by a record that is put behind them:
	// three cells, which a leg needs in any case. An end may take more; what it ends is
	// soon rendered.
	mostAppended    = 3 * cellRoom
	mostAppendedEnd = 1 << 10
)

// merge adds what a record says to its object, and follows what it changes.
func (e *Engine) merge(slot uint32, r *Record) {
	f := &e.facts
	dropped := r.Dropped + f.say(&e.dictionary, r.Fields) + f.sayItems(&e.dictionary, r.Items, r.itemRank())
	e.stats.Dropped += uint64(dropped) //nolint:gosec // not negative
	s := statement{index: r.Index, time: max(0, r.Time), phase: r.Phase}
	if r.Phase == Note {
		s = noted
	}
	if e.appendNewest(slot, &s) || e.unite(slot, &s) {
		e.relate(slot, &s, r.Source, f.said)
	}
}

// statedAlone tells whether records of the kind say nothing that others of its
// object are needed for, to see what follows from them.
func (k Kind) statedAlone() bool { return k == CallLeg || k == Recording || k == Streaming }

// appendNewest puts what a record says behind the facts of its object, if it is
// newer than all that they have. Those that follow from it need no more than the
// newest statement, which is the only one that is apart then.
func (e *Engine) appendNewest(slot uint32, s *statement) bool {
	o, f := e.objects.at(slot), &e.facts
	if o.facts == 0 || !o.kind.statedAlone() || s.phase == Note || len(f.saidItems) > 0 ||
		s.index <= uint64(o.newest) || s.index >= math.MaxUint32 {
		return false
	}
	most := mostAppended
	if s.phase == End {
		most = mostAppendedEnd
	}
	f.out = appendStatement(f.out[:0], s, f.said)
	if int(o.factsSize)+len(f.out) > most {
		return false
	}
	e.steps++
	o.facts = e.arena.extend(o.facts, o.factsSize, f.out)
	o.factsSize += uint32(len(f.out)) //nolint:gosec // at most mostAppendedEnd
	o.newest = uint32(s.index)
	e.touchFacts(slot, f.out)
	newest := *s
	newest.entries = f.said
	f.statements = append(f.statements[:0], newest)
	f.participant, f.sipCallID = nil, nil
	return true
}

// unite makes the facts of an object and what a record says one set. It returns
// false if there is no room for that.
func (e *Engine) unite(slot uint32, s *statement) bool {
	o, f := e.objects.at(slot), &e.facts
	e.open(f, slot)
	if o.kind == CallLeg {
		// Most updates say them again.
		f.participant, f.sipCallID = f.newest(keyParticipant), f.newest(keySIPCallID)
	}
	f.add(*s, f.said)
	dropped := f.addItems()
	after := f.normalized(&e.dictionary)
	limit := maxBlock
	if s.phase == Update || s.phase == Note {
		limit -= endRoom
	}
	e.stats.Dropped += uint64(dropped + f.dropped) //nolint:gosec // not negative
	if len(after) > limit {
		// The event that brought it has all of it. That the object started or
		// ended, and why, is kept.
		e.stats.Dropped += uint64(len(f.said) + len(f.saidItems))
		if limit < maxBlock {
			return false
		}
		f.parse()
		f.said = slices.DeleteFunc(f.said, func(said entry) bool { return said.key >= wellKnown || len(said.raw) > maxShort })
		f.add(*s, f.said)
		if after = f.normalized(&e.dictionary); len(after) > maxBlock {
			return false
		}
	}
	if bytes.Equal(f.in, after) {
		return true
	}
	e.setFacts(slot, after, f.newestIndex())
	if s.phase == Note || len(f.saidItems) > 0 || !o.kind.statedAlone() {
		e.touch(slot, flagDirty|flagDirtyFacts)
		return true
	}
	if e.journal.stored {
		f.out = appendStatement(f.out[:0], s, f.said)
		e.touchFacts(slot, f.out)
	}
	return true
}

// open reads the facts of an object.
func (e *Engine) open(f *facts, slot uint32) {
	o := e.objects.at(slot)
	f.in = e.arena.appendTo(f.in[:0], o.facts, o.factsSize)
	f.parse()
	e.steps += uint64(len(f.statements))
}

// store puts facts into the place of an object's former ones. None of them is from a
// record that others may follow.
func (e *Engine) store(slot uint32, facts []byte) {
	e.setFacts(slot, facts, 0)
	e.touch(slot, flagDirty|flagDirtyFacts)
}

// storeWithin stores facts that were added to, without attributes that the engine does
// not know if there is no room for all.
func (e *Engine) storeWithin(slot uint32, f *facts) {
	after := f.normalized(&e.dictionary)
	if len(after) > maxBlock {
		for i := range f.statements {
			s := &f.statements[i]
			before := len(s.entries)
			s.entries = slices.DeleteFunc(s.entries, func(said entry) bool { return said.key >= wellKnown })
			e.stats.Dropped += uint64(before - len(s.entries)) //nolint:gosec // not negative
		}
		if after = f.normalized(&e.dictionary); len(after) > maxBlock {
			return
		}
	}
	e.store(slot, after)
}

// setFacts does so without a note for the journal; newest is the index of their newest
// statement.
func (e *Engine) setFacts(slot uint32, facts []byte, newest uint32) {
	o := e.objects.at(slot)
	o.facts = e.arena.replace(o.facts, o.factsSize, facts)
	o.factsSize = uint32(len(facts)) //nolint:gosec // at most maxBlock
	o.newest = newest
	if o.kind.holds() {
		e.forgetContext(slot)
	}
}
