// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"strings"

	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// elements are the JSON values of a call or participant by name: string, number, boolean or
// nil. They are not modified after they were reported.
type elements map[string]any

// changedSince returns the elements that differ from before. No object ever loses an
// element.
func (e elements) changedSince(before elements) elements {
	var changed elements
	for name, value := range e {
		if former, ok := before[name]; ok && former == value {
			continue
		}
		if changed == nil {
			changed = elements{}
		}
		changed[name] = value
	}
	return changed
}

// The kinds of updates.
const (
	kindAdd    = "add"
	kindUpdate = "update"
	kindRemove = "remove"
)

// update is an update of a call or participant.
type update struct {
	id       string
	kind     string
	reason   string // of a removal, mostly empty
	elements elements
}

// elementNames are the elements of each type of subscription. An object without a listed
// element omits it.
var elementNames = map[string][]string{
	typeCalls: {
		"name", "participants", "distributedInstances", "recording", "endpointRecording", "streaming", "lockState",
		"callType", "callCorrelator",
	},
	typeInfo: {
		"name", "participants", "distributedInstances", "recording", "endpointRecording", "streaming", "lockState",
		"callType", "callCorrelator", "joinAudioMuteOverride", "coSpace",
	},
	typeRoster: {
		"name", "uri", "state", "direction", "audioMuted", "videoMuted", "importance", "layout", "activeSpeaker", "presenter",
		"endpointRecording", "canMove", "canMoveToLobby", "movedParticipant", "movedParticipantCallBridge",
	},
}

func activity(on bool) string {
	if on {
		return "active"
	}
	return "inactive"
}

// listElements returns the elements of the call in the list of calls.
func (c *call) listElements() elements {
	e := c.common()
	e["lockState"] = "notLocked"
	if c.meeting.settings.Locked {
		e["lockState"] = "locked"
	}
	return e
}

// infoElements returns the elements of the call info. Its value for a meeting that is not
// locked differs from that of the list.
func (c *call) infoElements() elements {
	e := c.common()
	e["lockState"] = "unlocked"
	if c.meeting.settings.Locked {
		e["lockState"] = "locked"
	}
	e["joinAudioMuteOverride"] = c.meeting.settings.MuteOnArrive
	if c.CoSpace != "" {
		e["coSpace"] = c.CoSpace
	}
	return e
}

func (c *call) common() elements {
	people, recorded := 0, false
	for _, part := range c.meeting.calls {
		people += len(part.people)
		for _, p := range part.people {
			recorded = recorded || p.behavior.EndpointRecording
		}
	}
	instances := 0
	if c.bridge.CallBridge != "" {
		instances = len(c.meeting.calls)
	}
	return elements{
		"name": c.Name, "participants": people, "distributedInstances": instances,
		"recording": activity(c.recordings > 0), "endpointRecording": activity(recorded),
		"streaming": activity(c.streamings > 0), "callType": string(c.Type), "callCorrelator": c.Correlator,
	}
}

// elements returns the elements of the person in the roster.
func (p *person) elements() elements {
	m := p.behavior
	e := elements{
		"name": m.Name, "uri": userPart(p.leg.RemoteParty), "state": string(m.State(p.leg.Phase)),
		"direction": p.leg.Direction, "audioMuted": m.AudioMuted, "videoMuted": m.VideoMuted, "importance": nil,
		"layout": m.Layout, "activeSpeaker": m.ActiveSpeaker, "presenter": m.Presenter,
		"endpointRecording": activity(m.EndpointRecording), "canMove": p.leg.CanMove,
	}
	if m.Importance > 0 {
		e["importance"] = m.Importance
	}
	if p.leg.CanMove {
		e["canMoveToLobby"] = p.leg.Phase != scenario.PhaseLobby
	}
	if p.movedFrom != "" {
		e["movedParticipant"], e["movedParticipantCallBridge"] = p.movedFrom, p.leg.MovedFromBridge
	}
	return e
}

// userPart returns the user of an address.
func userPart(address string) string {
	user, _, _ := strings.Cut(address, "@")
	user, _, _ = strings.Cut(user, ";")
	return user
}
