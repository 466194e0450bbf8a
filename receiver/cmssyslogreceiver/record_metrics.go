// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"context"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/meetingserver/syslog"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/aggregate"
	"github.com/legato-otel/legato/receiver/cmssyslogreceiver/internal/metadata"
)

// recordMetrics aggregates the metrics of records, for each bridge.
type recordMetrics struct {
	bridges *aggregate.Set[*bridgeInstruments]
}

// The largest numbers of bridges with metrics: bridges in servers, and others, whose names a
// stranger can invent.
const (
	maxNamedBridges   = 1024
	maxUnnamedBridges = 64
)

func newRecordMetrics(config *Config, set receiver.Settings) *recordMetrics {
	return &recordMetrics{aggregate.NewSet(aggregate.Settings{
		Scope: metadata.ScopeName, Version: set.BuildInfo.Version,
		Resources: maxNamedBridges, UnnamedResources: maxUnnamedBridges, Cardinality: config.Metrics.CardinalityLimit,
	}, newInstruments)}
}

func (m *recordMetrics) collect(ctx context.Context) (pmetric.Metrics, error) {
	return m.bridges.Collect(ctx)
}

// countAccepted counts records that the next consumer accepted.
func (m *recordMetrics) countAccepted(ctx context.Context, items []pendingRecord, logger *zap.Logger) {
	if m == nil {
		return
	}
	var last *resource
	var counters *bridgeInstruments
	for i := range items {
		if items[i].resource != last {
			last = items[i].resource
			var err error
			if counters, err = m.instrumentsOf(last); err != nil {
				logger.Error("Records cannot be counted", zap.Error(err))
				return
			}
		}
		counters.countRecord(ctx, &items[i].record)
	}
}

func (m *recordMetrics) instrumentsOf(r *resource) (*bridgeInstruments, error) {
	if r.named {
		return m.bridges.InstrumentsFor(r.metricAttributes())
	}
	return m.bridges.InstrumentsForUnnamed(r.metricAttributes())
}

func (c *bridgeInstruments) countRecord(ctx context.Context, r *syslog.Record) {
	c.records.Add(ctx, 1, recordOptions[r.Kind][r.Severity])
	if r.Kind.Fault() {
		c.faults.Add(ctx, 1, kindOptions[r.Kind])
	}
	if r.Redacted {
		c.redacted.Add(ctx, 1)
	}
	switch {
	case r.Request != nil:
		c.countRequest(ctx, r.Request)
	case r.Kind == syslog.KindAudit:
		for i := range r.Fields {
			if r.Fields[i].Key == names.APIVerb {
				c.audits.Add(ctx, 1, metric.WithAttributes(attribute.String(names.KeyVerb, r.Fields[i].Text)))
			}
		}
	}
}

// countRequest counts a request, unless its first line, which has method and route, is
// missing.
func (c *bridgeInstruments) countRequest(ctx context.Context, r *syslog.Request) {
	if r.Method == "" {
		return
	}
	method, route := attribute.String(names.KeyMethod, r.Method), attribute.String(names.KeyRoute, r.Route)
	class := attribute.String(names.KeyStatusClass, statusClasses[r.Status/100])
	c.requests.Add(ctx, 1, metric.WithAttributes(method, route, class))
	if class.Value.AsString() != serverError {
		// The series of failures begins at 0, so that the first one is an increase.
		c.requests.Add(ctx, 0, metric.WithAttributes(method, route, attribute.String(names.KeyStatusClass, serverError)))
	}
	if r.HasDuration && aggregate.PlausibleSeconds(r.Duration.Seconds()) {
		c.duration.Record(ctx, r.Duration.Seconds(), metric.WithAttributes(method, route))
	}
}

// serverError is the status class of the alert.
const serverError = "5xx"

// statusClasses are indexed by the first digit of the status, 0 without a response.
var statusClasses = [...]string{"none", "1xx", "2xx", "3xx", "4xx", serverError}
