// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// instruments is one of each kind.
type instruments struct {
	count    metric.Int64Counter
	weight   metric.Float64Counter
	open     metric.Int64UpDownCounter
	level    metric.Float64Gauge
	lines    metric.Int64Gauge
	duration metric.Float64Histogram
	size     metric.Int64Histogram
}

func build(m metric.Meter) (*instruments, error) {
	var (
		i    instruments
		errs [7]error
	)
	i.count, errs[0] = m.Int64Counter("count", metric.WithUnit("{call}"), metric.WithDescription("Calls."))
	i.weight, errs[1] = m.Float64Counter("weight")
	i.open, errs[2] = m.Int64UpDownCounter("open")
	i.level, errs[3] = m.Float64Gauge("level")
	i.lines, errs[4] = m.Int64Gauge("lines")
	i.duration, errs[5] = m.Float64Histogram("duration", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(1, 10))
	i.size, errs[6] = m.Int64Histogram("size", metric.WithExplicitBucketBoundaries(5))
	return &i, errors.Join(errs[:]...)
}

var settings = Settings{Scope: "scope", Version: "v9", Resources: 3, Cardinality: 4}

func newSet() *Set[*instruments] { return NewSet(settings, build) }

func resource(name string) attribute.Set {
	return attribute.NewSet(attribute.String("service.instance.id", name))
}

func instrumentsOf(t *testing.T, s *Set[*instruments], name string) *instruments {
	t.Helper()
	i, err := s.InstrumentsFor(resource(name))
	require.NoError(t, err)
	return i
}

func collect(t *testing.T, s *Set[*instruments]) pmetric.Metrics {
	t.Helper()
	metrics, err := s.Collect(t.Context())
	require.NoError(t, err)
	return metrics
}

// find returns one metric of one resource.
func find(t *testing.T, metrics pmetric.Metrics, instance, name string) pmetric.Metric {
	t.Helper()
	for _, rm := range metrics.ResourceMetrics().All() {
		if v, ok := rm.Resource().Attributes().Get("service.instance.id"); !ok || v.Str() != instance {
			continue
		}
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() == name {
					return m
				}
			}
		}
	}
	t.Fatalf("no metric %s of %s", name, instance)
	return pmetric.Metric{}
}

// held lists the resources of a collection.
func held(metrics pmetric.Metrics) []string {
	var all []string
	for _, rm := range metrics.ResourceMetrics().All() {
		v, _ := rm.Resource().Attributes().Get("service.instance.id")
		all = append(all, v.Str())
	}
	return all
}

func with(key, value string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String(key, value))
}

func TestNothingMeasured(t *testing.T) {
	s := newSet()
	assert.Zero(t, collect(t, s).ResourceMetrics().Len())
	instrumentsOf(t, s, "a")
	assert.Zero(t, collect(t, s).ResourceMetrics().Len(), "a resource without series is not sent")
}

func TestScopeAndResource(t *testing.T) {
	s := newSet()
	i, err := s.InstrumentsFor(attribute.NewSet(
		attribute.String("s", "x"), attribute.Int("i", 7), attribute.Bool("b", true), attribute.Float64("f", 1.5),
		attribute.StringSlice("l", []string{"x", "y"}),
	))
	require.NoError(t, err)
	i.count.Add(t.Context(), 1)
	rm := collect(t, s).ResourceMetrics().At(0)
	assert.Equal(t, map[string]any{"s": "x", "i": int64(7), "b": true, "f": 1.5, "l": `["x","y"]`}, rm.Resource().Attributes().AsRaw())
	require.Equal(t, 1, rm.ScopeMetrics().Len())
	assert.Equal(t, "scope", rm.ScopeMetrics().At(0).Scope().Name())
	assert.Equal(t, "v9", rm.ScopeMetrics().At(0).Scope().Version())
}

func TestCountersAddUp(t *testing.T) {
	s := newSet()
	for n := range 3 {
		i := instrumentsOf(t, s, "a")
		i.count.Add(t.Context(), int64(n+1), with("reason", "x"))
		i.count.Add(t.Context(), 10, with("reason", "y"))
		i.weight.Add(t.Context(), 0.5)
		i.open.Add(t.Context(), 1-int64(n))
	}
	metrics := collect(t, s)

	m := find(t, metrics, "a", "count")
	assert.Equal(t, "{call}", m.Unit())
	assert.Equal(t, "Calls.", m.Description())
	assert.True(t, m.Sum().IsMonotonic())
	assert.Equal(t, pmetric.AggregationTemporalityCumulative, m.Sum().AggregationTemporality())
	got := make(map[string]int64)
	for _, p := range m.Sum().DataPoints().All() {
		assert.Equal(t, pmetric.NumberDataPointValueTypeInt, p.ValueType())
		v, _ := p.Attributes().Get("reason")
		got[v.Str()] = p.IntValue()
	}
	assert.Equal(t, map[string]int64{"x": 6, "y": 30}, got)

	p := find(t, metrics, "a", "weight").Sum().DataPoints().At(0)
	assert.Equal(t, 1.5, p.DoubleValue())
	assert.Empty(t, p.Attributes().AsRaw())

	open := find(t, metrics, "a", "open").Sum()
	assert.False(t, open.IsMonotonic(), "what goes up and down is no counter")
	assert.Equal(t, int64(0), open.DataPoints().At(0).IntValue())
}

