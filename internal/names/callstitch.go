// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// Stitched records: events shaped like spans that represent a whole object after its end.
const (
	EventCallSpan      = MeetingServer + ".call.span"
	EventCallLegSpan   = MeetingServer + ".call_leg.span"
	EventRecordingSpan = MeetingServer + ".recording.span"
	EventStreamingSpan = MeetingServer + ".streaming.span"
)

// EventConferenceUpdate reports that a running call joined a conference, and that the trace
// id of the call and its objects changed.
const EventConferenceUpdate = MeetingServer + ".conference.update"

// ConferencePreviousTraceID is the trace that an [EventConferenceUpdate] ends, in
// lower-case hex. The event itself has the new one.
const ConferencePreviousTraceID = MeetingServer + ".conference.previous_trace_id"

// Attributes of stitched records only.
const (
	// CallstitchOutcome is the outcome of the object.
	CallstitchOutcome = "callstitch.outcome"
)

// EventRoster is the prefix of events from a bridge's event subscription.
const EventRoster = MeetingServer + ".event"

// Attributes of a stitched leg that callstitch computes from all of its records.
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

// Values of [CallLegRole]. Only a participant is a person or a room device.
const (
	RoleParticipant      = "participant"
	RoleSharing          = "sharing" // a Lync participant's second leg, for the screen
	RoleDistributionLink = "distribution_link"
	RoleRecorder         = "recorder"
	RoleStreamer         = "streamer"
)
