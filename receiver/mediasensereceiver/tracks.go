// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/logrecord"
	"github.com/legato-otel/legato/internal/mediasense"
	"github.com/legato-otel/legato/internal/names"
)

// trackEvents are the events of the tracks of a session.
var trackEvents = [mediasense.TypeCount]struct{ name, verb string }{
	mediasense.SessionStarted: {names.EventTrackStarted, "started"},
	mediasense.SessionUpdated: {names.EventTrackUpdated, "updated"},
	mediasense.SessionEnded:   {names.EventTrackEnded, "ended"},
}

// trackID names a track: numbers begin anew in each session.
func trackID(session string, number int64) string {
	return strings.ToLower(session) + "-track" + strconv.FormatInt(number, 10)
}

// appendTracks writes one record for each track of a session event.
func appendTracks(to plog.LogRecordSlice, e *mediasense.Event, now pcommon.Timestamp) {
	event := trackEvents[e.Type]
	if event.name == "" {
		return
	}
	tracks := e.Items(mediasense.Tracks)
	for i := range tracks {
		track := &tracks[i]
		if track.Kind != mediasense.KindMap {
			continue // it stands in the session's record
		}
		lr := to.AppendEmpty()
		lr.SetEventName(event.name)
		setTimes(lr, trackTime(e, track), now)
		logrecord.SetSeverity(lr, plog.SeverityNumberInfo)
		m := lr.Attributes()
		m.EnsureCapacity(len(track.Members) + 3)
		putIfSet(m, names.MediaSenseSessionID, e.SessionID())
		number, numbered := track.Member(mediasense.TrackNumber)
		what := "track"
		if numbered && number.Kind == mediasense.KindInt {
			m.PutStr(names.MediaSenseTrackID, trackID(e.SessionID(), number.Int()))
			what += " " + strconv.FormatInt(number.Int(), 10)
		}
		putMembers(m, names.KindTrack, track.Members)
		putForwarded(m, e)
		putPart(m, e)
		lr.Body().SetStr(describeTrack(what, event.verb, track))
	}
}

// trackTime is when it happened to the track; where that is not known, when it
// happened to the session.
func trackTime(e *mediasense.Event, track *mediasense.Value) int64 {
	start, _ := track.Member(mediasense.TrackStartDate)
	duration, _ := track.Member(mediasense.TrackDuration)
	var at int64
	switch e.Type {
	case mediasense.SessionStarted:
		if start.Kind == mediasense.KindInt {
			at = start.Int()
		}
	case mediasense.SessionEnded:
		at = endOf(start.Int(), duration.Int(), start.Kind == mediasense.KindInt && duration.Kind == mediasense.KindInt)
	default:
	}
	if at <= 0 {
		return eventTime(e)
	}
	return at
}

func describeTrack(what, verb string, track *mediasense.Value) string {
	line := what + " " + verb
	if media, _ := track.Member(mediasense.TrackMediaType); media.Kind == mediasense.KindText {
		line += ": " + wireText(media.Text)
	}
	if duration, _ := track.Member(mediasense.TrackDuration); duration.Kind == mediasense.KindInt {
		line += " after " + seconds(duration.Int())
	}
	participants, _ := track.Member(mediasense.Participants)
	return line + plural(", ", len(participants.Items), "participant")
}
