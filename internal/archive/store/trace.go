// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Trace is all that is known of one conference, or of a leg, a session or a
// dialog that belongs to none.
type Trace struct {
	ID string
	// Conference is nil if the trace is none.
	Conference *Conference
	// Calls by start. Legs by start, as many as were asked for; NextLegs is where
	// the rest begins, nil if that is all.
	Calls    []Call
	Legs     []Leg
	NextLegs *Cursor
	// Qualities and States of the running Legs, by the leg's id, as far as they are known.
	Qualities map[string]LegQuality
	States    map[string]LegState
	// Doubts whether running Legs run, by the leg's id.
	Doubts map[string]Doubt
	// Ends are all legs by how they ended, the most frequent first; Worst the legs
	// that failed or had a bad line, the worst first.
	Ends  []End
	Worst []Leg
	// What else there is, by start. A dialog belongs to it by its trace or by the
	// SIP Call-ID of one of the Legs.
	Recordings []Recording
	Sessions   []Session
	Tracks     []Track
	Dialogs    []Dialog
	// Continued are legs anywhere that continue one of the Legs, and Related other
	// sessions of the same call.
	Continued []Leg
	Related   []Session
}

// Empty reports whether there is no such trace.
func (t *Trace) Empty() bool {
	return t.Conference == nil && len(t.Calls)+len(t.Legs)+len(t.Recordings)+len(t.Sessions)+len(t.Tracks)+len(t.Dialogs) == 0
}

