// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"math"
	"strconv"

	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/meetingserver/cdr"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/aggregate"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// metricSet counts records, with one set of instruments for each Call Bridge.
type metricSet struct {
	bridges *aggregate.Set[*instruments]
}

// maxBridges bounds the Call Bridges that have metrics at once, about 40 KB each. It exceeds
// the bridges of one Collector, because those above it evict each other: with each post the
// receiver would make the instruments of a bridge anew, which costs more than the post, and
// their counters would start again at 0.
const maxBridges = 1024

// maxUnnamedBridges bounds the Call Bridges without an id and a system_id.
const maxUnnamedBridges = 64

func newMetricSet(config *Config, set receiver.Settings) *metricSet {
	settings := aggregate.Settings{
		Scope: metadata.ScopeName, Version: set.BuildInfo.Version,
		Resources: maxBridges, UnnamedResources: maxUnnamedBridges, Cardinality: config.Metrics.CardinalityLimit, Exemplars: exemplarBounds,
	}
	return &metricSet{bridges: aggregate.NewSet(settings, newInstruments)}
}

// exemplarBounds holds the bucket bounds of each instrument with exemplars. A series keeps the
// newest exemplar of each bucket. The buckets are few, because there are many series.
var exemplarBounds = map[string][]float64{
	names.MetricCallDuration:             {60, 600, 3600},
	names.MetricCallLegDuration:          {60, 600, 3600},
	names.MetricCallLegActivatedDuration: {60, 600, 3600},
	names.MetricCallLegAlarm:             nil,
	names.MetricCallLegAlarmRatio:        {0.05, 0.2, 0.5},
	names.MetricCallLegQuality:           nil,
}

// exemplarContext returns the context for measurements of a call or a leg, with the span id of
// its stitched span. It has no trace id: the trace is that of the conference, which an end
// record does not name and a call on another bridge may have founded. Without an id it returns
// ctx.
func exemplarContext(ctx context.Context, kind, id string) context.Context {
	if id == "" {
		return ctx
	}
	return aggregate.WithSpan([16]byte{}, ids.Span(kind, id))
}

// countChunk counts the new parts of an accepted chunk. startsSession reports that the
// chunk is the first of a new session of a known Call Bridge.
func (m *metricSet) countChunk(ctx context.Context, b *batch, c *outbox.Chunk, startsSession bool, logger *zap.Logger) {
	if m == nil {
		return
	}
	instrumentsFor := m.bridges.InstrumentsFor
	if !b.requestInfo.Identity.Named() {
		instrumentsFor = m.bridges.InstrumentsForUnnamed
	}
	bridge, err := instrumentsFor(b.resource.metricResource())
	if err != nil {
		logger.Error("Records cannot be counted", zap.Error(err))
		return
	}
	if startsSession {
		bridge.sessionStarted.Add(ctx, 1)
	}
	from, to := b.recordsOf(c)
	for i := from; i < to; i++ {
		bridge.countMissing(ctx, b.records[i].countableMissing())
		if !b.records[i].isDuplicate && c.QuarantineReason == nil {
			bridge.countRecord(ctx, &b.decoded.Records[i])
		}
	}
	from, to = b.malformedOf(c)
	for i := from; i < to; i++ {
		bridge.countMissing(ctx, b.malformed[i].countableMissing())
	}
	if b.session == nil {
		return // the body names no session, so there is no position
	}
	if position, ok := b.session.NextIndex(); ok && position <= math.MaxInt64 {
		bridge.recordPosition.Record(ctx, int64(position))
	}
}

func (i *instruments) countMissing(ctx context.Context, missing uint64) {
	if missing > 0 {
		i.recordMissing.Add(ctx, int64(missing)) //nolint:gosec // the ledger bounds each number
	}
}

