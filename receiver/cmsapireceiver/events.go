// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/meetingserver/api/object"
	"github.com/legato-otel/legato/internal/meetingserver/callbridge"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/logrecord"
	"github.com/legato-otel/legato/internal/redact"
	"github.com/legato-otel/legato/receiver/cmsapireceiver/internal/metadata"
)

// addEvents adds the events of a reading, if there is a logs pipeline.
func (t *target) addEvents(r *reading, to plog.Logs) {
	if !t.shared.wantsEvents {
		return
	}
	rl := plog.NewResourceLogs()
	callbridge.Put(rl.Resource().Attributes(), t.attributes())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(metadata.ScopeName)
	sl.Scope().SetVersion(t.shared.settings.BuildInfo.Version)
	if t.shared.config.Events.Completeness {
		t.putCompleteness(sl.LogRecords(), r)
	}
	if t.shared.config.Events.Lists {
		putList(sl.LogRecords(), r, names.EventAPICallList, "calls", r.callList, func(c *object.Call) string { return c.ID })
		putList(sl.LogRecords(), r, names.EventAPICallLegList, "call legs", r.legList, func(l *object.CallLeg) string { return l.ID })
	}
	if t.shared.config.Events.Quality {
		for i := range r.legs {
			putQuality(sl.LogRecords().AppendEmpty(), &r.legs[i], r.alarmsOf(r.legs[i].ID))
		}
	}
	if sl.LogRecords().Len() > 0 {
		rl.MoveTo(to.ResourceLogs().AppendEmpty())
	}
}

// idsPerEvent is the largest number of ids in one event.
const idsPerEvent = 500

// putList adds a complete list as one or more events. It adds none without the time and start of
// the bridge, which a comparison with records requires.
func putList[T any](to plog.LogRecordSlice, r *reading, event, what string, list *api.Listing[T], id func(*T) string) {
	if list == nil || !list.Steady || r.status.CDRTime.IsZero() || r.start.IsZero() {
		return
	}
	parts := max(1, (len(list.Items)+idsPerEvent-1)/idsPerEvent)
	for part := range parts {
		lr := to.AppendEmpty()
		lr.SetEventName(event)
		lr.SetTimestamp(pcommon.NewTimestampFromTime(r.status.CDRTime))
		lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(r.at))
		logrecord.SetSeverity(lr, plog.SeverityNumberInfo)
		lr.Body().SetStr(fmt.Sprintf("the Call Bridge has %d %s", len(list.Items), what))
		m := lr.Attributes()
		m.PutInt(names.APIListTotal, int64(len(list.Items)))
		m.PutInt(names.APIListPart, int64(part+1))
		m.PutInt(names.APIListParts, int64(parts))
		m.PutInt(names.APIBridgeStart, r.start.Unix())
		ids := m.PutEmptySlice(names.APIListIDs)
		for i := part * idsPerEvent; i < min(len(list.Items), (part+1)*idsPerEvent); i++ {
			ids.AppendEmpty().SetStr(callbridge.ID(id(&list.Items[i])))
		}
	}
}

// alarmsOf returns the alarms of a leg in the list of legs with alarms.
func (r *reading) alarmsOf(id string) (alarms object.LegAlarms) {
	if r.alarmedLegs == nil {
		return alarms
	}
	for i := range r.alarmedLegs.Items {
		if leg := &r.alarmedLegs.Items[i]; leg.ID == id {
			return leg.Alarms
		}
	}
	return alarms
}

// legStatus is the prefix of the attributes of elements below status of /callLegs/ID.
const legStatus = names.KindCallLeg + ".status."

