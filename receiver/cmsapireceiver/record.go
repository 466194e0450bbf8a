// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"math"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/legato-otel/legato/internal/meetingserver/api/object"
	"github.com/legato-otel/legato/receiver/cmsapireceiver/internal/metadata"
)

// record adds the data points of a reading. Unknown values have none.
func (r *reading) record(mb *metadata.MetricsBuilder, states map[[2]string]bool) {
	ts := pcommon.NewTimestampFromTime(r.at)
	r.recordStatus(mb, ts)
	r.recordAlarms(mb, ts)
	r.recordLoad(mb, ts)
	r.recordCluster(mb, ts)
	r.recordDatabase(mb, ts)
	r.recordLicences(mb, ts, states)
	r.recordReceivers(mb, ts)
	r.recordCalls(mb, ts)
}

// putIfKnown records a number unless it is nil.
func putIfKnown(record func(pcommon.Timestamp, int64), ts pcommon.Timestamp, value *int64) {
	if value != nil {
		record(ts, *value)
	}
}

// putBoolIfKnown records 1 or 0 unless the value is nil.
func putBoolIfKnown(record func(pcommon.Timestamp, int64), ts pcommon.Timestamp, value *bool) {
	if value != nil {
		record(ts, oneIf(*value))
	}
}

func oneIf(condition bool) int64 {
	if condition {
		return 1
	}
	return 0
}

func (r *reading) recordStatus(mb *metadata.MetricsBuilder, ts pcommon.Timestamp) {
	s := &r.status
	putIfKnown(mb.RecordCiscoMeetingServerUptimeDataPoint, ts, s.UptimeSeconds)
	putIfKnown(mb.RecordCiscoMeetingServerRecordCreatedDataPoint, ts, s.CDRCorrelatorIndex)
	putIfKnown(mb.RecordCiscoMeetingServerCallLegActiveDataPoint, ts, s.CallLegsActive)
	putIfKnown(mb.RecordCiscoMeetingServerCallLegActiveMaxDataPoint, ts, s.CallLegsMaxActive)
	putIfKnown(mb.RecordCiscoMeetingServerCallLegCompletedDataPoint, ts, s.CallLegsCompleted)
	putBoolIfKnown(mb.RecordCiscoMeetingServerActivatedDataPoint, ts, s.Activated)
	putBoolIfKnown(mb.RecordCiscoMeetingServerClusterEnabledDataPoint, ts, s.ClusterEnabled)
	for _, rate := range []struct {
		value     *int64
		media     metadata.AttributeMediaType
		direction metadata.AttributeDirection
	}{
		{s.AudioBitRateIncoming, metadata.AttributeMediaTypeAudio, metadata.AttributeDirectionRx},
		{s.AudioBitRateOutgoing, metadata.AttributeMediaTypeAudio, metadata.AttributeDirectionTx},
		{s.VideoBitRateIncoming, metadata.AttributeMediaTypeVideo, metadata.AttributeDirectionRx},
		{s.VideoBitRateOutgoing, metadata.AttributeMediaTypeVideo, metadata.AttributeDirectionTx},
	} {
		if rate.value != nil {
			mb.RecordCiscoMeetingServerBitRateDataPoint(ts, *rate.value, rate.media, rate.direction)
		}
	}
	if r.clockOffset != nil {
		mb.RecordCiscoMeetingServerClockOffsetDataPoint(ts, r.clockOffset.Seconds())
	}
}

// recordAlarms records the number of each documented alarm, 0 if it is inactive, so that alerts
// resolve.
func (r *reading) recordAlarms(mb *metadata.MetricsBuilder, ts pcommon.Timestamp) {
	if r.alarms == nil {
		return
	}
	active := make(map[string]int64)
	oldest := make(map[[2]string]int64)
	for _, a := range r.alarms.Items {
		kind := alarmTypes.label(a.Type)
		active[kind]++
		if a.ActiveTimeSeconds == nil {
			continue
		}
		reason := unspecified
		if a.FailureReason != "" {
			reason = failureReasons.label(a.FailureReason)
		}
		key := [2]string{kind, reason}
		oldest[key] = max(oldest[key], *a.ActiveTimeSeconds)
	}
	if r.alarms.Complete {
		for _, kind := range alarmTypes {
			active[kind] += 0
		}
	}
	for kind, n := range active {
		mb.RecordCiscoMeetingServerAlarmActiveDataPoint(ts, n, kind)
	}
	for key, seconds := range oldest {
		mb.RecordCiscoMeetingServerAlarmDurationDataPoint(ts, seconds, key[0], key[1])
	}
}

