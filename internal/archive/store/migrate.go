// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed schema
var schemas embed.FS

// migration is one step of the schema: the columns that have its number in their
// tag since, then its SQL, mostly indexes. Steps that were released are never
// changed: the next version is a new file.
type migration struct {
	version int64
	name    string
	sql     string
}

// fills compute the rows of a version's new tables from the existing rows.
var fills = map[int64]func(context.Context, dialect, transaction) error{
	3:  collectTerms,
	10: allDaysDue, // what usage is since 6, and starts since 10
}

// migrations of a dialect, in order; their versions are 1, 2, 3, …
func migrations(dialect string) ([]migration, error) {
	directory := path.Join("schema", dialect)
	entries, err := fs.ReadDir(schemas, directory) // sorted by name
	if err != nil {
		return nil, err
	}
	var all []migration
	for i, entry := range entries {
		number, _, _ := strings.Cut(entry.Name(), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil || version != int64(i)+1 {
			return nil, fmt.Errorf("schema file %s is not number %d", entry.Name(), i+1)
		}
		text, err := fs.ReadFile(schemas, path.Join(directory, entry.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, migration{version, strings.TrimSuffix(entry.Name(), ".sql"), string(text)})
	}
	return all, nil
}

// SchemaVersion is the newest version of the schema that this release knows.
func SchemaVersion() int64 {
	all, err := migrations("sqlite")
	if err != nil {
		panic(err) // the files are part of the program
	}
	return int64(len(all))
}

// migrationsTable has the versions of the schema. Other tools have a table
// schema_migrations of their own; that was its name up to version 2.
const (
	migrationsTable       = "legato_schema_migrations"
	formerMigrationsTable = "schema_migrations"
)

// ownMigrations makes the table of the versions if it is not there, of a former one if
// that is ours.
func ownMigrations(ctx context.Context, d dialect, tx transaction) error {
	own, err := number(ctx, tx, d.columnsOf(migrationsTable))
	if err != nil || own > 0 {
		return err
	}
	former, err := number(ctx, tx, d.columnsOf(formerMigrationsTable))
	if err != nil {
		return err
	}
	if former == int64(len(migrationColumns)) {
		// Not a query: SQLite's are prepared again for later transactions.
		ours, err := tx.exec(ctx, "UPDATE "+formerMigrationsTable+" SET name = name WHERE version = 1 AND name = '0001_archive'")
		if err != nil {
			return err
		}
		if ours > 0 {
			_, err = tx.exec(ctx, "ALTER TABLE "+formerMigrationsTable+" RENAME TO "+migrationsTable)
			return err
		}
	}
	_, err = tx.exec(ctx, "CREATE TABLE "+migrationsTable+" (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)")
	return err
}

// migrationColumns are those of the table of the versions.
var migrationColumns = []string{"version", "name", "applied_at"}

// quotedMigrationColumns are the columns as a list of SQL texts.
var quotedMigrationColumns = "'" + strings.Join(migrationColumns, "', '") + "'"

// number runs a query for one number.
func number(ctx context.Context, tx transaction, query string, args ...any) (n int64, err error) {
	found, err := tx.query(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		if err := found.Scan(&n); err != nil {
			return 0, err
		}
	}
	return n, found.Err()
}

// migrationTimeout is how long bringing the schema to this release's version may take:
// longer than the largest archive needs, and bounded if the database does not
// answer.
const migrationTimeout = time.Hour

// migrate brings the schema to version target, in one transaction. Several may
// start at once: the first one does it.
func migrate(ctx context.Context, d dialect, target int64) error {
	ctx, cancel := context.WithTimeout(ctx, migrationTimeout)
	defer cancel()
	all, err := migrations(d.name())
	if err != nil {
		return err
	}
	tx, err := d.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.rollback()
	if err := ownMigrations(ctx, d, tx); err != nil {
		return err
	}
	have, err := schemaVersion(ctx, tx)
	if err != nil {
		return err
	}
	if have > int64(len(all)) {
		return fmt.Errorf("the schema has version %d and this release knows %d: start the newer release, or restore a backup of version %d", have, len(all), len(all))
	}
	for _, m := range all {
		if m.version <= have || m.version > target {
			continue
		}
		for _, statement := range append(addedColumns(d.name(), m.version), m.sql) {
			if _, err := tx.exec(ctx, statement); err != nil {
				return fmt.Errorf("schema %s: %w", m.name, err)
			}
		}
		if fill := fills[m.version]; fill != nil {
			if err := fill(ctx, d, tx); err != nil {
				return fmt.Errorf("schema %s: %w", m.name, err)
			}
		}
		if _, err := tx.exec(ctx, "INSERT INTO "+migrationsTable+" (version, name, applied_at) VALUES ($1, $2, $3)", m.version, m.name, instantText(time.Now())); err != nil {
			return err
		}
	}
	return tx.commit(ctx)
}

func schemaVersion(ctx context.Context, tx transaction) (int64, error) {
	return number(ctx, tx, "SELECT COALESCE(MAX(version), 0) FROM "+migrationsTable)
}
