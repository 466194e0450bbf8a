// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
)

// Attributes that are read by name and are not in internal/names by themselves.
var (
	keyCallDuration = callKey("durationSeconds")
	keyCallCDRTag   = callKey("cdrTag")
	keyCallType     = callKey("callType")
	keyLegDuration  = legKey("durationSeconds")
	keyLegState     = legKey("state")
	keyLegIVR       = legKey("ivr")
	keyDeactivated  = legKey("deactivated")
	keyIsRecorder   = legKey("recording")
	keyIsStreamer   = legKey("streaming")
)

func callKey(path string) string { return names.MeetingServerAttribute("call", path) }
func legKey(path string) string  { return names.MeetingServerAttribute("callLeg", path) }

var callFields = fields[store.Call]{
	names.CoSpaceID:              func(r *store.Call) any { return (*identifier)(&r.RoomID) },
	names.CallName:               func(r *store.Call) any { return &r.RoomName },
	names.TenantID:               func(r *store.Call) any { return (*identifier)(&r.TenantID) },
	keyCallType:                  func(r *store.Call) any { return &r.CallType },
	names.CallCorrelator:         func(r *store.Call) any { return (*identifier)(&r.Correlator) },
	callKey("ownerName"):         func(r *store.Call) any { return &r.OwnerName },
	keyCallCDRTag:                func(r *store.Call) any { return &r.CDRTag },
	callKey("callLegsCompleted"): func(r *store.Call) any { return &r.CallLegsCompleted },
	callKey("callLegsMaxActive"): func(r *store.Call) any { return &r.CallLegsMaxActive },
	callKey("endpointRecorded"):  func(r *store.Call) any { return &r.EndpointRecorded },
}

func (c *converter) addCall(lr plog.LogRecord, phase store.Phase) bool {
	row := appendRow(c, &c.batch.Calls)
	if !fill(c, lr, phase, names.KindCall, names.CallID, row, &row.Object, callFields) {
		removeLast(&c.batch.Calls)
		return false
	}
	if phase == store.Ended {
		row.StartedAt = before(row.EndedAt, lr.Attributes(), keyCallDuration)
	}
	return true
}

// addConferenceUpdate takes that a running call is in another trace by now: its row,
// and those of what is in it, follow. It is no sign of life of the call.
func (c *converter) addConferenceUpdate(lr plog.LogRecord, phase store.Phase) bool {
	var row store.Call
	c.leaveOut = func(key string) bool { return key == names.ConferencePreviousTraceID }
	ok := fill(c, lr, phase, names.KindCall, names.CallID, &row, &row.Object, callFields)
	c.leaveOut = nil
	if !ok {
		return false
	}
	row.LastHeardAt = time.Time{}
	c.batch.Calls = append(c.batch.Calls, row)
	return true
}

// addGap takes that records of a bridge were lost.
func (c *converter) addGap(lr plog.LogRecord, _ store.Phase) bool {
	row := store.Gap{At: timeOf(lr), Bridge: c.source.bridge, System: c.source.system}
	if v, ok := lr.Attributes().Get(names.RecordMissing); ok {
		set(&row.Missing, v)
	}
	index := ""
	for _, key := range []string{names.RecordIndex, names.RecordLegacyIndex} {
		if v, ok := lr.Attributes().Get(key); ok && index == "" {
			index = v.AsString()
		}
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{row.At.Format(time.RFC3339Nano), row.Bridge, c.source.session, index}, "\x00")))
	row.ID = hex.EncodeToString(sum[:16])
	c.batch.Gaps = append(c.batch.Gaps, row)
	return true
}

// before returns the start of an object from its end and the duration in an attribute.
func before(end time.Time, attributes pcommon.Map, key string) time.Time {
	v, ok := attributes.Get(key)
	if !ok {
		return time.Time{}
	}
	seconds, ok := number(v)
	if !ok || seconds < 0 || seconds > float64(end.Unix()) {
		return time.Time{}
	}
	return end.Add(-time.Duration(seconds * float64(time.Second))).Truncate(time.Millisecond)
}

