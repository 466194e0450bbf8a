// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// The facts of an object are the contents of its records: one statement for each record,
// oldest first.
//
//	uvarint index | uvarint seconds<<1 or, with nanoseconds, uvarint seconds<<1|1, uvarint nanoseconds
//	uvarint number of attributes<<2 | phase
//	for each attribute, in the order of the keys: uvarint key | value, or valueSame: the last value of this attribute once more
//	if the phase is Note: items (items.go)
//
// appendNewest (merge.go) adds a statement with all its attributes; the next mergeFacts
// normalizes it.
//
// All notes (records of phase Note, which are no sign of life) share one statement, which has
// no index and no time.
//
// Normalizing keeps each attribute only in the newest statement that has it. Attributes of
// key.keepsHistory stay in the first maxHistory-1 statements and in the newest one. An update
// without attributes is dropped, unless its time is the first or the last. So the bytes are a
// function of the set of records: normalizing the union of two sets gives the same bytes in
// whatever order they were merged.

// statement is the content of one record.
type statement struct {
	index      uint64
	time       int64
	phase      Phase
	attributes []attribute
	count      int // number of attributes, while parsing
}

// attribute is one attribute of a statement. raw is a value in the format of value.go.
type attribute struct {
	key key
	raw []byte
}

// compare orders the records of one object by index, then time, then phase. Records of a
// sender's session are numbered; others have index 0.
func (s *statement) compare(t *statement) int {
	return cmp.Or(cmp.Compare(s.index, t.index), cmp.Compare(s.time, t.time), cmp.Compare(s.phase, t.phase))
}

// factsCodec decodes and encodes the facts of objects. One codec serves all objects, one at a
// time.
type factsCodec struct {
	in               []byte // the bytes that were read; attributes alias them
	statements       []statement
	attributes       []attribute // of all statements
	recordAttributes []attribute // of the record to be merged
	values           []byte      // of incoming and incomingItems
	union            []attribute
	out              []byte

	items, incomingItems, joined                 []item
	itemFields, incomingItemFields, joinedFields []itemField // fields of the items above

	// A leg's participant and SIP Call-ID before the merge.
	participantBefore, sipCallIDBefore []byte

	seen []uint32 // by key: the number of the last scan that met it
	scan uint32

	dropped int // values that limitHistory dropped
}

// read parses a copy of bytes. It returns false if they are not facts.
func (f *factsCodec) read(from []byte) bool {
	f.in = append(f.in[:0], from...)
	return f.parse()
}

// parse decodes f.in.
func (f *factsCodec) parse() bool {
	from := f.in
	f.statements, f.attributes, f.items, f.itemFields = f.statements[:0], f.attributes[:0], f.items[:0], f.itemFields[:0]
	for len(from) > 0 {
		s, count, used := readStatementHead(from)
		if used == 0 || count > uint64(len(from)) {
			return false
		}
		from = from[used:]
		s.count = int(count) //nolint:gosec // at most len(from)
		for range s.count {
			number, used := binary.Uvarint(from)
			if used <= 0 || number >= maxKeys {
				return false
			}
			length := valueLength(from[used:])
			if length == 0 {
				return false
			}
			raw := from[used : used+length]
			if raw[0] == valueSame {
				if raw = valueOf(f.attributes, key(number)); raw == nil {
					return false
				}
			}
			f.attributes = append(f.attributes, attribute{key(number), raw})
			from = from[used+length:]
		}
		if s.phase == Note {
			var ok bool
			if from, ok = f.readItems(from); !ok || len(f.statements) > 0 && f.statements[len(f.statements)-1].compare(&s) >= 0 {
				return false
			}
		}
		f.statements = append(f.statements, s)
	}
	// The slice of attributes does not grow any more, so the statements may alias it.
	rest := f.attributes
	for i := range f.statements {
		s := &f.statements[i]
		s.attributes, rest = rest[:s.count:s.count], rest[s.count:]
	}
	return true
}

const phaseBits = 2

// noteStatement is the statement that all notes share.
var noteStatement = statement{phase: Note}

// readStatementHead reads a statement without its attributes; used is 0 if the bytes are damaged.
func readStatementHead(from []byte) (s statement, count uint64, used int) {
	rest := from
	next := func() (v uint64) {
		v, n := binary.Uvarint(rest)
		if n <= 0 {
			rest, used = nil, -1
			return 0
		}
		rest = rest[n:]
		return v
	}
	s.index = next()
	seconds := next()
	s.time = int64(seconds>>1) * second
	if seconds&1 != 0 {
		s.time += int64(next()) //nolint:gosec // below a second
	}
	head := next()
	s.phase = Phase(head & (1<<phaseBits - 1))
	if used < 0 || s.phase == Note && s.compare(&noteStatement) != 0 {
		return s, 0, 0
	}
	return s, head >> phaseBits, len(from) - len(rest)
}

const second = 1_000_000_000

func appendStatementHead(b []byte, s *statement, count int) []byte {
	b = binary.AppendUvarint(b, s.index)
	seconds, rest := uint64(s.time/second), uint64(s.time%second) //nolint:gosec // not negative
	if rest == 0 {
		b = binary.AppendUvarint(b, seconds<<1)
	} else {
		b = binary.AppendUvarint(b, seconds<<1|1)
		b = binary.AppendUvarint(b, rest)
	}
	return binary.AppendUvarint(b, uint64(count)<<phaseBits|uint64(s.phase)) //nolint:gosec // not negative
}

