// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteDialect is a database file. One connection writes and some read; because of the
// write-ahead log, neither waits for the other. One more copies that log into the file.
type sqliteDialect struct {
	writer  *sql.DB
	readers *sql.DB
	copier  *sql.DB
	log     *checkpointer
	puts    map[string]*sql.Stmt // by table
	updates map[string]*tableUpdates

	// queries are the prepared statements of transactions by their texts, some dozens.
	// wanted are texts that the next transaction prepares. One transaction at a time
	// uses both.
	queries map[string]*sql.Stmt
	wanted  []string
}

// sqliteReaders is the number of queries that run at once.
const sqliteReaders = 4

// busyTimeout is how long another process may hold the file's write lock.
const busyTimeout = 5 * time.Second

// busyPause is the time between two tries to open a file that another process is
// opening.
const busyPause = 20 * time.Millisecond

// isBusy reports whether another connection holds the file's locks.
func isBusy(err error) bool {
	coded, ok := errors.AsType[*sqlite.Error](err)
	return ok && coded.Code()&0xff == sqlite3.SQLITE_BUSY
}

// openSQLite opens a file, and creates it if it is missing. Only its owner may read the
// file, because it has names of people in it.
func openSQLite(ctx context.Context, path string) (*sqliteDialect, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(absolute), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(absolute, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	open := func(connections int, pragmas ...string) (*sql.DB, error) {
		query := url.Values{"_txlock": {"immediate"}}
		for _, pragma := range pragmas {
			query.Add("_pragma", pragma)
		}
		db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(absolute), RawQuery: query.Encode()}).String())
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(connections)
		db.SetMaxIdleConns(connections)
		return db, db.PingContext(ctx)
	}
	busy := fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds())
	d := &sqliteDialect{puts: map[string]*sql.Stmt{}, updates: map[string]*tableUpdates{}, queries: map[string]*sql.Stmt{}}
	// synchronous=FULL: a commit returns when the data is on the disk. A power failure
	// loses nothing that was acknowledged.
	if d.writer, err = open(1, busy, "journal_mode(WAL)", "synchronous(FULL)", logPragma, "journal_size_limit(67108864)", "cache_size(-65536)", "temp_store(MEMORY)"); err == nil {
		d.readers, err = open(sqliteReaders, busy, "query_only(1)", "cache_size(-16384)", "temp_store(MEMORY)")
	}
	if err == nil {
		d.copier, err = open(1, busy, "synchronous(FULL)")
	}
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	d.log = newCheckpointer(d.copier, d.writer) //nolint:contextcheck // it ends with the store
	return d, nil
}

func (*sqliteDialect) name() string            { return "sqlite" }
func (d *sqliteDialect) reader() *sql.DB       { return d.readers }
func (*sqliteDialect) instant(t time.Time) any { return instantText(t) }

var dollarParameter = regexp.MustCompile(`\$(\d+)`)

func (*sqliteDialect) rebind(query string) string {
	return dollarParameter.ReplaceAllString(query, "?$1")
}

func (*sqliteDialect) in(column, parameter string) string {
	return column + " IN (SELECT value FROM json_each(" + parameter + "))"
}

func (*sqliteDialect) list(texts []string) any {
	text, _ := json.Marshal(texts) // strings cannot fail
	return string(text)
}

func (*sqliteDialect) classify(err error) verdict {
	if coded, ok := errors.AsType[*sqlite.Error](err); ok {
		switch coded.Code() & 0xff {
		case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE:
			return refused
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_IOERR,
			sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return unavailable
		}
	}
	return tryAgain
}

func (*sqliteDialect) code(err error) string {
	if coded, ok := errors.AsType[*sqlite.Error](err); ok {
		return fmt.Sprintf("SQLite's result code %d", coded.Code())
	}
	return ""
}

