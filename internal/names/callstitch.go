// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// Events that stand for a whole object, when its life is over: stitched
// records, shaped like spans.
const (
	EventCallSpan      = MeetingServer + ".call.span"
	EventCallLegSpan   = MeetingServer + ".call_leg.span"
	EventRecordingSpan = MeetingServer + ".recording.span"
	EventStreamingSpan = MeetingServer + ".streaming.span"
)

// EventConferenceUpdate says that a running call joined a conference, so that its
// trace, and that of everything in it, is another one.
const EventConferenceUpdate = MeetingServer + ".conference.update"

// ConferencePreviousTraceID is the trace that an [EventConferenceUpdate] ends, in
// lower-case hex. The event itself has the new one.
const ConferencePreviousTraceID = MeetingServer + ".conference.previous_trace_id"

// Attributes of stitched records only.
const (
	// CallstitchOutcome says how the object's life ended.
	CallstitchOutcome = "callstitch.outcome"
)

// EventRoster is the prefix of what a bridge's event subscription says of calls
// and participants.
const EventRoster = MeetingServer + ".event"

// Attributes of a stitched leg that no record has: what was found out from all
// of them.
const (
	// CallLegRole is one of the Role… values.
	CallLegRole = MeetingServer + ".call_leg.role"
	// CallLegCalls is a slice of the ids of the calls a leg was in, in order.
	CallLegCalls = MeetingServer + ".call_leg.calls"
	// CallLegSetupSeconds is the time from the start to being connected.
	CallLegSetupSeconds = MeetingServer + ".call_leg.setup_seconds"
	// CallLegIVRSeconds and CallLegLobbySeconds are the times spent in the
	// interactive voice menu and waiting for an activator.
	CallLegIVRSeconds   = MeetingServer + ".call_leg.ivr_seconds"
	CallLegLobbySeconds = MeetingServer + ".call_leg.lobby_seconds"
)

// Values of [CallLegRole]. Only a participant is a person or a room.
const (
	RoleParticipant      = "participant"
	RoleSharing          = "sharing" // a Lync participant's second leg, for the screen
	RoleDistributionLink = "distribution_link"
	RoleRecorder         = "recorder"
	RoleStreamer         = "streamer"
)
