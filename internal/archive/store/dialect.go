// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"time"
)

// dialect is one kind of database. SQL is written with the parameters $1, $2, …;
// a list of texts is one parameter, tested with in.
type dialect interface {
	// name is the directory of its migrations.
	name() string
	// prepare prepares the statements of transaction.put for a table.
	prepare(ctx context.Context, table string, columns, indexed []string) error
	// begin starts a transaction that no other one writes beside, here or in
	// another process.
	begin(ctx context.Context) (transaction, error)
	// columnsOf is a query for how many of migrationColumns a table has; 0 if there is
	// no such table.
	columnsOf(table string) string
	// reader is for queries. It sees committed rows.
	reader() *sql.DB
	// rebind writes the parameters as reader wants them.
	rebind(query string) string
	// instant is a time as a parameter.
	instant(t time.Time) any
	// in is the condition that a column is in a list of texts, and list that
	// list as a parameter.
	in(column, parameter string) string
	list(texts []string) any
	// fromJSON is the rest of a SELECT that reads a JSON array of arrays, $1, as rows of
	// columns of these types.
	fromJSON(types []jsonType) string
	// hasTrigrams reports whether an index finds the middle of a term;
	// trigrams adds the condition that it answers. Each word has three characters or
	// more.
	hasTrigrams() bool
	trigrams(c *conditions, words []string)
	// classify returns the verdict on an error.
	classify(err error) verdict
	// code names a permanent error without any value in it.
	code(err error) string
	close() error
}

// transaction that writes.
type transaction interface {
	query(ctx context.Context, query string, args ...any) (rows, error)
	exec(ctx context.Context, query string, args ...any) (affected int64, err error)
	// execPrepared is exec of a statement that many transactions execute.
	execPrepared(ctx context.Context, query string, args ...any) (affected int64, err error)
	// put inserts or replaces rows. The first of the columns is the key.
	put(ctx context.Context, table string, columns []string, rows []tableRow) error
	commit(ctx context.Context) error
	// rollback after a commit does nothing.
	rollback()
}

// tableRow is a row as it is written.
type tableRow struct {
	values []any
	// mayExist reports that the table may have a row with this key, exists that it has one.
	mayExist, exists bool
	// changed are the indexed columns whose values change, if the row exists.
	changed columnSet
}

// columnSet is a set of indexed columns of a table: the lowest bit is the first indexed
// column in the order of the columns.
type columnSet uint64

// rows of a query.
type rows interface {
	Next() bool
	Scan(to ...any) error
	Err() error
	Close() error
}

// verdict on an error.
type verdict uint8

const (
	// tryAgain: the database does not take it now. Something else it may take.
	tryAgain verdict = iota
	// unavailable: the database takes nothing now: it is away, busy or full.
	unavailable
	// refused: the database can never hold this value.
	refused
)