func TestGaugesKeepTheLast(t *testing.T) {
	s := newSet()
	i := instrumentsOf(t, s, "a")
	i.level.Record(t.Context(), 0.9)
	i.level.Record(t.Context(), 0.25)
	i.lines.Record(t.Context(), -3)
	metrics := collect(t, s)
	assert.Equal(t, 0.25, find(t, metrics, "a", "level").Gauge().DataPoints().At(0).DoubleValue())
	assert.Equal(t, int64(-3), find(t, metrics, "a", "lines").Gauge().DataPoints().At(0).IntValue())
}

func TestHistograms(t *testing.T) {
	s := newSet()
	i := instrumentsOf(t, s, "a")
	for _, seconds := range []float64{0.5, 1, 1.5, 10, 11} {
		i.duration.Record(t.Context(), seconds, with("reason", "x"))
	}
	i.size.Record(t.Context(), 7)
	metrics := collect(t, s)

	m := find(t, metrics, "a", "duration")
	assert.Equal(t, "s", m.Unit())
	assert.Equal(t, pmetric.AggregationTemporalityCumulative, m.Histogram().AggregationTemporality())
	p := m.Histogram().DataPoints().At(0)
	assert.Equal(t, uint64(5), p.Count())
	assert.Equal(t, 24.0, p.Sum())
	assert.Equal(t, 0.5, p.Min())
	assert.Equal(t, 11.0, p.Max())
	assert.Equal(t, []float64{1, 10}, p.ExplicitBounds().AsRaw())
	assert.Equal(t, []uint64{2, 2, 1}, p.BucketCounts().AsRaw(), "a bound belongs to the bucket below it")
	assert.Equal(t, map[string]any{"reason": "x"}, p.Attributes().AsRaw())

	p = find(t, metrics, "a", "size").Histogram().DataPoints().At(0)
	assert.Equal(t, 7.0, p.Sum())
	assert.Equal(t, []uint64{0, 1}, p.BucketCounts().AsRaw())
}

// The start time of a series says since when it counts, and does not move.
func TestStartTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet()
		made := time.Now()
		i := instrumentsOf(t, s, "a")
		check := func(start, end pcommon.Timestamp) {
			t.Helper()
			assert.Equal(t, made.UnixNano(), start.AsTime().UnixNano())
			assert.Equal(t, time.Now().UnixNano(), end.AsTime().UnixNano())
		}
		for range 3 {
			time.Sleep(15 * time.Second) // of the bubble's clock
			i.count.Add(t.Context(), 1)
			i.duration.Record(t.Context(), 1)
			metrics := collect(t, s)
			sum := find(t, metrics, "a", "count").Sum().DataPoints().At(0)
			check(sum.StartTimestamp(), sum.Timestamp())
			histogram := find(t, metrics, "a", "duration").Histogram().DataPoints().At(0)
			check(histogram.StartTimestamp(), histogram.Timestamp())
		}
		assert.Equal(t, int64(3), find(t, collect(t, s), "a", "count").Sum().DataPoints().At(0).IntValue(), "cumulative")
	})
}

// One collection must not change when the next one is made.
func TestCollectionsAreIndependent(t *testing.T) {
	s := newSet()
	i := instrumentsOf(t, s, "a")
	i.duration.Record(t.Context(), 1)
	instrumentsOf(t, s, "b").duration.Record(t.Context(), 100)
	first := collect(t, s)
	before := pmetric.NewMetrics()
	first.CopyTo(before)
	i.duration.Record(t.Context(), 5)
	collect(t, s)
	assert.Equal(t, before, first)
}

// No wire text can make more series than the cap; what is above it is added up.
func TestCardinalityIsCapped(t *testing.T) {
	s := newSet()
	i := instrumentsOf(t, s, "a")
	for n := range 100 {
		i.count.Add(t.Context(), 1, with("reason", strconv.Itoa(n)))
		i.duration.Record(t.Context(), 1, with("reason", strconv.Itoa(n)))
	}
	metrics := collect(t, s)
	points := find(t, metrics, "a", "count").Sum().DataPoints()
	assert.Equal(t, settings.Cardinality, points.Len())
	var overflow, total int64
	for _, p := range points.All() {
		total += p.IntValue()
		if v, ok := p.Attributes().Get("otel.metric.overflow"); ok {
			assert.True(t, v.Bool())
			overflow += p.IntValue()
		}
	}
	assert.Equal(t, int64(100), total, "nothing is lost")
	assert.Equal(t, int64(100-settings.Cardinality+1), overflow)
	assert.Equal(t, settings.Cardinality, find(t, metrics, "a", "duration").Histogram().DataPoints().Len())
}

