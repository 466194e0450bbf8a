// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "encoding/binary"

// journal holds the changes that have to be stored next. Stored state is a sequence of entries
//
//	kind of entry, 1 byte | uvarint length | that many bytes
//
// that restores the engine when it is read in the order of writing:
//
//	P  uvarint process    the run of the engine that assigned the numbers in the entries up to the next P
//	K  uvarint number | attribute name
//	R  uvarint number | resource
//	S  uvarint number | uvarint last | uvarint declaredAt | session (up to version 3)
//	T  uvarint number | uvarint last | uvarint declaredAt | uvarint overAt | uvarint bridge | session
//	O  head | facts       an object
//	H  head               an object whose facts have not changed
//	M  kind | identity | statement   one record of an object; see delta.go
//	G  kind | identity    an object that was forgotten
//	A  kind | identity | uvarint at   when an object was absent, by its sender's clock, or when its bridge removed a call
//	E  session            a session: the engine has forgotten the declaration that it is over
//
// A head is
//
//	kind | state | identity, 16 bytes | uvarint flags | uvarint since | uvarint resource | uvarint session | span, 8 |
//	and for calls, recorded sessions and dialogs: 1 if the trace is frozen, else 0 | own trace, 16 | trace, 16 | root, 8 |
//	uvarint firstNamedAt | uvarint lastNamedAt
//
// declaredAt is by the engine's clock, overAt by the sender's.
// Numbers refer to earlier K, R, S and T entries of the same process. Kinds and states are
// written as the letters below, so that the constants may change.
type journal struct {
	stored                bool
	changed               []uint32 // objects with flagQueuedForJournal
	forgotten             []objectKey
	unstoredAbsences      map[uint32]struct{} // objects whose absence is not stored
	unstoredRemovals      []removal           // removed calls that RemoveCall queued since the last AppendChanges
	deltas                deltas
	forgottenDeclarations []string
	appended              int // AppendChanges has appended changed[:appended]
	process               uint64
	snapshotSlot          uint32 // next object of the snapshot; 0 if none is being written
	namesWritten          bool   // the snapshot contains its K, R and T entries
}

// objectKey identifies an object without its slot.
type objectKey struct {
	kind     Kind
	identity identity
}

const (
	entryProcess              = 'P'
	entryKey                  = 'K'
	entryResource             = 'R'
	entrySessionV3            = 'S'
	entrySession              = 'T'
	entryObject               = 'O'
	entryHead                 = 'H'
	entryStatement            = 'M'
	entryForgotten            = 'G'
	entryDeclarationForgotten = 'E'
	entryAbsent               = 'A'
)

var (
	kindLetters = [kinds]byte{Call: 'c', CallLeg: 'l', Recording: 'r', Streaming: 's', RecordedSession: 'm', Track: 't', Dialog: 'd', DialogFork: 'f', APIRequest: 'q', ScheduledMeeting: 'p'}
	// FinishLoad distinguishes states that share a letter.
	stateLetters = [states]byte{open: 'o', ended: 'e', endedIndirectly: 'e', pendingEmit: 'w', emitted: 'd', setAside: 'w', emittedWithMembers: 'd', emittedRequest: 'd'}
)

// markDirty queues an object for storage. flags is flagDirty if its head changed,
// flagDirtyFacts if its facts changed, or both.
func (e *Engine) markDirty(slot uint32, flags uint16) {
	if !e.journal.stored {
		return
	}
	o := e.objects.at(slot)
	if o.flags&flagQueuedForJournal == 0 {
		e.journal.changed = append(e.journal.changed, slot)
	}
	o.flags |= flags | flagQueuedForJournal
}

// HasChanges reports whether AppendChanges has something to append.
func (e *Engine) HasChanges() bool {
	j := &e.journal
	return len(j.changed)+j.deltas.count+len(j.forgotten)+len(j.unstoredAbsences)+len(j.unstoredRemovals)+len(j.forgottenDeclarations)+len(e.sessions.dirty) > 0
}

// changesAtOnce bounds the changed objects of one AppendChanges, and bytesAtOnce its bytes.
const (
	changesAtOnce = 2048
	bytesAtOnce   = 1 << 20
	// slotsAtOnce bounds the slots that one AppendSnapshot examines, because many may be free.
	slotsAtOnce = 1 << 14
)

// CountUnappendedChanges returns how many changed objects and deltas wait for AppendChanges.
func (e *Engine) CountUnappendedChanges() int {
	return len(e.journal.changed) - e.journal.appended + e.journal.deltas.count
}

