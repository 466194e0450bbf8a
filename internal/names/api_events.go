// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// Events of what the API of a Call Bridge says.
const (
	// EventAPICallList and EventAPICallLegList are all calls, and all call legs, that a
	// bridge had when it was asked, in one or more parts. Their time is the bridge's.
	EventAPICallList    = MeetingServer + ".api.call.list"
	EventAPICallLegList = MeetingServer + ".api.call_leg.list"
	// EventAPICallLegQuality is how the media of a live leg are.
	EventAPICallLegQuality = MeetingServer + ".api.call_leg.quality"
)

// EventRecordsIncomplete says that call detail records of a bridge do not arrive at a
// receiver of this Collector, and EventRecordsComplete that they do again.
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
	// APIListIDs are the ids of a part, a slice of texts.
	APIListIDs = MeetingServer + ".api.list.ids"
	// APIListTotal is how many ids all parts have.
	APIListTotal = MeetingServer + ".api.list.total"
	// APIListPart of APIListParts says which part an event has, from 1.
	APIListPart  = MeetingServer + ".api.list.part"
	APIListParts = MeetingServer + ".api.list.parts"
	// APIBridgeStart is when the bridge started, in seconds since 1970.
	APIBridgeStart = MeetingServer + ".api.bridge_start"
)
