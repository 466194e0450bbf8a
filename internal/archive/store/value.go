// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"time"
)

// instantLayout is how SQLite keeps a time: its own date functions read it, it
// sorts, and it compares with what they return.
const instantLayout = "2006-01-02 15:04:05.000"

// instantText writes a time as SQLite keeps it.
func instantText(t time.Time) string { return t.UTC().Format(instantLayout) }

// value is the argument of a statement for a field; nil is NULL. instant writes times as the
// dialect wants them.
func value(field any, instant func(time.Time) any) any {
	switch v := field.(type) {
	case *string:
		if *v != "" {
			return *v
		}
	case *time.Time:
		if !v.IsZero() {
			return instant(*v)
		}
	case *int64:
		return *v
	case *float64:
		return *v
	case **int64:
		if *v != nil {
			return **v
		}
	case **float64:
		if *v != nil {
			return **v
		}
	case **bool:
		if *v != nil {
			return **v
		}
	case *json.RawMessage:
		if len(*v) > 0 {
			return string(*v)
		}
	default:
		panic(fmt.Sprintf("callarchive: a column of type %T", field))
	}
	return nil
}

// scanTarget is where a column is scanned to: NULL leaves the field as it is.
func scanTarget(field any) any {
	switch v := field.(type) {
	case *string:
		return &nullable[string]{v}
	case *time.Time:
		return &instant{v, time.UTC}
	case **int64, **float64, **bool, *int64, *float64:
		return v
	case *json.RawMessage:
		return &document{v}
	default:
		panic(fmt.Sprintf("callarchive: a column of type %T", field))
	}
}

type nullable[T any] struct{ to *T }

// Scan implements sql.Scanner.
func (n *nullable[T]) Scan(from any) error {
	var v sql.Null[T]
	if err := v.Scan(from); err != nil {
		return err
	}
	if v.Valid {
		*n.to = v.V
	}
	return nil
}

// instant is where a time is scanned to, as one of a zone.
type instant struct {
	to   *time.Time
	zone *time.Location
}

// Scan implements sql.Scanner.
func (i *instant) Scan(from any) error {
	switch v := from.(type) {
	case nil:
	case time.Time:
		*i.to = v.In(i.zone)
	case string:
		t, err := time.Parse(instantLayout, v)
		if err != nil {
			return fmt.Errorf("a time is not written as %q", instantLayout)
		}
		*i.to = t.In(i.zone)
	default:
		return fmt.Errorf("a time is a %T", from)
	}
	return nil
}

type document struct{ to *json.RawMessage }

// Scan implements sql.Scanner.
func (d *document) Scan(from any) error {
	switch v := from.(type) {
	case nil:
	case string:
		*d.to = json.RawMessage(v)
	case []byte:
		*d.to = append(json.RawMessage(nil), v...)
	default:
		return fmt.Errorf("a document is a %T", from)
	}
	return nil
}

// digest of a row's values, the same in each process that reads the same record.
func (t *table[T]) digest(row *T) int64 {
	hash := fnv.New64a()
	var number [8]byte
	put := func(v uint64) {
		binary.LittleEndian.PutUint64(number[:], v)
		_, _ = hash.Write(number[:])
	}
	for i, c := range t.columns {
		switch v := c.field(row).(type) {
		case *string:
			if *v != "" {
				put(uint64(i))
				_, _ = hash.Write([]byte(*v))
			}
		case *json.RawMessage:
			if len(*v) > 0 {
				put(uint64(i))
				_, _ = hash.Write(*v)
			}
		case *time.Time:
			if !v.IsZero() {
				put(uint64(i))
				put(uint64(v.UnixMilli()))
			}
		case **int64:
			if *v != nil {
				put(uint64(i))
				put(uint64(**v)) //nolint:gosec // any number will do
			}
		case **float64:
			if *v != nil {
				put(uint64(i))
				put(math.Float64bits(**v))
			}
		case **bool:
			if *v != nil {
				put(uint64(i))
				if **v {
					put(1)
				}
			}
		}
	}
	return int64(hash.Sum64()) //nolint:gosec // any number will do
}