// basisPoints is the denominator of shares in the API.
const basisPoints = 10_000

func (r *reading) recordLoad(mb *metadata.MetricsBuilder, ts pcommon.Timestamp) {
	var load, limit *int64
	if r.load != nil {
		load = r.load.MediaProcessingLoad
		putIfKnown(mb.RecordCiscoMeetingServerMediaProcessingLoadDataPoint, ts, load)
	}
	cluster := r.inventory.cluster
	if cluster == nil {
		return
	}
	if limit = cluster.LoadLimit; limit == nil || *limit == 0 {
		return // without a limit there is nothing to compare with
	}
	mb.RecordCiscoMeetingServerMediaProcessingLoadLimitDataPoint(ts, *limit)
	if load != nil {
		mb.RecordCiscoMeetingServerMediaProcessingUtilizationDataPoint(ts, float64(*load)/float64(*limit))
	}
	if share := cluster.NewConferenceLoadLimitBasisPoints; share != nil {
		mb.RecordCiscoMeetingServerMediaProcessingLoadThresholdDataPoint(ts, float64(*share)/basisPoints, metadata.AttributeConferenceNew)
	}
	if share := cluster.ExistingConferenceLoadLimitBasisPoints; share != nil {
		mb.RecordCiscoMeetingServerMediaProcessingLoadThresholdDataPoint(ts, float64(*share)/basisPoints, metadata.AttributeConferenceExisting)
	}
}

// recordCluster records the configuration of the cluster. A limit of 0 means no limit.
func (r *reading) recordCluster(mb *metadata.MetricsBuilder, ts pcommon.Timestamp) {
	if bridges := r.inventory.bridges; bridges != nil {
		mb.RecordCiscoMeetingServerCallBridgeCountDataPoint(ts, int64(bridges.Total))
	}
	if n := r.inventory.coSpaces; n != nil {
		mb.RecordCiscoMeetingServerCospaceCountDataPoint(ts, int64(*n))
	}
	c := r.inventory.cluster
	if c == nil {
		return
	}
	if limit := c.ParticipantLimit; limit != nil && *limit > 0 {
		mb.RecordCiscoMeetingServerParticipantLimitDataPoint(ts, *limit)
	}
	putIfKnown(mb.RecordCiscoMeetingServerPeerLinkBitRateLimitDataPoint, ts, c.PeerLinkBitRate)
	putIfKnown(mb.RecordCiscoMeetingServerPeerLinkVideoStreamLimitDataPoint, ts, c.MaxPeerVideoStreams)
}

const (
	// maxNodes is the largest number of database nodes with metrics, maxHost the longest
	// name of a node in bytes. A cluster has at most five nodes.
	maxNodes = 16
	maxHost  = 128
)

func (r *reading) recordDatabase(mb *metadata.MetricsBuilder, ts pcommon.Timestamp) {
	d := r.database
	if d == nil || d.Clustered == nil || !*d.Clustered {
		return
	}
	mb.RecordCiscoMeetingServerDatabaseErrorDataPoint(ts, oneIf(d.Error != ""))
	putIfKnown(mb.RecordCiscoMeetingServerDatabaseNodeCountDataPoint, ts, d.TotalNodes)
	seen := make(map[string]bool)
	for _, n := range d.Nodes[:min(len(d.Nodes), maxNodes)] {
		host := n.Hostname[:min(len(n.Hostname), maxHost)]
		if host == "" || seen[host] {
			continue
		}
		seen[host] = true
		host = strings.ToValidUTF8(host, "")
		if d.NodeInUse != "" {
			mb.RecordCiscoMeetingServerDatabaseNodeInUseDataPoint(ts, oneIf(strings.EqualFold(d.NodeInUse, n.Hostname)), host)
		}
		if n.Up != nil {
			mb.RecordCiscoMeetingServerDatabaseNodeUpDataPoint(ts, oneIf(*n.Up), host)
		}
		if n.Master != nil {
			mb.RecordCiscoMeetingServerDatabaseNodePrimaryDataPoint(ts, oneIf(*n.Master), host)
		}
		if n.SyncBehind != nil {
			mb.RecordCiscoMeetingServerDatabaseNodeSyncBehindDataPoint(ts, *n.SyncBehind, host)
		}
	}
}