var legFields = fields[store.Leg]{
	names.CoSpaceID:              func(r *store.Leg) any { return (*identifier)(&r.RoomID) },
	names.CallName:               func(r *store.Leg) any { return &r.RoomName },
	names.TenantID:               func(r *store.Leg) any { return (*identifier)(&r.TenantID) },
	names.CallID:                 func(r *store.Leg) any { return (*identifier)(&r.CallID) },
	names.CallLegCalls:           func(r *store.Leg) any { return &r.Calls },
	names.ParticipantID:          func(r *store.Leg) any { return (*identifier)(&r.ParticipantID) },
	names.CallLegRole:            func(r *store.Leg) any { return &r.Role },
	legKey("direction"):          func(r *store.Leg) any { return &r.Direction },
	legKey("type"):               func(r *store.Leg) any { return &r.Type },
	legKey("subType"):            func(r *store.Leg) any { return &r.SubType },
	legKey("lyncSubType"):        func(r *store.Leg) any { return &r.LyncSubType },
	legKey("displayName"):        func(r *store.Leg) any { return &r.DisplayName },
	legKey("remoteParty"):        func(r *store.Leg) any { return &r.RemoteParty },
	legKey("remoteAddress"):      func(r *store.Leg) any { return &r.RemoteAddress },
	legKey("localAddress"):       func(r *store.Leg) any { return &r.LocalAddress },
	names.SIPCallID:              func(r *store.Leg) any { return &r.SIPCallID },
	legKey("ownerId"):            func(r *store.Leg) any { return &r.OwnerID },
	legKey("cdrTag"):             func(r *store.Leg) any { return &r.CDRTag },
	keyCallCDRTag:                func(r *store.Leg) any { return &r.CallCDRTag },
	legKey("confirmationStatus"): func(r *store.Leg) any { return &r.ConfirmationStatus },
	legKey("guestConnection"):    func(r *store.Leg) any { return &r.GuestConnection },
	legKey("reason"):             func(r *store.Leg) any { return &r.Reason },
	legKey("reasonDetails"):      func(r *store.Leg) any { return &r.ReasonDetails },
	names.ErrorType:              func(r *store.Leg) any { return &r.ErrorType },
	legKey("remoteTeardown"):     func(r *store.Leg) any { return &r.RemoteTeardown },
	names.CallLegSetupSeconds:    func(r *store.Leg) any { return &r.SetupSeconds },
	names.CallLegIVRSeconds:      func(r *store.Leg) any { return &r.IVRSeconds },
	names.CallLegLobbySeconds:    func(r *store.Leg) any { return &r.LobbySeconds },
	legKey("activatedDuration"):  func(r *store.Leg) any { return &r.ActivatedSeconds },
	alarmKey("packetLoss"):       func(r *store.Leg) any { return &r.PacketLossPercent },
	alarmKey("excessiveJitter"):  func(r *store.Leg) any { return &r.ExcessiveJitterPercent },
	alarmKey("highRoundTripTime"): func(r *store.Leg) any {
		return &r.HighRoundTripTimePercent
	},
	legKey("rxAudio/codec"):     func(r *store.Leg) any { return &r.RxAudioCodec },
	legKey("txAudio/codec"):     func(r *store.Leg) any { return &r.TxAudioCodec },
	legKey("rxVideo/codec"):     func(r *store.Leg) any { return &r.RxVideoCodec },
	legKey("txVideo/codec"):     func(r *store.Leg) any { return &r.TxVideoCodec },
	legKey("encryptedMedia"):    func(r *store.Leg) any { return &r.EncryptedMedia },
	legKey("unencryptedMedia"):  func(r *store.Leg) any { return &r.UnencryptedMedia },
	legKey("movedCallLeg"):      func(r *store.Leg) any { return (*identifier)(&r.MovedCallLeg) },
	legKey("replacesSipCallId"): func(r *store.Leg) any { return &r.ReplacesSIPCallID },
	names.SpanLinks:             func(r *store.Leg) any { return &r.Links },
}

// alarmKey is the share of a leg's time that an alarm was on.
func alarmKey(alarm string) string {
	return names.Attribute(names.CallLegAlarm, alarm+"/durationPercentage")
}

