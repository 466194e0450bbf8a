// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// MeetingServer is the prefix of all names for Cisco Meeting Server.
const MeetingServer = "cisco.meeting_server"

// Resource attributes.
const (
	ServiceName       = "service.name"
	ServiceInstanceID = "service.instance.id"
	ClientAddress     = "client.address"
	SessionID         = MeetingServer + ".session.id"
	CallBridgeID      = MeetingServer + ".call_bridge.id"
	SystemID          = MeetingServer + ".system.id"
	// Cluster is the operator's name for the cluster of Call Bridges.
	Cluster = MeetingServer + ".cluster"

	// MeetingServerService is the default service.name of a Call Bridge.
	MeetingServerService = "cisco-meeting-server"
)

// Record attributes with a name outside the mechanical rule.
const (
	CallID            = MeetingServer + ".call.id"
	CallLegID         = MeetingServer + ".call_leg.id"
	RecordingID       = MeetingServer + ".recording.id"
	StreamingID       = MeetingServer + ".streaming.id"
	CoSpaceID         = MeetingServer + ".cospace.id"
	TenantID          = MeetingServer + ".tenant.id"
	ParticipantID     = MeetingServer + ".participant.id"
	CallCorrelator    = MeetingServer + ".call.correlator"
	SIPCallID         = "sip.call_id"
	ErrorType         = "error.type"
	ErrorMessage      = "error.message"
	CallLegAlarm      = MeetingServer + ".call_leg.alarm"
	RecordIndex       = MeetingServer + ".record.index"
	RecordLegacyIndex = MeetingServer + ".record.legacy_index"
	// RecordType and RecordTime hold the text from the wire where it is not a valid event
	// name or timestamp.
	RecordType = MeetingServer + ".record.type"
	RecordTime = MeetingServer + ".record.time"
	// RecordNumPrecedingMissing is numPrecedingRecordsMissing as sent.
	RecordNumPrecedingMissing = MeetingServer + ".record.num_preceding_records_missing"
	// RecordMissing is the number of missing records of a record.gap event. With error.type
	// implausible_gap the number cannot be right.
	RecordMissing = MeetingServer + ".record.missing"
	// RecordOffset is the offset of a malformed part in the body, in bytes.
	RecordOffset = MeetingServer + ".record.offset"
	// RecordPart numbers the events of one long malformed part, from 1 to RecordParts.
	RecordPart  = MeetingServer + ".record.part"
	RecordParts = MeetingServer + ".record.parts"
	// SessionPreviousID is the session that the session of a session.start event probably
	// replaces; absent if several live sessions share the bridge's name. See the contract
	// in internal/ingest/ledger.
	SessionPreviousID = MeetingServer + ".session.previous_id"
)

// Event names.
const (
	EventCallStart      = MeetingServer + ".call.start"
	EventCallEnd        = MeetingServer + ".call.end"
	EventCallLegStart   = MeetingServer + ".call_leg.start"
	EventCallLegUpdate  = MeetingServer + ".call_leg.update"
	EventCallLegEnd     = MeetingServer + ".call_leg.end"
	EventRecordingStart = MeetingServer + ".recording.start"
	EventRecordingEnd   = MeetingServer + ".recording.end"
	EventStreamingStart = MeetingServer + ".streaming.start"
	EventStreamingEnd   = MeetingServer + ".streaming.end"
	// EventRecordGap reports records that were lost before they were received.
	EventRecordGap = MeetingServer + ".record.gap"
	// EventRecordMalformed has a body that cannot be decoded.
	EventRecordMalformed = MeetingServer + ".record.malformed"
	// EventSessionStart reports a new session of a known bridge. The open objects of the
	// session in SessionPreviousID have ended, unless a record of that session arrives
	// later: then that session is alive and none of its objects has ended.
	EventSessionStart = MeetingServer + ".session.start"
)

// Metric names, counted from call detail records.
const (
	MetricCallStarted              = MeetingServer + ".call.started"
	MetricCallEnded                = MeetingServer + ".call.ended"
	MetricCallDuration             = MeetingServer + ".call.duration"
	MetricCallLegsMax              = MeetingServer + ".call.legs.max"
	MetricCallLegStarted           = MeetingServer + ".call_leg.started"
	MetricCallLegEnded             = MeetingServer + ".call_leg.ended"
	MetricCallLegDuration          = MeetingServer + ".call_leg.duration"
	MetricCallLegActivatedDuration = MeetingServer + ".call_leg.activated_duration"
	MetricCallLegAlarm             = MeetingServer + ".call_leg.alarm"
	MetricCallLegAlarmRatio        = MeetingServer + ".call_leg.alarm.ratio"
	MetricCallLegQuality           = MeetingServer + ".call_leg.quality"
	MetricPacketLossBurstDuration  = MeetingServer + ".call_leg.packet_loss.burst.duration"
	MetricPacketLossBurstDensity   = MeetingServer + ".call_leg.packet_loss.burst.density"
	MetricPacketLossGapDuration    = MeetingServer + ".call_leg.packet_loss.gap.duration"
	MetricPacketLossGapDensity     = MeetingServer + ".call_leg.packet_loss.gap.density"
	MetricCallLegMedia             = MeetingServer + ".call_leg.media"
	MetricCallLegEncryption        = MeetingServer + ".call_leg.encryption"
	MetricRecordingStarted         = MeetingServer + ".recording.started"
	MetricRecordingEnded           = MeetingServer + ".recording.ended"
	MetricStreamingStarted         = MeetingServer + ".streaming.started"
	MetricStreamingEnded           = MeetingServer + ".streaming.ended"
	MetricRecordMissing            = MeetingServer + ".record.missing"
	MetricRecordPosition           = MeetingServer + ".record.position"
	MetricSessionStarted           = MeetingServer + ".session.started"
)

// Metric attribute keys. Short, because a metric's own name says whose they are.
const (
	KeyCallType       = "call.type"
	KeyType           = "type"
	KeySubtype        = "subtype"
	KeyDirection      = "direction"
	KeyReason         = "reason"
	KeyRemoteTeardown = "remote_teardown"
	KeyActivated      = "activated"
	KeyAlarmType      = "alarm.type"
	KeyMediaType      = "media.type"
	KeyCodec          = "codec"
	KeyState          = "state"

	// Other replaces every value outside a documented set, so that text from the wire
	// cannot add a time series.
	Other = "_OTHER"
)
