// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// The storage part: how many records a second callstitch takes when each call returns only
// once its state is on the disk. Wall time counts here: the wait is for the disk.

// leastOfLog is the goal: at least that share of an append log's rate, at largestBatch. There
// are two of them: one with nothing before it, and one behind a callstitch that stores
// nothing, which differs by the storing alone.
const leastOfLog = 0.9

// storagePlan says how much is measured.
type storagePlan struct {
	rounds    int
	open      int
	keys      int // of legs that are stored each by its own
	time      time.Duration
	ways      []way
	directory string
}

// way is how records come.
type way struct{ batch, callers int }

func (w way) String() string {
	if w.callers == 1 {
		return strconv.Itoa(w.batch)
	}
	return fmt.Sprintf("%d, %d at once", w.batch, w.callers)
}

// storageCallers is how many call at once where not one does.
const storageCallers = 8

func newStoragePlan(o options) storagePlan {
	p := storagePlan{rounds: (o.rounds + 1) / 2, open: min(10_000, o.mostOpen), keys: min(100_000, o.mostOpen), time: o.time / 2, directory: o.directory}
	for _, callers := range []int{1, storageCallers} {
		for _, batch := range batches {
			p.ways = append(p.ways, way{batch, callers})
		}
	}
	return p
}

// storedKinds are the measured subjects, callstitch first: the others write as many bytes as
// it does.
var storedKinds = []string{callstitch, stitchedLog, appendLog, perKey, passThrough}

// storageResults by kind and way, one for each round.
type storageResults map[storageKey][]answer

type storageKey struct {
	kind string
	way  way
}

func (p storagePlan) bench(ctx context.Context, c *corpus) (results storageResults, err error) {
	var crew crew
	defer func() { err = crew.stop(err) }()
	workers := make(map[string]*worker)
	results = make(storageResults)
	for _, kind := range storedKinds {
		progress("opening %s legs over %s", thousands(p.open), kind)
		directory, err := os.MkdirTemp(p.directory, "bench")
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
		s := setup{Job: "logs", Kind: kind, Corpus: c.file, Open: p.open, Callers: storageCallers, Keys: p.keys, Directory: directory}
		switch kind {
		case callstitch, perKey:
			s.Store = storeFile
		case appendLog, stitchedLog:
			s.Store = storeMemory // for the counts
		}
		if workers[kind], err = crew.start(ctx, s); err != nil {
			return nil, err
		}
		if _, err := workers[kind].request(order{Do: "fill", Batch: 500}); err != nil {
			return nil, err
		}
	}
	for _, way := range p.ways {
		for round := range p.rounds {
			progress("%s records a call, round %d of %d", way, round+1, p.rounds)
			for i := range storedKinds {
				kind := storedKinds[(round+i)%len(storedKinds)]
				key := storageKey{kind, way}
				a, err := workers[kind].request(order{
					Do: "run", Time: p.time, Batch: way.batch, Callers: way.callers, Payload: results.payload(way),
				})
				if err != nil {
					return nil, err
				}
				results[key] = append(results[key], a)
			}
		}
	}
	return results, nil
}

// payload is how many bytes callstitch stored for a record. It is known to those
// that write as many: callstitch goes first in the first round.
func (r storageResults) payload(way way) float64 {
	var records, bytes int64
	for _, a := range r[storageKey{callstitch, way}] {
		records += int64(a.Records)
		bytes += a.Stored.Bytes
	}
	return float64(bytes) / float64(max(1, records))
}

// each computes a figure for each round.
func (r storageResults) each(kind string, way way, figure func(answer) float64) (all []float64) {
	for _, a := range r[storageKey{kind, way}] {
		all = append(all, figure(a))
	}
	return all
}

func perSecond(a answer) float64 { return float64(a.Records) / a.Wall.Seconds() }
func perRecord(a answer) float64 { return microseconds(a.Used, a.Records) }

func (p storagePlan) report(results storageResults) string {
	var b strings.Builder
	b.WriteString("| records per second | records per call | goal | measured | spread | |\n|---|---|---|---|---|---|\n")
	for _, way := range p.ways {
		own := results.each(callstitch, way, perSecond)
		for _, other := range storedKinds[1 : len(storedKinds)-1] {
			s, goal, met := summarize(ratios(own, results.each(other, way, perSecond))), "", ""
			if way.batch == largestBatch && other != perKey {
				goal, met = fmt.Sprintf(">= %.2f", leastOfLog), verdict(s.median >= leastOfLog)
			}
			fmt.Fprintf(&b, "| callstitch / %s | %s | %s | %.2f | %.2f..%.2f | %s |\n", other, way, goal, s.median, s.least, s.most, met)
		}
	}
	b.WriteString("\n| stored before the call returns | records per call | records/s (spread) | CPU us per record | bytes stored per record | bytes written per record | records per write |\n|---|---|---|---|---|---|---|\n")
	for _, kind := range storedKinds[:len(storedKinds)-1] {
		for _, way := range p.ways {
			p.row(&b, results, kind, way)
		}
	}
	return b.String()
}

func (storagePlan) row(b *strings.Builder, results storageResults, kind string, way way) {
	speed := summarize(results.each(kind, way, perSecond))
	cost := summarize(differences(results.each(kind, way, perRecord), results.each(passThrough, way, perRecord)))
	var records, commits, bytes, written int64
	for _, a := range results[storageKey{kind, way}] {
		records += int64(a.Records)
		commits += a.Stored.Commits
		bytes += a.Stored.Bytes
		written += a.Stored.Written
	}
	fmt.Fprintf(b, "| %s | %s | %.0f (%.0f..%.0f) | %.2f | %d | %d | %.1f |\n", kind, way,
		speed.median, speed.least, speed.most, cost.median, bytes/records, written/records, float64(records)/float64(max(1, commits)))
}
