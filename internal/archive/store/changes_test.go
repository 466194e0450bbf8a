// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The conferences that a write leaves alone, or only moves on, are those that computing
// all of them gives.
func TestConferencesFollowTheirRows(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		random := rand.New(rand.NewPCG(11, 3))
		for i, b := range pack(random, shuffled(random, allStatements(random))) {
			_, err := s.Write(t.Context(), b)
			require.NoError(t, err)
			written, err := Select[Conference](t.Context(), s, "ORDER BY trace_id")
			require.NoError(t, err)
			computeAll(t, s)
			computed, err := Select[Conference](t.Context(), s, "ORDER BY trace_id")
			require.NoError(t, err)
			require.Equal(t, computed, written, "batch %d", i)
		}
	})
}

// computeAll computes the conferences of all traces.
func computeAll(t *testing.T, s *Store) {
	t.Helper()
	require.NoError(t, s.inTurn(t.Context(), func(ctx context.Context, tx transaction) error {
		w := newWrite(s.d, tx)
		traces, err := w.keys(ctx, "SELECT trace_id FROM calls UNION SELECT trace_id FROM call_legs UNION SELECT trace_id FROM recordings UNION SELECT trace_id FROM conferences")
		if err != nil {
			return err
		}
		for _, trace := range traces {
			w.tracesToCompute[trace] = struct{}{}
		}
		return w.updateConferences(ctx)
	}))
}

// heardAgain is an update of a leg that says no more than that the leg is there.
func heardAgain(seconds float64, change func(*Leg)) *Batch {
	leg := Leg{Object: Object{
		ID: "a", TraceID: "t", SpanID: "a", Phase: Updated, LastHeardAt: at(seconds), Revision: Revision{Index: uint64(seconds), Time: at(seconds)},
	}}
	change(&leg)
	return &Batch{Legs: []Leg{leg}}
}

// An update that changes nothing that a conference is computed from does not have it
// computed anew: a value that somebody else put there stays until one does.
func TestUpdateMovesConferenceOn(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		start := heardAgain(1, func(l *Leg) {
			l.Phase, l.CallID, l.DisplayName, l.StartedAt = Started, "c", "Ann", at(1)
		})
		for _, b := range []*Batch{start, heardAgain(2, func(*Leg) {})} {
			_, err := s.Write(t.Context(), b)
			require.NoError(t, err)
		}
		require.NoError(t, s.inTurn(t.Context(), func(ctx context.Context, tx transaction) error {
			_, err := tx.exec(ctx, "UPDATE conferences SET participants = 99")
			return err
		}))
		for _, step := range []struct {
			write        *Batch
			participants int64
			heard        time.Time
		}{
			{heardAgain(5, func(l *Leg) { l.Details = details(t, map[string]int{"n": 1}) }), 99, at(5)},
			{heardAgain(4, func(*Leg) {}), 99, at(5)},
			{heardAgain(6, func(l *Leg) { l.DisplayName = "Anna" }), 99, at(6)},
			{heardAgain(7, func(l *Leg) { l.ParticipantID = "p" }), 1, at(7)},
		} {
			_, err := s.Write(t.Context(), step.write)
			require.NoError(t, err)
			rows, err := Select[Conference](t.Context(), s, "")
			require.NoError(t, err)
			require.Len(t, rows, 1)
			assert.Equal(t, step.participants, rows[0].Participants)
			assert.Equal(t, step.heard, rows[0].LastHeardAt)
		}
	})
}

// SQLite writes the entries of an index anew for each UPDATE that names one of its
// columns: an update of a leg that changes none names none.
func TestUpdateLeavesIndexesAlone(t *testing.T) {
	s := openTest(t, SQLite, t.TempDir()+"/calls.db")
	start := heardAgain(1, func(l *Leg) { l.Phase, l.CallID, l.DisplayName, l.StartedAt = Started, "c", "Ann", at(1) })
	_, err := s.Write(t.Context(), start)
	require.NoError(t, err)
	require.NoError(t, s.inTurn(t.Context(), func(ctx context.Context, tx transaction) error {
		_, err := tx.exec(ctx, "CREATE TRIGGER named BEFORE UPDATE OF "+strings.Join(legs.indexed, ", ")+
			" ON call_legs BEGIN SELECT RAISE(ABORT, 'an indexed column is named'); END")
		return err
	}))
	_, err = s.Write(t.Context(), heardAgain(2, func(l *Leg) { l.Details = details(t, map[string]int{"n": 1}) }))
	require.NoError(t, err)
	rows, err := Select[Leg](t.Context(), s, "")
	require.NoError(t, err)
	assert.Equal(t, at(2), rows[0].LastHeardAt)
	assert.JSONEq(t, `{"n":1}`, string(rows[0].Details))
	result, err := s.Write(t.Context(), heardAgain(3, func(l *Leg) { l.DisplayName = "Anna" }))
	require.NoError(t, err)
	assert.Len(t, result.Rejected, 1, "the name is in an index")
}

// table.indexed has every column of the schema's indexes.
func TestIndexedColumns(t *testing.T) {
	s := openTest(t, SQLite, t.TempDir()+"/calls.db")
	checkIndexed(t, s, &calls)
	checkIndexed(t, s, &legs)
	checkIndexed(t, s, &recordings)
	checkIndexed(t, s, &sessions)
	checkIndexed(t, s, &tracks)
	checkIndexed(t, s, &dialogs)
}

var word = regexp.MustCompile(`[a-z_]+`)

func checkIndexed[T any](t *testing.T, s *Store, table *table[T]) {
	t.Helper()
	found, err := s.Reader().QueryContext(t.Context(), "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?", table.name)
	require.NoError(t, err)
	defer func() { _ = found.Close() }()
	used := map[string]bool{}
	for found.Next() {
		var text string
		require.NoError(t, found.Scan(&text))
		_, columns, ok := strings.Cut(text, " ON "+table.name)
		require.True(t, ok, text)
		for _, name := range word.FindAllString(columns, -1) {
			used[name] = slices.Contains(table.names(), name) && name != "id"
		}
	}
	require.NoError(t, found.Err())
	var want []string
	for name, isColumn := range used {
		if isColumn {
			want = append(want, name)
		}
	}
	assert.ElementsMatch(t, want, table.indexed, table.name)
}
