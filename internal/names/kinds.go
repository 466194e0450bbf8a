// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// Kinds of objects that have a span: the object's own prefix. They are part of
// the computed ids (internal/ids), so that a change of one is a breaking change.
const (
	KindCall      = MeetingServer + ".call"
	KindCallLeg   = MeetingServer + ".call_leg"
	KindRecording = MeetingServer + ".recording"
	KindStreaming = MeetingServer + ".streaming"
	// KindSession and KindTrack are MediaSense's.
	KindSession = MediaSense + ".session"
	KindTrack   = MediaSense + ".track"
	// KindDialog is a SIP dialog that OCMS accounted for.
	KindDialog = "oracle.ocms.dialog"
)

// Kinds returns all kinds in the order in which people should see them.
func Kinds() []string {
	return []string{KindCall, KindCallLeg, KindRecording, KindStreaming, KindSession, KindTrack, KindDialog}
}
