// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callarchive

import (
	"encoding/json"
	"time"
)

// column of a table. field returns a pointer to where a row has it: *string,
// *time.Time, *int64, *float64, **int64, **float64, **bool or *json.RawMessage.
type column[T any] struct {
	name  string
	about string // for docs/call-archive.md
	field func(*T) any
}

// table is how a type of rows is stored. The schema has the same columns
// (TestColumns).
type table[T any] struct {
	name    string
	about   string
	columns []column[T]
	// object of a row; nil for rows that are not merged.
	object func(*T) *Object
	// carry over what an older statement said once for all. It tells whether that
	// is news. Optional.
	carry func(to, from *T) bool
	// settle what follows from other columns, once a row is merged. Optional.
	settle func(*T)
}

// objectColumns are the columns of every object, with those of its kind between.
func objectColumns[T any](kind string, object func(*T) *Object, own ...column[T]) []column[T] {
	columns := []column[T]{
		{"id", "the " + kind + "'s id, in lower case", func(r *T) any { return &object(r).ID }},
		{"trace_id", "hex; equal for all of one conference", func(r *T) any { return &object(r).TraceID }},
		{"span_id", "hex, computed from the id (docs/ids.md)", func(r *T) any { return &object(r).SpanID }},
		{"parent_span_id", "hex; absent on the root of a trace", func(r *T) any { return &object(r).ParentSpanID }},
		{"state", "`running` or `ended`", func(r *T) any { return &object(r).State }},
		{"outcome", "how it ended (`callstitch.outcome`); absent until the stitched record came", func(r *T) any { return &object(r).Outcome }},
		{"started_at", "start; when it was first heard of if that was not seen", func(r *T) any { return &object(r).StartedAt }},
		{"ended_at", "end; absent while it runs", func(r *T) any { return &object(r).EndedAt }},
		{"duration_seconds", "from start to end; absent while it runs", func(r *T) any { return &object(r).DurationSeconds }},
		{"last_heard_at", "time of the newest record about it", func(r *T) any { return &object(r).LastHeardAt }},
		{"bridge", "`service.instance.id`: the Call Bridge or server", func(r *T) any { return &object(r).Bridge }},
		{"system", "the operator's name of the bridge (`system_id`)", func(r *T) any { return &object(r).System }},
	}
	columns = append(columns, own...)
	return append(columns, column[T]{"details", "JSON object: all attributes without a column, and those too long for it", func(r *T) any { return &object(r).Details }})
}

func roomColumns[T any](room func(*T) *Room) []column[T] {
	return []column[T]{
		{"room_id", "coSpace id; absent for ad hoc calls", func(r *T) any { return &room(r).RoomID }},
		{"room_name", "name of the call, normally the coSpace's", func(r *T) any { return &room(r).RoomName }},
		{"tenant_id", "tenant", func(r *T) any { return &room(r).TenantID }},
	}
}

var calls = table[Call]{
	name:   "calls",
	about:  "One Call Bridge's part of a conference.",
	object: func(r *Call) *Object { return &r.Object },
	columns: objectColumns("call", func(r *Call) *Object { return &r.Object }, append(roomColumns(func(r *Call) *Room { return &r.Room }),
		column[Call]{"call_type", "`coSpace`, `adHoc`, `lyncConferencing`, `forwarding`", func(r *Call) any { return &r.CallType }},
		column[Call]{"correlator", "`callCorrelator`: constant for the life of a coSpace", func(r *Call) any { return &r.Correlator }},
		column[Call]{"owner_name", "meeting scheduler or owner", func(r *Call) any { return &r.OwnerName }},
		column[Call]{"cdr_tag", "tag of the coSpace, for billing", func(r *Call) any { return &r.CDRTag }},
		column[Call]{"call_legs_completed", "legs that finished in it", func(r *Call) any { return &r.CallLegsCompleted }},
		column[Call]{"call_legs_max_active", "most legs at once", func(r *Call) any { return &r.CallLegsMaxActive }},
		column[Call]{"endpoint_recorded", "an endpoint recorded it", func(r *Call) any { return &r.EndpointRecorded }},
	)...),
}

