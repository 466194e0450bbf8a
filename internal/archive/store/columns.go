// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// column of a table: a field of the table's type of rows. The struct is the only
// place where a column is declared: its name is the field's JSON name, its SQL
// type follows from the field's type, and the field's comment is its description in
// docs/call-archive.md. A field that is no column has the tag column:"-".
//
// A new column has the tag since with the number of the schema version that adds
// it; the migration to that version adds the column to both databases. Columns
// without since are those of the first versions, whose SQL is in schema/.
type column[T any] struct {
	name  string
	since int64
	kind  reflect.Type
	// field returns a pointer to where a row has it: *string, *time.Time, *int64,
	// *float64, **int64, **float64, **bool or *json.RawMessage.
	field func(*T) any
}

// table is how a type of rows is stored. The schema has the same columns
// (TestColumns).
type table[T any] struct {
	name    string
	about   string
	columns []column[T]
	// object of a row; nil for rows that are not merged.
	object func(*T) *Object
	// follows are columns whose value belongs to that of another one: a statement
	// that has the other one replaces both.
	follows map[string]string
	// in is the table of the objects that contain the rows' objects, nil if nothing contains
	// them.
	in *holder[T]
	// endRecordCompletes reports whether an end record completes an object that callstitch closed
	// without one.
	endRecordCompletes bool
	// flags are facts that hold once any statement says them. Optional.
	flags func(*T) uint8
	// derive sets the columns that follow from others, of an object that is not
	// over; start and update are the newest statements of their phases, nil if there
	// are none. Optional.
	derive func(row, start, update *T, flags uint8)

	// complete sets the columns that follow from others of any row, before it is
	// written. Optional.
	complete func(*T)

	// inputs are the columns from which conferences are computed, last_heard_at left
	// out. A table without any contributes nothing to a conference.
	inputs []string
	// indexed are the columns that an index has, also in its condition. The columns
	// that only the store reads are not among them.
	indexed []string

	once  sync.Once
	rules []rule // of the columns, in their order

	watchOnce sync.Once
	watch     watchedColumns

	draftOnce sync.Once
	fields    []draftField[T] // of a statement in a draft
}

// columnsOf returns the columns of a type of rows, details last.
func columnsOf[T any]() (columns []column[T]) {
	var last []column[T]
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous || name == "" || name == "-" || field.Tag.Get("column") == "-" {
			continue
		}
		since, _ := strconv.ParseInt(field.Tag.Get("since"), 10, 64)
		c := column[T]{name: name, since: since, kind: field.Type, field: accessor[T](field.Index)}
		if name == "details" {
			last = append(last, c)
		} else {
			columns = append(columns, c)
		}
	}
	return append(columns, last...)
}

// accessor returns a function that finds a field in a row. Each write calls it some
// hundred times for a row; reflect.Value.FieldByIndex takes four times as long.
func accessor[T any](index []int) func(*T) any {
	kind, offset := reflect.TypeFor[T](), uintptr(0)
	for _, i := range index {
		field := kind.Field(i) // embedded structs are no pointers
		kind, offset = field.Type, offset+field.Offset
	}
	switch kind {
	case reflect.TypeFor[string]():
		return fieldAt[string, T](offset)
	case reflect.TypeFor[time.Time]():
		return fieldAt[time.Time, T](offset)
	case reflect.TypeFor[int64]():
		return fieldAt[int64, T](offset)
	case reflect.TypeFor[*int64]():
		return fieldAt[*int64, T](offset)
	case reflect.TypeFor[float64]():
		return fieldAt[float64, T](offset)
	case reflect.TypeFor[*float64]():
		return fieldAt[*float64, T](offset)
	case reflect.TypeFor[*bool]():
		return fieldAt[*bool, T](offset)
	case reflect.TypeFor[json.RawMessage]():
		return fieldAt[json.RawMessage, T](offset)
	case reflect.TypeFor[Phase](): // no column, but part of a draft
		return fieldAt[Phase, T](offset)
	case reflect.TypeFor[Revision]():
		return fieldAt[Revision, T](offset)
	default:
		panic("callarchive: a column of type " + kind.String())
	}
}

// fieldAt finds a field of type F that is offset bytes behind the start of a row.
func fieldAt[F, T any](offset uintptr) func(*T) any {
	return func(row *T) any {
		return (*F)(unsafe.Add(unsafe.Pointer(row), offset)) //nolint:gosec // the offset and the type are those of a field of T
	}
}

// sqlType of a column.
func (c *column[T]) sqlType(driver string) string {
	types := sqlTypes[c.kind]
	if driver == PostgreSQL {
		return types.postgres
	}
	return types.sqlite
}

// sqlTypes by a field's type. Texts have the collation "C" in PostgreSQL: they sort
// and compare byte by byte, as in SQLite.
var sqlTypes = map[reflect.Type]struct{ sqlite, postgres, words string }{
	reflect.TypeFor[string]():          {"TEXT", `TEXT COLLATE "C"`, "text"},
	reflect.TypeFor[time.Time]():       {"TEXT", "TIMESTAMPTZ", "time"},
	reflect.TypeFor[int64]():           {"INTEGER", "BIGINT", "integer"},
	reflect.TypeFor[*int64]():          {"INTEGER", "BIGINT", "integer"},
	reflect.TypeFor[float64]():         {"REAL", "DOUBLE PRECISION", "number"},
	reflect.TypeFor[*float64]():        {"REAL", "DOUBLE PRECISION", "number"},
	reflect.TypeFor[*bool]():           {"INTEGER", "BOOLEAN", "yes or no"},
	reflect.TypeFor[json.RawMessage](): {"TEXT", "JSONB", "JSON"},
}

