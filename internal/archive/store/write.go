// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// write is one transaction.
type write struct {
	dialect         dialect
	tx              transaction
	tracesToCompute map[string]struct{} // traces whose conferences are computed anew
	// heard has traces of whose conferences only last_heard_at may change, with the
	// newest time of a row that changed.
	lastHeardByTrace map[string]time.Time
	// calls and SIP calls whose rows changed: legs, recordings and dialogs in them may
	// have to follow.
	calls, sipCalls []string
	// endedLegs are the legs whose rows changed and are over, endedParticipants those of
	// them that have a participant.
	endedLegs, endedParticipants []string
	// legStarts are when the legs whose rows changed started.
	legStarts []time.Time
	result    Result
}

func newWrite(d dialect, tx transaction) *write {
	return &write{dialect: d, tx: tx, tracesToCompute: map[string]struct{}{}, lastHeardByTrace: map[string]time.Time{}}
}

// revisionColumns are the columns that only the store reads.
var revisionColumns = []string{"phase", "revised_at", "digest", "draft"}

// put merges statements into a table's rows. It writes the rows of misplaced ids
// too, see holder.place.
func put[T any](ctx context.Context, w *write, t *table[T], statements []T, misplaced []string) error {
	if len(statements)+len(misplaced) == 0 {
		return nil
	}
	entries := make(map[string]*entry[T], len(statements)+len(misplaced))
	ids := make([]string, 0, len(statements)+len(misplaced))
	entryFor := func(id string) *entry[T] {
		e := entries[id]
		if e == nil {
			e = &entry[T]{}
			entries[id] = e
			ids = append(ids, id)
		}
		return e
	}
	for i := range statements {
		entryFor(t.object(&statements[i]).ID)
	}
	for _, id := range misplaced {
		entryFor(id).changed = true
	}
	if err := load(ctx, w, t, ids, entries); err != nil {
		return err
	}
	if err := readStitched(ctx, w, t, statements, entries); err != nil {
		return err
	}
	for i := range statements {
		e := entries[t.object(&statements[i]).ID]
		if e.add(t, &statements[i]) {
			e.changed = true
			w.recordSIPCall(&statements[i])
		} else {
			w.result.Unchanged++
		}
	}
	return putChanged(ctx, w, t, ids, entries)
}

// putChanged writes the rows of the entries that changed.
func putChanged[T any](ctx context.Context, w *write, t *table[T], ids []string, entries map[string]*entry[T]) error {
	ids = slices.DeleteFunc(ids, func(id string) bool { return !entries[id].changed })
	if len(ids) == 0 {
		return nil
	}
	merged, drafts := make([]*T, len(ids)), make([]any, len(ids))
	var text []byte
	for i, id := range ids {
		var err error
		if merged[i], text, err = entries[id].row(t, text); err != nil {
			return fmt.Errorf("draft of a row of %s: %w", t.name, err)
		}
		drafts[i] = optional(text)
	}
	if t.in != nil {
		if err := t.in.place(ctx, w, t, merged); err != nil {
			return err
		}
	}
	rows := make([]tableRow, len(ids))
	for i, row := range merged {
		if t.complete != nil {
			t.complete(row)
		}
		e, o := entries[ids[i]], t.object(row)
		changeConferences(w, t, e, row)
		w.recordChange(row, e.trace != o.TraceID)
		rows[i] = tableRow{
			values: append(t.values(row, w.dialect.instant, len(revisionColumns)),
				int64(o.Phase), value(&o.Revision.Time, w.dialect.instant), o.Revision.Digest, drafts[i]),
			mayExist: e.stored, exists: e.stored,
		}
		if e.stored {
			rows[i].changed = t.changedIndexed(e.storedRow, row)
		}
	}
	w.result.Changed += len(rows)
	return w.tx.put(ctx, t.name, append(t.names(), revisionColumns...), rows)
}

// load reads the stored rows of objects: their rank, their draft and the watched
// columns.
func load[T any](ctx context.Context, w *write, t *table[T], ids []string, entries map[string]*entry[T]) error {
	watched := t.watched()
	columns := append([]string{"id", "trace_id", "phase", "outcome", "revised_at", "digest", "draft"}, watched.names...)
	found, err := w.tx.query(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM "+t.name+" WHERE "+w.dialect.in("id", "$1"), w.dialect.list(ids))
	if err != nil {
		return err
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		var id, trace, outcome string
		var phase, digest int64
		var revised time.Time
		var text json.RawMessage
		before := new(T)
		to := append(make([]any, 0, len(columns)), &id, &trace, &phase, scanTarget(&outcome), scanTarget(&revised), &digest, scanTarget(&text))
		for _, column := range watched.all {
			to = append(to, scanTarget(t.columns[column].field(before)))
		}
		if err := found.Scan(to...); err != nil {
			return err
		}
		e := entries[id]
		e.stored, e.trace, e.storedRow = true, trace, before
		if len(text) > 0 {
			e.readDraft(t, text)
			continue
		}
		// One stitched record made the row: readStitched reads its values if needed.
		final := new(T)
		o := t.object(final)
		o.Phase, o.Outcome, o.Revision = Phase(phase), outcome, Revision{Time: revised, Digest: digest} //nolint:gosec // a phase that the store wrote
		e.valuesUnread, e.draft.Statements = true, []*T{final}
	}
	return found.Err()
}

// readStitched reads the rows that one stitched record made, if the batch has another
// statement about the object.
func readStitched[T any](ctx context.Context, w *write, t *table[T], statements []T, entries map[string]*entry[T]) error {
	var ids []string
	for i := range statements {
		id := t.object(&statements[i]).ID
		if e := entries[id]; e.valuesUnread && !e.has(t, &statements[i]) {
			e.valuesUnread = false
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := w.tx.query(ctx, "SELECT "+strings.Join(t.names(), ", ")+" FROM "+t.name+" WHERE "+w.dialect.in("id", "$1"), w.dialect.list(ids))
	if err != nil {
		return err
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		row := new(T)
		if err := found.Scan(t.targets(row, scanTarget)...); err != nil {
			return err
		}
		o := t.object(row)
		e := entries[o.ID]
		rank := t.object(e.draft.Statements[0])
		o.Phase, o.Revision = rank.Phase, rank.Revision
		e.draft.Statements[0] = row
		if !e.isComplete(t) {
			e.extendHeard(o.LastHeardAt)
		}
	}
	return found.Err()
}

func (t *table[T]) names() []string {
	names := make([]string, 0, len(t.columns)+len(revisionColumns))
	for i := range t.columns {
		names = append(names, t.columns[i].name)
	}
	return names
}

// targets returns the destinations of a row's columns for Scan.
func (t *table[T]) targets(row *T, into func(field any) any) []any {
	targets := make([]any, len(t.columns))
	for i := range t.columns {
		targets[i] = into(t.columns[i].field(row))
	}
	return targets
}

// values returns a row as parameters of a statement, with capacity for more of them.
func (t *table[T]) values(row *T, instant func(time.Time) any, more int) []any {
	values := make([]any, 0, len(t.columns)+more)
	for i := range t.columns {
		values = append(values, value(t.columns[i].field(row), instant))
	}
	return values
}

func optional(text []byte) any {
	if len(text) == 0 {
		return nil
	}
	return string(text)
}