var legs = table[Leg]{
	name:   "call_legs",
	about:  "One connection to a Call Bridge: mostly a participant.",
	object: func(r *Leg) *Object { return &r.Object },
	settle: func(r *Leg) {
		switch {
		case r.State == StateEnded:
			r.Activity = ""
		case r.Connected && (r.Activity == "" || r.Activity == ActivityConnecting):
			r.Activity = ActivityConnected
		}
	},
	// Not every update of a leg says again that it is connected.
	carry: func(to, from *Leg) bool {
		news := from.Connected && !to.Connected
		to.Connected = to.Connected || from.Connected
		return news
	},
	columns: objectColumns("call leg", func(r *Leg) *Object { return &r.Object }, append(roomColumns(func(r *Leg) *Room { return &r.Room }),
		column[Leg]{"call_id", "the call it was in last", func(r *Leg) any { return &r.CallID }},
		column[Leg]{"calls", "JSON array: all calls it was in, in order", func(r *Leg) any { return &r.Calls }},
		column[Leg]{"participant_id", "`groupId`: equal for all legs of one participant", func(r *Leg) any { return &r.ParticipantID }},
		column[Leg]{"role", "`participant`, `sharing`, `distribution_link`, `recorder`, `streamer`; absent while it runs", func(r *Leg) any { return &r.Role }},
		column[Leg]{"activity", "what a running leg does: `connecting`, `ivr`, `lobby`, `connected`", func(r *Leg) any { return &r.Activity }},
		column[Leg]{"direction", "`incoming` or `outgoing`", func(r *Leg) any { return &r.Direction }},
		column[Leg]{"type", "`sip` or `acano`", func(r *Leg) any { return &r.Type }},
		column[Leg]{"sub_type", "`lync`, `avaya`, `webApp`, …", func(r *Leg) any { return &r.SubType }},
		column[Leg]{"lync_sub_type", "`audioVideo`, `applicationSharing`, `instantMessaging`", func(r *Leg) any { return &r.LyncSubType }},
		column[Leg]{"display_name", "name that others saw; typed by who called", func(r *Leg) any { return &r.DisplayName }},
		column[Leg]{"remote_party", "address of the far end", func(r *Leg) any { return &r.RemoteParty }},
		column[Leg]{"remote_address", "its SIP URI", func(r *Leg) any { return &r.RemoteAddress }},
		column[Leg]{"local_address", "what was dialled, or the caller id that was used", func(r *Leg) any { return &r.LocalAddress }},
		column[Leg]{"sip_call_id", "SIP Call-ID", func(r *Leg) any { return &r.SIPCallID }},
		column[Leg]{"owner_id", "id that a managing system gave it", func(r *Leg) any { return &r.OwnerID }},
		column[Leg]{"cdr_tag", "tag of the leg, for billing", func(r *Leg) any { return &r.CDRTag }},
		column[Leg]{"call_cdr_tag", "tag of its call's coSpace, for billing", func(r *Leg) any { return &r.CallCDRTag }},
		column[Leg]{"confirmation_status", "`required`, `notRequired`, `confirmed`, `rejected`", func(r *Leg) any { return &r.ConfirmationStatus }},
		column[Leg]{"guest_connection", "a guest of the web app", func(r *Leg) any { return &r.GuestConnection }},
		column[Leg]{"reason", "why it ended, in Cisco's words", func(r *Leg) any { return &r.Reason }},
		column[Leg]{"reason_details", "more on that, if sent", func(r *Leg) any { return &r.ReasonDetails }},
		column[Leg]{"error_type", "the reason, if it is a failure's", func(r *Leg) any { return &r.ErrorType }},
		column[Leg]{"remote_teardown", "the far end ended it", func(r *Leg) any { return &r.RemoteTeardown }},
		column[Leg]{"setup_seconds", "until it was connected", func(r *Leg) any { return &r.SetupSeconds }},
		column[Leg]{"ivr_seconds", "in the interactive voice menu", func(r *Leg) any { return &r.IVRSeconds }},
		column[Leg]{"lobby_seconds", "waiting for an activator", func(r *Leg) any { return &r.LobbySeconds }},
		column[Leg]{"activated_seconds", "neither in the menu nor in the lobby, as the bridge says", func(r *Leg) any { return &r.ActivatedSeconds }},
		column[Leg]{"packet_loss_percent", "share of its time with a `packetLoss` alarm; absent if there was none", func(r *Leg) any { return &r.PacketLossPercent }},
		column[Leg]{"excessive_jitter_percent", "likewise, `excessiveJitter`", func(r *Leg) any { return &r.ExcessiveJitterPercent }},
		column[Leg]{"high_round_trip_time_percent", "likewise, `highRoundTripTime`", func(r *Leg) any { return &r.HighRoundTripTimePercent }},
		column[Leg]{"rx_audio_codec", "received by the bridge", func(r *Leg) any { return &r.RxAudioCodec }},
		column[Leg]{"tx_audio_codec", "sent by the bridge", func(r *Leg) any { return &r.TxAudioCodec }},
		column[Leg]{"rx_video_codec", "absent without video", func(r *Leg) any { return &r.RxVideoCodec }},
		column[Leg]{"tx_video_codec", "absent without video", func(r *Leg) any { return &r.TxVideoCodec }},
		column[Leg]{"encrypted_media", "some of the media were encrypted", func(r *Leg) any { return &r.EncryptedMedia }},
		column[Leg]{"unencrypted_media", "some were not", func(r *Leg) any { return &r.UnencryptedMedia }},
		column[Leg]{"moved_call_leg", "the leg that this one continues", func(r *Leg) any { return &r.MovedCallLeg }},
		column[Leg]{"replaces_sip_call_id", "SIP Call-ID of the leg that this one replaces", func(r *Leg) any { return &r.ReplacesSIPCallID }},
		column[Leg]{"links", "JSON array of `{trace_id, span_id, reason}`: the legs it continues or replaces", func(r *Leg) any { return &r.Links }},
	)...),
}