func (i *instruments) countRecord(ctx context.Context, r *cdr.Record) {
	switch r.Type {
	case cdr.CallStart:
		v, _ := r.Field(cdr.CallCallType)
		i.callStarted.Add(ctx, 1, callTypeOptions.get(callTypes.label(v.Text)).add...)
	case cdr.CallEnd:
		i.countCallEnd(ctx, r)
	case cdr.CallLegStart:
		i.countLegStart(ctx, r)
	case cdr.CallLegEnd:
		i.countLegEnd(ctx, r)
	case cdr.RecordingStart:
		i.recordingStarted.Add(ctx, 1)
	case cdr.RecordingEnd:
		i.recordingEnded.Add(ctx, 1)
	case cdr.StreamingStart:
		i.streamingStarted.Add(ctx, 1)
	case cdr.StreamingEnd:
		i.streamingEnded.Add(ctx, 1)
	case cdr.CallLegUpdate, cdr.TypeUnknown:
	}
}

func (i *instruments) countCallEnd(ctx context.Context, r *cdr.Record) {
	i.callEnded.Add(ctx, 1)
	for k := range r.Fields {
		switch f := &r.Fields[k]; {
		case f.ID == cdr.CallDurationSeconds && isPlausibleDuration(f.Value):
			i.callDuration.Record(exemplarContext(ctx, names.KindCall, r.ID), f.Double())
		case f.ID == cdr.CallCallLegsMaxActive && f.Kind == cdr.KindInt && f.Int() <= maxLegs:
			i.callLegsMax.Record(ctx, f.Int())
		}
	}
}

func (i *instruments) countLegStart(ctx context.Context, r *cdr.Record) {
	var legType, subType, direction string
	for k := range r.Fields {
		switch f := &r.Fields[k]; f.ID {
		case cdr.CallLegType:
			legType = legTypes.label(f.Text)
		case cdr.CallLegSubType:
			subType = subTypes.label(f.Text)
		case cdr.CallLegDirection:
			direction = directions.label(f.Text)
		}
	}
	i.legStarted.Add(ctx, 1, legStartOptions.get(legType, subType, direction).add...)
}

// legEnd collects the fields of a callLegEnd that metrics need, in one pass.
type legEnd struct {
	reason, remoteTeardown      string
	duration, activatedDuration cdr.Value
	encrypted, unencrypted      boolState
	hasMedia                    bool // a codec of any medium
}

// boolState is a received boolean. Its zero value is that of an absent element, which the
// guide defines as false.
type boolState uint8

const (
	isFalse boolState = iota
	isTrue
	isUnreadable
)

func boolStateOf(v cdr.Value) boolState {
	switch {
	case v.Kind != cdr.KindBool:
		return isUnreadable
	case v.Bool():
		return isTrue
	default:
		return isFalse
	}
}

func (i *instruments) countLegEnd(ctx context.Context, r *cdr.Record) {
	var end legEnd
	for k := range r.Fields {
		i.addLegEndField(ctx, &r.Fields[k], &end)
	}
	i.legEnded.Add(ctx, 1, legEndOptions.get(end.reason, end.remoteTeardown, end.wasActivatedLabel()).add...)
	legCtx := exemplarContext(ctx, names.KindCallLeg, r.ID)
	byReason := reasonOptions.get(end.reason).record
	if isPlausibleDuration(end.duration) {
		i.legDuration.Record(legCtx, end.duration.Double(), byReason...)
	}
	if isPlausibleDuration(end.activatedDuration) {
		i.legActivatedDuration.Record(legCtx, end.activatedDuration.Double(), byReason...)
	}
	if state := end.encryptionState(); state != "" {
		i.legEncryption.Add(ctx, 1, encryptionOptions.get(state).add...)
	}
	i.countAlarms(legCtx, r.Alarms, &end)
}

// countAlarms counts a leg's alarms once for each type, and its quality. ctx is that of the
// leg's exemplars.
func (i *instruments) countAlarms(ctx context.Context, alarms []cdr.Alarm, end *legEnd) {
	if len(alarms) == 0 {
		if end.wasActivatedLabel() == labelTrue {
			i.legQuality.Add(ctx, 1, qualityOptions.get(qualityGood).add...)
		}
		return
	}
	var buffer alarmBuffer
	merged := mergeAlarms(alarms, buffer[:0])
	for k := range merged {
		options := alarmOptions.get(alarmTypes.label(merged[k].name))
		i.legAlarm.Add(ctx, 1, options.add...)
		if ratio, ok := merged[k].ratio(); ok {
			i.legAlarmRatio.Record(ctx, ratio, options.record...)
		}
	}
	i.legQuality.Add(ctx, 1, qualityOptions.get(qualityOf(merged)).add...)
}

