// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import "fmt"

// liveAlerts are about the legs that are there now, as the API of the bridges shows
// them. Histograms of cmsapi are no random sample (legs with an alarm weigh more), so
// that each alert asks for many samples.
func (c Config) liveAlerts() []Rule {
	t := c.Thresholds
	const loss = "cisco_meeting_server_call_leg_live_packet_loss_ratio"
	by := c.bridge("media_type", "direction")
	meanLoss := func(limit float64) string {
		return fmt.Sprintf(`%[1]s
  /
(%[2]s >= %[3]d)
  > %[4]g`, sumIncrease(by, c.metric(loss+"_sum"), "10m"), sumIncrease(by, c.metric(loss+"_count"), "10m"), t.LiveSamples, limit)
	}
	quantile := func(histogram string, limit float64) string {
		return fmt.Sprintf(`histogram_quantile(0.95, sum by (%[1]s, le) (increase(%[2]s[10m]))) > %[3]g
  and on (%[1]s)
%[4]s >= %[5]d`, by, c.metric(histogram+"_bucket"), limit, sumIncrease(by, c.metric(histogram+"_count"), "10m"), t.LiveSamples)
	}
	direction := label("media_type") + " " + label("direction")
	lossOf := func(severity, pending string, limit float64) Rule {
		return alert("CiscoMeetingServerPacketLossHigh", severity, pending, meanLoss(limit),
			"Packets of live connections are lost",
			"{{ $value | humanizePercentage }} of the packets of live connections of the Call Bridge "+c.ofBridge()+" are lost ("+direction+").")
	}
	return []Rule{
		lossOf(critical, "3m", t.PacketLossCritical),
		lossOf(warning, "5m", t.PacketLossWarning),
		alert("CiscoMeetingServerJitterHigh", warning, "5m", quantile("cisco_meeting_server_call_leg_live_jitter_seconds", t.Jitter),
			"Jitter of live connections is high",
			"A twentieth of the samples of live connections of the Call Bridge "+c.ofBridge()+" has a jitter above {{ $value | humanizeDuration }} ("+direction+")."),
		alert("CiscoMeetingServerLatencyHigh", warning, "5m", quantile("cisco_meeting_server_call_leg_live_round_trip_time_seconds", t.RoundTripTime),
			"Round trip times of live connections are long",
			"A twentieth of the samples of live connections of the Call Bridge "+c.ofBridge()+" has a round trip time above {{ $value | humanizeDuration }} ("+direction+")."),
	}
}
