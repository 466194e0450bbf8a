// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import "fmt"

// recordAlerts are about call detail records that do not arrive, or not whole. A Call Bridge
// deletes its only copy of records that were answered 200: they are critical.
func (c Config) recordAlerts() []Rule {
	const (
		created  = "cisco_meeting_server_record_created_total"
		position = "cisco_meeting_server_record_position"
	)
	by := c.bridge()
	return []Rule{
		// At once and on a single one: missing records are lost.
		alert("CiscoMeetingServerRecordsMissing", critical, "",
			rises(by, c.metric("cisco_meeting_server_record_missing_total"), "10m", 0),
			"Call detail records are lost",
			counted("call detail record", "call detail records")+" of the Call Bridge "+c.ofBridge()+" never arrived."),

		// Two minutes are two scrapes of cmsapi: posts in flight are no alert. Three minutes
		// more are an upgrade of the Collector, or posts that are refused for a while: the bridge
		// sends them again. After a restart, numbers of two sessions cannot be compared for five
		// minutes.
		alert("CiscoMeetingServerRecordsIncomplete", critical, "3m",
			fmt.Sprintf(`%[1]s
  < on (%[2]s) group_left ()
max by (%[2]s) (%[3]s offset 2m)
  unless on (%[2]s)
max by (%[2]s) (resets(%[3]s[5m])) > 0`, c.metric(position), by, c.metric(created)),
			"Call detail records were created and did not arrive",
			"The Call Bridge "+c.ofBridge()+" has created more call detail records than arrived by number {{ $value }}."),

		// Silence is silence only where the bridge's own count moves, or people come and go
		// (events): a quiet night is neither. Offsets and the longer second windows leave
		// records time to arrive; three minutes more are three scrapes.
		alert("CiscoMeetingServerRecordsSilent", critical, "3m",
			fmt.Sprintf(`(
    max by (%[1]s) (changes(%[2]s[2m] offset 2m)) > 0
      unless on (%[1]s)
    max by (%[1]s) (changes(%[4]s[6m])) > 0
)
  or
(
    changes(sum by (%[1]s) (%[3]s)[15m:1m] offset 2m) > 0
      unless on (%[1]s)
    max by (%[1]s) (changes(%[4]s[18m])) > 0
)`, by, c.metric(created), c.metric("cisco_meeting_server_participant_active"), c.metric(position)),
			"A Call Bridge has calls, and none of its call detail records arrives",
			"People come and go on the Call Bridge "+c.ofBridge()+" ("+counted("change", "changes")+"), and no call detail record of it arrives."),

		// The registration itself, where cdr_receiver_uri of cmsapi is set. Ten minutes are two
		// rounds of the registration of cmscdr, which mends it.
		alert("CiscoMeetingServerReceiverNotRegistered", critical, "10m",
			fmt.Sprintf(`max by (%s) (%s) == 0`, by, c.metric("cisco_meeting_server_cdr_receiver_present")),
			"The receiver is not in a Call Bridge's list of CDR receivers",
			"The Call Bridge "+c.ofBridge()+" does not post call detail records to this receiver: its list of CDR receivers lacks it."),

		// A refused bridge keeps its records until it overflows. One refusal is a memory
		// limit or a restart of the backend; five minutes are not.
		alert("CiscoMeetingServerRecordsRefused", critical, "5m",
			rises(c.collector("http_response_status_code"), c.own("otelcol_receiver_cmscdr_requests", totalSuffix, `http_response_status_code=~"4..|503"`), "5m", 0),
			"Call detail records are refused",
			c.ofCollector()+" answered "+counted("post", "posts")+" of Call Bridges with "+label("http_response_status_code")+" in five minutes. The bridges keep their records until they overflow."),

		alert("CiscoMeetingServerRecordsQuarantined", warning, "",
			rises(c.collector("outcome"), c.own("otelcol_receiver_cmscdr_records", totalSuffix, `outcome=~"malformed|unknown"`), "15m", 0),
			"Call detail records could not be read",
			c.ofCollector()+" put "+counted("call detail record", "call detail records")+" into quarantine ("+label("outcome")+"): they are kept as record.malformed events, and no call has them."),

		alert("CiscoMeetingServerRecordsLost", critical, "",
			rises(c.collector(), c.own("otelcol_receiver_cmscdr_records", totalSuffix, `outcome="lost"`), "15m", 0),
			"The pipeline refuses call detail records permanently",
			c.ofCollector()+" lost "+counted("call detail record", "call detail records")+": what comes after the receiver refused them, and their quarantine, permanently."),

		// Two bridges with one name end each other's calls.
		alert("CiscoMeetingServerSessionsOverlap", warning, "",
			rises(c.collector(), c.own("otelcol_receiver_cmscdr_overlapping_sessions", totalSuffix), "1h", 0),
			"Two Call Bridges share a name",
			c.ofCollector()+" received "+counted("post", "posts")+" of two live sessions with one callBridge or system_id."),
	}
}
