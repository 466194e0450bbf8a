// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/names"
)

// instruments of one Call Bridge.
type instruments struct {
	callStarted, callEnded           metric.Int64Counter
	callDuration                     metric.Float64Histogram
	callLegsMax                      metric.Int64Histogram
	legStarted, legEnded             metric.Int64Counter
	legDuration                      metric.Float64Histogram
	legActivatedDuration             metric.Float64Histogram
	legAlarm                         metric.Int64Counter
	legAlarmRatio                    metric.Float64Histogram
	legQuality                       metric.Int64Counter
	burstDuration, burstDensity      metric.Float64Histogram
	gapDuration, gapDensity          metric.Float64Histogram
	legMedia, legEncryption          metric.Int64Counter
	recordingStarted, recordingEnded metric.Int64Counter
	streamingStarted, streamingEnded metric.Int64Counter
	recordMissing                    metric.Int64Counter
	recordPosition                   metric.Int64Gauge
	sessionStarted                   metric.Int64Counter
}

// definition defines a metric: a row of the README's table, which a test compares.
type definition struct {
	name, unit, description string
	attributes              []string
	bounds                  []float64 // of a histogram, nil otherwise
	counter                 func(*instruments) *metric.Int64Counter
	gauge                   func(*instruments) *metric.Int64Gauge
	histogram               func(*instruments) *metric.Float64Histogram
	countHistogram          func(*instruments) *metric.Int64Histogram
}

// Bucket boundaries. Meetings last minutes to hours; a leg of a few seconds is
// a failed attempt.
var (
	durationBounds = []float64{1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 2700, 3600, 5400, 7200, 10800, 14400, 28800, 86400}
	legsBounds     = []float64{1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100, 200, 500, 1000}
	ratioBounds    = []float64{0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.08, 0.1, 0.2, 0.3, 0.5, 0.75, 1}
	burstBounds    = []float64{0, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600}
	densityBounds  = []float64{0, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 50, 75, 100}
)

var definitions = []definition{
	{
		name: names.MetricCallStarted, unit: "{call}", description: "Calls started.", attributes: []string{names.KeyCallType},
		counter: func(i *instruments) *metric.Int64Counter { return &i.callStarted },
	},
	{
		name: names.MetricCallEnded, unit: "{call}", description: "Calls ended.",
		counter: func(i *instruments) *metric.Int64Counter { return &i.callEnded },
	},
	{
		name: names.MetricCallDuration, unit: "s", description: "How long ended calls were active.", bounds: durationBounds,
		histogram: func(i *instruments) *metric.Float64Histogram { return &i.callDuration },
	},
	{
		name: names.MetricCallLegsMax, unit: "{call_leg}", description: "Most call legs at once in ended calls.", bounds: legsBounds,
		countHistogram: func(i *instruments) *metric.Int64Histogram { return &i.callLegsMax },
	},
	{
		name: names.MetricCallLegStarted, unit: "{call_leg}", description: "Call legs started.",
		attributes: []string{names.KeyType, names.KeySubtype, names.KeyDirection},
		counter:    func(i *instruments) *metric.Int64Counter { return &i.legStarted },
	},
	{
		name: names.MetricCallLegEnded, unit: "{call_leg}", description: "Call legs ended.",
		attributes: []string{names.KeyReason, names.KeyRemoteTeardown, names.KeyActivated},
		counter:    func(i *instruments) *metric.Int64Counter { return &i.legEnded },
	},
	{
		name: names.MetricCallLegDuration, unit: "s", description: "How long ended call legs were active.",
		attributes: []string{names.KeyReason}, bounds: durationBounds,
		histogram: func(i *instruments) *metric.Float64Histogram { return &i.legDuration },
	},
	{
		name: names.MetricCallLegActivatedDuration, unit: "s", description: "How long ended call legs were activated: without lobby and IVR.",
		attributes: []string{names.KeyReason}, bounds: durationBounds,
		histogram: func(i *instruments) *metric.Float64Histogram { return &i.legActivatedDuration },
	},
	{
		name: names.MetricCallLegAlarm, unit: "{alarm}", description: "Quality alarms of ended call legs.", attributes: []string{names.KeyAlarmType},
		counter: func(i *instruments) *metric.Int64Counter { return &i.legAlarm },
	},
	{
		name: names.MetricCallLegAlarmRatio, unit: "1", description: "Part of an ended call leg's time that it was in alarm.",
		attributes: []string{names.KeyAlarmType}, bounds: ratioBounds,
		histogram: func(i *instruments) *metric.Float64Histogram { return &i.legAlarmRatio },
	},
	{
		name: names.MetricCallLegQuality, unit: "{call_leg}", description: "Ended call legs that had media, each once: `bad` if it was in alarm for a tenth of its time or more, `degraded` if for less, else `good`.",
		attributes: []string{names.KeyState},
		counter:    func(i *instruments) *metric.Int64Counter { return &i.legQuality },
	},
	{
		name: names.MetricPacketLossBurstDuration, unit: "s", description: "Time in bursts of packet loss, received media.",
		attributes: []string{names.KeyMediaType}, bounds: burstBounds,
		histogram: func(i *instruments) *metric.Float64Histogram { return &i.burstDuration },
	},
	{
		name: names.MetricPacketLossBurstDensity, unit: "1", description: "Packet loss within bursts, as sent (its unit is not documented).",
		attributes: []string{names.KeyMediaType}, bounds: densityBounds,
		histogram: func(i *instruments) *metric.Float64Histogram { return &i.burstDensity },
	},
	{
		name: names.MetricPacketLossGapDuration, unit: "s", description: "Time between bursts of packet loss, received media.",
		attributes: []string{names.KeyMediaType}, bounds: durationBounds,
		histogram: func(i *instruments) *metric.Float64Histogram { return &i.gapDuration },
	},
	{
		name: names.MetricPacketLossGapDensity, unit: "1", description: "Packet loss between bursts, as sent (its unit is not documented).",
		attributes: []string{names.KeyMediaType}, bounds: densityBounds,
		histogram: func(i *instruments) *metric.Float64Histogram { return &i.gapDensity },
	},
	{
		name: names.MetricCallLegMedia, unit: "{call_leg}", description: "Ended call legs that had such media.",
		attributes: []string{names.KeyMediaType, names.KeyDirection, names.KeyCodec},
		counter:    func(i *instruments) *metric.Int64Counter { return &i.legMedia },
	},
	{
		name: names.MetricCallLegEncryption, unit: "{call_leg}", description: "Ended call legs by encryption of their media.",
		attributes: []string{names.KeyState},
		counter:    func(i *instruments) *metric.Int64Counter { return &i.legEncryption },
	},
	{
		name: names.MetricRecordingStarted, unit: "{recording}", description: "Recordings started.",
		counter: func(i *instruments) *metric.Int64Counter { return &i.recordingStarted },
	},
	{
		name: names.MetricRecordingEnded, unit: "{recording}", description: "Recordings ended.",
		counter: func(i *instruments) *metric.Int64Counter { return &i.recordingEnded },
	},
	{
		name: names.MetricStreamingStarted, unit: "{streaming}", description: "Streamings started.",
		counter: func(i *instruments) *metric.Int64Counter { return &i.streamingStarted },
	},
	{
		name: names.MetricStreamingEnded, unit: "{streaming}", description: "Streamings ended.",
		counter: func(i *instruments) *metric.Int64Counter { return &i.streamingEnded },
	},
	{
		name: names.MetricRecordMissing, unit: "{record}", description: "Records lost before they were received.",
		counter: func(i *instruments) *metric.Int64Counter { return &i.recordMissing },
	},
	{
		name: names.MetricRecordPosition, unit: "{record}", description: "Index after the highest that is accounted for in the session that a record came of last: received, in quarantine or counted as missing.",
		gauge: func(i *instruments) *metric.Int64Gauge { return &i.recordPosition },
	},
	{
		name: names.MetricSessionStarted, unit: "{session}", description: "New sessions of a Call Bridge that was known before: it has restarted.",
		counter: func(i *instruments) *metric.Int64Counter { return &i.sessionStarted },
	},
}

