// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
)

// checkpointer copies SQLite's write-ahead log into the database file, in a goroutine.
// Otherwise the commit that makes the log long does so, and all writers that wait for that
// commit wait until hundreds of pages are written and synced.
type checkpointer struct {
	beside *sql.DB // copies while the writer's transactions continue
	writer *sql.DB // the only connection that writes
	rows   int     // written since the last checkpoint; belongs to whose transaction it is

	due    chan struct{}
	cancel context.CancelFunc
	ended  chan struct{}
}

const (
	// checkpointRows is how many written rows a checkpoint is for. A page that many
	// transactions wrote is copied once, and each checkpoint keeps the writer waiting for a
	// sync: the more rows, the fewer posts wait. 2500 rows and those written meanwhile are 20 to
	// 40 MiB of the log, the most in small transactions: no commit finds it as long as longLog.
	checkpointRows = 2500
	// longLog is the length of the log, in pages of 4 KiB, at which the commit copies after
	// all: 64 MiB.
	longLog = 16384
)

func newCheckpointer(beside, writer *sql.DB) *checkpointer {
	ctx, cancel := context.WithCancel(context.Background())
	c := &checkpointer{beside: beside, writer: writer, due: make(chan struct{}, 1), cancel: cancel, ended: make(chan struct{})}
	go c.run(ctx)
	return c
}

// committed counts the rows of a transaction that was committed.
func (c *checkpointer) committed(rows int) {
	if c.rows += rows; c.rows < checkpointRows {
		return
	}
	c.rows = 0
	select {
	case c.due <- struct{}{}:
	default:
	}
}

func (c *checkpointer) run(ctx context.Context) {
	defer close(c.ended)
	for {
		select {
		case <-c.due:
		case <-ctx.Done():
			return
		}
		c.checkpoint(ctx)
	}
}

// checkpoint copies the log. SQLite starts the log over when all of it is copied, so the
// last copy runs between two transactions. The second copy makes the last one short: it copies the
// pages that were written during the first. An error needs no report: a disk that fails or is full fails the
// next commit too.
func (c *checkpointer) checkpoint(ctx context.Context) {
	for _, connection := range []*sql.DB{c.beside, c.beside, c.writer} {
		if _, err := connection.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
			return
		}
	}
}

// stop waits for a running copy.
func (c *checkpointer) stop() {
	c.cancel()
	<-c.ended
}

// logPragma bounds the log that a commit leaves to the checkpointer.
var logPragma = fmt.Sprintf("wal_autocheckpoint(%d)", longLog)