// AppendChanges appends the changes since the last call. Loading everything that was ever
// appended, in order, restores the state. It does a bounded amount of work;
// CountUnappendedChanges returns how many are left.
func (e *Engine) AppendChanges(b []byte) []byte {
	if !e.HasChanges() {
		return b
	}
	b = e.appendProcess(b)
	b = e.appendOtherChanges(b)
	j := &e.journal
	limit := len(b) + bytesAtOnce
	// Deltas come before objects. Loading skips the delta of an object that it does not have:
	// either the whole object follows, or the object was forgotten.
	b = j.deltas.appendTo(b, limit)
	end := min(len(j.changed), j.appended+changesAtOnce)
	for i, slot := range j.changed[j.appended:end] {
		if len(b) > limit {
			end = j.appended + i
			break
		}
		e.steps++
		o := e.objects.at(slot)
		switch {
		case o.state == free:
		case o.flags&flagDirtyFacts != 0:
			b = e.appendObject(b, slot)
		case o.flags&flagDirty != 0:
			b = appendEntry(b, entryHead, func(b []byte) []byte { return e.appendHead(b, slot) })
		}
		o.flags &^= flagQueuedForJournal | flagDirty | flagDirtyFacts
	}
	if j.appended = end; end == len(j.changed) {
		j.changed, j.appended = j.changed[:0], 0
	}
	return b
}

// appendProcess appends the run of the engine that assigned the numbers in the next entries. If
// its K, R and T entries are lost, its other entries are skipped rather than read with another process's
// numbers.
func (e *Engine) appendProcess(b []byte) []byte {
	if e.journal.process == 0 {
		e.journal.process = uint64(e.now) //nolint:gosec // not negative
	}
	return appendEntry(b, entryProcess, func(b []byte) []byte { return binary.AppendUvarint(b, e.journal.process) })
}

// appendOtherChanges appends forgotten objects, absences, forgotten declarations, and new keys,
// resources and sessions.
func (e *Engine) appendOtherChanges(b []byte) []byte {
	j, d := &e.journal, &e.dictionary
	for _, g := range j.forgotten {
		b = appendEntry(b, entryForgotten, func(b []byte) []byte {
			return append(append(b, kindLetters[g.kind]), g.identity[:]...)
		})
	}
	for slot := range j.unstoredAbsences {
		b = e.appendAbsence(b, slot)
	}
	clear(j.unstoredAbsences)
	for i := range j.unstoredRemovals {
		b = e.appendRemoval(b, &j.unstoredRemovals[i])
	}
	j.unstoredRemovals = j.unstoredRemovals[:0]
	for _, text := range j.forgottenDeclarations {
		b = appendEntry(b, entryDeclarationForgotten, func(b []byte) []byte { return append(b, text...) })
	}
	for ; d.written < len(d.texts); d.written++ {
		b = e.appendKey(b, d.written)
	}
	for _, slot := range e.resources.unwritten {
		b = e.appendResource(b, slot)
	}
	for _, slot := range e.sessions.dirty {
		if s := e.sessions.at(slot); s.dirty {
			s.dirty = false
			b = e.appendSession(b, slot)
		}
	}
	j.forgotten, j.forgottenDeclarations = j.forgotten[:0], j.forgottenDeclarations[:0]
	e.resources.unwritten, e.sessions.dirty = e.resources.unwritten[:0], e.sessions.dirty[:0]
	return b
}

// BeginSnapshot begins a snapshot of the whole state. Once its last piece is stored,
// everything appended before its first piece may be deleted.
func (e *Engine) BeginSnapshot() { e.journal.snapshotSlot, e.journal.namesWritten = 1, false }

// AppendSnapshot appends about size bytes of the snapshot, and reports whether this was its
// last piece. The caller may call AppendChanges between two pieces.
func (e *Engine) AppendSnapshot(b []byte, size int) (out []byte, last bool) {
	j := &e.journal
	if j.snapshotSlot == 0 {
		return b, true
	}
	limit := len(b) + size
	b = e.appendProcess(b)
	if !j.namesWritten {
		j.namesWritten = true
		b = e.appendNames(b)
	}
	until := min(e.objects.highest, j.snapshotSlot+slotsAtOnce)
	for ; j.snapshotSlot <= until && len(b) < limit; j.snapshotSlot++ {
		e.steps++
		if e.objects.at(j.snapshotSlot).state != free {
			b = e.appendObject(b, j.snapshotSlot)
			b = e.appendAbsence(b, j.snapshotSlot)
		}
	}
	if j.snapshotSlot <= e.objects.highest {
		return b, false
	}
	j.snapshotSlot = 0
	return b, true
}

