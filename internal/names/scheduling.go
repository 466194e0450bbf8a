// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// Stitched records of API requests and of scheduled meetings.
const (
	EventAPIRequestSpan       = KindAPIRequest + ".span"
	EventScheduledMeetingSpan = KindScheduledMeeting + ".span"
)

const (
	// APIRequestID is the bridge, the number of the API trace and the time of the
	// request in nanoseconds since 1970, separated by semicolons (docs/ids.md).
	APIRequestID = KindAPIRequest + ".id"
	// ScheduledMeetingID is the id of the call that the API client created.
	ScheduledMeetingID = KindScheduledMeeting + ".id"
	// ScheduledMeetingStep is the effect of a request on its meeting: one of the Step…
	// values.
	ScheduledMeetingStep = KindScheduledMeeting + ".step"
	// ScheduledMeetingSteps is a slice of maps with [ElementStep], [ElementOffset]
	// and [ElementCode]: the requests that changed the meeting, in their order.
	ScheduledMeetingSteps = KindScheduledMeeting + ".steps"
)

// ElementStep is the step in a map of [ScheduledMeetingSteps].
const ElementStep = "step"

// Values of [ScheduledMeetingStep].
const (
	// StepCreate prepares the space for the meeting.
	StepCreate = "create"
	// StepStart creates the call.
	StepStart = "start"
	// StepInvite makes the bridge call a participant.
	StepInvite = "invite"
	// StepExtend opens the space of a running meeting again, as TMS does when the
	// meeting lasts longer than planned.
	StepExtend = "extend"
	// StepModify is any other change while the meeting runs.
	StepModify = "modify"
	// StepEnd closes the space, StepDelete ends the call.
	StepEnd    = "end"
	StepDelete = "delete"
)
