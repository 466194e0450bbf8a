// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// configure returns a component's default configuration with some settings.
func configure(factory component.Factory, settings map[string]any) (component.Config, error) {
	config := factory.CreateDefaultConfig()
	return config, confmap.NewFromStringMap(settings).Unmarshal(config)
}

// components are the signals of one receiver.
type components []component.Component

func (cs components) Start(ctx context.Context, host component.Host) error {
	for _, c := range cs {
		if err := c.Start(ctx, host); err != nil {
			return err
		}
	}
	return nil
}

func (cs components) Shutdown(ctx context.Context) error {
	var errs error
	for _, c := range cs {
		errs = errors.Join(errs, c.Shutdown(ctx))
	}
	return errs
}

// startReceiver creates and starts a receiver with telemetry that does nothing. metrics may
// be nil.
func startReceiver(ctx context.Context, factory receiver.Factory, settings map[string]any, logs consumer.Logs, metrics consumer.Metrics) (components, error) {
	config, err := configure(factory, settings)
	if err != nil {
		return nil, err
	}
	set := receivertest.NewNopSettings(factory.Type())
	part, err := factory.CreateLogs(ctx, set, config, logs)
	if err != nil {
		return nil, err
	}
	parts := components{part}
	if metrics != nil {
		more, err := factory.CreateMetrics(ctx, set, config, metrics)
		if err != nil {
			return nil, err
		}
		parts = append(parts, more)
	}
	return parts, parts.Start(ctx, componenttest.NewNopHost())
}
