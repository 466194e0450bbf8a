// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// View is one state of the archive, for the queries of one page: rows written meanwhile
// do not show. It is read-only. Close it soon: the database keeps the
// state as long as it is open.
type View struct {
	d  dialect
	tx *sql.Tx
	// zone of the times that it returns.
	zone *time.Location
	// legIndexes are the answers of legIndex.
	legIndexes map[indexKey][]condition
	// observe is called with each query. For tests.
	observe func(query string, args []any)
}

// All queries of a page find their rows by an index. PostgreSQL may prefer to read a
// whole table, in several processes, if its estimate is wrong.
const readByIndex = "SELECT set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)"

// View opens a view. The end of the context ends it, and the query that runs.
func (s *Store) View(ctx context.Context) (*View, error) {
	options := &sql.TxOptions{ReadOnly: true}
	if s.d.name() == PostgreSQL {
		// SQLite reads one state anyway, and its driver knows no other level.
		options.Isolation = sql.LevelRepeatableRead
	}
	tx, err := s.d.reader().BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	v := &View{d: s.d, tx: tx, zone: time.UTC}
	if s.d.name() == PostgreSQL {
		if _, err := tx.ExecContext(ctx, readByIndex); err != nil {
			return nil, errors.Join(err, v.Close())
		}
	}
	return v, nil
}

// In makes the view return all times in a zone. They are the same instants.
func (v *View) In(zone *time.Location) { v.zone = zone }

// target is where a column is scanned to, with times in the view's zone.
func (v *View) target(field any) any {
	if at, ok := field.(*time.Time); ok {
		return &instant{at, v.zone}
	}
	return scanTarget(field)
}

// Close ends the view.
func (v *View) Close() error { return v.tx.Rollback() }

// Query implements [Querier].
func (v *View) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if v.observe != nil {
		v.observe(query, args)
	}
	return v.tx.QueryContext(ctx, v.d.rebind(query), bind(v.d, args)...)
}

// number runs a query for one number.
func (v *View) number(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = v.each(ctx, func(found *sql.Rows) error { return found.Scan(&n) }, query, args...)
	return n, err
}

// each visits the rows that a query finds.
func (v *View) each(ctx context.Context, visit func(*sql.Rows) error, query string, args ...any) (err error) {
	found, err := v.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		if err := visit(found); err != nil {
			return err
		}
	}
	return found.Err()
}