func (e *Engine) appendNames(b []byte) []byte {
	for i := range e.dictionary.texts {
		b = e.appendKey(b, i)
	}
	for slot := uint32(1); slot <= e.resources.slots.highest; slot++ {
		b = e.appendResource(b, slot)
	}
	for _, slot := range e.sessions.slotOf {
		b = e.appendSession(b, slot)
	}
	for i := range e.removals {
		b = e.appendRemoval(b, &e.removals[i])
	}
	return b
}

func (e *Engine) appendKey(b []byte, i int) []byte {
	return appendEntry(b, entryKey, func(b []byte) []byte {
		return append(binary.AppendUvarint(b, uint64(i)), e.dictionary.texts[i]...) //nolint:gosec // not negative
	})
}

// appendResource appends a resource that is still in use.
func (e *Engine) appendResource(b []byte, slot uint32) []byte {
	if *e.resources.slots.at(slot) == 0 {
		return b
	}
	return appendEntry(b, entryResource, func(b []byte) []byte {
		return append(binary.AppendUvarint(b, uint64(slot)), e.resources.texts[slot]...)
	})
}

func (e *Engine) appendSession(b []byte, slot uint32) []byte {
	s := e.sessions.at(slot)
	return appendEntry(b, entrySession, func(b []byte) []byte {
		b = binary.AppendUvarint(b, uint64(slot))
		b = appendTime(b, s.last)
		b = appendTime(b, max(s.rememberedSince, s.lastDeclaredOver))
		b = appendTime(b, s.overAt)
		b = binary.AppendUvarint(b, s.bridge)
		return append(b, e.sessions.texts[slot]...)
	})
}

func (e *Engine) appendObject(b []byte, slot uint32) []byte {
	o := e.objects.at(slot)
	return appendEntry(b, entryObject, func(b []byte) []byte {
		return e.arena.appendTo(e.appendHead(b, slot), o.facts, o.factsSize)
	})
}

func (e *Engine) appendHead(b []byte, slot uint32) []byte {
	o := e.objects.at(slot)
	b = append(b, kindLetters[o.kind], stateLetters[o.state])
	b = append(b, o.identity[:]...)
	b = binary.AppendUvarint(b, uint64(o.flags&storedFlags|e.traceChangeFlag(slot)))
	b = appendTime(b, o.since)
	b = binary.AppendUvarint(b, uint64(o.resource))
	b = binary.AppendUvarint(b, uint64(o.session))
	b = append(b, o.span[:]...)
	if !o.kind.isContainer() {
		return b
	}
	info := e.containers.at(o.containerIndex)
	frozen := byte(0)
	if info.traceFrozen {
		frozen = 1
	}
	b = append(b, frozen)
	b = append(b, info.ownTrace[:]...)
	if trace := info.stampedTrace; !info.traceFrozen && trace != (TraceID{}) {
		// The restarted engine computes the call's trace and compares it with this one.
		b = append(b, trace[:]...)
	} else {
		b = append(b, info.trace[:]...)
	}
	b = append(b, info.rootSpan[:]...)
	b = appendTime(b, info.firstNamedAt)
	return appendTime(b, info.lastNamedAt)
}

// appendAbsence appends the absence of an object, if there is one.
func (e *Engine) appendAbsence(b []byte, slot uint32) []byte {
	at, found := e.absences[slot]
	if !found {
		return b
	}
	return appendAbsent(b, e.objects.at(slot), at)
}

// appendRemoval appends a removed call that waits for its end records as an absence: a restarted
// engine waits for these records anyway, until its grace is over.
func (e *Engine) appendRemoval(b []byte, r *removal) []byte {
	if o := e.resolve(r.call); o != nil && !r.superseded {
		return appendAbsent(b, o, r.at)
	}
	return b
}

func appendAbsent(b []byte, o *object, at int64) []byte {
	return appendEntry(b, entryAbsent, func(b []byte) []byte {
		return appendTime(append(append(b, kindLetters[o.kind]), o.identity[:]...), at)
	})
}

func appendTime(b []byte, t int64) []byte {
	return binary.AppendUvarint(b, uint64(max(0, t)))
}

// lengthSize is the size of an entry's length in bytes. The length is padded, so that
// appendEntry can write it after the content.
const lengthSize = 4

// appendEntry appends an entry; content appends its content.
func appendEntry(b []byte, kind byte, content func([]byte) []byte) []byte {
	b = append(b, kind, 0x80, 0x80, 0x80, 0)
	start := len(b)
	b = content(b)
	n := len(b) - start
	length := b[start-lengthSize : start]
	for i := range length {
		length[i] |= byte(n & 0x7f)
		n >>= 7
	}
	return b
}
