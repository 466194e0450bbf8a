// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// Attributes of SIP dialogs that callstitch computes from all events of a call.
const (
	// DialogID is the SIP Call-ID in lower case; for a further answered branch of the call,
	// the Call-ID and both tags (docs/ids.md).
	DialogID = KindDialog + ".id"
	// DialogResult is one of the Dialog… values.
	DialogResult = KindDialog + ".result"
	// DialogSetupSeconds is the time from the first INVITE to the answer.
	DialogSetupSeconds = KindDialog + ".setup_seconds"
	// DialogRingDelaySeconds is the time from the first INVITE to the first 180.
	DialogRingDelaySeconds = KindDialog + ".ring_delay_seconds"
	// DialogRingSeconds is the time from the first 180 to the answer, or to the end
	// of a call without one.
	DialogRingSeconds = KindDialog + ".ring_seconds"
	// DialogAnsweredSeconds is the time from the answer to the end.
	DialogAnsweredSeconds = KindDialog + ".answered_seconds"
	// DialogResponses is a slice of maps with [ElementCode] and [ElementOffset]: the
	// first response of each code to the call's INVITEs.
	DialogResponses = KindDialog + ".responses"
)

// ElementCode is the status code in a map of [DialogResponses].
const ElementCode = "code"

// Values of [DialogResult]. Only a failure is an error.
const (
	DialogAnswered   = "answered"
	DialogFailed     = "failed"
	DialogCancelled  = "cancelled"
	DialogChallenged = "challenged" // 401 or 407, and no further INVITE
	DialogRedirected = "redirected" // 3xx, and no further INVITE
)
