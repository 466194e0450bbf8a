// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

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
	// Stitched is the stitched record. Its values take precedence over those of all other
	// statements. If its outcome is not complete, an end record corrects the end.
	Stitched
)

// Revision orders the statements of one phase of one object; the outcomes of stitched
// records come first. The values of the higher Revision take precedence. Two statements with
// equal Revisions are the same.
type Revision struct {
	// Index is the number that the sender gave the record, 0 if none.
	Index uint64 `json:"index,omitempty"`
	// Time is the time of the record; of a stitched record, the time at which it was due.
	Time time.Time `json:"time,omitzero"`
	// Digest of the values orders statements that are equal otherwise.
	Digest int64 `json:"digest,omitempty"`
}

// Object holds the columns that all rows have in common. In all rows a zero value, or nil where
// zero has a meaning, is NULL. All times are UTC, in milliseconds.
type Object struct {
	ID              string          `json:"id"`                         // id as on the wire, in lower case
	TraceID         string          `json:"trace_id"`                   // hex; equal for all of one conference
	SpanID          string          `json:"span_id"`                    // hex, computed from the id (docs/ids.md)
	ParentSpanID    string          `json:"parent_span_id,omitempty"`   // hex; absent on the root of a trace
	State           string          `json:"state"`                      // `running` or `ended`
	Outcome         string          `json:"outcome,omitempty"`          // how it ended (`callstitch.outcome`); absent until the stitched record came
	StartedAt       time.Time       `json:"started_at,omitzero"`        // start; when it was first heard of if that was not seen
	EndedAt         time.Time       `json:"ended_at,omitzero"`          // end; absent while it runs
	DurationSeconds *float64        `json:"duration_seconds,omitempty"` // from start to end; absent while it runs
	LastHeardAt     time.Time       `json:"last_heard_at,omitzero"`     // time of the newest record about it
	Bridge          string          `json:"bridge,omitempty"`           // `service.instance.id`: the Call Bridge or server
	System          string          `json:"system,omitempty"`           // the operator's name of the bridge (`system_id`)
	Details         json.RawMessage `json:"details,omitempty"`          // JSON object: all attributes without a column, and those too long for it

	// Phase and Revision are those of the statement, for Store.Write. A row that was read has
	// Phase Stitched or, without a stitched record, the newest phase.
	Phase    Phase    `json:"phase,omitempty" column:"-"`
	Revision Revision `json:"revision" column:"-"`
}

// Room is where a meeting takes place. In CMS's words a coSpace.
type Room struct {
	RoomID   string `json:"room_id,omitempty"`   // coSpace id; absent for ad hoc calls
	RoomName string `json:"room_name,omitempty"` // name of the call, normally the coSpace's
	TenantID string `json:"tenant_id,omitempty"` // tenant
}