// putQuality writes the quality of the media of a leg. The time is the Collector's, because the
// answer has none.
func putQuality(lr plog.LogRecord, leg *sampledLeg, alarms object.LegAlarms) {
	lr.SetEventName(names.EventAPICallLegQuality)
	now := pcommon.NewTimestampFromTime(leg.at)
	lr.SetTimestamp(now)
	lr.SetObservedTimestamp(now)
	severity, s := plog.SeverityNumberInfo, &leg.Status
	if alarms != (object.LegAlarms{}) {
		severity = plog.SeverityNumberWarn
	}
	logrecord.SetSeverity(lr, severity)
	m := lr.Attributes()
	m.EnsureCapacity(24 + logrecord.StampAttributes)
	putText(m, names.CallLegID, leg.ID)
	putText(m, names.CallID, leg.Call)
	putText(m, names.ParticipantID, s.GroupID)
	putText(m, names.SIPCallID, s.SIPCallID)
	putText(m, names.KindCallLeg+".sub_type", leg.SubType)
	putText(m, legStatus+"state", s.State)
	putInt(m, legStatus+"duration_seconds", s.DurationSeconds)
	for label, has := range legAlarms {
		if has(&alarms) {
			m.PutBool(names.KindCallLeg+".alarms."+names.Snake(label), true)
		}
	}
	putMedia(m, "rx_audio", s.RxAudio)
	putMedia(m, "tx_audio", s.TxAudio)
	putVideo(m, "rx_", s.RxVideo)
	putVideo(m, "tx_", s.TxVideo)
	lr.Body().SetStr(describeQuality(s))
}

// putVideo writes the first stream of each kind.
func putVideo(m pcommon.Map, direction string, streams []object.Media) {
	written := make(map[string]bool)
	for i := range streams {
		if kind := kindOf(&streams[i]); !written[kind] {
			written[kind] = true
			putMedia(m, direction+kind, &streams[i])
		}
	}
}

// putMedia writes one stream.
func putMedia(m pcommon.Map, stream string, media *object.Media) {
	if media == nil {
		return
	}
	prefix := legStatus + stream
	putText(m, prefix+".codec", media.Codec)
	putDouble(m, prefix+".packet_loss_percentage", media.PacketLossPercentage)
	putDouble(m, prefix+".jitter", media.Jitter)
	putDouble(m, prefix+".round_trip_time", media.RoundTripTime)
	putDouble(m, prefix+".frame_rate", media.FrameRate)
	putInt(m, prefix+".bit_rate", media.BitRate)
	putInt(m, prefix+".width", media.Width)
	putInt(m, prefix+".height", media.Height)
}

// maxWireText is the longest text of a server in an event, in bytes. Call-IDs are the longest
// texts.
const maxWireText = 256

func putText(m pcommon.Map, key, text string) {
	if text != "" {
		m.PutStr(key, redact.Text(strings.ToValidUTF8(text[:min(len(text), maxWireText)], "")))
	}
}

func putInt(m pcommon.Map, key string, n *int64) {
	if n != nil {
		m.PutInt(key, *n)
	}
}

func putDouble(m pcommon.Map, key string, n *float64) {
	if n != nil {
		m.PutDouble(key, *n)
	}
}

// describeQuality returns the body of the event: the quality that the bridge receives.
func describeQuality(s *object.LegStatus) string {
	var b strings.Builder
	b.WriteString("call leg now")
	stream := func(name string, m *object.Media) {
		if m == nil || m.PacketLossPercentage == nil && m.Jitter == nil {
			return
		}
		fmt.Fprintf(&b, ", %s", name)
		if loss := m.PacketLossPercentage; loss != nil {
			fmt.Fprintf(&b, " loss %.1f %%", *loss)
		}
		if jitter := m.Jitter; jitter != nil {
			fmt.Fprintf(&b, " jitter %.0f ms", *jitter)
		}
	}
	stream("received audio", s.RxAudio)
	for i := range s.RxVideo {
		stream("received "+kindOf(&s.RxVideo[i]), &s.RxVideo[i])
	}
	if b.Len() == len("call leg now") {
		b.WriteString(" without figures")
	}
	return b.String()
}

// sampledLeg is a leg with the time of its details.
type sampledLeg struct {
	object.CallLeg
	at time.Time
}
