// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// The memory part: the memory of an open leg, and the cost of a full garbage collection with
// all legs open.

// held is the memory of a processor.
type held struct {
	kind, object string
	asked        int // how many should be open
	open         int // how many are
	objects      int // the same with the calls they are in
	memory       memory
}

const (
	openLeg    = "open leg"
	openDialog = "open dialog"
)

// Goals of the project.
const (
	mostBytesPerLeg = 512
	mostCollect     = 10 * time.Millisecond
)

// memoryPlan describes a measurement.
type memoryPlan struct {
	legs, traces []int
}

func newMemoryPlan(o options) memoryPlan {
	var p memoryPlan
	for _, n := range []int{100_000, 1_000_000} {
		if n <= o.mostOpen {
			p.legs = append(p.legs, n)
		}
		if n <= o.mostTraces {
			p.traces = append(p.traces, n)
		}
	}
	return p
}

func (p memoryPlan) bench(ctx context.Context, c *corpus) (all []held, err error) {
	for i, open := range p.legs {
		progress("memory of %s legs", thousands(open))
		legs, err := weighLegs(ctx, c, open, i == 0)
		if err != nil {
			return nil, err
		}
		all = append(all, legs...)
		if i > 0 {
			continue
		}
		dialogs, err := weighDialogs(ctx, c, open, legs[0])
		if err != nil {
			return nil, err
		}
		all = append(all, dialogs)
	}
	for _, open := range p.traces {
		for _, kind := range []string{groupByTrace, tailSampling} {
			progress("memory of %s traces in %s", thousands(open), kind)
			a, err := once(ctx, setup{Job: "spans", Kind: kind, Open: open}, order{Do: "peak"})
			if err != nil {
				return nil, err
			}
			all = append(all, held{kind: kind, object: "trace of 5 spans", asked: open, open: a.Open, objects: a.Objects, memory: a.Memory})
		}
	}
	return all, nil
}

// weighLegs measures the memory of legs that have all of their updates and, if emitted is set,
// of legs that were emitted.
func weighLegs(ctx context.Context, c *corpus, open int, emitted bool) (all []held, err error) {
	var crew crew
	defer func() { err = crew.stop(err) }()
	w, err := crew.start(ctx, setup{Job: "logs", Kind: callstitch, Corpus: c.file, Open: open})
	if err != nil {
		return nil, err
	}
	base, err := w.request(order{Do: "memory"})
	if err != nil {
		return nil, err
	}
	if _, err := w.request(order{Do: "fill"}); err != nil {
		return nil, err
	}
	steps := []struct{ object, do string }{{openLeg, "hold"}}
	if emitted {
		steps = append(steps, struct{ object, do string }{"emitted leg", "drain"})
	}
	for _, next := range steps {
		done, err := w.request(order{Do: next.do})
		if err != nil {
			return nil, err
		}
		a, err := w.request(order{Do: "memory"})
		if err != nil {
			return nil, err
		}
		all = append(all, held{kind: callstitch, object: next.object, asked: open, open: done.Open, objects: done.Objects, memory: a.Memory.minus(base.Memory)})
	}
	return all, nil
}

// weighDialogs weighs the SIP calls in front of legs: the state of both, less that of
// the legs.
func weighDialogs(ctx context.Context, c *corpus, open int, legs held) (dialogs held, err error) {
	progress("memory of the dialogs of %s legs", thousands(open))
	var crew crew
	defer func() { err = crew.stop(err) }()
	w, err := crew.start(ctx, setup{Job: "logs", Kind: callstitch, Corpus: c.file, Open: open, Dialogs: true})
	if err != nil {
		return dialogs, err
	}
	base, err := w.request(order{Do: "memory"})
	if err != nil {
		return dialogs, err
	}
	if _, err := w.request(order{Do: "fill"}); err != nil {
		return dialogs, err
	}
	done, err := w.request(order{Do: "hold"})
	if err != nil {
		return dialogs, err
	}
	a, err := w.request(order{Do: "memory"})
	if err != nil {
		return dialogs, err
	}
	both := a.Memory.minus(base.Memory)
	return held{
		kind: callstitch, object: openDialog, asked: done.Dialogs, open: done.Dialogs, objects: done.Dialogs, memory: both.minus(legs.memory.of(done.Open, legs.open)),
	}, nil
}

// Heap bytes of one leg or trace.
func (h held) each() int64 { return h.memory.Heap / int64(h.open) }

// goals reports whether the goals of an object are met, if it has any.
func (h held) goals() (bytes, collect string) {
	if h.object != openLeg {
		return "", ""
	}
	bytes = fmt.Sprintf(" (<= %d: %s)", mostBytesPerLeg, verdict(h.each() <= mostBytesPerLeg))
	if h.open >= 1_000_000 {
		collect = fmt.Sprintf(" (<= %s: %s)", milliseconds(mostCollect), verdict(h.memory.Collect <= mostCollect))
	}
	return bytes, collect
}

func (memoryPlan) report(all []held) string {
	var b strings.Builder
	b.WriteString("| memory | open | heap bytes of each, its share of the call included | heap bytes of each object, calls among them | resident bytes of each | CPU ms of a full collection |\n|---|---|---|---|---|---|\n")
	for _, h := range all {
		bytes, collect := h.goals()
		fmt.Fprintf(&b, "| %s, %s | %s | %d%s | %d | %d | %s%s |\n", h.kind, h.object, thousands(h.asked),
			h.each(), bytes, h.memory.Heap/int64(h.objects), h.memory.Resident/int64(h.open), milliseconds(h.memory.Collect), collect)
	}
	return b.String()
}
