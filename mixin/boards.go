// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import "fmt"

// Boards returns all dashboards.
func Boards(c Config) []Board {
	return []Board{c.overview(), c.quality(), c.bridges(), c.recordingStorage(), c.sip(), c.pipeline(), oneMeeting()}
}

// rate returns the rate of a counter, by labels.
func rate(labels, selector string) string {
	return fmt.Sprintf("sum by (%s) (rate(%s[%s]))", labels, selector, rateWindow)
}

// p95 returns the 95th percentile of a histogram, by labels.
func p95(labels, bucket string) string {
	return fmt.Sprintf("histogram_quantile(0.95, sum by (%s, le) (rate(%s[%s])))", labels, bucket, rateWindow)
}

func legend(labels ...string) string {
	text := ""
	for _, l := range labels {
		if text != "" {
			text += " "
		}
		text += "{{" + l + "}}"
	}
	return text
}

func (c Config) overview() Board {
	slo := func(metric, id string) string {
		return fmt.Sprintf(`max by (%[1]s) (%[2]s{%[1]s=~"%[3]s", sloth_id=%[4]q})`, c.ClusterLabel, metric, varCluster, id)
	}
	// Budgets of a service level, in one row.
	level := func(name, id string) []Panel {
		return []Panel{
			{
				Title: name + ": error budget left", Description: "Of 30 days. Below 0 the objective is missed.", Unit: "percentunit", kind: number, width: 6,
				Queries: []Query{{slo("slo:period_error_budget_remaining:ratio", id), legend(c.ClusterLabel)}},
			},
			{
				Title: name + ": burn rate", Description: "1 uses up the budget in exactly 30 days; an alert rings from 14.4 on within minutes.", Unit: "none", kind: number, width: 6,
				Queries: []Query{{slo("slo:current_burn_rate:ratio", id), legend(c.ClusterLabel)}},
			},
			{
				Title: name + ": bad events", Description: "Share of bad events in an hour and in five minutes.", Unit: "percentunit",
				Queries: []Query{{slo(sliRatio+"1h", id), "1h " + legend(c.ClusterLabel)}, {slo(sliRatio+"5m", id), "5m " + legend(c.ClusterLabel)}},
			},
		}
	}
	return Board{
		UID: "legato-overview", Title: "Cisco meetings / Overview", Description: "Meetings, people, and the service levels of joins and quality.",
		Rows: []Row{
			{"Now", []Panel{
				{
					Title: "Meetings", Description: "Meetings that are going on. One on several bridges counts once.", Unit: "none", kind: number, width: 6,
					Queries: []Query{{fmt.Sprintf("sum by (%s) (%s)", c.ClusterLabel, c.of("cisco_meeting_server_call_active")), legend(c.ClusterLabel)}},
				},
				{
					Title: "People", Description: "Participants of the meetings that are watched.", Unit: "none", kind: number, width: 6,
					Queries: []Query{{fmt.Sprintf("sum by (%s) (%s)", c.ClusterLabel, c.of("cisco_meeting_server_participant_active")), legend(c.ClusterLabel)}},
				},
				{
					Title: "Recorded meetings", Description: "Meetings that are recorded.", Unit: "none", kind: number, width: 6,
					Queries: []Query{{fmt.Sprintf("sum by (%s) (%s)", c.ClusterLabel, c.of("cisco_meeting_server_call_recording")), legend(c.ClusterLabel)}},
				},
				{
					Title: "Lost records", Description: "Call detail records that never arrived, in the time that is shown.", Unit: "none", kind: number, width: 6,
					Queries: []Query{{fmt.Sprintf("sum by (%s) (increase(%s[$__range]))", c.ClusterLabel, c.of("cisco_meeting_server_record_missing_total")), legend(c.ClusterLabel)}},
				},
			}},
			{"Joins: service level", level("Joins", "cisco-meeting-server-joins")},
			{"Quality: service level", level("Quality", "cisco-meeting-server-quality")},
			{"Calls", []Panel{
				{Title: "Call legs started", Description: "Legs that started, by direction.", Unit: "cps", Queries: []Query{{rate("direction, "+c.ClusterLabel, c.of(legStarted)), legend("direction", c.ClusterLabel)}}},
				{
					Title: "Call legs ended, by reason", Description: "Why legs ended; unknownDestination is mostly scanners.", Unit: "cps",
					Queries: []Query{{rate("reason, "+c.ClusterLabel, c.of(legEnded)), legend("reason", c.ClusterLabel)}},
				},
				{
					Title: "Failed joins, by reason", Description: "Legs that ended before they left set-up, lobby or IVR.", Unit: "cps",
					Queries: []Query{{rate("reason, "+c.ClusterLabel, c.of(legEnded, `activated="false"`)), legend("reason", c.ClusterLabel)}},
				},
				{Title: "Duration of calls", Description: "95 % of the calls that ended were shorter.", Unit: "s", Queries: []Query{{p95(c.ClusterLabel, c.of("cisco_meeting_server_call_duration_seconds_bucket")), legend(c.ClusterLabel)}}},
			}},
		},
	}
}

