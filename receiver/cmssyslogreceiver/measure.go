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

// measures counts records for the bridge that they are of.
type measures struct {
	bridges *aggregate.Set[*bridgeCounters]
}

// How many bridges have metrics at once: those that servers name, and others, which a
// stranger can make up.
const (
	maxNamedBridges   = 256
	maxUnnamedBridges = 64
)

func newMeasures(config *Config, set receiver.Settings) *measures {
	return &measures{aggregate.NewSet(aggregate.Settings{
		Scope: metadata.ScopeName, Version: set.BuildInfo.Version,
		Resources: maxNamedBridges, Unnamed: maxUnnamedBridges, Cardinality: config.Metrics.CardinalityLimit,
	}, newCounters)}
}

func (m *measures) collect(ctx context.Context) (pmetric.Metrics, error) {
	return m.bridges.Collect(ctx)
}

// record counts records that were accepted.
func (m *measures) record(ctx context.Context, items []item, logger *zap.Logger) {
	if m == nil {
		return
	}
	var last *resource
	var counters *bridgeCounters
	for i := range items {
		if items[i].resource != last {
			last = items[i].resource
			var err error
			if counters, err = m.of(last); err != nil {
				logger.Error("Records cannot be counted", zap.Error(err))
				return
			}
		}
		counters.count(ctx, &items[i].record)
	}
}

func (m *measures) of(r *resource) (*bridgeCounters, error) {
	if r.named {
		return m.bridges.For(r.set())
	}
	return m.bridges.ForUnnamed(r.set())
}

func (c *bridgeCounters) count(ctx context.Context, r *syslog.Record) {
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

// countRequest counts a request whose first line is known: without it there is neither
// method nor route.
func (c *bridgeCounters) countRequest(ctx context.Context, r *syslog.Request) {
	if r.Method == "" {
		return
	}
	method, route := attribute.String(names.KeyMethod, r.Method), attribute.String(names.KeyRoute, r.Route)
	class := attribute.String(names.KeyStatusClass, statusClasses[r.Status/100])
	c.requests.Add(ctx, 1, metric.WithAttributes(method, route, class))
	if class.Value.AsString() != serverError {
		// The first failure on this route must be an increase.
		c.requests.Add(ctx, 0, metric.WithAttributes(method, route, attribute.String(names.KeyStatusClass, serverError)))
	}
	if r.HasDuration && aggregate.PlausibleSeconds(r.Duration.Seconds()) {
		c.duration.Record(ctx, r.Duration.Seconds(), metric.WithAttributes(method, route))
	}
}

// serverError is the status class that an alert is about.
const serverError = "5xx"

// statusClasses by the first digit of a status, which is from 100 to 599, or 0 for no
// response.
var statusClasses = [...]string{"none", "1xx", "2xx", "3xx", "4xx", serverError}
