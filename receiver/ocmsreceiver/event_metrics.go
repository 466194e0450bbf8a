// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"context"

	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/ocms"
	"github.com/legato-otel/legato/internal/otel/aggregate"
	"github.com/legato-otel/legato/receiver/ocmsreceiver/internal/metadata"
)

// eventMetrics aggregates the metrics of events, for each server.
type eventMetrics struct {
	byServer *aggregate.Set[*instruments]
	calls    *calls
	logger   *zap.Logger
}

// maxServers is the largest number of servers with metrics.
const maxServers = 64

func newEventMetrics(config *Config, set receiver.Settings) *eventMetrics {
	settings := aggregate.Settings{
		Scope: metadata.ScopeName, Version: set.BuildInfo.Version,
		Resources: maxServers, Cardinality: config.Metrics.CardinalityLimit,
	}
	return &eventMetrics{byServer: aggregate.NewSet(settings, newInstruments), calls: newCalls(config.Metrics.MaxCalls), logger: set.Logger}
}

// countAccepted counts the new events of a piece that the next consumer accepted.
func (m *eventMetrics) countAccepted(ctx context.Context, in *batch, p *outbox.Chunk) {
	if m == nil || p.QuarantineReason != nil || p.Lost {
		return
	}
	server, err := m.byServer.InstrumentsFor(in.origin.resource.metricAttributes())
	if err != nil {
		m.logger.Error("Events cannot be counted", zap.Error(err))
		return
	}
	for i := p.From; i < p.To; i++ {
		if part := &in.lines[i]; !part.duplicate && part.kind == isEvent {
			server.countEvent(ctx, part.event, m.calls.observe(part.event))
		}
	}
}

func (s *instruments) countEvent(ctx context.Context, e *ocms.Event, n callProgress) {
	switch e.Kind() {
	case ocms.Request:
		s.request.Add(ctx, 1, labels(pair{names.SIPMethod, methodLabel(e.Method)}))
	case ocms.Response:
		s.response.Add(ctx, 1, labels(pair{names.SIPMethod, methodLabel(e.Method)}, pair{names.SIPCode, codeLabel(e.Code)}))
	case ocms.Generic:
		return
	}
	outcome := "answered"
	if n.attempt {
		s.attempt.Add(ctx, 1)
	}
	if n.answered {
		s.answered.Add(ctx, 1)
	}
	if n.failed {
		class := failureClass(e.Code)
		s.failed.Add(ctx, 1, labels(pair{names.KeySIPClass, class}))
		if outcome = "failed"; class == "cancelled" {
			outcome = class
		}
	}
	recordSeconds(ctx, s.ringing, n.ringing)
	recordSeconds(ctx, s.setup, n.setup, pair{names.KeyOutcome, outcome})
	recordSeconds(ctx, s.duration, n.duration)
}

// recordSeconds records a time that is known and plausible.
func recordSeconds(ctx context.Context, to metric.Float64Histogram, seconds float64, pairs ...pair) {
	if aggregate.PlausibleSeconds(seconds) {
		to.Record(ctx, seconds, labels(pairs...))
	}
}
