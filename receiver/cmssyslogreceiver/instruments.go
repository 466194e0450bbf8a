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

// bridgeInstruments are the metrics of one bridge.
type bridgeInstruments struct {
	records, faults, redacted, requests, audits metric.Int64Counter
	duration                                    metric.Float64Histogram
}

// metricDefinition defines a metric, and a row of the table in the README, which
// TestMetricsTable compares.
type metricDefinition struct {
	name, unit, description string
	attributes              []string
	buckets                 []float64 // of a histogram

	// One of these is set.
	counter   func(*bridgeInstruments) *metric.Int64Counter
	histogram func(*bridgeInstruments) *metric.Float64Histogram
}

// durationBuckets are in seconds. Most requests take less than one; a busy bridge takes
// many.
var durationBuckets = []float64{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}

var metricDefinitions = []metricDefinition{
	{
		name: names.MetricSyslogRecords, unit: "{record}", description: "Records of syslog by kind: lines, and API requests, which have several lines.",
		attributes: []string{names.KeyKind, names.KeySeverity},
		counter:    func(c *bridgeInstruments) *metric.Int64Counter { return &c.records },
	},
	{
		name: names.MetricSyslogFaults, unit: "{fault}", description: "Lines that indicate a fault.",
		attributes: []string{names.KeyKind},
		counter:    func(c *bridgeInstruments) *metric.Int64Counter { return &c.faults },
	},
	{
		name: names.MetricSyslogRedacted, unit: "{record}", description: "Records in which a secret was replaced or withheld.",
		counter: func(c *bridgeInstruments) *metric.Int64Counter { return &c.redacted },
	},
	{
		name: names.MetricAPIRequests, unit: "{request}", description: "Requests to the API.",
		attributes: []string{names.KeyMethod, names.KeyRoute, names.KeyStatusClass},
		counter:    func(c *bridgeInstruments) *metric.Int64Counter { return &c.requests },
	},
	{
		name: names.MetricAPIRequestDuration, unit: "s", description: "Time from a request to its response, by the timestamps of its lines.",
		attributes: []string{names.KeyMethod, names.KeyRoute}, buckets: durationBuckets,
		histogram: func(c *bridgeInstruments) *metric.Float64Histogram { return &c.duration },
	},
	{
		name: names.MetricAPIAudits, unit: "{change}", description: "Objects that API users created, modified or deleted.",
		attributes: []string{names.KeyVerb},
		counter:    func(c *bridgeInstruments) *metric.Int64Counter { return &c.audits },
	},
}

// newInstruments creates the instruments of a bridge. Series with bounded labels begin at 0:
// increase() ignores the first value of a series.
func newInstruments(meter metric.Meter) (*bridgeInstruments, error) {
	c := new(bridgeInstruments)
	var errs error
	for _, d := range metricDefinitions {
		var err error
		if d.counter != nil {
			*d.counter(c), err = meter.Int64Counter(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description))
		} else {
			*d.histogram(c), err = meter.Float64Histogram(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description),
				metric.WithExplicitBucketBoundaries(d.buckets...))
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

// The options of all combinations of labels, made once.
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
