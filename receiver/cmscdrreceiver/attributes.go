// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/legato-otel/legato/internal/cdr"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/redact"
)

// fieldKeys are the attribute names of the documented fields.
var fieldKeys = func() (keys [cdr.FieldCount]string) {
	for id := cdr.Unknown + 1; id < cdr.FieldCount; id++ {
		d := cdr.Documented(id)
		keys[id] = names.MeetingServerAttribute(d.Object.Element(), d.Path)
	}
	return keys
}()

func putValue(m pcommon.Map, key string, id cdr.FieldID, v cdr.Value) {
	switch v.Kind {
	case cdr.KindText, cdr.KindID:
		m.PutStr(key, withoutSecret(id, v.Text))
	case cdr.KindBool:
		m.PutBool(key, v.Bool())
	case cdr.KindInt:
		m.PutInt(key, v.Int())
	case cdr.KindDouble:
		m.PutDouble(key, v.Double())
	}
}

// withoutSecret takes stream keys and credentials out of the URLs that carry
// them.
func withoutSecret(id cdr.FieldID, text string) string {
	switch id {
	case cdr.StreamingStreamURL:
		return redact.URL(text)
	case cdr.StreamingStreamerURL, cdr.StreamingStreamerURI, cdr.RecordingRecorderURL, cdr.RecordingRecorderURI:
		return redact.UserInfo(text)
	default:
		return text
	}
}

// putUnknown keeps a value the guide does not know. What stands several times
// becomes a slice, so that nothing is overwritten.
func putUnknown(m pcommon.Map, element string, f *cdr.Field) {
	text := f.Text
	if text != "" && redact.Secret(f.Path[strings.LastIndexByte(f.Path, '/')+1:]) {
		text = redact.Mark
	}
	text = redact.XML(text)
	key := names.MeetingServerAttribute(element, f.Path)
	if f.Path == "id" {
		key += ".element" // the object's own id is its attribute
	}
	present, exists := m.Get(key)
	switch {
	case !exists:
		m.PutStr(key, text)
	case present.Type() == pcommon.ValueTypeSlice:
		present.Slice().AppendEmpty().SetStr(text)
	default:
		first := pcommon.NewValueEmpty()
		present.CopyTo(first)
		values := present.SetEmptySlice()
		first.CopyTo(values.AppendEmpty())
		values.AppendEmpty().SetStr(text)
	}
}

// alarmKeys are the attribute names of the documented alarms.
var alarmKeys = map[string]string{
	"packetLoss":        names.CallLegAlarm + ".packet_loss.duration_percentage",
	"excessiveJitter":   names.CallLegAlarm + ".excessive_jitter.duration_percentage",
	"highRoundTripTime": names.CallLegAlarm + ".high_round_trip_time.duration_percentage",
	"":                  names.CallLegAlarm + ".duration_percentage",
}

func alarmKey(alarmType string) string {
	if key, ok := alarmKeys[alarmType]; ok {
		return key
	}
	return names.Attribute(names.CallLegAlarm, alarmType+"/durationPercentage")
}

// putAlarms writes one attribute per alarm type. The largest percentage wins; a
// number wins over text that is none.
func putAlarms(m pcommon.Map, alarms []cdr.Alarm) {
	for i := range alarms {
		key, percentage := alarmKey(alarms[i].Type), alarms[i].DurationPercentage
		if present, exists := m.Get(key); exists && present.Type() == pcommon.ValueTypeDouble &&
			(percentage.Kind != cdr.KindDouble || present.Double() >= percentage.Double()) {
			continue
		}
		putValue(m, key, cdr.Unknown, percentage)
	}
}
