// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import "fmt"

// mediaSenseAlerts are about recordings and the disks that they are on.
func (c Config) mediaSenseAlerts() []Rule {
	disk := c.ClusterLabel + ", node_id, node_address, partition"
	storage := func(name, severity, state, consequence string) Rule {
		return alert(name, severity, "",
			fmt.Sprintf(`max by (%s) (%s) == 1`, disk, c.metric("cisco_mediasense_storage_state", fmt.Sprintf("state=%q", state))),
			"A disk of MediaSense is in state "+state,
			"Partition "+label("partition")+" of the MediaSense node "+label("node_address")+c.inCluster()+" is in state "+state+": "+consequence)
	}
	return []Rule{
		// The states are the server's own: 75, 90 and 99 %. They come once, so that the
		// alert needs no time to pass.
		storage("CiscoMediaSenseStorageLow", info, "low", "above 75 %."),
		storage("CiscoMediaSenseStorageCritical", warning, "critical", "above 90 %, new recordings may be refused, or old ones removed."),
		storage("CiscoMediaSenseStorageEmergency", critical, "emergency", "above 99 %, running recordings may be ended."),
		// MediaSense sends an event once: without a subscription it is lost. Five minutes are
		// one round of subscription.verify_interval.
		alert("CiscoMediaSenseSubscriptionLost", critical, "5m",
			fmt.Sprintf(`max by (%s) (%s) == 0`, c.collector("server_address"), c.own("otelcol_receiver_mediasense_subscription_active", noSuffix)),
			"A MediaSense server has no subscription of the receiver",
			c.ofCollector()+" has no active subscription at the MediaSense server "+label("server_address")+": its events are lost."),
		alert("CiscoMediaSenseEventsRefused", critical, "",
			rises(c.collector("http_response_status_code"), c.own("otelcol_receiver_mediasense_requests", totalSuffix, `http_response_status_code=~"4..|503"`), "10m", 0),
			"Events of MediaSense are refused",
			c.ofCollector()+" answered "+counted("post", "posts")+" of MediaSense with "+label("http_response_status_code")+" in ten minutes. MediaSense does not send them again."),
		alert("CiscoMediaSenseEventsQuarantined", warning, "",
			rises(c.collector("outcome"), c.own("otelcol_receiver_mediasense_records", totalSuffix, `outcome=~"malformed|unknown"`), "15m", 0),
			"Events of MediaSense could not be read",
			c.ofCollector()+" put "+counted("event", "events")+" of MediaSense into quarantine ("+label("outcome")+")."),
		// MediaSense does not send an event again: each is lost.
		alert("CiscoMediaSenseEventsLost", critical, "",
			rises(c.collector(), c.own("otelcol_receiver_mediasense_records", totalSuffix, `outcome="lost"`), "15m", 0),
			"The pipeline refuses events of MediaSense permanently",
			c.ofCollector()+" lost "+counted("event", "events")+" of MediaSense: what comes after the receiver refused them, and their quarantine, permanently."),
		alert("CiscoMediaSenseSessionError", warning, "",
			rises(c.bridge("state"), c.metric("cisco_mediasense_session_ended_total", `state=~".*ERROR"`), "15m", 0),
			"Recordings ended in an error",
			counted("recording", "recordings")+" of the MediaSense server "+c.ofBridge()+" ended as "+label("state")+" in 15 minutes."),
		alert("CiscoMediaSenseRecordingsPruned", info, "",
			rises(c.bridge(), c.metric("cisco_mediasense_session_pruned_total"), "1h", 0),
			"MediaSense removed recordings",
			"The MediaSense server "+c.ofBridge()+" removed "+counted("recording", "recordings")+" in an hour, to make room or because they were old."),
	}
}

// sipAlerts are about the SIP proxy in front of the bridges.
func (c Config) sipAlerts() []Rule {
	t := c.Thresholds
	return []Rule{
		alert("OracleOCMSSIPFailures", warning, "10m",
			fmt.Sprintf(`%[1]s
  /
(%[2]s >= %[3]d)
  > %[4]g`, sumIncrease(c.bridge(), c.metric("oracle_ocms_invite_failed_total", `sip_code_class="5xx"`), "30m"),
				sumIncrease(c.bridge(), c.metric("oracle_ocms_invite_attempt_total"), "30m"), t.SIPMinCalls, t.SIPServerErrorRatio),
			"Calls fail with a server's error",
			"{{ $value | humanizePercentage }} of the calls by way of the SIP proxy "+c.ofBridge()+" failed with 5xx in 30 minutes."),
		alert("OracleOCMSLinesRejected", warning, "",
			rises(c.collector("outcome"), c.own("otelcol_receiver_ocms_records", totalSuffix, `outcome=~"malformed|xml|lost"`), "15m", 0),
			"Accounting events of OCMS could not be read or passed on",
			c.ofCollector()+" could not read or pass on "+counted("line", "lines")+" of OCMS ("+label("outcome")+")."),
	}
}