func (i *instruments) addLegEndField(ctx context.Context, f *cdr.Field, end *legEnd) {
	switch f.ID {
	case cdr.CallLegReason:
		end.reason = reasonLabel(f.Text)
	case cdr.CallLegRemoteTeardown:
		if f.Kind == cdr.KindBool {
			end.remoteTeardown = strconv.FormatBool(f.Bool())
		}
	case cdr.CallLegDurationSeconds:
		end.duration = f.Value
	case cdr.CallLegActivatedDuration:
		end.activatedDuration = f.Value
	case cdr.CallLegEncryptedMedia:
		end.encrypted = boolStateOf(f.Value)
	case cdr.CallLegUnencryptedMedia:
		end.unencrypted = boolStateOf(f.Value)
	default:
		if media, field, ok := cdr.MediaOf(f.ID); ok {
			end.hasMedia = end.hasMedia || field == cdr.Codec
			i.countMedia(ctx, media, field, f.Value)
		}
	}
}

// countMedia counts one field of a media block. Only received media have packet statistics.
func (i *instruments) countMedia(ctx context.Context, media cdr.Media, field cdr.MediaField, v cdr.Value) {
	label := mediaLabels[media]
	if field == cdr.Codec {
		i.legMedia.Add(ctx, 1, mediaOptions.get(label.mediaType, label.direction, codecs.label(v.Text)).add...)
		return
	}
	isDensity := field == cdr.BurstDensity || field == cdr.GapDensity
	if isDensity && !isPlausibleDensity(v) || !isDensity && !isPlausibleDuration(v) {
		return
	}
	byMedia := mediaTypeOptions.get(label.mediaType).record
	switch field {
	case cdr.BurstDuration:
		i.burstDuration.Record(ctx, v.Double(), byMedia...)
	case cdr.BurstDensity:
		i.burstDensity.Record(ctx, v.Double(), byMedia...)
	case cdr.GapDuration:
		i.gapDuration.Record(ctx, v.Double(), byMedia...)
	case cdr.GapDensity:
		i.gapDensity.Record(ctx, v.Double(), byMedia...)
	}
}

// Metrics omit implausible values, because one of them would spoil the sum of a histogram.
// The record's attribute has the received value.
const (
	// maxLegs is a hundred times the capacity of a whole cluster.
	maxLegs = 1_000_000
	// maxDensity is the largest loss density, whatever its unit: 100 in per cent, 1 as a
	// ratio, 256 in the 256ths of RFC 3611.
	maxDensity = 256
)

func isPlausibleDuration(v cdr.Value) bool {
	return v.Kind == cdr.KindDouble && aggregate.PlausibleSeconds(v.Double())
}

func isPlausibleDensity(v cdr.Value) bool {
	return v.Kind == cdr.KindDouble && v.Double() >= 0 && v.Double() <= maxDensity
}

// encryptionState returns the state of the leg's media, "" if the record has no readable
// one.
func (e *legEnd) encryptionState() string {
	switch {
	case e.encrypted == isUnreadable, e.unencrypted == isUnreadable:
		return ""
	case e.encrypted == isTrue && e.unencrypted == isTrue:
		return "mixed"
	case e.encrypted == isTrue:
		return "encrypted"
	case e.unencrypted == isTrue:
		return "unencrypted"
	default:
		return "none"
	}
}

var mediaLabels = [cdr.MediaCount]struct{ mediaType, direction string }{
	cdr.RxAudio: {"audio", "rx"}, cdr.TxAudio: {"audio", "tx"},
	cdr.RxVideo: {"video", "rx"}, cdr.TxVideo: {"video", "tx"},
}
