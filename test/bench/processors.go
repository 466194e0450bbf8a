// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/groupbytraceprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/tailsamplingprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
)

// What keeps state until something is complete.
const (
	callstitch   = "callstitch"
	groupByTrace = "groupbytrace"
	tailSampling = "tail_sampling"
	// passThrough is no processor: the difference is the cost of the records that are sent
	// through the others.
	passThrough = "none"
)

// stitchConfig is how callstitch is measured.
type stitchConfig struct {
	linger, maxOpen time.Duration
	maxObjects      int
	storage         *component.ID
}

func (c stitchConfig) settings() map[string]any {
	settings := map[string]any{
		"linger": c.linger.String(), "max_open": c.maxOpen.String(), "max_objects": c.maxObjects,
	}
	if c.storage != nil {
		settings["storage"] = c.storage.String()
	}
	return settings
}

// newPeer makes a processor of traces that holds so many of them, each for a
// time.
func newPeer(ctx context.Context, name string, traces int, wait time.Duration, next consumer.Traces) (processor.Traces, error) {
	var (
		factory  processor.Factory
		settings map[string]any
	)
	switch name {
	case groupByTrace:
		factory = groupbytraceprocessor.NewFactory()
		settings = map[string]any{"wait_duration": wait.String(), "num_traces": traces}
	case tailSampling:
		factory = tailsamplingprocessor.NewFactory()
		settings = map[string]any{
			"decision_wait": wait.String(), "num_traces": traces,
			"policies": []any{map[string]any{"name": "all", "type": "always_sample"}},
		}
	default:
		return untouched{next}, nil
	}
	config, err := configure(factory, settings)
	if err != nil {
		return nil, err
	}
	return factory.CreateTraces(ctx, processortest.NewNopSettings(factory.Type()), config, next)
}

// untouched is no processor of traces.
type untouched struct{ consumer.Traces }

func (untouched) Start(context.Context, component.Host) error { return nil }
func (untouched) Shutdown(context.Context) error              { return nil }

// unread is no processor of logs.
type unread struct{ consumer.Logs }

func (unread) Start(context.Context, component.Host) error { return nil }
func (unread) Shutdown(context.Context) error              { return nil }
