// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
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
	d    dialect
	turn chan struct{} // has an element while somebody writes
	// terms that were written. It belongs to whose turn it is.
	terms termMemory
	// changedDays are the days whose legs changed since usage was last added up. It belongs to
	// whose turn it is.
	changedDays map[time.Time]struct{}
	// hasQualities and hasLegStates tell that the tables leg_quality and leg_state may
	// have rows. They belong to whose turn it is.
	hasQualities, hasLegStates bool
}

// takeTurn waits until no other goroutine writes. The caller ends its turn.
func (s *Store) takeTurn(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the write before: %w", ctx.Err())
	}
}

func (s *Store) endTurn() { <-s.turn }

// ErrUnreachable says that a database does not answer, or not yet: it may later,
// with nothing changed.
var ErrUnreachable = errors.New("the database cannot be reached")

// Open opens an archive and brings its schema to this release's version. The
// source is a file for SQLite, a connection string for PostgreSQL. It returns
// [ErrUnreachable] if waiting may help. Errors name the file, or the server and the database,
// without the password.
func Open(ctx context.Context, driver, source string) (*Store, error) {
	return open(ctx, driver, source, SchemaVersion())
}

// open tries again for as long as another process may hold SQLite's locks. A busy
// timeout does not cover all of them: where a file becomes one with a write-ahead log,
// and where the last one to close it removes that log, SQLite answers at once.
func open(ctx context.Context, driver, source string, version int64) (*Store, error) {
	for deadline := time.Now().Add(busyTimeout); ; {
		s, err := openOnce(ctx, driver, source, version)
		if err == nil {
			return s, nil
		}
		if !isBusy(err) || time.Now().After(deadline) {
			return nil, openError(driver, source, err)
		}
		select {
		case <-ctx.Done():
			return nil, openError(driver, source, errors.Join(err, ctx.Err()))
		case <-time.After(busyPause):
		}
	}
}