func (c *converter) addLeg(lr plog.LogRecord, phase store.Phase) bool {
	row := appendRow(c, &c.batch.Legs)
	if !fill(c, lr, phase, names.KindCallLeg, names.CallLegID, row, &row.Object, legFields) {
		removeLast(&c.batch.Legs)
		return false
	}
	switch phase {
	case store.Started, store.Updated:
		row.Activity = activityOf(lr.Attributes())
		if row.Activity == "" && phase == store.Started {
			row.Activity = store.ActivityConnecting
		}
	case store.Ended:
		row.StartedAt = before(row.EndedAt, lr.Attributes(), keyLegDuration)
	default:
	}
	if phase == store.Started && row.Role == "" {
		row.Role = roleOf(row, lr.Attributes())
	}
	return true
}

// roleOf returns the role of a leg by its start record: only a participant is a person or a
// room. callstitch has the same.
func roleOf(row *store.Leg, attributes pcommon.Map) string {
	is := func(key string) bool {
		v, ok := attributes.Get(key)
		if !ok {
			return false
		}
		yes, _ := truth(v)
		return yes
	}
	switch {
	case is(keyIsRecorder):
		return names.RoleRecorder
	case is(keyIsStreamer):
		return names.RoleStreamer
	case strings.EqualFold(row.SubType, "distributionLink"), strings.EqualFold(row.SubType, "lyncDistribution"):
		return names.RoleDistributionLink
	case row.LyncSubType == "applicationSharing":
		return names.RoleSharing
	default:
		return names.RoleParticipant
	}
}

// activityOf returns the activity of a leg in a record, "" if the record has none.
func activityOf(attributes pcommon.Map) string {
	if _, menu := attributes.Get(keyLegIVR); menu {
		return store.ActivityIVR
	}
	if v, ok := attributes.Get(keyDeactivated); ok {
		if waits, _ := truth(v); waits {
			return store.ActivityLobby
		}
	}
	if v, ok := attributes.Get(keyLegState); ok && v.AsString() == "connected" {
		return store.ActivityConnected
	}
	return ""
}

var recordingFields = fields[store.Recording]{
	names.CoSpaceID: func(r *store.Recording) any { return (*identifier)(&r.RoomID) },
	names.CallName:  func(r *store.Recording) any { return &r.RoomName },
	names.TenantID:  func(r *store.Recording) any { return (*identifier)(&r.TenantID) },
	names.CallID:    func(r *store.Recording) any { return (*identifier)(&r.CallID) },
	names.CallLegID: func(r *store.Recording) any { return (*identifier)(&r.CallLegID) },
	names.MeetingServerAttribute("recording", "path"):        func(r *store.Recording) any { return &r.Path },
	names.MeetingServerAttribute("recording", "recorderUri"): func(r *store.Recording) any { return &r.Device },
	names.MeetingServerAttribute("recording", "recorderUrl"): func(r *store.Recording) any { return &r.Device },
	names.MeetingServerAttribute("streaming", "streamerUri"): func(r *store.Recording) any { return &r.Device },
	names.MeetingServerAttribute("streaming", "streamerUrl"): func(r *store.Recording) any { return &r.Device },
	names.MeetingServerAttribute("streaming", "streamUrl"):   func(r *store.Recording) any { return &r.URL },
}

func (c *converter) addRecording(lr plog.LogRecord, phase store.Phase) bool {
	return c.addService(lr, phase, store.KindRecording, names.KindRecording, names.RecordingID)
}

func (c *converter) addStreaming(lr plog.LogRecord, phase store.Phase) bool {
	return c.addService(lr, phase, store.KindStreaming, names.KindStreaming, names.StreamingID)
}

func (c *converter) addService(lr plog.LogRecord, phase store.Phase, of, kind, idKey string) bool {
	row := store.Recording{Kind: of}
	if !fill(c, lr, phase, kind, idKey, &row, &row.Object, recordingFields) {
		return false
	}
	c.batch.Recordings = append(c.batch.Recordings, row)
	return true
}
