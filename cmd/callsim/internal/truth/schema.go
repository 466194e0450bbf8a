// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/accounting"
	"github.com/legato-otel/legato/cmd/callsim/internal/bridge"
	"github.com/legato-otel/legato/cmd/callsim/internal/events"
	"github.com/legato-otel/legato/cmd/callsim/internal/syslog"
)

// Outcome is how an object ended.
type Outcome string

const (
	// Complete objects have an end record.
	Complete Outcome = "complete"
	// Restarted objects were forgotten when their bridge restarted; they have
	// no end record.
	Restarted Outcome = "bridge_restarted"
	// Open objects were still there when the simulation stopped.
	Open Outcome = "open"
)

// Truth is the whole file. All times are on the bridges' own clocks, as on the wire; all
// durations are in seconds.
type Truth struct {
	// Seed of the run.
	Seed uint64 `json:"seed"`
	// Interrupted means that the run stopped before everything was acknowledged.
	Interrupted bool `json:"interrupted"`
	// Bridges in the order of their names.
	Bridges []Bridge `json:"bridges"`
	// Missing is the sum of all gaps, in records.
	Missing uint64 `json:"missing"`
	// Garbage is the acknowledged bodies that are not XML.
	Garbage []Garbage `json:"garbage"`
	// Calls in the order in which they began.
	Calls []*Call `json:"calls"`
	// Legs in the order in which they began.
	Legs []*Leg `json:"legs"`
	// Recordings in the order in which they began.
	Recordings []*Service `json:"recordings"`
	// Streamings in the order in which they began.
	Streamings []*Service `json:"streamings"`
	// Conferences are the calls that belong together.
	Conferences []*Conference `json:"conferences"`
	// Counts is the number of good records acknowledged, by record type.
	Counts map[string]uint64 `json:"counts"`
	// Events is the expected result of the Events servers, absent without them.
	Events *Events `json:"events,omitempty"`
	// MediaSense is the expected result of the MediaSense servers, absent without them.
	MediaSense *MediaSense `json:"mediasense,omitempty"`
	// OCMS is the expected content of the event log of the SIP proxy, absent without it.
	OCMS *accounting.EventLog `json:"ocms,omitempty"`
	// Syslog is the expected content of the bridges' syslog, absent without it.
	Syslog *syslog.Report `json:"syslog,omitempty"`
}

// Events is the expected result of a perfect observer of the Events servers: the open
// objects when the scenario ends or stops. A participant who moves from one call to another
// is removed and added.
type Events struct {
	// Meetings in progress, each once.
	Meetings int `json:"meetings"`
	// Calls of these meetings: one on every bridge that hosts people.
	Calls int `json:"calls"`
	// Participants in calls, each once, by state and direction.
	Participants []Crowd `json:"participants"`
	// Added is how many times a participant entered a call so far.
	Added uint64 `json:"added"`
	// Removed is how many times one left.
	Removed uint64 `json:"removed"`
	// Lost is how many were in a call of a bridge that restarted. Added is the sum of
	// Removed, Lost and the present participants.
	Lost uint64 `json:"lost"`
	// Bridges in the order of their names.
	Bridges []EventsBridge `json:"bridges"`
}

// EventsBridge is one Events server.
type EventsBridge struct {
	// Bridge is the name of the bridge.
	Bridge string `json:"bridge"`
	// Calls open on the bridge, in the order of their ids.
	Calls []EventsCall `json:"calls"`
	// Hosted is the participants whose leg is on this bridge.
	Hosted []Crowd `json:"hosted"`
	// Shown is the participants in the rosters of the bridge's calls: those
	// hosted and those of the same meetings on other bridges.
	Shown []Crowd `json:"shown"`
	// Added, Removed and Lost count the participants hosted here.
	Added   uint64 `json:"added"`
	Removed uint64 `json:"removed"`
	Lost    uint64 `json:"lost"`
	// Account counts the requests of the server's clients.
	Account events.Account `json:"account"`
}

// EventsCall is an open call.
type EventsCall struct {
	// ID of the call on this bridge.
	ID string `json:"id"`
	// Correlator is the same on all bridges.
	Correlator string `json:"correlator"`
	// Name of the call.
	Name string `json:"name"`
	// Participants of the whole meeting.
	Participants int `json:"participants"`
}

// Crowd is how many participants are in a state.
type Crowd struct {
	// State is initial, ringing, connected or onHold.
	State string `json:"state"`
	// Direction is incoming or outgoing.
	Direction string `json:"direction"`
	// Count of them, never 0.
	Count int `json:"count"`
}

// Bridge is one Call Bridge.
type Bridge struct {
	// Name is the system_id parameter of the URL the bridge posts to.
	Name string `json:"name"`
	// CallBridge is absent when the bridge is not clustered.
	CallBridge string `json:"call_bridge,omitempty"`
	// Sessions in the order in which they began.
	Sessions []Session `json:"sessions"`
}

