// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// table is a hash table of slots that are chained through the objects themselves, so it needs
// four bytes for each slot beside the link. It grows by splitting one bucket for each added
// slot (linear hashing). A map would need five times the memory, and a table that doubles
// would stall its callers.
type table struct {
	chunks [][]uint32
	size   uint32 // buckets in use
	count  uint32 // slots in them
	seed   [2]uint64

	hash func(slot uint32) uint64  // hash of a slot's key
	next func(slot uint32) *uint32 // a slot's link to the next one in its bucket
}

const tableChunk = 1 << 10

func newTable(hash func(uint32) uint64, next func(uint32) *uint32) table {
	return table{
		chunks: [][]uint32{make([]uint32, tableChunk)}, size: 1,
		// The seed is secret, so that forged ids cannot fill one bucket.
		seed: [2]uint64{rand.Uint64(), rand.Uint64()}, //nolint:gosec // ChaCha8, seeded by the system
		hash: hash, next: next,
	}
}

// mix returns a hash of two numbers.
func (t *table) mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a^t.seed[0], b^t.seed[1])
	return high ^ low
}

// bucket returns the head of a hash's bucket. The low bits of the hash are the bucket's
// number, one bit fewer if that bucket is not split off yet.
func (t *table) bucket(hash uint64) *uint32 {
	mask := uint32(1)<<bits.Len32(t.size) - 1
	number := uint32(hash) & mask //nolint:gosec // the low bits of it
	if number >= t.size {
		number &= mask >> 1
	}
	return t.at(number)
}

func (t *table) at(number uint32) *uint32 {
	return &t.chunks[number/tableChunk][number%tableChunk]
}

// add adds a slot to the bucket of its hash.
func (t *table) add(hash uint64, slot uint32) {
	head := t.bucket(hash)
	*t.next(slot), *head = *head, slot
	if t.count++; t.count > t.size {
		t.split()
	}
}

// remove removes the slot to which a link points; see findLink.
func (t *table) remove(link *uint32) {
	*link = *t.next(*link)
	t.count--
}

// findLink returns the link that points to a slot in the bucket of its hash, nil if there is
// none.
func (t *table) findLink(hash uint64, slot uint32) *uint32 {
	for link := t.bucket(hash); *link != 0; link = t.next(*link) {
		if *link == slot {
			return link
		}
	}
	return nil
}

// split splits one bucket in two and keeps the order of both.
func (t *table) split() {
	if t.size%tableChunk == 0 {
		t.chunks = append(t.chunks, make([]uint32, tableChunk))
	}
	from := t.at(t.size &^ (1 << (bits.Len32(t.size) - 1)))
	to := t.at(t.size)
	moves := uint32(1) << (bits.Len32(t.size) - 1)
	t.size++
	for slot := *from; slot != 0; slot = *from {
		if uint32(t.hash(slot))&moves == 0 { //nolint:gosec // the low bits of it
			from = t.next(slot)
			continue
		}
		*from = *t.next(slot)
		*t.next(slot), *to = 0, slot
		to = t.next(slot)
	}
	*to = 0
}

// The table of all objects by kind and identity.

func (e *Engine) newIdentities() table {
	return newTable(
		func(slot uint32) uint64 {
			o := e.objects.at(slot)
			return e.identityHash(o.kind, &o.identity)
		},
		func(slot uint32) *uint32 { return &e.objects.at(slot).nextInBucket },
	)
}

func (e *Engine) identityHash(kind Kind, i *identity) uint64 {
	return e.identities.mix(binary.LittleEndian.Uint64(i[:]), binary.LittleEndian.Uint64(i[8:])+uint64(kind))
}

// slotOfIdentity returns the slot of the object with an identity, 0 if there is none.
func (e *Engine) slotOfIdentity(kind Kind, i *identity) uint32 {
	for slot := *e.identities.bucket(e.identityHash(kind, i)); slot != 0; {
		o := e.objects.at(slot)
		if o.identity == *i && o.kind == kind {
			return slot
		}
		slot = o.nextInBucket
	}
	return 0
}

// hashIndex finds objects by the hash of an attribute. The table holds the first object of
// each hash; the others are linked to it.
type hashIndex struct {
	table   table
	entryOf func(*object) *indexEntry
	emitted *hashIndex // of hashIndexes.current: the index of emitted objects
}

