// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// The stalls part: how long a call can take at worst, while the state grows,
// when all of it ends at once, and while it is written anew.

// stallsPlan says how much is measured.
type stallsPlan struct {
	open, calls, batch int
	// pace leaves the processors time for other things: with more to do than
	// there are processors, a call waits for its turn of them, which is some
	// milliseconds whatever is done in it.
	pace, spin time.Duration
	// maxOpen is some times as long as it takes to open them all, without their
	// updates.
	maxOpen time.Duration
}

func newStallsPlan(o options) stallsPlan {
	return stallsPlan{
		open: o.mostOpen, calls: 10_000, batch: 10, pace: time.Millisecond, spin: 3 * time.Second,
		maxOpen: 5*time.Second + time.Duration(o.mostOpen)*20*time.Microsecond,
	}
}

// phase is one of the activities during the measurement.
type phase struct {
	name string
	// noise reports that it is none of callstitch's.
	noise bool
	answer
}

func (p stallsPlan) bench(ctx context.Context, c *corpus) (all []phase, err error) {
	run := order{Do: "run", Count: p.calls * p.batch, Batch: p.batch, Pace: p.pace, Watch: true}
	fill := order{Do: "fill", Batch: p.batch, Watch: true}
	quick := order{Do: "fill"}
	for _, s := range []struct {
		setup  setup
		orders []order
		names  []string // of the phases the orders are; those without one are not reported
	}{
		{
			setup{Kind: passThrough},
			[]order{{Do: "spin", Time: p.spin}, quick, run},
			[]string{"a loop that only looks at the clock", "", "no processor"},
		},
		{
			setup{Kind: callstitch},
			[]order{fill, run, {Do: "restart", Batch: p.batch, Pace: p.pace}},
			[]string{"while legs are opened", "with all of them open", "while a restarted bridge's legs end"},
		},
		{
			setup{Kind: callstitch, MaxOpen: p.maxOpen, Bare: true},
			[]order{quick, {Do: "expire", Batch: p.batch, Pace: p.pace}},
			[]string{"", "while all expire"},
		},
		{
			setup{Kind: callstitch, Store: storeMemory},
			[]order{fill, run},
			[]string{"while legs are opened, stored in memory", "with all of them open, stored in memory"},
		},
	} {
		s.setup.Job, s.setup.Corpus, s.setup.Open = "stalls", c.file, p.open
		progress("stalls of %s legs, %s%s", thousands(p.open), s.setup.Kind, s.setup.Store)
		phases, err := watch(ctx, s.setup, s.orders, s.names)
		if err != nil {
			return nil, err
		}
		all = append(all, phases...)
	}
	return all, nil
}

// watch gives orders to a worker and returns its observations.
func watch(ctx context.Context, s setup, orders []order, names []string) (all []phase, err error) {
	var crew crew
	defer func() { err = crew.stop(err) }()
	w, err := crew.start(ctx, s)
	if err != nil {
		return nil, err
	}
	for i, o := range orders {
		a, err := w.request(o)
		if err != nil {
			return nil, err
		}
		if names[i] != "" {
			all = append(all, phase{name: names[i], noise: s.Kind == passThrough, answer: a})
		}
	}
	return all, nil
}

func (p stallsPlan) report(all []phase) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| ms of a call of %d records, %s legs | calls | median | 99.99 %% | longest | above %s | segments deleted | processors others used | |\n|---|---|---|---|---|---|---|---|---|\n",
		p.batch, thousands(p.open), milliseconds(longestStall))
	for _, one := range all {
		s, met := one.Stalls, ""
		if !one.noise {
			met = verdict(s.Longest <= longestStall)
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %d | %d | %.2f | %s |\n", one.name, s.Calls, milliseconds(s.Median), milliseconds(s.Rare),
			milliseconds(s.Longest), s.Above, one.Stored.Deletes, s.Others, met)
	}
	return b.String()
}
