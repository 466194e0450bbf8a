// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

// staleQuality is the age from which the quality of a running leg is not shown. cmsapi
// reads each leg of a large bridge every few minutes.
const staleQuality = 15 * time.Minute

// liveQuality is the quality of a running leg as text: "now: loss 4.5 %, jitter 31 ms".
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
	var parts []string
	if q.LossPercent != nil {
		parts = append(parts, fmt.Sprintf("loss %.1f %%", *q.LossPercent))
	}
	if q.JitterMs != nil {
		parts = append(parts, fmt.Sprintf("jitter %.0f ms", *q.JitterMs))
	}
	if q.RoundTripMs != nil {
		parts = append(parts, fmt.Sprintf("round trip %.0f ms", *q.RoundTripMs))
	}
	text := ""
	if len(parts) > 0 {
		text = "now: " + strings.Join(parts, ", ")
	}
	if q.Alarms == "" {
		if text == "" {
			return nil
		}
		return &liveQuality{Text: text}
	}
	var alarms []string
	for alarm := range strings.SplitSeq(q.Alarms, ", ") {
		alarms = append(alarms, cmp.Or(alarmWords[alarm], alarm))
	}
	alarm := "alarm: " + strings.Join(alarms, ", ")
	if text != "" {
		alarm += " · " + text
	}
	return &liveQuality{Text: alarm, Alarm: true}
}

// alarmWords name the alarms of a leg.
var alarmWords = map[string]string{
	"packetLoss":        "packet loss",
	"excessiveJitter":   "jitter",
	"highRoundTripTime": "round trip time",
}
