// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"bytes"
	"math"
	"slices"
)

// A record adds a statement to the facts of its object. Most records are newer than all before
// them, and are appended without reading the facts. The facts are then the same set, but not
// normalized. They are normalized when an older record arrives, when they exceed a size, and
// when they are rendered.

const (
	// reservedForEnd is the part of an object's room that updates leave to its start and its
	// end, in bytes.
	reservedForEnd = 16 << 10

	// maxShortValue is the longest value that a start or an end keeps when the room is short,
	// in bytes.
	maxShortValue = 256

	// maxAppended is the size up to which records are appended: three cells, which a leg needs
	// anyway. An end may exceed it, because its object is rendered soon.
	maxAppended    = 3 * cellRoom
	maxAppendedEnd = 1 << 10
)

// merge merges a record into its object and updates the object's relations.
func (e *Engine) merge(slot uint32, r *Record) {
	f := &e.codec
	dropped := r.Dropped + f.encodeFields(&e.dictionary, r.Phase, r.Fields) + f.encodeItems(&e.dictionary, r.Items, r.itemRank())
	e.stats.Dropped += uint64(dropped) //nolint:gosec // not negative
	s := statement{index: r.Index, time: max(0, r.Time), phase: r.Phase}
	if r.Phase == Note {
		s = noteStatement
	}
	if e.appendNewest(slot, &s) || e.mergeFacts(slot, &s) {
		e.updateRelations(slot, &s, r.Source, f.recordAttributes)
	}
}

// storesDeltas reports whether the relations of the kind follow from each record
// alone.
func (k Kind) storesDeltas() bool { return k == CallLeg || k == Recording || k == Streaming }

// appendNewest appends a record to the facts if it is newer than all of them. The codec then
// holds only this statement, which is enough to update the relations.
func (e *Engine) appendNewest(slot uint32, s *statement) bool {
	o, f := e.objects.at(slot), &e.codec
	if o.facts == 0 || !o.kind.storesDeltas() || s.phase == Note || len(f.incomingItems) > 0 ||
		s.index <= uint64(o.newestIndex) || s.index >= math.MaxUint32 {
		return false
	}
	most := maxAppended
	if s.phase == End {
		most = maxAppendedEnd
	}
	f.out = appendStatement(f.out[:0], s, f.recordAttributes)
	if int(o.factsSize)+len(f.out) > most {
		return false
	}
	e.steps++
	o.facts = e.arena.extend(o.facts, o.factsSize, f.out)
	o.factsSize += uint32(len(f.out)) //nolint:gosec // at most maxAppendedEnd
	o.newestIndex = uint32(s.index)
	e.queueDelta(slot, f.out)
	newest := *s
	newest.attributes = f.recordAttributes
	f.statements = append(f.statements[:0], newest)
	f.participantBefore, f.sipCallIDBefore = nil, nil
	return true
}

// mergeFacts merges a record into the facts of its object. It returns false if there is no
// room.
func (e *Engine) mergeFacts(slot uint32, s *statement) bool {
	o, f := e.objects.at(slot), &e.codec
	e.readFacts(f, slot)
	if o.kind == CallLeg {
		// Most updates repeat them.
		f.participantBefore, f.sipCallIDBefore = f.newest(keyParticipant), f.newest(keySIPCallID)
	}
	f.addStatement(*s, f.recordAttributes)
	dropped := f.addItems()
	after := f.encodeNormalized(&e.dictionary)
	limit := maxBlock
	if s.phase == Update || s.phase == Note {
		limit -= reservedForEnd
	}
	e.stats.Dropped += uint64(dropped + f.dropped) //nolint:gosec // not negative
	if len(after) > limit {
		// The record's own event has all of it. The stitched record keeps that the object
		// started or ended, and why.
		e.stats.Dropped += uint64(len(f.recordAttributes) + len(f.incomingItems))
		if limit < maxBlock {
			return false
		}
		f.parse()
		f.recordAttributes = slices.DeleteFunc(f.recordAttributes, func(a attribute) bool { return a.key >= wellKnown || len(a.raw) > maxShortValue })
		f.addStatement(*s, f.recordAttributes)
		if after = f.encodeNormalized(&e.dictionary); len(after) > maxBlock {
			return false
		}
	}
	if bytes.Equal(f.in, after) {
		return true
	}
	e.replaceFacts(slot, after, f.newestIndex())
	if s.phase == Note || len(f.incomingItems) > 0 || !o.kind.storesDeltas() {
		e.markDirty(slot, flagDirty|flagDirtyFacts)
		return true
	}
	if e.journal.stored {
		f.out = appendStatement(f.out[:0], s, f.recordAttributes)
		e.queueDelta(slot, f.out)
	}
	return true
}

// readFacts parses the facts of an object.
func (e *Engine) readFacts(f *factsCodec, slot uint32) {
	o := e.objects.at(slot)
	f.in = e.arena.appendTo(f.in[:0], o.facts, o.factsSize)
	f.parse()
	e.steps += uint64(len(f.statements))
}

// storeFacts replaces an object's facts. appendNewest then appends the next record of any
// index.
func (e *Engine) storeFacts(slot uint32, facts []byte) {
	e.replaceFacts(slot, facts, 0)
	e.markDirty(slot, flagDirty|flagDirtyFacts)
}

// storeFactsWithinLimit stores facts that grew. If there is no room for all, it drops
// attributes that the engine does not interpret.
func (e *Engine) storeFactsWithinLimit(slot uint32, f *factsCodec) {
	after := f.encodeNormalized(&e.dictionary)
	if len(after) > maxBlock {
		for i := range f.statements {
			s := &f.statements[i]
			before := len(s.attributes)
			s.attributes = slices.DeleteFunc(s.attributes, func(a attribute) bool { return a.key >= wellKnown })
			e.stats.Dropped += uint64(before - len(s.attributes)) //nolint:gosec // not negative
		}
		if after = f.encodeNormalized(&e.dictionary); len(after) > maxBlock {
			return
		}
	}
	e.storeFacts(slot, after)
}

// replaceFacts replaces an object's facts without a change for the journal; newest is the
// index of the newest statement.
func (e *Engine) replaceFacts(slot uint32, facts []byte, newest uint32) {
	o := e.objects.at(slot)
	o.facts = e.arena.replace(o.facts, o.factsSize, facts)
	o.factsSize = uint32(len(facts)) //nolint:gosec // at most maxBlock
	o.newestIndex = newest
	if o.kind.isContainer() {
		e.forgetContext(slot)
	}
}
