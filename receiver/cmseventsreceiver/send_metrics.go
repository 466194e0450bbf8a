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

// measures reads the picture, one set of gauges for each server.
type measures struct {
	servers *aggregate.Set[*instruments]
	// sets are the resources of the servers as they are now. A server that says
	// later which bridge it is gets another; the gauges of the former show nothing.
	sets []attribute.Distinct
	// shown and known are what the gauges show while they are collected.
	shown []events.Gauges
	known []bool
	// follow makes the gauges of a server, unless they are made.
	follow func(l *link) error
}

// cardinality is above the number of label combinations there are.
const cardinality = 2 * int(events.StateLabels) * int(events.DirectionLabels)

func newMeasures(r *eventsReceiver) (*measures, error) {
	m := &measures{sets: make([]attribute.Distinct, len(r.hub.links))}
	server := 0 // whose gauges are made
	m.servers = aggregate.NewSet(aggregate.Settings{
		Scope: metadata.ScopeName, Version: r.settings.BuildInfo.Version, Resources: 2 * events.MaxServers, Cardinality: cardinality,
	}, func(meter metric.Meter) (*instruments, error) {
		own, set := server, m.sets[server]
		return newInstruments(meter, func() *events.Gauges {
			if !m.known[own] || m.sets[own] != set {
				return nil
			}
			return &m.shown[own]
		})
	})
	m.follow = func(l *link) error {
		set := l.set()
		if m.sets[l.index] == set.Equivalent() {
			return nil
		}
		server, m.sets[l.index] = l.index, set.Equivalent()
		_, err := m.servers.For(set)
		if err != nil {
			m.sets[l.index] = attribute.Distinct{} // to be made again
		}
		return err
	}
	return m, m.followAll(r.hub.links)
}

func (m *measures) followAll(links []*link) (errs error) {
	for _, l := range links {
		errs = errors.Join(errs, m.follow(l))
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
	r.measures.shown, r.measures.known = r.hub.gauges()
	unmade := r.measures.followAll(r.hub.links)
	data, err := r.measures.servers.Collect(ctx)
	err = errors.Join(unmade, err)
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
