// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The schema has the columns that the program has, in both databases, and no
// other.
func TestColumns(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		columns := func(table string) (names []string) {
			query := "SELECT name FROM pragma_table_info($1) ORDER BY cid"
			if driver == PostgreSQL {
				query = "SELECT column_name FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position"
			}
			found, err := s.Query(t.Context(), query, table)
			require.NoError(t, err)
			defer found.Close()
			for found.Next() {
				var name string
				require.NoError(t, found.Scan(&name))
				names = append(names, name)
			}
			require.NoError(t, found.Err())
			return names
		}
		merged := func(names []string) []string { return append(names, revisionColumns...) }
		for table, want := range map[string][]string{
			conferenceTable.name: conferenceTable.names(), calls.name: merged(calls.names()), legs.name: merged(legs.names()),
			recordings.name: merged(recordings.names()), sessions.name: merged(sessions.names()), tracks.name: merged(tracks.names()),
			dialogs.name: merged(dialogs.names()), storageEvents.name: storageEvents.names(), gaps.name: gaps.names(), legQualities.name: legQualities.names(),
			legStates.name: append(legStates.names(), versionsColumn),
		} {
			assert.ElementsMatch(t, want, columns(table), table)
			assert.Contains(t, Tables(), table)
		}
		assert.Len(t, Tables(), 11)
	})
}

// An archive of every released version becomes one of today's, with its rows;
// migrations of the two databases go hand in hand.
func TestMigrateFromEveryVersion(t *testing.T) {
	of := func(driver string) (names []string) {
		all, err := migrations(driver)
		require.NoError(t, err)
		for _, m := range all {
			names = append(names, m.name)
		}
		return names
	}
	require.Equal(t, of(SQLite), of(PostgreSQL))
	for version := range SchemaVersion() {
		onBoth(t, func(t *testing.T, driver, source string) {
			t.Helper()
			old, err := open(t.Context(), driver, source, version+1)
			require.NoError(t, err)
			tx, err := old.d.begin(t.Context())
			require.NoError(t, err)
			// What every version has had.
			_, err = tx.exec(t.Context(), "INSERT INTO calls (id, trace_id, span_id, state, started_at, last_heard_at, phase, digest) "+
				"VALUES ('c', 't', 's', 'ended', '2026-03-05 12:00:00.000', '2026-03-05 12:00:01.000', 4, 0)")
			require.NoError(t, err)
			_, err = tx.exec(t.Context(), "INSERT INTO dialogs (id, trace_id, span_id, state, started_at, last_heard_at, sip_call_id, from_party, code, phase, digest) "+
				"VALUES ('d', 't', 's', 'ended', '2026-03-05 12:00:00.000', '2026-03-05 12:00:01.000', 'D@h', 'jane@example.test', 486, 4, 0)")
			require.NoError(t, err)
			require.NoError(t, tx.commit(t.Context()))
			require.NoError(t, old.Close())
			s := openTest(t, driver, source)
			dialogs, err := Select[Dialog](t.Context(), s, "WHERE sip_call_id = 'D@h'")
			require.NoError(t, err)
			require.Len(t, dialogs, 1)
			assert.Equal(t, int64(486), *dialogs[0].Code)
			assert.Empty(t, dialogs[0].Result)
			_, err = s.Write(t.Context(), &Batch{Dialogs: []Dialog{{
				Object: Object{ID: "new", TraceID: "t", SpanID: "n", State: StateEnded, StartedAt: at(0), EndedAt: at(9), LastHeardAt: at(9), Phase: Stitched},
				Result: "answered", FromName: "Jane", RingSeconds: new(2.5), Responses: details(t, []map[string]int{{"code": 200}}),
			}}})
			require.NoError(t, err)
			dialogs, err = Select[Dialog](t.Context(), s, "WHERE result = 'answered' AND from_name = 'Jane'")
			require.NoError(t, err)
			require.Len(t, dialogs, 1)
			assert.InDelta(t, 2.5, *dialogs[0].RingSeconds, 0)
			assert.JSONEq(t, `[{"code":200}]`, string(dialogs[0].Responses))
			rows, err := Select[Call](t.Context(), s, "WHERE started_at = $1", at(0))
			require.NoError(t, err)
			require.Len(t, rows, 1)
			assert.Equal(t, at(1), rows[0].LastHeardAt)
		})
	}
}

