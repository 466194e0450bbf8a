// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/aggregate"
	"github.com/legato-otel/legato/internal/cmsevents"
	"github.com/legato-otel/legato/receiver/cmseventsreceiver/internal/metadata"
)

// measures reads the picture, one set of gauges for each server.
type measures struct {
	servers *aggregate.Set[*instruments]
	// shown and known are what the gauges show while they are collected.
	shown []cmsevents.Gauges
	known []bool
}

// cardinality is above the number of label combinations there are.
const cardinality = 2 * int(cmsevents.StateLabels) * int(cmsevents.DirectionLabels)

func newMeasures(r *eventsReceiver) (*measures, error) {
	m := new(measures)
	server := 0
	m.servers = aggregate.NewSet(aggregate.Settings{
		Scope: metadata.ScopeName, Version: r.settings.BuildInfo.Version, Resources: cmsevents.MaxServers, Cardinality: cardinality,
	}, func(meter metric.Meter) (*instruments, error) {
		own := server
		return newInstruments(meter, func() *cmsevents.Gauges {
			if !m.known[own] {
				return nil
			}
			return &m.shown[own]
		})
	})
	var errs error
	for _, l := range r.hub.links {
		server = l.index
		_, err := m.servers.For(l.set())
		errs = errors.Join(errs, err)
	}
	return m, errs
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
	r.measures.shown, r.measures.known = r.hub.gauges()
	data, err := r.measures.servers.Collect(ctx)
	if err != nil {
		r.settings.Logger.Error("Metrics cannot be read", zap.Error(err))
	}
	points := data.DataPointCount()
	if points == 0 {
		return
	}
	ctx = r.obsreport.StartMetricsOp(ctx)
	err = r.metrics.ConsumeMetrics(ctx, data)
	r.obsreport.EndMetricsOp(ctx, metadata.Type.String(), points, err)
	if err != nil {
		r.settings.Logger.Warn("Metrics refused, the next interval shows the picture anew", zap.Error(err))
	}
}
