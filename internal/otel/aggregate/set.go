// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Settings of a Set.
type Settings struct {
	// Scope and Version name the instrumentation scope of all metrics.
	Scope, Version string
	// Resources is the largest number of resources held at once, and Unnamed that
	// of those that ForUnnamed made, beside them.
	Resources, Unnamed int
	// Cardinality is the largest number of series of one instrument of one
	// resource; what is above it is added up in the series that carries
	// otel.metric.overflow=true.
	Cardinality int
	// Exemplars are the instruments that keep exemplars: in each series the newest
	// measurement in the context of [WithSpan] between each two bounds.
	Exemplars map[string][]float64
}

// Set holds the instruments I of many resources.
type Set[I any] struct {
	settings Settings
	build    func(metric.Meter) (I, error)

	mu      sync.Mutex // guards everything below
	sources map[attribute.Distinct]*source[I]
	ticks   uint64
}

type source[I any] struct {
	instruments I
	resource    attribute.Set
	reader      *sdkmetric.ManualReader
	provider    *sdkmetric.MeterProvider
	used        uint64
	again       bool // it was asked for more than once
	unnamed     bool
}

// NewSet returns an empty set; build makes the instruments of one resource.
func NewSet[I any](settings Settings, build func(metric.Meter) (I, error)) *Set[I] {
	return &Set[I]{settings: settings, build: build, sources: make(map[attribute.Distinct]*source[I])}
}

// For returns the instruments of a resource, new or known.
func (s *Set[I]) For(resource attribute.Set) (I, error) {
	return s.instruments(resource, false)
}

// ForUnnamed does that for a resource that no sender named. Such resources push
// out each other alone.
func (s *Set[I]) ForUnnamed(resource attribute.Set) (I, error) {
	return s.instruments(resource, true)
}

func (s *Set[I]) instruments(resource attribute.Set, unnamed bool) (I, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ticks++
	if known := s.sources[resource.Equivalent()]; known != nil {
		known.used, known.again = s.ticks, true
		return known.instruments, nil
	}
	resource = owned(resource)
	fresh, err := s.newSource(resource)
	if err != nil {
		var none I
		return none, err
	}
	s.makeRoom(unnamed)
	fresh.used, fresh.unnamed = s.ticks, unnamed
	s.sources[resource.Equivalent()] = fresh
	return fresh.instruments, nil
}

// owned returns the set with its text copied: what the caller cut out of a
// request must not keep the request alive as long as the series live.
func owned(set attribute.Set) attribute.Set {
	all := set.ToSlice()
	for i := range all {
		all[i].Key = attribute.Key(strings.Clone(string(all[i].Key)))
		if all[i].Value.Type() == attribute.STRING {
			all[i].Value = attribute.StringValue(strings.Clone(all[i].Value.AsString()))
		}
	}
	return attribute.NewSet(all...)
}

func (s *Set[I]) newSource(resource attribute.Set) (*source[I], error) {
	reader := sdkmetric.NewManualReader()
	options := append(exemplarOptions(s.settings.Exemplars), sdkmetric.WithReader(reader), sdkmetric.WithCardinalityLimit(s.settings.Cardinality))
	provider := sdkmetric.NewMeterProvider(options...)
	meter := provider.Meter(s.settings.Scope, metric.WithInstrumentationVersion(s.settings.Version))
	instruments, err := s.build(meter)
	if err != nil {
		return nil, fmt.Errorf("make instruments of %s: %w", s.settings.Scope, err)
	}
	return &source[I]{instruments: instruments, resource: resource, reader: reader, provider: provider}, nil
}

// makeRoom drops a resource if those of a kind are at their limit: one that was
// asked for once before those that are in use, and else the least recently used.
func (s *Set[I]) makeRoom(unnamed bool) {
	limit, count := s.settings.Resources, 0
	if unnamed {
		limit = s.settings.Unnamed
	}
	var first *source[I]
	for _, candidate := range s.sources {
		if candidate.unnamed != unnamed {
			continue
		}
		count++
		if first == nil || (candidate.again != first.again && !candidate.again) ||
			(candidate.again == first.again && candidate.used < first.used) {
			first = candidate
		}
	}
	if first != nil && count >= limit {
		delete(s.sources, first.resource.Equivalent())
	}
}

// Collect reads all series, cumulative since their start.
func (s *Set[I]) Collect(ctx context.Context) (pmetric.Metrics, error) {
	s.mu.Lock()
	sources := make([]*source[I], 0, len(s.sources))
	for _, held := range s.sources {
		sources = append(sources, held)
	}
	s.mu.Unlock()

	out := pmetric.NewMetrics()
	var (
		data metricdata.ResourceMetrics
		errs error
	)
	for _, held := range sources {
		if err := held.reader.Collect(ctx, &data); err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		errs = errors.Join(errs, convert(held.resource, &data, out))
	}
	return out, errs
}
