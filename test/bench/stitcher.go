// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/legato-otel/legato/connector/logtospanconnector"
	"github.com/legato-otel/legato/processor/callstitchprocessor"
)

// newStitcher makes callstitch.
func newStitcher(ctx context.Context, c stitchConfig, next consumer.Logs) (processor.Logs, error) {
	factory := callstitchprocessor.NewFactory()
	config, err := configure(factory, c.settings())
	if err != nil {
		return nil, err
	}
	return factory.CreateLogs(ctx, processortest.NewNopSettings(factory.Type()), config, next)
}

// spanMaker hands records to a sink, and makes spans of the stitched ones.
type spanMaker struct {
	*sink
	connector consumer.Logs
}

func newSpanMaker(ctx context.Context, into *sink) (*spanMaker, error) {
	factory := logtospanconnector.NewFactory()
	made, err := factory.CreateLogsToTraces(ctx, connectortest.NewNopSettings(factory.Type()), factory.CreateDefaultConfig(), into)
	return &spanMaker{into, made}, err
}

func (m *spanMaker) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	return errors.Join(m.connector.ConsumeLogs(ctx, logs), m.sink.ConsumeLogs(ctx, logs))
}
