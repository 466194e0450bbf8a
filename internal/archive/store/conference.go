// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// What the rows of traces add up to. A trace without a call, and without a leg
// that knows of one, is no conference: somebody who got no further than the menu.
const (
	// The founding call is the one without a parent; of several, as long as that
	// is unknown, the earliest, of those the smallest id.
	foundingCalls = `
SELECT trace_id, id, bridge, room_id, room_name, tenant_id, call_type, correlator, owner_name, cdr_tag FROM (
  SELECT calls.*, ROW_NUMBER() OVER (PARTITION BY trace_id
    ORDER BY CASE WHEN parent_span_id IS NULL THEN 0 ELSE 1 END, started_at, id) AS place
  FROM calls WHERE %s) AS ordered
WHERE place = 1`

	callSums = `
SELECT trace_id, COUNT(*), COUNT(DISTINCT bridge), MIN(started_at), MAX(ended_at), MAX(last_heard_at),
  COUNT(CASE WHEN state = 'running' THEN 1 END), COUNT(CASE WHEN outcome IS NULL THEN 1 END),
  MIN(CASE WHEN outcome <> 'complete' THEN outcome END)
FROM calls WHERE %s GROUP BY trace_id`

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

// tally is a conference while it is added up.
type tally struct {
	Conference
	running, undecided, inCall int64
	incomplete                 string
}

// conferences computes those of the touched traces anew.
func (w *write) conferences(ctx context.Context) error {
	if len(w.touched) == 0 {
		return nil
	}
	traces := slices.Sorted(maps.Keys(w.touched))
	clear(w.touched)
	tallies := make(map[string]*tally, len(traces))
	for _, add := range []func(context.Context, []string, map[string]*tally) error{w.addFounders, w.addCalls, w.addLegs, w.addRecordings} {
		if err := add(ctx, traces, tallies); err != nil {
			return err
		}
	}
	rows := make([][]any, 0, len(traces))
	var kept, gone []string
	for _, trace := range traces {
		t := tallies[trace]
		if t == nil || t.Calls+t.inCall == 0 {
			gone = append(gone, trace)
			continue
		}
		t.settle()
		kept = append(kept, trace)
		rows = append(rows, conferences.values(&t.Conference, w.d.instant, 0))
	}
	if len(gone) > 0 {
		if _, err := w.tx.exec(ctx, "DELETE FROM conferences WHERE "+w.d.in("trace_id", "$1"), w.d.list(gone)); err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return w.tx.put(ctx, conferences.name, conferences.names(), rows, kept)
}

// settle what follows from the rest.
func (t *tally) settle() {
	// The order in which a database adds up shows in the last digits.
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
	case t.incomplete != "":
		t.Outcome = t.incomplete
	default:
		t.Outcome = outcomeComplete
	}
}

// each runs one of the queries over the traces.
func (w *write) each(ctx context.Context, query string, traces []string, visit func(rows) error) error {
	found, err := w.tx.query(ctx, fmt.Sprintf(query, w.d.in("trace_id", "$1")), w.d.list(traces))
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

func tallyOf(tallies map[string]*tally, trace string) *tally {
	t := tallies[trace]
	if t == nil {
		t = &tally{Conference: Conference{TraceID: trace}}
		tallies[trace] = t
	}
	return t
}

func (w *write) addFounders(ctx context.Context, traces []string, tallies map[string]*tally) error {
	return w.each(ctx, foundingCalls, traces, func(found rows) error {
		var c Conference
		if err := found.Scan(&c.TraceID, &c.CallID, target(&c.Bridge), target(&c.RoomID), target(&c.RoomName), target(&c.TenantID),
			target(&c.CallType), target(&c.Correlator), target(&c.OwnerName), target(&c.CDRTag)); err != nil {
			return err
		}
		tallyOf(tallies, c.TraceID).Conference = c
		return nil
	})
}

func (w *write) addCalls(ctx context.Context, traces []string, tallies map[string]*tally) error {
	return w.each(ctx, callSums, traces, func(found rows) error {
		var s tally
		if err := found.Scan(&s.TraceID, &s.Calls, &s.Bridges, target(&s.StartedAt), target(&s.EndedAt), target(&s.LastHeardAt),
			&s.running, &s.undecided, target(&s.incomplete)); err != nil {
			return err
		}
		t := tallyOf(tallies, s.TraceID)
		t.Calls, t.Bridges, t.StartedAt, t.EndedAt, t.LastHeardAt = s.Calls, s.Bridges, s.StartedAt, s.EndedAt, s.LastHeardAt
		t.running, t.undecided, t.incomplete = s.running, s.undecided, s.incomplete
		return nil
	})
}

func (w *write) addLegs(ctx context.Context, traces []string, tallies map[string]*tally) error {
	return w.each(ctx, legSums, traces, func(found rows) error {
		var s tally
		if err := found.Scan(&s.TraceID, &s.Legs, target(&s.StartedAt), target(&s.EndedAt), target(&s.LastHeardAt), &s.running,
			&s.Participants, &s.FailedLegs, &s.ParticipantSeconds,
			target(&s.PacketLossPercent), target(&s.ExcessiveJitterPercent), target(&s.HighRoundTripTimePercent), &s.inCall, &s.Bridge); err != nil {
			return err
		}
		t := tallyOf(tallies, s.TraceID)
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
		t.inCall = s.inCall
		return nil
	})
}

func (w *write) addRecordings(ctx context.Context, traces []string, tallies map[string]*tally) error {
	return w.each(ctx, recordingSums, traces, func(found rows) error {
		var s Conference
		if err := found.Scan(&s.TraceID, &s.Recordings, &s.Streamings, target(&s.LastHeardAt)); err != nil {
			return err
		}
		t := tallyOf(tallies, s.TraceID)
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
