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
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// tracesJob is the OTLP receiver before a processor of traces.
type tracesJob struct {
	address   string
	into      sink
	receive   receiver.Traces
	processor processor.Traces
}

const (
	// tracesWait is how long groupbytrace waits for the spans of a trace. The load has sent all
	// of them long before.
	tracesWait = 2 * time.Second
	// mostWaiting bounds the traces that wait; there is room for all.
	mostWaiting = 100_000
)

func beginTraces(ctx context.Context, s setup) (_ job, err error) {
	j := &tracesJob{}
	if j.address, err = loopback.Address(); err != nil {
		return nil, err
	}
	if j.processor, err = newPeer(ctx, s.Kind, mostWaiting, tracesWait, &j.into); err != nil {
		return nil, err
	}
	factory, settings := otlp(j.address)
	config, err := configure(factory, settings)
	if err != nil {
		return nil, err
	}
	if j.receive, err = factory.CreateTraces(ctx, receivertest.NewNopSettings(factory.Type()), config, j.processor); err != nil {
		return nil, err
	}
	if err := j.processor.Start(ctx, componenttest.NewNopHost()); err != nil {
		return nil, err
	}
	return j, j.receive.Start(ctx, componenttest.NewNopHost())
}

func (j *tracesJob) do(ctx context.Context, o order) (answer, error) {
	switch o.Do {
	case "address":
		return answer{Address: j.address}, nil
	case "report":
		return reportOf(&j.into.spans)
	case "released":
		return answer{}, await(ctx, "spans", &j.into.spans, int64(o.Count), tracesWait+patience)
	default:
		return answer{}, fmt.Errorf("no such order %q", o.Do)
	}
}

func (j *tracesJob) close(ctx context.Context) error {
	return errors.Join(j.receive.Shutdown(ctx), j.processor.Shutdown(ctx))
}
