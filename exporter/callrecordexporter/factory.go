// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/legato-otel/legato/exporter/callrecordexporter/internal/metadata"
)

// NewFactory returns the factory of the callrecord exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(
		metadata.Type,
		createDefaultConfig,
		exporter.WithLogs(createLogs, metadata.LogsStability),
	)
}

func createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	config := cfg.(*Config)
	e, err := newExporter(config, set) //nolint:contextcheck // transactions end with the exporter, not with its creation
	if err != nil {
		return nil, err
	}
	options := []exporterhelper.Option{
		exporterhelper.WithStart(e.start),
		exporterhelper.WithShutdown(e.shutdown),
		exporterhelper.WithTimeout(config.Timeout),
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		exporterhelper.WithQueue(config.Queue),
	}
	if config.Queue.HasValue() {
		// Without a queue the sender keeps the records, and waits for an answer.
		options = append(options, exporterhelper.WithRetry(config.Retry))
	}
	helper, err := exporterhelper.NewLogs(ctx, set, config, e.export, options...)
	if err != nil {
		return nil, err
	}
	return &boundedExporter{Logs: helper, exporter: e}, nil
}