var recordings = table[Recording]{
	name:   "recordings",
	about:  "A recording or a streaming of a call.",
	object: func(r *Recording) *Object { return &r.Object },
	columns: objectColumns("recording", func(r *Recording) *Object { return &r.Object }, append(append([]column[Recording]{
		{"kind", "`recording` or `streaming`", func(r *Recording) any { return &r.Kind }},
	}, roomColumns(func(r *Recording) *Room { return &r.Room })...),
		column[Recording]{"call_id", "the call", func(r *Recording) any { return &r.CallID }},
		column[Recording]{"call_leg_id", "the recorder's or streamer's leg", func(r *Recording) any { return &r.CallLegID }},
		column[Recording]{"path", "the file", func(r *Recording) any { return &r.Path }},
		column[Recording]{"device", "URI or URL of the recorder or streamer", func(r *Recording) any { return &r.Device }},
		column[Recording]{"url", "where it is streamed to, without the key", func(r *Recording) any { return &r.URL }},
	)...),
}

var sessions = table[Session]{
	name:   "sessions",
	about:  "A recording session of MediaSense.",
	object: func(r *Session) *Object { return &r.Object },
	columns: objectColumns("session", func(r *Session) *Object { return &r.Object },
		column[Session]{"ccid", "the call controller's id of the call", func(r *Session) any { return &r.CCID }},
		column[Session]{"controller_address", "call controller", func(r *Session) any { return &r.ControllerAddress }},
		column[Session]{"controller_type", "`Cisco-CUCM`, `Cisco-SIPGateway`, …", func(r *Session) any { return &r.ControllerType }},
		column[Session]{"media_state", "`ACTIVE`, `CLOSED_NORMAL`, `CLOSED_ERROR`, …", func(r *Session) any { return &r.MediaState }},
		column[Session]{"error_type", "the state, if it is a failure's", func(r *Session) any { return &r.ErrorType }},
		column[Session]{"parties", "`deviceRef`s, each once, with `, ` between", func(r *Session) any { return &r.Parties }},
		column[Session]{"tags", "JSON array", func(r *Session) any { return &r.Tags }},
		column[Session]{"urls", "JSON array", func(r *Session) any { return &r.URLs }},
		column[Session]{"links", "JSON array of `{trace_id, span_id, reason}`: the sessions of the same call before", func(r *Session) any { return &r.Links }},
	),
}

