// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callarchive

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

// fills compute what a version's new tables hold from the rows that are there.
var fills = map[int64]func(context.Context, dialect, transaction) error{
	3: collectTerms,
	6: allDaysDue,
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

// migrate brings the schema to version target, in one transaction. Several may
// start at once: the first one does it.
func migrate(ctx context.Context, d dialect, target int64) error {
	all, err := migrations(d.name())
	if err != nil {
		return err
	}
	tx, err := d.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.rollback()
	if _, err := tx.exec(ctx, "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)"); err != nil {
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
		if _, err := tx.exec(ctx, "INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, $3)", m.version, m.name, instantText(time.Now())); err != nil {
			return err
		}
	}
	return tx.commit(ctx)
}

func schemaVersion(ctx context.Context, tx transaction) (version int64, err error) {
	found, err := tx.query(ctx, "SELECT COALESCE(MAX(version), 0) FROM schema_migrations")
	if err != nil {
		return 0, err
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		if err := found.Scan(&version); err != nil {
			return 0, err
		}
	}
	return version, found.Err()
}
