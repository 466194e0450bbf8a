// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"math/bits"
	"slices"
	"strings"
)

// An UPDATE that names an indexed column deletes and inserts the entry of each of its
// indexes, even if the value is the same, and each entry is on a page of its own that the
// commit writes. The end of a leg changes a third of its indexed columns. So a table has
// several UPDATE statements, each of which names some of the indexed columns.

// maxUpdates bounds the UPDATE statements of a table. Few sets of columns are frequent.
const maxUpdates = 24

// tableUpdates are the UPDATE statements of a table by the indexed columns that they set.
// Each sets all columns that have no index. One transaction at a time uses them.
type tableUpdates struct {
	table    string
	columns  []string
	indexed  []int // places of the indexed columns in a row
	prepared map[columnSet]*rowUpdate
	// wanted is the set of a statement that the next transaction prepares: a transaction
	// cannot, since it holds the only connection that writes.
	wanted    columnSet
	hasWanted bool
}

// rowUpdate is a prepared UPDATE.
type rowUpdate struct {
	statement *sql.Stmt
	columns   []int // places of its columns in a row, the key last
}

func newTableUpdates(table string, columns, indexed []string) *tableUpdates {
	u := &tableUpdates{table: table, columns: columns, prepared: map[columnSet]*rowUpdate{}}
	for i, c := range columns {
		if slices.Contains(indexed, c) {
			u.indexed = append(u.indexed, i)
		}
	}
	return u
}

// prepare prepares the statement that sets some of the indexed columns.
func (u *tableUpdates) prepare(ctx context.Context, db *sql.DB, set columnSet) (err error) {
	update := &rowUpdate{}
	var sets []string
	for i, c := range u.columns {
		bit := slices.Index(u.indexed, i)
		if i > 0 && (bit < 0 || set&(1<<bit) != 0) {
			sets, update.columns = append(sets, c+"=?"), append(update.columns, i)
		}
	}
	update.columns = append(update.columns, 0)
	//nolint:gosec // names of the program's own tables and columns
	update.statement, err = db.PrepareContext(ctx, "UPDATE "+u.table+" SET "+strings.Join(sets, ", ")+" WHERE "+u.columns[0]+"=?")
	if err != nil {
		return err
	}
	u.prepared[set] = update
	return nil
}

func (u *tableUpdates) prepareWanted(ctx context.Context, db *sql.DB) error {
	if !u.hasWanted {
		return nil
	}
	u.hasWanted = false
	return u.prepare(ctx, db, u.wanted)
}

// find returns the statement that sets the fewest indexed columns besides the changed ones,
// nil if none sets them all. It asks for a better one as long as there is room.
func (u *tableUpdates) find(changed columnSet) (best *rowUpdate) {
	if update := u.prepared[changed]; update != nil {
		return update
	}
	if len(u.prepared) < maxUpdates {
		u.wanted, u.hasWanted = changed, true
	}
	fewest := 64
	for set, update := range u.prepared {
		if n := bits.OnesCount64(uint64(set)); changed&^set == 0 && n < fewest {
			best, fewest = update, n
		}
	}
	return best
}

func (u *tableUpdates) close() (err error) {
	for _, update := range u.prepared {
		err = errors.Join(err, update.statement.Close())
	}
	clear(u.prepared)
	return err
}

// boundUpdates are the UPDATE statements of a table in a transaction.
type boundUpdates struct {
	all        *tableUpdates // nil if the table has no index
	tx         *sql.Tx
	statements map[*rowUpdate]*sql.Stmt
	values     []any
}

// find returns the UPDATE for a row, nil if the row must be put.
func (b *boundUpdates) find(row *tableRow) *rowUpdate {
	if b.all == nil || !row.exists {
		return nil
	}
	return b.all.find(row.changed)
}

// bind returns the statement of an update and its values of a row, which are valid until the
// next call.
func (b *boundUpdates) bind(ctx context.Context, update *rowUpdate, row []any) (*sql.Stmt, []any) {
	statement := b.statements[update]
	if statement == nil {
		statement = b.tx.StmtContext(ctx, update.statement)
		b.statements[update] = statement
	}
	b.values = b.values[:0]
	for _, column := range update.columns {
		b.values = append(b.values, row[column])
	}
	return statement, b.values
}

func (b *boundUpdates) close() {
	for _, statement := range b.statements {
		_ = statement.Close()
	}
}
