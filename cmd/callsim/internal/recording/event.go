// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package recording

import "time"

// Event is one thing that happened on one server.
type Event struct {
	// At is the time.
	At time.Time
	// Server is the index of the server it happened on.
	Server int
	// What happened.
	Payload Payload
}

// Payload is one of the types below.
type Payload interface{ isPayload() }

type (
	// Started opens a session.
	Started struct{ Session Session }

	// Updated means that the far end changed.
	Updated struct {
		Session Session
		// Present means that those who are gone are not mentioned.
		Present bool
	}

	// Ended closes a session.
	Ended struct{ Session Session }

	// Removed means that recordings are gone.
	Removed struct {
		// IDs of sessions, also of some from before the scenario.
		IDs []string
		// Pruned by the system, else deleted by a client.
		Pruned bool
	}

	// Tagged reports the result of setting a tag, possibly after the end of the session.
	Tagged struct {
		Session string
		Start   time.Time // of the session
		Track   int       // number of the track, NoTrack when the tag is on the session
		Action  TagAction
		Tag     Tag
	}

	// Crossed means that the use of a disk crossed a threshold.
	Crossed struct {
		Disk      Disk
		Threshold Threshold
		// Percent is the use at this moment, rounded.
		Percent int
	}
)

func (Started) isPayload() {}
func (Updated) isPayload() {}
func (Ended) isPayload()   {}
func (Removed) isPayload() {}
func (Tagged) isPayload()  {}
func (Crossed) isPayload() {}

// NoTrack stands for the session itself.
const NoTrack = -1

// TagAction is the outcome of a tag.
type TagAction string

// The actions, as on the wire.
const (
	TagAdded   TagAction = "ADDED"
	TagUpdated TagAction = "UPDATED"
	TagDeleted TagAction = "DELETED"
)
