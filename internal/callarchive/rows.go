// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callarchive

import (
	"encoding/json"
	"time"
)

// States of an object.
const (
	StateRunning = "running"
	StateEnded   = "ended"
)

// Phase says which record a statement comes from. A later phase stands above an
// earlier one.
type Phase uint8

const (
	// Started is a start record.
	Started Phase = iota + 1
	// Updated is a record in between.
	Updated
	// Ended is an end record: the stitched record is still to come.
	Ended
	// Final is the stitched record. Whatever else is said, its row stays.
	Final
)

// Revision orders the statements of one phase of one object. The higher one
// stands; two that are equal are the same statement.
type Revision struct {
	// Complete is set on a stitched record whose object was seen from start to
	// end. One that saw less does not replace it.
	Complete bool `json:"complete,omitempty"`
	// Index is the number that the sender gave the record, 0 if none.
	Index uint64 `json:"index,omitempty"`
	// Time is the time of the record, of a stitched one when it was due.
	Time time.Time `json:"time,omitzero"`
	// Digest of what was said settles the rest.
	Digest int64 `json:"digest,omitempty"`
}

// Object is what all rows have in common. In all rows a zero value, or nil where
// zero means something, is NULL. All times are UTC, in milliseconds.
type Object struct {
	// ID as on the wire, ASCII letters in lower case.
	ID string `json:"id"`
	// TraceID, SpanID and ParentSpanID are hex (docs/ids.md). ParentSpanID is
	// empty on a root.
	TraceID      string `json:"trace_id"`
	SpanID       string `json:"span_id"`
	ParentSpanID string `json:"parent_span_id,omitempty"`
	// State is StateRunning or StateEnded.
	State string `json:"state"`
	// Outcome is callstitch's: complete, partial, call_ended, bridge_restarted,
	// expired, evicted, incomplete. Empty until the stitched record came.
	Outcome string `json:"outcome,omitempty"`
	// StartedAt is when it was first heard of if the start was not seen.
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	// DurationSeconds from start to end, nil while it runs.
	DurationSeconds *float64 `json:"duration_seconds,omitempty"`
	// LastHeardAt is the time of the newest record about it.
	LastHeardAt time.Time `json:"last_heard_at,omitzero"`
	// Bridge is the resource's service.instance.id: the Call Bridge or server.
	Bridge string `json:"bridge,omitempty"`
	// System is the name that the operator gave the bridge (system_id).
	System string `json:"system,omitempty"`
	// Details is a JSON object: all attributes that have no column, and those
	// whose value did not fit in it.
	Details json.RawMessage `json:"details,omitempty"`

	// Phase and Revision are the statement's, for Store.Write. A row that was
	// read has Phase Final or, as long as that is missing, the newest one.
	Phase    Phase    `json:"-"`
	Revision Revision `json:"revision"`
}

// Room is where a meeting takes place. In CMS's words a coSpace.
type Room struct {
	// RoomID is the coSpace's id, empty for ad hoc calls.
	RoomID string `json:"room_id,omitempty"`
	// RoomName is the name of the call, which normally is the coSpace's.
	RoomName string `json:"room_name,omitempty"`
	TenantID string `json:"tenant_id,omitempty"`
}

// Call is one Call Bridge's part of a conference.
type Call struct {
	Object
	Room
	// CallType is coSpace, adHoc, lyncConferencing or forwarding.
	CallType string `json:"call_type,omitempty"`
	// Correlator is constant for the life of a coSpace.
	Correlator        string `json:"correlator,omitempty"`
	OwnerName         string `json:"owner_name,omitempty"`
	CDRTag            string `json:"cdr_tag,omitempty"`
	CallLegsCompleted *int64 `json:"call_legs_completed,omitempty"`
	CallLegsMaxActive *int64 `json:"call_legs_max_active,omitempty"`
	EndpointRecorded  *bool  `json:"endpoint_recorded,omitempty"`
}

// Activities of a call leg that runs.
const (
	ActivityConnecting = "connecting"
	ActivityIVR        = "ivr"
	ActivityLobby      = "lobby"
	ActivityConnected  = "connected"
)

