// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

// Bridge identifies one Call Bridge for the whole run; a restart does not
// change it.
type Bridge struct {
	// Name labels the bridge in configuration, such as cms1.
	Name string
	// CallBridge is the identifier in the cluster, empty when unclustered.
	CallBridge string
}

// CallType is the kind of a call in the words of the Meeting Server.
type CallType string

// The four kinds of calls.
const (
	CallCoSpace    CallType = "coSpace"
	CallAdHoc      CallType = "adHoc"
	CallLync       CallType = "lyncConferencing"
	CallForwarding CallType = "forwarding"
)

// Call is one bridge's part of a meeting.
type Call struct {
	ID string
	// Correlator is the same on every bridge that hosts the meeting, and for
	// a coSpace the same in all its meetings.
	Correlator string
	Type       CallType
	Name       string
	Owner      string // empty when the coSpace has no owner
	CoSpace    string // empty for calls outside coSpaces
	Tenant     string
	Tag        string
	// MetaData reports whether meta data is configured on the coSpace.
	MetaData bool
}

// LegKind is the role of a leg. Records do not name it.
type LegKind string

// The roles. Only a person counts as a participant.
const (
	KindPerson   LegKind = "person"
	KindLink     LegKind = "link"
	KindRecorder LegKind = "recorder"
	KindStreamer LegKind = "streamer"
	KindSharing  LegKind = "sharing"
	KindScanner  LegKind = "scanner"
)

// Phase is the stage of a leg.
type Phase int

// The phases: a leg rings, may be in the voice menu, may wait in the lobby, and
// takes part.
const (
	PhaseConnecting Phase = iota
	PhaseMenu
	PhaseLobby
	PhaseActive
)

// Leg is one connection of a bridge to a far end, as known at an event.
type Leg struct {
	ID          string
	Participant string
	Kind        LegKind
	Phase       Phase
	// Calls is every call the leg has been in; the last one is the current.
	Calls []string

	Type        string // sip or acano
	SubType     string
	LyncSubType string
	Direction   string // incoming or outgoing

	RemoteParty   string
	LocalAddress  string
	RemoteAddress string
	DisplayName   string // empty for a caller who sends none

	SIPCallID         string
	ReplacesSIPCallID string
	OwnerID           string
	Tag               string
	Confirmation      string
	Guest             bool
	CanMove           bool
	// MovedFrom is the leg this one continues, MovedFromBridge its bridge.
	MovedFrom       string
	MovedFromBridge string
}

// Call returns the identifier of the call the leg is in, empty for none.
func (l Leg) Call() string {
	if len(l.Calls) == 0 {
		return ""
	}
	return l.Calls[len(l.Calls)-1]
}

// Recording is a recorder at work in a call. An older recorder has Path and
// URL, a SIP recorder has URI.
type Recording struct {
	ID, Path, URL, URI, Call, Leg string
}

// Streaming is a streamer at work in a call. An older streamer has StreamURL,
// which holds a secret key, and URL; a SIP streamer has URI.
type Streaming struct {
	ID, StreamURL, URL, URI, Call, Leg string
}