func newInstruments(meter metric.Meter) (*instruments, error) {
	i := new(instruments)
	var errs error
	for _, d := range definitions {
		var err error
		switch {
		case d.counter != nil:
			*d.counter(i), err = meter.Int64Counter(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description))
		case d.gauge != nil:
			*d.gauge(i), err = meter.Int64Gauge(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description))
		case d.histogram != nil:
			*d.histogram(i), err = meter.Float64Histogram(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description),
				metric.WithExplicitBucketBoundaries(d.bounds...))
		default:
			*d.countHistogram(i), err = meter.Int64Histogram(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description),
				metric.WithExplicitBucketBoundaries(d.bounds...))
		}
		errs = errors.Join(errs, err)
	}
	if errs == nil {
		i.addZeros(context.Background())
	}
	return i, errs
}

// addZeros makes the bounded series of alerts begin at 0, because increase() does not see
// the value that a series begins with.
func (i *instruments) addZeros(ctx context.Context) {
	for _, counter := range []metric.Int64Counter{
		i.callEnded, i.recordingStarted, i.recordingEnded, i.streamingStarted, i.streamingEnded, i.recordMissing, i.sessionStarted,
	} {
		counter.Add(ctx, 0)
	}
	for _, state := range qualityStates {
		i.legQuality.Add(ctx, 0, qualityOptions.get(state).add...)
	}
	for _, alarm := range []string{"packetLoss", "excessiveJitter", "highRoundTripTime"} {
		i.legAlarm.Add(ctx, 0, alarmOptions.get(alarm).add...)
	}
	// Failures caused by the servers. remote_teardown is true only if the far end hangs up.
	for _, reason := range []string{"dnsFailure", "encryptionRequired", "error", "participantLimitReached", "tenantParticipantLimitReached", "timeout"} {
		for _, activated := range []string{labelFalse, labelTrue} {
			i.legEnded.Add(ctx, 0, legEndOptions.get(reason, labelFalse, activated).add...)
		}
	}
}