func openOnce(ctx context.Context, driver, source string, version int64) (*Store, error) {
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
	if p, ok := d.(*postgresDialect); err == nil && ok && version == SchemaVersion() {
		err = p.prepareSearch(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	s := &Store{d: d, turn: make(chan struct{}, 1), terms: termMemory{}, changedDays: map[time.Time]struct{}{}}
	if version == SchemaVersion() {
		s.hasQualities, err = hasRows(ctx, d, legQualities.name)
		if err == nil {
			s.hasLegStates, err = hasRows(ctx, d, legStates.name)
		}
	}
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return s, nil
}

func prepare(ctx context.Context, d dialect) error {
	merged := func(names []string) []string { return append(names, revisionColumns...) }
	return errors.Join(
		d.prepare(ctx, conferenceTable.name, conferenceTable.names(), conferenceTable.indexed),
		d.prepare(ctx, calls.name, merged(calls.names()), calls.indexed),
		d.prepare(ctx, legs.name, merged(legs.names()), legs.indexed),
		d.prepare(ctx, recordings.name, merged(recordings.names()), recordings.indexed),
		d.prepare(ctx, sessions.name, merged(sessions.names()), sessions.indexed),
		d.prepare(ctx, tracks.name, merged(tracks.names()), tracks.indexed),
		d.prepare(ctx, dialogs.name, merged(dialogs.names()), dialogs.indexed),
		d.prepare(ctx, storageEvents.name, storageEvents.names(), storageEvents.indexed),
		d.prepare(ctx, gaps.name, gaps.names(), gaps.indexed),
		d.prepare(ctx, legQualities.name, legQualities.names(), legQualities.indexed),
		d.prepare(ctx, legStates.name, append(legStates.names(), versionsColumn), legStates.indexed),
	)
}

// closeTimeout is how long Close waits for the write that is under way.
const closeTimeout = 10 * time.Second

// Close waits for the write that is under way, at most closeTimeout: each write has a
// deadline.
func (s *Store) Close() error {
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case s.turn <- struct{}{}:
		defer s.endTurn()
	case <-timer.C:
	}
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
	// Transactions that were committed, and those that failed: the statements of a
	// failed one count nowhere else.
	Transactions, Failed int
	// Changed is how many rows were put in or changed, Unchanged how many
	// statements changed nothing.
	Changed, Unchanged int
	// Rejected are the statements that the database cannot hold.
	Rejected []Rejected
}

// Rejected is a statement that was left out.
type Rejected struct {
	Table  string
	SpanID string
	// Code is the database's own code of the error.
	Code string
}

// add adds the result of another batch.
func (r *Result) add(other *Result) {
	r.Transactions += other.Transactions
	r.Failed += other.Failed
	r.Changed += other.Changed
	r.Unchanged += other.Unchanged
	r.Rejected = append(r.Rejected, other.Rejected...)
}

// Write merges a batch into the archive, in one transaction. A statement that
// the database can never hold is left out, and is in the result; after any other
// error the caller keeps the batch and tries again.
func (s *Store) Write(ctx context.Context, b *Batch) (Result, error) {
	if err := s.takeTurn(ctx); err != nil {
		return Result{}, err
	}
	defer s.endTurn()
	b.digest()
	return s.writeParts(ctx, b)
}

// WriteTogether merges the batches of several requests into the archive, in one
// transaction. If that fails, and not because the database cannot be used, each
// batch is written by itself: one that fails again and again does not keep the
// others out. errs are why each batch was not written, nil if it was; the result is
// that of the batches that were.
func (s *Store) WriteTogether(ctx context.Context, batches []*Batch) (result Result, errs []error) {
	errs = make([]error, len(batches))
	if err := s.takeTurn(ctx); err != nil {
		return Result{Failed: 1}, sameFor(errs, err)
	}
	defer s.endTurn()
	together := batches[0]
	if len(batches) > 1 {
		together = concat(batches)
	}
	err := s.attempt(ctx, together, &result)
	if err == nil {
		return result, errs
	}
	if len(batches) == 1 || ctx.Err() != nil || s.d.classify(err) == unavailable {
		return result, sameFor(errs, err)
	}
	for i, b := range batches {
		errs[i] = s.attempt(ctx, b, &result)
	}
	return result, errs
}

// attempt writes a batch and adds its result.
func (s *Store) attempt(ctx context.Context, b *Batch, to *Result) error {
	b.digest()
	result, err := s.writeParts(ctx, b)
	if err != nil {
		result = Result{Transactions: result.Transactions, Failed: 1}
	}
	to.add(&result)
	return err
}

func sameFor(errs []error, err error) []error {
	for i := range errs {
		errs[i] = err
	}
	return errs
}

// writeParts writes a batch in halves if the database refuses it as a whole, until the
// refused statement is found.
func (s *Store) writeParts(ctx context.Context, b *Batch) (Result, error) {
	result, err := s.writeOnce(ctx, b)
	if err == nil || s.d.classify(err) != refused {
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
	result.add(&rest)
	return result, err
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
	w := newWrite(s.d, tx)
	for _, step := range []func() error{
		func() error { return put(ctx, w, &calls, b.Calls, nil) },
		func() error { return putInCalls(ctx, w, &legs, b.Legs) },
		func() error { return putInCalls(ctx, w, &recordings, b.Recordings) },
		func() error { return w.updateConferences(ctx) },
		func() error { return put(ctx, w, &sessions, b.Sessions, nil) },
		func() error { return put(ctx, w, &tracks, b.Tracks, nil) },
		func() error { return w.putDialogs(ctx, b.Dialogs) },
		func() error {
			return putOnce(ctx, w, &storageEvents, b.StorageEvents, func(e *StorageEvent) string { return e.ID })
		},
		func() error { return putOnce(ctx, w, &gaps, b.Gaps, func(g *Gap) string { return g.ID }) },
		func() error { return s.writeQualities(ctx, w, b) },
		func() error { return s.writeLegStates(ctx, w, b) },
	} {
		if err := step(); err != nil {
			return Result{}, err
		}
	}
	if w.result.Changed == 0 {
		return w.result, nil
	}
	terms := newTerms(s.terms, b)
	if err := writeTerms(ctx, s.d, tx, terms); err != nil {
		return Result{}, err
	}
	days := newDays(s.changedDays, b, w.legStarts)
	if err := markDays(ctx, s.d, tx, days); err != nil {
		return Result{}, err
	}
	if err := tx.commit(ctx); err != nil {
		return Result{}, err
	}
	s.terms.remember(terms)
	for _, at := range days {
		s.changedDays[at] = struct{}{}
	}
	w.result.Transactions = 1
	return w.result, nil
}
