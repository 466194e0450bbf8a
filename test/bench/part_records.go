// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// The records part: the cost of a record in callstitch, and of a span in the processors that
// keep traces until they are complete, with so many legs or traces open.

// recordCosts holds the CPU time per record or span in microseconds, one figure for each
// round, without the cost of making the record.
type recordCosts map[costKey][]float64

type costKey struct {
	kind string
	open int
}

// openCounts are how many legs or traces are open.
var openCounts = []int{1_000, 10_000, 100_000, 1_000_000}

// comparedAt is where callstitch is set against the others.
const comparedAt = 100_000

// recordGoals of the project, at comparedAt.
var recordGoals = []struct {
	over, under string
	atMost      float64
}{
	{callstitch, groupByTrace, 1.0 / 5},
	{callstitch, tailSampling, 1},
	{withDialogs, groupByTrace, 1.0 / 5},
	{withDialogs, tailSampling, 1},
}

// withDialogs is callstitch with the SIP calls of the legs.
const withDialogs = "callstitch with dialogs"

// recordsPlan says how much is measured.
type recordsPlan struct {
	rounds int
	open   []int
	// peers are measured up to so many traces: a million take 12 GB.
	peers int
	// records and spans of one measurement, at least.
	records, spans int
	compared       int
}

func newRecordsPlan(o options) recordsPlan {
	p := recordsPlan{rounds: o.rounds, peers: o.mostTraces, records: 200_000, spans: 50_000, compared: comparedAt}
	for _, n := range openCounts {
		if n <= o.mostOpen {
			p.open = append(p.open, n)
		}
	}
	return p
}

// bench measures all.
func (p recordsPlan) bench(ctx context.Context, c *corpus) (recordCosts, error) {
	costs := make(recordCosts)
	for _, open := range p.open {
		if err := p.benchOpen(ctx, c, open, costs); err != nil {
			return nil, err
		}
	}
	return costs, nil
}

// pair is a worker with a processor and one without, that do the same.
type pair struct {
	name          string
	with, without *worker
	run           order
}

// benchOpen measures with so many open, the kinds in turn within each round.
// The workers live through all rounds.
func (p recordsPlan) benchOpen(ctx context.Context, c *corpus, open int, costs recordCosts) (err error) {
	var crew crew
	defer func() { err = crew.stop(err) }()
	var pairs []pair
	for _, dialogs := range []bool{false, true} {
		legs, err := p.legs(ctx, &crew, c, open, dialogs)
		if err != nil {
			return err
		}
		pairs = append(pairs, legs)
	}
	if open <= p.peers {
		without, err := crew.start(ctx, setup{Job: "spans", Kind: passThrough, Open: open})
		if err != nil {
			return err
		}
		for _, kind := range []string{groupByTrace, tailSampling} {
			with, err := crew.start(ctx, setup{Job: "spans", Kind: kind, Open: open})
			if err != nil {
				return err
			}
			run := order{Do: "cycles", Count: max(1, p.spans/(open*spansPerTrace))}
			pairs = append(pairs, pair{kind, with, without, run})
		}
	}
	rounds := p.roundsAt(open)
	for round := range rounds {
		progress("%s open, round %d of %d", thousands(open), round+1, rounds)
		for i := range pairs {
			if err := pairs[(round+i)%len(pairs)].measure(costs); err != nil {
				return err
			}
		}
	}
	return nil
}

// roundsAt is fewer where a round takes half a minute: the longer one is, the
// less the next one differs.
func (p recordsPlan) roundsAt(open int) int {
	if open < 100_000 {
		return p.rounds
	}
	return (p.rounds + 1) / 2
}

