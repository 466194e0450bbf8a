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

// logToSpan has no state, so there is nothing to start or stop.
type logToSpan struct {
	component.StartFunc
	component.ShutdownFunc

	next      consumer.Traces
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder

	// logged tells which results were logged. A wrong sender is wrong in every record; the
	// counter counts the records.
	logged [results]atomic.Bool
}

var _ connector.Logs = (*logToSpan)(nil)

func newConnector(set connector.Settings, next consumer.Traces) (*logToSpan, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &logToSpan{next: next, logger: set.Logger, telemetry: telemetry}, nil
}

// Capabilities declares that the connector only reads the logs.
func (*logToSpan) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// ConsumeLogs passes the spans on. It returns the next consumer's error unchanged, because
// that reports whether the sender may retry. A batch is counted when it was accepted, so a retry
// is not counted twice.
func (c *logToSpan) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	traces, counts := convert(logs)
	c.logFaults(&counts)
	if traces.ResourceSpans().Len() > 0 {
		if err := c.next.ConsumeTraces(ctx, traces); err != nil {
			return err
		}
	}
	c.count(ctx, &counts)
	return nil
}

// logFaults logs each kind of fault once. The record's values stay out of the log: they may be
// personal data.
func (c *logToSpan) logFaults(counts *resultCounts) {
	for v, n := range counts {
		if n > 0 && resultInfo[v].reason != "" && c.logged[v].CompareAndSwap(false, true) {
			c.logger.Warn("Faulty log record; further ones of this kind are counted, not logged",
				zap.String("outcome", resultInfo[v].outcome), zap.String("reason", resultInfo[v].reason), zap.String("explanation", resultInfo[v].explanation))
		}
	}
}

func (c *logToSpan) count(ctx context.Context, counts *resultCounts) {
	for v, n := range counts {
		if n > 0 {
			c.telemetry.ConnectorLogtospanRecords.Add(ctx, n, series[v]...)
		}
	}
}

// series holds the counter's attributes by result, made once.
var series = func() (options [results][]metric.AddOption) {
	for v, k := range resultInfo {
		attributes := []attribute.KeyValue{attribute.String("outcome", k.outcome)}
		if k.reason != "" {
			attributes = append(attributes, attribute.String("reason", k.reason))
		}
		options[v] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attributes...))}
	}
	return options
}()