// Several that start at once on an empty database: one makes the schema, none
// fails.
func TestMigrateAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				s, err := Open(t.Context(), driver, source)
				if assert.NoError(t, err) {
					assert.NoError(t, s.Close())
				}
			})
		}
		all.Wait()
	})
}

// A schema from the future is refused, and left as it is.
func TestMigrateRefusesNewer(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s, err := Open(t.Context(), driver, source)
		require.NoError(t, err)
		tx, err := s.d.begin(t.Context())
		require.NoError(t, err)
		_, err = tx.exec(t.Context(), "INSERT INTO legato_schema_migrations (version, name, applied_at) VALUES (999, 'future', '')")
		require.NoError(t, err)
		require.NoError(t, tx.commit(t.Context()))
		require.NoError(t, s.Close())
		_, err = Open(t.Context(), driver, source)
		require.ErrorContains(t, err, "the schema has version 999 and this release knows")
		require.ErrorContains(t, err, map[string]string{SQLite: fmt.Sprintf("SQLite file %q: ", source), PostgreSQL: "PostgreSQL database \"test"}[driver])
	})
}

func TestOpenFails(t *testing.T) {
	_, err := Open(t.Context(), "mysql", "x")
	require.EqualError(t, err, `driver "mysql": want "sqlite" or "postgres"`)
	directory := t.TempDir()
	_, err = Open(t.Context(), SQLite, directory)
	require.Error(t, err)
	file := filepath.Join(directory, "no.db")
	require.NoError(t, os.WriteFile(file, slices.Repeat([]byte("no database "), 100), 0o600))
	_, err = Open(t.Context(), SQLite, file)
	require.ErrorContains(t, err, "not a database")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Open(ctx, PostgreSQL, "postgres://user:secret@localhost:1/db")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret")
	_, err = Open(ctx, PostgreSQL, "postgres://user:secret@localhost:x/db")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret")
}

// The file holds names: it is for its owner alone.
func TestFileIsPrivate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "calls.db")
	openTest(t, SQLite, file)
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// The table of the versions has a name of its own: that of an earlier release is taken
// over, and another tool's stays as it is.
func TestMigrationsTable(t *testing.T) {
	foreign := "CREATE TABLE schema_migrations (version VARCHAR(14) NOT NULL PRIMARY KEY, dirty INTEGER)"
	twin := "CREATE TABLE schema_migrations (version BIGINT NOT NULL PRIMARY KEY, name TEXT, applied_at TEXT)"
	for name, prepare := range map[string][]string{
		"an earlier release's": {"ALTER TABLE legato_schema_migrations RENAME TO schema_migrations"},
		"another tool's":       {foreign, "INSERT INTO schema_migrations (version, dirty) VALUES ('20260305120000', 0)"},
		"one that looks alike": {twin, "INSERT INTO schema_migrations (version, name) VALUES (999, 'theirs')"},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, driver, source string) {
				t.Helper()
				s, err := Open(t.Context(), driver, source)
				require.NoError(t, err)
				tx, err := s.d.begin(t.Context())
				require.NoError(t, err)
				for _, statement := range prepare {
					_, err = tx.exec(t.Context(), statement)
					require.NoError(t, err)
				}
				require.NoError(t, tx.commit(t.Context()))
				require.NoError(t, s.Close())

				s = openTest(t, driver, source)
				tx, err = s.d.begin(t.Context())
				require.NoError(t, err)
				defer tx.rollback()
				version, err := schemaVersion(t.Context(), tx)
				require.NoError(t, err)
				assert.Equal(t, SchemaVersion(), version)
				left, err := number(t.Context(), tx, s.d.columnsOf("schema_migrations"))
				require.NoError(t, err)
				assert.Equal(t, name == "an earlier release's", left == 0)
			})
		})
	}
}
