// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

// staleQuality is the age from which the quality of a running leg is not shown. cmsapi
// reads each leg of a large bridge every few minutes.
const staleQuality = 15 * time.Minute

// liveQuality is the quality of a running leg as text: "alarm: packet loss 6.7 % · now: jitter 31 ms".
type liveQuality struct {
	Text  string
	Alarm bool // an alarm of the leg is on
}

// liveQualityOf returns the newest quality of a running leg, nil if it is not known or
// too old.
func liveQualityOf(all map[string]store.LegQuality, id string, now localTime) *liveQuality {
	q, known := all[id]
	if !known || now.Sub(q.At) > staleQuality {
		return nil
	}
	on := map[string]bool{}
	var alarms, parts []string
	for alarm := range strings.SplitSeq(q.Alarms, ", ") {
		on[alarm] = alarm != ""
	}
	for _, figure := range []struct {
		alarm, words, value string
	}{
		{"packetLoss", "packet loss", valueText("%.1f %%", q.LossPercent)},
		{"excessiveJitter", "jitter", valueText("%.0f ms", q.JitterMs)},
		{"highRoundTripTime", "round trip", valueText("%.0f ms", q.RoundTripMs)},
	} {
		switch text := strings.TrimSpace(figure.words + " " + figure.value); {
		case on[figure.alarm]:
			alarms = append(alarms, text)
		case figure.value != "":
			parts = append(parts, text)
		}
	}
	var text []string
	if len(alarms) > 0 {
		text = append(text, "alarm: "+strings.Join(alarms, ", "))
	}
	if len(parts) > 0 {
		text = append(text, "now: "+strings.Join(parts, ", "))
	}
	if len(text) == 0 {
		return nil
	}
	return &liveQuality{Text: strings.Join(text, " · "), Alarm: len(alarms) > 0}
}

// valueText formats a value, "" if it is not known.
func valueText(format string, v *float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf(format, *v)
}
