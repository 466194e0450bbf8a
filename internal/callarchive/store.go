// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callarchive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Drivers of [Open].
const (
	SQLite     = "sqlite"
	PostgreSQL = "postgres"
)

// Drivers returns the names that [Open] takes.
func Drivers() []string { return []string{SQLite, PostgreSQL} }

// Store is an open archive. Its methods may be called at once; writes take their
// turns.
type Store struct {
	d     dialect
	write sync.Mutex
}

// ErrUnreachable says that a database does not answer, or not yet: it may later,
// with nothing changed.
var ErrUnreachable = errors.New("the database cannot be reached")

// Open opens an archive and brings its schema to this release's version. The
// source is a file for SQLite, a connection string for PostgreSQL. It returns
// [ErrUnreachable] if waiting may help.
func Open(ctx context.Context, driver, source string) (*Store, error) {
	return open(ctx, driver, source, SchemaVersion())
}

func open(ctx context.Context, driver, source string, version int64) (*Store, error) {
	var d dialect
	var err error
	switch driver {
	case SQLite:
		d, err = openSQLite(ctx, source)
	case PostgreSQL:
		d, err = openPostgres(ctx, source)
	default:
		return nil, fmt.Errorf("driver %q: want %q or %q", driver, SQLite, PostgreSQL)
	}
	if err != nil {
		return nil, err
	}
	err = migrate(ctx, d, version)
	if err == nil && version == SchemaVersion() {
		err = prepare(ctx, d)
	}
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return &Store{d: d}, nil
}

func prepare(ctx context.Context, d dialect) error {
	merged := func(names []string) []string { return append(names, revisionColumns...) }
	return errors.Join(
		d.prepare(ctx, conferences.name, conferences.names()),
		d.prepare(ctx, calls.name, merged(calls.names())),
		d.prepare(ctx, legs.name, merged(legs.names())),
		d.prepare(ctx, recordings.name, merged(recordings.names())),
		d.prepare(ctx, sessions.name, merged(sessions.names())),
		d.prepare(ctx, tracks.name, merged(tracks.names())),
		d.prepare(ctx, dialogs.name, merged(dialogs.names())),
		d.prepare(ctx, storageEvents.name, storageEvents.names()),
	)
}

// Close waits for the write that is under way.
func (s *Store) Close() error {
	s.write.Lock()
	defer s.write.Unlock()
	return s.d.close()
}

// Reader is for queries, with the parameters $1, $2, … rewritten by [Store.Rebind].
func (s *Store) Reader() *sql.DB { return s.d.reader() }

// Rebind rewrites the parameters $1, $2, … of a query as the database wants them.
func (s *Store) Rebind(query string) string { return s.d.rebind(query) }

// Driver is the name that the store was opened with.
func (s *Store) Driver() string { return s.d.name() }

// Result of a write.
type Result struct {
	// Changed is how many rows were put in or changed, Unchanged how many
	// statements said nothing new.
	Changed, Unchanged int
	// Rejected are the statements that the database cannot hold.
	Rejected []Rejected
}

// Rejected is a statement that was left out.
type Rejected struct {
	Table  string
	SpanID string
	// Code is the database's own for what was wrong.
	Code string
}

// Write merges a batch into the archive, in one transaction. A statement that
// the database refuses for good is left out, and told; any other error is one of
// the database, not of the batch: the caller keeps the batch and tries again.
func (s *Store) Write(ctx context.Context, b *Batch) (Result, error) {
	b.digest()
	s.write.Lock()
	defer s.write.Unlock()
	return s.writeParts(ctx, b)
}

// writeParts writes a batch in halves if it is refused as a whole, until what is
// to be left out is found.
func (s *Store) writeParts(ctx context.Context, b *Batch) (Result, error) {
	result, err := s.writeOnce(ctx, b)
	if err == nil || s.d.judge(err) != refused {
		return result, err
	}
	if b.Len() == 1 {
		rejected := b.only()
		rejected.Code = s.d.code(err)
		return Result{Rejected: []Rejected{rejected}}, nil
	}
	first, second := b.halves()
	result, err = s.writeParts(ctx, first)
	if err != nil {
		return result, err
	}
	rest, err := s.writeParts(ctx, second)
	return Result{
		Changed: result.Changed + rest.Changed, Unchanged: result.Unchanged + rest.Unchanged,
		Rejected: slices.Concat(result.Rejected, rest.Rejected),
	}, err
}

func (s *Store) writeOnce(ctx context.Context, b *Batch) (Result, error) {
	if b.Len() == 0 {
		return Result{}, nil
	}
	tx, err := s.d.begin(ctx)
	if err != nil {
		return Result{}, err
	}
	defer tx.rollback()
	w := &write{d: s.d, tx: tx, touched: map[string]struct{}{}}
	for _, step := range []func() error{
		func() error { return put(ctx, w, &calls, b.Calls) },
		func() error { return put(ctx, w, &legs, b.Legs) },
		func() error { return put(ctx, w, &recordings, b.Recordings) },
		func() error { return w.conferences(ctx) },
		func() error { return put(ctx, w, &sessions, b.Sessions) },
		func() error { return put(ctx, w, &tracks, b.Tracks) },
		func() error { return put(ctx, w, &dialogs, b.Dialogs) },
		func() error { return w.storageEvents(ctx, b.StorageEvents) },
	} {
		if err := step(); err != nil {
			return Result{}, err
		}
	}
	if w.result.Changed == 0 {
		return w.result, nil
	}
	if err := tx.commit(ctx); err != nil {
		return Result{}, err
	}
	return w.result, nil
}
