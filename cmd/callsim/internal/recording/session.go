// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"slices"
	"time"
)

// Session is one recording of a call, as long as its near end stays.
type Session struct {
	ID         string
	Server     int
	Controller Controller
	// CCID is the call id of the controller; the sessions of one call share it.
	CCID       string
	Start, End time.Time // End is zero while it is in progress
	State      State
	// Former is the session the near end was transferred from, if any.
	Former string
	Tags   []Tag
	Tracks []Track
}

// State of a session, as on the wire.
type State string

// The states of sessions that are not deleted.
const (
	Active       State = "ACTIVE"
	ClosedNormal State = "CLOSED_NORMAL"
	ClosedError  State = "CLOSED_ERROR"
)

// Controller is the call controller that forks the media.
type Controller struct {
	Type    ControllerType
	Address string
}

// ControllerType as on the wire.
type ControllerType string

// The controllers there are.
const (
	CUCM ControllerType = "Cisco-CUCM"
	CUBE ControllerType = "Cisco-SIPGateway"
)

// Track is the media of one end.
type Track struct {
	Number       int
	Media        string
	Codec        string // empty if the controller does not report it
	Start, End   time.Time
	Participants []Participant
	Tags         []Tag
}

// The media there are, as on the wire.
const (
	Audio = "AUDIO"
	Video = "VIDEO"
)

// Participant is who is at one end for a while.
type Participant struct {
	DeviceRef  string
	XRefCi     string
	DeviceID   string // empty unless it is there from the start, with CUCM
	Conference bool
	Start, End time.Time
}

// Tag marks a moment of a session or of a track, or the whole of it.
type Tag struct {
	Name    string
	User    bool // else the system's own
	Created time.Time
	// At is the time it marks, zero for the whole session.
	At time.Time
}

// The system's own tags.
const (
	Pause         = "Pause"
	Resume        = "Resume"
	TrackActive   = "TrackActive"
	TrackInactive = "TrackInactive"
)

// clone makes a copy that shares nothing.
func (s *Session) clone() Session {
	c := *s
	c.Tags = slices.Clone(s.Tags)
	c.Tracks = slices.Clone(s.Tracks)
	for i := range c.Tracks {
		t := &c.Tracks[i]
		t.Participants, t.Tags = slices.Clone(t.Participants), slices.Clone(t.Tags)
	}
	return c
}

// end ends the session and its open tracks and participants.
func (s *Session) end(at time.Time, state State) {
	s.End, s.State = at, state
	for i := range s.Tracks {
		t := &s.Tracks[i]
		t.End = at
		for j := range t.Participants {
			if p := &t.Participants[j]; p.End.IsZero() {
				p.End = at
			}
		}
	}
}
