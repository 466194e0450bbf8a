// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

// Config is all that differs between estates. Its zero value is of no use: begin
// with DefaultConfig.
type Config struct {
	// Selector is added to every selector of a pipeline metric (cisco_*, oracle_*), as
	// in `cisco_meeting_server_cluster=~"emea.*"`.
	Selector string `yaml:"selector"`
	// SelfSelector is added to every selector of a Collector's own metric (otelcol_*).
	SelfSelector string `yaml:"self_selector"`
	// ClusterLabel tells clusters apart: every aggregation and every match keeps it.
	// Nothing on the wire names a cluster; the operator sets the attribute
	// cisco.meeting_server.cluster in resource_attributes. A label that no series has
	// is the empty label of all of them.
	ClusterLabel string `yaml:"cluster_label"`
	// BridgeLabel names a Call Bridge, a MediaSense server or an OCMS host in a cluster:
	// service.instance.id.
	BridgeLabel string `yaml:"bridge_label"`
	// SelfLabels tell Collectors apart.
	SelfLabels []string `yaml:"self_labels"`
	// CollectorSelector selects the Collectors in the metric up.
	CollectorSelector string `yaml:"collector_selector"`
	// RunbookURL is the folder of the runbooks; the name of the alert and .md follow.
	RunbookURL string `yaml:"runbook_url"`
	// TimeScale multiplies every time of the rules. It is 1; the end-to-end test of the
	// drills sets less, so that a window of an hour passes in a minute.
	TimeScale float64 `yaml:"time_scale"`
	// AlarmsCritical and AlarmsInfo are regular expressions of types of a bridge's own alarms
	// (GET /system/alarms); all other types are warnings. People notice critical alarms at once:
	// bridges that do not reach each other split meetings, records that are not taken are lost
	// in the end, and meetings are not recorded. Alarms of severity info concern the look of
	// pages and the sound of prompts.
	AlarmsCritical string `yaml:"alarms_critical"`
	AlarmsInfo     string `yaml:"alarms_info"`
	// Thresholds of the alerts.
	Thresholds Thresholds `yaml:"thresholds"`
	// Joins and Quality are the service level objectives.
	Joins   Objective `yaml:"joins"`
	Quality Objective `yaml:"quality"`
}

// Objective of a service level.
type Objective struct {
	// Target is the share of good events in percent.
	Target float64 `yaml:"target"`
	// MinEvents is how many events a window must have to alert: few events make any
	// ratio.
	MinEvents int `yaml:"min_events"`
}

