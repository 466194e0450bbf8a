// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// Items are the second set that an object holds: the elements of its lists, ordered by
// compareItems.
//
//	uvarint number of items
//	for each: uvarint key of the list | varint place | uvarint length, id |
//	          uvarint number of fields<<1 | removed
//	for each field, in the order of the keys: uvarint key | uvarint rank | value
//
// The union of two sets has the items of both. Of each field the value with the higher rank
// stays, of equal ranks the larger value; a removed item stays removed. Each rule picks the
// larger of two ordered things, so neither order nor duplicates make a difference. Items
// follow the statement of the notes, the only one without a time, because no record's time
// applies to them.

// item is an element of a list.
type item struct {
	list    key
	at      int64
	id      []byte
	removed bool
	fields  []itemField
}

// itemField is a field of an item. rank is the index of its record.
type itemField struct {
	key  key
	rank uint64
	raw  []byte
}

const (
	// maxItems bounds the items of an object; the first ones in the order of compareItems
	// stay.
	maxItems = 256
	// maxItemText is the longest text in an item, in bytes; longer ones are truncated.
	maxItemText = 256
)

func compareItems(a, b item) int {
	return cmp.Or(cmp.Compare(a.list, b.list), cmp.Compare(a.at, b.at), bytes.Compare(a.id, b.id))
}

// encodeItems encodes a record's items into f.incomingItems, in order. It returns how many
// fields were dropped.
func (f *factsCodec) encodeItems(d *dictionary, items []Item, rank uint64) (dropped int) {
	f.incomingItems, f.incomingItemFields, f.joinedFields = f.incomingItems[:0], f.incomingItemFields[:0], f.joinedFields[:0]
	for i := range items {
		list, ok := d.keyOf(items[i].List)
		if !ok {
			dropped += len(items[i].Fields)
			continue
		}
		it := item{list: list, at: items[i].At, id: []byte(hashLongName(items[i].ID)), removed: items[i].Removed}
		if !it.removed {
			it.fields, ok = f.encodeItem(d, items[i].Fields, rank)
		}
		if !ok {
			dropped++
		}
		f.incomingItems = append(f.incomingItems, it)
	}
	slices.SortStableFunc(f.incomingItems, compareItems)
	f.incomingItems = f.joinItems(f.incomingItems[:0], f.incomingItems, nil)
	return dropped
}

// encodeItem encodes the fields of one item; whole is false if some were dropped.
func (f *factsCodec) encodeItem(d *dictionary, fields []Field, rank uint64) (incoming []itemField, whole bool) {
	start := len(f.incomingItemFields)
	whole = true
	for i := range fields {
		k, okKey := d.keyOf(fields[i].Key)
		value := fields[i].Value
		if value.Kind == KindText {
			value.Text = truncate(value.Text, maxItemText)
		}
		at := len(f.values)
		var okValue bool
		if okKey && (value.Kind != KindOpaque || len(value.Text) <= maxItemText) {
			f.values, okValue = appendValue(f.values, value)
		}
		if !okValue {
			whole = false
			continue
		}
		f.incomingItemFields = append(f.incomingItemFields, itemField{k, rank, f.values[at:]})
	}
	incoming = f.incomingItemFields[start:]
	slices.SortFunc(incoming, func(a, b itemField) int { return cmp.Or(cmp.Compare(a.key, b.key), -compareFields(a, b)) })
	return slices.CompactFunc(incoming, func(a, b itemField) bool { return a.key == b.key }), whole
}

// compareFields orders two values of one field; the larger one stays.
func compareFields(a, b itemField) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), bytes.Compare(a.raw, b.raw))
}

