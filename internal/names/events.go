// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// Resource attributes of a server that a receiver connects to.
const (
	ServerAddress = "server.address"
	ServerPort    = "server.port"
)

// Events of a bridge's event subscription.
const (
	EventEventCallAdd           = EventRoster + ".call.add"
	EventEventCallUpdate        = EventRoster + ".call.update"
	EventEventCallRemove        = EventRoster + ".call.remove"
	EventEventCallInfoUpdate    = EventRoster + ".call_info.update"
	EventEventParticipantAdd    = EventRoster + ".participant.add"
	EventEventParticipantUpdate = EventRoster + ".participant.update"
	EventEventParticipantRemove = EventRoster + ".participant.remove"
)

// Attributes of these events that other components read by name.
const (
	CallName          = MeetingServer + ".call.name"
	CallReason        = MeetingServer + ".call.reason"
	ParticipantReason = MeetingServer + ".participant.reason"
)

// Values of [CallReason] for a call that the receiver lost sight of: the call may continue.
const (
	ReasonLostConnection = "lost_connection"
	ReasonNotWatched     = "not_watched"
)

// Names of gauges from the event subscriptions.
const (
	MetricCallActive        = MeetingServer + ".call.active"
	MetricCallRecording     = MeetingServer + ".call.recording"
	MetricCallStreaming     = MeetingServer + ".call.streaming"
	MetricCallLocked        = MeetingServer + ".call.locked"
	MetricParticipantActive = MeetingServer + ".participant.active"
)
