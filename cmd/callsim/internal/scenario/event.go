// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import "time"

// Event is one thing that happened on one bridge.
type Event struct {
	// At is the true time, by one clock for the whole cluster.
	At time.Time
	// Time is the same time by the bridge's own clock, which may be wrong.
	Time time.Time
	// Bridge is the index of the bridge in [World.Bridges].
	Bridge int
	// Session names the run of the bridge, from one restart to the next.
	Session string
	// Payload is the content of the event.
	Payload Payload
}

// Payload is one of the types below.
type Payload interface{ isPayload() }

type (
	// CallStarted opens a call.
	CallStarted struct{ Call Call }

	// CallEnded closes a call. Its numbers are counts over the events of its legs.
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
		// Bare means that the bridge only repeats known values, without the leg's state, as
		// bridges do shortly before a leg ends.
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

// Activated returns the duration of the leg outside menu and lobby.
func (e LegEnded) Activated() time.Duration { return e.Duration - e.Menu - e.Lobby }

func (CallStarted) isPayload()      {}
func (CallEnded) isPayload()        {}
func (LegStarted) isPayload()       {}
func (LegChanged) isPayload()       {}
func (LegEnded) isPayload()         {}
func (RecordingStarted) isPayload() {}
func (RecordingEnded) isPayload()   {}
func (StreamingStarted) isPayload() {}
func (StreamingEnded) isPayload()   {}
func (BridgeRestarted) isPayload()  {}
