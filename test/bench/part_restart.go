// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// The restart part: how long callstitch takes to have its state again, after it
// was stopped and after its process was killed.

// longestStart is the goal.
const longestStart = 5 * time.Second

type restartPlan struct {
	rounds, open int
	directory    string
}

func newRestartPlan(o options) restartPlan {
	return restartPlan{rounds: (o.rounds + 1) / 2, open: min(100_000, o.mostOpen), directory: o.directory}
}

// restarts holds the times in milliseconds, one for each round.
type restarts struct {
	killed, stopped []float64
	legs            int
	bytes           int64 // of the files
}

func (p restartPlan) bench(ctx context.Context, c *corpus) (r restarts, err error) {
	for round := range p.rounds {
		progress("restart with %s legs, round %d of %d", thousands(p.open), round+1, p.rounds)
		if err := p.restart(ctx, c, &r); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (p restartPlan) restart(ctx context.Context, c *corpus, r *restarts) (err error) {
	directory, err := os.MkdirTemp(p.directory, "bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	s := setup{Job: "logs", Kind: callstitch, Corpus: c.file, Open: p.open, Store: storeFile, Directory: directory}
	first, err := startWorker(ctx, s)
	if err != nil {
		return err
	}
	const batch = 500
	_, err = first.request(order{Do: "fill", Batch: batch})
	if err == nil {
		_, err = first.request(order{Do: "hold", Batch: batch})
	}
	if err = errors.Join(err, first.kill()); err != nil {
		return err
	}
	if r.bytes, err = sizeOf(directory); err != nil {
		return err
	}
	after, err := once(ctx, s, order{Do: "started"})
	if err != nil {
		return err
	}
	r.killed = append(r.killed, after.Wall.Seconds()*1e3)
	var crew crew
	defer func() { err = crew.stop(err) }()
	last, err := crew.start(ctx, s)
	if err != nil {
		return err
	}
	if after, err = last.request(order{Do: "started"}); err != nil {
		return err
	}
	r.stopped = append(r.stopped, after.Wall.Seconds()*1e3)
	return verifyRestored(last, r)
}

// verifyRestored ends all legs: those that are then seen from start to end were
// restored.
func verifyRestored(w *worker, r *restarts) error {
	if _, err := w.request(order{Do: "skip"}); err != nil {
		return err
	}
	a, err := w.request(order{Do: "drain", Batch: 500})
	r.legs = a.Open
	return err
}

// sizeOf returns how many bytes the files in a directory take.
func sizeOf(directory string) (n int64, err error) {
	files, err := os.ReadDir(directory)
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil {
			return 0, err
		}
		n += info.Size()
	}
	return n, nil
}

func (p restartPlan) report(r restarts) string {
	var b strings.Builder
	b.WriteString("| from Start to Started | open legs | goal | ms | spread | |\n|---|---|---|---|---|---|\n")
	for _, row := range []struct {
		name  string
		times []float64
	}{{"after a kill", r.killed}, {"after a stop", r.stopped}} {
		s := summarize(row.times)
		fmt.Fprintf(&b, "| %s | %s | <= %.0f | %.0f | %.0f..%.0f | %s |\n", row.name, thousands(p.open),
			longestStart.Seconds()*1e3, s.median, s.least, s.most, verdict(s.median <= longestStart.Seconds()*1e3))
	}
	fmt.Fprintf(&b, "\nThe file has %s, %d bytes for each leg.\n", megabytes(r.bytes), r.bytes/int64(r.legs))
	return b.String()
}