// Call is one Call Bridge's part of a conference.
type Call struct {
	Object
	Room
	CallType          string `json:"call_type,omitempty"`            // `coSpace`, `adHoc`, `lyncConferencing`, `forwarding`
	Correlator        string `json:"correlator,omitempty"`           // `callCorrelator`: constant for the life of a coSpace
	OwnerName         string `json:"owner_name,omitempty"`           // meeting scheduler or owner
	CDRTag            string `json:"cdr_tag,omitempty"`              // tag of the coSpace, for billing
	CallLegsCompleted *int64 `json:"call_legs_completed,omitempty"`  // legs that finished in it
	CallLegsMaxActive *int64 `json:"call_legs_max_active,omitempty"` // most legs at once
	EndpointRecorded  *bool  `json:"endpoint_recorded,omitempty"`    // an endpoint recorded it
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
	CallID                   string          `json:"call_id,omitempty"`                      // the call it was in last
	Calls                    json.RawMessage `json:"calls,omitempty"`                        // JSON array: all calls it was in, in order
	ParticipantID            string          `json:"participant_id,omitempty"`               // `groupId`: equal for all legs of one participant
	Role                     string          `json:"role,omitempty"`                         // `participant`, `sharing`, `distribution_link`, `recorder`, `streamer`; absent if the start was not seen
	Activity                 string          `json:"activity,omitempty"`                     // activity of a running leg: `connecting`, `ivr`, `lobby`, `connected`
	Direction                string          `json:"direction,omitempty"`                    // `incoming` or `outgoing`
	Type                     string          `json:"type,omitempty"`                         // `sip` or `acano`
	SubType                  string          `json:"sub_type,omitempty"`                     // `lync`, `avaya`, `webApp`, …
	LyncSubType              string          `json:"lync_sub_type,omitempty"`                // `audioVideo`, `applicationSharing`, `instantMessaging`
	DisplayName              string          `json:"display_name,omitempty"`                 // name that others saw; typed by who called
	RemoteParty              string          `json:"remote_party,omitempty"`                 // address of the far end
	RemoteAddress            string          `json:"remote_address,omitempty"`               // its SIP URI
	LocalAddress             string          `json:"local_address,omitempty"`                // dialled address, or the caller id of an outgoing leg
	SIPCallID                string          `json:"sip_call_id,omitempty"`                  // SIP Call-ID
	OwnerID                  string          `json:"owner_id,omitempty"`                     // id that a managing system gave it
	CDRTag                   string          `json:"cdr_tag,omitempty"`                      // tag of the leg, for billing
	CallCDRTag               string          `json:"call_cdr_tag,omitempty"`                 // tag of its call's coSpace, for billing
	ConfirmationStatus       string          `json:"confirmation_status,omitempty"`          // `required`, `notRequired`, `confirmed`, `rejected`
	GuestConnection          *bool           `json:"guest_connection,omitempty"`             // a guest of the web app
	Reason                   string          `json:"reason,omitempty"`                       // why it ended, in Cisco's words
	ReasonDetails            string          `json:"reason_details,omitempty"`               // more on that, if sent
	ErrorType                string          `json:"error_type,omitempty"`                   // the reason, if it is a failure's
	RemoteTeardown           *bool           `json:"remote_teardown,omitempty"`              // the far end ended it
	SetupSeconds             *float64        `json:"setup_seconds,omitempty"`                // until it was connected
	IVRSeconds               *float64        `json:"ivr_seconds,omitempty"`                  // in the interactive voice menu
	LobbySeconds             *float64        `json:"lobby_seconds,omitempty"`                // waiting for an activator
	ActivatedSeconds         *float64        `json:"activated_seconds,omitempty"`            // neither in the menu nor in the lobby, as the bridge says
	ConnectedSeconds         *float64        `json:"connected_seconds,omitempty" since:"7"`  // somebody was connected: neither ringing, nor in the menu or the lobby; absent while it runs
	PacketLossPercent        *float64        `json:"packet_loss_percent,omitempty"`          // share of its time with a `packetLoss` alarm; absent if there was none
	ExcessiveJitterPercent   *float64        `json:"excessive_jitter_percent,omitempty"`     // likewise, `excessiveJitter`
	HighRoundTripTimePercent *float64        `json:"high_round_trip_time_percent,omitempty"` // likewise, `highRoundTripTime`
	RxAudioCodec             string          `json:"rx_audio_codec,omitempty"`               // received by the bridge
	TxAudioCodec             string          `json:"tx_audio_codec,omitempty"`               // sent by the bridge
	RxVideoCodec             string          `json:"rx_video_codec,omitempty"`               // absent without video
	TxVideoCodec             string          `json:"tx_video_codec,omitempty"`               // absent without video
	EncryptedMedia           *bool           `json:"encrypted_media,omitempty"`              // some of the media were encrypted
	UnencryptedMedia         *bool           `json:"unencrypted_media,omitempty"`            // some were not
	MovedCallLeg             string          `json:"moved_call_leg,omitempty"`               // the leg that this one continues
	ReplacesSIPCallID        string          `json:"replaces_sip_call_id,omitempty"`         // SIP Call-ID of the leg that this one replaces
	Links                    json.RawMessage `json:"links,omitempty"`                        // JSON array of `{trace_id, span_id, reason}`: the legs it continues or replaces
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
	Kind      string `json:"kind"`                  // `recording` or `streaming`
	CallID    string `json:"call_id,omitempty"`     // the call
	CallLegID string `json:"call_leg_id,omitempty"` // the recorder's or streamer's leg
	Path      string `json:"path,omitempty"`        // the file
	Device    string `json:"device,omitempty"`      // URI or URL of the recorder or streamer
	URL       string `json:"url,omitempty"`         // where it is streamed to, without the key
}

// Session is a recording session of MediaSense.
type Session struct {
	Object
	CCID              string          `json:"ccid,omitempty"`               // the call controller's id of the call
	ControllerAddress string          `json:"controller_address,omitempty"` // call controller
	ControllerType    string          `json:"controller_type,omitempty"`    // `Cisco-CUCM`, `Cisco-SIPGateway`, …
	MediaState        string          `json:"media_state,omitempty"`        // `ACTIVE`, `CLOSED_NORMAL`, `CLOSED_ERROR`, …
	ErrorType         string          `json:"error_type,omitempty"`         // the state, if it is a failure's
	Parties           string          `json:"parties,omitempty"`            // `deviceRef`s, each once, with `, ` between
	Tags              json.RawMessage `json:"tags,omitempty"`               // JSON array
	URLs              json.RawMessage `json:"urls,omitempty"`               // JSON array
	Links             json.RawMessage `json:"links,omitempty"`              // JSON array of `{trace_id, span_id, reason}`: the sessions of the same call before
}

