// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import "slices"

// unanswered are the reasons of unanswered legs.
var unanswered = []string{"ringingTimeout", "remoteBusy", "remoteRejected", "unknownDestination", "dnsFailure"}

// setConnected sets how long somebody was connected in a leg that is over. What the
// bridge says counts most; older bridges say nothing, and what the records say of the
// way into the call counts then. The schema has the same for the rows of earlier
// releases (0007).
func setConnected(l *Leg) {
	l.ConnectedSeconds = nil
	if l.State != StateEnded || l.DurationSeconds == nil {
		return
	}
	seconds := *l.DurationSeconds
	startSeen, wasConnected := l.IVRSeconds != nil, l.SetupSeconds != nil
	switch {
	case slices.Contains(unanswered, l.Reason), startSeen && !wasConnected && l.ErrorType != "":
		seconds = 0
	case l.ActivatedSeconds != nil:
		seconds = min(seconds, *l.ActivatedSeconds)
	case wasConnected:
		seconds -= *l.SetupSeconds + valueOf(l.IVRSeconds) + valueOf(l.LobbySeconds)
	case startSeen:
		seconds = 0
	case l.Role == "":
		return // only its end was seen: the part that was ringing is unknown
	}
	seconds = max(seconds, 0)
	l.ConnectedSeconds = &seconds
}

func valueOf(seconds *float64) float64 {
	if seconds == nil {
		return 0
	}
	return *seconds
}
