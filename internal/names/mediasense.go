// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// MediaSense is the prefix of all names for MediaSense's events.
const MediaSense = "cisco.mediasense"

// MediaSenseService is the default service.name of a MediaSense server.
const MediaSenseService = "cisco-mediasense"

// Attributes of MediaSense's events that other components read by name. All others follow
// from the rule: sessionStartDate is [KindSession] + ".session_start_date".
const (
	// MediaSenseSessionID is sessionId, wherever it stands.
	MediaSenseSessionID = MediaSense + ".session.id"
	// MediaSenseSessionIDs is the slice of session ids in a DELETED or PRUNED event.
	MediaSenseSessionIDs = MediaSense + ".session.session_ids"
	MediaSenseCCID       = MediaSense + ".session.ccid"
	// MediaSenseController and MediaSenseControllerType are the address and the type of the
	// call controller.
	MediaSenseController     = MediaSense + ".session.call_controller_ip"
	MediaSenseControllerType = MediaSense + ".session.call_controller_type"
	MediaSenseStartDate      = MediaSense + ".session.session_start_date"
	MediaSenseDuration       = MediaSense + ".session.session_duration"
	MediaSenseState          = MediaSense + ".session.session_state"
	// MediaSenseTracks, MediaSenseTags and MediaSenseURLs are slices of maps,
	// with the elements' names in snake case.
	MediaSenseTracks = MediaSense + ".session.tracks"
	MediaSenseTags   = MediaSense + ".session.tags"
	MediaSenseURLs   = MediaSense + ".session.urls"

	// MediaSenseTrackID is the session's id, "-track" and the track's number.
	MediaSenseTrackID           = MediaSense + ".track.id"
	MediaSenseTrackNumber       = MediaSense + ".track.track_number"
	MediaSenseTrackStartDate    = MediaSense + ".track.track_start_date"
	MediaSenseTrackDuration     = MediaSense + ".track.track_duration"
	MediaSenseTrackParticipants = MediaSense + ".track.participants"
	MediaSenseTrackTags         = MediaSense + ".track.tags"

	MediaSenseTagName        = MediaSense + ".tag.tag_name"
	MediaSenseTagType        = MediaSense + ".tag.tag_type"
	MediaSenseTagOffset      = MediaSense + ".tag.tag_offset"
	MediaSenseTagCreateDate  = MediaSense + ".tag.tag_create_date"
	MediaSenseTagTrackNumber = MediaSense + ".tag.track_number"

	MediaSenseStorageNodeID      = MediaSense + ".storage_threshold.node_id"
	MediaSenseStorageNodeAddress = MediaSense + ".storage_threshold.node_ip_address"
	MediaSenseStoragePartition   = MediaSense + ".storage_threshold.partition"
	MediaSenseStoragePercentage  = MediaSense + ".storage_threshold.percentage_utilization"

	// MediaSenseForwarded is true on an event that the other server of the cluster
	// forwarded.
	MediaSenseForwarded = MediaSense + ".forwarded_event"
	// MediaSenseEventType and MediaSenseEventAction are on events whose name
	// does not say it.
	MediaSenseEventType   = MediaSense + ".event_type"
	MediaSenseEventAction = MediaSense + ".event_action"

	// MediaSenseRecordOffset is the offset of a malformed part in the posted body.
	MediaSenseRecordOffset = MediaSense + ".record.offset"
	// MediaSenseRecordPart numbers the events of one long body from 1 to
	// MediaSenseRecordParts.
	MediaSenseRecordPart  = MediaSense + ".record.part"
	MediaSenseRecordParts = MediaSense + ".record.parts"
)

// Prefixes of the other objects; [KindSession] and [KindTrack] are those of
// sessions and tracks.
const (
	MediaSenseTagPrefix     = MediaSense + ".tag"
	MediaSenseStoragePrefix = MediaSense + ".storage_threshold"
	MediaSenseBodyPrefix    = MediaSense + ".event_body"
)