// Track is one medium of a session in one direction.
type Track struct {
	Object
	SessionID    string          `json:"session_id,omitempty"`   // its session
	TrackNumber  *int64          `json:"track_number,omitempty"` // with CUCM 0 is the near end's
	MediaType    string          `json:"media_type,omitempty"`   // `AUDIO` or `VIDEO`
	Codec        string          `json:"codec,omitempty"`        // `PCMA`, `G722`, `H264`, …
	DownloadURL  string          `json:"download_url,omitempty"` // raw media
	Parties      string          `json:"parties,omitempty"`      // `deviceRef`s, each once, with `, ` between
	Participants json.RawMessage `json:"participants,omitempty"` // JSON array
	Tags         json.RawMessage `json:"tags,omitempty"`         // JSON array
}

// Dialog is a SIP dialog that OCMS accounted for.
type Dialog struct {
	Object
	SIPCallID string `json:"sip_call_id,omitempty"` // SIP Call-ID; a leg of the same is its parent
	Method    string `json:"method,omitempty"`      // SIP method
	Code      *int64 `json:"code,omitempty"`        // final response
	Result    string `json:"result,omitempty"`      // `answered`, `failed`, `cancelled`, `challenged`, `redirected`; absent if it is not known
	FromParty string `json:"from_party,omitempty"`  // address of the caller, as `user@host`
	ToParty   string `json:"to_party,omitempty"`    // address that was called, as `user@host`
	FromName  string `json:"from_name,omitempty"`   // its display name
	ToName    string `json:"to_name,omitempty"`     // its display name
	ErrorType string `json:"error_type,omitempty"`  // the status code, if it failed

	SetupSeconds     *float64        `json:"setup_seconds,omitempty"`      // from the first INVITE to the answer
	RingDelaySeconds *float64        `json:"ring_delay_seconds,omitempty"` // from the first INVITE until it rang
	RingSeconds      *float64        `json:"ring_seconds,omitempty"`       // how long it rang
	AnsweredSeconds  *float64        `json:"answered_seconds,omitempty"`   // from the answer to the end
	Responses        json.RawMessage `json:"responses,omitempty"`          // JSON array of `{code, offset}`: the first response of each code, milliseconds from the start
	Links            json.RawMessage `json:"links,omitempty"`              // JSON array of `{trace_id, span_id, reason}`
}

// LegQuality is how the media of a leg that runs are now. Of several streams it has
// the worst.
type LegQuality struct {
	ID              string    `json:"id"`                          // id of the leg
	At              time.Time `json:"at"`                          // when cmsapi read it
	State           string    `json:"state,omitempty"`             // `initial`, `ringing`, `connected`, `onHold`
	LossPercent     *float64  `json:"loss_percent,omitempty"`      // lost packets of the received media, in percent
	JitterMs        *float64  `json:"jitter_ms,omitempty"`         // jitter of the received media
	RoundTripMs     *float64  `json:"round_trip_ms,omitempty"`     // round trip time
	SentLossPercent *float64  `json:"sent_loss_percent,omitempty"` // lost packets of the sent media, as the far end reports
	VideoBitRate    *int64    `json:"video_bit_rate,omitempty"`    // of the main video that it receives, in bit/s
	Alarms          string    `json:"alarms,omitempty" since:"9"`  // alarms of the leg that are on: `packetLoss`, `excessiveJitter`, `highRoundTripTime`, with `, ` between
}

// LegState is the current state of a participant of a running leg: the newest value of each
// element of the bridge's event subscription.
type LegState struct {
	ID                string    `json:"id"`                           // id of the participant: `participant_id` of its leg
	At                time.Time `json:"at"`                           // when the newest event about it came
	State             string    `json:"state,omitempty"`              // `initial`, `ringing`, `connected`, `onHold`
	AudioMuted        *bool     `json:"audio_muted,omitempty"`        // the Call Bridge mutes the participant's audio
	VideoMuted        *bool     `json:"video_muted,omitempty"`        // the Call Bridge mutes the participant's video
	Presenting        *bool     `json:"presenting,omitempty"`         // the participant shares a screen
	ActiveSpeaker     *bool     `json:"active_speaker,omitempty"`     // the participant speaks
	EndpointRecording *bool     `json:"endpoint_recording,omitempty"` // the participant's endpoint records the call
	Layout            string    `json:"layout,omitempty"`             // layout that the participant sees: `allEqual`, `speakerOnly`, …
}

