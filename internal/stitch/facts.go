// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// The facts of an object are what its records said, a statement for each
// record, oldest first:
//
//	uvarint index | uvarint seconds<<1|1, uvarint nanoseconds   (0 of them: seconds<<1)
//	uvarint number of attributes<<2 | phase
//	for each attribute, in the order of the keys: uvarint key | value, or valueSame
//	if the phase is Note: items (items.go)
//
// Statements that were put behind the others by appendNewest are not normalized:
// they have all attributes, with their values.
//
// What notes say is all in one statement, without an index and a time.
//
// Of an attribute only the newest statement that has it keeps it, unless
// key.remembers; then the first maxHistory-1 keep it and the newest one. An
// update that has nothing left is left out, unless its time is the first or the
// last. That makes the bytes a function of the set of records: the union of two
// sets, normalized, is the same whichever way it came about.

// statement is what one record said.
type statement struct {
	index   uint64
	time    int64
	phase   Phase
	entries []entry
	count   int // of entries, while they are being read
}

// entry is one attribute of it. raw is a value as in value.go.
type entry struct {
	key key
	raw []byte
}

// compare is the order of the records of one object: a session numbers its
// records; where nothing is numbered, time orders them.
func (s *statement) compare(t *statement) int {
	return cmp.Or(cmp.Compare(s.index, t.index), cmp.Compare(s.time, t.time), cmp.Compare(s.phase, t.phase))
}

// facts is room to take the bytes of an object apart and put them together. One
// serves all objects, one at a time.
type factsCodec struct {
	in         []byte // what was read; the entries alias it
	statements []statement
	entries    []entry // of all statements
	incoming   []entry // of the statement to be merged
	values     []byte  // of said and saidItems
	union      []entry
	out        []byte

	items, incomingItems, joined                 []item
	itemFields, incomingItemFields, joinedFields []itemField // of them

	// What a leg's participant and SIP Call-ID were before the merge.
	participant, sipCallID []byte

	seen  []uint32 // by key: the round in which it was seen
	round uint32

	dropped int // attributes of the history that normalized left out
}

// read takes bytes apart, which may change then. It tells whether they are facts
// at all.
func (f *factsCodec) read(from []byte) bool {
	f.in = append(f.in[:0], from...)
	return f.parse()
}

// parse takes the bytes apart that are in.
func (f *factsCodec) parse() bool {
	from := f.in
	f.statements, f.entries, f.items, f.itemFields = f.statements[:0], f.entries[:0], f.items[:0], f.itemFields[:0]
	for len(from) > 0 {
		s, count, used := readHead(from)
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
				if raw = valueOf(f.entries, key(number)); raw == nil {
					return false
				}
			}
			f.entries = append(f.entries, entry{key(number), raw})
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
	// Only now do the entries stay where they are.
	rest := f.entries
	for i := range f.statements {
		s := &f.statements[i]
		s.entries, rest = rest[:s.count:s.count], rest[s.count:]
	}
	return true
}

const phaseBits = 2

// noted is the statement that has what notes say.
var noteStatement = statement{phase: Note}

// readHead reads a statement without its entries; used is 0 if there is none.
func readHead(from []byte) (s statement, count uint64, used int) {
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

func appendHead(b []byte, s *statement, count int) []byte {
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

// say takes what a record says into said, by key. It returns how many
// attributes found no room.
func (f *factsCodec) encodeFields(d *dictionary, fields []Field) (dropped int) {
	f.incoming, f.values = f.incoming[:0], f.values[:0]
	previous := keyRole // no record has it
	for i := range fields {
		k, ok := d.next(previous, fields[i].Key)
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
		// The values may still move: the entry holds where, for now.
		f.incoming = append(f.incoming, entry{key: k, raw: f.values[start:]})
	}
	rest := f.values
	for i := range f.incoming {
		n := len(f.incoming[i].raw)
		f.incoming[i].raw, rest = rest[:n:n], rest[n:]
	}
	f.incoming = sortEntries(f.incoming)
	return dropped
}

// mostInOrder is how many entries are moved one by one.
const maxInsertionSort = 64

// inOrder sorts entries by their keys. Records of one kind have the order in
// which their keys got their numbers, but for what was left out, so that there
// is little to move. A key twice is no record of ours; the larger value stands,
// as in union.
func sortEntries(entries []entry) []entry {
	if len(entries) > maxInsertionSort {
		slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
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

// add makes the set that was read and what a record said one set.
func (f *factsCodec) addStatement(s statement, incoming []entry) {
	at := f.statementIndex(s)
	if at < len(f.statements) && f.statements[at].compare(&s) == 0 {
		known := &f.statements[at]
		f.union = union(f.union[:0], known.entries, incoming)
		known.entries = f.union
		return
	}
	f.union = append(f.union[:0], incoming...) // said stays as it is
	s.entries = f.union
	f.statements = slices.Insert(f.statements, at, s)
}

// place is where a statement stands, or would.
func (f *factsCodec) statementIndex(s statement) int {
	at, _ := slices.BinarySearchFunc(f.statements, s, func(a, b statement) int { return a.compare(&b) })
	return at
}

// union joins what two copies of one record say. They should say the same; if
// they do not, the larger value of each attribute stands.
func union(to, a, b []entry) []entry {
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

// larger tells which of two values of one attribute stands; one that names a
// call before one that does not.
func larger(a, b entry) bool {
	if a.key == keyCall && namesCall(a.raw) != namesCall(b.raw) {
		return namesCall(a.raw)
	}
	return bytes.Compare(a.raw, b.raw) >= 0
}

// normalized returns the set, normalized, as bytes.
func (f *factsCodec) normalized(d *dictionary) []byte {
	f.normalize(d)
	f.out = f.out[:0]
	var last [historyKeys][]byte
	for i := range f.statements {
		s := &f.statements[i]
		f.out = appendHead(f.out, s, len(s.entries))
		for _, e := range s.entries {
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

// normalize drops from the statements what a newer one says anew.
func (f *factsCodec) normalize(d *dictionary) {
	f.beginKeyScan(d)
	f.limitHistory()
	empty := false
	for i := len(f.statements) - 1; i >= 0; i-- {
		s := &f.statements[i]
		kept := s.entries[:0]
		for _, e := range s.entries {
			if !e.key.keepsHistory() && f.markKey(e.key) {
				continue
			}
			kept = append(kept, e)
		}
		s.entries = kept
		empty = empty || len(kept) == 0 && s.phase == Update
	}
	if empty {
		f.leaveOutEmpty()
	}
}

// begin starts a round of mark.
func (f *factsCodec) beginKeyScan(d *dictionary) {
	if len(f.seen) < len(d.texts) {
		f.seen = append(f.seen, make([]uint32, len(d.texts)-len(f.seen))...)
	}
	if f.round++; f.round == 0 {
		clear(f.seen)
		f.round = 1
	}
}

// mark tells whether the key was marked before in this round.
func (f *factsCodec) markKey(k key) bool {
	seen := f.seen[k] == f.round
	f.seen[k] = f.round
	return seen
}
