// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// Names of metrics from API responses of a Call Bridge.
const (
	MetricActivated                  = MeetingServer + ".activated"
	MetricAlarmActive                = MeetingServer + ".alarm.active"
	MetricAlarmDuration              = MeetingServer + ".alarm.duration"
	MetricBitRate                    = MeetingServer + ".bit_rate"
	MetricCallCount                  = MeetingServer + ".call.count"
	MetricCallBridgeCount            = MeetingServer + ".call_bridge.count"
	MetricCallLegActive              = MeetingServer + ".call_leg.active"
	MetricCallLegActiveMax           = MeetingServer + ".call_leg.active.max"
	MetricCallLegAlarmActive         = MeetingServer + ".call_leg.alarm.active"
	MetricCallLegCompleted           = MeetingServer + ".call_leg.completed"
	MetricCallLegImpaired            = MeetingServer + ".call_leg.impaired"
	MetricCDRReceiverCount           = MeetingServer + ".cdr_receiver.count"
	MetricCDRReceiverLimit           = MeetingServer + ".cdr_receiver.limit"
	MetricCDRReceiverPresent         = MeetingServer + ".cdr_receiver.present"
	MetricClockOffset                = MeetingServer + ".clock.offset"
	MetricClusterEnabled             = MeetingServer + ".cluster.enabled"
	MetricCoSpaceCount               = MeetingServer + ".cospace.count"
	MetricDatabaseError              = MeetingServer + ".database.error"
	MetricDatabaseNodeCount          = MeetingServer + ".database.node.count"
	MetricDatabaseNodeInUse          = MeetingServer + ".database.node.in_use"
	MetricDatabaseNodePrimary        = MeetingServer + ".database.node.primary"
	MetricDatabaseNodeSyncBehind     = MeetingServer + ".database.node.sync_behind"
	MetricDatabaseNodeUp             = MeetingServer + ".database.node.up"
	MetricLicenseRemaining           = MeetingServer + ".license.remaining"
	MetricLicenseState               = MeetingServer + ".license.state"
	MetricMediaProcessingLoad        = MeetingServer + ".media_processing.load"
	MetricMediaProcessingLimit       = MeetingServer + ".media_processing.load.limit"
	MetricMediaProcessingThreshold   = MeetingServer + ".media_processing.load.threshold"
	MetricMediaProcessingUtilization = MeetingServer + ".media_processing.utilization"
	MetricParticipantCount           = MeetingServer + ".participant.count"
	MetricParticipantLimit           = MeetingServer + ".participant.limit"
	MetricParticipantLocal           = MeetingServer + ".participant.local"
	MetricParticipantState           = MeetingServer + ".participant.state"
	MetricPeerLinkBitRateLimit       = MeetingServer + ".peer_link.bit_rate.limit"
	MetricPeerLinkVideoStreamLimit   = MeetingServer + ".peer_link.video_stream.limit"
	MetricRecordCreated              = MeetingServer + ".record.created"
	MetricUptime                     = MeetingServer + ".uptime"
)

// Metric names of live legs.
const (
	MetricLiveLeg           = MeetingServer + ".call_leg.live"
	MetricLiveDuration      = MeetingServer + ".call_leg.live.duration"
	MetricLiveFrameHeight   = MeetingServer + ".call_leg.live.frame_height"
	MetricLiveFrameRate     = MeetingServer + ".call_leg.live.frame_rate"
	MetricLiveBitRate       = MeetingServer + ".call_leg.live.bit_rate"
	MetricLiveJitter        = MeetingServer + ".call_leg.live.jitter"
	MetricLivePacketLoss    = MeetingServer + ".call_leg.live.packet_loss.ratio"
	MetricLiveRoundTripTime = MeetingServer + ".call_leg.live.round_trip_time"
)

// Metric names of live calls.
const (
	MetricLiveCall             = MeetingServer + ".call.live"
	MetricLiveCallBridges      = MeetingServer + ".call.live.bridges"
	MetricLiveCallDuration     = MeetingServer + ".call.live.duration"
	MetricLiveCallLegs         = MeetingServer + ".call.live.legs"
	MetricLiveCallParticipants = MeetingServer + ".call.live.participants"
)
