// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/names"
)

// instruments are the metrics of one server.
type instruments struct {
	request, response         metric.Int64Counter
	attempt, answered, failed metric.Int64Counter
	ringing, setup, duration  metric.Float64Histogram
}

// metricDefinition defines a metric, and a row of the table in the README, which
// TestMetricsTable compares.
type metricDefinition struct {
	name, unit, description string
	attributes              []string
	buckets                 []float64 // upper bounds of a histogram

	// One of these is set.
	counter   func(*instruments) *metric.Int64Counter
	histogram func(*instruments) *metric.Float64Histogram
}

var (
	// setupBuckets are in seconds. An INVITE is answered within seconds, and fails after
	// three minutes at the latest (RFC 3261, Timer C).
	setupBuckets = []float64{0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 120, 180}
	// durationBuckets are in seconds. Calls last seconds to hours.
	durationBuckets = []float64{1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 2700, 3600, 5400, 7200, 10800, 14400, 28800, 86400}
)

var metricDefinitions = []metricDefinition{
	{
		name: names.MetricOCMSRequest, unit: "{request}", description: "SIP requests that were logged.",
		attributes: []string{names.SIPMethod},
		counter:    func(s *instruments) *metric.Int64Counter { return &s.request },
	},
	{
		name: names.MetricOCMSResponse, unit: "{response}", description: "SIP responses that were logged.",
		attributes: []string{names.SIPMethod, names.SIPCode},
		counter:    func(s *instruments) *metric.Int64Counter { return &s.response },
	},
	{
		name: names.MetricOCMSInviteAttempt, unit: "{call}", description: "Calls: Call-IDs with an INVITE or an answer to one. The base of the answer-seizure ratio.",
		counter: func(s *instruments) *metric.Int64Counter { return &s.attempt },
	},
	{
		name: names.MetricOCMSInviteAnswered, unit: "{call}", description: "Calls that were answered with 2xx, once each.",
		counter: func(s *instruments) *metric.Int64Counter { return &s.answered },
	},
	{
		name: names.MetricOCMSInviteFailed, unit: "{call}", description: "Calls whose first final response was 4xx, 5xx or 6xx; 401, 407 and 3xx are steps of a call.",
		attributes: []string{names.KeySIPClass},
		counter:    func(s *instruments) *metric.Int64Counter { return &s.failed },
	},
	{
		name: names.MetricOCMSInviteRinging, unit: "s", description: "Time from the first INVITE of a call to its first 180.", buckets: setupBuckets,
		histogram: func(s *instruments) *metric.Float64Histogram { return &s.ringing },
	},
	{
		name: names.MetricOCMSInviteSetup, unit: "s", description: "Time from the first INVITE of a call to the 2xx, or to the response with which it failed.",
		attributes: []string{names.KeyOutcome}, buckets: setupBuckets,
		histogram: func(s *instruments) *metric.Float64Histogram { return &s.setup },
	},
	{
		name: names.MetricOCMSDialogDuration, unit: "s", description: "Time from the 2xx of a dialog to its BYE.", buckets: durationBuckets,
		histogram: func(s *instruments) *metric.Float64Histogram { return &s.duration },
	},
}

// newInstruments creates the instruments of a server.
func newInstruments(meter metric.Meter) (*instruments, error) {
	s := new(instruments)
	var errs error
	for _, d := range metricDefinitions {
		var err error
		if d.counter != nil {
			*d.counter(s), err = meter.Int64Counter(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description))
		} else {
			*d.histogram(s), err = meter.Float64Histogram(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description),
				metric.WithExplicitBucketBoundaries(d.buckets...))
		}
		errs = errors.Join(errs, err)
	}
	if errs == nil {
		s.startAtZero(context.Background())
	}
	return s, errs
}

// startAtZero lets the series of calls begin at 0: increase() ignores the first value of a
// series, and would miss the first failure.
func (s *instruments) startAtZero(ctx context.Context) {
	s.attempt.Add(ctx, 0)
	s.answered.Add(ctx, 0)
	for _, class := range []string{"4xx", "5xx", "6xx", "cancelled"} {
		s.failed.Add(ctx, 0, labels(pair{names.KeySIPClass, class}))
	}
}
