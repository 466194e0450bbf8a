// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// Outcomes of callstitch that the archive knows by name.
const (
	outcomeComplete  = "complete"
	outcomePartial   = "partial"
	outcomeCallEnded = "call_ended"
)

// outcomeRank orders stitched records by how much they have seen of an object's
// end: its own end record, a proof that it is over, or no more than silence. An
// outcome of a newer release is a proof.
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

// compareObjects is the order of the statements about one object. Equal ones are
// the same statement.
func compareObjects(a, b *Object) int {
	rank := 0
	if a.Phase == Final && b.Phase == Final {
		rank = cmp.Compare(outcomeRank(a.Outcome), outcomeRank(b.Outcome))
	}
	return cmp.Or(cmp.Compare(a.Phase, b.Phase), rank, cmp.Compare(a.Revision.Index, b.Revision.Index),
		a.Revision.Time.Compare(b.Revision.Time), cmp.Compare(a.Revision.Digest, b.Revision.Digest))
}

// draft is how the statements about an object are stored, as long as its row does
// not have them all.
type draft[T any] struct {
	// Statements in their order, each with the values alone that no later one has.
	Statements []*T `json:"statements,omitempty"`
	// Flags of all statements together, see table.flags.
	Flags uint8 `json:"flags,omitempty"`
	// First and Last time at which the object was heard of.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`

	// Start, Update and End are the statements in drafts of earlier releases.
	Start  *T `json:"start,omitempty"`
	Update *T `json:"update,omitempty"`
	End    *T `json:"end,omitempty"`
}

// entry is what is known of one object.
type entry[T any] struct {
	// stored tells that the object has a row; trace is the one in it.
	stored bool
	trace  string
	// before is the stored row, of which only the watched columns were read.
	before *T
	// unread tells that the row is that of one stitched record alone, and that its
	// values are not read yet: known has no more than its rank.
	unread bool
	known  draft[T]
	// changed tells that the row has to be written.
	changed bool
}

// readDraft takes the text of a draft.
func (e *entry[T]) readDraft(t *table[T], text json.RawMessage) {
	if json.Unmarshal(text, &e.known) != nil {
		// Somebody else wrote to it. What is said from now on stands; an error
		// would come again with each try, and hold up everybody else's rows.
		e.known = draft[T]{}
		return
	}
	known := &e.known
	for phase, statement := range map[Phase]*T{Started: known.Start, Updated: known.Update, Ended: known.End} {
		if statement != nil {
			t.object(statement).Phase = phase
			e.insert(t, statement)
		}
	}
	known.Start, known.Update, known.End = nil, nil, nil
}

// has tells whether the statement is known as the newest of its phase. One that is
// no longer needed is not found; adding it changes nothing.
func (e *entry[T]) has(t *table[T], statement *T) bool {
	_, found := e.find(t, statement)
	return found
}

func (e *entry[T]) find(t *table[T], statement *T) (at int, found bool) {
	return slices.BinarySearchFunc(e.known.Statements, statement, func(a, b *T) int { return compareObjects(t.object(a), t.object(b)) })
}

// isComplete tells whether a stitched record came whose object was seen from start
// to end. Its times stand, whatever else is said.
func (e *entry[T]) isComplete(t *table[T]) bool {
	known := e.known.Statements
	if len(known) == 0 {
		return false
	}
	last := t.object(known[len(known)-1])
	return last.Phase == Final && last.Outcome == outcomeComplete
}

// add merges a statement. It tells whether that changed anything.
func (e *entry[T]) add(t *table[T], statement *T) (changed bool) {
	if e.unread {
		return false // it is the statement that the row is of
	}
	if !e.has(t, statement) {
		own := new(T) // the batch keeps its own
		*own = *statement
		changed = e.insert(t, own)
	}
	if e.isComplete(t) {
		e.known.Flags, e.known.First, e.known.Last = 0, time.Time{}, time.Time{}
		return changed
	}
	changed = e.hear(t.object(statement).LastHeardAt) || changed
	if t.flags != nil {
		flags := e.known.Flags | t.flags(statement)
		changed = changed || flags != e.known.Flags
		e.known.Flags = flags
	}
	return changed
}