// One resource's series do not use up another one's cap.
func TestCardinalityIsOfOneResource(t *testing.T) {
	s := newSet()
	for n := range 10 {
		instrumentsOf(t, s, "a").count.Add(t.Context(), 1, with("reason", strconv.Itoa(n)))
	}
	instrumentsOf(t, s, "b").count.Add(t.Context(), 1, with("reason", "x"))
	points := find(t, collect(t, s), "b", "count").Sum().DataPoints()
	require.Equal(t, 1, points.Len())
	_, overflow := points.At(0).Attributes().Get("otel.metric.overflow")
	assert.False(t, overflow)
}

func TestResourcesAreKnownByValue(t *testing.T) {
	s := newSet()
	first, err := s.InstrumentsFor(attribute.NewSet(attribute.String("a", "1"), attribute.String("b", "2")))
	require.NoError(t, err)
	second, err := s.InstrumentsFor(attribute.NewSet(attribute.String("b", "2"), attribute.String("a", "1")))
	require.NoError(t, err)
	assert.Same(t, first, second)
}

func TestTheLeastRecentlyUsedResourceGoes(t *testing.T) {
	s := newSet()
	for _, name := range []string{"a", "b", "c", "a", "d"} {
		instrumentsOf(t, s, name).count.Add(t.Context(), 1)
	}
	metrics := collect(t, s)
	assert.ElementsMatch(t, []string{"a", "c", "d"}, held(metrics))
	assert.Equal(t, int64(2), find(t, metrics, "a", "count").Sum().DataPoints().At(0).IntValue())
}

// A resource that comes back counts from its return on, and says so.
func TestAResourceThatComesBackStartsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet()
		evicted := instrumentsOf(t, s, "a")
		evicted.count.Add(t.Context(), 5)
		for _, name := range []string{"b", "c", "d"} {
			instrumentsOf(t, s, name).count.Add(t.Context(), 1)
		}
		evicted.count.Add(t.Context(), 1) // whoever still holds them measures nothing
		time.Sleep(time.Minute)
		instrumentsOf(t, s, "a").count.Add(t.Context(), 1)
		p := find(t, collect(t, s), "a", "count").Sum().DataPoints().At(0)
		assert.Equal(t, int64(1), p.IntValue())
		assert.Equal(t, time.Now().UnixNano(), p.StartTimestamp().AsTime().UnixNano())
	})
}

func TestInstrumentsThatCannotBeMade(t *testing.T) {
	refuse := errors.New("no")
	s := NewSet(settings, func(metric.Meter) (*instruments, error) { return &instruments{}, refuse })
	i, err := s.InstrumentsFor(resource("a"))
	require.ErrorIs(t, err, refuse)
	assert.Nil(t, i)
	assert.Empty(t, s.resources)
}

func TestCollectHonoursItsContext(t *testing.T) {
	s := newSet()
	instrumentsOf(t, s, "a").count.Add(t.Context(), 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Collect(ctx)
	assert.ErrorIs(t, err, context.Canceled)
}

// For the race detector, and nothing is lost.
func TestConcurrentUse(t *testing.T) {
	const workers, turns = 4, 200
	s := newSet()
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for turn := range turns {
				i, err := s.InstrumentsFor(resource(strconv.Itoa(turn % settings.Resources)))
				if !assert.NoError(t, err) {
					return
				}
				i.count.Add(t.Context(), 1, with("reason", strconv.Itoa(worker)))
				i.duration.Record(t.Context(), 1)
				if turn%20 == 0 {
					_, err := s.Collect(t.Context())
					assert.NoError(t, err)
					_, err = NewSet(settings, build).InstrumentsFor(resource("x"))
					assert.NoError(t, err)
				}
			}
		})
	}
	group.Wait()
	var total int64
	metrics := collect(t, s)
	for _, name := range held(metrics) {
		for _, p := range find(t, metrics, name, "count").Sum().DataPoints().All() {
			total += p.IntValue()
		}
	}
	assert.Equal(t, int64(workers*turns), total)
}

// Resources without a name push out each other, and made-up ones that come once
// push out none that is in use.
func TestUnnamedResourcesLeaveNamedOnes(t *testing.T) {
	s := NewSet(Settings{Scope: "scope", Resources: 3, UnnamedResources: 2, Cardinality: 4}, build)
	for range 2 {
		instrumentsOf(t, s, "a")
		instrumentsOf(t, s, "b")
	}
	for i := range 10 {
		_, err := s.InstrumentsForUnnamed(resource("session " + strconv.Itoa(i)))
		require.NoError(t, err)
		instrumentsOf(t, s, "made up "+strconv.Itoa(i))
	}
	var left []string
	for _, held := range s.resources {
		left = append(left, held.resource.ToSlice()[0].Value.String())
	}
	assert.ElementsMatch(t, []string{"session 8", "session 9", "a", "b", "made up 9"}, left)
}