// Leg is one connection to a Call Bridge: mostly a participant.
type Leg struct {
	Object
	Room
	// CallID is the call it was in last, Calls a JSON array of all of them in
	// order.
	CallID        string          `json:"call_id,omitempty"`
	Calls         json.RawMessage `json:"calls,omitempty"`
	ParticipantID string          `json:"participant_id,omitempty"`
	// Role is participant, sharing, distribution_link, recorder or streamer;
	// only the first is a person or an endpoint. Known when the leg is over.
	Role string `json:"role,omitempty"`
	// Activity is what a running leg does: one of the Activity… constants.
	Activity           string `json:"activity,omitempty"`
	Direction          string `json:"direction,omitempty"`
	Type               string `json:"type,omitempty"`
	SubType            string `json:"sub_type,omitempty"`
	LyncSubType        string `json:"lync_sub_type,omitempty"`
	DisplayName        string `json:"display_name,omitempty"`
	RemoteParty        string `json:"remote_party,omitempty"`
	RemoteAddress      string `json:"remote_address,omitempty"`
	LocalAddress       string `json:"local_address,omitempty"`
	SIPCallID          string `json:"sip_call_id,omitempty"`
	OwnerID            string `json:"owner_id,omitempty"`
	CDRTag             string `json:"cdr_tag,omitempty"`
	CallCDRTag         string `json:"call_cdr_tag,omitempty"`
	ConfirmationStatus string `json:"confirmation_status,omitempty"`
	GuestConnection    *bool  `json:"guest_connection,omitempty"`
	// Reason of the end. ErrorType repeats it if it is a failure's.
	Reason         string `json:"reason,omitempty"`
	ReasonDetails  string `json:"reason_details,omitempty"`
	ErrorType      string `json:"error_type,omitempty"`
	RemoteTeardown *bool  `json:"remote_teardown,omitempty"`
	// What passed until it was connected, in the menu, in the lobby; and how
	// long it was activated.
	SetupSeconds     *float64 `json:"setup_seconds,omitempty"`
	IVRSeconds       *float64 `json:"ivr_seconds,omitempty"`
	LobbySeconds     *float64 `json:"lobby_seconds,omitempty"`
	ActivatedSeconds *float64 `json:"activated_seconds,omitempty"`
	// Percentages of the leg's time that an alarm was on, nil if it never was.
	PacketLossPercent        *float64 `json:"packet_loss_percent,omitempty"`
	ExcessiveJitterPercent   *float64 `json:"excessive_jitter_percent,omitempty"`
	HighRoundTripTimePercent *float64 `json:"high_round_trip_time_percent,omitempty"`
	RxAudioCodec             string   `json:"rx_audio_codec,omitempty"`
	TxAudioCodec             string   `json:"tx_audio_codec,omitempty"`
	RxVideoCodec             string   `json:"rx_video_codec,omitempty"`
	TxVideoCodec             string   `json:"tx_video_codec,omitempty"`
	EncryptedMedia           *bool    `json:"encrypted_media,omitempty"`
	UnencryptedMedia         *bool    `json:"unencrypted_media,omitempty"`
	MovedCallLeg             string   `json:"moved_call_leg,omitempty"`
	ReplacesSIPCallID        string   `json:"replaces_sip_call_id,omitempty"`
	// Links is a JSON array of objects with trace_id, span_id and reason.
	Links json.RawMessage `json:"links,omitempty"`

	// Connected tells that this statement, or one before it, said that the leg
	// was connected. It has no column.
	Connected bool `json:"connected,omitempty"`
}

// Kinds of a [Recording].
const (
	KindRecording = "recording"
	KindStreaming = "streaming"
)

// Recording is a recording or a streaming of a call.
type Recording struct {
	Object
	Room
	// Kind is KindRecording or KindStreaming.
	Kind      string `json:"kind"`
	CallID    string `json:"call_id,omitempty"`
	CallLegID string `json:"call_leg_id,omitempty"`
	// Path is the file, Device the URI or URL of the recorder or streamer, URL
	// where it is streamed to, without its key.
	Path   string `json:"path,omitempty"`
	Device string `json:"device,omitempty"`
	URL    string `json:"url,omitempty"`
}

// Session is a recording session of MediaSense.
type Session struct {
	Object
	// CCID is the call controller's id of the call.
	CCID              string `json:"ccid,omitempty"`
	ControllerAddress string `json:"controller_address,omitempty"`
	ControllerType    string `json:"controller_type,omitempty"`
	// MediaState is MediaSense's own: ACTIVE, CLOSED_NORMAL, CLOSED_ERROR, …
	MediaState string `json:"media_state,omitempty"`
	ErrorType  string `json:"error_type,omitempty"`
	// Parties are the deviceRefs of the session, each once, with ", " between.
	Parties string `json:"parties,omitempty"`
	// Tags, URLs and Links are JSON arrays.
	Tags  json.RawMessage `json:"tags,omitempty"`
	URLs  json.RawMessage `json:"urls,omitempty"`
	Links json.RawMessage `json:"links,omitempty"`
}

