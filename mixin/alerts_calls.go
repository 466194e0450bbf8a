// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import "fmt"

const (
	legEnded   = "cisco_meeting_server_call_leg_ended_total"
	legStarted = "cisco_meeting_server_call_leg_started_total"
)

// failedReasons are the reasons that the estate causes. Busy, rejected, unanswered, a wrong
// passcode, an IVR and an unknown destination are the caller's or the callee's.
const failedReasons = `reason=~"error|timeout|dnsFailure|encryptionRequired|participantLimitReached|tenantParticipantLimitReached"`

// callAlerts are about call legs as call detail records tell of them.
func (c Config) callAlerts() []Rule {
	t := c.Thresholds
	scans := c.metric(legEnded, `reason="unknownDestination"`)
	return []Rule{
		// Somebody was turned away: a single one is worth knowing.
		alert("CiscoMeetingServerLimitReached", warning, "",
			rises(c.bridge("reason"), c.metric(legEnded, `reason=~".*LimitReached"`), "15m", 0),
			"People were turned away because a limit of participants is reached",
			counted("person was", "people were")+" turned away by the Call Bridge "+c.ofBridge()+" in 15 minutes: "+label("reason")+"."),

		alert("CiscoMeetingServerDropsHigh", warning, "15m",
			fmt.Sprintf(`%[1]s
  /
(%[2]s >= %[3]d)
  > %[4]g`, sumIncrease(c.bridge(), c.metric(legEnded, `activated="true"`, `reason=~"error|timeout"`), "30m"),
				sumIncrease(c.bridge(), c.metric(legEnded, `activated="true"`), "30m"), t.DropMinEvents, t.DropRatio),
			"Many connections drop",
			"{{ $value | humanizePercentage }} of the connections of the Call Bridge "+c.ofBridge()+" that ended in 30 minutes dropped by an error or a time-out."),

		// Against the mean hour of the day before, since every reachable bridge is scanned.
		// Without a day before, the number alone counts.
		alert("CiscoMeetingServerScannerTraffic", info, "10m",
			fmt.Sprintf(`%[1]s > %[2]d
  unless on (%[3]s)
(
  %[1]s
    <= on (%[3]s) %[4]g *
  %[5]s / 24
)`, sumIncrease(c.bridge(), scans, "1h"), t.ScansPerHour, c.bridge(), t.ScanFactor,
				fmt.Sprintf("sum by (%s) (increase(%s[1d] offset 1h))", c.bridge(), scans)),
			"A scanner tries addresses of a Call Bridge",
			counted("call leg", "call legs")+" to unknown destinations came to the Call Bridge "+c.ofBridge()+" in an hour."),

		// A recording or session whose end never came: max_open or the end of its call
		// ended it. What is on the disk may be cut short.
		alert("CiscoMeetingServerRecordingWithoutEnd", warning, "",
			rises(c.collector("kind", "outcome"), c.own("otelcol_processor_callstitch_emitted", totalSuffix, `kind=~"recording|streaming|session"`, `outcome=~"expired|call_ended"`), "1h", 0),
			"A recording has no end",
			c.ofCollector()+" closed "+counted("object", "objects")+" of kind "+label("kind")+" whose end never came ("+label("outcome")+")."),
	}
}
