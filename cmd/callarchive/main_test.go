// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// The command line on both databases, from a dry run to a release.
func TestCommands(t *testing.T) {
	for _, driver := range store.Drivers() {
		t.Run(driver, func(t *testing.T) {
			source := filepath.Join(t.TempDir(), "calls.db")
			if driver == store.PostgreSQL {
				source = postgres.Shared(t).Database(t)
			}
			archive, err := store.Open(t.Context(), driver, source)
			require.NoError(t, err)
			start := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
			_, err = archive.Write(t.Context(), &store.Batch{Legs: []store.Leg{{
				Object:      store.Object{ID: "l", TraceID: "abc", SpanID: "s", State: store.StateEnded, StartedAt: start, EndedAt: start, LastHeardAt: start, Phase: store.Stitched},
				RemoteParty: "nora@example.test", DisplayName: "Nora Quill",
			}}})
			require.NoError(t, err)
			require.NoError(t, archive.Close())
			for _, step := range []struct {
				args   []string
				code   int
				stdout string
				stderr string
			}{
				{[]string{"erase", "-address", "nora@example.test"}, 0, "would change 1 rows of call_legs\nwould change 1 rows in all\nnames in them:\n  \"Nora Quill\" (1)\naddresses in them:\n  \"nora@example.test\" (1)\nnothing was changed: add -write to do it\n", ""},
				{[]string{"hold", "-reason", "case 7", "ABC"}, 0, "ABC is held\n", ""},
				{[]string{"erase", "-address", "nora@example.test", "-write"}, 0, "changed 0 rows in all\n1 rows are held and were left: -held includes them\n", ""},
				{[]string{"release", "abc"}, 0, "abc is not held any more\n", ""},
				{[]string{"release", "abc"}, 1, "", "callarchive: abc is not held\n"},
				{[]string{"holds"}, 0, "", ""},
				{[]string{"hold", "none"}, 1, "", "callarchive: the archive has nothing of this trace: \"none\"\n"},
				{[]string{"erase", "-name", "nora quill", "-pseudonym", "person-1", "-write"}, 0, "changed 1 rows of call_legs\nchanged 1 rows in all\nnames in them:\n  \"Nora Quill\" (1)\naddresses in them:\n  \"nora@example.test\" (1)\n", ""},
				{[]string{"erase", "-address", "nora@example.test", "-write"}, 0, "changed 0 rows in all\n", ""},
				{[]string{"erase"}, 2, "", "callarchive: erase: an -address or a -name is needed\n"},
				{[]string{"erase", "-write", "nora"}, 2, "", "callarchive: erase takes no arguments, got \"nora\": write -address or -name before it\n"},
				{[]string{"hold"}, 2, "", "callarchive: hold: one trace id is needed, got 0 arguments\n"},
				{[]string{"drop"}, 2, "", "callarchive: a command is needed, one of erase, hold, holds, release; got \"drop\"\n"},
				{nil, 2, "", "callarchive: a command is needed, one of erase, hold, holds, release; got \"\"\n"},
			} {
				var stdout, stderr bytes.Buffer
				code := run(t.Context(), append([]string{"-driver", driver, "-datasource", source}, step.args...), &stdout, &stderr)
				assert.Equal(t, step.code, code, step.args)
				assert.Equal(t, step.stdout, stdout.String(), step.args)
				assert.Equal(t, step.stderr, stderr.String(), step.args)
			}
		})
	}
}

// A file that is not there is not made.
func TestNoFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "calls.db")
	var stdout, stderr bytes.Buffer
	assert.Equal(t, exitFailed, run(t.Context(), []string{"-datasource", file, "holds"}, &stdout, &stderr))
	assert.Contains(t, stderr.String(), "no such file")
	assert.NoFileExists(t, file)
	assert.Equal(t, 0, run(t.Context(), []string{"-h"}, &stdout, &stderr))
	assert.Contains(t, stderr.String(), "usage: callarchive")
}
