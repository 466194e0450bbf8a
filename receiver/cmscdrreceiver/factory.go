// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/legato-otel/legato/internal/otel/sharedcomponent"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// NewFactory returns the factory of the cmscdr receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		receiver.WithLogs(createLogs, metadata.LogsStability),
		receiver.WithMetrics(createMetrics, metadata.MetricsStability),
	)
}

// receivers holds one receiver per configuration: its logs and its metrics come
// from the same listener.
var receivers = sharedcomponent.NewMap[*Config, *cdrReceiver]()

func createLogs(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
	return create(set, cfg, func(r *cdrReceiver) { r.logs = next })
}

func createMetrics(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	return create(set, cfg, func(r *cdrReceiver) { r.metrics = next })
}

func create(set receiver.Settings, cfg component.Config, connect func(*cdrReceiver)) (component.Component, error) {
	config := cfg.(*Config)
	component, err := receivers.LoadOrStore(config, func() (*cdrReceiver, error) { return newReceiver(config, set) })
	if err != nil {
		return nil, err
	}
	connect(component.Unwrap())
	return component, nil
}