// Thresholds are numbers that estates may see differently. Ratios are 0 to 1.
type Thresholds struct {
	// PacketLossWarning and PacketLossCritical are mean loss ratios of live legs:
	// Polycom and Pexip call 5 % poor and 10 % unusable, Teams 10 % poor.
	PacketLossWarning  float64 `yaml:"packet_loss_warning"`
	PacketLossCritical float64 `yaml:"packet_loss_critical"`
	// Jitter in seconds; 95 % of the samples are below: decoders' buffers hide 30 to 50 ms.
	Jitter float64 `yaml:"jitter"`
	// RoundTripTime in seconds; 95 % of the samples are below: G.114 calls 150 ms one way
	// good; two ways are 300 ms.
	RoundTripTime float64 `yaml:"round_trip_time"`
	// LiveSamples is how many samples a ratio of live legs must have in its window: an
	// alert is about many legs, since thresholds of a single leg mean little.
	LiveSamples int `yaml:"live_samples"`
	// MediaLoadWarning and MediaLoadCritical are shares of the load limit. From 80 % on a
	// bridge refuses new conferences, from 90 % on growing ones, unless it is configured
	// otherwise.
	MediaLoadWarning  float64 `yaml:"media_load_warning"`
	MediaLoadCritical float64 `yaml:"media_load_critical"`
	// ParticipantsNearLimit is a share of the configured limit of participants.
	ParticipantsNearLimit float64 `yaml:"participants_near_limit"`
	// LicenceWarningDays and LicenceCriticalDays before a licence expires: a purchase
	// takes weeks.
	LicenceWarningDays  int `yaml:"licence_warning_days"`
	LicenceCriticalDays int `yaml:"licence_critical_days"`
	// SyncBehindBytes is how far a database node may be behind while it catches up.
	SyncBehindBytes int `yaml:"sync_behind_bytes"`
	// ClockOffset in seconds between a bridge and the Collector. callstitch takes
	// clocks within clock_tolerance, 5 s, for equal.
	ClockOffset float64 `yaml:"clock_offset"`
	// DropRatio is the share of activated legs that end by an error or a time-out: Teams
	// publishes 3 %.
	DropRatio float64 `yaml:"drop_ratio"`
	// DropMinEvents is how many legs that ratio must be of.
	DropMinEvents int `yaml:"drop_min_events"`
	// ScansPerHour is a number of legs to unknown destinations in an hour below which no alert
	// fires, and ScanFactor how many times the hour of the day before it must be: every
	// reachable bridge is scanned all the time.
	ScansPerHour int     `yaml:"scans_per_hour"`
	ScanFactor   float64 `yaml:"scan_factor"`
	// SignInErrors in 15 minutes: a few are mistyped passwords.
	SignInErrors int `yaml:"sign_in_errors"`
	// SIPServerErrorRatio is the share of calls that fail with 5xx, and SIPMinCalls how
	// many calls it must be of: RFC 6076 counts server failures as ineffective; 20 calls
	// are the least that Jitsi alerts on.
	SIPServerErrorRatio float64 `yaml:"sip_server_error_ratio"`
	SIPMinCalls         int     `yaml:"sip_min_calls"`
	// QueueRatio is a share of an exporter's queue: calls beyond the capacity are refused.
	QueueRatio float64 `yaml:"queue_ratio"`
	// SpansOwedSeconds is the age of the oldest stitched record that the next consumer
	// does not take. A stop of a backend for an upgrade takes a minute or two.
	SpansOwedSeconds int `yaml:"spans_owed_seconds"`
}

// DefaultConfig returns the configuration of the committed rules.
func DefaultConfig() Config {
	return Config{
		ClusterLabel:      "cisco_meeting_server_cluster",
		BridgeLabel:       "service_instance_id",
		SelfLabels:        []string{"job", "instance"},
		CollectorSelector: `job=~"collector|otelcol.*|legato.*"`,
		RunbookURL:        "https://github.com/legato-otel/legato/blob/main/docs/runbooks/",
		TimeScale:         1,
		AlarmsCritical:    "callBridgeConnectionFailure|cdrConnectionFailure|databaseConnectionError|recorderUnavailable|c2wConnectionFailure",
		AlarmsInfo:        "callBrandingResourceInvalid|ivrBrandingResourceInvalid|webBridge.+Failure",
		// Teams publishes 0.5 % failed set-ups and 2 % poor streams.
		Joins:   Objective{Target: 99.5, MinEvents: 50},
		Quality: Objective{Target: 98, MinEvents: 50},
		Thresholds: Thresholds{
			PacketLossWarning: 0.05, PacketLossCritical: 0.10, Jitter: 0.05, RoundTripTime: 0.3, LiveSamples: 20,
			MediaLoadWarning: 0.8, MediaLoadCritical: 0.9, ParticipantsNearLimit: 0.9,
			LicenceWarningDays: 60, LicenceCriticalDays: 30, SyncBehindBytes: 16 << 20, ClockOffset: 5,
			DropRatio: 0.03, DropMinEvents: 50, ScansPerHour: 100, ScanFactor: 3, SignInErrors: 5,
			SIPServerErrorRatio: 0.05, SIPMinCalls: 20, QueueRatio: 0.8, SpansOwedSeconds: 300,
		},
	}
}