func (c Config) quality() Board {
	live := []string{c.BridgeLabel, "media_type", "direction"}
	by := c.bridge("media_type", "direction")
	const loss = "cisco_meeting_server_call_leg_live_packet_loss_ratio"
	return Board{
		UID: "legato-quality", Title: "Cisco meetings / Quality", Description: "How good connections are: now, by the API, and afterwards, by call detail records.",
		Rows: []Row{
			{"Live connections", []Panel{
				{
					Title: "Packet loss", Description: "Mean of the live legs that were looked at; legs with an alarm weigh more.", Unit: "percentunit",
					Queries: []Query{{rate(by, c.of(loss+"_sum")) + " / " + rate(by, c.of(loss+"_count")), legend(live...)}},
				},
				{Title: "Jitter", Description: "95 % of the samples are below.", Unit: "s", Queries: []Query{{p95(by, c.of("cisco_meeting_server_call_leg_live_jitter_seconds_bucket")), legend(live...)}}},
				{Title: "Round trip time", Description: "95 % of the samples are below.", Unit: "s", Queries: []Query{{p95(by, c.of("cisco_meeting_server_call_leg_live_round_trip_time_seconds_bucket")), legend(live...)}}},
				{
					Title: "Legs with an alarm", Description: "Live legs with an active alarm of any type.", Unit: "none",
					Queries: []Query{{fmt.Sprintf("max by (%s) (%s)", c.bridge(), c.of("cisco_meeting_server_call_leg_impaired")), legend(c.BridgeLabel)}},
				},
			}},
			{"Ended connections", []Panel{
				{
					Title: "Legs by quality", Description: "Each leg with media once: bad was in alarm for a tenth of its time or more.", Unit: "cps",
					Queries: []Query{{rate("state, "+c.ClusterLabel, c.of("cisco_meeting_server_call_leg_quality_total")), legend("state", c.ClusterLabel)}},
				},
				{
					Title: "Alarms by type", Description: "Thresholds of Cisco's alarms are adaptive: look at ratios over many legs.", Unit: "cps",
					Queries: []Query{{rate("alarm_type, "+c.ClusterLabel, c.of("cisco_meeting_server_call_leg_alarm_total")), legend("alarm_type", c.ClusterLabel)}},
				},
				{
					Title: "Bursts of packet loss", Description: "95 % of the legs were in bursts for a shorter time.", Unit: "s",
					Queries: []Query{{p95(c.bridge("media_type"), c.of("cisco_meeting_server_call_leg_packet_loss_burst_duration_seconds_bucket")), legend(c.BridgeLabel, "media_type")}},
				},
				{
					Title: "Encryption", Description: "Legs by the encryption of their media.", Unit: "cps",
					Queries: []Query{{rate("state, "+c.ClusterLabel, c.of("cisco_meeting_server_call_leg_encryption_total")), legend("state", c.ClusterLabel)}},
				},
			}},
		},
	}
}

