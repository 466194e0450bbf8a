// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense

import (
	"fmt"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/recording"
)

// Kind is the type and the action of an event, as on the wire.
type Kind struct{ Type, Action string }

func (k Kind) String() string { return k.Type + " " + k.Action }

// The types of events.
const (
	typeSession = "SESSION_EVENT"
	typeTag     = "TAG_EVENT"
	typeStorage = "STORAGE_THRESHOLD_EVENT"
)

// shape is how an event looks that may look in several ways.
type shape struct {
	actionFirst bool
	quoted      bool // numbers are strings
	seconds     bool // a tag's date is in seconds
	urlObject   bool // urls is one object rather than a list
	boolean     bool // forwardedEvent is a boolean, and always there
}

// encode makes the object of an event.
func encode(ev recording.Event, s shape, forwarded bool) object {
	kind, body := kindOf(ev), bodyOf(ev, s)
	if s.quoted {
		body = withTextNumbers(body).(object)
	}
	var out object
	if s.actionFirst {
		out = object{{"eventAction", kind.Action}, {"eventBody", body}, {"eventType", kind.Type}}
	} else {
		out = object{{"eventType", kind.Type}, {"eventAction", kind.Action}, {"eventBody", body}}
	}
	switch {
	case s.boolean:
		out = append(out, member{"forwardedEvent", forwarded})
	case forwarded:
		out = append(out, member{"forwardedEvent", "TRUE"})
	}
	return out
}

func kindOf(ev recording.Event) Kind {
	switch payload := ev.Payload.(type) {
	case recording.Started:
		return Kind{typeSession, "STARTED"}
	case recording.Updated:
		return Kind{typeSession, "UPDATED"}
	case recording.Ended:
		return Kind{typeSession, "ENDED"}
	case recording.Removed:
		if payload.Pruned {
			return Kind{typeSession, "PRUNED"}
		}
		return Kind{typeSession, "DELETED"}
	case recording.Tagged:
		return Kind{typeTag, string(payload.Action)}
	case recording.Crossed:
		return Kind{typeStorage, payload.Threshold.Action()}
	}
	panic(fmt.Sprintf("no event for %T", ev.Payload))
}

func bodyOf(ev recording.Event, s shape) object {
	switch payload := ev.Payload.(type) {
	case recording.Started:
		return session{payload.Session, true, false, s}.body()
	case recording.Updated:
		return session{payload.Session, false, payload.Present, s}.body()
	case recording.Ended:
		return session{payload.Session, false, false, s}.body()
	case recording.Removed:
		return object{{"sessionIds", payload.IDs}}
	case recording.Tagged:
		return tagged(payload, s)
	case recording.Crossed:
		return object{
			{"nodeId", int64(payload.Disk.Node)},
			{"nodeIPAddress", payload.Disk.Address},
			{"partition", payload.Disk.Partition},
			{"percentageUtilization", int64(payload.Percent)},
		}
	}
	return nil
}

// session is a session as an event reports it.
type session struct {
	recording.Session
	started bool // the first event, which names the devices
	present bool // without those who are gone
	shape   shape
}

func (s session) ended() bool { return !s.End.IsZero() }

func (s session) body() object {
	out := object{
		{"sessionId", s.ID},
		{"callControllerType", string(s.Controller.Type)},
		{"callControllerIP", s.Controller.Address},
		{"ccid", s.CCID},
		{"sessionStartDate", s.Start.UnixMilli()},
		{"sessionState", string(s.State)},
	}
	if s.ended() {
		out = append(out, member{"sessionDuration", s.End.Sub(s.Start).Milliseconds()})
	}
	if len(s.Tags) > 0 {
		out = append(out, member{"tags", tags(s.Tags, s.Start)})
	}
	tracks := make([]object, len(s.Tracks))
	for i, t := range s.Tracks {
		tracks[i] = s.track(t)
	}
	return append(out, member{"tracks", tracks}, member{"urls", s.urls()})
}

func (s session) track(t recording.Track) object {
	out := object{
		{"trackNumber", int64(t.Number)},
		{"trackStartDate", t.Start.UnixMilli()},
		{"trackMediaType", t.Media},
		{"participants", s.participants(t)},
	}
	if s.ended() {
		out = append(out, member{"trackDuration", t.End.Sub(t.Start).Milliseconds()},
			member{"downloadUrl", fmt.Sprintf("https://ms%d.example.test:8446/mma/ExportRaw?recording=%s-TRACK%d", s.Server+1, s.ID, t.Number)})
	}
	if t.Codec != "" {
		out = append(out, member{"codec", t.Codec})
	}
	if len(t.Tags) > 0 {
		out = append(out, member{"tags", tags(t.Tags, s.Start)})
	}
	return out
}

func (s session) participants(t recording.Track) []object {
	list := []object{}
	for _, p := range t.Participants {
		if s.present && !p.End.IsZero() {
			continue
		}
		out := object{
			{"deviceRef", p.DeviceRef},
			{"isConference", p.Conference},
			{"participantStartDate", p.Start.UnixMilli()},
			{"xRefCi", p.XRefCi},
		}
		if s.started && p.DeviceID != "" {
			out = append(out, member{"deviceId", p.DeviceID})
		}
		if !p.End.IsZero() {
			out = append(out, member{"participantDuration", p.End.Sub(p.Start).Milliseconds()})
		}
		list = append(list, out)
	}
	return list
}

func (s session) urls() any {
	host := fmt.Sprintf("ms%d.example.test", s.Server+1)
	list := []object{{{"rtspUrl", "rtsp://" + host + "/live/" + s.ID}}}
	if s.ended() {
		media := "https://" + host + ":8446/recordedMedia/oramedia/"
		list = []object{
			{{"rtspUrl", "rtsp://" + host + "/archive/" + s.ID}},
			{{"mp4Url", media + "mp4/" + s.ID + ".mp4"}},
			{{"wavUrl", media + "wav/" + s.ID + ".wav"}},
		}
	}
	if !s.shape.urlObject {
		return list
	}
	var one object
	for _, o := range list {
		one = append(one, o...)
	}
	return one
}

func tags(list []recording.Tag, start time.Time) []object {
	out := make([]object, len(list))
	for i, t := range list {
		out[i] = tag(t, start)
	}
	return out
}

func tag(t recording.Tag, start time.Time) object {
	kind := "SYSTEM_DEFINED"
	if t.User {
		kind = "USER_DEFINED"
	}
	out := object{{"tagName", t.Name}, {"tagType", kind}, {"tagCreateDate", t.Created.UnixMilli()}}
	if !t.At.IsZero() {
		out = append(out, member{"tagOffset", t.At.Sub(start).Milliseconds()})
	}
	return out
}

// tagged is the body of a tag event.
func tagged(payload recording.Tagged, s shape) object {
	out := append(object{{"sessionId", payload.Session}}, tag(payload.Tag, payload.Start)...)
	if s.seconds {
		out[3].value = payload.Tag.Created.Unix()
	}
	if payload.Track != recording.NoTrack {
		out = append(out, member{"trackNumber", int64(payload.Track)})
	}
	return out
}
