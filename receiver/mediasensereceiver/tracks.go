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

// trackEvents are the events of a session's tracks.
var trackEvents = [event.TypeCount]struct{ name, verb string }{
	event.SessionStarted: {names.EventTrackStarted, "started"},
	event.SessionUpdated: {names.EventTrackUpdated, "updated"},
	event.SessionEnded:   {names.EventTrackEnded, "ended"},
}

// trackID returns the id of a track. Track numbers are unique within a session only.
func trackID(session string, number int64) string {
	return strings.ToLower(session) + "-track" + strconv.FormatInt(number, 10)
}

// appendTracks appends one log record for each track of a session event.
func appendTracks(to plog.LogRecordSlice, e *event.Event, now pcommon.Timestamp) {
	kind := trackEvents[e.Type]
	if kind.name == "" {
		return
	}
	tracks := e.Items(event.Tracks)
	for i := range tracks {
		track := &tracks[i]
		if track.Kind != event.KindMap {
			continue // the log record of the session has it
		}
		lr := to.AppendEmpty()
		lr.SetEventName(kind.name)
		setTimes(lr, trackTime(e, track), now)
		logrecord.SetSeverity(lr, plog.SeverityNumberInfo)
		m := lr.Attributes()
		m.EnsureCapacity(len(track.Members) + 5 + logrecord.StampAttributes)
		putIfSet(m, names.MediaSenseSessionID, e.SessionID())
		number, numbered := track.Member(event.TrackNumber)
		outcome := "track"
		if numbered && number.Kind == event.KindInt {
			m.PutStr(names.MediaSenseTrackID, trackID(e.SessionID(), number.Int()))
			outcome += " " + strconv.FormatInt(number.Int(), 10)
		}
		putMembers(m, names.KindTrack, track.Members)
		putForwarded(m, e)
		putPartNumbers(m, e)
		lr.Body().SetStr(describeTrack(outcome, kind.verb, track))
	}
}

// trackTime returns when the event happened to the track or, if unknown, to the session.
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
		at = endTime(start.Int(), duration.Int(), start.Kind == event.KindInt && duration.Kind == event.KindInt)
	default:
	}
	if at <= 0 {
		return eventTime(e)
	}
	return at
}

func describeTrack(outcome, verb string, track *event.Value) string {
	line := outcome + " " + verb
	if media, _ := track.Member(event.TrackMediaType); media.Kind == event.KindText {
		line += ": " + redactText(media.Text)
	}
	if duration, _ := track.Member(event.TrackDuration); duration.Kind == event.KindInt {
		line += " after " + formatSeconds(duration.Int())
	}
	participants, _ := track.Member(event.Participants)
	return line + countOfThings(", ", len(participants.Items), "participant")
}
