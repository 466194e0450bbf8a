// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callarchive

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
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
	// keepKnown sets in a statement the facts of an older one that hold for the rest
	// of the object's life. It reports whether that changed the statement. Optional.
	keepKnown func(to, from *T) bool
	// derive sets the columns that follow from others, once a row is merged. Optional.
	derive func(*T)
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
		conferences.newColumns(driver, version), calls.newColumns(driver, version), legs.newColumns(driver, version),
		recordings.newColumns(driver, version), sessions.newColumns(driver, version), tracks.newColumns(driver, version),
		dialogs.newColumns(driver, version), storageEvents.newColumns(driver, version))
}

var calls = table[Call]{
	name:    "calls",
	about:   "One Call Bridge's part of a conference.",
	object:  func(r *Call) *Object { return &r.Object },
	columns: columnsOf[Call](),
}

var legs = table[Leg]{
	name:   "call_legs",
	about:  "One connection to a Call Bridge: mostly a participant.",
	object: func(r *Leg) *Object { return &r.Object },
	derive: func(r *Leg) {
		switch {
		case r.State == StateEnded:
			r.Activity = ""
		case r.Connected && (r.Activity == "" || r.Activity == ActivityConnecting):
			r.Activity = ActivityConnected
		}
	},
	// Not every update of a leg says again that it is connected.
	keepKnown: func(to, from *Leg) bool {
		changed := from.Connected && !to.Connected
		to.Connected = to.Connected || from.Connected
		return changed
	},
	columns: columnsOf[Leg](),
}

var recordings = table[Recording]{
	name:    "recordings",
	about:   "A recording or a streaming of a call.",
	object:  func(r *Recording) *Object { return &r.Object },
	columns: columnsOf[Recording](),
}

var sessions = table[Session]{
	name:    "sessions",
	about:   "A recording session of MediaSense.",
	object:  func(r *Session) *Object { return &r.Object },
	columns: columnsOf[Session](),
}

var tracks = table[Track]{
	name:    "tracks",
	about:   "One medium of a session in one direction.",
	object:  func(r *Track) *Object { return &r.Object },
	columns: columnsOf[Track](),
}

var dialogs = table[Dialog]{
	name:    "dialogs",
	about:   "A SIP dialog that OCMS accounted for: a call, or a branch of one that was answered.",
	object:  func(r *Dialog) *Object { return &r.Object },
	columns: columnsOf[Dialog](),
}

var storageEvents = table[StorageEvent]{
	name:    "storage_events",
	about:   "A threshold of a MediaSense node's storage that was passed.",
	columns: columnsOf[StorageEvent](),
}

var conferences = table[Conference]{
	name:    "conferences",
	about:   "One meeting, on however many bridges; computed from the rows of its trace.",
	columns: columnsOf[Conference](),
}

// overlay writes two statements into the older one: what the newer one says, and what the older
// one says where the newer says nothing. Details are overlaid attribute by
// attribute.
func (t *table[T]) overlay(older, newer *T) {
	for _, c := range t.columns {
		switch to := c.field(older).(type) {
		case *string:
			if from := *c.field(newer).(*string); from != "" {
				*to = from
			}
		case *time.Time:
			if from := *c.field(newer).(*time.Time); !from.IsZero() {
				*to = from
			}
		case **int64:
			if from := *c.field(newer).(**int64); from != nil {
				*to = from
			}
		case **float64:
			if from := *c.field(newer).(**float64); from != nil {
				*to = from
			}
		case **bool:
			if from := *c.field(newer).(**bool); from != nil {
				*to = from
			}
		case *json.RawMessage:
			*to = overlayDocument(*to, *c.field(newer).(*json.RawMessage))
		}
	}
}

// overlayDocument joins two JSON objects; of anything else the newer stands.
func overlayDocument(older, newer json.RawMessage) json.RawMessage {
	switch {
	case len(newer) == 0:
		return older
	case len(older) == 0 || older[0] != '{' || newer[0] != '{':
		return newer
	}
	var joined map[string]json.RawMessage
	if json.Unmarshal(older, &joined) != nil || json.Unmarshal(newer, &joined) != nil {
		return newer
	}
	text, err := json.Marshal(joined)
	if err != nil {
		return newer
	}
	return text
}
