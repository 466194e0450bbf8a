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

// measures counts records, one set of instruments for each Call Bridge.
type measures struct {
	bridges *aggregate.Set[*instruments]
}

// maxBridges is how many Call Bridges have metrics at once. A cluster has at
// most a few dozen; an unclustered bridge counts anew at each restart.
const maxBridges = 256

// maxUnnamed is that of bridges that send no id and have no system_id.
const maxUnnamed = 64

func newMeasures(config *Config, set receiver.Settings) *measures {
	settings := aggregate.Settings{
		Scope: metadata.ScopeName, Version: set.BuildInfo.Version,
		Resources: maxBridges, Unnamed: maxUnnamed, Cardinality: config.Metrics.CardinalityLimit, Exemplars: exemplarBounds,
	}
	return &measures{bridges: aggregate.NewSet(settings, newInstruments)}
}

// exemplarBounds are the instruments with exemplars, and the bounds between which a series
// keeps the newest one: few, because there are many series.
var exemplarBounds = map[string][]float64{
	names.MetricCallDuration:             {60, 600, 3600},
	names.MetricCallLegDuration:          {60, 600, 3600},
	names.MetricCallLegActivatedDuration: {60, 600, 3600},
	names.MetricCallLegAlarm:             nil,
	names.MetricCallLegAlarmRatio:        {0.05, 0.2, 0.5},
	names.MetricCallLegQuality:           nil,
}

// exemplar returns the context in which a call or a leg is measured. Its span id is that of
// its stitched span. The trace id is left out: the record of an end does not name the
// conference, and another bridge may have founded it.
func exemplar(ctx context.Context, kind, id string) context.Context {
	if id == "" {
		return ctx
	}
	return aggregate.WithSpan([16]byte{}, ids.Span(kind, id))
}

// record counts what is new in a piece that was accepted. sessionBegan tells that
// the piece is the first of a new session of a known bridge.
func (m *measures) record(ctx context.Context, in *intake, p *outbox.Piece, source resource, sessionBegan bool, logger *zap.Logger) {
	if m == nil {
		return
	}
	instrumentsFor := m.bridges.For
	if !in.post.Identity.Named() {
		instrumentsFor = m.bridges.ForUnnamed
	}
	bridge, err := instrumentsFor(source.set())
	if err != nil {
		logger.Error("Records cannot be counted", zap.Error(err))
		return
	}
	if sessionBegan {
		bridge.sessionStarted.Add(ctx, 1)
	}
	from, to := in.recordsOf(p)
	for i := from; i < to; i++ {
		bridge.countMissing(ctx, in.records[i].countable())
		if !in.records[i].duplicate && p.Rejected == nil {
			bridge.count(ctx, &in.batch.Records[i])
		}
	}
	from, to = in.malformedOf(p)
	for i := from; i < to; i++ {
		bridge.countMissing(ctx, in.malformed[i].countable())
	}
	if in.session == nil {
		return // nothing of the body names a session
	}
	if position, ok := in.session.Position(); ok && position <= math.MaxInt64 {
		bridge.recordPosition.Record(ctx, int64(position))
	}
}

func (i *instruments) countMissing(ctx context.Context, missing uint64) {
	if missing > 0 {
		i.recordMissing.Add(ctx, int64(missing)) //nolint:gosec // the ledger bounds each number
	}
}

func (i *instruments) count(ctx context.Context, r *cdr.Record) {
	switch r.Type {
	case cdr.CallStart:
		v, _ := r.Field(cdr.CallCallType)
		i.callStarted.Add(ctx, 1, callTypeOptions.of(callTypes.bound(v.Text)).add...)
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
		case f.ID == cdr.CallDurationSeconds && isDuration(f.Value):
			i.callDuration.Record(exemplar(ctx, names.KindCall, r.ID), f.Double())
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
			legType = legTypes.bound(f.Text)
		case cdr.CallLegSubType:
			subType = subTypes.bound(f.Text)
		case cdr.CallLegDirection:
			direction = directions.bound(f.Text)
		}
	}
	i.legStarted.Add(ctx, 1, legStartOptions.of(legType, subType, direction).add...)
}

// legEnd is what a callLegEnd counts for, gathered in one pass.
type legEnd struct {
	reason, remoteTeardown string
	duration, activated    cdr.Value
	encrypted, unencrypted wireBool
	hasMedia               bool // a codec of any medium
}

// wireBool is a boolean of the wire. Its zero value is that of an absent element,
// which the guide reads as false.
type wireBool uint8

const (
	isFalse wireBool = iota
	isTrue
	unreadable
)

