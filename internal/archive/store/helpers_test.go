// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// onBoth runs a test on both databases, each empty.
func onBoth(t *testing.T, test func(t *testing.T, driver, source string)) {
	t.Helper()
	t.Run(SQLite, func(t *testing.T) {
		test(t, SQLite, filepath.Join(t.TempDir(), "calls.db"))
	})
	t.Run(PostgreSQL, func(t *testing.T) {
		test(t, PostgreSQL, postgres.Shared(t).Database(t))
	})
}

func openTest(tb testing.TB, driver, source string) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), driver, source)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// noon is when everything begins.
var noon = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

func details(t *testing.T, v any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return text
}