// legs starts callstitch with so many open, and their dialogs if wanted.
func (p recordsPlan) legs(ctx context.Context, crew *crew, c *corpus, open int, dialogs bool) (legs pair, err error) {
	legs.name = callstitch
	if dialogs {
		legs.name = withDialogs
	}
	legs.run = order{Do: "run", Count: max(p.records, open/2)}
	if legs.with, err = crew.start(ctx, setup{Job: "logs", Kind: callstitch, Corpus: c.file, Open: open, Dialogs: dialogs}); err != nil {
		return legs, err
	}
	if legs.without, err = crew.start(ctx, setup{Job: "logs", Kind: passThrough, Corpus: c.file, Open: open, Dialogs: dialogs}); err != nil {
		return legs, err
	}
	for _, w := range []*worker{legs.with, legs.without} {
		if _, err := w.request(order{Do: "fill"}); err != nil {
			return legs, err
		}
	}
	return legs, balance(legs.with, legs.without)
}

// balance gives the worker that keeps nothing as many bytes as the other holds,
// so that both collect their garbage equally often: who holds more does so less
// often, and would seem to be cheaper.
func balance(full, empty *worker) error {
	held, err := full.request(order{Do: "memory"})
	if err != nil {
		return err
	}
	without, err := empty.request(order{Do: "memory"})
	if err != nil {
		return err
	}
	if more := held.Memory.Heap - without.Memory.Heap; more > 0 {
		_, err = empty.request(order{Do: "ballast", Count: int(more)})
	}
	return err
}

// errNothing keeps a report from being made of nothing.
var errNothing = errors.New("nothing was measured")

// measure lets both work, and records the cost of the first one's processor.
func (p pair) measure(costs recordCosts) error {
	a, err := p.with.request(p.run)
	if err != nil {
		return err
	}
	if a.Again > 0 {
		progress("%d calls found no room and were made once more", a.Again)
	}
	b, err := p.without.request(p.run)
	if err != nil {
		return err
	}
	if a.Records == 0 || b.Records == 0 || a.Used == 0 || b.Used == 0 {
		return errNothing
	}
	made := microseconds(b.Used, b.Records)
	costs.add(p.name, p.with.setup.Open, microseconds(a.Used, a.Records)-made)
	making := p.with.setup.Job
	if p.with.setup.Dialogs {
		making = withDialogs + " made"
	}
	costs.add(making, p.with.setup.Open, made)
	return nil
}

func (c recordCosts) add(kind string, open int, cost float64) {
	key := costKey{kind, open}
	c[key] = append(c[key], cost)
}

// report renders the costs.
func (p recordsPlan) report(costs recordCosts) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| CPU per record or span at %s open | goal | measured | spread | |\n|---|---|---|---|---|\n", thousands(p.compared))
	for _, g := range recordGoals {
		over, under := costs[costKey{g.over, p.compared}], costs[costKey{g.under, p.compared}]
		if len(over) == 0 || len(under) == 0 {
			continue
		}
		s := summarize(ratios(over, under))
		fmt.Fprintf(&b, "| %s / %s | <= 1/%.0f | %s | %s..%s | %s |\n", g.over, g.under, 1/g.atMost,
			fraction(s.median), fraction(s.least), fraction(s.most), verdict(s.median <= g.atMost))
	}
	b.WriteString("\n| us per record or span (spread) |")
	for _, open := range p.open {
		fmt.Fprintf(&b, " %s |", thousands(open))
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(p.open)) + "\n")
	for _, kind := range []string{callstitch, withDialogs, groupByTrace, tailSampling, "logs", withDialogs + " made", "spans"} {
		fmt.Fprintf(&b, "| %s |", rowNames[kind])
		for _, open := range p.open {
			if values := costs[costKey{kind, open}]; len(values) > 0 {
				s := summarize(values)
				fmt.Fprintf(&b, " %.2f (%.2f..%.2f) |", s.median, s.least, s.most)
			} else {
				b.WriteString(" - |")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// rowNames are the names of the measured subjects.
var rowNames = map[string]string{
	callstitch: "callstitch, per record", withDialogs: "callstitch, per record, a third of them of dialogs", groupByTrace: "groupbytrace, per span", tailSampling: "tail_sampling, per span",
	"logs": "making a record (taken off)", withDialogs + " made": "making a record, with dialogs (taken off)", "spans": "making a span (taken off)",
}
