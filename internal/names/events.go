// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// Resource attributes of what was asked of a server, rather than sent by one.
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

// Attributes of these events that are read by name.
const (
	CallName          = MeetingServer + ".call.name"
	CallReason        = MeetingServer + ".call.reason"
	ParticipantReason = MeetingServer + ".participant.reason"
)

// Values of [CallReason] with which the receiver of events loses a call from view: they
// do not tell that it has ended.
const (
	ReasonLostConnection = "lost_connection"
	ReasonNotWatched     = "not_watched"
)

// Metric names, counted from what the event subscriptions show at a moment.
const (
	MetricCallActive        = MeetingServer + ".call.active"
	MetricCallRecording     = MeetingServer + ".call.recording"
	MetricCallStreaming     = MeetingServer + ".call.streaming"
	MetricCallLocked        = MeetingServer + ".call.locked"
	MetricParticipantActive = MeetingServer + ".participant.active"
)
