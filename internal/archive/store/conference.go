// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Queries for the rows of traces. A trace without a call and without a leg that has a call id
// is no conference: its caller never left the menu.
const (
	callsOfTraces = `
SELECT trace_id, id, parent_span_id, bridge, room_id, room_name, tenant_id, call_type, correlator, owner_name, cdr_tag,
  state, outcome, started_at, ended_at, last_heard_at
FROM calls WHERE %s`

	legSums = `
SELECT trace_id, COUNT(*), MIN(started_at), MAX(ended_at), MAX(last_heard_at),
  COUNT(CASE WHEN state = 'running' THEN 1 END),
  COUNT(DISTINCT CASE WHEN role IS NULL OR role = 'participant' THEN COALESCE(participant_id, id) END),
  COUNT(error_type), COALESCE(SUM(CASE WHEN role = 'participant' THEN connected_seconds END), 0),
  MAX(packet_loss_percent), MAX(excessive_jitter_percent), MAX(high_round_trip_time_percent),
  COUNT(call_id), COALESCE(MIN(bridge), '')
FROM call_legs WHERE %s GROUP BY trace_id`

	recordingSums = `
SELECT trace_id, COUNT(CASE WHEN kind = 'recording' THEN 1 END), COUNT(CASE WHEN kind = 'streaming' THEN 1 END), MAX(last_heard_at)
FROM recordings WHERE %s GROUP BY trace_id`
)

// conferenceTotals adds up the rows of a conference.
type conferenceTotals struct {
	Conference
	running      int64 // calls and legs that run
	undecided    int64 // calls without an outcome
	legsWithCall int64 // legs with a call id
	// otherOutcome is the alphabetically first outcome other than complete among the calls.
	otherOutcome string
	bridges      []string
}

// updateConferences computes the conferences of tracesToCompute anew. For the other traces in
// lastHeardByTrace it only advances last_heard_at.
func (w *write) updateConferences(ctx context.Context) error {
	if err := w.computeConferences(ctx); err != nil {
		return err
	}
	return w.advanceConferences(ctx)
}