// Attributes of stitched sessions and tracks that callstitch computes from all of their
// events.
const (
	// MediaSenseNearEnd is the xRefCi of the device whose call is recorded, on a
	// session without a ccid: sessions of one call share it.
	MediaSenseNearEnd = MediaSense + ".session.near_end.x_ref_ci"
	// MediaSenseTrackCount is the number of tracks of a session.
	MediaSenseTrackCount = MediaSense + ".session.track_count"
	// MediaSensePauses is a slice of maps with ElementOffset and ElementDuration:
	// from a Pause tag to the next Resume, or the end.
	MediaSensePauses        = MediaSense + ".session.pauses"
	MediaSensePausedSeconds = MediaSense + ".session.paused_seconds"
	// MediaSenseSilences likewise, from TrackInactive to TrackActive.
	MediaSenseSilences      = MediaSense + ".track.silences"
	MediaSenseSilentSeconds = MediaSense + ".track.silent_seconds"
)

// Elements of the maps in MediaSense's lists that other components read by name.
const (
	ElementTrackNumber      = "track_number"
	ElementParticipants     = "participants"
	ElementTags             = "tags"
	ElementDeviceRef        = "device_ref"
	ElementXRefCI           = "x_ref_ci"
	ElementParticipantStart = "participant_start_date"
	ElementTagName          = "tag_name"
	ElementTagType          = "tag_type"
	ElementTagOffset        = "tag_offset"
	ElementTagCreateDate    = "tag_create_date"
	// ElementOffset and ElementDuration are milliseconds, the first from the start
	// of the session.
	ElementOffset   = "offset"
	ElementDuration = "duration"
)

// Events of MediaSense.
const (
	EventSessionStarted = MediaSense + ".session.started"
	EventSessionUpdated = MediaSense + ".session.updated"
	EventSessionEnded   = MediaSense + ".session.ended"
	EventSessionDeleted = MediaSense + ".session.deleted"
	EventSessionPruned  = MediaSense + ".session.pruned"

	// EventTrackStarted, EventTrackUpdated and EventTrackEnded are about one track of a
	// session event.
	EventTrackStarted = MediaSense + ".track.started"
	EventTrackUpdated = MediaSense + ".track.updated"
	EventTrackEnded   = MediaSense + ".track.ended"

	EventTagAdded   = MediaSense + ".tag.added"
	EventTagUpdated = MediaSense + ".tag.updated"
	EventTagDeleted = MediaSense + ".tag.deleted"

	EventStorageEnterLow       = MediaSense + ".storage_threshold.enter_low"
	EventStorageExitLow        = MediaSense + ".storage_threshold.exit_low"
	EventStorageEnterCritical  = MediaSense + ".storage_threshold.enter_critical"
	EventStorageExitCritical   = MediaSense + ".storage_threshold.exit_critical"
	EventStorageEnterEmergency = MediaSense + ".storage_threshold.enter_emergency"
	EventStorageExitEmergency  = MediaSense + ".storage_threshold.exit_emergency"

	// EventMediaSenseUnknown has an undocumented type or action.
	EventMediaSenseUnknown = MediaSense + ".record.unknown"
	// EventMediaSenseMalformed has a body that cannot be decoded.
	EventMediaSenseMalformed = MediaSense + ".record.malformed"

	// EventSessionSpan and EventTrackSpan are stitched records.
	EventSessionSpan = MediaSense + ".session.span"
	EventTrackSpan   = MediaSense + ".track.span"
)

// Metric names, counted from MediaSense's events.
const (
	MetricStorageUtilization        = MediaSense + ".storage.utilization"
	MetricStorageState              = MediaSense + ".storage.state"
	MetricStorageThreshold          = MediaSense + ".storage.threshold"
	MetricMediaSenseSessionStarted  = MediaSense + ".session.started"
	MetricMediaSenseSessionEnded    = MediaSense + ".session.ended"
	MetricMediaSenseSessionDeleted  = MediaSense + ".session.deleted"
	MetricMediaSenseSessionPruned   = MediaSense + ".session.pruned"
	MetricMediaSenseSessionDuration = MediaSense + ".session.duration"
	MetricMediaSenseTag             = MediaSense + ".tag"
)

// Metric attributes, short because the metric's name carries the rest.
const (
	KeyNodeID      = "node.id"
	KeyNodeAddress = "node.address"
	KeyPartition   = "partition"
	KeyAction      = "action"
	KeyTagType     = "tag.type"
)