// hashIndexes is a pair of indexes by one attribute: one of emitted objects, one of all
// others. An object that is the only one of its hash when it is emitted, as most are, stays in
// current until another object of the hash is added to it: moving it would take four look-ups.
// An emitted object in current is therefore always the only one of its hash there.
type hashIndexes struct{ current, emitted *hashIndex }

func (e *Engine) newHashIndexes(entryOf func(*object) *indexEntry) hashIndexes {
	x := hashIndexes{current: e.newHashIndex(entryOf), emitted: e.newHashIndex(entryOf)}
	x.current.emitted = x.emitted
	return x
}

// moveToEmitted moves an object to the index of emitted ones, unless no other object in current
// has its hash.
func (x *hashIndexes) moveToEmitted(e *Engine, slot uint32) {
	entry := x.current.entryOf(e.objects.at(slot))
	if entry.hash == 0 || x.current.isOnly(e, entry) {
		return
	}
	hash := entry.hash
	x.current.remove(e, slot)
	x.emitted.setHash(e, slot, hash)
}

// isOnly reports whether no other entry of the index has the entry's hash.
func (m *hashIndex) isOnly(e *Engine, entry *indexEntry) bool {
	return entry.next == 0 && (entry.previous == 0 || m.entryOf(e.objects.at(entry.previous)).hash != entry.hash)
}

// remove removes an object from the index that has it.
func (x *hashIndexes) remove(e *Engine, slot uint32) {
	o := e.objects.at(slot)
	entry := x.current.entryOf(o)
	if entry.hash == 0 {
		return
	}
	if o.state != emitted {
		x.current.remove(e, slot)
		return
	}
	if link := x.current.table.findLink(x.current.table.mix(entry.hash, 0), slot); link != nil {
		x.current.table.remove(link)
		*entry = indexEntry{}
		return
	}
	x.emitted.remove(e, slot)
}

func (e *Engine) newHashIndex(entryOf func(*object) *indexEntry) *hashIndex {
	m := &hashIndex{entryOf: entryOf}
	m.table = newTable(
		func(slot uint32) uint64 { return m.table.mix(entryOf(e.objects.at(slot)).hash, 0) },
		func(slot uint32) *uint32 { return &entryOf(e.objects.at(slot)).previous },
	)
	return m
}

// first returns the first object with a hash, 0 if there is none.
func (m *hashIndex) first(e *Engine, hash uint64) uint32 {
	for slot := *m.table.bucket(m.table.mix(hash, 0)); slot != 0; {
		entry := m.entryOf(e.objects.at(slot))
		if entry.hash == hash {
			return slot
		}
		slot = entry.previous
	}
	return 0
}

// setHash sets the hash by which the index finds an object; 0 removes the object from the
// index.
func (m *hashIndex) setHash(e *Engine, slot uint32, hash uint64) {
	entry := m.entryOf(e.objects.at(slot))
	if entry.hash == hash {
		return
	}
	if entry.hash != 0 {
		m.removeEntry(e, slot, entry)
	}
	*entry = indexEntry{hash: hash}
	if hash == 0 {
		return
	}
	first := m.first(e, hash)
	if first != 0 && m.emitted != nil && e.objects.at(first).state == emitted {
		m.setHash(e, first, 0)
		m.emitted.setHash(e, first, hash)
		first = 0
	}
	if first == 0 {
		m.table.add(m.table.mix(hash, 0), slot)
		return
	}
	// Insert it behind the first object, which the table holds.
	ahead := m.entryOf(e.objects.at(first))
	entry.previous, entry.next = first, ahead.next
	if entry.next != 0 {
		m.entryOf(e.objects.at(entry.next)).previous = slot
	}
	ahead.next = slot
}

// remove removes an object from the index.
func (m *hashIndex) remove(e *Engine, slot uint32) { m.setHash(e, slot, 0) }

func (m *hashIndex) removeEntry(e *Engine, slot uint32, entry *indexEntry) {
	link := m.table.findLink(m.table.mix(entry.hash, 0), slot)
	switch {
	case link == nil: // it is not the first object of its hash
		m.entryOf(e.objects.at(entry.previous)).next = entry.next
		if entry.next != 0 {
			m.entryOf(e.objects.at(entry.next)).previous = entry.previous
		}
	case entry.next == 0:
		m.table.remove(link)
	default: // the next object becomes the first
		m.entryOf(e.objects.at(entry.next)).previous, *link = entry.previous, entry.next
	}
}
