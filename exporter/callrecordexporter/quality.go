// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
)

// legStatus begins the attributes of a leg's status in the API.
const legStatus = names.KindCallLeg + ".status."

// addQuality makes a row of an event about the media of a live leg: the worst of all
// streams.
func (c *converter) addQuality(lr plog.LogRecord, _ store.Phase) bool {
	attributes := lr.Attributes()
	id, ok := attributes.Get(names.CallLegID)
	if !ok || id.Type() != pcommon.ValueTypeStr {
		return false
	}
	q := store.LegQuality{ID: lower(clean(id.Str())), At: timeOf(lr)}
	if q.ID == "" || len(q.ID) > maxID {
		return false
	}
	if state, ok := attributes.Get(legStatus + "state"); ok {
		q.State, _ = cut(clean(state.AsString()))
	}
	for _, stream := range []string{"audio", "video", "presentation"} {
		received, sent := legStatus+"rx_"+stream, legStatus+"tx_"+stream
		keepWorst(attributes, received+".packet_loss_percentage", &q.LossPercent)
		keepWorst(attributes, sent+".packet_loss_percentage", &q.SentLossPercent)
		keepWorst(attributes, received+".jitter", &q.JitterMs)
		keepWorst(attributes, received+".round_trip_time", &q.RoundTripMs)
		keepWorst(attributes, sent+".round_trip_time", &q.RoundTripMs)
	}
	if rate, ok := attributes.Get(legStatus + "rx_video.bit_rate"); ok && rate.Type() == pcommon.ValueTypeInt && rate.Int() >= 0 {
		n := rate.Int()
		q.VideoBitRate = &n
	}
	q.Alarms = alarmsOf(attributes)
	c.batch.Qualities = append(c.batch.Qualities, q)
	return true
}

// legAlarms begins the attributes of the alarms of a leg that are on.
const legAlarms = names.KindCallLeg + ".alarms."

// alarmsOf returns the alarms of a leg that are on, with ", " between.
func alarmsOf(attributes pcommon.Map) string {
	var on []string
	for _, alarm := range []string{"packetLoss", "excessiveJitter", "highRoundTripTime"} {
		v, ok := attributes.Get(legAlarms + names.Snake(alarm))
		if !ok {
			continue
		}
		if is, _ := truth(v); is {
			on = append(on, alarm)
		}
	}
	return strings.Join(on, ", ")
}

// keepWorst keeps the larger of two numbers.
func keepWorst(attributes pcommon.Map, key string, worst **float64) {
	v, ok := attributes.Get(key)
	if !ok {
		return
	}
	if n, isNumber := number(v); isNumber && n >= 0 && (*worst == nil || n > **worst) {
		*worst = &n
	}
}
