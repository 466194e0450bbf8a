// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"context"
	"errors"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/meetingserver/api/object"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/aggregate"
	"github.com/legato-otel/legato/receiver/cmsapireceiver/internal/metadata"
)

// qualityInstruments are the histograms and counters of live legs and calls of one bridge.
// mdatagen does not generate histograms.
type qualityInstruments struct {
	loss, jitter, roundTrip, bitRate, frameRate, frameHeight, legDuration metric.Float64Histogram
	callDuration, callLegs, callParticipants, callBridges                 metric.Float64Histogram
	legs, calls                                                           metric.Int64Counter
}

// metricDefinition defines a metric, and a row of the table in the README, which a test compares.
type metricDefinition struct {
	name, unit, description string
	labels                  []string
	bounds                  []float64
	histogram               func(*qualityInstruments) *metric.Float64Histogram
	counter                 func(*qualityInstruments) *metric.Int64Counter // of one that is no histogram
}

// The bucket boundaries. Losses of 1 to 10 %, jitter of 30 to 50 ms, round trips of 150 to 500 ms
// and video below 500 kbit/s are of interest.
var (
	lossBounds    = []float64{0, 0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1}
	jitterBounds  = []float64{0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.2, 0.5, 1}
	tripBounds    = []float64{0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2}
	frameBounds   = []float64{1, 5, 10, 15, 20, 25, 30, 50, 60}
	heightBounds  = []float64{90, 180, 360, 480, 720, 1080, 2160}
	secondsBounds = []float64{60, 300, 900, 1800, 3600, 5400, 7200, 14400, 28800, 86400}
	countBounds   = []float64{1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000}
	bridgeBounds  = []float64{1, 2, 3, 4, 8, 16, 24}
	bitRateBounds = []float64{0, 8e3, 16e3, 32e3, 64e3, 128e3, 250e3, 500e3, 1e6, 2e6, 4e6, 8e6}
)

var metricDefinitions = []metricDefinition{
	{
		name: names.MetricLiveBitRate, unit: "bit/s", description: "Bit rates of the streams of live legs.",
		labels: qualityLabels, bounds: bitRateBounds, histogram: func(q *qualityInstruments) *metric.Float64Histogram { return &q.bitRate },
	},
	{
		name: names.MetricLiveJitter, unit: "s", description: "Jitter of the streams of live legs.",
		labels: qualityLabels, bounds: jitterBounds, histogram: func(q *qualityInstruments) *metric.Float64Histogram { return &q.jitter },
	},
	{
		name: names.MetricLivePacketLoss, unit: "1", description: "Share of lost packets of the streams of live legs.",
		labels: qualityLabels, bounds: lossBounds, histogram: func(q *qualityInstruments) *metric.Float64Histogram { return &q.loss },
	},
	{
		name: names.MetricLiveRoundTripTime, unit: "s", description: "Round trip times of the streams that a bridge sends.",
		labels: qualityLabels, bounds: tripBounds, histogram: func(q *qualityInstruments) *metric.Float64Histogram { return &q.roundTrip },
	},
	{
		name: names.MetricLiveFrameRate, unit: "{frame}/s", description: "Frame rates of the video streams of live legs.", labels: qualityLabels,
		bounds: frameBounds, histogram: func(q *qualityInstruments) *metric.Float64Histogram { return &q.frameRate },
	},
	{
		name: names.MetricLiveFrameHeight, unit: "{line}", description: "Heights of the pictures of the video streams of live legs.", labels: qualityLabels,
		bounds: heightBounds, histogram: func(q *qualityInstruments) *metric.Float64Histogram { return &q.frameHeight },
	},
	{
		name: names.MetricLiveDuration, unit: "s", description: "For how long live legs have been there.", labels: nil,
		bounds: secondsBounds, histogram: func(q *qualityInstruments) *metric.Float64Histogram { return &q.legDuration },
	},
	{
		name: names.MetricLiveLeg, unit: "{call_leg}", description: "Live legs, each time that one is looked at.", labels: []string{names.KeyState, keyEncryption},
		counter: func(q *qualityInstruments) *metric.Int64Counter { return &q.legs },
	},
	{
		name: names.MetricLiveCallDuration, unit: "s", description: "For how long live calls have been there.", labels: nil,
		bounds: secondsBounds, histogram: func(q *qualityInstruments) *metric.Float64Histogram { return &q.callDuration },
	},
	{
		name: names.MetricLiveCallLegs, unit: "{call_leg}", description: "Legs in live calls.", labels: nil,
		bounds: countBounds, histogram: func(q *qualityInstruments) *metric.Float64Histogram { return &q.callLegs },
	},
	{
		name: names.MetricLiveCallParticipants, unit: "{participant}", description: "Participants of live calls that this bridge hosts.", labels: nil,
		bounds: countBounds, histogram: func(q *qualityInstruments) *metric.Float64Histogram { return &q.callParticipants },
	},
	{
		name: names.MetricLiveCallBridges, unit: "{call_bridge}", description: "Bridges that host participants of a live call.", labels: nil,
		bounds: bridgeBounds, histogram: func(q *qualityInstruments) *metric.Float64Histogram { return &q.callBridges },
	},
	{
		name: names.MetricLiveCall, unit: "{call}", description: "Live calls, each time that one is looked at.", labels: []string{names.KeyCallType, keyLocked, keyRecording, keyEndpointRecording, keyStreaming},
		counter: func(q *qualityInstruments) *metric.Int64Counter { return &q.calls },
	},
}

// qualityLabels are the labels of metrics of streams.
var qualityLabels = []string{names.KeyMediaType, names.KeyDirection, names.KeySubtype}

