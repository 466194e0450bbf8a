// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import "github.com/legato-otel/legato/internal/archive/store"

// stateWords name the state of a running leg that the event subscription has. While a
// leg is connected, its activity says more: it may be in the lobby.
var stateWords = map[string]string{
	"initial": "Connecting",
	"ringing": "Ringing",
	"onHold":  "On hold",
}

// doingOf returns the activity of a running leg.
func doingOf(l *store.Leg, states map[string]store.LegState) string {
	state := states[l.ID].State
	if words := stateWords[state]; words != "" {
		return words
	}
	if state == "connected" && l.Activity == store.ActivityConnecting {
		return activityWords[store.ActivityConnected]
	}
	if words := activityWords[l.Activity]; words != "" {
		return words
	}
	return "In the call"
}

// flagsOf returns further states of the participant of a running leg.
func flagsOf(s store.LegState) (flags []string) {
	for _, flag := range []struct {
		on    *bool
		words string
	}{
		{s.AudioMuted, "audio muted"},
		{s.VideoMuted, "video muted"},
		{s.Presenting, "presenting"},
		{s.ActiveSpeaker, "speaking"},
		{s.EndpointRecording, "recording at the endpoint"},
	} {
		if flag.on != nil && *flag.on {
			flags = append(flags, flag.words)
		}
	}
	return flags
}

// conferenceDoing returns the activity of the participants of a meeting.
func conferenceDoing(s store.ConferenceState) (doing []string) {
	for _, counter := range []struct {
		participants int64
		words        string
	}{{s.Ringing, "ringing"}, {s.OnHold, "on hold"}, {s.Muted, "muted"}} {
		if counter.participants > 0 {
			doing = append(doing, count(counter.participants)+" "+counter.words)
		}
	}
	if s.Presenter != "" {
		doing = append(doing, s.Presenter+" presents")
	}
	if s.Speaker != "" {
		doing = append(doing, s.Speaker+" speaks")
	}
	return doing
}
