// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"strings"
	"time"
)

// Querier runs queries: a [Store], each on the rows committed when it starts, or
// a [View], all on one state of the archive.
type Querier interface {
	// Query takes the parameters $1, $2, …; times are given to it as time.Time.
	// Scan its columns into the values of [Into].
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Row is a type of rows that can be read.
type Row interface {
	Conference | Call | Leg | Recording | Session | Track | Dialog | StorageEvent | Gap | LegQuality | LegState
}

// tableOf returns the table of a type of rows.
func tableOf[T Row]() *table[T] {
	var row T
	var t any
	switch any(row).(type) {
	case Conference:
		t = &conferenceTable
	case Call:
		t = &calls
	case Leg:
		t = &legs
	case Recording:
		t = &recordings
	case Session:
		t = &sessions
	case Track:
		t = &tracks
	case Dialog:
		t = &dialogs
	case StorageEvent:
		t = &storageEvents
	case Gap:
		t = &gaps
	case LegQuality:
		t = &legQualities
	case LegState:
		t = &legStates
	}
	return t.(*table[T])
}

// Select reads rows of one table. tail is the part of the query behind FROM table: WHERE,
// ORDER BY, LIMIT with the parameters $1, $2, …; times are given to it as time.Time. It is
// part of a program, never text from outside.
func Select[T Row](ctx context.Context, q Querier, tail string, args ...any) ([]T, error) {
	return collect(Each[T](ctx, q, tail, args...))
}

// Each is [Select] one row after the other, for answers that are long. The row is
// the next one's after that. An error is the last pair.
func Each[T Row](ctx context.Context, q Querier, tail string, args ...any) iter.Seq2[*T, error] {
	return eachFrom[T](ctx, q, tableOf[T]().name, tail, args...)
}

func collect[T Row](found iter.Seq2[*T, error]) (all []T, err error) {
	for row, err := range found {
		if err != nil {
			return nil, err
		}
		all = append(all, *row)
	}
	return all, nil
}

// eachFrom reads rows of one table that are joined with others in from.
func eachFrom[T Row](ctx context.Context, q Querier, from, tail string, args ...any) iter.Seq2[*T, error] {
	t := tableOf[T]()
	return func(yield func(*T, error) bool) {
		found, err := q.Query(ctx, "SELECT "+strings.Join(t.names(), ", ")+" FROM "+from+" "+tail, args...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = found.Close() }()
		into := scanTarget
		if v, ok := q.(*View); ok {
			into = v.target
		}
		row := new(T)
		targets := t.targets(row, into)
		for found.Next() {
			*row = *new(T)
			if err := found.Scan(targets...); err != nil {
				yield(nil, fmt.Errorf("%s: %w", t.name, err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := found.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// Query implements [Querier].
func (s *Store) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.d.reader().QueryContext(ctx, s.d.rebind(query), bind(s.d, args)...)
}

// bind writes parameters as a database wants them.
func bind(d dialect, args []any) []any {
	bound := make([]any, len(args))
	for i, arg := range args {
		if t, ok := arg.(time.Time); ok {
			arg = d.instant(t)
		}
		bound[i] = arg
	}
	return bound
}

// Into wraps a pointer to a field so that it can be scanned from either
// database: *string (NULL leaves it), *time.Time, *json.RawMessage, and the
// others as they are.
func Into(field any) any { return scanTarget(field) }
