// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/legato-otel/legato/internal/otel/sharedcomponent"
	"github.com/legato-otel/legato/receiver/cmseventsreceiver/internal/metadata"
)

// NewFactory returns the factory of the cmsevents receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		receiver.WithLogs(createLogs, metadata.LogsStability),
		receiver.WithMetrics(createMetrics, metadata.MetricsStability),
	)
}

// receivers holds one receiver per configuration, because its logs and metrics come from
// the same sockets.
var receivers = sharedcomponent.NewMap[*Config, *eventsReceiver]()

func createLogs(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
	return create(set, cfg, func(r *eventsReceiver) { r.logs = next })
}

func createMetrics(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	return create(set, cfg, func(r *eventsReceiver) { r.metrics = next })
}

func create(set receiver.Settings, cfg component.Config, connect func(*eventsReceiver)) (component.Component, error) {
	config := cfg.(*Config)
	held, err := receivers.LoadOrStore(config, func() (*eventsReceiver, error) { return newReceiver(config, set) })
	if err != nil {
		return nil, err
	}
	connect(held.Unwrap())
	return held, nil
}