var tracks = table[Track]{
	name:   "tracks",
	about:  "One medium of a session in one direction.",
	object: func(r *Track) *Object { return &r.Object },
	columns: objectColumns("track", func(r *Track) *Object { return &r.Object },
		column[Track]{"session_id", "its session", func(r *Track) any { return &r.SessionID }},
		column[Track]{"track_number", "with CUCM 0 is the near end's", func(r *Track) any { return &r.TrackNumber }},
		column[Track]{"media_type", "`AUDIO` or `VIDEO`", func(r *Track) any { return &r.MediaType }},
		column[Track]{"codec", "`PCMA`, `G722`, `H264`, …", func(r *Track) any { return &r.Codec }},
		column[Track]{"download_url", "raw media", func(r *Track) any { return &r.DownloadURL }},
		column[Track]{"parties", "`deviceRef`s, each once, with `, ` between", func(r *Track) any { return &r.Parties }},
		column[Track]{"participants", "JSON array", func(r *Track) any { return &r.Participants }},
		column[Track]{"tags", "JSON array", func(r *Track) any { return &r.Tags }},
	),
}

var dialogs = table[Dialog]{
	name:   "dialogs",
	about:  "A SIP dialog that OCMS accounted for: a call, or a branch of one that was answered.",
	object: func(r *Dialog) *Object { return &r.Object },
	columns: objectColumns("dialog", func(r *Dialog) *Object { return &r.Object },
		column[Dialog]{"sip_call_id", "SIP Call-ID; a leg of the same is its parent", func(r *Dialog) any { return &r.SIPCallID }},
		column[Dialog]{"method", "SIP method", func(r *Dialog) any { return &r.Method }},
		column[Dialog]{"code", "final response", func(r *Dialog) any { return &r.Code }},
		column[Dialog]{"result", "`answered`, `failed`, `cancelled`, `challenged`, `redirected`; absent if it is not known", func(r *Dialog) any { return &r.Result }},
		column[Dialog]{"from_party", "address of the caller, as `user@host`", func(r *Dialog) any { return &r.FromParty }},
		column[Dialog]{"from_name", "its display name", func(r *Dialog) any { return &r.FromName }},
		column[Dialog]{"to_party", "address that was called, as `user@host`", func(r *Dialog) any { return &r.ToParty }},
		column[Dialog]{"to_name", "its display name", func(r *Dialog) any { return &r.ToName }},
		column[Dialog]{"error_type", "the status code, if it failed", func(r *Dialog) any { return &r.ErrorType }},
		column[Dialog]{"setup_seconds", "from the first INVITE to the answer", func(r *Dialog) any { return &r.SetupSeconds }},
		column[Dialog]{"ring_delay_seconds", "from the first INVITE until it rang", func(r *Dialog) any { return &r.RingDelaySeconds }},
		column[Dialog]{"ring_seconds", "how long it rang", func(r *Dialog) any { return &r.RingSeconds }},
		column[Dialog]{"answered_seconds", "from the answer to the end", func(r *Dialog) any { return &r.AnsweredSeconds }},
		column[Dialog]{"responses", "JSON array of `{code, offset}`: the first response of each code, milliseconds from the start", func(r *Dialog) any { return &r.Responses }},
		column[Dialog]{"links", "JSON array of `{trace_id, span_id, reason}`", func(r *Dialog) any { return &r.Links }},
	),
}

var storageEvents = table[StorageEvent]{
	name:  "storage_events",
	about: "A threshold of a MediaSense node's storage that was passed.",
	columns: []column[StorageEvent]{
		{"id", "computed from the rest", func(r *StorageEvent) any { return &r.ID }},
		{"at", "when", func(r *StorageEvent) any { return &r.At }},
		{"server", "who reported it", func(r *StorageEvent) any { return &r.Server }},
		{"node_id", "number of the node", func(r *StorageEvent) any { return &r.NodeID }},
		{"node_address", "its address", func(r *StorageEvent) any { return &r.NodeAddress }},
		{"partition", "`/common`", func(r *StorageEvent) any { return &r.Partition }},
		{"action", "`enter_low`, `exit_low`, `enter_critical`, …", func(r *StorageEvent) any { return &r.Action }},
		{"level", "what holds from then on: `normal`, `low`, `critical`, `emergency`", func(r *StorageEvent) any { return &r.Level }},
		{"utilization_percent", "of the partition", func(r *StorageEvent) any { return &r.UtilizationPercent }},
	},
}

