// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"slices"
	"time"
)

// A leg, a recording or a streaming whose stitched record has not come is in the
// trace of its call, and ends with it if its own end is missing. A dialog is in the
// trace of its leg, likewise. So a row follows from the rows that it is in, in
// whatever order they are written: records are stamped with the trace that their call
// had when they passed, and a running call may join a conference later.

// holder is the object that contains rows of a table.
type holder[T any] struct {
	// table whose rows have the key in column. endsWith reports whether a row ends with its
	// holder.
	table, column string
	endsWith      bool
	// key of the object that contains a row, empty if none does.
	key func(*T) string
}

// held is the row that others are in.
type held struct {
	id, trace string
	state     string
	endedAt   time.Time
}

// place puts rows that are not over into the traces of what they are in, and ends
// those whose holder has ended.
func (h *holder[T]) place(ctx context.Context, w *write, t *table[T], rows []*T) error {
	var keys []string
	for _, row := range rows {
		if key := h.key(row); key != "" && t.object(row).Phase < Stitched {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	holders, err := h.find(ctx, w, slices.Compact(keys))
	if err != nil {
		return err
	}
	for _, row := range rows {
		in, known := holders[h.key(row)]
		o := t.object(row)
		if !known || o.Phase == Stitched {
			continue
		}
		o.TraceID = in.trace
		if h.endsWith && o.State == StateRunning && in.state == StateEnded {
			o.State, o.Outcome, o.EndedAt = StateEnded, outcomeCallEnded, in.endedAt
			setDuration(o)
			if t.derive != nil {
				t.derive(row, nil, nil, 0)
			}
		}
	}
	return nil
}

// find reads the rows that others are in, by key. Of several with one key it is the
// one with the smallest id, as callstitch has it.
func (h *holder[T]) find(ctx context.Context, w *write, keys []string) (map[string]held, error) {
	found, err := w.tx.query(ctx, "SELECT "+h.column+", id, trace_id, state, ended_at FROM "+h.table+" WHERE "+w.dialect.in(h.column, "$1"), w.dialect.list(keys))
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	holders := make(map[string]held, len(keys))
	for found.Next() {
		var key string
		var in held
		if err := found.Scan(&key, &in.id, &in.trace, &in.state, scanTarget(&in.endedAt)); err != nil {
			return nil, err
		}
		if other, twice := holders[key]; !twice || in.id < other.id {
			holders[key] = in
		}
	}
	return holders, found.Err()
}

// Rows of a table that are not over and no longer where place would put them, after
// calls or legs changed.
const (
	misplacedInCalls = " AS r JOIN calls AS c ON c.id = r.call_id WHERE r.phase < 4 AND (r.trace_id <> c.trace_id" +
		" OR c.state = 'ended' AND (r.state = 'running' OR r.outcome IS NOT NULL AND r.ended_at <> c.ended_at)) AND "

	misplacedDialogs = "SELECT r.id FROM dialogs AS r JOIN call_legs AS c ON c.sip_call_id = r.sip_call_id" +
		" WHERE r.sip_call_id IS NOT NULL AND r.phase < 4 AND r.trace_id <> c.trace_id AND "
)

// putInCalls merges statements about rows in calls, and places the rows of changed calls
// anew.
func putInCalls[T any](ctx context.Context, w *write, t *table[T], statements []T) (err error) {
	var misplaced []string
	if len(w.calls) > 0 {
		misplaced, err = w.keys(ctx, "SELECT r.id FROM "+t.name+misplacedInCalls+w.dialect.in("r.call_id", "$1"), w.dialect.list(w.calls))
		if err != nil {
			return err
		}
	}
	return put(ctx, w, t, statements, misplaced)
}

// putDialogs likewise merges statements about dialogs.
func (w *write) putDialogs(ctx context.Context, statements []Dialog) (err error) {
	var misplaced []string
	if len(w.sipCalls) > 0 {
		if misplaced, err = w.keys(ctx, misplacedDialogs+w.dialect.in("r.sip_call_id", "$1"), w.dialect.list(w.sipCalls)); err != nil {
			return err
		}
	}
	return put(ctx, w, &dialogs, statements, misplaced)
}

// recordSIPCall records the SIP call that a leg's statement names: its dialogs may have to
// follow the leg.
func (w *write) recordSIPCall(statement any) {
	if leg, ok := statement.(*Leg); ok && leg.SIPCallID != "" {
		w.sipCalls = append(w.sipCalls, leg.SIPCallID)
	}
}

// recordChange records a call or a leg that other rows may be in. A leg counts only if
// its trace changed, which moved reports.
func (w *write) recordChange(row any, moved bool) {
	switch r := row.(type) {
	case *Call:
		w.calls = append(w.calls, r.ID)
	case *Leg:
		if moved && r.SIPCallID != "" {
			w.sipCalls = append(w.sipCalls, r.SIPCallID)
		}
		w.legStarts = append(w.legStarts, r.StartedAt)
		if r.State == StateEnded {
			w.endedLegs = append(w.endedLegs, r.ID)
			if r.ParticipantID != "" {
				w.endedParticipants = append(w.endedParticipants, r.ParticipantID)
			}
		}
	}
}
