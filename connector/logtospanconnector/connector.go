// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logtospanconnector

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/connector/logtospanconnector/internal/metadata"
)

// logToSpan has nothing to start and nothing to stop.
type logToSpan struct {
	component.StartFunc
	component.ShutdownFunc

	next      consumer.Traces
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder

	// reported says which verdicts are in the log already. One wrong sender is
	// wrong in every record; the counter says how often.
	reported [verdicts]atomic.Bool
}

var _ connector.Logs = (*logToSpan)(nil)

func newConnector(set connector.Settings, next consumer.Traces) (*logToSpan, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &logToSpan{next: next, logger: set.Logger, telemetry: telemetry}, nil
}

// Capabilities says that the logs are only read.
func (*logToSpan) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// ConsumeLogs hands on the spans. The next consumer's error is returned as it
// is: only it knows whether the same logs may come again. What comes again would
// be counted again, so a batch counts once it was accepted.
func (c *logToSpan) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	traces, counts := convert(logs)
	c.report(&counts)
	if traces.ResourceSpans().Len() > 0 {
		if err := c.next.ConsumeTraces(ctx, traces); err != nil {
			return err
		}
	}
	c.count(ctx, &counts)
	return nil
}

// report says once of each kind of fault that there is such a thing. The values
// of the record stay out of the log: they may be about people.
func (c *logToSpan) report(counts *tally) {
	for v, n := range counts {
		if n > 0 && known[v].reason != "" && c.reported[v].CompareAndSwap(false, true) {
			c.logger.Warn("Faulty log record; further ones of this kind are counted, not logged",
				zap.String("outcome", known[v].outcome), zap.String("reason", known[v].reason), zap.String("explanation", known[v].explanation))
		}
	}
}

func (c *logToSpan) count(ctx context.Context, counts *tally) {
	for v, n := range counts {
		if n > 0 {
			c.telemetry.ConnectorLogtospanRecords.Add(ctx, n, series[v]...)
		}
	}
}

// series are the attributes of the counter by verdict, made once.
var series = func() (options [verdicts][]metric.AddOption) {
	for v, k := range known {
		attributes := []attribute.KeyValue{attribute.String("outcome", k.outcome)}
		if k.reason != "" {
			attributes = append(attributes, attribute.String("reason", k.reason))
		}
		options[v] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attributes...))}
	}
	return options
}()
