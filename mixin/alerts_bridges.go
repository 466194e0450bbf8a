// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import "fmt"

// bridgeAlerts are about the bridges themselves: their API, events, syslog and cluster.
func (c Config) bridgeAlerts() []Rule {
	rules := c.connectionAlerts()
	rules = append(rules, c.capacityAlerts()...)
	rules = append(rules, c.databaseAlerts()...)
	return append(rules, c.syslogAlerts()...)
}

func (c Config) connectionAlerts() []Rule {
	const (
		problems = "otelcol_receiver_cmsevents_problems"
		server   = "server_address"
		port     = "server_port"
	)
	where := label(server) + ":" + label(port)
	return []Rule{
		// Meeting Management calls it an error. Five minutes are longer than the waits
		// between connections, 60 s at most.
		alert("CiscoMeetingServerEventsDisconnected", warning, "5m",
			fmt.Sprintf(`max by (%s) (%s) == 0`, c.collector(server, port), c.own("otelcol_receiver_cmsevents_connections", noSuffix, `state="running"`)),
			"No events come from a Call Bridge",
			c.ofCollector()+" has no running connection for events to "+where+"."),
		alert("CiscoMeetingServerEventsProblem", warning, "10m",
			fmt.Sprintf(`max by (%s) (%s) > 0`, c.collector(server, port, "problem"), c.own(problems, noSuffix, `problem!~"left_out|disconnected"`)),
			"Events of a Call Bridge are not whole",
			c.ofCollector()+" has the problem "+label("problem")+" with the events of "+where+"."),
		// Three scrapes of a minute: one that fails is a restart or a busy server.
		alert("CiscoMeetingServerAPIProblem", warning, "5m",
			fmt.Sprintf(`max by (%s) (%s) > 0`, c.collector(server, port, "problem"), c.own("otelcol_receiver_cmsapi_problems", noSuffix)),
			"The API of a Call Bridge cannot be read",
			c.ofCollector()+" has the problem "+label("problem")+" with the API of "+where+"."),
		// The API sees the restart itself, call detail records the first record after it.
		alert("CiscoMeetingServerBridgeRestarted", warning, "",
			fmt.Sprintf(`max by (%[1]s) (resets(%[2]s[15m])) > 0
  or
%[3]s`, c.bridge(), c.metric("cisco_meeting_server_uptime_seconds"), sumIncrease(c.bridge(), c.metric("cisco_meeting_server_session_started_total"), "15m")+" > 0"),
			"A Call Bridge has restarted",
			"The Call Bridge "+c.ofBridge()+" has restarted, "+counted("time", "times")+" in the last 15 minutes: its calls have ended."),
		c.serverAlarm(critical, fmt.Sprintf("alarm_type=~%q", c.AlarmsCritical)),
		c.serverAlarm(warning, fmt.Sprintf("alarm_type!~%q", c.AlarmsCritical+"|"+c.AlarmsInfo)),
		c.serverAlarm(info, fmt.Sprintf("alarm_type=~%q", c.AlarmsInfo)),
		alert("CiscoMeetingServerClockSkew", warning, "10m",
			fmt.Sprintf(`max by (%s) (abs(%s)) > %g`, c.bridge(), c.metric("cisco_meeting_server_clock_offset_seconds"), c.Thresholds.ClockOffset),
			"The clock of a Call Bridge is off",
			"The clock of the Call Bridge "+c.ofBridge()+" is off by {{ $value | humanizeDuration }}: meetings on several bridges are joined wrongly."),
	}
}

// serverAlarm returns the alert on the alarms of a bridge of some types. Every monitor of
// Meeting Servers rings on any alarm. Two minutes are one scrape more than the one that
// found it.
func (c Config) serverAlarm(severity, types string) Rule {
	return alert("CiscoMeetingServerAlarmActive", severity, "2m",
		fmt.Sprintf(`max by (%s) (%s) > 0`, c.bridge("alarm_type"), c.metric("cisco_meeting_server_alarm_active", types)),
		"A Call Bridge has an active alarm",
		"The Call Bridge "+c.ofBridge()+" has {{ $value }} active alarms of type "+label("alarm_type")+".")
}