// hear takes a time at which the object was heard of.
func (e *entry[T]) hear(at time.Time) (changed bool) {
	known := &e.known
	if at.IsZero() {
		return false
	}
	if known.First.IsZero() || at.Before(known.First) {
		known.First, changed = at, true
	}
	if at.After(known.Last) {
		known.Last, changed = at, true
	}
	return changed
}

// insert puts a statement among the others and takes away whatever a later one has
// too. It tells whether anything of it is left.
func (e *entry[T]) insert(t *table[T], statement *T) bool {
	at, _ := e.find(t, statement)
	known := e.known.Statements
	for _, later := range known[at:] {
		t.takeAway(statement, later)
	}
	for _, earlier := range known[:at] {
		t.takeAway(earlier, statement)
	}
	e.known.Statements = slices.Insert(known, at, statement)
	e.dropEmpty(t)
	return slices.Contains(e.known.Statements, statement)
}

// dropEmpty removes the statements of which nothing is left. The last one of each
// phase stays for its times, unless the stitched record has them.
func (e *entry[T]) dropEmpty(t *table[T]) {
	complete := e.isComplete(t)
	all := e.known.Statements
	kept := all[:0:0]
	for i, statement := range all {
		last := i+1 == len(all) || !complete && t.object(all[i+1]).Phase != t.object(statement).Phase
		if last || t.says(statement) {
			kept = append(kept, statement)
		}
	}
	e.known.Statements = kept
}

// last returns the last statement of a phase, nil if there is none.
func (e *entry[T]) last(t *table[T], phase Phase) *T {
	for _, statement := range slices.Backward(e.known.Statements) {
		if t.object(statement).Phase == phase {
			return statement
		}
	}
	return nil
}

// lastObject is last, as an object.
func (e *entry[T]) lastObject(t *table[T], phase Phase) *Object {
	if statement := e.last(t, phase); statement != nil {
		return t.object(statement)
	}
	return nil
}

// row is the object's row, and the text of its draft: nil if the row is that of one
// stitched record alone.
func (e *entry[T]) row(t *table[T]) (*T, []byte, error) {
	known := e.known.Statements
	if len(known) == 1 && t.object(known[0]).Phase == Final {
		return known[0], nil, nil
	}
	text, err := json.Marshal(&e.known)
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
	e.setTimes(t, o)
	if t.derive != nil {
		t.derive(merged, e.last(t, Started), e.last(t, Updated), e.known.Flags)
	}
	return merged, text, nil
}

// setTimes sets the times, the state and the outcome of an object without a
// complete stitched record: what its own records said counts more than what
// callstitch found out without them.
func (e *entry[T]) setTimes(t *table[T], o *Object) {
	start, update, end, final := e.lastObject(t, Started), e.lastObject(t, Updated), e.lastObject(t, Ended), e.lastObject(t, Final)
	o.State, o.Outcome = StateRunning, ""
	o.LastHeardAt = e.known.Last
	if o.LastHeardAt.IsZero() {
		o.LastHeardAt = o.Revision.Time
	}
	o.StartedAt = firstTime(start, end, final, update)
	if o.StartedAt.IsZero() {
		o.StartedAt = e.known.First
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
		if t.endsAmend && (end != nil || final.Outcome == outcomePartial) {
			o.Outcome = outcomePartial
			if start != nil {
				o.Outcome = outcomeComplete
			}
		}
	}
	setDuration(o)
}

// firstTime is the start that the first of the statements has.
func firstTime(statements ...*Object) time.Time {
	for _, o := range statements {
		if o != nil && !o.StartedAt.IsZero() {
			return o.StartedAt
		}
	}
	return time.Time{}
}

// setDuration sets the duration of what has ended.
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
