// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
)

func (l *timeline) call(c *store.Call, t *store.Trace) row {
	r := l.begin("Call", "call", roomName(c.RoomName, c.CallType), &c.Object)
	legs := 0
	for i := range t.Legs {
		if t.Legs[i].CallID == c.ID {
			legs++
		}
	}
	if t.NextLegs == nil {
		r.sub(counted(int64(legs), "leg", "legs"))
	}
	r.add("Type", c.CallType)
	r.add("Owner", c.OwnerName)
	r.add("Tag", c.CDRTag)
	if c.CallLegsMaxActive != nil {
		r.add("Most legs at once", count(*c.CallLegsMaxActive))
	}
	r.yes("Recorded by an endpoint", c.EndpointRecorded)
	r.code("Room id", c.RoomID)
	r.code("Tenant id", c.TenantID)
	r.code("Correlator", c.Correlator)
	return r.end("Call", &c.Object)
}

func (r *row) yes(name string, v *bool) {
	if v != nil && *v {
		r.add(name, "yes")
	}
}

// leg has its phases in its bar. Records tell how long each was, not when: they
// stand in the order that calls go through them.
func (l *timeline) leg(g *store.Leg, t *store.Trace, now time.Time) row {
	as := legRowOf(g, localTime{now}, t.States)
	r := l.begin("Leg", "leg", as.Name, &g.Object)
	r.Doing, r.Alarms = as.Doing, alarmsOf(g.PacketLossPercent, g.ExcessiveJitterPercent, g.HighRoundTripTimePercent)
	r.Worst = as.Loss
	r.Live, r.Flags, r.Doubt = liveQualityOf(t.Qualities, g.ID, localTime{now}), as.Flags, doubtOf(t.Doubts[g.ID])
	if !as.EndedAt.IsZero() || g.State == store.StateEnded {
		r.Why = &as.Why
	}
	l.phases(&r, g)
	r.sub(as.Role, g.RemoteParty)
	if len(r.Alarms) > 0 {
		l.Alarms = true
	}
	for _, a := range r.Alarms {
		r.add(a.Words, a.Text()+" of the time")
	}
	if r.Why != nil {
		text := r.Why.Words
		if r.Why.Cisco != "" {
			text += " (" + r.Why.Cisco + ")"
		}
		r.add("Ended because", text)
		r.add("More on that", g.ReasonDetails)
		if g.RemoteTeardown != nil {
			r.add("Ended by", map[bool]string{true: "the far end", false: "the bridge"}[*g.RemoteTeardown])
		}
	}
	r.add("Layout", t.States[g.ID].Layout)
	r.seconds("Setting up", g.SetupSeconds)
	r.seconds("In the voice menu", g.IVRSeconds)
	r.seconds("In the lobby", g.LobbySeconds)
	r.add("Direction", g.Direction)
	r.add("Type", strings.Trim(strings.Join([]string{g.Type, g.SubType, g.LyncSubType}, " "), " "))
	r.yes("Guest", g.GuestConnection)
	r.add("Confirmation", g.ConfirmationStatus)
	r.code("Far end", g.RemoteParty)
	r.code("Far end's address", g.RemoteAddress)
	r.code("Dialled", g.LocalAddress)
	r.add("Audio", codecs(g.RxAudioCodec, g.TxAudioCodec))
	r.add("Video", codecs(g.RxVideoCodec, g.TxVideoCodec))
	r.add("Media", encryption(g.EncryptedMedia, g.UnencryptedMedia))
	r.add("Tag", g.CDRTag)
	r.code("SIP Call-ID", g.SIPCallID)
	r.code("Participant id", g.ParticipantID)
	r.code("Continues leg", g.MovedCallLeg)
	r.code("Replaces SIP Call-ID", g.ReplacesSIPCallID)
	if address := personURL(g.RemoteParty, g.DisplayName); address != "" {
		r.Calls = append(r.Calls, link{"All calls of this person or endpoint", address})
	}
	r.Links = append(r.Links, legLinks(g, t)...)
	return r.end("Leg", &g.Object)
}

// phases cuts the leg's bar.
func (l *timeline) phases(r *row, g *store.Leg) {
	at, end := g.StartedAt, l.endOf(&g.Object)
	var pieces []piece
	for _, phase := range []struct {
		class   string
		seconds *float64
		explain *bool
	}{{"setup", g.SetupSeconds, &l.Setup}, {"ivr", g.IVRSeconds, &l.IVR}, {"lobby", g.LobbySeconds, &l.Lobby}} {
		if phase.seconds == nil || *phase.seconds <= 0 {
			continue
		}
		until := at.Add(time.Duration(*phase.seconds * float64(time.Second)))
		if until.After(end) {
			until = end
		}
		if b := l.scale.bar(at, until); b.width > narrowest {
			*phase.explain = true
			pieces = append(pieces, piece{Class: phase.class, bar: b})
		}
		at = until
	}
	if g.State == store.StateRunning && (g.Activity == store.ActivityIVR || g.Activity == store.ActivityLobby) && len(pieces) == 0 {
		l.IVR, l.Lobby = l.IVR || g.Activity == store.ActivityIVR, l.Lobby || g.Activity == store.ActivityLobby
		pieces = append(pieces, piece{Class: g.Activity, bar: l.scale.bar(at, end), Open: true})
		at = end
	}
	if end.After(at) || len(pieces) == 0 {
		p := piece{Class: "leg", bar: l.scale.bar(at, end), Open: r.Running}
		switch {
		case r.Worst == nil:
		case r.Worst.Bad:
			p.Class, p.Bad = "bad", true
		default:
			p.Class = "slight"
		}
		pieces = append(pieces, p)
	}
	r.Pieces = pieces
}