func (c Config) capacityAlerts() []Rule {
	t := c.Thresholds
	load := func(severity, pending string, limit float64) Rule {
		return alert("CiscoMeetingServerMediaLoadHigh", severity, pending,
			fmt.Sprintf(`max by (%s) (%s) > %g`, c.bridge(), c.metric("cisco_meeting_server_media_processing_utilization_ratio"), limit),
			"The media processing of a Call Bridge is near its limit",
			"The Call Bridge "+c.ofBridge()+" is at {{ $value | humanizePercentage }} of its limit of media processing.")
	}
	licence := func(severity string, days int) Rule {
		return alert("CiscoMeetingServerLicenceExpiring", severity, "",
			fmt.Sprintf(`min by (%s) (%s) < %d`, c.bridge("feature"), c.metric("cisco_meeting_server_license_remaining_days"), days),
			"A licence of a Meeting Server expires",
			"The licence "+label("feature")+" of the Meeting Server "+c.ofBridge()+" expires in {{ $value }} days.")
	}
	return []Rule{
		load(critical, "5m", t.MediaLoadCritical),
		load(warning, "10m", t.MediaLoadWarning),
		alert("CiscoMeetingServerParticipantsNearLimit", warning, "5m",
			fmt.Sprintf(`max by (%[1]s) (%[2]s)
  /
max by (%[1]s) (%[3]s > 0)
  > %[4]g`, c.bridge(), c.metric("cisco_meeting_server_participant_local"), c.metric("cisco_meeting_server_participant_limit"), t.ParticipantsNearLimit),
			"A Call Bridge is near its limit of participants",
			"The Call Bridge "+c.ofBridge()+" has {{ $value | humanizePercentage }} of the participants that its limit allows."),
		licence(critical, t.LicenceCriticalDays),
		licence(warning, t.LicenceWarningDays),
	}
}

func (c Config) databaseAlerts() []Rule {
	const (
		up      = "cisco_meeting_server_database_node_up"
		primary = "cisco_meeting_server_database_node_primary"
		behind  = "cisco_meeting_server_database_node_sync_behind_bytes"
	)
	// Every bridge tells of every node: a node is down only if no bridge sees it.
	node := c.ClusterLabel + ", node_address"
	return []Rule{
		alert("CiscoMeetingServerDatabaseNodeDown", critical, "3m",
			fmt.Sprintf(`max by (%s) (%s) == 0`, node, c.metric(up)),
			"A node of the database cluster is down",
			"No Call Bridge reaches the database node "+label("node_address")+c.inCluster()+"."),
		alert("CiscoMeetingServerDatabaseNoPrimary", critical, "3m",
			fmt.Sprintf(`max by (%s) (%s) == 0`, c.ClusterLabel, c.metric(primary)),
			"The database cluster has no primary",
			"The database cluster"+c.inCluster()+" has no primary: nothing can be written."),
		alert("CiscoMeetingServerDatabaseError", critical, "3m",
			fmt.Sprintf(`max by (%s) (%s) > 0`, c.bridge(), c.metric("cisco_meeting_server_database_error")),
			"The database cluster reports an error",
			"The Meeting Server "+c.ofBridge()+" reports an error of the database cluster."),
		// Behind, and ever more: a node that catches up is no alert.
		alert("CiscoMeetingServerDatabaseSyncBehind", warning, "15m",
			fmt.Sprintf(`max by (%[1]s) (%[2]s) > %[3]d
  and on (%[1]s)
max by (%[1]s) (deriv(%[2]s[15m])) > 0`, node, c.metric(behind), c.Thresholds.SyncBehindBytes),
			"A node of the database cluster falls behind",
			"The database node "+label("node_address")+c.inCluster()+" is {{ $value | humanize1024 }}B behind the primary, and more with time."),
	}
}

func (c Config) syslogAlerts() []Rule {
	const faults = "cisco_meeting_server_syslog_fault_total"
	return []Rule{
		alert("CiscoMeetingServerFault", warning, "",
			rises(c.bridge("kind"), c.metric(faults, `kind=~"recorder_missing|nfs_mount_failed|database_fatal|c2w_down"`), "10m", 0),
			"A part of a Meeting Server does not work",
			"The Meeting Server "+c.ofBridge()+" logged "+counted("line", "lines")+" of the fault "+label("kind")+" in ten minutes."),
		alert("CiscoMeetingServerSignInErrors", info, "",
			rises(c.bridge(), c.metric(faults, `kind="sso_error"`), "15m", c.Thresholds.SignInErrors),
			"People cannot sign in",
			counted("sign-in", "sign-ins")+" failed at the Meeting Server "+c.ofBridge()+" in 15 minutes."),
		alert("CiscoMeetingServerAPIRequestsFailing", warning, "10m",
			rises(c.bridge("http_route"), c.metric("cisco_meeting_server_api_request_total", `status_class="5xx"`), "10m", 0),
			"The API of a Meeting Server refuses requests",
			"The Meeting Server "+c.ofBridge()+" answered "+counted("request", "requests")+" for "+label("http_route")+" with an error of its own in ten minutes."),
	}
}
