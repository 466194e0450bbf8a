// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/trace"
)

// kept is what a test reads of an exemplar.
type kept struct {
	value       float64
	trace, span string
}

func exemplarsOf(all pmetric.ExemplarSlice) (list []kept) {
	for _, e := range all.All() {
		value := e.DoubleValue()
		if e.ValueType() == pmetric.ExemplarValueTypeInt {
			value = float64(e.IntValue())
		}
		list = append(list, kept{value, e.TraceID().String(), e.SpanID().String()})
	}
	return list
}

// A series keeps the newest measurement between each two bounds, with the ids that are
// known, and no others than those of WithSpan.
func TestExemplars(t *testing.T) {
	with := settings
	with.Exemplars = map[string][]float64{"count": nil, "duration": {5}}
	s := NewSet(with, build)
	i := instrumentsOf(t, s, "a")
	measure := func(value float64, trace, span byte) {
		ctx := WithSpan([16]byte{15: trace}, [8]byte{7: span})
		i.duration.Record(ctx, value)
		i.count.Add(ctx, int64(value))
		i.size.Record(ctx, int64(value))
	}
	measure(1, 1, 1)
	measure(2, 2, 2)
	measure(7, 0, 3)
	// The Collector's own span, as in the context of a request.
	own := trace.NewSpanContext(trace.SpanContextConfig{TraceID: [16]byte{9}, SpanID: [8]byte{9}, TraceFlags: trace.FlagsSampled})
	i.duration.Record(trace.ContextWithSpanContext(t.Context(), own), 3)

	for range 2 { // a collection takes none away
		metrics := collect(t, s)
		duration := find(t, metrics, "a", "duration").Histogram().DataPoints().At(0)
		assert.Equal(t, []kept{
			{2, "00000000000000000000000000000002", "0000000000000002"},
			{7, "", "0000000000000003"},
		}, exemplarsOf(duration.Exemplars()))
		assert.Equal(t, []float64{1, 10}, duration.ExplicitBounds().AsRaw(), "the buckets are those of the instrument")
		assert.NotEqual(t, pcommon.Timestamp(0), duration.Exemplars().At(0).Timestamp())
		assert.Zero(t, duration.Exemplars().At(0).FilteredAttributes().Len())
		count := find(t, metrics, "a", "count").Sum().DataPoints().At(0)
		assert.Equal(t, []kept{{7, "", "0000000000000003"}}, exemplarsOf(count.Exemplars()))
		assert.Equal(t, int64(10), count.IntValue())
		assert.Zero(t, find(t, metrics, "a", "size").Histogram().DataPoints().At(0).Exemplars().Len(), "it is not in the settings")
	}
}

// Without settings there are none.
func TestNoExemplars(t *testing.T) {
	s := newSet()
	instrumentsOf(t, s, "a").count.Add(WithSpan([16]byte{1}, [8]byte{1}), 1)
	assert.Zero(t, find(t, collect(t, s), "a", "count").Sum().DataPoints().At(0).Exemplars().Len())
}
