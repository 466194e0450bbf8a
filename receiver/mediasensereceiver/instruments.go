// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/mediasense/event"
	"github.com/legato-otel/legato/internal/names"
)

// sessionInstruments are the instruments of one server.
type sessionInstruments struct {
	started, ended, deleted, pruned metric.Int64Counter
	duration                        metric.Float64Histogram
	tag                             metric.Int64Counter
}

// partitionInstruments are the instruments of the storage partitions of all servers.
type partitionInstruments struct {
	threshold metric.Int64Counter
}

// definition defines a metric: a row of the README's table, which a test compares.
type definition struct {
	name, unit, description string
	attributes              []string
	bounds                  []float64 // of a histogram

	// One of these is set.
	counter   func(*sessionInstruments) *metric.Int64Counter
	histogram func(*sessionInstruments) *metric.Float64Histogram
	onDisks   func(*partitionInstruments) *metric.Int64Counter
	gauge     func(o metric.Float64Observer, p *partitionState)
	state     func(o metric.Int64Observer, p *partitionState)
}

// durationBounds suit recorded calls, which last seconds to hours.
var durationBounds = []float64{1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 2700, 3600, 5400, 7200, 10800, 14400, 28800, 86400}

var definitions = []definition{
	{
		name: names.MetricMediaSenseSessionStarted, unit: "{session}", description: "Recording sessions started.",
		attributes: []string{names.KeyMediaType},
		counter:    func(s *sessionInstruments) *metric.Int64Counter { return &s.started },
	},
	{
		name: names.MetricMediaSenseSessionEnded, unit: "{session}", description: "Recording sessions ended.",
		attributes: []string{names.KeyState, names.KeyMediaType},
		counter:    func(s *sessionInstruments) *metric.Int64Counter { return &s.ended },
	},
	{
		name: names.MetricMediaSenseSessionDeleted, unit: "{session}", description: "Recordings deleted by a client.",
		counter: func(s *sessionInstruments) *metric.Int64Counter { return &s.deleted },
	},
	{
		name: names.MetricMediaSenseSessionPruned, unit: "{session}", description: "Recordings removed to make room, or because they were old.",
		counter: func(s *sessionInstruments) *metric.Int64Counter { return &s.pruned },
	},
	{
		name: names.MetricMediaSenseSessionDuration, unit: "s", description: "How long ended recording sessions lasted.",
		attributes: []string{names.KeyMediaType}, bounds: durationBounds,
		histogram: func(s *sessionInstruments) *metric.Float64Histogram { return &s.duration },
	},
	{
		name: names.MetricMediaSenseTag, unit: "{tag}", description: "Tags added, updated or deleted.",
		attributes: []string{names.KeyTagType, names.KeyAction},
		counter:    func(s *sessionInstruments) *metric.Int64Counter { return &s.tag },
	},
	{
		name: names.MetricStorageUtilization, unit: "1", description: "How full a partition was when it last crossed a threshold.",
		attributes: []string{names.KeyNodeID, names.KeyNodeAddress, names.KeyPartition},
		gauge: func(o metric.Float64Observer, p *partitionState) {
			if p.percentage >= 0 {
				o.Observe(p.percentage/100, metric.WithAttributes(p.id.attributes()...))
			}
		},
	},
	{
		// Not the unit "1", from which Prometheus would make a name with _ratio.
		name: names.MetricStorageState, unit: "{state}", description: "1 for the state a partition is in, 0 for the others.",
		attributes: []string{names.KeyNodeID, names.KeyNodeAddress, names.KeyPartition, names.KeyState},
		state: func(o metric.Int64Observer, p *partitionState) {
			for level := range event.LevelCount {
				is := int64(0)
				if level == p.level {
					is = 1
				}
				o.Observe(is, metric.WithAttributes(append(p.id.attributes(), attribute.String(names.KeyState, level.String()))...))
			}
		},
	},
	{
		name: names.MetricStorageThreshold, unit: "{event}", description: "Thresholds crossed.",
		attributes: []string{names.KeyNodeID, names.KeyNodeAddress, names.KeyPartition, names.KeyAction},
		onDisks:    func(d *partitionInstruments) *metric.Int64Counter { return &d.threshold },
	},
}

// attributes returns the labels of a partition, without those that its events omit.
func (id partitionID) attributes() []attribute.KeyValue {
	all := make([]attribute.KeyValue, 0, 4)
	for _, label := range [...]pair{{names.KeyNodeID, id.node}, {names.KeyNodeAddress, id.address}, {names.KeyPartition, id.partition}} {
		if label.value != "" {
			all = append(all, attribute.String(label.key, label.value))
		}
	}
	return all
}

// newSessionInstruments makes the instruments of a server.
func newSessionInstruments(meter metric.Meter) (*sessionInstruments, error) {
	s := new(sessionInstruments)
	var errs error
	for _, d := range definitions {
		var err error
		switch {
		case d.counter != nil:
			*d.counter(s), err = meter.Int64Counter(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description))
		case d.histogram != nil:
			*d.histogram(s), err = meter.Float64Histogram(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description),
				metric.WithExplicitBucketBoundaries(d.bounds...))
		}
		errs = errors.Join(errs, err)
	}
	if errs == nil {
		s.addZeros(context.Background())
	}
	return s, errs
}

// addZeros makes the bounded series that alerts are about begin at 0: increase() does not
// see the value that a series begins with.
func (s *sessionInstruments) addZeros(ctx context.Context) {
	s.deleted.Add(ctx, 0)
	s.pruned.Add(ctx, 0)
	for _, media := range []string{"audio", "video"} {
		label := pair{names.KeyMediaType, media}
		s.started.Add(ctx, 0, attributesOf(label))
		for _, state := range []string{"CLOSED_NORMAL", "CLOSED_ERROR"} {
			s.ended.Add(ctx, 0, attributesOf(pair{names.KeyState, state}, label))
		}
	}
}

// newPartitionInstruments makes the instruments of the storage partitions.
func newPartitionInstruments(meter metric.Meter, listPartitions func() []partitionState) (*partitionInstruments, error) {
	all := new(partitionInstruments)
	var errs error
	for _, d := range definitions {
		var err error
		switch {
		case d.onDisks != nil:
			*d.onDisks(all), err = meter.Int64Counter(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description))
		case d.gauge != nil:
			_, err = meter.Float64ObservableGauge(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description),
				metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
					forEachPartition(listPartitions(), func(p *partitionState) { d.gauge(o, p) })
					return nil
				}))
		case d.state != nil:
			_, err = meter.Int64ObservableGauge(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description),
				metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
					forEachPartition(listPartitions(), func(p *partitionState) { d.state(o, p) })
					return nil
				}))
		}
		errs = errors.Join(errs, err)
	}
	return all, errs
}

func forEachPartition(all []partitionState, do func(*partitionState)) {
	for i := range all {
		do(&all[i])
	}
}
