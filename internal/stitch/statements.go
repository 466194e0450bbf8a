// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import "slices"

// Queries over all statements of an object.

// retainKeys drops all attributes except those that keep selects, and all items.
func (f *factsCodec) retainKeys(keep func(key) bool) {
	for i := range f.statements {
		s := &f.statements[i]
		s.attributes = slices.DeleteFunc(s.attributes, func(e attribute) bool { return !keep(e.key) })
	}
	f.items = f.items[:0]
}

// hasEnd reports whether the facts contain an end record.
func (f *factsCodec) hasEnd() bool {
	return slices.ContainsFunc(f.statements, func(s statement) bool { return s.phase == End })
}

// hasStart reports whether the facts contain a start record.
func (f *factsCodec) hasStart() bool {
	return slices.ContainsFunc(f.statements, func(s statement) bool { return s.phase == Start })
}

// newest returns the last value of an attribute, nil if it is absent.
func (f *factsCodec) newest(k key) []byte {
	for i := len(f.statements) - 1; i >= 0; i-- {
		if raw := f.statements[i].value(k); raw != nil {
			return raw
		}
	}
	return nil
}

// value returns the statement's value of an attribute, nil if it is absent.
func (s *statement) value(k key) []byte {
	for _, e := range s.attributes {
		if e.key == k {
			return e.raw
		}
	}
	return nil
}

// timeRange holds the times in an object's statements: of its start and end records, and of
// its first and last record. Times are 0 if unknown.
type timeRange struct {
	start, end, first, last int64
}

func (f *factsCodec) timeRange() (s timeRange) {
	for i := range f.statements {
		t := f.statements[i].time
		s.first = earliestSet(s.first, t)
		s.last = max(s.last, t)
		switch f.statements[i].phase {
		case Start:
			s.start = earliestSet(s.start, t)
		case End:
			s.end = max(s.end, t)
		case Update, Note: // a note has no time
		}
	}
	return s
}

// startOrFirst returns the start, or the first time if the start is unknown.
func (s timeRange) startOrFirst() int64 {
	if s.start != 0 {
		return s.start
	}
	return s.first
}

// earliestSet returns the smaller of two times; 0 is no time.
func earliestSet(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