// newColumns returns the statements that add the columns of a schema version.
func (t *table[T]) newColumns(driver string, version int64) (statements []string) {
	for i := range t.columns {
		if c := &t.columns[i]; c.since == version {
			statements = append(statements, "ALTER TABLE "+t.name+" ADD COLUMN "+c.name+" "+c.sqlType(driver))
		}
	}
	return statements
}

// addedColumns returns the statements that add the columns of a schema version to
// all tables.
func addedColumns(driver string, version int64) []string {
	return slices.Concat(
		conferenceTable.newColumns(driver, version), calls.newColumns(driver, version), legs.newColumns(driver, version),
		recordings.newColumns(driver, version), sessions.newColumns(driver, version), tracks.newColumns(driver, version),
		dialogs.newColumns(driver, version), storageEvents.newColumns(driver, version), gaps.newColumns(driver, version), legQualities.newColumns(driver, version))
}

var calls = table[Call]{
	name:               "calls",
	about:              "One Call Bridge's part of a conference.",
	object:             func(r *Call) *Object { return &r.Object },
	endRecordCompletes: true,
	inputs: []string{
		"trace_id", "parent_span_id", "state", "outcome", "started_at", "ended_at", "bridge", "room_id", "room_name", "tenant_id",
		"call_type", "correlator", "owner_name", "cdr_tag",
	},
	indexed: []string{"trace_id", "span_id", "started_at"},
	columns: columnsOf[Call](),
}

var legs = table[Leg]{
	name:               "call_legs",
	about:              "One connection to a Call Bridge: mostly a participant.",
	object:             func(r *Leg) *Object { return &r.Object },
	in:                 &holder[Leg]{"calls", "id", true, func(r *Leg) string { return r.CallID }},
	endRecordCompletes: true,
	follows:            map[string]string{"reason_details": "reason", "error_type": "reason", "remote_teardown": "reason"},
	// Not every update of a leg says again that it is connected.
	flags: func(r *Leg) uint8 {
		if r.Activity == ActivityConnected {
			return flagConnected
		}
		return 0
	},
	derive:   deriveActivity,
	complete: setConnected,
	inputs: []string{
		"trace_id", "call_id", "state", "started_at", "ended_at", "bridge", "role", "participant_id", "error_type", "connected_seconds",
		"packet_loss_percent", "excessive_jitter_percent", "high_round_trip_time_percent",
	},
	indexed: []string{
		"trace_id", "span_id", "call_id", "state", "started_at", "ended_at", "duration_seconds", "reason", "error_type", "packet_loss_percent",
		"remote_party", "display_name", "participant_id", "moved_call_leg", "sip_call_id",
	},
	columns: columnsOf[Leg](),
}

// flagConnected of a leg that was connected.
const flagConnected = 1

// deriveActivity sets the activity of a running leg: what the newest update says or, if that
// says nothing, that it was connected or what its start says.
func deriveActivity(row, start, update *Leg, flags uint8) {
	row.Activity = ""
	if row.State == StateEnded {
		return
	}
	if start != nil {
		row.Activity = start.Activity
	}
	if update != nil && update.Activity != "" {
		row.Activity = update.Activity
	}
	if flags&flagConnected != 0 && (row.Activity == "" || row.Activity == ActivityConnecting) {
		row.Activity = ActivityConnected
	}
}

var recordings = table[Recording]{
	name:               "recordings",
	about:              "A recording or a streaming of a call.",
	object:             func(r *Recording) *Object { return &r.Object },
	in:                 &holder[Recording]{"calls", "id", true, func(r *Recording) string { return r.CallID }},
	endRecordCompletes: true,
	inputs:             []string{"trace_id", "kind"},
	indexed:            []string{"trace_id", "span_id", "call_id", "state", "started_at"},
	columns:            columnsOf[Recording](),
}

var sessions = table[Session]{
	name:               "sessions",
	about:              "A recording session of MediaSense.",
	object:             func(r *Session) *Object { return &r.Object },
	follows:            map[string]string{"error_type": "media_state"},
	endRecordCompletes: true,
	indexed:            []string{"trace_id", "span_id", "state", "started_at", "ccid"},
	columns:            columnsOf[Session](),
}

var tracks = table[Track]{
	name:               "tracks",
	about:              "One medium of a session in one direction.",
	object:             func(r *Track) *Object { return &r.Object },
	endRecordCompletes: true,
	indexed:            []string{"trace_id", "span_id", "session_id", "started_at"},
	columns:            columnsOf[Track](),
}

var dialogs = table[Dialog]{
	name:    "dialogs",
	about:   "A SIP dialog that OCMS accounted for: a call, or a branch of one that was answered.",
	object:  func(r *Dialog) *Object { return &r.Object },
	in:      &holder[Dialog]{"call_legs", "sip_call_id", false, func(r *Dialog) string { return r.SIPCallID }},
	follows: map[string]string{"error_type": "result", "code": "result"},
	indexed: []string{"trace_id", "span_id", "started_at", "sip_call_id", "from_party", "to_party", "from_name", "to_name"},
	columns: columnsOf[Dialog](),
}

var storageEvents = table[StorageEvent]{
	name:    "storage_events",
	about:   "A threshold of a MediaSense node's storage that was passed.",
	columns: columnsOf[StorageEvent](),
}

var conferenceTable = table[Conference]{
	name:    "conferences",
	about:   "One meeting, on however many bridges; computed from the rows of its trace.",
	indexed: []string{"trace_id", "room_id", "room_name", "tenant_id", "state", "started_at", "packet_loss_percent"},
	columns: columnsOf[Conference](),
}