// computeConferences computes the conferences of the touched traces.
func (w *write) computeConferences(ctx context.Context) error {
	if len(w.tracesToCompute) == 0 {
		return nil
	}
	traces := slices.Sorted(maps.Keys(w.tracesToCompute))
	totals := make(map[string]*conferenceTotals, len(traces))
	for _, add := range []func(context.Context, []string, map[string]*conferenceTotals) error{w.addCalls, w.addLegs, w.addRecordings} {
		if err := add(ctx, traces, totals); err != nil {
			return err
		}
	}
	stored, err := w.loadConferences(ctx, traces)
	if err != nil {
		return err
	}
	rows := make([]tableRow, 0, len(traces))
	var empty []string
	for _, trace := range traces {
		t := totals[trace]
		if t == nil || t.Calls+t.legsWithCall == 0 {
			empty = append(empty, trace)
			continue
		}
		t.derive()
		row := tableRow{values: conferenceTable.values(&t.Conference, w.dialect.instant, 0)}
		if before := stored[trace]; before != nil {
			row.mayExist, row.exists = true, true
			row.changed = conferenceTable.changedIndexed(before, &t.Conference)
		}
		rows = append(rows, row)
	}
	if len(empty) > 0 {
		if _, err := w.tx.exec(ctx, "DELETE FROM conferences WHERE "+w.dialect.in("trace_id", "$1"), w.dialect.list(empty)); err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return w.tx.put(ctx, conferenceTable.name, conferenceTable.names(), rows)
}

// loadConferences reads the stored conferences of the traces, with only their indexed columns.
func (w *write) loadConferences(ctx context.Context, traces []string) (map[string]*Conference, error) {
	watched := conferenceTable.watched()
	stored := make(map[string]*Conference, len(traces))
	err := w.queryTraces(ctx, "SELECT "+strings.Join(watched.names, ", ")+" FROM conferences WHERE %s", traces, func(found rows) error {
		c := new(Conference)
		to := make([]any, len(watched.all))
		for i, column := range watched.all {
			to[i] = scanTarget(conferenceTable.columns[column].field(c))
		}
		if err := found.Scan(to...); err != nil {
			return err
		}
		stored[c.TraceID] = c
		return nil
	})
	return stored, err
}

// advanceConferences sets last_heard_at of the conferences that have no other change.
func (w *write) advanceConferences(ctx context.Context) error {
	heard := make([][]any, 0, len(w.lastHeardByTrace))
	for _, trace := range slices.Sorted(maps.Keys(w.lastHeardByTrace)) {
		if _, computed := w.tracesToCompute[trace]; !computed {
			heard = append(heard, []any{trace, instantText(w.lastHeardByTrace[trace])})
		}
	}
	if len(heard) == 0 {
		return nil
	}
	text, err := json.Marshal(heard)
	if err != nil {
		return err
	}
	_, err = w.tx.execPrepared(ctx, "WITH heard (trace_id, heard_at) AS (SELECT "+w.dialect.fromJSON([]jsonType{jsonText, jsonInstant})+") "+
		"UPDATE conferences SET last_heard_at = heard_at FROM heard WHERE conferences.trace_id = heard.trace_id AND last_heard_at < heard_at", string(text))
	return err
}

// derive sets the columns that follow from the others.
func (t *conferenceTotals) derive() {
	// Databases add in any order, which changes the last digits of the sum. Rounding removes
	// the difference.
	t.ParticipantSeconds = math.Round(t.ParticipantSeconds*1e3) / 1e3
	t.State = StateRunning
	if t.running == 0 {
		t.State = StateEnded
		seconds := t.EndedAt.Sub(t.StartedAt).Seconds()
		t.DurationSeconds = &seconds
	} else {
		t.EndedAt = time.Time{}
	}
	switch {
	case t.Calls == 0 || t.undecided > 0:
	case t.otherOutcome != "":
		t.Outcome = t.otherOutcome
	default:
		t.Outcome = outcomeComplete
	}
}

// queryTraces runs one of the queries for the traces and visits its rows.
func (w *write) queryTraces(ctx context.Context, query string, traces []string, visit func(rows) error) error {
	found, err := w.tx.query(ctx, fmt.Sprintf(query, w.dialect.in("trace_id", "$1")), w.dialect.list(traces))
	if err != nil {
		return err
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		if err := visit(found); err != nil {
			return err
		}
	}
	return found.Err()
}

func totalsOf(totals map[string]*conferenceTotals, trace string) *conferenceTotals {
	t := totals[trace]
	if t == nil {
		t = &conferenceTotals{Conference: Conference{TraceID: trace}}
		totals[trace] = t
	}
	return t
}

func (w *write) addCalls(ctx context.Context, traces []string, totals map[string]*conferenceTotals) error {
	founders := make(map[string]*Call, len(traces))
	return w.queryTraces(ctx, callsOfTraces, traces, func(found rows) error {
		c := new(Call)
		if err := found.Scan(&c.TraceID, &c.ID, scanTarget(&c.ParentSpanID), scanTarget(&c.Bridge), scanTarget(&c.RoomID), scanTarget(&c.RoomName), scanTarget(&c.TenantID),
			scanTarget(&c.CallType), scanTarget(&c.Correlator), scanTarget(&c.OwnerName), scanTarget(&c.CDRTag),
			&c.State, scanTarget(&c.Outcome), scanTarget(&c.StartedAt), scanTarget(&c.EndedAt), scanTarget(&c.LastHeardAt)); err != nil {
			return err
		}
		t := totalsOf(totals, c.TraceID)
		t.addCall(c)
		if founder := founders[c.TraceID]; founder == nil || compareFounders(c, founder) < 0 {
			founders[c.TraceID] = c
			t.setFounder(c)
		}
		return nil
	})
}

// compareFounders orders the calls of a conference, the founding call first: calls without a
// known parent, then the earlier start, then the smaller id.
func compareFounders(a, b *Call) int {
	hasParent := func(c *Call) int { return min(len(c.ParentSpanID), 1) }
	return cmp.Or(cmp.Compare(hasParent(a), hasParent(b)), a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.ID, b.ID))
}