func (d *sqliteDialect) close() error {
	if d.log != nil {
		d.log.stop()
	}
	var errs []error
	for _, updates := range d.updates {
		errs = append(errs, updates.close())
	}
	clear(d.updates)
	for _, prepared := range []map[string]*sql.Stmt{d.puts, d.queries} {
		for _, statement := range prepared {
			errs = append(errs, statement.Close())
		}
		clear(prepared)
	}
	// The last connection that closes writes the log into the file.
	for _, db := range []*sql.DB{d.readers, d.copier, d.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

func (*sqliteDialect) columnsOf(table string) string {
	return "SELECT COUNT(*) FROM pragma_table_info('" + table + "') WHERE name IN (" + quotedMigrationColumns + ")"
}

func (d *sqliteDialect) begin(ctx context.Context) (transaction, error) {
	if err := d.prepareWanted(ctx); err != nil {
		return nil, err
	}
	tx, err := d.writer.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &sqliteTransaction{d: d, tx: tx}, nil
}

type sqliteTransaction struct {
	d       *sqliteDialect
	tx      *sql.Tx
	written int // rows
}

func (t *sqliteTransaction) query(ctx context.Context, query string, args ...any) (rows, error) {
	statement, err := t.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	r, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// prepared returns a statement that is prepared once, because parsing its text costs
// more than running it. The first transaction that uses it prepares it for itself.
func (t *sqliteTransaction) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if statement := t.d.queries[query]; statement != nil {
		return t.tx.StmtContext(ctx, statement), nil
	}
	t.d.wanted = append(t.d.wanted, query)
	return t.tx.PrepareContext(ctx, t.d.rebind(query))
}

// prepareWanted prepares the statements that earlier transactions wanted. A transaction
// cannot: it holds the only connection that writes.
func (d *sqliteDialect) prepareWanted(ctx context.Context) error {
	for _, query := range d.wanted {
		if d.queries[query] != nil {
			continue
		}
		statement, err := d.writer.PrepareContext(ctx, d.rebind(query))
		if err != nil {
			return err
		}
		d.queries[query] = statement
	}
	d.wanted = d.wanted[:0]
	for _, updates := range d.updates {
		if err := updates.prepareWanted(ctx, d.writer); err != nil {
			return err
		}
	}
	return nil
}

func (t *sqliteTransaction) exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := t.tx.ExecContext(ctx, t.d.rebind(query), args...)
	return t.affected(result, err)
}

func (t *sqliteTransaction) execPrepared(ctx context.Context, query string, args ...any) (int64, error) {
	statement, err := t.prepared(ctx, query)
	if err != nil {
		return 0, err
	}
	result, err := statement.ExecContext(ctx, args...)
	return t.affected(result, err)
}

// affected counts the rows that a statement wrote.
func (t *sqliteTransaction) affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	t.written += int(n)
	return n, err
}

func (d *sqliteDialect) prepare(ctx context.Context, table string, columns, indexed []string) error {
	var sets []string
	for _, c := range columns[1:] {
		sets = append(sets, c+"=excluded."+c)
	}
	//nolint:gosec // names of the program's own tables and columns
	statement, err := d.writer.PrepareContext(ctx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES (?"+
		strings.Repeat(", ?", len(columns)-1)+") ON CONFLICT ("+columns[0]+") DO UPDATE SET "+strings.Join(sets, ", "))
	if err != nil {
		return err
	}
	d.puts[table] = statement
	if len(indexed) == 0 {
		return nil
	}
	updates := newTableUpdates(table, columns, indexed)
	d.updates[table] = updates
	return updates.prepare(ctx, d.writer, 0)
}

func (t *sqliteTransaction) put(ctx context.Context, table string, _ []string, rows []tableRow) error {
	put := t.tx.StmtContext(ctx, t.d.puts[table])
	defer func() { _ = put.Close() }()
	updates := boundUpdates{all: t.d.updates[table], tx: t.tx, statements: map[*rowUpdate]*sql.Stmt{}}
	defer updates.close()
	// The driver starts a goroutine for every statement whose context can end.
	detached := context.WithoutCancel(ctx)
	for i := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		statement, values := put, rows[i].values
		if update := updates.find(&rows[i]); update != nil {
			statement, values = updates.bind(detached, update, values)
		}
		if _, err := statement.ExecContext(detached, values...); err != nil {
			return err
		}
	}
	t.written += len(rows)
	return nil
}

func (t *sqliteTransaction) commit(context.Context) error {
	if err := t.tx.Commit(); err != nil {
		return err
	}
	t.d.log.committed(t.written)
	return nil
}

func (t *sqliteTransaction) rollback() { _ = t.tx.Rollback() }

// CheckFile returns the fault of a file's name. It does not access the file.
func CheckFile(path string) error {
	for _, prefix := range []string{"file:", "sqlite:", "postgres:", "postgresql:"} {
		if strings.HasPrefix(path, prefix) {
			return errors.New("must be the name of a file for driver sqlite, got an address")
		}
	}
	if strings.Contains(path, ":memory:") {
		return errors.New("must be the name of a file for driver sqlite, got :memory:, which every connection has its own of")
	}
	return nil
}