// addItems merges f.incomingItems into the items that were read. It returns how many items
// were dropped.
func (f *factsCodec) addItems() (dropped int) {
	if len(f.incomingItems) == 0 {
		return 0
	}
	if at := f.statementIndex(noteStatement); at == len(f.statements) || f.statements[at].phase != Note {
		f.statements = slices.Insert(f.statements, at, noteStatement)
	}
	f.joined = f.joinItems(f.joined[:0], f.items, f.incomingItems)
	dropped = max(0, len(f.joined)-maxItems)
	f.items, f.joined = f.joined[:len(f.joined)-dropped], f.items
	return dropped
}

// joinItems appends the union of two ordered lists, which may contain duplicates. If b is
// empty, to may share a's memory.
func (f *factsCodec) joinItems(to, a, b []item) []item {
	for len(a)+len(b) > 0 {
		var next item
		if len(b) == 0 || len(a) > 0 && compareItems(a[0], b[0]) <= 0 {
			next, a = a[0], a[1:]
		} else {
			next, b = b[0], b[1:]
		}
		if n := len(to); n > 0 && compareItems(to[n-1], next) == 0 {
			f.joinItem(&to[n-1], &next)
		} else {
			to = append(to, next)
		}
	}
	return to
}

// joinItem merges two copies of one item.
func (f *factsCodec) joinItem(to, other *item) {
	if to.removed = to.removed || other.removed; to.removed {
		to.fields = nil
		return
	}
	start := len(f.joinedFields)
	a, b := to.fields, other.fields
	for len(a) > 0 && len(b) > 0 {
		order := cmp.Compare(a[0].key, b[0].key)
		switch {
		case order < 0, order == 0 && compareFields(a[0], b[0]) >= 0:
			f.joinedFields = append(f.joinedFields, a[0])
		default:
			f.joinedFields = append(f.joinedFields, b[0])
		}
		if order <= 0 {
			a = a[1:]
		}
		if order >= 0 {
			b = b[1:]
		}
	}
	f.joinedFields = append(append(f.joinedFields, a...), b...)
	to.fields = f.joinedFields[start:]
}

// readItems decodes the items at the beginning of from.
func (f *factsCodec) readItems(from []byte) (rest []byte, ok bool) {
	r := reader{rest: from}
	for left := r.uvarint(); left > 0 && !r.damaged; left-- {
		it := item{list: r.key(), at: r.varint()}
		it.id = r.bytes(r.length())
		head := r.uvarint()
		it.removed = head&1 != 0
		start := len(f.itemFields)
		for fields := head >> 1; fields > 0 && !r.damaged; fields-- {
			field := itemField{key: r.key(), rank: r.uvarint()}
			if field.raw = r.bytes(valueLength(r.rest)); len(field.raw) == 0 {
				return nil, false
			}
			f.itemFields = append(f.itemFields, field)
		}
		it.fields = f.itemFields[start:]
		f.items = append(f.items, it)
	}
	return r.rest, !r.damaged
}

// appendItems encodes the items.
func (f *factsCodec) appendItems(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(f.items)))
	for i := range f.items {
		it := &f.items[i]
		b = binary.AppendUvarint(b, uint64(it.list))
		b = binary.AppendVarint(b, it.at)
		b = binary.AppendUvarint(b, uint64(len(it.id)))
		b = append(b, it.id...)
		head := uint64(len(it.fields)) << 1
		if it.removed {
			head |= 1
		}
		b = binary.AppendUvarint(b, head)
		for _, field := range it.fields {
			b = binary.AppendUvarint(b, uint64(field.key))
			b = binary.AppendUvarint(b, field.rank)
			b = append(b, field.raw...)
		}
	}
	return b
}

// value returns a field of the item, nil if it is absent.
func (it *item) value(k key) []byte {
	for _, field := range it.fields {
		if field.key == k {
			return field.raw
		}
	}
	return nil
}

// list returns the items of a list, without removed ones.
func (f *factsCodec) list(list key) (items []item) {
	for i := range f.items {
		if f.items[i].list == list && !f.items[i].removed {
			items = append(items, f.items[i])
		}
	}
	return items
}
