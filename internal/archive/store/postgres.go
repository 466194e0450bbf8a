// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresDialect is a PostgreSQL database of leastPostgres or later.
type postgresDialect struct {
	pool        *pgxpool.Pool // of writers
	readersPool *pgxpool.Pool
	readers     *sql.DB // on readersPool
	hasTrgm     bool    // there is an index of trigrams
}

// writers is the number of connections that write. One writes at a time; the second is
// used when the first is broken and its error has not arrived yet.
const writers = 2

// writersLock is the advisory lock that a writer holds until its transaction ends, also
// while it migrates the schema. Its number is the project's own ("legato").
const writersLock = 0x6c656761746f

// openPostgres opens two pools, so that slow readers never keep a writer waiting for a
// connection. Values that the connection string leaves out come from the environment
// (PGHOST, PGPASSFILE, …) as with psql.
func openPostgres(ctx context.Context, connection string) (*postgresDialect, error) {
	if err := CheckConnection(connection); err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(connection)
	if err != nil {
		return nil, err
	}
	parameters := config.ConnConfig.RuntimeParams
	parameters["timezone"] = "UTC"
	// Parameters are UTF-8, independent of the environment (PGCLIENTENCODING) and of
	// the database's default.
	parameters["client_encoding"] = "UTF8"
	if parameters["application_name"] == "" {
		parameters["application_name"] = "legato"
	}
	readers, err := pgxpool.NewWithConfig(ctx, config.Copy())
	if err != nil {
		return nil, err
	}
	config.MaxConns, config.MinConns, config.MinIdleConns = writers, 0, 0
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		readers.Close()
		return nil, err
	}
	d := &postgresDialect{pool: pool, readersPool: readers, readers: stdlib.OpenDBFromPool(readers)}
	if err := d.reach(ctx); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// reachTimeout limits the time until a server's first answer.
const reachTimeout = 10 * time.Second

// leastPostgres is the oldest major version of a server: searches have AS MATERIALIZED, which
// is new in it.
const leastPostgres = 12

// checkVersion returns an error if a server is too old. number is its server_version_num, as
// 150004 for 15.4.
func checkVersion(number int) error {
	if major := number / 10000; major < leastPostgres {
		return fmt.Errorf("the server is PostgreSQL %d: version %d or later is needed", major, leastPostgres)
	}
	return nil
}

// checkEncoding returns an error if a database cannot hold names in every script.
func checkEncoding(encoding string) error {
	switch encoding {
	case "UTF8", "SQL_ASCII": // the second one keeps the bytes as they are
		return nil
	default:
		return fmt.Errorf("the database has the encoding %s, which cannot hold all text: create it with ENCODING 'UTF8' TEMPLATE template0", encoding)
	}
}

// reach returns an error if the server does not answer, is too old, or has an encoding that
// cannot hold all text.
func (d *postgresDialect) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	var version int
	var encoding string
	err := d.pool.QueryRow(ctx, "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')").Scan(&version, &encoding)
	if err == nil {
		return errors.Join(checkVersion(version), checkEncoding(encoding))
	}
	coded, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok, // no server answers there
		strings.HasPrefix(coded.Code, "57P"), // it starts, or stops
		strings.HasPrefix(coded.Code, "53"):  // too many connections, no memory
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	default: // password, no such database, not permitted
		return err
	}
}

func (*postgresDialect) name() string               { return "postgres" }
func (d *postgresDialect) reader() *sql.DB          { return d.readers }
func (*postgresDialect) instant(t time.Time) any    { return t }
func (*postgresDialect) rebind(query string) string { return query }
func (*postgresDialect) list(texts []string) any    { return texts }

func (*postgresDialect) prepare(context.Context, string, []string, []string) error { return nil }

func (*postgresDialect) in(column, parameter string) string {
	return column + " = ANY(" + parameter + "::text[])"
}

