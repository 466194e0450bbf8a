// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import "time"

// Event is one thing that happened on one bridge.
type Event struct {
	// At is the true moment, one clock for the whole cluster.
	At time.Time
	// Time is the same moment on the bridge's own clock, which may be off.
	Time time.Time
	// Bridge is the index of the bridge in [World.Bridges].
	Bridge int
	// Session names the run of the bridge, from one restart to the next.
	Session string
	// What happened.
	What Happening
}

// Happening is one of the types below whose names are in the past tense.
type Happening interface{ happening() }

type (
	// CallStarted opens a call.
	CallStarted struct{ Call Call }

	// CallEnded closes a call. The numbers are true: they are counts over the events of its
	// legs.
	CallEnded struct {
		Call             Call
		LegsCompleted    int
		LegsMaxActive    int
		Duration         time.Duration
		EndpointRecorded bool
	}

	// LegStarted opens a leg, which may not be in a call yet.
	LegStarted struct{ Leg Leg }

	// LegChanged means that a leg entered another phase or another call.
	LegChanged struct {
		Leg Leg
		// Bare means that only facts already known are repeated, without the leg's state,
		// as bridges do shortly before a leg ends.
		Bare bool
	}

	// LegEnded closes a leg.
	LegEnded struct {
		Leg      Leg
		Reason   Reason
		Detail   string // which kind of far end hung up, empty mostly
		Duration time.Duration
		Menu     time.Duration // part spent in the interactive voice menu
		Lobby    time.Duration // part spent waiting in the lobby
		Media    *Media        // nil when no media ever flowed
	}

	// RecordingStarted opens a recording.
	RecordingStarted struct{ Recording Recording }

	// RecordingEnded closes a recording.
	RecordingEnded struct{ Recording Recording }

	// StreamingStarted opens a streaming.
	StreamingStarted struct{ Streaming Streaming }

	// StreamingEnded closes a streaming.
	StreamingEnded struct{ Streaming Streaming }

	// BridgeRestarted means that the bridge forgot all its calls and legs and runs again;
	// [Event.Session] is the new session.
	BridgeRestarted struct{}
)

// Activated is the part of the leg's life outside menu and lobby.
func (e LegEnded) Activated() time.Duration { return e.Duration - e.Menu - e.Lobby }

func (CallStarted) happening()      {}
func (CallEnded) happening()        {}
func (LegStarted) happening()       {}
func (LegChanged) happening()       {}
func (LegEnded) happening()         {}
func (RecordingStarted) happening() {}
func (RecordingEnded) happening()   {}
func (StreamingStarted) happening() {}
func (StreamingEnded) happening()   {}
func (BridgeRestarted) happening()  {}