func (c Config) bridges() Board {
	gauge := func(name string, more ...string) []Query {
		return []Query{{fmt.Sprintf("max by (%s) (%s)", c.bridge(more...), c.of(name)), legend(append([]string{c.BridgeLabel}, more...)...)}}
	}
	return Board{
		UID: "legato-bridges", Title: "Cisco meetings / Bridges and capacity", Description: "The Call Bridges of the clusters: load, alarms, database, licences, and whether their records arrive.",
		Rows: []Row{
			{"Capacity", []Panel{
				{Title: "Media load", Description: "Load by its limit. From 80 % on bridges refuse new meetings unless configured otherwise.", Unit: "percentunit", Queries: gauge("cisco_meeting_server_media_processing_utilization_ratio")},
				{Title: "Call legs", Description: "Active legs, links between bridges among them.", Unit: "none", Queries: gauge("cisco_meeting_server_call_leg_active")},
				{Title: "Bit rate", Description: "Of all legs of a bridge.", Unit: "bps", Queries: gauge("cisco_meeting_server_bit_rate_per_second", "media_type", "direction")},
				{Title: "Uptime", Description: "Time since the bridge started.", Unit: "s", Queries: gauge("cisco_meeting_server_uptime_seconds")},
			}},
			{"Faults", []Panel{
				{Title: "Active alarms", Description: "Faults that a bridge reports itself.", Unit: "none", Queries: gauge("cisco_meeting_server_alarm_active", "alarm_type")},
				{
					Title: "Clock offset", Description: "Clock of the bridge less that of the Collector.", Unit: "s",
					Queries: []Query{{fmt.Sprintf("max by (%s) (abs(%s))", c.bridge(), c.of("cisco_meeting_server_clock_offset_seconds")), legend(c.BridgeLabel)}},
				},
				{Title: "Licences", Description: "Days until a licence expires.", Unit: "d", Queries: []Query{{fmt.Sprintf("min by (%s) (%s)", c.bridge("feature"), c.of("cisco_meeting_server_license_remaining_days")), legend(c.BridgeLabel, "feature")}}},
				{
					Title: "Database nodes", Description: "1 for a node that some bridge reaches.", Unit: "none",
					Queries: []Query{{fmt.Sprintf("max by (%s, node_address) (%s)", c.ClusterLabel, c.of("cisco_meeting_server_database_node_up")), legend("node_address")}},
				},
			}},
			{"Call detail records", []Panel{
				{
					Title: "Created and not arrived", Description: "Records that the bridge has created beyond the position that is accounted for.", Unit: "none",
					Queries: []Query{{fmt.Sprintf("max by (%[1]s) (%[2]s) - on (%[1]s) max by (%[1]s) (%[3]s)", c.bridge(), c.of("cisco_meeting_server_record_created_total"), c.of("cisco_meeting_server_record_position")), legend(c.BridgeLabel)}},
				},
				{Title: "Lost records", Description: "Holes in the numbers of records.", Unit: "cps", Queries: []Query{{rate(c.bridge(), c.of("cisco_meeting_server_record_missing_total")), legend(c.BridgeLabel)}}},
			}},
		},
	}
}

