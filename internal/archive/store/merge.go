// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// Outcomes of callstitch that merging treats differently.
const (
	outcomeComplete  = "complete"
	outcomePartial   = "partial"
	outcomeCallEnded = "call_ended"
)

// outcomeRank ranks outcomes by the evidence that the object has ended, strongest first: an end
// record with a start record (complete); an end record without one (partial); another proof,
// such as call_ended (unknown outcomes rank here too); no sign of an end (expired, evicted); the
// stop of the Collector (incomplete).
func outcomeRank(outcome string) int {
	switch outcome {
	case outcomeComplete:
		return 4
	case outcomePartial:
		return 3
	case "expired", "evicted":
		return 1
	case "incomplete":
		return 0
	default:
		return 2
	}
}

// compareStatements orders the statements about one object: by phase, then stitched records by
// their outcomes, then by Revision, which is the sender's number, the time and a digest of the
// values. Statements that compare equal are the same.
func compareStatements(a, b *Object) int {
	rank := 0
	if a.Phase == Stitched && b.Phase == Stitched {
		rank = cmp.Compare(outcomeRank(a.Outcome), outcomeRank(b.Outcome))
	}
	return cmp.Or(cmp.Compare(a.Phase, b.Phase), rank, cmp.Compare(a.Revision.Index, b.Revision.Index),
		a.Revision.Time.Compare(b.Revision.Time), cmp.Compare(a.Revision.Digest, b.Revision.Digest))
}

// draft holds the statements about an object until one stitched record contains them
// all. It is stored as JSON in the column draft.
type draft[T any] struct {
	// Statements in their order, each without the values that a later one has too.
	Statements []*T `json:"statements,omitempty"`
	// Flags are facts that hold once any statement states them; see table.flags.
	Flags uint8 `json:"flags,omitempty"`
	// FirstHeardAt and LastHeardAt are the earliest and the latest LastHeardAt of the statements.
	FirstHeardAt time.Time `json:"first,omitzero"`
	LastHeardAt  time.Time `json:"last,omitzero"`

	// Start, Update and End hold the statements in drafts that earlier releases wrote.
	Start  *T `json:"start,omitempty"`
	Update *T `json:"update,omitempty"`
	End    *T `json:"end,omitempty"`
}

// entry is one object during a write: its stored row and its statements.
type entry[T any] struct {
	// stored reports that the object has a row; trace is the trace id of that row.
	stored bool
	trace  string
	// storedRow is the stored row, with only the columns that a write compares.
	storedRow *T
	// valuesUnread reports that one stitched record made the row and that its values are not
	// read: the statement in draft has only its phase, outcome and revision.
	valuesUnread bool
	draft        draft[T]
	// changed reports that the row must be written.
	changed bool
}

// readDraft decodes the text of a draft.
func (e *entry[T]) readDraft(t *table[T], text json.RawMessage) {
	var err error
	if e.draft, err = t.decodeDraft(text); err != nil {
		// Another program changed the draft. New statements start it afresh: an error
		// would repeat with each retry and block the rows of all other objects.
		e.draft = draft[T]{}
		return
	}
	known := &e.draft
	if known.Start == nil && known.Update == nil && known.End == nil {
		return
	}
	for phase, statement := range map[Phase]*T{Started: known.Start, Updated: known.Update, Ended: known.End} {
		if statement != nil {
			t.object(statement).Phase = phase
			e.insert(t, statement)
		}
	}
	known.Start, known.Update, known.End = nil, nil, nil
}

// has reports whether the draft contains the statement. A statement that dropEmpty
// removed is not found, and adding it again changes nothing.
func (e *entry[T]) has(t *table[T], statement *T) bool {
	_, found := e.find(t, statement)
	return found
}

func (e *entry[T]) find(t *table[T], statement *T) (at int, found bool) {
	return slices.BinarySearchFunc(e.draft.Statements, statement, func(a, b *T) int { return compareStatements(t.object(a), t.object(b)) })
}

// isComplete reports whether a stitched record covers the object from start to end. No
// other statement changes its times.
func (e *entry[T]) isComplete(t *table[T]) bool {
	known := e.draft.Statements
	if len(known) == 0 {
		return false
	}
	last := t.object(known[len(known)-1])
	return last.Phase == Stitched && last.Outcome == outcomeComplete
}

// add merges a statement and reports whether that changed the entry.
func (e *entry[T]) add(t *table[T], statement *T) (changed bool) {
	if e.valuesUnread {
		return false // readStitched found that the row is made of this statement
	}
	if !e.has(t, statement) {
		own := new(T) // merging clears fields, and must not change the batch
		*own = *statement
		changed = e.insert(t, own)
	}
	if e.isComplete(t) {
		e.draft.Flags, e.draft.FirstHeardAt, e.draft.LastHeardAt = 0, time.Time{}, time.Time{}
		return changed
	}
	changed = e.extendHeard(t.object(statement).LastHeardAt) || changed
	if t.flags != nil {
		flags := e.draft.Flags | t.flags(statement)
		changed = changed || flags != e.draft.Flags
		e.draft.Flags = flags
	}
	return changed
}