func wireBoolOf(v cdr.Value) wireBool {
	switch {
	case v.Kind != cdr.KindBool:
		return unreadable
	case v.Bool():
		return isTrue
	default:
		return isFalse
	}
}

func (i *instruments) countLegEnd(ctx context.Context, r *cdr.Record) {
	var end legEnd
	for k := range r.Fields {
		i.gatherLegEnd(ctx, &r.Fields[k], &end)
	}
	i.legEnded.Add(ctx, 1, legEndOptions.of(end.reason, end.remoteTeardown, end.wasActivated()).add...)
	leg := exemplar(ctx, names.KindCallLeg, r.ID)
	byReason := reasonOptions.of(end.reason).record
	if isDuration(end.duration) {
		i.legDuration.Record(leg, end.duration.Double(), byReason...)
	}
	if isDuration(end.activated) {
		i.legActivatedDuration.Record(leg, end.activated.Double(), byReason...)
	}
	if state := end.encryption(); state != "" {
		i.legEncryption.Add(ctx, 1, encryptionOptions.of(state).add...)
	}
	i.countAlarms(leg, r.Alarms, &end)
}

// countAlarms counts a leg's alarms once for each type, and its quality. ctx is that of the
// leg's exemplars.
func (i *instruments) countAlarms(ctx context.Context, alarms []cdr.Alarm, end *legEnd) {
	if len(alarms) == 0 {
		if end.wasActivated() == isTrueText {
			i.legQuality.Add(ctx, 1, qualityOptions.of(qualityGood).add...)
		}
		return
	}
	var buffer alarmBuffer
	merged := alarmsOf(alarms, buffer[:0])
	for k := range merged {
		options := alarmOptions.of(alarmTypes.bound(merged[k].name))
		i.legAlarm.Add(ctx, 1, options.add...)
		if ratio, ok := merged[k].ratio(); ok {
			i.legAlarmRatio.Record(ctx, ratio, options.record...)
		}
	}
	i.legQuality.Add(ctx, 1, qualityOptions.of(qualityOf(merged)).add...)
}

func (i *instruments) gatherLegEnd(ctx context.Context, f *cdr.Field, end *legEnd) {
	switch f.ID {
	case cdr.CallLegReason:
		end.reason = boundReason(f.Text)
	case cdr.CallLegRemoteTeardown:
		if f.Kind == cdr.KindBool {
			end.remoteTeardown = strconv.FormatBool(f.Bool())
		}
	case cdr.CallLegDurationSeconds:
		end.duration = f.Value
	case cdr.CallLegActivatedDuration:
		end.activated = f.Value
	case cdr.CallLegEncryptedMedia:
		end.encrypted = wireBoolOf(f.Value)
	case cdr.CallLegUnencryptedMedia:
		end.unencrypted = wireBoolOf(f.Value)
	default:
		if media, field, ok := cdr.MediaOf(f.ID); ok {
			end.hasMedia = end.hasMedia || field == cdr.Codec
			i.countMedia(ctx, media, field, f.Value)
		}
	}
}

// countMedia counts one field of a media block. Packet statistics are sent for
// what the bridge received only.
func (i *instruments) countMedia(ctx context.Context, media cdr.Media, field cdr.MediaField, v cdr.Value) {
	label := mediaLabels[media]
	if field == cdr.Codec {
		i.legMedia.Add(ctx, 1, mediaOptions.of(label.mediaType, label.direction, codecs.bound(v.Text)).add...)
		return
	}
	isDensity := field == cdr.BurstDensity || field == cdr.GapDensity
	if isDensity && !isPlausibleDensity(v) || !isDensity && !isDuration(v) {
		return
	}
	byMedia := mediaTypeOptions.of(label.mediaType).record
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

// Values that cannot be are left out of metrics: one of them would spoil a
// histogram's sum. The record's attribute keeps what was sent.
const (
	// maxLegs is a hundred times what a call of a whole cluster can hold.
	maxLegs = 1_000_000
	// maxDensity is the largest that a loss density can be in any of the units
	// that it may have: per cent, a ratio, or the 256ths of RFC 3611.
	maxDensity = 256
)

func isDuration(v cdr.Value) bool {
	return v.Kind == cdr.KindDouble && aggregate.PlausibleSeconds(v.Double())
}

func isPlausibleDensity(v cdr.Value) bool {
	return v.Kind == cdr.KindDouble && v.Double() >= 0 && v.Double() <= maxDensity
}

// encryption returns the state of the leg's media, "" if the record does not
// say it readably.
func (e *legEnd) encryption() string {
	switch {
	case e.encrypted == unreadable, e.unencrypted == unreadable:
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
