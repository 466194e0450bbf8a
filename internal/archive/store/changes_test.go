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

// The end of a leg changes some of its indexed columns. Once the statement for these is
// prepared, the UPDATE names no other indexed column, and the row is the same.
func TestUpdateNamesChangedIndexes(t *testing.T) {
	s := openTest(t, SQLite, t.TempDir()+"/calls.db")
	leg := func(id string, phase Phase, seconds float64) *Batch {
		l := Leg{Object: Object{
			ID: id, TraceID: "t", SpanID: id, Phase: phase, LastHeardAt: at(seconds), Revision: Revision{Index: uint64(seconds), Time: at(seconds)},
		}}
		if l.CallID, l.StartedAt, l.DisplayName = "c", at(1), "Ann"; phase == Ended {
			l.EndedAt, l.Reason = at(seconds), "remoteTeardown"
		}
		return &Batch{Legs: []Leg{l}}
	}
	for _, b := range []*Batch{leg("a", Started, 1), leg("b", Started, 1), leg("c", Started, 1), leg("a", Ended, 5), leg("b", Ended, 5)} {
		_, err := s.Write(t.Context(), b)
		require.NoError(t, err)
	}
	unchanged := slices.DeleteFunc(slices.Clone(legs.indexed), func(column string) bool {
		return slices.Contains([]string{"state", "ended_at", "duration_seconds", "reason"}, column)
	})
	require.NoError(t, s.inTurn(t.Context(), func(ctx context.Context, tx transaction) error {
		_, err := tx.exec(ctx, "CREATE TRIGGER named BEFORE UPDATE OF "+strings.Join(unchanged, ", ")+
			" ON call_legs BEGIN SELECT RAISE(ABORT, 'an unchanged column is named'); END")
		return err
	}))
	result, err := s.Write(t.Context(), leg("c", Ended, 5))
	require.NoError(t, err)
	assert.Empty(t, result.Rejected)
	rows, err := Select[Leg](t.Context(), s, "ORDER BY id")
	require.NoError(t, err)
	require.Len(t, rows, 3)
	for i := range rows {
		rows[i].ID, rows[i].SpanID = "", ""
		rows[i].Revision.Digest = 0
		assert.Equal(t, rows[0], rows[i], "the first was put, the others updated")
	}
}

// The number of statements is bounded, and each row is updated by one that sets all its
// changes.
func TestUpdateStatements(t *testing.T) {
	s := openTest(t, SQLite, t.TempDir()+"/calls.db")
	d := s.d.(*sqliteDialect)
	updates := d.updates[legs.name]
	random := rand.New(rand.NewPCG(3, 9))
	for range 10 * maxUpdates {
		changed := columnSet(random.Uint64N(1 << len(legs.indexed)))
		if update := updates.find(changed); update != nil {
			for bit, column := range updates.indexed {
				if changed&(1<<bit) != 0 {
					assert.Contains(t, update.columns, column)
				}
			}
		}
		require.NoError(t, d.prepareWanted(t.Context()))
	}
	assert.LessOrEqual(t, len(updates.prepared), maxUpdates)
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
	checkIndexed(t, s, &conferenceTable)
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