// Session has the records of one run of a bridge. Every index from 0 to Generated-1 is in
// exactly one of the sets.
type Session struct {
	// Session is the identifier on the wire.
	Session string `json:"session"`
	// Generated is the number of assigned correlator indices.
	Generated uint64 `json:"generated"`
	// LastRecordTime is the time of the last record, absent without records.
	LastRecordTime *time.Time `json:"last_record_time,omitempty"`
	// Acknowledged are the records sent undamaged and answered with 200.
	Acknowledged bridge.Ranges `json:"acknowledged"`
	// Quarantined are the records sent damaged and answered with 200.
	Quarantined []uint64 `json:"quarantined"`
	// Dropped are the records lost before they were ever sent.
	Dropped bridge.Ranges `json:"dropped"`
	// InDoubt are records sent at least once but never answered with 200; the
	// receiver may or may not have them. Empty in a run that finished.
	InDoubt bridge.Ranges `json:"in_doubt"`
	// Unsent are records still waiting when the run stopped. Empty in a run
	// that finished.
	Unsent bridge.Ranges `json:"unsent"`
	// Gaps are the losses that acknowledged records report, in order.
	Gaps []bridge.Gap `json:"gaps"`
}

// Garbage is a body that is not XML.
type Garbage struct {
	// Bridge posted it.
	Bridge string `json:"bridge"`
	// Bytes is the body, in base64.
	Bytes []byte `json:"bytes"`
	// SHA256 of the body, in hexadecimal.
	SHA256 string `json:"sha256"`
}

// Life has the fields that all objects share.
type Life struct {
	// ID is the identifier on the wire.
	ID string `json:"id"`
	// Bridge is the name of the bridge.
	Bridge string `json:"bridge"`
	// Session is the bridge's session.
	Session string `json:"session"`
	// Start is the time of the start record.
	Start time.Time `json:"start"`
	// End is the time of the end record, absent unless the outcome is complete.
	End *time.Time `json:"end,omitempty"`
	// LastSeen is the time of the last record about this very object.
	LastSeen time.Time `json:"last_seen"`
	// DurationSeconds from start to end, absent unless complete.
	DurationSeconds *int `json:"duration_seconds,omitempty"`
	// Outcome is how the object ended.
	Outcome Outcome `json:"outcome"`
	// LostRecords means that at least one record of this object was dropped, damaged or not
	// acknowledged, so that an observer may know less than this file.
	LostRecords bool `json:"lost_records"`

	bridge  int
	records []uint64  // indices of the records about the object
	began   time.Time // true time, whatever the bridge's clock says
	endedAt time.Time // likewise, zero while open
}

// Call is one bridge's part of a meeting.
type Call struct {
	Life
	// Correlator is the callCorrelator.
	Correlator string `json:"correlator"`
	// CoSpace is absent for calls outside coSpaces.
	CoSpace string `json:"cospace,omitempty"`
	// Name of the call.
	Name string `json:"name"`
	// Type is the callType.
	Type string `json:"type"`
	// LegsCompleted is how many legs ended in the call.
	LegsCompleted int `json:"legs_completed"`
	// LegsMaxActive is the most legs that were in the call at once.
	LegsMaxActive int `json:"legs_max_active"`

	active int
}

// Leg is one connection.
type Leg struct {
	Life
	// ParticipantID is the groupId.
	ParticipantID string `json:"participant_id"`
	// Calls is every call the leg was in, in order.
	Calls []string `json:"calls"`
	// Type is sip or acano.
	Type string `json:"type"`
	// SubType is absent for ordinary legs.
	SubType string `json:"sub_type,omitempty"`
	// LyncSubType is absent for legs that are not Lync's.
	LyncSubType string `json:"lync_sub_type,omitempty"`
	// Direction is incoming or outgoing.
	Direction string `json:"direction"`
	// SIPCallID is absent for legs that are not SIP.
	SIPCallID string `json:"sip_call_id,omitempty"`
	// ActivatedSeconds is the duration without menu and lobby, absent unless
	// complete.
	ActivatedSeconds *int `json:"activated_seconds,omitempty"`
	// IVRSeconds was spent in the interactive voice menu; of a leg that never
	// ended, until the last record about it.
	IVRSeconds int `json:"ivr_seconds"`
	// LobbySeconds was spent waiting for an activator, likewise.
	LobbySeconds int `json:"lobby_seconds"`
	// Reason of the end, absent unless complete.
	Reason string `json:"reason,omitempty"`
	// RemoteTeardown means that the far end ended the leg.
	RemoteTeardown bool `json:"remote_teardown"`
	// Alarms is the percentage of each alarm that was raised.
	Alarms map[string]float64 `json:"alarms"`
	// Kind is person, link, recorder, streamer, sharing or scanner.
	Kind string `json:"kind"`
	// MovedFrom is the leg this one continues.
	MovedFrom string `json:"moved_from,omitempty"`
	// ReplacesSIPCallID is the SIP call this leg's replaces.
	ReplacesSIPCallID string `json:"replaces_sip_call_id,omitempty"`
	// DisplayName as shown to others; absent when there is none.
	DisplayName string `json:"display_name,omitempty"`
	// RemoteParty is the far end's address.
	RemoteParty string `json:"remote_party"`

	phase phase
}

// Service is a recording or a streaming.
type Service struct {
	Life
	// Call is the call recorded or streamed.
	Call string `json:"call"`
	// Leg is the leg of the recorder or streamer.
	Leg string `json:"leg"`
}

// Conference is the calls of one meeting: they share a correlator and their lives overlap
// in true time. A call that a restart cut short counts to the time of the restart.
type Conference struct {
	// Correlator all calls share.
	Correlator string `json:"correlator"`
	// FoundingCall has the earliest start, of several the smallest id.
	FoundingCall string `json:"founding_call"`
	// Calls in order of their id.
	Calls []string `json:"calls"`
	// Start is the earliest start of a call.
	Start time.Time `json:"start"`
	// End is the latest end of a call, absent when one of them has none.
	End *time.Time `json:"end,omitempty"`
}