var conferences = table[Conference]{
	name:  "conferences",
	about: "One meeting, on however many bridges; computed from the rows of its trace.",
	columns: append(append([]column[Conference]{
		{"trace_id", "hex", func(r *Conference) any { return &r.TraceID }},
		{"call_id", "the call that founded it", func(r *Conference) any { return &r.CallID }},
		{"bridge", "the bridge of that call", func(r *Conference) any { return &r.Bridge }},
	}, roomColumns(func(r *Conference) *Room { return &r.Room })...),
		column[Conference]{"call_type", "of the founding call", func(r *Conference) any { return &r.CallType }},
		column[Conference]{"correlator", "of its calls", func(r *Conference) any { return &r.Correlator }},
		column[Conference]{"owner_name", "meeting scheduler or owner", func(r *Conference) any { return &r.OwnerName }},
		column[Conference]{"cdr_tag", "tag of the coSpace, for billing", func(r *Conference) any { return &r.CDRTag }},
		column[Conference]{"state", "`running` while any call or leg is", func(r *Conference) any { return &r.State }},
		column[Conference]{"outcome", "`complete` if all its calls are; absent until all have one", func(r *Conference) any { return &r.Outcome }},
		column[Conference]{"started_at", "earliest start of a call; of a leg if there is no call", func(r *Conference) any { return &r.StartedAt }},
		column[Conference]{"ended_at", "latest end; absent while it runs", func(r *Conference) any { return &r.EndedAt }},
		column[Conference]{"duration_seconds", "from start to end; absent while it runs", func(r *Conference) any { return &r.DurationSeconds }},
		column[Conference]{"last_heard_at", "time of the newest record about it", func(r *Conference) any { return &r.LastHeardAt }},
		column[Conference]{"calls", "calls", func(r *Conference) any { return &r.Calls }},
		column[Conference]{"bridges", "Call Bridges", func(r *Conference) any { return &r.Bridges }},
		column[Conference]{"legs", "legs of any role", func(r *Conference) any { return &r.Legs }},
		column[Conference]{"participants", "participants, each once; running legs count as such", func(r *Conference) any { return &r.Participants }},
		column[Conference]{"failed_legs", "legs with an `error_type`", func(r *Conference) any { return &r.FailedLegs }},
		column[Conference]{"recordings", "recordings", func(r *Conference) any { return &r.Recordings }},
		column[Conference]{"streamings", "streamings", func(r *Conference) any { return &r.Streamings }},
		column[Conference]{"participant_seconds", "sum of the durations of participants' legs that are over", func(r *Conference) any { return &r.ParticipantSeconds }},
		column[Conference]{"packet_loss_percent", "worst of any leg", func(r *Conference) any { return &r.PacketLossPercent }},
		column[Conference]{"excessive_jitter_percent", "worst of any leg", func(r *Conference) any { return &r.ExcessiveJitterPercent }},
		column[Conference]{"high_round_trip_time_percent", "worst of any leg", func(r *Conference) any { return &r.HighRoundTripTimePercent }},
	),
}

// overlay writes two statements into the older one: what the newer one says, and what the older
// one says where the newer says nothing. Details are overlaid attribute by
// attribute.
func (t *table[T]) overlay(older, newer *T) {
	for _, c := range t.columns {
		switch to := c.field(older).(type) {
		case *string:
			if from := *c.field(newer).(*string); from != "" {
				*to = from
			}
		case *time.Time:
			if from := *c.field(newer).(*time.Time); !from.IsZero() {
				*to = from
			}
		case **int64:
			if from := *c.field(newer).(**int64); from != nil {
				*to = from
			}
		case **float64:
			if from := *c.field(newer).(**float64); from != nil {
				*to = from
			}
		case **bool:
			if from := *c.field(newer).(**bool); from != nil {
				*to = from
			}
		case *json.RawMessage:
			*to = overlayDocument(*to, *c.field(newer).(*json.RawMessage))
		}
	}
}

// overlayDocument joins two JSON objects; of anything else the newer stands.
func overlayDocument(older, newer json.RawMessage) json.RawMessage {
	switch {
	case len(newer) == 0:
		return older
	case len(older) == 0 || older[0] != '{' || newer[0] != '{':
		return newer
	}
	var joined map[string]json.RawMessage
	if json.Unmarshal(older, &joined) != nil || json.Unmarshal(newer, &joined) != nil {
		return newer
	}
	text, err := json.Marshal(joined)
	if err != nil {
		return newer
	}
	return text
}
