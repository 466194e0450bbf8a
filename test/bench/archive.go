// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	_ "modernc.org/sqlite" // the driver of the bare way

	"github.com/legato-otel/legato/exporter/callrecordexporter"
	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
)

// stitchedRecords are the stitched records of the corpus.
func stitchedRecords(ctx context.Context, c *corpus) (plog.Logs, error) {
	made := plog.NewLogs()
	encoded, err := os.ReadFile(c.file)
	if err != nil {
		return made, err
	}
	logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(encoded)
	if err != nil {
		return made, err
	}
	var mu sync.Mutex
	next, err := consumer.NewLogs(func(_ context.Context, passed plog.Logs) error {
		mu.Lock()
		defer mu.Unlock()
		for _, rl := range passed.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				sl.LogRecords().RemoveIf(func(lr plog.LogRecord) bool { return !strings.HasSuffix(lr.EventName(), ".span") })
			}
		}
		passed.ResourceLogs().MoveAndAppendTo(made.ResourceLogs())
		return nil
	})
	if err != nil {
		return made, err
	}
	stitcher, err := newStitcher(ctx, stitchConfig{linger: time.Hour, maxOpen: 24 * time.Hour, maxObjects: 1_000_000}, next)
	if err != nil {
		return made, err
	}
	if err := stitcher.Start(ctx, componenttest.NewNopHost()); err != nil {
		return made, err
	}
	// Without a storage, the shutdown sends all there is.
	return made, errors.Join(stitcher.ConsumeLogs(ctx, logs), stitcher.Shutdown(ctx))
}

// batchesOf takes so many records, in generations whose ids differ, as requests
// of one size.
func batchesOf(stitched plog.Logs, records, size int) (batches []plog.Logs) {
	var to plog.LogRecordSlice
	left := 0
	for generation := uint32(1); ; generation++ {
		for _, rl := range stitched.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					if left == 0 {
						if len(batches) == records/size {
							return batches
						}
						batch := plog.NewLogs()
						into := batch.ResourceLogs().AppendEmpty()
						rl.Resource().CopyTo(into.Resource())
						to = into.ScopeLogs().AppendEmpty().LogRecords()
						batches, left = append(batches, batch), size
					}
					left--
					copied := to.AppendEmpty()
					lr.CopyTo(copied)
					renew(copied, generation)
				}
			}
		}
	}
}

// renew gives a record the ids of another generation.
func renew(lr plog.LogRecord, generation uint32) {
	trace, span := lr.TraceID(), lr.SpanID()
	tag := fmt.Sprintf("%08x", generation*2654435761)
	copy(trace[:], tag)
	copy(span[:], tag[:4])
	lr.SetTraceID(trace)
	lr.SetSpanID(span)
	for _, key := range []string{names.CallID, names.CallLegID, names.RecordingID, names.StreamingID, names.ParticipantID} {
		if v, ok := lr.Attributes().Get(key); ok && v.Type() == pcommon.ValueTypeStr && len(v.Str()) > len(tag) {
			v.SetStr(tag + v.Str()[len(tag):])
		}
	}
}

// export writes batches through the exporter, one after the other.
func export(ctx context.Context, driver, source string, batches []plog.Logs) (took time.Duration, err error) {
	factory := callrecordexporter.NewFactory()
	config, err := configure(factory, map[string]any{"driver": driver, "datasource": source})
	if err != nil {
		return 0, err
	}
	exporter, err := factory.CreateLogs(ctx, exportertest.NewNopSettings(factory.Type()), config)
	if err != nil {
		return 0, err
	}
	if err := exporter.Start(ctx, componenttest.NewNopHost()); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, exporter.Shutdown(ctx)) }()
	return timed(func() error {
		for _, batch := range batches {
			if err := exporter.ConsumeLogs(ctx, batch); err != nil {
				return err
			}
		}
		return nil
	})
}

// archived is the rows of a table, as they go into another one.
type archived struct {
	table   string
	columns []string
	rows    [][]any
}

type archivedTables []archived

func (a archivedTables) count() (rows int) {
	for _, t := range a {
		rows += len(t.rows)
	}
	return rows
}

// share is the part of a table's rows that is in one transaction of so many.
func (a archived) share(i, of int) [][]any {
	return a.rows[len(a.rows)*i/of : len(a.rows)*(i+1)/of]
}

// archivedRows reads all rows of an archive.
func archivedRows(ctx context.Context, driver, source string) (all archivedTables, err error) {
	archive, err := store.Open(ctx, driver, source)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, archive.Close()) }()
	for _, table := range store.Tables() {
		found, err := archive.Query(ctx, "SELECT * FROM "+table)
		if err != nil {
			return nil, err
		}
		a := archived{table: table}
		if a.columns, err = found.Columns(); err != nil {
			return nil, errors.Join(err, found.Close())
		}
		for found.Next() {
			row, into := make([]any, len(a.columns)), make([]any, len(a.columns))
			for i := range row {
				into[i] = &row[i]
			}
			if err := found.Scan(into...); err != nil {
				return nil, errors.Join(err, found.Close())
			}
			for i, v := range row {
				if text, ok := v.([]byte); ok {
					row[i] = json.RawMessage(text)
				}
			}
			a.rows = append(a.rows, row)
		}
		if err := errors.Join(found.Err(), found.Close()); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// writeBare puts the rows into an empty archive, in so many transactions.
func (a archivedTables) writeBare(ctx context.Context, driver, source string, transactions int) (took time.Duration, err error) {
	archive, err := store.Open(ctx, driver, source)
	if err != nil {
		return 0, err
	}
	if err := archive.Close(); err != nil {
		return 0, err
	}
	if driver == store.PostgreSQL {
		return a.copy(ctx, source, transactions)
	}
	return a.insert(ctx, source, transactions)
}

func (a archivedTables) copy(ctx context.Context, source string, transactions int) (took time.Duration, err error) {
	connection, err := pgx.Connect(ctx, source)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, connection.Close(ctx)) }()
	return timed(func() error {
		for i := range transactions {
			err := pgx.BeginFunc(ctx, connection, func(tx pgx.Tx) error {
				for _, t := range a {
					if rows := t.share(i, transactions); len(rows) > 0 {
						if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.table}, t.columns, pgx.CopyFromRows(rows)); err != nil {
							return err
						}
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (a archivedTables) insert(ctx context.Context, source string, transactions int) (took time.Duration, err error) {
	db, err := sql.Open("sqlite", "file:"+source+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-65536)&_txlock=immediate")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	statements := make([]*sql.Stmt, len(a))
	for i, t := range a {
		//nolint:gosec // names of the archive's own tables and columns
		statements[i], err = db.PrepareContext(ctx, "INSERT INTO "+t.table+" ("+strings.Join(t.columns, ", ")+") VALUES (?"+strings.Repeat(", ?", len(t.columns)-1)+")")
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, statements[i].Close()) }()
	}
	return timed(func() error {
		for i := range transactions {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			for k, t := range a {
				statement := tx.Stmt(statements[k])
				for _, row := range t.share(i, transactions) {
					// A context that can end costs a goroutine for each row.
					if _, err := statement.ExecContext(context.WithoutCancel(ctx), row...); err != nil {
						return errors.Join(err, tx.Rollback())
					}
				}
			}
			if err := tx.Commit(); err != nil {
				return err
			}
		}
		return nil
	})
}
