// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/mediasense"
	"github.com/legato-otel/legato/cmd/callsim/internal/recording"
)

// MediaSense is the expected result of a perfect observer of the MediaSense servers. Events
// are counted by type and action, separated by a blank. Times are nanoseconds since 1970; 0
// or absent means unknown.
type MediaSense struct {
	// Sessions in the order in which they began.
	Sessions []*RecordedSession `json:"sessions"`
	// Refused is the calls not recorded because no disk had room.
	Refused int `json:"refused"`
	// Happened counts the events of the scenario, each once.
	Happened map[string]int `json:"happened"`
	// Distinct is those of them that were acknowledged at least once, each once.
	Distinct map[string]int `json:"distinct"`
	// EndedByState is the distinct ends of sessions.
	EndedByState map[string]int `json:"ended_by_state"`
	// AddedByTagType is the distinct tags added.
	AddedByTagType map[string]int `json:"added_by_tag_type"`
	// Deleted and Pruned are the sessions named by distinct events.
	Deleted int `json:"deleted"`
	Pruned  int `json:"pruned"`
	// Malformed is the damaged bodies acknowledged, by whatever server.
	Malformed int `json:"malformed"`
	// MalformedDistinct counts those of the same bytes once.
	MalformedDistinct int `json:"malformed_distinct"`
	// Disks in the order of their nodes.
	Disks []RecordedDisk `json:"disks"`
	// Missed are the events without an acknowledgement, in their order.
	Missed []MissedEvent `json:"missed"`
	// Servers in the order of their names: the events that they posted, and the requests of
	// the clients of their API.
	Servers []mediasense.Account `json:"servers"`
}

// MissedEvent is an event without an acknowledgement.
type MissedEvent struct {
	// Event is its type and action.
	Event string `json:"event"`
	// Time it happened.
	Time time.Time `json:"time"`
	// Sessions it is about.
	Sessions []string `json:"sessions"`
	// InDoubt: it was posted, and may have arrived.
	InDoubt bool `json:"in_doubt"`
}

// RecordedSession is a session of MediaSense, as it was in the end.
type RecordedSession struct {
	// ID is the sessionId.
	ID string `json:"id"`
	// Server that recorded it.
	Server string `json:"server"`
	// ControllerType and ControllerAddress of the call controller.
	ControllerType    string `json:"controller_type"`
	ControllerAddress string `json:"controller_address"`
	// CCID is the call controller's id of the call.
	CCID string `json:"ccid"`
	// StartUnixNano and EndUnixNano of the session.
	StartUnixNano int64 `json:"start_unix_nano"`
	EndUnixNano   int64 `json:"end_unix_nano,omitempty"`
	// State is ACTIVE, CLOSED_NORMAL or CLOSED_ERROR.
	State string `json:"state"`
	// Former is the session of the same call whose near end was transferred.
	Former string `json:"former,omitempty"`
	// Gone is deleted or pruned, absent while the recording is there.
	Gone string `json:"gone,omitempty"`
	// Pauses of the recording, and their sum.
	Pauses        []RecordedGap `json:"pauses"`
	PausedSeconds float64       `json:"paused_seconds"`
	// Tags on the session.
	Tags []RecordedTag `json:"tags"`
	// Tracks in the order of their numbers.
	Tracks []RecordedTrack `json:"tracks"`
	// Missed are the events about it that no client acknowledged.
	Missed []string `json:"missed"`

	last recording.Session
}

// RecordedTrack is a track of a session.
type RecordedTrack struct {
	// Number is the trackNumber.
	Number int `json:"number"`
	// Media is AUDIO or VIDEO.
	Media string `json:"media"`
	// Codec is absent when the controller does not tell.
	Codec string `json:"codec,omitempty"`
	// StartUnixNano and EndUnixNano of the track.
	StartUnixNano int64 `json:"start_unix_nano"`
	EndUnixNano   int64 `json:"end_unix_nano,omitempty"`
	// Participants one after the other.
	Participants []RecordedParticipant `json:"participants"`
	// Silences, and their sum.
	Silences      []RecordedGap `json:"silences"`
	SilentSeconds float64       `json:"silent_seconds"`
	// Tags on the track.
	Tags []RecordedTag `json:"tags"`
}

// RecordedParticipant is who was at the end of a track for a while.
type RecordedParticipant struct {
	// DeviceRef is the number or address.
	DeviceRef string `json:"device_ref"`
	// XRefCi is the reference of the leg.
	XRefCi string `json:"x_ref_ci"`
	// DeviceID is the name of the device, absent when no event has it.
	DeviceID string `json:"device_id,omitempty"`
	// Conference means that it is a conference bridge.
	Conference bool `json:"conference"`
	// StartUnixNano and EndUnixNano of the part.
	StartUnixNano int64 `json:"start_unix_nano"`
	EndUnixNano   int64 `json:"end_unix_nano,omitempty"`
}

// RecordedTag is a tag that is there in the end.
type RecordedTag struct {
	// Name is the tagName.
	Name string `json:"name"`
	// Type is SYSTEM_DEFINED or USER_DEFINED.
	Type string `json:"type"`
	// CreateUnixNano is when it was made.
	CreateUnixNano int64 `json:"create_unix_nano"`
	// AtUnixNano is the time that it marks, absent for the whole session.
	AtUnixNano int64 `json:"at_unix_nano,omitempty"`
}

// RecordedGap is a pause or a silence. Without an end it lasts to the end of the session or
// track.
type RecordedGap struct {
	// Start and end of the gap in nanoseconds since 1970; no end while it lasts.
	StartUnixNano int64 `json:"start_unix_nano"`
	EndUnixNano   int64 `json:"end_unix_nano,omitempty"`
}

// RecordedDisk is a disk in the end.
type RecordedDisk struct {
	// NodeID, NodeAddress and Partition as on the wire.
	NodeID      int    `json:"node_id"`
	NodeAddress string `json:"node_address"`
	Partition   string `json:"partition"`
	// State is NORMAL, LOW, CRITICAL or EMERGENCY.
	State string `json:"state"`
	// Utilization is the true use, 0 to 1; no event tells it between thresholds.
	Utilization float64 `json:"utilization"`
	// LastPercent is the percentageUtilization of the last threshold, absent
	// when there was none.
	LastPercent *int `json:"last_percent,omitempty"`
	// Thresholds is how many times each was crossed, by action.
	Thresholds map[string]int `json:"thresholds"`
}
