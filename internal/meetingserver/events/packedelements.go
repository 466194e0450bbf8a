// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"bytes"
	"encoding/binary"
)

// packedElements holds the elements of one object as bytes, one entry after the other. A pointer
// and a map entry for each element would take most of a participant's memory.
//
//	entry := element kind [uvarint length, name (of an unknown element)] value
//	value := uvarint length, text | bool byte | 8 bytes of a number
//
// An unset value has no entry.
type packedElements []byte

// maxRecord bounds the bytes of one record. Unknown elements above it are not kept, so each
// update with them is a change.
const maxRecord = 16 << 10

// entry is one decoded entry of a record.
type entry struct {
	element    Element
	kind       ValueKind
	name       []byte
	value      []byte
	begin, end int
}

// entryAt decodes the entry at offset i.
func (r packedElements) entryAt(i int) (e entry) {
	e.begin = i
	e.element, e.kind = Element(r[i]), ValueKind(r[i+1])
	i += 2
	if e.element == Unknown {
		e.name, i = r.bytesAt(i)
	}
	switch e.kind {
	case Bool:
		e.value, i = r[i:i+1], i+1
	case Int, Double:
		e.value, i = r[i:i+8], i+8
	default:
		e.value, i = r.bytesAt(i)
	}
	e.end = i
	return e
}

// bytesAt returns the bytes with a length prefix at offset i, and the offset behind them.
func (r packedElements) bytesAt(i int) (content []byte, after int) {
	length, size := binary.Uvarint(r[i:])
	begin := i + size
	after = begin + int(length) //nolint:gosec // written by append, which knows no text above maxText
	return r[begin:after], after
}

// find returns the entry of an element.
func (r packedElements) find(element Element, name []byte) (e entry, found bool) {
	for i := 0; i < len(r); i = e.end {
		e = r.entryAt(i)
		if e.element == element && (element != Unknown || bytes.Equal(e.name, name)) {
			return e, true
		}
	}
	return entry{}, false
}

// text returns the text of a documented element, or nil.
func (r packedElements) text(element Element) []byte {
	if e, found := r.find(element, nil); found && e.kind == Text {
		return e.value
	}
	return nil
}

// integer returns the number of a documented element.
func (r packedElements) integer(element Element) (n int64, ok bool) {
	if e, found := r.find(element, nil); found && e.kind == Int {
		return int64(binary.LittleEndian.Uint64(e.value)), true //nolint:gosec // the bits of an int64
	}
	return 0, false
}

// append appends v to dst as an entry.
func (v *Field) append(dst packedElements) packedElements {
	dst = append(dst, byte(v.Element), byte(v.Kind))
	if v.Element == Unknown {
		dst = append(binary.AppendUvarint(dst, uint64(len(v.Name))), v.Name...)
	}
	return v.appendValue(dst)
}

func (v *Field) appendValue(dst packedElements) packedElements {
	switch v.Kind {
	case Bool:
		return append(dst, byte(v.Number&1))
	case Int, Double:
		return binary.LittleEndian.AppendUint64(dst, v.Number)
	default:
		return append(binary.AppendUvarint(dst, uint64(len(v.Text))), v.Text...)
	}
}

// equals reports whether v and e have the same value.
func (v *Field) equals(e *entry) bool {
	if v.Kind != e.kind {
		return false
	}
	switch v.Kind {
	case Bool:
		return byte(v.Number&1) == e.value[0]
	case Int, Double:
		return v.Number == binary.LittleEndian.Uint64(e.value)
	default:
		return bytes.Equal(v.Text, e.value)
	}
}

// merge returns the record with fields applied, and appends the fields that differ from the
// record to changed. It ignores Reason, which belongs to one removal.
func (r packedElements) merge(fields, changed []Field) (after packedElements, all []Field) {
	grow := 0
	for i := range fields {
		v := &fields[i]
		if v.Element == Reason {
			continue
		}
		e, found := r.find(v.Element, v.Name)
		switch {
		case found && v.equals(&e), !found && v.Kind == Null:
			continue
		case found && v.Kind == e.kind && v.Kind != Text:
			// Flags change most often; their size stays the same, so overwrite them.
			v.appendValue(e.value[:0])
		case found:
			r = append(r[:e.begin], r[e.end:]...)
			grow += v.size()
		default:
			grow += v.size()
		}
		changed = append(changed, *v)
	}
	if grow == 0 {
		return r, changed
	}
	after = r
	if len(r)+grow > cap(r) {
		after = append(make(packedElements, 0, len(r)+grow), r...)
	}
	for i := range changed {
		v := &changed[i]
		if _, found := after.find(v.Element, v.Name); found || v.Kind == Null {
			continue
		}
		if v.Element == Unknown && len(after) > maxRecord {
			continue
		}
		after = v.append(after)
	}
	return after, changed
}

// size returns the number of bytes that append adds.
func (v *Field) size() int {
	n := 2
	if v.Element == Unknown {
		n += sizeWithLength(len(v.Name))
	}
	switch v.Kind {
	case Bool:
		return n + 1
	case Int, Double:
		return n + 8
	default:
		return n + sizeWithLength(len(v.Text))
	}
}

// sizeWithLength returns the size of a text of length bytes with its length prefix. Text is
// too short for a prefix of three bytes.
func sizeWithLength(length int) int {
	if length < 1<<7 {
		return 1 + length
	}
	return 2 + length
}

// fields returns all elements of the record.
func (r packedElements) fields() (all []Field) {
	var e entry
	for i := 0; i < len(r); i = e.end {
		e = r.entryAt(i)
		v := Field{Element: e.element, Kind: e.kind, Name: e.name}
		switch e.kind {
		case Bool:
			v.Number = uint64(e.value[0])
			v.Text = falseText
			if v.Number != 0 {
				v.Text = trueText
			}
		case Int, Double:
			v.Number = binary.LittleEndian.Uint64(e.value)
		default:
			v.Text = e.value
		}
		all = append(all, v)
	}
	return all
}
