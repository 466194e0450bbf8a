// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/legato-otel/legato/processor/callstitchprocessor"
)

// newStitcher makes callstitch.
func newStitcher(ctx context.Context, c stitchConfig, next consumer.Logs) (processor.Logs, error) {
	factory := callstitchprocessor.NewFactory()
	config, settings, err := configure(factory, c.settings())
	if err != nil {
		return nil, err
	}
	return factory.CreateLogs(ctx, settings, config, next)
}
