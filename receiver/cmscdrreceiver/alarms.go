// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/legato-otel/legato/internal/meetingserver/cdr"
	"github.com/legato-otel/legato/internal/names"
)

// legAlarm is an alarm type of a leg. The body, the attributes and the metrics of a record
// use it, so that they count the same alarms.
type legAlarm struct {
	// name is the type in the guide's spelling; as received if the guide does not
	// document it; "" for an alarm without a type.
	name string
	// percentage is the largest number of the alarms of this type. If none has a number
	// it is the first text, which may be "".
	percentage cdr.Value
}

// mergeAlarms merges a leg's alarms by type, in the order in which the types first occur.
// The case of letters does not distinguish types. It appends to buffer.
func mergeAlarms(alarms []cdr.Alarm, buffer []legAlarm) []legAlarm {
	merged := buffer
next:
	for i := range alarms {
		name := alarms[i].Type
		if documented, ok := alarmTypes.documentedSpelling(name); ok {
			name = documented
		}
		for k := range merged {
			if strings.EqualFold(merged[k].name, name) {
				merged[k].percentage = largerPercentage(merged[k].percentage, alarms[i].DurationPercentage)
				continue next
			}
		}
		merged = append(merged, legAlarm{name: name, percentage: alarms[i].DurationPercentage})
	}
	return merged
}

// largerPercentage prefers a number to a text, and a text to none.
func largerPercentage(a, b cdr.Value) cdr.Value {
	switch aIsNumber, bIsNumber := a.Kind == cdr.KindDouble, b.Kind == cdr.KindDouble; {
	case aIsNumber && bIsNumber && b.Double() > a.Double(), !aIsNumber && bIsNumber, !aIsNumber && a.Text == "":
		return b
	default:
		return a
	}
}

// ratio returns the share of the leg's time in alarm, 0 to 1. ok is false if the record has
// no number, or one that is no percentage.
func (a *legAlarm) ratio() (ratio float64, ok bool) {
	if a.percentage.Kind != cdr.KindDouble {
		return 0, false
	}
	ratio = a.percentage.Double() / 100
	return ratio, ratio >= 0 && ratio <= 1
}

// alarmBuffer has room for the alarms of nearly every leg: three types are documented.
type alarmBuffer [4]legAlarm

// alarmKeys are the attribute names of the documented alarms.
var alarmKeys = map[string]string{
	"packetLoss":        names.CallLegAlarm + ".packet_loss.duration_percentage",
	"excessiveJitter":   names.CallLegAlarm + ".excessive_jitter.duration_percentage",
	"highRoundTripTime": names.CallLegAlarm + ".high_round_trip_time.duration_percentage",
	"":                  names.CallLegAlarm + ".duration_percentage",
}

func alarmKey(name string) string {
	if key, ok := alarmKeys[name]; ok {
		return key
	}
	return names.Attribute(names.CallLegAlarm, name+"/durationPercentage")
}

// putAlarms writes one attribute for each alarm type.
func putAlarms(m pcommon.Map, alarms []cdr.Alarm) {
	if len(alarms) == 0 {
		return
	}
	var buffer alarmBuffer
	merged := mergeAlarms(alarms, buffer[:0])
	for i := range merged {
		putValue(m, alarmKey(merged[i].name), cdr.Unknown, merged[i].percentage)
	}
}
