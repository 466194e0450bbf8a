// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "encoding/binary"

// Each record is stored as an entry of its own, so that an update does not store the object's
// earlier statements again. Loading an entry merges it into the facts, as the record did. An
// entry may therefore come twice, or after an entry of the whole object.

// deltas are the entries of records that are not stored yet, in order.
type deltas struct {
	entries []byte
	count   int
}

// maxDeltasRoom is the largest capacity that an empty buffer keeps, in bytes.
const maxDeltasRoom = 1 << 20

// queueDelta queues the entry of one record; incoming is its statement as bytes. It does
// nothing if the whole object is stored next.
func (e *Engine) queueDelta(slot uint32, incoming []byte) {
	o := e.objects.at(slot)
	if !e.journal.stored || e.loading != nil || o.flags&flagDirtyFacts != 0 {
		return
	}
	d := &e.journal.deltas
	d.entries = appendEntry(d.entries, entryStatement, func(b []byte) []byte {
		b = append(b, kindLetters[o.kind])
		b = append(b, o.identity[:]...)
		return append(b, incoming...)
	})
	d.count++
}

// appendTo appends entries until b has limit bytes or none is left.
func (d *deltas) appendTo(b []byte, limit int) []byte {
	end := 0
	for end < len(d.entries) && len(b)+end <= limit {
		length, used := binary.Uvarint(d.entries[end+1:])
		end += 1 + used + int(length) //nolint:gosec // of an entry in memory
		d.count--
	}
	b = append(b, d.entries[:end]...)
	d.entries = append(d.entries[:0], d.entries[end:]...)
	if len(d.entries) == 0 && cap(d.entries) > maxDeltasRoom {
		d.entries = nil
	}
	return b
}

// loadStatement reads the entry of one record. It skips an entry whose object is unknown: the
// segment of the object was lost, or the object was forgotten.
func (e *Engine) loadStatement(r *reader) {
	number, ok := letter(kindLetters[:], r.byte())
	kind := Kind(number) //nolint:gosec // an index
	var identity identity
	copy(identity[:], r.bytes(len(identity)))
	if !ok || r.damaged || !kind.storesDeltas() {
		r.damaged = true
		return
	}
	bytes, ok := e.loading.translate(e, r.rest)
	incoming := &e.scratch.codec
	if !ok || !incoming.read(bytes) || len(incoming.statements) != 1 || incoming.statements[0].phase == Note {
		r.damaged = true
		return
	}
	s := incoming.statements[0]
	e.loadReference(&s)
	slot := e.slotOfIdentity(kind, &identity)
	if slot == 0 {
		e.loading.skipped++
		return
	}
	if e.objects.at(slot).state == emitted { // its facts are a tombstone
		return
	}
	e.codec.recordAttributes, e.codec.incomingItems = append(e.codec.recordAttributes[:0], s.attributes...), e.codec.incomingItems[:0]
	s.attributes = nil
	if !e.appendNewest(slot, &s) {
		e.mergeFacts(slot, &s)
	}
}

// loadReference applies extendNamedTimes to the call that a loaded statement names.
func (e *Engine) loadReference(s *statement) {
	named := s.value(keyCall)
	if !namesCall(named) {
		return
	}
	identity := identityOfValue(Call, named)
	call := e.slotOfIdentity(Call, &identity)
	if call == 0 || e.isFinal(call) {
		return
	}
	info := e.infoOf(call)
	info.firstNamedAt, info.lastNamedAt = earliestSet(info.firstNamedAt, s.time), max(info.lastNamedAt, s.time)
}

// appendStatement appends a statement in the format of facts.
func appendStatement(b []byte, s *statement, incoming []attribute) []byte {
	b = appendStatementHead(b, s, len(incoming))
	for _, e := range incoming {
		b = append(binary.AppendUvarint(b, uint64(e.key)), e.raw...)
	}
	return b
}

// newestIndex returns the index of the newest statement, limited to 32 bits.
func (f *factsCodec) newestIndex() uint32 {
	if n := len(f.statements); n > 0 {
		return uint32(min(f.statements[n-1].index, 1<<32-1))
	}
	return 0
}