// encodeFields encodes a record's fields into f.incoming, ordered by key. It returns how many
// were dropped because the dictionary is full or the value is too long.
func (f *factsCodec) encodeFields(d *dictionary, in Phase, fields []Field) (dropped int) {
	f.recordAttributes, f.values = f.recordAttributes[:0], f.values[:0]
	previous := keyRole // the key of no field: records never have it
	for i := range fields {
		k, ok := d.keyAfter(in, previous, fields[i].Key)
		if !ok {
			dropped++
			continue
		}
		previous = k
		start := len(f.values)
		if f.values, ok = appendValue(f.values, fields[i].Value); !ok {
			dropped++
			continue
		}
		// f.values may still move: only the length of raw is valid for now.
		f.recordAttributes = append(f.recordAttributes, attribute{key: k, raw: f.values[start:]})
	}
	rest := f.values
	for i := range f.recordAttributes {
		n := len(f.recordAttributes[i].raw)
		f.recordAttributes[i].raw, rest = rest[:n:n], rest[n:]
	}
	f.recordAttributes = sortAttributes(f.recordAttributes)
	return dropped
}

// maxInsertionSort is how many attributes are sorted by insertion.
const maxInsertionSort = 64

// sortAttributes sorts attributes by their keys. Keys are numbered in the order in which
// records first use them, so most attributes are in order already. Of a key that occurs twice
// the larger value stays, as in union.
func sortAttributes(entries []attribute) []attribute {
	if len(entries) > maxInsertionSort {
		slices.SortStableFunc(entries, func(a, b attribute) int { return cmp.Compare(a.key, b.key) })
	}
	sorted := entries[:0]
	for _, e := range entries {
		at := len(sorted)
		for at > 0 && sorted[at-1].key > e.key {
			at--
		}
		switch {
		case at == 0 || sorted[at-1].key != e.key:
			sorted = sorted[:len(sorted)+1]
			copy(sorted[at+1:], sorted[at:])
			sorted[at] = e
		case !larger(sorted[at-1], e):
			sorted[at-1] = e
		}
	}
	return sorted
}

// addStatement merges a statement into the set that was read.
func (f *factsCodec) addStatement(s statement, incoming []attribute) {
	at := f.statementIndex(s)
	if at < len(f.statements) && f.statements[at].compare(&s) == 0 {
		known := &f.statements[at]
		f.union = union(f.union[:0], known.attributes, incoming)
		known.attributes = f.union
		return
	}
	f.union = append(f.union[:0], incoming...) // a copy, because normalize changes the slice in place
	s.attributes = f.union
	f.statements = slices.Insert(f.statements, at, s)
}

// statementIndex returns the index at which a statement is, or belongs.
func (f *factsCodec) statementIndex(s statement) int {
	at, _ := slices.BinarySearchFunc(f.statements, s, func(a, b statement) int { return a.compare(&b) })
	return at
}

// union merges two copies of one record. If they differ, the larger value of each attribute
// stays.
func union(to, a, b []attribute) []attribute {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].key < b[0].key:
			to, a = append(to, a[0]), a[1:]
		case a[0].key > b[0].key:
			to, b = append(to, b[0]), b[1:]
		case larger(a[0], b[0]):
			to, a, b = append(to, a[0]), a[1:], b[1:]
		default:
			to, a, b = append(to, b[0]), a[1:], b[1:]
		}
	}
	return append(append(to, a...), b...)
}

// larger reports whether a stays when a and b have the same key. A value that names a call is
// larger than one that does not.
func larger(a, b attribute) bool {
	if a.key == keyCall && namesCall(a.raw) != namesCall(b.raw) {
		return namesCall(a.raw)
	}
	return bytes.Compare(a.raw, b.raw) >= 0
}

// encodeNormalized normalizes the set and returns its bytes.
func (f *factsCodec) encodeNormalized(d *dictionary) []byte {
	f.normalize(d)
	f.out = f.out[:0]
	var last [historyKeys][]byte
	for i := range f.statements {
		s := &f.statements[i]
		f.out = appendStatementHead(f.out, s, len(s.attributes))
		for _, e := range s.attributes {
			f.out = binary.AppendUvarint(f.out, uint64(e.key))
			if e.key.keepsHistory() {
				if bytes.Equal(last[e.key], e.raw) {
					f.out = append(f.out, valueSame)
					continue
				}
				last[e.key] = e.raw
			}
			f.out = append(f.out, e.raw...)
		}
		if s.phase == Note {
			f.out = f.appendItems(f.out)
		}
	}
	return f.out
}

// normalize drops the attributes that a newer statement overrides.
func (f *factsCodec) normalize(d *dictionary) {
	f.beginKeyScan(d)
	f.limitHistory()
	empty := false
	for i := len(f.statements) - 1; i >= 0; i-- {
		s := &f.statements[i]
		kept := s.attributes[:0]
		for _, e := range s.attributes {
			if !e.key.keepsHistory() && f.markKey(e.key) {
				continue
			}
			kept = append(kept, e)
		}
		s.attributes = kept
		empty = empty || len(kept) == 0 && s.phase == Update
	}
	if empty {
		f.leaveOutEmpty()
	}
}

// beginKeyScan starts a new scan for markKey.
func (f *factsCodec) beginKeyScan(d *dictionary) {
	if len(f.seen) < len(d.texts) {
		f.seen = append(f.seen, make([]uint32, len(d.texts)-len(f.seen))...)
	}
	if f.scan++; f.scan == 0 {
		clear(f.seen)
		f.scan = 1
	}
}

// markKey marks a key and reports whether this scan marked it before.
func (f *factsCodec) markKey(k key) bool {
	seen := f.seen[k] == f.scan
	f.seen[k] = f.scan
	return seen
}
