// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// flowPost is a post of a recorded meeting, which has six.
func flowPost(t *testing.T, n string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "testdata", "cms-cdr", "flow", "post-"+n+".xml"))
	require.NoError(t, err)
	return string(content)
}

const backupLinger = "100ms"

// TestBackup follows docs/install.md: a Collector in the middle of a meeting is copied
// while it runs, and as a whole when it is stopped. Restored in another directory, the
// whole copy knows what was accepted and what is open: the meeting's rest makes the rows
// that a Collector has which was never touched.
func TestBackup(t *testing.T) {
	untouched := newArchiver(t, "sqlite", "%DIR%/calls.db", backupLinger, "")
	for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
		require.Equal(t, http.StatusOK, untouched.post(flowPost(t, n)))
	}
	want := untilOver(t, filepath.Join(untouched.directory, "calls.db"))

	first := newArchiver(t, "sqlite", "%DIR%/calls.db", backupLinger, "")
	for _, n := range []string{"1", "2", "3"} {
		require.Equal(t, http.StatusOK, first.post(flowPost(t, n)))
	}
	backup := t.TempDir()
	t.Run("while it runs", func(t *testing.T) {
		if _, err := exec.LookPath("sqlite3"); err != nil {
			t.Skip("sqlite3 is not installed")
		}
		online := filepath.Join(backup, "online.db")
		output, err := exec.CommandContext(t.Context(), "sqlite3", filepath.Join(first.directory, "calls.db"), ".backup "+online).CombinedOutput()
		require.NoError(t, err, string(output))
		got := readArchive(t, "sqlite", online)
		assert.NotEmpty(t, got.calls)
		assert.Subset(t, slices.Collect(maps.Keys(want.objects())), slices.Collect(maps.Keys(got.objects())))
	})
	first.stop()
	whole := filepath.Join(backup, "whole")
	require.NoError(t, os.CopyFS(whole, os.DirFS(first.directory)))
	require.NoError(t, os.RemoveAll(first.directory), "the first machine is gone")

	second := newArchiver(t, "sqlite", "%DIR%/calls.db", backupLinger, "")
	second.kill() // it has to leave its directory, which is emptied now
	require.NoError(t, os.RemoveAll(filepath.Join(second.directory, "storage")))
	for _, name := range []string{"calls.db", "calls.db-wal", "calls.db-shm"} {
		require.NoError(t, os.RemoveAll(filepath.Join(second.directory, name)))
	}
	require.NoError(t, os.Remove(filepath.Join(whole, "config.yaml")), "it names the first machine's addresses")
	require.NoError(t, os.CopyFS(second.directory, os.DirFS(whole)))
	second.start()
	// The bridge did not get the answer to its third post.
	for _, n := range []string{"3", "4", "5", "6"} {
		require.Equal(t, http.StatusOK, second.post(flowPost(t, n)))
	}
	got := untilOver(t, filepath.Join(second.directory, "calls.db"))
	assert.Equal(t, want, got)
	assert.NotContains(t, second.log.String(), "missing", "the ledger was restored: nothing is missing, and nothing new")
}

// untilOver waits until each call and leg of the meeting has its final row, and returns
// all rows without what a second run has another value of.
func untilOver(t *testing.T, path string) (a archived) {
	t.Helper()
	require.Eventually(t, func() bool {
		a = readArchive(t, "sqlite", path)
		open := strings.Builder{}
		for name, o := range a.objects() {
			if o.Outcome == "" {
				open.WriteString(name)
			}
		}
		return len(a.calls) > 0 && open.Len() == 0
	}, waitFor, 10*tick)
	return a
}
