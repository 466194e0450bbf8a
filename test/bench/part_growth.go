// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// The growth part: the cmscdr receiver before callstitch, over HTTP, with few
// and with many legs open. The posts are of legs that are open.

// mostGrowth is the goal: a record may cost so much more with many open.
const mostGrowth = 1.10

// growthPlan says how much is measured.
type growthPlan struct {
	rounds       int
	few, many    int
	batches      []int
	time, warmUp time.Duration
}

func newGrowthPlan(o options) growthPlan {
	return growthPlan{rounds: o.rounds, few: 1_000, many: o.mostOpen, batches: []int{10, largestBatch}, time: o.time, warmUp: o.warmUp}
}

// growthCosts holds the CPU time per record in microseconds, by subject and batch, one figure
// for each round.
type growthCosts map[runKey][]float64

// The three that are measured.
const (
	withFew  = "cmscdr, callstitch, few open"
	withMany = "cmscdr, callstitch, many open"
	without  = "cmscdr alone"
)

// piped is a worker with a receiver, and the streams that are posted to it.
type piped struct {
	*worker
	name    string
	address string
	streams [connections]*stream
	texts   []wireRecord
}

func (p growthPlan) bench(ctx context.Context, c *corpus) (costs growthCosts, err error) {
	texts, err := wireRecords(c)
	if err != nil {
		return nil, err
	}
	var crew crew
	defer func() { err = crew.stop(err) }()
	var all []*piped
	for _, s := range []struct {
		name, kind string
		open       int
	}{{withFew, callstitch, p.few}, {withMany, callstitch, p.many}, {without, passThrough, p.few}} {
		progress("opening %s legs behind the receiver", thousands(s.open))
		w, err := crew.start(ctx, setup{Job: "pipeline", Kind: s.kind, Corpus: c.file, Open: s.open})
		if err != nil {
			return nil, err
		}
		opened := &piped{worker: w, name: s.name, texts: texts}
		if err := opened.open(c.world); err != nil {
			return nil, err
		}
		all = append(all, opened)
	}
	costs = make(growthCosts)
	for _, batch := range p.batches {
		for round := range p.rounds {
			progress("posts of %d, round %d of %d", batch, round+1, p.rounds)
			for i := range all {
				one := all[(round+i)%len(all)]
				cost, err := one.measure(ctx, batch, p)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", one.name, err)
				}
				key := runKey{one.name, batch}
				costs[key] = append(costs[key], cost)
			}
		}
	}
	return costs, nil
}

// open lets the worker open its legs, and brings the streams to where the
// worker's own then are.
func (p *piped) open(w *world) error {
	if _, err := p.request(order{Do: "fill"}); err != nil {
		return err
	}
	a, err := p.request(order{Do: "address"})
	if err != nil {
		return err
	}
	p.address = a.Address
	for lane := range p.streams {
		s := newStream(w, p.setup.Open/connections, uint32(lane), connections)
		s.skip()
		p.streams[lane] = s
	}
	return nil
}

// measure posts for a while and returns the CPU time per record. It fails
// unless everything was delivered.
func (p *piped) measure(ctx context.Context, batch int, plan growthPlan) (cost float64, err error) {
	var from [connections]posts
	for i, s := range p.streams {
		from[i] = newLegPosts(s, p.texts, batch)
	}
	client, err := connect(ctx, p.address, from)
	if err != nil {
		return 0, err
	}
	defer client.close()
	if _, _, err := p.load(ctx, client, batch, plan.warmUp); err != nil {
		return 0, err
	}
	used, records, err := p.load(ctx, client, batch, plan.time)
	if err != nil {
		return 0, err
	}
	return microseconds(used, records), nil
}

func (p *piped) load(ctx context.Context, from client, batch int, d time.Duration) (used time.Duration, records int, err error) {
	before, err := p.request(order{Do: "report"})
	if err != nil {
		return 0, 0, err
	}
	posted, err := from.load(ctx, d)
	if err != nil {
		return 0, 0, err
	}
	var ended int
	for _, s := range p.streams {
		ended += int(s.ended) //nolint:gosec // counted up from 0
	}
	if _, err := p.request(order{Do: "stitched", Count: ended}); err != nil {
		return 0, 0, err
	}
	after, err := p.request(order{Do: "report"})
	if err != nil {
		return 0, 0, err
	}
	records = posted * batch
	if got := after.Delivered - before.Delivered; got != int64(records) || records == 0 {
		return 0, 0, fmt.Errorf("%d of %d records were delivered", got, records)
	}
	return after.Used - before.Used, records, ctx.Err()
}

func (p growthPlan) report(costs growthCosts) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| CPU per record, %s open / %s open | records per post | goal | measured | spread | |\n|---|---|---|---|---|---|\n", thousands(p.many), thousands(p.few))
	for _, batch := range p.batches {
		s := summarize(ratios(costs[runKey{withMany, batch}], costs[runKey{withFew, batch}]))
		fmt.Fprintf(&b, "| cmscdr and callstitch | %d | <= %.2f | %.2f | %.2f..%.2f | %s |\n",
			batch, mostGrowth, s.median, s.least, s.most, verdict(s.median <= mostGrowth))
	}
	b.WriteString("\n| us per record (spread) |")
	for _, batch := range p.batches {
		fmt.Fprintf(&b, " %d |", batch)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(p.batches)) + "\n")
	for _, row := range []struct{ key, name string }{
		{without, "cmscdr alone"},
		{withFew, "cmscdr and callstitch, " + thousands(p.few) + " open"},
		{withMany, "cmscdr and callstitch, " + thousands(p.many) + " open"},
	} {
		fmt.Fprintf(&b, "| %s |", row.name)
		for _, batch := range p.batches {
			s := summarize(costs[runKey{row.key, batch}])
			fmt.Fprintf(&b, " %.2f (%.2f..%.2f) |", s.median, s.least, s.most)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