// Track is one medium of a session in one direction.
type Track struct {
	Object
	SessionID   string `json:"session_id,omitempty"`
	TrackNumber *int64 `json:"track_number,omitempty"`
	// MediaType is AUDIO or VIDEO.
	MediaType   string `json:"media_type,omitempty"`
	Codec       string `json:"codec,omitempty"`
	DownloadURL string `json:"download_url,omitempty"`
	Parties     string `json:"parties,omitempty"`
	// Participants and Tags are JSON arrays.
	Participants json.RawMessage `json:"participants,omitempty"`
	Tags         json.RawMessage `json:"tags,omitempty"`
}

// Dialog is a SIP dialog that OCMS accounted for.
type Dialog struct {
	Object
	SIPCallID string `json:"sip_call_id,omitempty"`
	Method    string `json:"method,omitempty"`
	Code      *int64 `json:"code,omitempty"`
	// Result is answered, failed, cancelled, challenged or redirected.
	Result string `json:"result,omitempty"`
	// FromParty and ToParty are addresses as user@host, FromName and ToName what they
	// call themselves.
	FromParty string `json:"from_party,omitempty"`
	ToParty   string `json:"to_party,omitempty"`
	FromName  string `json:"from_name,omitempty"`
	ToName    string `json:"to_name,omitempty"`
	ErrorType string `json:"error_type,omitempty"`

	SetupSeconds     *float64 `json:"setup_seconds,omitempty"`
	RingDelaySeconds *float64 `json:"ring_delay_seconds,omitempty"`
	RingSeconds      *float64 `json:"ring_seconds,omitempty"`
	AnsweredSeconds  *float64 `json:"answered_seconds,omitempty"`
	// Responses is a JSON array of maps of a code and an offset in milliseconds, Links
	// one of links.
	Responses json.RawMessage `json:"responses,omitempty"`
	Links     json.RawMessage `json:"links,omitempty"`
}

// StorageEvent is a threshold of a MediaSense node's storage that was passed.
type StorageEvent struct {
	// ID is computed from the rest.
	ID          string
	At          time.Time
	Server      string
	NodeID      string
	NodeAddress string
	Partition   string
	// Action is enter_low, exit_low, enter_critical, … Level is what holds
	// from then on: normal, low, critical or emergency.
	Action string
	Level  string
	// UtilizationPercent of the partition.
	UtilizationPercent *float64
}

// Conference is one meeting, on however many bridges: the calls, legs and
// recordings of one trace. It is computed from their rows.
type Conference struct {
	TraceID string
	// CallID and Bridge are the founding call's: the root of the trace or, as
	// long as that is unknown, the earliest call.
	CallID string
	Bridge string
	Room
	CallType   string
	Correlator string
	OwnerName  string
	CDRTag     string
	// State is StateRunning while any call or leg runs.
	State string
	// Outcome is complete if all of its calls are, else that of one which is not;
	// empty until all calls have one.
	Outcome         string
	StartedAt       time.Time
	EndedAt         time.Time
	DurationSeconds *float64
	LastHeardAt     time.Time
	// How many calls, bridges, legs of any role, participants (each once,
	// however many legs), legs that failed, recordings and streamings.
	Calls        int64
	Bridges      int64
	Legs         int64
	Participants int64
	FailedLegs   int64
	Recordings   int64
	Streamings   int64
	// ParticipantSeconds is the sum of the durations of participants' legs that
	// are over.
	ParticipantSeconds float64
	// The worst percentages of any leg, nil if there was no such alarm.
	PacketLossPercent        *float64
	ExcessiveJitterPercent   *float64
	HighRoundTripTimePercent *float64
}

// Batch is what is written in one transaction.
type Batch struct {
	Calls         []Call
	Legs          []Leg
	Recordings    []Recording
	Sessions      []Session
	Tracks        []Track
	Dialogs       []Dialog
	StorageEvents []StorageEvent
}

// Len is how many statements there are.
func (b *Batch) Len() int {
	return len(b.Calls) + len(b.Legs) + len(b.Recordings) + len(b.Sessions) + len(b.Tracks) + len(b.Dialogs) + len(b.StorageEvents)
}
