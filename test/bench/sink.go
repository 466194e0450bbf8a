// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/legato-otel/legato/internal/names"
)

// sink is the consumer behind a processor. It checks as little as shows that the work was
// done, and keeps nothing.
type sink struct {
	passed   atomic.Int64 // log records that came through
	stamped  atomic.Int64 // those with a trace id
	stitched atomic.Int64 // log records that are spans
	whole    atomic.Int64 // those of objects that were seen from start to end
	spans    atomic.Int64
	calls    atomic.Int64 // of ConsumeTraces
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// What tells a log record that is a span from one that passes, and a whole one
// from one that lacks a start or an end.
const (
	spanEvent = ".span"
	complete  = "complete"
	joinEvent = "cisco.meeting_server.conference.update"
)

func (s *sink) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	var passed, stamped, stitched, whole int64
	for log := range recordsOf(logs) {
		if log.EventName() == joinEvent {
			continue // it is about records that are counted
		}
		if strings.HasSuffix(log.EventName(), spanEvent) {
			stitched++
			if outcome, ok := log.Attributes().Get(names.CallstitchOutcome); ok && outcome.Str() == complete {
				whole++
			}
			continue
		}
		passed++
		if !log.TraceID().IsEmpty() {
			stamped++
		}
	}
	s.passed.Add(passed)
	s.stamped.Add(stamped)
	s.stitched.Add(stitched)
	s.whole.Add(whole)
	return nil
}

func (s *sink) ConsumeTraces(_ context.Context, traces ptrace.Traces) error {
	s.spans.Add(int64(traces.SpanCount()))
	s.calls.Add(1)
	return nil
}

// patience is how long a processor may take to deliver.
const patience = 30 * time.Second

// await returns when a count has reached the expected number, and fails if it exceeds that or
// takes too long.
func await(ctx context.Context, what string, count *atomic.Int64, want int64, patience time.Duration) error {
	return awaitCount(ctx, what, count.Load, want, patience)
}

func awaitCount[N int | int64](ctx context.Context, what string, count func() N, want N, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		switch got := count(); {
		case got == want:
			return nil
		case got > want:
			return fmt.Errorf("%d %s were delivered, of %d", got, what, want)
		case ctx.Err() != nil:
			return fmt.Errorf("%d of %d %s were delivered: %w", got, want, what, ctx.Err())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}