// recordLicences records the state of each feature and the days until it ends. states are the
// features and states seen so far: a former state becomes 0 and keeps its series.
func (r *reading) recordLicences(mb *metadata.MetricsBuilder, ts pcommon.Timestamp, states map[[2]string]bool) {
	if r.inventory.features == nil {
		return
	}
	remaining := make(map[string]int64)
	current := make(map[[2]string]bool)
	for _, f := range *r.inventory.features {
		feature := features.label(f.Name)
		if f.Status != "" {
			key := [2]string{feature, licenseStates.label(f.Status)}
			current[key], states[key] = true, true
		}
		if f.Expiry.IsZero() {
			continue
		}
		days := daysUntil(r.at, f.Expiry)
		if former, known := remaining[feature]; !known || days < former {
			remaining[feature] = days
		}
	}
	for key := range states {
		mb.RecordCiscoMeetingServerLicenseStateDataPoint(ts, oneIf(current[key]), key[0], key[1])
	}
	for feature, days := range remaining {
		mb.RecordCiscoMeetingServerLicenseRemainingDataPoint(ts, days, feature)
	}
}

func daysUntil(now, end time.Time) int64 {
	return int64(math.Floor(float64(end.Unix()-now.Unix()) / (24 * 3600)))
}

func (r *reading) recordReceivers(mb *metadata.MetricsBuilder, ts pcommon.Timestamp) {
	if list := r.cdrReceivers; list != nil {
		mb.RecordCiscoMeetingServerCdrReceiverCountDataPoint(ts, int64(list.Total))
		if list.Maximum > 0 {
			mb.RecordCiscoMeetingServerCdrReceiverLimitDataPoint(ts, int64(list.Maximum))
		}
	}
	putBoolIfKnown(mb.RecordCiscoMeetingServerCdrReceiverPresentDataPoint, ts, r.hasReceiver)
}

func (r *reading) recordCalls(mb *metadata.MetricsBuilder, ts pcommon.Timestamp) {
	if r.calls != nil {
		mb.RecordCiscoMeetingServerCallCountDataPoint(ts, int64(*r.calls))
	}
	r.recordParticipants(mb, ts)
	legs := r.alarmedLegs
	if legs == nil {
		return
	}
	mb.RecordCiscoMeetingServerCallLegImpairedDataPoint(ts, int64(legs.Total))
	if !legs.Complete {
		return
	}
	for label, hasAlarm := range legAlarms {
		n := 0
		for i := range legs.Items {
			if hasAlarm(&legs.Items[i].Alarms) {
				n++
			}
		}
		mb.RecordCiscoMeetingServerCallLegAlarmActiveDataPoint(ts, int64(n), label)
	}
}

// legAlarms maps labels to the alarms of a leg.
var legAlarms = map[string]func(*object.LegAlarms) bool{
	"packetLoss":        func(a *object.LegAlarms) bool { return a.PacketLoss },
	"excessiveJitter":   func(a *object.LegAlarms) bool { return a.ExcessiveJitter },
	"highRoundTripTime": func(a *object.LegAlarms) bool { return a.HighRoundTripTime },
}

// recordParticipants records the number of all participants and, if known, of the participants
// on this bridge.
func (r *reading) recordParticipants(mb *metadata.MetricsBuilder, ts pcommon.Timestamp) {
	list := r.participants
	if list == nil {
		return
	}
	mb.RecordCiscoMeetingServerParticipantCountDataPoint(ts, int64(list.Total))
	isRemote := func(p object.Participant) bool { return p.CallBridge != "" }
	bridges := r.inventory.bridges
	switch {
	case list.Complete:
		local := int64(0)
		for i := range list.Items {
			local += oneIf(!isRemote(list.Items[i]))
		}
		mb.RecordCiscoMeetingServerParticipantLocalDataPoint(ts, local)
		recordStates(mb, ts, list.Items)
	case bridges != nil && bridges.Complete && bridges.Total <= 1 && !slices.ContainsFunc(list.Items, isRemote):
		mb.RecordCiscoMeetingServerParticipantLocalDataPoint(ts, int64(list.Total))
	}
}

// recordStates records the participants of this bridge by state, if any has a state.
func recordStates(mb *metadata.MetricsBuilder, ts pcommon.Timestamp, list []object.Participant) {
	counts := make(map[metadata.AttributeParticipantState]int64)
	known := len(list) == 0
	for i := range list {
		if list[i].CallBridge != "" {
			continue
		}
		for text, state := range metadata.MapAttributeParticipantState {
			if strings.EqualFold(text, list[i].State) {
				counts[state]++
				known = true
			}
		}
	}
	if !known {
		return // a release that does not say it
	}
	for _, state := range metadata.MapAttributeParticipantState {
		mb.RecordCiscoMeetingServerParticipantStateDataPoint(ts, counts[state], state)
	}
}
