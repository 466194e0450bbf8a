// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import "hash/fnv"

// Behavior is the state of a person in a meeting, in addition to the state of the leg. A
// person who moves to another call neither speaks nor presents there at first.
type Behavior struct {
	// Name is the displayed name; a caller without a name may get one later.
	Name              string
	Ringing           bool // only while the leg connects
	OnHold            bool
	AudioMuted        bool
	VideoMuted        bool
	ActiveSpeaker     bool
	Presenter         bool
	EndpointRecording bool // the person's own device records
	Importance        int  // 0 when not set
	Layout            string
}

// MeetingSettings has the settings of a whole meeting.
type MeetingSettings struct {
	Locked       bool
	MuteOnArrive bool // newcomers are muted
}

type (
	// BehaviorChanged has the whole behavior of a person in a call, after it changed.
	BehaviorChanged struct {
		Leg      Leg
		Behavior Behavior
	}

	// SettingsChanged has all settings of the calls with a correlator, after one changed.
	SettingsChanged struct {
		Correlator string
		Settings   MeetingSettings
	}
)

func (BehaviorChanged) isPayload() {}
func (SettingsChanged) isPayload() {}

// ParticipantState is the state of a person's connection.
type ParticipantState string

// The states of a participant in the words of the Meeting Server.
const (
	StateInitial   ParticipantState = "initial"
	StateRinging   ParticipantState = "ringing"
	StateConnected ParticipantState = "connected"
	StateOnHold    ParticipantState = "onHold"
)

// State returns the state of a person. A person in a lobby is connected.
func (m Behavior) State(phase Phase) ParticipantState {
	switch {
	case phase == PhaseConnecting && m.Ringing:
		return StateRinging
	case phase == PhaseConnecting:
		return StateInitial
	case m.OnHold:
		return StateOnHold
	default:
		return StateConnected
	}
}

var layouts = []string{
	"allEqual", "speakerOnly", "telepresence", "stacked", "allEqualQuarters", "allEqualNinths", "allEqualSixteenths",
	"allEqualTwentyFifths", "onePlusFive", "onePlusSeven", "onePlusNine", "automatic", "onePlusN",
}

// InitialBehavior returns the behavior of a person at arrival. It depends on the leg only, so
// no event contains it.
func InitialBehavior(l Leg) Behavior {
	h := fnv.New32a()
	_, _ = h.Write([]byte(l.Participant)) // a hash does not fail
	sum := h.Sum32()
	m := Behavior{Name: l.DisplayName, Layout: layouts[sum%uint32(len(layouts))]}
	if sum/16%5 == 0 {
		m.Importance = 1 + int(sum/128%9)
	}
	return m
}
