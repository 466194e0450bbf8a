// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// What cannot be converted is an error, and takes nothing else with it.
func TestUnknownAggregation(t *testing.T) {
	out := pmetric.NewMetrics()
	err := convert(attribute.NewSet(), &metricdata.ResourceMetrics{ScopeMetrics: []metricdata.ScopeMetrics{{
		Metrics: []metricdata.Metrics{
			{Name: "odd", Data: metricdata.ExponentialHistogram[int64]{}},
			{Name: "even", Data: metricdata.Gauge[int64]{DataPoints: []metricdata.DataPoint[int64]{{Value: 1}}}},
		},
	}}}, out)
	assert.ErrorContains(t, err, "odd")
	metrics := out.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	names := make([]string, 0, metrics.Len())
	for _, m := range metrics.All() {
		names = append(names, m.Name())
		assert.NotEqual(t, pmetric.MetricTypeEmpty, m.Type(), "a metric without data is none")
	}
	assert.Equal(t, []string{"even"}, names)
}

func TestHistogramWithoutExtremes(t *testing.T) {
	out := pmetric.NewMetrics()
	err := convert(attribute.NewSet(), &metricdata.ResourceMetrics{ScopeMetrics: []metricdata.ScopeMetrics{{
		Metrics: []metricdata.Metrics{{Name: "h", Data: metricdata.Histogram[int64]{
			DataPoints: []metricdata.HistogramDataPoint[int64]{{Count: 1, Sum: 2, Bounds: []float64{}, BucketCounts: []uint64{1}}},
		}}},
	}}}, out)
	assert.NoError(t, err)
	p := out.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Histogram().DataPoints().At(0)
	assert.False(t, p.HasMin())
	assert.False(t, p.HasMax())
	assert.Equal(t, 2.0, p.Sum())
}
