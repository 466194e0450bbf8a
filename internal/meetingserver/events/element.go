// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "slices"

// SubKind is the kind of a subscription.
type SubKind uint8

// The kinds of subscriptions: the list of calls, one call, the participants of one call.
const (
	Calls SubKind = iota
	CallInfo
	CallRoster
	subKinds
)

// String returns the kind's name on the wire.
func (k SubKind) String() string { return [...]string{"calls", "callInfo", "callRoster"}[k] }

// Element is a documented element of a call or participant.
type Element uint8

// The documented elements. Unknown is any other element.
const (
	Unknown Element = iota
	Name
	Participants
	DistributedInstances
	Recording
	EndpointRecording
	Streaming
	LockState
	CallType
	CallCorrelator
	JoinAudioMuteOverride
	CoSpace
	URI
	State
	Direction
	AudioMuted
	VideoMuted
	Importance
	Layout
	ActiveSpeaker
	Presenter
	CanMove
	CanMoveToLobby
	MovedParticipant
	MovedParticipantCallBridge
	// Reason comes with a removal and cannot be subscribed to.
	Reason
	ElementCount
)

// elements holds the wire name and type of each Element.
var elements = [ElementCount]struct {
	name  string
	value ValueKind
}{
	Name:                       {"name", Text},
	Participants:               {"participants", Int},
	DistributedInstances:       {"distributedInstances", Int},
	Recording:                  {"recording", Text},
	EndpointRecording:          {"endpointRecording", Text},
	Streaming:                  {"streaming", Text},
	LockState:                  {"lockState", Text},
	CallType:                   {"callType", Text},
	CallCorrelator:             {"callCorrelator", Text},
	JoinAudioMuteOverride:      {"joinAudioMuteOverride", Bool},
	CoSpace:                    {"coSpace", Text},
	URI:                        {"uri", Text},
	State:                      {"state", Text},
	Direction:                  {"direction", Text},
	AudioMuted:                 {"audioMuted", Bool},
	VideoMuted:                 {"videoMuted", Bool},
	Importance:                 {"importance", Int},
	Layout:                     {"layout", Text},
	ActiveSpeaker:              {"activeSpeaker", Bool},
	Presenter:                  {"presenter", Bool},
	CanMove:                    {"canMove", Bool},
	CanMoveToLobby:             {"canMoveToLobby", Bool},
	MovedParticipant:           {"movedParticipant", Text},
	MovedParticipantCallBridge: {"movedParticipantCallBridge", Text},
	Reason:                     {"reason", Text},
}

// String returns the element's name on the wire.
func (e Element) String() string { return elements[e].name }

// elementByName maps wire names to elements.
var elementByName = func() map[string]Element {
	all := make(map[string]Element, ElementCount)
	for e := Unknown + 1; e < ElementCount; e++ {
		all[elements[e].name] = e
	}
	return all
}()

// documentedElements lists the elements of each kind of subscription, from the tables of
// the Events Guide.
var documentedElements = [subKinds][]Element{
	Calls: {Name, Participants, DistributedInstances, Recording, EndpointRecording, Streaming, LockState, CallType, CallCorrelator},
	CallInfo: {
		Name, Participants, DistributedInstances, Recording, EndpointRecording, Streaming, LockState, CallType, CallCorrelator,
		JoinAudioMuteOverride,
	},
	CallRoster: {
		Name, URI, State, Direction, AudioMuted, VideoMuted, Importance, Layout, ActiveSpeaker, Presenter, EndpointRecording,
		CanMove, CanMoveToLobby, MovedParticipant, MovedParticipantCallBridge,
	},
}

// DocumentedElements returns the names of the documented elements of a kind of
// subscription.
func DocumentedElements(kind SubKind) (all []string) {
	for _, e := range documentedElements[kind] {
		all = append(all, elements[e].name)
	}
	return all
}

// IsDocumented reports whether name is a documented element of a kind of subscription.
// coSpace of CallInfo counts too: no table of the guide has it, but servers send it.
func IsDocumented(kind SubKind, name string) bool {
	e := elementByName[name]
	return e != Unknown && slices.Contains(documentedElements[kind], e) || kind == CallInfo && e == CoSpace
}