func (c Config) recordingStorage() Board {
	return Board{
		UID: "legato-recording", Title: "Cisco meetings / Recording storage", Description: "MediaSense: recordings and the disks that they are on.",
		Rows: []Row{
			{"Disks", []Panel{
				{
					Title: "State", Description: "1 for the state that a partition is in.", Unit: "none",
					Queries: []Query{{fmt.Sprintf("max by (%s, node_address, partition, state) (%s) == 1", c.ClusterLabel, c.ofCluster("cisco_mediasense_storage_state")), legend("node_address", "partition", "state")}},
				},
				{
					Title: "Utilization", Description: "How full a partition was when it last crossed a threshold.", Unit: "percentunit",
					Queries: []Query{{fmt.Sprintf("max by (%s, node_address, partition) (%s)", c.ClusterLabel, c.ofCluster("cisco_mediasense_storage_utilization_ratio")), legend("node_address", "partition")}},
				},
			}},
			{"Recordings", []Panel{
				{
					Title: "Sessions ended, by state", Description: "CLOSED_ERROR is a recording without its media.", Unit: "cps",
					Queries: []Query{{rate("state, "+c.ClusterLabel, c.ofCluster("cisco_mediasense_session_ended_total")), legend("state", c.ClusterLabel)}},
				},
				{
					Title: "Sessions started", Description: "Recording sessions started, by kind of media.", Unit: "cps",
					Queries: []Query{{rate("media_type, "+c.ClusterLabel, c.ofCluster("cisco_mediasense_session_started_total")), legend("media_type", c.ClusterLabel)}},
				},
				{
					Title: "Recordings of bridges", Description: "Started by the bridges' own recorders.", Unit: "cps",
					Queries: []Query{{rate(c.ClusterLabel, c.ofCluster("cisco_meeting_server_recording_started_total")), legend(c.ClusterLabel)}},
				},
			}},
		},
	}
}

func (c Config) sip() Board {
	attempts := rate(c.ClusterLabel, c.ofCluster("oracle_ocms_invite_attempt_total"))
	return Board{
		UID: "legato-sip", Title: "Cisco meetings / SIP", Description: "Calls by way of the SIP proxy in front of the bridges.",
		Rows: []Row{
			{"Calls", []Panel{
				{Title: "Attempts", Description: "Calls: Call-IDs with an INVITE or an answer to one.", Unit: "cps", Queries: []Query{{attempts, legend(c.ClusterLabel)}}},
				{
					Title: "Answered", Description: "Share of the attempts that were answered: the answer-seizure ratio.", Unit: "percentunit",
					Queries: []Query{{rate(c.ClusterLabel, c.ofCluster("oracle_ocms_invite_answered_total")) + " / " + attempts, legend(c.ClusterLabel)}},
				},
				{
					Title: "Failed, by class", Description: "Calls whose first final response was 4xx, 5xx or 6xx.", Unit: "cps",
					Queries: []Query{{rate("sip_code_class, "+c.ClusterLabel, c.ofCluster("oracle_ocms_invite_failed_total")), legend("sip_code_class", c.ClusterLabel)}},
				},
				{Title: "Time to ring", Description: "95 % of the calls rang sooner.", Unit: "s", Queries: []Query{{p95(c.ClusterLabel, c.ofCluster("oracle_ocms_invite_ringing_delay_seconds_bucket")), legend(c.ClusterLabel)}}},
			}},
			{"Messages", []Panel{
				{Title: "Requests", Description: "SIP requests that were logged.", Unit: "reqps", Queries: []Query{{rate("sip_method, "+c.ClusterLabel, c.ofCluster("oracle_ocms_request_total")), legend("sip_method")}}},
				{Title: "Responses", Description: "SIP responses that were logged.", Unit: "reqps", Queries: []Query{{rate("sip_code, "+c.ClusterLabel, c.ofCluster("oracle_ocms_response_total")), legend("sip_code")}}},
			}},
		},
	}
}

