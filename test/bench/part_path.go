// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// The path part: from an HTTP request with records to spans, beside the path that spans take
// which are sent as OTLP and kept until their trace is complete.

// mostPath is the goal: the CPU time of a record, as a part of that of a span.
const mostPath = 0.5

const (
	ownPath  = "cmscdr, callstitch, logtospan"
	peerPath = "OTLP receiver (JSON), groupbytrace"
)

// pathPlan says how much is measured.
type pathPlan struct {
	rounds       int
	open         int // legs
	batch        int // records or spans of a post
	time, warmUp time.Duration
}

func newPathPlan(o options) pathPlan {
	return pathPlan{rounds: o.rounds, open: 10_000, batch: 10, time: o.time, warmUp: o.warmUp}
}

// pathCosts holds the CPU time per record or span in microseconds, one figure for each round.
type pathCosts map[string][]float64

func (p pathPlan) bench(ctx context.Context, c *corpus) (costs pathCosts, err error) {
	texts, err := wireRecords(c)
	if err != nil {
		return nil, err
	}
	var crew crew
	defer func() { err = crew.stop(err) }()
	progress("opening %s legs behind the receiver", thousands(p.open))
	w, err := crew.start(ctx, setup{Job: "pipeline", Kind: callstitch, Corpus: c.file, Open: p.open, Spans: true})
	if err != nil {
		return nil, err
	}
	own := &piped{worker: w, name: ownPath, texts: texts}
	if err := own.open(c.world); err != nil {
		return nil, err
	}
	peer, err := newTracesPeer(ctx, &crew)
	if err != nil {
		return nil, err
	}
	costs = make(pathCosts)
	plan := growthPlan{time: p.time, warmUp: p.warmUp}
	for round := range p.rounds {
		progress("posts of %d, round %d of %d", p.batch, round+1, p.rounds)
		cost, err := own.measure(ctx, p.batch, plan)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ownPath, err)
		}
		costs[ownPath] = append(costs[ownPath], cost)
		if cost, err = peer.measure(ctx, p.batch, plan); err != nil {
			return nil, fmt.Errorf("%s: %w", peerPath, err)
		}
		costs[peerPath] = append(costs[peerPath], cost)
	}
	return costs, nil
}

// tracesPeer is a worker with a receiver of traces, and the spans that are posted to it.
type tracesPeer struct {
	*worker
	address string
	sources [connections]*spanSource
	posted  int // spans, of all measurements
}

// tracesPerLane is how many traces of a connection have spans to come.
const tracesPerLane = 500

func newTracesPeer(ctx context.Context, crew *crew) (*tracesPeer, error) {
	w, err := crew.start(ctx, setup{Job: "traces", Kind: groupByTrace})
	if err != nil {
		return nil, err
	}
	a, err := w.request(order{Do: "address"})
	if err != nil {
		return nil, err
	}
	p := &tracesPeer{worker: w, address: a.Address}
	for lane := range p.sources {
		p.sources[lane] = newSpanSource(tracesPerLane)
		p.sources[lane].life = uint64(lane) << 24
	}
	return p, nil
}

// measure posts for a while and returns the CPU time per span. It fails unless all came out.
func (p *tracesPeer) measure(ctx context.Context, batch int, plan growthPlan) (cost float64, err error) {
	var from [connections]posts
	for i, source := range p.sources {
		from[i] = &spanPosts{source: source, batch: batch}
	}
	client, err := connect(ctx, p.address, from)
	if err != nil {
		return 0, err
	}
	defer client.close()
	if _, err := p.load(ctx, client, batch, plan.warmUp); err != nil {
		return 0, err
	}
	before, err := p.request(order{Do: "report"})
	if err != nil {
		return 0, err
	}
	spans, err := p.load(ctx, client, batch, plan.time)
	if err != nil {
		return 0, err
	}
	after, err := p.request(order{Do: "report"})
	if err != nil {
		return 0, err
	}
	if got := after.Delivered - before.Delivered; got != int64(spans) || spans == 0 {
		return 0, fmt.Errorf("%d of %d spans came out", got, spans)
	}
	return microseconds(after.Used-before.Used, spans), nil
}

// load posts, and waits until all traces are released.
func (p *tracesPeer) load(ctx context.Context, from client, batch int, d time.Duration) (spans int, err error) {
	posted, err := from.load(ctx, d)
	if err != nil {
		return 0, err
	}
	spans = posted * batch
	p.posted += spans
	if _, err = p.request(order{Do: "released", Count: p.posted}); err != nil {
		return 0, err
	}
	return spans, ctx.Err()
}

// spanPosts posts spans as OTLP in JSON.
type spanPosts struct {
	source  *spanSource
	batch   int
	request []byte
}

func (p *spanPosts) next() []byte {
	traces, ok := p.source.next(p.batch)
	if !ok {
		p.source.begin()
		traces, _ = p.source.next(p.batch)
	}
	body, err := ptraceotlp.NewExportRequestFromTraces(traces).MarshalJSON()
	if err != nil {
		panic(err) // spans of our own
	}
	p.request = append(appendHead(p.request[:0], "/v1/traces", wires[otlpJSON].contentType, len(body)), body...)
	return p.request
}

func (p pathPlan) report(costs pathCosts) string {
	var b strings.Builder
	own, peer := summarize(costs[ownPath]), summarize(costs[peerPath])
	s := summarize(ratios(costs[ownPath], costs[peerPath]))
	fmt.Fprintf(&b, "| us of CPU per record or span, %d a post | goal | measured | spread | |\n|---|---|---|---|---|\n", p.batch)
	fmt.Fprintf(&b, "| %s / %s | <= %.2f | %.2f | %.2f..%.2f | %s |\n", ownPath, peerPath, mostPath, s.median, s.least, s.most, verdict(s.median <= mostPath))
	fmt.Fprintf(&b, "| %s, per record | | %.2f | %.2f..%.2f | |\n", ownPath, own.median, own.least, own.most)
	fmt.Fprintf(&b, "| %s, per span | | %.2f | %.2f..%.2f | |\n", peerPath, peer.median, peer.least, peer.most)
	return b.String()
}
