// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/processor"
)

// spansJob lets traces live through a processor, so many at once. It does so in
// cycles, because the processors release by the clock on the wall: all traces
// begin, get their other spans, and are then waited for.
type spansJob struct {
	setup  setup
	source *spanSource
	wait   time.Duration
}

func beginSpans(_ context.Context, s setup) (job, error) {
	// Twice as long as sending takes. tail_sampling releases all when it is shut
	// down.
	wait := 300*time.Millisecond + time.Duration(s.Open*spansPerTrace)*15*time.Microsecond
	if s.Kind == tailSampling {
		wait = time.Hour
	}
	return &spansJob{setup: s, source: newSpanSource(s.Open), wait: wait}, nil
}

func (*spansJob) close(context.Context) error { return nil }

// errLate says that traces were released before all of their spans had come:
// the machine was too slow for the time that was given.
var errLate = errors.New("released in pieces")

func (j *spansJob) do(ctx context.Context, o order) (a answer, err error) {
	const tries = 4
	for range tries {
		switch o.Do {
		case "cycles":
			a, err = j.cycles(ctx, o.Count)
		case "peak":
			a, err = j.cycle(ctx, true)
		default:
			return a, fmt.Errorf("no such order %q", o.Do)
		}
		if !errors.Is(err, errLate) {
			break
		}
		j.wait *= 2
	}
	return a, err
}

func (j *spansJob) cycles(ctx context.Context, n int) (sum answer, err error) {
	for range n {
		a, err := j.cycle(ctx, false)
		if err != nil {
			return sum, err
		}
		sum.Used += a.Used
		sum.Records += a.Records
		sum.Open = a.Open
	}
	return sum, nil
}

// measuringTakes is how long a measurement of memory may.
const measuringTakes = 5 * time.Second

// cycle lets all traces live once. With peak, the memory is measured while all
// of them are there.
func (j *spansJob) cycle(ctx context.Context, peak bool) (a answer, err error) {
	var into sink
	var base memory
	if peak {
		if base, err = measureMemory(); err != nil {
			return a, err
		}
	}
	before, err := cpuTime()
	if err != nil {
		return a, err
	}
	wait := j.wait
	if peak {
		wait = 2*wait + measuringTakes
	}
	peer, err := newPeer(ctx, j.setup.Kind, j.setup.Open, wait, &into)
	if err != nil {
		return a, err
	}
	if err := peer.Start(ctx, componenttest.NewNopHost()); err != nil {
		return a, err
	}
	defer func() {
		if peer != nil {
			err = errors.Join(err, peer.Shutdown(ctx))
		}
	}()
	begun := time.Now()
	if err := j.send(ctx, peer); err != nil {
		return a, err
	}
	if peak {
		if a.Memory, err = j.measure(ctx, base); err != nil {
			return a, err
		}
	}
	if time.Since(begun) > wait {
		return a, errLate
	}
	if j.setup.Kind == tailSampling {
		err, peer = peer.Shutdown(ctx), nil
		if err != nil {
			return a, err
		}
	}
	a.Open, a.Objects, a.Records = j.setup.Open, j.setup.Open, j.setup.Open*spansPerTrace
	if err := await(ctx, "spans", &into.spans, int64(a.Records), wait+patience); err != nil {
		// Spans that come while their trace is being released are lost.
		return a, errors.Join(err, errLate)
	}
	after, err := cpuTime()
	if err != nil {
		return a, err
	}
	a.Used = after - before
	if j.setup.Kind != passThrough && into.calls.Load() != int64(j.setup.Open) {
		return a, fmt.Errorf("%d traces came out as %d: %w", j.setup.Open, into.calls.Load(), errLate)
	}
	return a, nil
}

func (j *spansJob) send(ctx context.Context, to processor.Traces) error {
	j.source.begin()
	for {
		traces, ok := j.source.batch()
		if !ok {
			return nil
		}
		if err := to.ConsumeTraces(ctx, traces); err != nil {
			return err
		}
	}
}

// measure returns the memory of the traces, once all of them are in.
func (*spansJob) measure(ctx context.Context, base memory) (m memory, err error) {
	if err := untilQuiet(ctx); err != nil {
		return m, err
	}
	m, err = measureMemory()
	return m.minus(base), err
}

// untilQuiet returns when this process is idle.
func untilQuiet(ctx context.Context) error {
	const look = 50 * time.Millisecond
	for {
		before, err := cpuTime()
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(look):
		}
		after, err := cpuTime()
		if err != nil {
			return err
		}
		if after-before < look/50 {
			return nil
		}
	}
}
