// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"
)

// Most records about an object that runs change little of its row: its last_heard_at,
// its details and its draft. A write reads the columns of the row that others depend
// on, so that it can leave out what did not change: the conference is computed anew only
// if one of its inputs changed, and indexes are written only if an indexed column did.

// watchedColumns are the columns of a stored row that a write compares with the new row.
type watchedColumns struct {
	names []string
	// inputs of conferences, indexed ones and all that are watched, as indexes into
	// table.columns.
	inputs, indexed, all []int
}

// watched returns the columns whose stored values a write reads.
func (t *table[T]) watched() *watchedColumns {
	t.watchOnce.Do(func() {
		for i := range t.columns {
			name := t.columns[i].name
			isInput, isIndexed := slices.Contains(t.inputs, name), slices.Contains(t.indexed, name)
			if isInput {
				t.watch.inputs = append(t.watch.inputs, i)
			}
			if isIndexed {
				t.watch.indexed = append(t.watch.indexed, i)
			}
			if isInput || isIndexed || len(t.inputs) > 0 && name == "last_heard_at" {
				t.watch.all, t.watch.names = append(t.watch.all, i), append(t.watch.names, name)
			}
		}
	})
	return &t.watch
}

// equalIn reports whether two rows have the same values in some columns.
func (t *table[T]) equalIn(columns []int, a, b *T) bool {
	for _, i := range columns {
		if !equalFields(t.columns[i].field(a), t.columns[i].field(b)) {
			return false
		}
	}
	return true
}

// changedIndexed returns the indexed columns in which two rows differ.
func (t *table[T]) changedIndexed(a, b *T) (changed columnSet) {
	for bit, i := range t.watched().indexed {
		if !equalFields(t.columns[i].field(a), t.columns[i].field(b)) {
			changed |= 1 << bit
		}
	}
	return changed
}

// equalFields compares two fields of the same type.
func equalFields(a, b any) bool {
	switch v := a.(type) {
	case *string:
		return *v == *b.(*string)
	case *time.Time:
		return v.Equal(*b.(*time.Time))
	case *int64:
		return *v == *b.(*int64)
	case *float64:
		return *v == *b.(*float64)
	case **int64:
		return equalPointers(*v, *b.(**int64))
	case **float64:
		return equalPointers(*v, *b.(**float64))
	case **bool:
		return equalPointers(*v, *b.(**bool))
	case *json.RawMessage:
		return bytes.Equal(*v, *b.(*json.RawMessage))
	default:
		return false
	}
}

func equalPointers[V comparable](a, b *V) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// changeConferences records what a changed row means for the conferences of its old and
// its new trace.
func changeConferences[T any](w *write, t *table[T], e *entry[T], row *T) {
	if len(t.inputs) == 0 {
		return
	}
	o := t.object(row)
	if !e.stored {
		w.tracesToCompute[o.TraceID] = struct{}{}
		return
	}
	before := t.object(e.storedRow)
	switch {
	case o.LastHeardAt.Before(before.LastHeardAt), !t.equalIn(t.watched().inputs, e.storedRow, row):
		w.tracesToCompute[o.TraceID] = struct{}{}
		w.tracesToCompute[e.trace] = struct{}{}
	case o.LastHeardAt.After(before.LastHeardAt):
		w.lastHeardByTrace[o.TraceID] = latest(w.lastHeardByTrace[o.TraceID], o.LastHeardAt)
	}
}
