// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"math"

	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/meetingserver/callbridge"
	"github.com/legato-otel/legato/internal/meetingserver/completeness"
	"github.com/legato-otel/legato/internal/names"
)

// startSeriesOfRestoredBridges starts the series of the Call Bridges in the restored ledger: the gauge
// of the position, and counters at 0. rate() does not see the value that a series begins
// with, and an alert on the position needs its series.
func (m *metricSet) startSeriesOfRestoredBridges(ctx context.Context, positions []ledger.Position, builder resourceBuilder, logger *zap.Logger) {
	if m == nil || len(builder.mappedParameters) > 1 {
		return // only a request has the other parameters, which are part of the resource
	}
	for i := range positions[:min(len(positions), maxBridges)] {
		p := &positions[i]
		source := builder.buildFromPosition(p)
		bridge, err := m.bridges.InstrumentsFor(source.metricResource())
		if err != nil {
			logger.Error("Records cannot be counted", zap.Error(err))
			return
		}
		if p.Next > 0 && p.Next <= math.MaxInt64 {
			bridge.recordPosition.Record(ctx, int64(p.Next))
		}
	}
}

// buildFromPosition returns the resource of a bridge's next record, as far as the ledger
// knows it.
func (b resourceBuilder) buildFromPosition(p *ledger.Position) resource {
	r := resource{session: clipName(p.Session), callBridge: callbridge.ID(p.Identity.Bridge), configured: b.configured}
	r.serviceInstanceID = callbridge.Identity{CallBridge: r.callBridge, Session: r.session}.InstanceID()
	if p.Identity.System != "" {
		r.parameters = []pair{{names.SystemID, p.Identity.System}}
	}
	return r
}

// registerPositions registers the ledger's positions, so that components of this process
// that scrape the API of a Call Bridge can compare them.
func registerPositions(name string, of *ledger.Ledger) (unregister func()) {
	return completeness.Register(name, func() []completeness.Position {
		known := of.Positions()
		all := make([]completeness.Position, len(known))
		for i := range known {
			all[i] = completeness.Position{
				CallBridge: callbridge.ID(known[i].Identity.Bridge), System: known[i].Identity.System, Next: known[i].Next,
			}
		}
		return all
	})
}