func (c Config) pipeline() Board {
	gauge := func(name, suffix string, more ...string) []Query {
		return []Query{{fmt.Sprintf("max by (%s) (%s)", c.collector(more...), c.ofJob(name, suffix)), legend(append([]string{"instance"}, more...)...)}}
	}
	counter := func(name string, more ...string) []Query {
		return []Query{{rate(c.collector(more...), c.ofJob(name, totalSuffix)), legend(append([]string{"instance"}, more...)...)}}
	}
	return Board{
		UID: "legato-pipeline", Title: "Cisco meetings / Pipeline health", Description: "The Collectors: what comes in, what is held, and what goes out.", own: true,
		Rows: []Row{
			{"In", []Panel{
				{Title: "Call detail records, by outcome", Description: "refused records come again, lost ones do not.", Unit: "cps", Queries: counter("otelcol_receiver_cmscdr_records", "outcome")},
				{Title: "Answers to Call Bridges", Description: "Anything but 200 makes a bridge keep its records.", Unit: "reqps", Queries: counter("otelcol_receiver_cmscdr_requests", "http_response_status_code")},
				{
					Title: "Lag of records", Description: "95 % of the records were accepted sooner after they were made.", Unit: "s",
					Queries: []Query{{p95(c.collector(), c.bucketOfJob("otelcol_receiver_cmscdr_lag")), legend("instance")}},
				},
				{
					Title: "Problems with APIs and events", Description: "1 while a server has the problem.", Unit: "none",
					Queries: append(gauge("otelcol_receiver_cmsapi_problems", noSuffix, "server_address", "server_port", "problem"), gauge("otelcol_receiver_cmsevents_problems", noSuffix, "server_address", "server_port", "problem")...),
				},
			}},
			{"Held", []Panel{
				{Title: "Open objects", Description: "Calls, legs and recordings that have not ended.", Unit: "none", Queries: gauge("otelcol_processor_callstitch_open_objects", noSuffix, "kind")},
				{Title: "Size of the state", Description: "Memory for what records of open objects say.", Unit: "bytes", Queries: gauge("otelcol_processor_callstitch_state_size", noSuffix)},
				{Title: "Waiting for the next consumer", Description: "Age of the oldest stitched record that was not taken.", Unit: "s", Queries: gauge("otelcol_processor_callstitch_owed_age", secondsSuffix)},
				{
					Title: "Queues of exporters", Description: "Share of a queue that is used.", Unit: "percentunit",
					Queries: []Query{{fmt.Sprintf("max by (%[1]s) (%[2]s) / on (%[1]s) max by (%[1]s) (%[3]s > 0)", c.collector("exporter", "data_type"), c.ofJob("otelcol_exporter_queue_size", noSuffix), c.ofJob("otelcol_exporter_queue_capacity", noSuffix)), legend("instance", "exporter", "data_type")}},
				},
			}},
			{"Out", []Panel{
				{Title: "Stitched records, by outcome", Description: "complete is the usual one.", Unit: "cps", Queries: counter("otelcol_processor_callstitch_emitted", "outcome")},
				{Title: "Records of the archive, by outcome", Description: "Records with outcome unchanged add nothing to the archive.", Unit: "cps", Queries: counter("otelcol_exporter_callrecord_records", "outcome")},
				{
					Title: "Failed writes", Description: "Of the state of callstitch, and of the archive.", Unit: "cps",
					Queries: append(counter("otelcol_processor_callstitch_storage_failures"), counter("otelcol_exporter_callrecord_write_failures")...),
				},
			}},
		},
	}
}

// oneMeeting follows a single meeting by its trace id.
func oneMeeting() Board {
	return Board{
		UID: "legato-meeting", Title: "Cisco meetings / One meeting", Description: "The trace of a meeting, and its event records.", trace: true,
		Rows: []Row{{"$trace", []Panel{
			{Title: "Trace", Description: "A span for the meeting, each call, leg, recording and SIP dialog; spans come when an object is over.", Unit: "none", kind: traceView, Queries: []Query{{Expr: "$trace"}}},
			{
				Title: "Events", Description: "Every record of the meeting, also while it runs.", Unit: "none", kind: logLines,
				Queries: []Query{{Expr: `{service_name=~"cisco-meeting-server|cisco-mediasense|oracle-ocms"} | trace_id="$trace"`}},
			},
		}}},
	}
}