func codecs(rx, tx string) string {
	switch {
	case rx == "" && tx == "":
		return ""
	case rx == tx:
		return rx
	case rx == "":
		return "sent " + tx
	case tx == "":
		return "received " + rx
	default:
		return "received " + rx + ", sent " + tx
	}
}

func encryption(encrypted, unencrypted *bool) string {
	e, u := encrypted != nil && *encrypted, unencrypted != nil && *unencrypted
	switch {
	case e && u:
		return "partly encrypted"
	case e:
		return "encrypted"
	case u:
		return "not encrypted"
	default:
		return ""
	}
}

// spanLink is one of the links in a row of the archive.
type spanLink struct {
	TraceID string `json:"trace_id"`
	SpanID  string `json:"span_id"`
	Reason  string `json:"reason"`
}

// linksOf reads a column of links. What it cannot read is none.
func linksOf(document json.RawMessage) (all []spanLink) {
	if json.Unmarshal(document, &all) != nil {
		return nil
	}
	var good []spanLink
	for _, l := range all {
		if isHex(l.TraceID) && isHex(l.SpanID) {
			good = append(good, l)
		}
	}
	return good
}

func legLinks(g *store.Leg, t *store.Trace) (links []link) {
	for _, l := range linksOf(g.Links) {
		words := "Continues another leg"
		if l.Reason == "replaces" {
			words = "Replaces another leg"
		}
		links = append(links, link{words, traceURL("conferences", l.TraceID, l.SpanID)})
	}
	for i := range t.Continued {
		if next := &t.Continued[i]; next.MovedCallLeg == g.ID {
			links = append(links, link{"Goes on as another leg", traceURL("conferences", next.TraceID, next.SpanID)})
		}
	}
	return links
}

func (l *timeline) recording(g *store.Recording) row {
	kind, name := "Recording", "Recording"
	if g.Kind == store.KindStreaming {
		kind, name = "Streaming", "Streaming"
	}
	r := l.begin(kind, "recording", name, &g.Object)
	r.sub(g.Path, g.URL)
	r.code("File", g.Path)
	r.code("Streamed to", g.URL)
	r.code("Device", g.Device)
	r.code("Leg id", g.CallLegID)
	return r.end(kind, &g.Object)
}

func (l *timeline) session(s *store.Session) row {
	r := l.begin("Session", "session", sessionName(s), &s.Object)
	if s.State == store.StateEnded {
		w := why{Words: "Recorded", Cisco: s.MediaState}
		if s.ErrorType != "" {
			w = why{Words: "Recording failed", Cisco: s.ErrorType, Failure: true}
		}
		r.Why = &w
	}
	r.Pieces = append(r.Pieces, l.gaps(&s.Object, s.StartedAt, names.MediaSensePauses)...)
	r.sub(s.ControllerAddress)
	r.add("State", s.MediaState)
	r.add("Paused", gapsText(&s.Object, names.MediaSensePauses))
	r.code("Call controller", strings.Trim(s.ControllerAddress+" "+s.ControllerType, " "))
	r.code("Call at the controller (ccid)", s.CCID)
	for _, text := range texts(s.URLs) {
		r.code("Address", text)
	}
	r.add("Tags", strings.Join(tagNames(s.Tags), ", "))
	for _, link := range linksOf(s.Links) {
		r.Links = append(r.Links, sessionLink("The session before", link.TraceID, link.SpanID))
	}
	return r.end("Session", &s.Object)
}

func sessionLink(words, trace, span string) link { return link{words, traceURL("traces", trace, span)} }

func (l *timeline) track(t *store.Track) row {
	name := "Track"
	if t.TrackNumber != nil {
		name = fmt.Sprintf("Track %d", *t.TrackNumber)
	}
	r := l.begin("Track", "track", name, &t.Object)
	start := t.StartedAt
	if first := l.sessions[t.SessionID]; !first.IsZero() {
		start = first
	}
	r.Pieces = append(r.Pieces, l.gaps(&t.Object, start, names.MediaSenseSilences)...)
	r.sub(strings.ToLower(t.MediaType)+" "+t.Codec, t.Parties)
	r.add("Medium", t.MediaType)
	r.add("Codec", t.Codec)
	r.add("Parties", t.Parties)
	r.add("Silent", gapsText(&t.Object, names.MediaSenseSilences))
	r.add("Tags", strings.Join(tagNames(t.Tags), ", "))
	r.code("Media", t.DownloadURL)
	return r.end("Track", &t.Object)
}
