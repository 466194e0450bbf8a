// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/mediasense/event"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/logrecord"
)

// trackEvents are the events of the tracks of a session.
var trackEvents = [event.TypeCount]struct{ name, verb string }{
	event.SessionStarted: {names.EventTrackStarted, "started"},
	event.SessionUpdated: {names.EventTrackUpdated, "updated"},
	event.SessionEnded:   {names.EventTrackEnded, "ended"},
}

// trackID names a track: numbers begin anew in each session.
func trackID(session string, number int64) string {
	return strings.ToLower(session) + "-track" + strconv.FormatInt(number, 10)
}

// appendTracks writes one record for each track of a session event.
func appendTracks(to plog.LogRecordSlice, e *event.Event, now pcommon.Timestamp) {
	kind := trackEvents[e.Type]
	if kind.name == "" {
		return
	}
	tracks := e.Items(event.Tracks)
	for i := range tracks {
		track := &tracks[i]
		if track.Kind != event.KindMap {
			continue // it stands in the session's record
		}
		lr := to.AppendEmpty()
		lr.SetEventName(kind.name)
		setTimes(lr, trackTime(e, track), now)
		logrecord.SetSeverity(lr, plog.SeverityNumberInfo)
		m := lr.Attributes()
		m.EnsureCapacity(len(track.Members) + 3)
		putIfSet(m, names.MediaSenseSessionID, e.SessionID())
		number, numbered := track.Member(event.TrackNumber)
		what := "track"
		if numbered && number.Kind == event.KindInt {
			m.PutStr(names.MediaSenseTrackID, trackID(e.SessionID(), number.Int()))
			what += " " + strconv.FormatInt(number.Int(), 10)
		}
		putMembers(m, names.KindTrack, track.Members)
		putForwarded(m, e)
		putPart(m, e)
		lr.Body().SetStr(describeTrack(what, kind.verb, track))
	}
}

// trackTime is when it happened to the track; where that is not known, when it
// happened to the session.
func trackTime(e *event.Event, track *event.Value) int64 {
	start, _ := track.Member(event.TrackStartDate)
	duration, _ := track.Member(event.TrackDuration)
	var at int64
	switch e.Type {
	case event.SessionStarted:
		if start.Kind == event.KindInt {
			at = start.Int()
		}
	case event.SessionEnded:
		at = endOf(start.Int(), duration.Int(), start.Kind == event.KindInt && duration.Kind == event.KindInt)
	default:
	}
	if at <= 0 {
		return eventTime(e)
	}
	return at
}

func describeTrack(what, verb string, track *event.Value) string {
	line := what + " " + verb
	if media, _ := track.Member(event.TrackMediaType); media.Kind == event.KindText {
		line += ": " + wireText(media.Text)
	}
	if duration, _ := track.Member(event.TrackDuration); duration.Kind == event.KindInt {
		line += " after " + seconds(duration.Int())
	}
	participants, _ := track.Member(event.Participants)
	return line + plural(", ", len(participants.Items), "participant")
}
