// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/meetingserver/events"
	"github.com/legato-otel/legato/internal/otel/aggregate"
	"github.com/legato-otel/legato/receiver/cmseventsreceiver/internal/metadata"
)

// serverGauges export the gauges of all servers.
type serverGauges struct {
	servers *aggregate.Set[*instruments]
	// resources are the current resources of the servers. A server that reports its GUID
	// later gets a new resource; the gauges of the former one show nothing.
	resources []attribute.Distinct
	// values and hasState are the inputs of the gauges during a collection.
	values   []events.Gauges
	hasState []bool
	// ensure registers the gauges of a server unless they exist.
	ensure func(srv *server) error
}

// cardinality is above the number of label combinations.
const cardinality = 2 * int(events.StateLabels) * int(events.DirectionLabels)

func newServerGauges(r *eventsReceiver) (*serverGauges, error) {
	m := &serverGauges{resources: make([]attribute.Distinct, len(r.hub.servers))}
	index := 0 // of the server whose gauges are being registered
	m.servers = aggregate.NewSet(aggregate.Settings{
		Scope: metadata.ScopeName, Version: r.settings.BuildInfo.Version, Resources: 2 * events.MaxServers, Cardinality: cardinality,
	}, func(meter metric.Meter) (*instruments, error) {
		own, set := index, m.resources[index]
		return newInstruments(meter, func() *events.Gauges {
			if !m.hasState[own] || m.resources[own] != set {
				return nil
			}
			return &m.values[own]
		})
	})
	m.ensure = func(srv *server) error {
		set := srv.attributeSet()
		if m.resources[srv.index] == set.Equivalent() {
			return nil
		}
		index, m.resources[srv.index] = srv.index, set.Equivalent()
		_, err := m.servers.InstrumentsFor(set)
		if err != nil {
			m.resources[srv.index] = attribute.Distinct{} // retry at the next collection
		}
		return err
	}
	return m, m.ensureAll(r.hub.servers)
}

func (m *serverGauges) ensureAll(servers []*server) (errs error) {
	for _, srv := range servers {
		errs = errors.Join(errs, m.ensure(srv))
	}
	return errs
}

// sendMetrics sends the gauges at each interval until ctx ends.
func (r *eventsReceiver) sendMetrics(ctx context.Context) {
	ticker := time.NewTicker(r.config.Metrics.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.sendMetricsOnce(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (r *eventsReceiver) sendMetricsOnce(ctx context.Context) {
	r.gauges.values, r.gauges.hasState = r.hub.gauges()
	unmade := r.gauges.ensureAll(r.hub.servers)
	data, err := r.gauges.servers.Collect(ctx)
	err = errors.Join(unmade, err)
	if err != nil {
		r.settings.Logger.Error("Cannot collect metrics", zap.Error(err))
	}
	points := data.DataPointCount()
	if points == 0 {
		return
	}
	ctx = r.obsreport.StartMetricsOp(ctx)
	err = r.metrics.ConsumeMetrics(ctx, data)
	r.obsreport.EndMetricsOp(ctx, metadata.Type.String(), points, err)
	if err != nil {
		r.settings.Logger.Warn("The next consumer refused the metrics; the next interval sends current values", zap.Error(err))
	}
}
