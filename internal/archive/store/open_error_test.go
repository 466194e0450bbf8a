// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// Each error of opening a file names the file and the remedy.
func TestOpenErrorsNameTheFile(t *testing.T) {
	directory := t.TempDir()
	text := filepath.Join(directory, "text.db")
	require.NoError(t, os.WriteFile(text, []byte(strings.Repeat("not a database ", 100)), 0o600))
	for source, remedy := range map[string]string{
		text:                            "file is not a database (26): it is no SQLite database or is damaged; restore a backup, or move it away",
		filepath.Join(text, "calls.db"): "not a directory: datasource must be the name of a file in a directory",
		directory:                       "is a directory: datasource must be the name of a file in a directory",
	} {
		_, err := Open(t.Context(), SQLite, source)
		require.ErrorContains(t, err, fmt.Sprintf("SQLite file %q: ", source))
		assert.ErrorContains(t, err, remedy)
		assert.LessOrEqual(t, strings.Count(err.Error(), "calls.db"), 1, "the path is there once: %v", err)
		assert.NotErrorIs(t, err, ErrUnreachable)
	}
}

// Errors that a test of any user cannot cause.
func TestOpenErrorRemedies(t *testing.T) {
	onPath := func(op, path string, err error) error { return &fs.PathError{Op: op, Path: path, Err: err} }
	const url = "postgres://legato:secret@db.example.com/calls"
	for _, row := range []struct {
		driver, source string
		err            error
		want           string
	}{
		{SQLite, "/d/calls.db", onPath("open", "/d/calls.db", syscall.EACCES), `SQLite file "/d/calls.db": permission denied: the user of this process must be able to read and write the file and its directory`},
		{SQLite, "/d/calls.db", onPath("mkdir", "/d", syscall.EACCES), `SQLite file "/d/calls.db": mkdir /d: permission denied: the user of this process`},
		{SQLite, "/d/calls.db", onPath("open", "/d/calls.db", syscall.EROFS), "read-only file system: the user of this process"},
		{SQLite, "/d/calls.db", onPath("mkdir", "/d", syscall.ENOSPC), "no space left on device: check the disk"},
		{SQLite, "/d/calls.db", errors.New("else"), `SQLite file "/d/calls.db": else`},
		{PostgreSQL, url, &pgconn.PgError{Severity: "FATAL", Message: "no", Code: "28P01"}, `PostgreSQL database "calls" at db.example.com:5432: FATAL: no (SQLSTATE 28P01): check the user, its password`},
		{PostgreSQL, url, &pgconn.PgError{Code: "3D000"}, "create the database"},
		{PostgreSQL, url, &pgconn.PgError{Code: "42501"}, "GRANT CREATE ON SCHEMA public"},
		{PostgreSQL, "host=a,b port=1,2 dbname=calls password=secret", fmt.Errorf("%w: x", ErrUnreachable), `PostgreSQL database "calls" at a:1, b:2: the database cannot be reached: x: check that the server runs`},
		{PostgreSQL, "host=/run/postgresql dbname=calls", errors.New("x"), `PostgreSQL database "calls" at /run/postgresql: x`},
	} {
		err := openError(row.driver, row.source, row.err)
		assert.ErrorContains(t, err, row.want)
		assert.ErrorIs(t, err, errors.Unwrap(err))
		assert.NotContains(t, err.Error(), "secret")
	}
}

// Errors of a server name it and the database, and never the password.
func TestOpenErrorsNameTheServer(t *testing.T) {
	address := loopback.MustAddress(t)
	_, err := Open(t.Context(), PostgreSQL, "postgres://user:secret@"+address+"/calls?sslmode=disable")
	require.ErrorIs(t, err, ErrUnreachable)
	assert.ErrorContains(t, err, fmt.Sprintf("PostgreSQL database %q at %s: the database cannot be reached", "calls", address))
	assert.NotContains(t, err.Error(), "secret")

	source := strings.Replace(postgres.Shared(t).URL("nosuch"), "postgres@", "postgres:secret@", 1)
	_, err = Open(t.Context(), PostgreSQL, source)
	require.ErrorContains(t, err, `PostgreSQL database "nosuch" at 127.0.0.1:`)
	assert.ErrorContains(t, err, "create the database")
	assert.NotContains(t, err.Error(), "secret")
}

// The documents say which servers are accepted; checkVersion holds them to it.
func TestLeastPostgres(t *testing.T) {
	require.NoError(t, checkVersion(leastPostgres*10000))
	require.NoError(t, checkVersion(150004))
	require.EqualError(t, checkVersion(110022), "the server is PostgreSQL 11: version 12 or later is needed")
	for file, line := range map[string]string{
		"exporter/callrecordexporter/README.md": fmt.Sprintf("`postgres` (%d or later", leastPostgres),
		"docs/integration.md":                   fmt.Sprintf("| PostgreSQL, SQLite | %d and later", leastPostgres),
	} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", filepath.FromSlash(file)))
		require.NoError(t, err)
		assert.Contains(t, string(text), line, file)
	}
}
