// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/trace"
)

// exemplarContext marks the contexts that [WithSpan] made. The contexts of requests have
// spans of the Collector itself, which are no exemplars of a call.
type exemplarContext struct{ context.Context }

// WithSpan returns a context for measurements of an object whose span has these ids: the
// instruments of Settings.Exemplars keep the ids as an exemplar. An id of zeros is unknown
// and left out. The context holds nothing else, because the SDK keeps it with the exemplar.
func WithSpan(traceID [16]byte, spanID [8]byte) context.Context {
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: spanID, TraceFlags: trace.FlagsSampled})
	return exemplarContext{trace.ContextWithSpanContext(context.Background(), span)}
}

func isExemplar(ctx context.Context) bool {
	_, ok := ctx.(exemplarContext)
	return ok
}

// exemplarOptions lets the named instruments keep exemplars: in each series the newest
// measurement between each two bounds. Other instruments keep none, and need no memory
// for them.
func exemplarOptions(instruments map[string][]float64) []sdkmetric.Option {
	if len(instruments) == 0 {
		return []sdkmetric.Option{sdkmetric.WithExemplarFilter(exemplar.AlwaysOffFilter)}
	}
	return []sdkmetric.Option{
		sdkmetric.WithExemplarFilter(isExemplar),
		sdkmetric.WithView(func(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
			provider := noExemplars
			if bounds, ok := instruments[i.Name]; ok {
				provider = exemplar.HistogramReservoirProvider(bounds)
			}
			return sdkmetric.Stream{
				Name: i.Name, Description: i.Description, Unit: i.Unit,
				ExemplarReservoirProviderSelector: func(sdkmetric.Aggregation) exemplar.ReservoirProvider { return provider },
			}, true
		}),
	}
}

// noReservoir keeps nothing.
type noReservoir struct{}

func noExemplars(attribute.Set) exemplar.Reservoir { return noReservoir{} }

func (noReservoir) Offer(context.Context, time.Time, exemplar.Value, []attribute.KeyValue) {}

func (noReservoir) Collect(into *[]exemplar.Exemplar) { *into = (*into)[:0] }
