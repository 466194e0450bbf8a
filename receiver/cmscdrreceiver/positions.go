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

// restore gives the bridges that the ledger knows their series at the start: the
// position where it was, and counters at 0. A rate does not see what a series is
// born with, and an alert on a position none that is not there.
func (m *measures) restore(ctx context.Context, positions []ledger.Position, builder resourceBuilder, logger *zap.Logger) {
	if m == nil || len(builder.parameters) > 1 {
		return // only a request tells the other parameters, and without them it is another resource
	}
	for i := range positions[:min(len(positions), maxBridges)] {
		p := &positions[i]
		source := builder.restored(p)
		bridge, err := m.bridges.For(source.set())
		if err != nil {
			logger.Error("Records cannot be counted", zap.Error(err))
			return
		}
		if p.Next > 0 && p.Next <= math.MaxInt64 {
			bridge.recordPosition.Record(ctx, int64(p.Next))
		}
	}
}

// restored is the resource of a bridge's next record, as far as the ledger tells.
func (b resourceBuilder) restored(p *ledger.Position) resource {
	r := resource{session: clip(p.Session), callBridge: callbridge.ID(p.Identity.Bridge), static: b.static}
	r.serviceInstance = callbridge.Identity{CallBridge: r.callBridge, Session: r.session}.InstanceID()
	if p.Identity.System != "" {
		r.parameters = []pair{{names.SystemID, p.Identity.System}}
	}
	return r
}

// completenessOf has the ledger asked for positions by whoever scrapes the API of its
// bridges in this process.
func completenessOf(name string, of *ledger.Ledger) (unregister func()) {
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