// setFounder sets the columns of a conference that its founding call has.
func (t *conferenceTotals) setFounder(c *Call) {
	t.CallID, t.Bridge, t.Room = c.ID, c.Bridge, c.Room
	t.CallType, t.Correlator, t.OwnerName, t.CDRTag = c.CallType, c.Correlator, c.OwnerName, c.CDRTag
}

// addCall adds one call.
func (t *conferenceTotals) addCall(c *Call) {
	if t.Calls++; t.Calls == 1 || c.StartedAt.Before(t.StartedAt) {
		t.StartedAt = c.StartedAt
	}
	t.EndedAt, t.LastHeardAt = latest(t.EndedAt, c.EndedAt), latest(t.LastHeardAt, c.LastHeardAt)
	if c.Bridge != "" && !slices.Contains(t.bridges, c.Bridge) {
		t.bridges = append(t.bridges, c.Bridge)
		t.Bridges++
	}
	if c.State == StateRunning {
		t.running++
	}
	switch {
	case c.Outcome == "":
		t.undecided++
	case c.Outcome != outcomeComplete && (t.otherOutcome == "" || c.Outcome < t.otherOutcome):
		t.otherOutcome = c.Outcome
	}
}

func (w *write) addLegs(ctx context.Context, traces []string, totals map[string]*conferenceTotals) error {
	return w.queryTraces(ctx, legSums, traces, func(found rows) error {
		var s conferenceTotals
		if err := found.Scan(&s.TraceID, &s.Legs, scanTarget(&s.StartedAt), scanTarget(&s.EndedAt), scanTarget(&s.LastHeardAt), &s.running,
			&s.Participants, &s.FailedLegs, &s.ParticipantSeconds,
			scanTarget(&s.PacketLossPercent), scanTarget(&s.ExcessiveJitterPercent), scanTarget(&s.HighRoundTripTimePercent), &s.legsWithCall, &s.Bridge); err != nil {
			return err
		}
		t := totalsOf(totals, s.TraceID)
		if t.Calls == 0 {
			t.StartedAt, t.Bridge = s.StartedAt, s.Bridge
			if s.Bridge != "" {
				t.Bridges = 1
			}
		}
		t.EndedAt, t.LastHeardAt = latest(t.EndedAt, s.EndedAt), latest(t.LastHeardAt, s.LastHeardAt)
		t.Legs, t.Participants, t.FailedLegs, t.ParticipantSeconds = s.Legs, s.Participants, s.FailedLegs, s.ParticipantSeconds
		t.PacketLossPercent, t.ExcessiveJitterPercent, t.HighRoundTripTimePercent = s.PacketLossPercent, s.ExcessiveJitterPercent, s.HighRoundTripTimePercent
		t.running += s.running
		t.legsWithCall = s.legsWithCall
		return nil
	})
}

func (w *write) addRecordings(ctx context.Context, traces []string, totals map[string]*conferenceTotals) error {
	return w.queryTraces(ctx, recordingSums, traces, func(found rows) error {
		var s Conference
		if err := found.Scan(&s.TraceID, &s.Recordings, &s.Streamings, scanTarget(&s.LastHeardAt)); err != nil {
			return err
		}
		t := totalsOf(totals, s.TraceID)
		t.Recordings, t.Streamings, t.LastHeardAt = s.Recordings, s.Streamings, latest(t.LastHeardAt, s.LastHeardAt)
		return nil
	})
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
