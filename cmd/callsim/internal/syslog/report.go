// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import "time"

// Report is the expected content of the bridges' syslog.
type Report struct {
	// Lines that were written.
	Lines int `json:"lines"`
	// Unsent is how many of them found no connection to the address of -syslog-tcp.
	Unsent int `json:"unsent"`
	// Records is how many records of each kind come out of them, by the kind's name in the metric of the receiver.
	Records map[string]int `json:"records"`
	// Secrets were written among the lines and must be nowhere.
	Secrets []string `json:"secrets"`
	// Meetings that the client scheduled, in the order in which it did.
	Meetings []*ScheduledMeeting `json:"meetings"`
}

// ScheduledMeeting is a meeting that an API client started.
type ScheduledMeeting struct {
	// Bridge whose API the client used.
	Bridge string `json:"bridge"`
	// Call is the id of the call that the client created.
	Call string `json:"call"`
	// CoSpace in which it is.
	CoSpace string `json:"cospace"`
	// Name that the client gave the space for the meeting.
	Name string `json:"name"`
	// Client is its address.
	Client string `json:"client"`
	// User is the name by which it is known to the bridge.
	User string `json:"user"`
	// Start is when it prepared the space.
	Start time.Time `json:"start"`
	// End is when it deleted the call; absent while the meeting runs, and where the bridge restarted.
	End *time.Time `json:"end,omitempty"`
	// Steps are the requests that changed the meeting: create, start, invite, extend, end, delete.
	Steps []string `json:"steps"`
}
