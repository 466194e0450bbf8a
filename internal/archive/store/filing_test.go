// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// running is the start of an object that runs.
func running(id, trace string, seconds float64) Object {
	return Object{
		ID: id, TraceID: trace, SpanID: "s-" + id, Bridge: "b-" + id, StartedAt: at(seconds), LastHeardAt: at(seconds), Phase: Started,
		Revision: Revision{Time: at(seconds)},
	}
}

// joined is what a conference.update says of a call.
func joined(id, trace string, seconds float64) Call {
	o := running(id, trace, seconds)
	o.Phase, o.StartedAt, o.LastHeardAt = Updated, time.Time{}, time.Time{}
	return Call{Object: o}
}

// A meeting that starts on two bridges is one conference while it runs, whichever
// call was heard of first and in whatever order its records are written: the call that
// joined has its legs, its recording and their dialogs with it.
func TestRunningOnTwoBridges(t *testing.T) {
	first, second := "t-first", "t-second"
	board := Room{RoomName: "Board"}
	statements := []*Batch{
		{Calls: []Call{{Object: running("a", first, 0), Room: board}}},
		{Calls: []Call{{Object: running("b", second, 0), Room: board}}},
		{Calls: []Call{joined("b", first, 3)}},
		{Legs: []Leg{{Object: running("la", first, 1), CallID: "a", Role: "participant"}}},
		{Legs: []Leg{{Object: running("lb", second, 1), CallID: "b", Role: "participant", SIPCallID: "1@h"}}},
		{Legs: []Leg{{Object: running("lc", first, 4), CallID: "b", Role: "participant"}}},
		{Recordings: []Recording{{Object: running("r", second, 2), CallID: "b", Kind: KindRecording}}},
		{Dialogs: []Dialog{{Object: running("d", "t-own", 1), SIPCallID: "1@h"}}},
	}
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		for seed := range uint64(6) {
			random := rand.New(rand.NewPCG(seed, 3))
			empty(t, s)
			for _, i := range random.Perm(len(statements)) {
				_, err := s.Write(t.Context(), statements[i])
				require.NoError(t, err)
			}
			all, err := Select[Conference](t.Context(), s, "")
			require.NoError(t, err)
			require.Len(t, all, 1, "seed %d", seed)
			c := all[0]
			assert.Equal(t, []any{first, StateRunning, int64(2), int64(2), int64(3), int64(3), int64(1)},
				[]any{c.TraceID, c.State, c.Calls, c.Bridges, c.Legs, c.Participants, c.Recordings}, "seed %d", seed)
			dialogs, err := Select[Dialog](t.Context(), s, "")
			require.NoError(t, err)
			assert.Equal(t, first, dialogs[0].TraceID, "seed %d", seed)
		}
	})
}

// empty deletes all rows.
func empty(t *testing.T, s *Store) {
	t.Helper()
	tx, err := s.d.begin(t.Context())
	require.NoError(t, err)
	for _, table := range Tables() {
		_, err = tx.exec(t.Context(), "DELETE FROM "+table)
		require.NoError(t, err)
	}
	require.NoError(t, tx.commit(t.Context()))
}

// What is open in a call ends with it, and so does the conference, whichever is
// written first; an end of its own amends that.
func TestEndsWithItsCall(t *testing.T) {
	end := running("c", "t", 0)
	end.Phase, end.EndedAt, end.LastHeardAt, end.StartedAt = Ended, at(600), at(600), at(0)
	statements := []*Batch{
		{Calls: []Call{{Object: end}}},
		{Legs: []Leg{{Object: running("l", "t", 5), CallID: "c", Activity: ActivityConnected}}},
		{Recordings: []Recording{{Object: running("r", "t", 5), CallID: "c", Kind: KindStreaming}}},
	}
	own := running("l", "t", 5)
	own.Phase, own.EndedAt, own.LastHeardAt, own.StartedAt = Ended, at(500), at(500), time.Time{}
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}} {
			empty(t, s)
			for _, i := range order {
				_, err := s.Write(t.Context(), statements[i])
				require.NoError(t, err)
			}
			legs, err := Select[Leg](t.Context(), s, "")
			require.NoError(t, err)
			recordings, err := Select[Recording](t.Context(), s, "")
			require.NoError(t, err)
			for _, o := range []Object{legs[0].Object, recordings[0].Object} {
				assert.Equal(t, []any{StateEnded, "call_ended", at(600), 595.0}, []any{o.State, o.Outcome, o.EndedAt, *o.DurationSeconds})
			}
			assert.Empty(t, legs[0].Activity)
			all, err := Select[Conference](t.Context(), s, "")
			require.NoError(t, err)
			assert.Equal(t, []any{StateEnded, at(600)}, []any{all[0].State, all[0].EndedAt})

			_, err = s.Write(t.Context(), &Batch{Legs: []Leg{{Object: own, Reason: "remoteTeardown"}}})
			require.NoError(t, err)
			legs, err = Select[Leg](t.Context(), s, "")
			require.NoError(t, err)
			assert.Equal(t, []any{StateEnded, "", at(500), "remoteTeardown"}, []any{legs[0].State, legs[0].Outcome, legs[0].EndedAt, legs[0].Reason})
		}
	})
}

// What is looked for after a call or a leg changed is found by an index.
func TestMisplacedAreFoundByIndex(t *testing.T) {
	s := openTest(t, SQLite, t.TempDir()+"/calls.db")
	for query, index := range map[string]string{
		"SELECT r.id FROM call_legs" + misplacedInCalls + s.d.in("r.call_id", "$1"):  "call_legs_open_by_call",
		"SELECT r.id FROM recordings" + misplacedInCalls + s.d.in("r.call_id", "$1"): "recordings_open_by_call",
		misplacedDialogs + s.d.in("r.sip_call_id", "$1"):                             "dialogs_by_sip_call_id",
	} {
		found, err := s.Query(t.Context(), "EXPLAIN QUERY PLAN "+query, s.d.list([]string{"a", "b"}))
		require.NoError(t, err)
		var plan strings.Builder
		for found.Next() {
			var id, parent, unused int
			var step string
			require.NoError(t, found.Scan(&id, &parent, &unused, &step))
			fmt.Fprintln(&plan, step)
		}
		require.NoError(t, found.Close())
		assert.Contains(t, plan.String(), index)
		assert.NotContains(t, plan.String(), "SCAN r")
		assert.NotContains(t, plan.String(), "SCAN c")
	}
}
