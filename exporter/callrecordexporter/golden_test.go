// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
)

var update = flag.Bool("update", false, "write the golden files anew")

// stitchedFiles is what callstitch wrote, see its own golden files.
const stitchedFiles = "../../processor/callstitchprocessor/testdata/golden/*/out.json"

// TestGolden writes what callstitch makes of each of its stages, and what stands
// in testdata/in, to an archive and holds the rows against a golden file.
func TestGolden(t *testing.T) {
	stitched, err := filepath.Glob(stitchedFiles)
	require.NoError(t, err)
	require.NotEmpty(t, stitched)
	inputs := map[string]string{}
	for _, file := range stitched {
		inputs["stitched-"+filepath.Base(filepath.Dir(file))] = file
	}
	own, err := filepath.Glob("testdata/in/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, own)
	for _, file := range own {
		name := filepath.Base(file)
		inputs[name[:len(name)-len(".json")]] = file
	}
	for name, file := range inputs {
		t.Run(name, func(t *testing.T) {
			r := newHarness(t, nil)
			for _, logs := range readLogs(t, file) {
				logs.MarkReadOnly()
				require.NoError(t, r.ConsumeLogs(t.Context(), logs))
			}
			golden(t, filepath.Join("testdata", "golden", name+".json"), rowsText(t, r.archive()))
			assertOneStatement(t, r.archive())
			for _, entry := range r.log.All() {
				assert.Fail(t, "nothing to tell", entry.Message)
			}
		})
	}
}

// assertOneStatement checks that a stitched record has all values of the records before
// it, so that an object that has ended needs no room for them.
func assertOneStatement(t *testing.T, s *store.Store) {
	t.Helper()
	for _, table := range []string{"calls", "call_legs", "recordings", "sessions", "tracks", "dialogs"} {
		found, err := s.Query(t.Context(), "SELECT id, draft FROM "+table+" WHERE outcome = 'complete' AND draft IS NOT NULL")
		require.NoError(t, err)
		for found.Next() {
			var id, draft string
			require.NoError(t, found.Scan(&id, &draft))
			assert.Fail(t, "more than the stitched record is stored", "%s %s: %s", table, id, draft)
		}
		require.NoError(t, found.Err())
		require.NoError(t, found.Close())
	}
}

// rowsText is all rows as JSON.
func rowsText(t *testing.T, s *store.Store) string {
	t.Helper()
	all := map[string]any{}
	add := func(name string, rows any, err error) {
		require.NoError(t, err)
		all[name] = rows
	}
	c, err := store.Select[store.Conference](t.Context(), s, "ORDER BY trace_id")
	add("conferences", c, err)
	calls, err := store.Select[store.Call](t.Context(), s, "ORDER BY id")
	add("calls", calls, err)
	legs, err := store.Select[store.Leg](t.Context(), s, "ORDER BY id")
	add("call_legs", legs, err)
	recordings, err := store.Select[store.Recording](t.Context(), s, "ORDER BY id")
	add("recordings", recordings, err)
	sessions, err := store.Select[store.Session](t.Context(), s, "ORDER BY id")
	add("sessions", sessions, err)
	tracks, err := store.Select[store.Track](t.Context(), s, "ORDER BY id")
	add("tracks", tracks, err)
	dialogs, err := store.Select[store.Dialog](t.Context(), s, "ORDER BY id")
	if len(dialogs) > 0 || err != nil {
		add("dialogs", dialogs, err)
	}
	events, err := store.Select[store.StorageEvent](t.Context(), s, "ORDER BY id")
	add("storage_events", events, err)
	text, err := json.MarshalIndent(all, "", "  ")
	require.NoError(t, err)
	return string(text) + "\n"
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to write it")
	assert.Equal(t, string(want), got)
}
