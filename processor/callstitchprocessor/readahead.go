// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/stitch"
)

// aheadRecord is one of the next records. Only event is set if it is no call detail record.
type aheadRecord struct {
	event   mergedEvent
	isEvent bool
	index   uint64 // its number in its session, 0 if it has none
	fields  int    // end of its fields in readAhead.fields
}

// readAhead holds the next records, up to stitch.MaxExpected, and the attributes of the call
// detail records among them. Its memory is reused.
type readAhead struct {
	records  [stitch.MaxExpected]aheadRecord
	expected [stitch.MaxExpected]stitch.Expected
	used     int // number of elements that the request used
	// fields are the attributes of all records. The texts belong to the records.
	fields     []stitch.Field
	usedFields int // most fields that the request used at once
}

// minPreload is the smallest number of records for which Preload saves time.
const minPreload = 4

// read reads the events and the attributes of n records from an index, and preloads their
// objects.
func (a *readAhead) read(engine *stitch.Engine, records plog.LogRecordSlice, from, n int) {
	a.used = max(a.used, n)
	a.fields = a.fields[:0]
	for i := range n {
		lr := records.At(from + i)
		r, x := &a.records[i], &a.expected[i]
		*r, *x = aheadRecord{}, stitch.Expected{}
		if r.event, r.isEvent = mergedEvents[lr.EventName()]; r.isEvent && r.event.isCallDetailRecord() {
			x.Kind, x.Ends = r.event.kind, r.event.phase == stitch.End
			x.ID, r.index = a.readCallDetailRecord(lr.Attributes(), r.event.kind)
		}
		r.fields = len(a.fields)
	}
	a.usedFields = max(a.usedFields, len(a.fields))
	if n >= minPreload {
		engine.Preload(a.expected[:n])
	}
}

// fieldsOf returns the attributes of a call detail record.
func (a *readAhead) fieldsOf(i int) []stitch.Field {
	begin := 0
	if i > 0 {
		begin = a.records[i-1].fields
	}
	return a.fields[begin:a.records[i].fields]
}

// reset releases all references to the request's data.
func (a *readAhead) reset() {
	clear(a.expected[:a.used])
	clear(a.fields[:a.usedFields])
	a.used, a.usedFields = 0, 0
	if cap(a.fields) > maxAheadFields {
		a.fields = nil
	}
}

// maxAheadFields is the largest number of fields whose memory is reused.
const maxAheadFields = 2048

// isRecordAttribute reports whether an attribute describes the record and not its object. It
// looks at the end of the prefix first, because most attributes begin as the prefix does.
func isRecordAttribute(key string) bool {
	const last = len(recordPrefix) - 1
	return len(key) > last && key[last] == recordPrefix[last] && strings.HasPrefix(key, recordPrefix)
}

// readCallDetailRecord appends the attributes of the record's object to a.fields. It returns the
// object's id, "" if absent, and the record's number in its session, 0 if it has none.
func (a *readAhead) readCallDetailRecord(attributes pcommon.Map, kind stitch.Kind) (id string, index uint64) {
	idKey := kind.IDKey()
	var first struct{ id, index, legacyIndex pcommon.Value } // of each key
	for key, v := range attributes.All() {
		switch {
		case key == idKey:
			setFirst(&first.id, v)
		case !isRecordAttribute(key):
			if value, ok := valueOf(v); ok {
				a.fields = append(a.fields, stitch.Field{Key: key, Value: value})
			}
		case key == names.RecordIndex:
			setFirst(&first.index, v)
		case key == names.RecordLegacyIndex:
			setFirst(&first.legacyIndex, v)
		}
	}
	if first.id != (pcommon.Value{}) && first.id.Type() == pcommon.ValueTypeStr {
		id = first.id.Str()
	}
	if first.index == (pcommon.Value{}) { // very old servers only send the legacy number
		first.index = first.legacyIndex
	}
	return id, indexOf(first.index)
}

// setFirst keeps the first value of a key.
func setFirst(first *pcommon.Value, v pcommon.Value) {
	if *first == (pcommon.Value{}) {
		*first = v
	}
}

// indexOf returns a record's number in its session, 0 if v is none or the zero Value.
func indexOf(v pcommon.Value) uint64 {
	if v == (pcommon.Value{}) || v.Type() != pcommon.ValueTypeInt || v.Int() < 0 {
		return 0
	}
	return uint64(v.Int()) //nolint:gosec // not negative
}