func (*postgresDialect) classify(err error) verdict {
	coded, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return classifyUncoded(err)
	}
	switch {
	case coded.Code == "23505":
		// A unique key: another writer inserted the row. The next try finds it.
		return tryAgain
	case strings.HasPrefix(coded.Code, "22"), strings.HasPrefix(coded.Code, "23"), strings.HasPrefix(coded.Code, "54"):
		return refused // data exception, constraint, program limit
	case strings.HasPrefix(coded.Code, "08"), strings.HasPrefix(coded.Code, "53"), strings.HasPrefix(coded.Code, "57"), strings.HasPrefix(coded.Code, "58"):
		return unavailable // connection, resources, a stop, the system
	default:
		return tryAgain
	}
}

// classifyUncoded returns the verdict on an error that the server did not send.
func classifyUncoded(err error) verdict {
	_, network := errors.AsType[net.Error](err)
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	if network || connecting || pgconn.SafeToRetry(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return unavailable
	}
	return tryAgain
}

func (*postgresDialect) code(err error) string {
	if coded, ok := errors.AsType[*pgconn.PgError](err); ok {
		return "SQLSTATE " + coded.Code
	}
	return ""
}

func (d *postgresDialect) close() error {
	err := d.readers.Close()
	d.readersPool.Close()
	d.pool.Close()
	return err
}

func (*postgresDialect) columnsOf(table string) string {
	return "SELECT COUNT(*) FROM pg_attribute WHERE attrelid = to_regclass('" + table + "') AND NOT attisdropped AND attname IN (" + quotedMigrationColumns + ")"
}

func (d *postgresDialect) begin(ctx context.Context) (transaction, error) {
	// The database may have another default isolation level. With this one, a query
	// after the lock sees all that the previous writer committed.
	tx, err := d.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite})
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, beginWriting, int64(writersLock)); err != nil {
		(&postgresTransaction{tx}).rollback() //nolint:contextcheck // that of the transaction may be over
		return nil, err
	}
	return &postgresTransaction{tx}, nil
}

// beginWriting takes the lock. The server ends a transaction that is idle, so that a
// writer whose host is gone does not hold the lock until TCP notices. An index answers
// each query of a writer, but the planner reads whole tables until they have statistics.
const beginWriting = "SELECT set_config('idle_in_transaction_session_timeout', '60s', true), set_config('enable_seqscan', 'off', true), pg_advisory_xact_lock($1)"

type postgresTransaction struct{ tx pgx.Tx }

func (t *postgresTransaction) query(ctx context.Context, query string, args ...any) (rows, error) {
	r, err := t.tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return postgresRows{r}, nil
}

func (t *postgresTransaction) exec(ctx context.Context, query string, args ...any) (int64, error) {
	tag, err := t.tx.Exec(ctx, query, args...)
	return tag.RowsAffected(), err
}

// execPrepared is exec: the driver keeps statements prepared.
func (t *postgresTransaction) execPrepared(ctx context.Context, query string, args ...any) (int64, error) {
	return t.exec(ctx, query, args...)
}

func (t *postgresTransaction) put(ctx context.Context, table string, columns []string, rows []tableRow) error {
	values := make([][]any, len(rows))
	var replaced []any
	for i := range rows {
		values[i] = rows[i].values
		if rows[i].mayExist {
			replaced = append(replaced, rows[i].values[0])
		}
	}
	if len(replaced) > 0 {
		if _, err := t.tx.Exec(ctx, "DELETE FROM "+table+" WHERE "+columns[0]+" = ANY($1::text[])", replaced); err != nil {
			return err
		}
	}
	_, err := t.tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(values))
	return err
}

func (t *postgresTransaction) commit(ctx context.Context) error { return t.tx.Commit(ctx) }

func (t *postgresTransaction) rollback() {
	// The transaction's own context may have ended.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = t.tx.Rollback(ctx)
}

type postgresRows struct{ pgx.Rows }

func (r postgresRows) Close() error {
	r.Rows.Close()
	return r.Err()
}

// CheckConnection returns the fault of a connection string. It does not connect.
func CheckConnection(connection string) error {
	if _, err := pgxpool.ParseConfig(connection); err != nil {
		// The driver's error has the connection string in it.
		return errors.New("must be a connection string for driver postgres, as postgres://user@host:5432/database or host=… dbname=… (and the files it names must be there)")
	}
	return nil
}
