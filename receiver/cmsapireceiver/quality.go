// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/aggregate"
	"github.com/legato-otel/legato/internal/cmsapi/object"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/receiver/cmsapireceiver/internal/metadata"
)

// quality is what is counted of the live legs of one bridge. mdatagen makes no
// histograms.
type quality struct {
	loss, jitter, roundTrip, bitRate metric.Float64Histogram
}

// definition is one row of the README's table, which a test holds against these.
type definition struct {
	name, unit, description string
	bounds                  []float64
	histogram               func(*quality) *metric.Float64Histogram
}

// Bucket boundaries. People look at losses of 1 to 10 %, jitter of 30 to 50 ms,
// round trips of 150 to 500 ms, and video below 500 kbit/s.
var (
	lossBounds    = []float64{0, 0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1}
	jitterBounds  = []float64{0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.2, 0.5, 1}
	tripBounds    = []float64{0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2}
	bitRateBounds = []float64{0, 8e3, 16e3, 32e3, 64e3, 128e3, 250e3, 500e3, 1e6, 2e6, 4e6, 8e6}
)

var definitions = []definition{
	{
		name: names.MetricLiveBitRate, unit: "bit/s", description: "Bit rates of the streams of live legs.",
		bounds: bitRateBounds, histogram: func(q *quality) *metric.Float64Histogram { return &q.bitRate },
	},
	{
		name: names.MetricLiveJitter, unit: "s", description: "Jitter of the streams of live legs.",
		bounds: jitterBounds, histogram: func(q *quality) *metric.Float64Histogram { return &q.jitter },
	},
	{
		name: names.MetricLivePacketLoss, unit: "1", description: "Share of lost packets of the streams of live legs.",
		bounds: lossBounds, histogram: func(q *quality) *metric.Float64Histogram { return &q.loss },
	},
	{
		name: names.MetricLiveRoundTripTime, unit: "s", description: "Round trip times of the streams that a bridge sends.",
		bounds: tripBounds, histogram: func(q *quality) *metric.Float64Histogram { return &q.roundTrip },
	},
}

// qualityLabels are the labels of all of them.
var qualityLabels = []string{names.KeyMediaType, names.KeyDirection, names.KeySubtype}

func newQuality(meter metric.Meter) (*quality, error) {
	q := new(quality)
	var errs error
	for _, d := range definitions {
		h, err := meter.Float64Histogram(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description),
			metric.WithExplicitBucketBoundaries(d.bounds...))
		*d.histogram(q) = h
		errs = errors.Join(errs, err)
	}
	return q, errs
}

// qualityCardinality is above the number of label combinations: three kinds of
// media, two directions, six subtypes and none.
const qualityCardinality = 64

// newQualitySet holds the histograms of one bridge. A bridge that says later who it
// is has two resources.
func newQualitySet(version string) *aggregate.Set[*quality] {
	return aggregate.NewSet(aggregate.Settings{
		Scope: metadata.ScopeName, Version: version, Resources: 2, Cardinality: qualityCardinality,
	}, newQuality)
}

// Labels of streams.
const (
	audio        = "audio"
	video        = "video"
	presentation = "presentation"
	received     = "rx"
	sent         = "tx"
)

// record counts the streams of one leg.
func (q *quality) record(ctx context.Context, leg *object.CallLeg) {
	s := &leg.Status
	q.stream(ctx, leg, s.RxAudio, audio, received)
	q.stream(ctx, leg, s.TxAudio, audio, sent)
	for i := range s.RxVideo {
		q.stream(ctx, leg, &s.RxVideo[i], kindOf(&s.RxVideo[i]), received)
	}
	for i := range s.TxVideo {
		q.stream(ctx, leg, &s.TxVideo[i], kindOf(&s.TxVideo[i]), sent)
	}
}

// kindOf tells a presentation from a person: they differ in every figure.
func kindOf(m *object.Media) string {
	if m.Role == presentation {
		return presentation
	}
	return video
}

// Values that cannot be are left out: one of them would spoil a histogram's sum.
const (
	maxDelay   = 60_000 // ms
	maxBitRate = 1_000_000_000
)

func (q *quality) stream(ctx context.Context, leg *object.CallLeg, m *object.Media, kind, direction string) {
	if m == nil {
		return
	}
	labels := []attribute.KeyValue{attribute.String(names.KeyMediaType, kind), attribute.String(names.KeyDirection, direction)}
	if leg.SubType != "" {
		labels = append(labels, attribute.String(names.KeySubtype, subTypes.label(leg.SubType)))
	}
	options := metric.WithAttributeSet(attribute.NewSet(labels...))
	if loss := m.PacketLossPercentage; loss != nil && *loss <= 100 {
		q.loss.Record(ctx, *loss/100, options)
	}
	if jitter := m.Jitter; jitter != nil && *jitter <= maxDelay {
		q.jitter.Record(ctx, *jitter/1000, options)
	}
	if trip := m.RoundTripTime; trip != nil && *trip <= maxDelay {
		q.roundTrip.Record(ctx, *trip/1000, options)
	}
	if rate := m.BitRate; rate != nil && *rate <= maxBitRate {
		q.bitRate.Record(ctx, float64(*rate), options)
	}
}