// extendHeard widens the time between FirstHeardAt and LastHeardAt to include a time, and reports
// whether it was outside.
func (e *entry[T]) extendHeard(at time.Time) (changed bool) {
	known := &e.draft
	if at.IsZero() {
		return false
	}
	if known.FirstHeardAt.IsZero() || at.Before(known.FirstHeardAt) {
		known.FirstHeardAt, changed = at, true
	}
	if at.After(known.LastHeardAt) {
		known.LastHeardAt, changed = at, true
	}
	return changed
}

// insert adds a statement in its order and removes the values that later statements
// replace. It reports whether any value of the new statement is left.
func (e *entry[T]) insert(t *table[T], statement *T) bool {
	at, _ := e.find(t, statement)
	known := e.draft.Statements
	for _, later := range known[at:] {
		t.removeReplaced(statement, later)
	}
	for _, earlier := range known[:at] {
		t.removeReplaced(earlier, statement)
	}
	e.draft.Statements = slices.Insert(known, at, statement)
	e.dropEmpty(t)
	return slices.Contains(e.draft.Statements, statement)
}

// dropEmpty removes the statements without a value. The last one of each phase stays
// for its times, unless a complete stitched record has them.
func (e *entry[T]) dropEmpty(t *table[T]) {
	complete := e.isComplete(t)
	all := e.draft.Statements
	kept := all[:0:0]
	for i, statement := range all {
		last := i+1 == len(all) || !complete && t.object(all[i+1]).Phase != t.object(statement).Phase
		if last || t.hasMergedValue(statement) {
			kept = append(kept, statement)
		}
	}
	e.draft.Statements = kept
}

// last returns the last statement of a phase, nil if there is none.
func (e *entry[T]) last(t *table[T], phase Phase) *T {
	for _, statement := range slices.Backward(e.draft.Statements) {
		if t.object(statement).Phase == phase {
			return statement
		}
	}
	return nil
}

// lastColumns returns the object of the last statement of a phase, nil if there is none.
func (e *entry[T]) lastColumns(t *table[T], phase Phase) *Object {
	if statement := e.last(t, phase); statement != nil {
		return t.object(statement)
	}
	return nil
}

// row returns the object's row and the text of its draft, which is empty if one stitched
// record makes the row. The text is in the buffer if that is long enough.
func (e *entry[T]) row(t *table[T], buffer []byte) (*T, []byte, error) {
	known := e.draft.Statements
	if len(known) == 1 && t.object(known[0]).Phase == Stitched {
		return known[0], buffer[:0], nil
	}
	text, err := t.encodeDraft(buffer[:0], &e.draft)
	if err != nil {
		return nil, nil, err
	}
	merged := new(T)
	for _, statement := range known {
		t.overlay(merged, statement)
	}
	o := t.object(merged)
	newest := t.object(known[len(known)-1])
	o.Phase, o.Revision = newest.Phase, newest.Revision
	if e.isComplete(t) {
		o.State, o.Outcome, o.StartedAt, o.EndedAt = newest.State, newest.Outcome, newest.StartedAt, newest.EndedAt
		o.DurationSeconds, o.LastHeardAt = newest.DurationSeconds, newest.LastHeardAt
		return merged, text, nil
	}
	e.deriveTimes(t, o)
	if t.derive != nil {
		t.derive(merged, e.last(t, Started), e.last(t, Updated), e.draft.Flags)
	}
	return merged, text, nil
}

// deriveTimes sets the times, the state and the outcome of an object without a
// complete stitched record. The object's start and end records take precedence over a stitched
// record that callstitch made without them.
func (e *entry[T]) deriveTimes(t *table[T], o *Object) {
	start, update, end, final := e.lastColumns(t, Started), e.lastColumns(t, Updated), e.lastColumns(t, Ended), e.lastColumns(t, Stitched)
	o.State, o.Outcome = StateRunning, ""
	o.LastHeardAt = e.draft.LastHeardAt
	if o.LastHeardAt.IsZero() {
		o.LastHeardAt = o.Revision.Time
	}
	o.StartedAt = firstKnownStart(start, end, final, update)
	if o.StartedAt.IsZero() {
		o.StartedAt = e.draft.FirstHeardAt
	}
	if o.StartedAt.IsZero() {
		o.StartedAt = o.LastHeardAt
	}
	switch {
	case end != nil:
		o.State, o.EndedAt = StateEnded, end.EndedAt
	case final != nil:
		o.State, o.EndedAt = StateEnded, final.EndedAt
	}
	if final != nil {
		o.Outcome = final.Outcome
		if t.endRecordCompletes && (end != nil || final.Outcome == outcomePartial) {
			o.Outcome = outcomePartial
			if start != nil {
				o.Outcome = outcomeComplete
			}
		}
	}
	setDuration(o)
}

// firstKnownStart returns the start of the first statement that has one.
func firstKnownStart(statements ...*Object) time.Time {
	for _, o := range statements {
		if o != nil && !o.StartedAt.IsZero() {
			return o.StartedAt
		}
	}
	return time.Time{}
}

// setDuration sets the duration of an object that has ended.
func setDuration(o *Object) {
	if o.State != StateEnded {
		return
	}
	if o.EndedAt.Before(o.StartedAt) {
		// A clock was set back, or the start was not seen.
		o.StartedAt = o.EndedAt
	}
	seconds := o.EndedAt.Sub(o.StartedAt).Seconds()
	o.DurationSeconds = &seconds
}
