// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// Kinds of objects with a span; a kind is the prefix of the object's attributes. The kinds
// are part of the computed ids (internal/ids), so changing one is a breaking change.
const (
	KindCall      = MeetingServer + ".call"
	KindCallLeg   = MeetingServer + ".call_leg"
	KindRecording = MeetingServer + ".recording"
	KindStreaming = MeetingServer + ".streaming"
	// KindAPIRequest is a request to a Call Bridge's API, KindScheduledMeeting a
	// meeting that an API client such as TMS started and ended.
	KindAPIRequest       = API + ".request"
	KindScheduledMeeting = MeetingServer + ".scheduled_meeting"
	// KindSession and KindTrack are MediaSense's.
	KindSession = MediaSense + ".session"
	KindTrack   = MediaSense + ".track"
	// KindDialog is a SIP dialog that OCMS accounted for.
	KindDialog = "oracle.ocms.dialog"
)

// Kinds returns all kinds in display order.
func Kinds() []string {
	return []string{KindCall, KindCallLeg, KindRecording, KindStreaming, KindAPIRequest, KindScheduledMeeting, KindSession, KindTrack, KindDialog}
}