// The labels of legs and calls.
const (
	keyEncryption        = "encryption"
	keyLocked            = "locked"
	keyRecording         = "recording"
	keyEndpointRecording = "endpoint_recording"
	keyStreaming         = "streaming"
)

func newQualityInstruments(meter metric.Meter) (*qualityInstruments, error) {
	q := new(qualityInstruments)
	var errs error
	for _, d := range metricDefinitions {
		if d.counter != nil {
			var err error
			*d.counter(q), err = meter.Int64Counter(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description))
			errs = errors.Join(errs, err)
			continue
		}
		h, err := meter.Float64Histogram(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description),
			metric.WithExplicitBucketBoundaries(d.bounds...))
		*d.histogram(q) = h
		errs = errors.Join(errs, err)
	}
	return q, errs
}

// qualityCardinality is above the number of label combinations: three kinds of media, two
// directions, six subtypes and none; six types of calls, and four labels that are true, false or
// unknown.
const qualityCardinality = 512

// newQualityMetrics creates the metrics of one bridge. A bridge whose id is found late has two
// resources.
func newQualityMetrics(version string) *aggregate.Set[*qualityInstruments] {
	return aggregate.NewSet(aggregate.Settings{
		Scope: metadata.ScopeName, Version: version, Resources: 2, Cardinality: qualityCardinality,
	}, newQualityInstruments)
}

// The labels of streams.
const (
	audio        = "audio"
	video        = "video"
	presentation = "presentation"
	received     = "rx"
	sent         = "tx"
)

// record records the streams of one leg.
func (q *qualityInstruments) record(ctx context.Context, leg *object.CallLeg) {
	s := &leg.Status
	q.countLeg(ctx, leg)
	q.stream(ctx, leg, s.RxAudio, audio, received)
	q.stream(ctx, leg, s.TxAudio, audio, sent)
	for i := range s.RxVideo {
		q.stream(ctx, leg, &s.RxVideo[i], kindOf(&s.RxVideo[i]), received)
	}
	for i := range s.TxVideo {
		q.stream(ctx, leg, &s.TxVideo[i], kindOf(&s.TxVideo[i]), sent)
	}
}

// kindOf returns the media type: presentations differ from other video in every figure.
func kindOf(m *object.Media) string {
	if m.Role == presentation {
		return presentation
	}
	return video
}

// The largest plausible values. Larger ones are left out, because one of them would distort the
// sum of a histogram.
const (
	maxDelay   = 60_000 // ms
	maxBitRate = 1_000_000_000
	maxFrames  = 1000
	maxHeight  = 100_000
)

func (q *qualityInstruments) stream(ctx context.Context, leg *object.CallLeg, m *object.Media, kind, direction string) {
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
	if kind != audio {
		if rate := m.FrameRate; rate != nil && *rate <= maxFrames {
			q.frameRate.Record(ctx, *rate, options)
		}
		if height := m.Height; height != nil && *height <= maxHeight {
			q.frameHeight.Record(ctx, float64(*height), options)
		}
	}
	if rate := m.BitRate; rate != nil && *rate <= maxBitRate {
		q.bitRate.Record(ctx, float64(*rate), options)
	}
}

// countLeg records the state and duration of a leg.
func (q *qualityInstruments) countLeg(ctx context.Context, leg *object.CallLeg) {
	s := &leg.Status
	var labels []attribute.KeyValue
	if s.State != "" {
		labels = append(labels, attribute.String(names.KeyState, legStates.label(s.State)))
	}
	if s.EncryptedMedia != nil && s.UnencryptedMedia != nil {
		labels = append(labels, attribute.String(keyEncryption, encryption(*s.EncryptedMedia, *s.UnencryptedMedia)))
	}
	q.legs.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(labels...)))
	recordSeconds(ctx, q.legDuration, s.DurationSeconds)
}

// encryption returns the label for the media of a leg, in the words of call_leg.encryption.
func encryption(encrypted, unencrypted bool) string {
	switch {
	case encrypted && unencrypted:
		return "mixed"
	case encrypted:
		return "encrypted"
	case unencrypted:
		return "unencrypted"
	default:
		return "none"
	}
}

// recordCall records one call.
func (q *qualityInstruments) recordCall(ctx context.Context, c *object.Call) {
	var labels []attribute.KeyValue
	if c.Type != "" {
		labels = append(labels, attribute.String(names.KeyCallType, callTypes.label(c.Type)))
	}
	for _, is := range []struct {
		key   string
		value *bool
	}{{keyLocked, c.Locked}, {keyRecording, c.Recording}, {keyEndpointRecording, c.EndpointRecording}, {keyStreaming, c.Streaming}} {
		if is.value != nil {
			labels = append(labels, attribute.String(is.key, strconv.FormatBool(*is.value)))
		}
	}
	q.calls.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(labels...)))
	recordSeconds(ctx, q.callDuration, c.DurationSeconds)
	recordCount(ctx, q.callLegs, c.NumCallLegs, 0)
	recordCount(ctx, q.callParticipants, c.NumParticipantsLocal, 0)
	recordCount(ctx, q.callBridges, c.NumDistributedInstances, 1) // besides this one
}

func recordSeconds(ctx context.Context, into metric.Float64Histogram, seconds *int64) {
	if seconds != nil && aggregate.PlausibleSeconds(float64(*seconds)) {
		into.Record(ctx, float64(*seconds))
	}
}

// maxPlausibleCount is above the capacity of a cluster.
const maxPlausibleCount = 1_000_000

func recordCount(ctx context.Context, into metric.Float64Histogram, n *int64, more int64) {
	if n != nil && *n <= maxPlausibleCount {
		into.Record(ctx, float64(*n+more))
	}
}