// End is how legs ended.
type End struct {
	// State is StateRunning for those that have not.
	State  string `json:"state,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Failure reports whether the reason is a failure.
	Failure bool  `json:"failure,omitempty"`
	Legs    int64 `json:"legs"`
}

const (
	// worstLegs is how many there are of them.
	worstLegs = 10
	// mostOfKind bounds the rows of a trace that are no legs, by kind.
	mostOfKind = 500
)

// Trace reads a trace, with the legs behind a place in the order of their start.
func (v *View) Trace(ctx context.Context, id string, legs Page) (t Trace, err error) {
	if legs.Limit < 1 || legs.Limit > MaxLimit {
		return t, errLimit
	}
	t.ID = id
	conferences, err := Select[Conference](ctx, v, "WHERE trace_id = $1", id)
	if err != nil {
		return t, err
	}
	if len(conferences) > 0 {
		t.Conference = &conferences[0]
	}
	for _, read := range []func() error{
		func() error { return ofTrace(ctx, v, id, &t.Calls) },
		func() error { return v.traceLegs(ctx, &t, legs) },
		func() (err error) {
			t.Qualities, err = v.Quality(ctx, t.Legs)
			return err
		},
		func() (err error) {
			t.States, err = v.LegStates(ctx, t.Legs)
			return err
		},
		func() (err error) {
			t.Doubts, err = v.LegDoubts(ctx, t.Legs)
			return err
		},
		func() error { return v.ends(ctx, &t) },
		func() error { return v.worst(ctx, &t) },
		func() error { return ofTrace(ctx, v, id, &t.Recordings) },
		func() error { return ofTrace(ctx, v, id, &t.Sessions) },
		func() error { return ofTrace(ctx, v, id, &t.Tracks) },
		func() error { return v.dialogs(ctx, &t) },
		func() error { return v.continued(ctx, &t) },
		func() error { return v.related(ctx, &t) },
	} {
		if err := read(); err != nil {
			return t, err
		}
	}
	return t, nil
}

func ofTrace[T Row](ctx context.Context, v *View, id string, rows *[]T) (err error) {
	*rows, err = Select[T](ctx, v, fmt.Sprintf("WHERE trace_id = $1 ORDER BY started_at, id LIMIT %d", mostOfKind), id)
	return err
}

func (v *View) traceLegs(ctx context.Context, t *Trace, page Page) (err error) {
	var c conditions
	c.and("trace_id = ?", t.ID)
	if after := page.After; !after.At.IsZero() {
		c.and("(started_at > ? OR started_at = ? AND id > ?)", after.At, after.At, after.ID)
	}
	t.Legs, err = Select[Leg](ctx, v, c.fill(c.where()+" ORDER BY started_at, id LIMIT ?", page.Limit+1), c.args...)
	if len(t.Legs) > page.Limit {
		t.Legs = t.Legs[:page.Limit]
		last := &t.Legs[page.Limit-1]
		t.NextLegs = &Cursor{last.StartedAt, last.ID}
	}
	return err
}

// PageOfLeg returns where a page of a trace's legs has to begin to have the leg with a
// span: zero if that is on the first one, or if there is no such leg.
func (v *View) PageOfLeg(ctx context.Context, trace, span string, limit int) (after Cursor, err error) {
	legs, err := Select[Leg](ctx, v, "WHERE span_id = $1 AND trace_id = $2 LIMIT 1", span, trace)
	if err != nil || len(legs) == 0 {
		return after, err
	}
	at := legs[0].StartedAt
	before, err := v.number(ctx, "SELECT COUNT(*) FROM call_legs WHERE trace_id = $1 AND (started_at < $2 OR started_at = $2 AND id < $3)", trace, at, legs[0].ID)
	if err != nil || before < int64(limit) {
		return after, err
	}
	err = v.each(ctx, func(found *sql.Rows) error { return found.Scan(scanTarget(&after.At), &after.ID) },
		"SELECT started_at, id FROM call_legs WHERE trace_id = $1 ORDER BY started_at, id LIMIT 1 OFFSET $2", trace, before/int64(limit)*int64(limit)-1)
	return after, err
}

func (v *View) ends(ctx context.Context, t *Trace) error {
	return v.each(ctx, func(found *sql.Rows) error {
		var e End
		var failures int64
		if err := found.Scan(&e.State, scanTarget(&e.Reason), &failures, &e.Legs); err != nil {
			return err
		}
		e.Failure = failures > 0
		t.Ends = append(t.Ends, e)
		return nil
	}, "SELECT state, reason, COUNT(error_type), COUNT(*) AS legs FROM call_legs WHERE trace_id = $1 GROUP BY state, reason ORDER BY legs DESC, state, reason", t.ID)
}

// worst first: of those that failed, then by the worst of their alarms.
func (v *View) worst(ctx context.Context, t *Trace) (err error) {
	t.Worst, err = Select[Leg](ctx, v, fmt.Sprintf(`WHERE trace_id = $1
  AND (error_type IS NOT NULL OR packet_loss_percent > 0 OR excessive_jitter_percent > 0 OR high_round_trip_time_percent > 0)
ORDER BY CASE WHEN error_type IS NULL THEN 1 ELSE 0 END, COALESCE(packet_loss_percent, 0) DESC,
  COALESCE(excessive_jitter_percent, 0) DESC, COALESCE(high_round_trip_time_percent, 0) DESC, started_at, id LIMIT %d`, worstLegs), t.ID)
	return err
}

func (v *View) dialogs(ctx context.Context, t *Trace) (err error) {
	var calls []string
	for i := range t.Legs {
		if id := t.Legs[i].SIPCallID; id != "" {
			calls = append(calls, id)
		}
	}
	t.Dialogs, err = Select[Dialog](ctx, v, fmt.Sprintf("WHERE trace_id = $1 OR (sip_call_id IS NOT NULL AND "+v.d.in("sip_call_id", "$2")+
		") ORDER BY started_at, id LIMIT %d", mostOfKind), t.ID, v.d.list(calls))
	return err
}

func (v *View) continued(ctx context.Context, t *Trace) (err error) {
	if len(t.Legs) == 0 {
		return nil
	}
	ids := make([]string, len(t.Legs))
	for i := range t.Legs {
		ids[i] = t.Legs[i].ID
	}
	t.Continued, err = Select[Leg](ctx, v, fmt.Sprintf("WHERE moved_call_leg IS NOT NULL AND "+v.d.in("moved_call_leg", "$1")+
		" ORDER BY started_at, id LIMIT %d", mostOfKind), v.d.list(ids))
	return err
}

func (v *View) related(ctx context.Context, t *Trace) (err error) {
	var calls []string
	for i := range t.Sessions {
		if ccid := t.Sessions[i].CCID; ccid != "" {
			calls = append(calls, ccid)
		}
	}
	if len(calls) == 0 {
		return nil
	}
	t.Related, err = Select[Session](ctx, v, fmt.Sprintf("WHERE ccid IS NOT NULL AND "+v.d.in("ccid", "$1")+
		" AND trace_id <> $2 ORDER BY started_at, id LIMIT %d", mostOfKind), v.d.list(calls), t.ID)
	return err
}
