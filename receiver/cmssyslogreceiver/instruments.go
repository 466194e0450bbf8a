// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/meetingserver/syslog"
	"github.com/legato-otel/legato/internal/names"
)

// bridgeCounters are the instruments of one bridge.
type bridgeCounters struct {
	records, faults, redacted, requests, audits metric.Int64Counter
	duration                                    metric.Float64Histogram
}

// definition is one row of the metrics table in the README, which a test holds
// against these.
type definition struct {
	name, unit, description string
	attributes              []string
	bounds                  []float64 // of a histogram

	// One of these is set.
	counter   func(*bridgeCounters) *metric.Int64Counter
	histogram func(*bridgeCounters) *metric.Float64Histogram
}

// durationBounds: most requests end within a second, and a bridge that is too busy
// answers after many.
var durationBounds = []float64{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}

var definitions = []definition{
	{
		name: names.MetricSyslogRecords, unit: "{record}", description: "Records of syslog by what they are about: lines, and API requests of many lines.",
		attributes: []string{names.KeyKind, names.KeySeverity},
		counter:    func(c *bridgeCounters) *metric.Int64Counter { return &c.records },
	},
	{
		name: names.MetricSyslogFaults, unit: "{fault}", description: "Lines that are the sign of a fault.",
		attributes: []string{names.KeyKind},
		counter:    func(c *bridgeCounters) *metric.Int64Counter { return &c.faults },
	},
	{
		name: names.MetricSyslogRedacted, unit: "{record}", description: "Records in which a secret was replaced or withheld.",
		counter: func(c *bridgeCounters) *metric.Int64Counter { return &c.redacted },
	},
	{
		name: names.MetricAPIRequests, unit: "{request}", description: "Requests to the API.",
		attributes: []string{names.KeyMethod, names.KeyRoute, names.KeyStatusClass},
		counter:    func(c *bridgeCounters) *metric.Int64Counter { return &c.requests },
	},
	{
		name: names.MetricAPIRequestDuration, unit: "s", description: "Time from a request to its response, by the stamps of its lines.",
		attributes: []string{names.KeyMethod, names.KeyRoute}, bounds: durationBounds,
		histogram: func(c *bridgeCounters) *metric.Float64Histogram { return &c.duration },
	},
	{
		name: names.MetricAPIAudits, unit: "{change}", description: "Objects that API users created, modified or deleted.",
		attributes: []string{names.KeyVerb},
		counter:    func(c *bridgeCounters) *metric.Int64Counter { return &c.audits },
	},
}

// newCounters makes the instruments of a bridge. Its bounded series begin at 0: increase()
// does not see the value that a series begins with.
func newCounters(meter metric.Meter) (*bridgeCounters, error) {
	c := new(bridgeCounters)
	var errs error
	for _, d := range definitions {
		var err error
		if d.counter != nil {
			*d.counter(c), err = meter.Int64Counter(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description))
		} else {
			*d.histogram(c), err = meter.Float64Histogram(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description),
				metric.WithExplicitBucketBoundaries(d.bounds...))
		}
		errs = errors.Join(errs, err)
	}
	if errs != nil {
		return nil, errs
	}
	for kind := range syslog.KindCount {
		if kind.Fault() {
			c.faults.Add(context.Background(), 0, kindOptions[kind])
		}
	}
	c.redacted.Add(context.Background(), 0)
	for _, verb := range []string{"created", "modified", "deleted"} {
		c.audits.Add(context.Background(), 0, metric.WithAttributes(attribute.String(names.KeyVerb, verb)))
	}
	return c, nil
}

// Options are made once for all values that there are.
var (
	kindOptions   = make([]metric.MeasurementOption, syslog.KindCount)
	recordOptions = make([][syslog.SeverityCount]metric.MeasurementOption, syslog.KindCount)
)

func init() {
	for kind := range syslog.KindCount {
		name := attribute.String(names.KeyKind, kind.String())
		kindOptions[kind] = metric.WithAttributeSet(attribute.NewSet(name))
		for severity := range syslog.SeverityCount {
			recordOptions[kind][severity] = metric.WithAttributeSet(attribute.NewSet(name, attribute.String(names.KeySeverity, severity.String())))
		}
	}
}
