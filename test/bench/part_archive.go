// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// The archive part: how many rows a second callrecord writes, from stitched records to a
// commit on the disk. The comparison is the simplest way to put the same rows, conferences
// included, into the same tables: a loop over a prepared INSERT in SQLite, COPY in PostgreSQL.
// Wall time counts: the disk is waited for. Each run begins with an empty database.

// leastOfBare is the goal.
const leastOfBare = 0.5

// archiveSizes are records in a transaction: about one post, and a queue's batch.
var archiveSizes = []int{10, 100, 1000}

// archivePlan says how much is measured.
type archivePlan struct {
	rounds    int
	records   int // stitched ones in a run
	directory string
}

func newArchivePlan(o options) archivePlan {
	return archivePlan{rounds: (o.rounds + 1) / 2, records: min(20_000, o.mostOpen), directory: o.directory}
}

// archiveRun is how fast the same rows were written in each way.
type archiveRun struct{ own, bare float64 }

// archiveResults by driver and size, one for each round.
type archiveResults struct {
	runs map[archiveKey][]archiveRun
	note string
}

type archiveKey struct {
	driver string
	size   int
}

func (p archivePlan) bench(ctx context.Context, c *corpus) (results archiveResults, err error) {
	results.runs = map[archiveKey][]archiveRun{}
	stitched, err := stitchedRecords(ctx, c)
	if err != nil {
		return results, err
	}
	server, err := postgres.Launch() //nolint:contextcheck // it is stopped in the end, whatever becomes of ctx
	switch {
	case errors.Is(err, postgres.ErrNotInstalled):
		results.note = "\nWithout PostgreSQL, whose server is not installed.\n"
	case err != nil:
		return results, err
	default:
		defer server.Stop() //nolint:contextcheck // likewise
	}
	for round := range p.rounds {
		for _, size := range archiveSizes {
			for _, driver := range store.Drivers() {
				if driver == store.PostgreSQL && server == nil {
					continue
				}
				progress("archive in %s, %d records a transaction, round %d of %d", driver, size, round+1, p.rounds)
				run, err := p.run(ctx, driver, server, batchesOf(stitched, min(p.records, size*200), size))
				if err != nil {
					return results, fmt.Errorf("%s: %w", driver, err)
				}
				key := archiveKey{driver, size}
				results.runs[key] = append(results.runs[key], run)
			}
		}
	}
	return results, nil
}

// run writes batches through the exporter, and then the resulting rows in the simplest way.
func (p archivePlan) run(ctx context.Context, driver string, server *postgres.Server, batches []plog.Logs) (r archiveRun, err error) {
	directory, err := os.MkdirTemp(p.directory, "bench")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	var sources [2]string
	for i := range sources {
		sources[i] = filepath.Join(directory, strconv.Itoa(i), "calls.db")
		if driver == store.PostgreSQL {
			if sources[i], err = server.Create(ctx); err != nil {
				return r, err
			}
		}
	}
	took, err := export(ctx, driver, sources[0], batches)
	if err != nil {
		return r, err
	}
	rows, err := archivedRows(ctx, driver, sources[0])
	if err != nil {
		return r, err
	}
	r.own = float64(rows.count()) / took.Seconds()
	if took, err = rows.writeBare(ctx, driver, sources[1], len(batches)); err != nil {
		return r, err
	}
	r.bare = float64(rows.count()) / took.Seconds()
	return r, nil
}

func (archivePlan) report(results archiveResults) string {
	var b strings.Builder
	b.WriteString("| rows per second | records per transaction | goal | measured | spread | | callrecord | bare |\n|---|---|---|---|---|---|---|---|\n")
	for _, driver := range store.Drivers() {
		for _, size := range archiveSizes {
			var own, bare []float64
			for _, run := range results.runs[archiveKey{driver, size}] {
				own, bare = append(own, run.own), append(bare, run.bare)
			}
			if len(own) == 0 {
				continue
			}
			s, goal, met := summarize(ratios(own, bare)), "", ""
			if size == archiveSizes[len(archiveSizes)-1] {
				goal, met = fmt.Sprintf(">= %.2f", leastOfBare), verdict(s.median >= leastOfBare)
			}
			way := map[string]string{store.SQLite: "INSERT", store.PostgreSQL: "COPY"}[driver]
			fmt.Fprintf(&b, "| callrecord / %s, %s | %d | %s | %.2f | %.2f..%.2f | %s | %.0f | %.0f |\n", driver, way, size,
				goal, s.median, s.least, s.most, met, summarize(own).median, summarize(bare).median)
		}
	}
	return b.String() + results.note
}

// timed tells how long something took.
func timed(do func() error) (time.Duration, error) {
	begun := time.Now()
	err := do()
	return time.Since(begun), err
}
