// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A leg from its start to its stitched record: one row all the time.
func TestLifeOfALeg(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		leg := func(phase Phase, index uint64, seconds float64, change func(*Leg)) Leg {
			l := Leg{Object: Object{
				ID: "l1", TraceID: "t0", SpanID: "s1", Bridge: "b1", LastHeardAt: at(seconds), Phase: phase,
				Revision: Revision{Index: index, Time: at(seconds)},
			}}
			change(&l)
			return l
		}
		write := func(l Leg) Leg {
			_, err := s.Write(t.Context(), &Batch{Legs: []Leg{l}})
			require.NoError(t, err)
			rows, err := Select[Leg](t.Context(), s, "ORDER BY id")
			require.NoError(t, err)
			require.Len(t, rows, 1)
			return rows[0]
		}
		row := write(leg(Started, 1, 0, func(l *Leg) {
			l.StartedAt, l.RemoteParty, l.Activity = at(0), "ann@example.test", ActivityConnecting
			l.Details = details(t, map[string]any{"a": 1, "b": "x"})
		}))
		assert.Equal(t, StateRunning, row.State)
		assert.Equal(t, at(0), row.StartedAt)

		row = write(leg(Updated, 3, 2, func(l *Leg) {
			l.TraceID, l.CallID, l.Activity, l.RoomName = "t1", "c1", ActivityConnected, "Board"
			l.Details = details(t, map[string]any{"b": "y"})
		}))
		assert.Equal(t, "t1", row.TraceID)
		assert.Equal(t, ActivityConnected, row.Activity)
		assert.Equal(t, "ann@example.test", row.RemoteParty)
		assert.JSONEq(t, `{"a":1,"b":"y"}`, string(row.Details))
		conferences, err := Select[Conference](t.Context(), s, "ORDER BY trace_id")
		require.NoError(t, err)
		require.Len(t, conferences, 1)
		assert.Equal(t, "t1", conferences[0].TraceID)
		assert.Equal(t, StateRunning, conferences[0].State)

		row = write(leg(Ended, 4, 62, func(l *Leg) {
			l.TraceID, l.CallID, l.EndedAt, l.Reason, l.RemoteTeardown = "t1", "c1", at(62), "remoteTeardown", new(true)
		}))
		assert.Equal(t, StateEnded, row.State)
		assert.InDelta(t, 62, *row.DurationSeconds, 1e-9)
		assert.Empty(t, row.Activity)

		final := leg(Stitched, 0, 62, func(l *Leg) {
			l.State, l.Outcome, l.TraceID, l.CallID = StateEnded, "complete", "t1", "c1"
			l.StartedAt, l.EndedAt, l.DurationSeconds = at(0), at(62), new(62.0)
			l.Revision = Revision{Time: at(72)}
			l.PacketLossPercent, l.Role = new(6.7), "participant"
		})
		row = write(final)
		assert.Equal(t, "complete", row.Outcome)
		assert.InDelta(t, 6.7, *row.PacketLossPercent, 1e-9)

		// What comes late changes nothing.
		result, err := s.Write(t.Context(), &Batch{Legs: []Leg{leg(Updated, 9, 100, func(*Leg) {}), final}})
		require.NoError(t, err)
		assert.Equal(t, Result{Unchanged: 2}, result)
		conferences, err = Select[Conference](t.Context(), s, "ORDER BY trace_id")
		require.NoError(t, err)
		require.Len(t, conferences, 1)
		assert.Equal(t, StateEnded, conferences[0].State)
		assert.EqualValues(t, 1, conferences[0].Participants)
		assert.InDelta(t, 62, conferences[0].ParticipantSeconds, 1e-9)
	})
}
