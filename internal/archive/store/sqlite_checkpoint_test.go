// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// legsInFile counts the legs in a database file, without those that only its write-ahead log
// has.
func legsInFile(t *testing.T, path string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?immutable=1")
	require.NoError(t, err)
	defer func() { assert.NoError(t, db.Close()) }()
	if db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM call_legs").Scan(&n) != nil {
		return -1 // the file is being written
	}
	return n
}

// The log is copied into the file while the archive is open, and started over: it does not
// grow with what is written. No commit copies.
func TestCheckpoints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	s := openTest(t, SQLite, path)
	log := s.d.(*sqliteDialect).log
	var largest int64
	legs := 0
	for round, n := 0, 0; round < 10; round++ {
		for written := false; !written || log.rows > 0; written = true { // until a checkpoint is due
			batch, _ := meetings(n, 100)
			n++
			legs += len(batch.Legs)
			_, err := s.Write(t.Context(), batch)
			require.NoError(t, err)
		}
		require.Eventually(t, func() bool { return legsInFile(t, path) == legs }, time.Minute, 10*time.Millisecond, "round %d", round)
		file, err := os.Stat(path + "-wal")
		require.NoError(t, err)
		if round == 0 {
			largest = 4 * file.Size()
		}
		assert.LessOrEqual(t, file.Size(), largest, "round %d", round)
	}
	var pages int
	require.NoError(t, s.d.(*sqliteDialect).writer.QueryRowContext(t.Context(), "PRAGMA wal_autocheckpoint").Scan(&pages))
	assert.Equal(t, longLog, pages)
}
