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
	// Resources bounds the resources of InstrumentsFor, and UnnamedResources those of
	// InstrumentsForUnnamed.
	Resources, UnnamedResources int
	// Cardinality bounds the series of one instrument of one resource. Measurements of
	// further series are added to the series with otel.metric.overflow=true.
	Cardinality int
	// Exemplars has, for the name of each instrument that keeps exemplars, the bounds of its
	// exemplar buckets. In each bucket, a series keeps the newest measurement made in a
	// context of [WithSpan].
	Exemplars map[string][]float64
}

// Set is a set of resources, each with its instruments I.
type Set[I any] struct {
	settings Settings
	build    func(metric.Meter) (I, error)

	mu        sync.Mutex // guards everything below
	resources map[attribute.Distinct]*resourceInstruments[I]
	tick      uint64
}

type resourceInstruments[I any] struct {
	instruments  I
	resource     attribute.Set
	reader       *sdkmetric.ManualReader
	provider     *sdkmetric.MeterProvider
	lastUsedTick uint64
	isReused     bool // InstrumentsFor returned it more than once
	isUnnamed    bool
}

// NewSet returns an empty set. build makes the instruments of a resource.
func NewSet[I any](settings Settings, build func(metric.Meter) (I, error)) *Set[I] {
	return &Set[I]{settings: settings, build: build, resources: make(map[attribute.Distinct]*resourceInstruments[I])}
}

// InstrumentsFor returns the instruments of a resource, new or known.
func (s *Set[I]) InstrumentsFor(resource attribute.Set) (I, error) {
	return s.getOrBuild(resource, false)
}

// InstrumentsForUnnamed returns the instruments of a resource without a name from its
// sender. Such resources evict only each other.
func (s *Set[I]) InstrumentsForUnnamed(resource attribute.Set) (I, error) {
	return s.getOrBuild(resource, true)
}

func (s *Set[I]) getOrBuild(resource attribute.Set, unnamed bool) (I, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick++
	if known := s.resources[resource.Equivalent()]; known != nil {
		known.lastUsedTick, known.isReused = s.tick, true
		return known.instruments, nil
	}
	resource = cloneResource(resource)
	fresh, err := s.newResourceInstruments(resource)
	if err != nil {
		var none I
		return none, err
	}
	s.evictIfFull(unnamed)
	fresh.lastUsedTick, fresh.isUnnamed = s.tick, unnamed
	s.resources[resource.Equivalent()] = fresh
	return fresh.instruments, nil
}

// cloneResource returns a copy of a resource with copied texts, because a substring of a request
// would keep the whole request in memory.
func cloneResource(set attribute.Set) attribute.Set {
	all := set.ToSlice()
	for i := range all {
		all[i].Key = attribute.Key(strings.Clone(string(all[i].Key)))
		if all[i].Value.Type() == attribute.STRING {
			all[i].Value = attribute.StringValue(strings.Clone(all[i].Value.AsString()))
		}
	}
	return attribute.NewSet(all...)
}

func (s *Set[I]) newResourceInstruments(resource attribute.Set) (*resourceInstruments[I], error) {
	reader := sdkmetric.NewManualReader()
	options := append(exemplarOptions(s.settings.Exemplars), sdkmetric.WithReader(reader), sdkmetric.WithCardinalityLimit(s.settings.Cardinality))
	provider := sdkmetric.NewMeterProvider(options...)
	meter := provider.Meter(s.settings.Scope, metric.WithInstrumentationVersion(s.settings.Version))
	instruments, err := s.build(meter)
	if err != nil {
		return nil, fmt.Errorf("make instruments of %s: %w", s.settings.Scope, err)
	}
	return &resourceInstruments[I]{instruments: instruments, resource: resource, reader: reader, provider: provider}, nil
}

// evictIfFull evicts a resource if the named or unnamed ones are at their limit: the least
// recently used of the series that were used once or, if there are none, of all.
func (s *Set[I]) evictIfFull(unnamed bool) {
	limit, count := s.settings.Resources, 0
	if unnamed {
		limit = s.settings.UnnamedResources
	}
	var evicted *resourceInstruments[I]
	for _, candidate := range s.resources {
		if candidate.isUnnamed != unnamed {
			continue
		}
		count++
		if evicted == nil || (candidate.isReused != evicted.isReused && !candidate.isReused) ||
			(candidate.isReused == evicted.isReused && candidate.lastUsedTick < evicted.lastUsedTick) {
			evicted = candidate
		}
	}
	if evicted != nil && count >= limit {
		delete(s.resources, evicted.resource.Equivalent())
	}
}

// Collect returns all series, cumulative since their start.
func (s *Set[I]) Collect(ctx context.Context) (pmetric.Metrics, error) {
	s.mu.Lock()
	sources := make([]*resourceInstruments[I], 0, len(s.resources))
	for _, held := range s.resources {
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