// StorageEvent is a threshold of a MediaSense node's storage that was passed.
type StorageEvent struct {
	ID                 string    `json:"id,omitempty"`                  // computed from the rest
	At                 time.Time `json:"at,omitzero"`                   // when
	Server             string    `json:"server,omitempty"`              // who reported it
	NodeID             string    `json:"node_id,omitempty"`             // number of the node
	NodeAddress        string    `json:"node_address,omitempty"`        // its address
	Partition          string    `json:"partition,omitempty"`           // `/common`
	Action             string    `json:"action,omitempty"`              // `enter_low`, `exit_low`, `enter_critical`, …
	Level              string    `json:"level,omitempty"`               // what holds from then on: `normal`, `low`, `critical`, `emergency`
	UtilizationPercent *float64  `json:"utilization_percent,omitempty"` // of the partition
}

// Gap are records of a Call Bridge that were lost. The ends of objects that ran there
// may be among them.
type Gap struct {
	ID      string    `json:"id"`                // computed from the rest
	At      time.Time `json:"at"`                // time of the first record behind the gap
	Bridge  string    `json:"bridge,omitempty"`  // `service.instance.id`: the Call Bridge
	System  string    `json:"system,omitempty"`  // the operator's name of the bridge (`system_id`)
	Missing *int64    `json:"missing,omitempty"` // how many records were lost
}

// Conference is one meeting, on however many bridges: the calls, legs and
// recordings of one trace. It is computed from their rows.
type Conference struct {
	TraceID string `json:"trace_id,omitempty"` // hex
	CallID  string `json:"call_id,omitempty"`  // the call that founded it
	Bridge  string `json:"bridge,omitempty"`   // the bridge of that call
	Room
	CallType                 string    `json:"call_type,omitempty"`                    // of the founding call
	Correlator               string    `json:"correlator,omitempty"`                   // of its calls
	OwnerName                string    `json:"owner_name,omitempty"`                   // meeting scheduler or owner
	CDRTag                   string    `json:"cdr_tag,omitempty"`                      // tag of the coSpace, for billing
	State                    string    `json:"state,omitempty"`                        // `running` while any call or leg is
	Outcome                  string    `json:"outcome,omitempty"`                      // `complete` if all its calls are; absent until all have one
	StartedAt                time.Time `json:"started_at,omitzero"`                    // earliest start of a call; of a leg if there is no call
	EndedAt                  time.Time `json:"ended_at,omitzero"`                      // latest end; absent while it runs
	DurationSeconds          *float64  `json:"duration_seconds,omitempty"`             // from start to end; absent while it runs
	LastHeardAt              time.Time `json:"last_heard_at,omitzero"`                 // time of the newest record about it
	Calls                    int64     `json:"calls"`                                  // calls
	Bridges                  int64     `json:"bridges"`                                // Call Bridges
	Legs                     int64     `json:"legs"`                                   // legs of any role
	Participants             int64     `json:"participants"`                           // participants, each once; running legs count as such
	FailedLegs               int64     `json:"failed_legs"`                            // legs with an `error_type`
	Recordings               int64     `json:"recordings"`                             // recordings
	Streamings               int64     `json:"streamings"`                             // streamings
	ParticipantSeconds       float64   `json:"participant_seconds"`                    // sum of the `connected_seconds` of participants' legs
	PacketLossPercent        *float64  `json:"packet_loss_percent,omitempty"`          // worst of any leg
	ExcessiveJitterPercent   *float64  `json:"excessive_jitter_percent,omitempty"`     // worst of any leg
	HighRoundTripTimePercent *float64  `json:"high_round_trip_time_percent,omitempty"` // worst of any leg
}

// Batch has the statements of one transaction.
type Batch struct {
	Calls         []Call
	Legs          []Leg
	Recordings    []Recording
	Sessions      []Session
	Tracks        []Track
	Dialogs       []Dialog
	StorageEvents []StorageEvent
	Gaps          []Gap
	Qualities     []LegQuality
	LegChanges    []LegChange
}

// Len is how many statements there are.
func (b *Batch) Len() int {
	return len(b.Calls) + len(b.Legs) + len(b.Recordings) + len(b.Sessions) + len(b.Tracks) + len(b.Dialogs) + len(b.StorageEvents) + len(b.Gaps) + len(b.Qualities) + len(b.LegChanges)
}
