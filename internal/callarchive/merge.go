// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callarchive

import (
	"cmp"
	"encoding/json"
	"time"
)

// compare is the order of the statements of one phase of one object.
func (r Revision) compare(s Revision) int {
	complete := 0
	if r.Complete != s.Complete {
		complete = -1
		if r.Complete {
			complete = 1
		}
	}
	return cmp.Or(complete, cmp.Compare(r.Index, s.Index), r.Time.Compare(s.Time), cmp.Compare(r.Digest, s.Digest))
}

// draft is what was said of an object that is not over: the newest statement of
// each phase, and when it was first and last heard of.
type draft[T any] struct {
	Start  *T        `json:"start,omitempty"`
	Update *T        `json:"update,omitempty"`
	End    *T        `json:"end,omitempty"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
}

// entry is what is known of one object.
type entry[T any] struct {
	// stored tells that the object has a row; trace is the one in it.
	stored bool
	trace  string
	// final is the revision of the stitched record, if it came, and finalRow the
	// record itself if it came in this batch.
	isFinal  bool
	final    Revision
	finalRow *T
	draft    draft[T]
	changed  bool
}

// add merges a statement. It tells whether that changed anything.
func (e *entry[T]) add(t *table[T], row *T) (changed bool) {
	o := t.object(row)
	if o.Phase == Final {
		if e.isFinal && e.final.compare(o.Revision) >= 0 {
			return false
		}
		e.isFinal, e.final, e.finalRow = true, o.Revision, row
		return true
	}
	if e.isFinal {
		return false
	}
	slot := &e.draft.Update
	switch o.Phase {
	case Started:
		slot = &e.draft.Start
	case Ended:
		slot = &e.draft.End
	default:
	}
	switch {
	case *slot == nil:
		*slot, changed = row, true
	case t.object(*slot).Revision.compare(o.Revision) < 0:
		if t.keepKnown != nil {
			t.keepKnown(row, *slot)
		}
		*slot, changed = row, true
	case t.keepKnown != nil:
		changed = t.keepKnown(*slot, row)
	}
	if e.draft.First.IsZero() || o.LastHeardAt.Before(e.draft.First) {
		e.draft.First, changed = o.LastHeardAt, true
	}
	if o.LastHeardAt.After(e.draft.Last) {
		e.draft.Last, changed = o.LastHeardAt, true
	}
	return changed
}

// row is the object's row, and the text of its draft.
func (e *entry[T]) row(t *table[T]) (*T, []byte, error) {
	if e.isFinal {
		return e.finalRow, nil, nil
	}
	text, err := json.Marshal(&e.draft)
	if err != nil {
		return nil, nil, err
	}
	merged := new(T)
	o := t.object(merged)
	for _, statement := range []*T{e.draft.Start, e.draft.Update, e.draft.End} {
		if statement == nil {
			continue
		}
		t.overlay(merged, statement)
		o.Revision = t.object(statement).Revision
		if t.keepKnown != nil {
			t.keepKnown(merged, statement)
		}
	}
	// A phase is not in the text of a draft: what was read has none.
	switch {
	case e.draft.End != nil:
		o.Phase = Ended
	case e.draft.Update != nil:
		o.Phase = Updated
	default:
		o.Phase = Started
	}
	o.State = StateRunning
	switch {
	case e.draft.Start != nil:
		o.StartedAt = t.object(e.draft.Start).StartedAt
	case e.draft.End != nil:
		o.StartedAt = t.object(e.draft.End).StartedAt
	}
	if o.StartedAt.IsZero() {
		o.StartedAt = e.draft.First
	}
	o.LastHeardAt = e.draft.Last
	if e.draft.End != nil {
		o.State = StateEnded
		if o.EndedAt.Before(o.StartedAt) {
			// A clock was set back, or the start was not seen.
			o.StartedAt = o.EndedAt
		}
		seconds := o.EndedAt.Sub(o.StartedAt).Seconds()
		o.DurationSeconds = &seconds
	}
	if t.derive != nil {
		t.derive(merged)
	}
	return merged, text, nil
}
