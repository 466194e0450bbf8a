// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// Events made from API responses of a Call Bridge.
const (
	// EventAPICallList and EventAPICallLegList list the ids of all calls or call legs of a
	// bridge, in one or more parts. Their time is the bridge's clock.
	EventAPICallList    = MeetingServer + ".api.call.list"
	EventAPICallLegList = MeetingServer + ".api.call_leg.list"
	// EventAPICallLegQuality is the media quality of a live leg.
	EventAPICallLegQuality = MeetingServer + ".api.call_leg.quality"
)

// EventRecordsIncomplete reports that call detail records of a bridge do not arrive at a
// receiver of this Collector. EventRecordsComplete reports that they arrive again.
const (
	EventRecordsIncomplete = MeetingServer + ".record.incomplete"
	EventRecordsComplete   = MeetingServer + ".record.complete"
)

// Attributes of these: the id of the receiver's component, the index of the bridge's
// next record, and the receiver's [MetricRecordPosition]. [ErrorType] has the problem.
const (
	RecordReceiver     = MeetingServer + ".record.receiver"
	RecordCreatedIndex = MeetingServer + ".record.created_index"
	RecordReceived     = MeetingServer + ".record.position_index"
)

// Attributes of [EventAPICallList] and [EventAPICallLegList].
const (
	// APIListIDs are the ids of one part, a slice of strings.
	APIListIDs = MeetingServer + ".api.list.ids"
	// APIListTotal is the number of ids of all parts.
	APIListTotal = MeetingServer + ".api.list.total"
	// APIListPart is the number of the part, from 1 to APIListParts.
	APIListPart  = MeetingServer + ".api.list.part"
	APIListParts = MeetingServer + ".api.list.parts"
	// APIBridgeStart is when the bridge started, in seconds since 1970.
	APIBridgeStart = MeetingServer + ".api.bridge_start"
)
