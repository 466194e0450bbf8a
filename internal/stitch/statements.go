// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "slices"

// What the statements of an object say together.

// keep leaves out all that is said of other attributes than some, and all items.
func (f *factsCodec) retainKeys(some func(key) bool) {
	for i := range f.statements {
		s := &f.statements[i]
		s.entries = slices.DeleteFunc(s.entries, func(e entry) bool { return !some(e.key) })
	}
	f.items = f.items[:0]
}

// hasEnd tells whether a record ended the object.
func (f *factsCodec) hasEnd() bool {
	return slices.ContainsFunc(f.statements, func(s statement) bool { return s.phase == End })
}

// hasStart tells whether the record that started the object was seen.
func (f *factsCodec) hasStart() bool {
	return slices.ContainsFunc(f.statements, func(s statement) bool { return s.phase == Start })
}

// newest returns the value that an attribute had last.
func (f *factsCodec) newest(k key) []byte {
	for i := len(f.statements) - 1; i >= 0; i-- {
		if raw := f.statements[i].value(k); raw != nil {
			return raw
		}
	}
	return nil
}

// value returns what the statement says of an attribute.
func (s *statement) value(k key) []byte {
	for _, e := range s.entries {
		if e.key == k {
			return e.raw
		}
	}
	return nil
}

// span is what the statements say about the times of an object. Times are 0
// where nothing is known.
type timeRange struct {
	start, end, first, last int64
}

func (f *factsCodec) timeRange() (s timeRange) {
	for i := range f.statements {
		t := f.statements[i].time
		s.first = earliest(s.first, t)
		s.last = max(s.last, t)
		switch f.statements[i].phase {
		case Start:
			s.start = earliest(s.start, t)
		case End:
			s.end = max(s.end, t)
		case Update, Note: // a note has no time
		}
	}
	return s
}

// begin is the start or, where that is not known, the first time.
func (s timeRange) startOrFirst() int64 {
	if s.start != 0 {
		return s.start
	}
	return s.first
}

// earliest is the smaller of two times, of which 0 is none.
func earliest(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
