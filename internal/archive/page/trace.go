// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/legato-otel/legato/internal/archive/store"
)

// traceLegs is how many legs a page shows at once.
const traceLegs = 200

type tracePage struct {
	frame
	Trace   *store.Trace
	Name    string
	RoomURL string // of the page of the room that it was in
	Kind    string // meeting, call leg, recording session, …
	State   string
	Running bool
	Start   localTime
	End     *localTime
	Seconds float64
	Note    string
	Doubt   *doubt // of a running meeting
	Figures []figure
	Facts   []fact
	Ends    []endRow
	Worst   []legRow
	Line    *timeline
	Related []link
	// TraceURL is the trace in a tracing backend, empty if there is none.
	TraceURL string
	LogsURL  string // log lines of the trace in a log backend
	Live     string // address of the part that changes
	NextLegs string // address of the page with more legs
	AllLegs  string // address of the page with the first ones, if this is not it
}

// figure is a number that people look for first.
type figure struct {
	Value, Name string
	Class       string
}

// endRow counts legs that ended for one reason.
type endRow struct {
	Why     why
	Running bool
	Legs    int64
	Width   string // of the bar
}

func (h *handler) trace(ctx context.Context, v *store.View, r *http.Request) (_ answer, err error) {
	f := parseForm(r.URL.Query(), h.config.Now().In(zoneOf(r)))
	id := r.PathValue("trace")
	if id == "" || len(id) > maxValue || strings.ContainsRune(id, 0) || strings.ToValidUTF8(id, "") != id {
		return answer{}, errNotFound
	}
	span := f.Value(paramSpan)
	if f.after.At.IsZero() && isHex(span) {
		if f.after, err = v.PageOfLeg(ctx, strings.ToLower(id), span, traceLegs); err != nil {
			return answer{}, err
		}
	}
	t, err := v.Trace(ctx, strings.ToLower(id), store.Page{Limit: traceLegs, After: f.after})
	if err != nil {
		return answer{}, err
	}
	if t.Empty() {
		return answer{}, errNotFound
	}
	p := &tracePage{frame: h.frame(r, "", "meetings"), Trace: &t}
	p.describe()
	if t.Conference != nil {
		doubts, err := v.ConferenceDoubts(ctx, []store.Conference{*t.Conference})
		if err != nil {
			return answer{}, err
		}
		p.Doubt = doubtOf(doubts[t.ID])
	}
	if p.Running {
		p.LiveSeconds = liveSeconds
	}
	p.Line = newTimeline(&t, p.Now.Time)
	p.Ends = endRows(t.Ends)
	p.worst()
	for i := range t.Related {
		s := &t.Related[i]
		p.Related = append(p.Related, sessionLink("Session of "+localTime{s.StartedAt}.Full(), s.TraceID, s.SpanID))
	}
	if h.config.TraceURL != "" && isHex(t.ID) {
		p.TraceURL = strings.ReplaceAll(h.config.TraceURL, TraceIDPlaceholder, t.ID)
	}
	end := p.Now.Time
	if p.End != nil {
		end = p.End.Time
	}
	p.LogsURL = logsURL(h.config.LogsURL, t.ID, p.Start.Time, end)
	here := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	if t.NextLegs != nil {
		p.NextLegs = here + "?" + paramAfter + "=" + cursorText(*t.NextLegs)
	}
	if !f.after.At.IsZero() {
		p.AllLegs = here
	}
	a := answer{template: "trace.html", data: p}
	if f.Value(paramLive) != "" {
		a.template = "trace-live"
	}
	return a, nil
}

// worst sets the faults: first the running legs with an alarm that is on, then the legs of the
// archive that failed or had an alarm.
func (p *tracePage) worst() {
	t := p.Trace
	var alarmed int64
	add := func(l *store.Leg, live *liveQuality) {
		row := legRowOf(l, p.Now, t.States)
		row.Live = live
		p.Worst = append(p.Worst, row)
	}
	shown := map[string]bool{}
	for i := range t.Legs {
		l := &t.Legs[i]
		if live := liveQualityOf(t.Qualities, l.ID, p.Now); live != nil && live.Alarm {
			alarmed++
			if alarmed <= mostAlarmed {
				shown[l.ID] = true
				add(l, live)
			}
		}
	}
	for i := range t.Worst {
		if l := &t.Worst[i]; !shown[l.ID] {
			add(l, nil)
		}
	}
	if alarmed > 0 {
		p.Figures = append(p.Figures, figure{count(alarmed), noun(alarmed, "leg", "legs") + " in alarm now", "bad"})
	}
}

// mostAlarmed is how many legs with an alarm that is on stand at the top of the page.
const mostAlarmed = 10

// describe names the trace by the object that it is of.
func (p *tracePage) describe() {
	t := p.Trace
	switch {
	case t.Conference != nil:
		p.conference(t.Conference)
	case len(t.Legs) > 0:
		l := &t.Legs[0]
		p.Kind, p.Name, p.Here = "Call leg that reached no meeting", legName(l), "legs"
		p.object(&l.Object)
	case len(t.Sessions) > 0:
		s := &t.Sessions[0]
		p.Kind, p.Name, p.Here = "Recording session", sessionName(s), "sessions"
		p.object(&s.Object)
	case len(t.Tracks) > 0:
		k := &t.Tracks[0]
		p.Kind, p.Name, p.Here = "Recorded track", cmp.Or(k.Parties, "Track without parties"), "sessions"
		p.object(&k.Object)
	case len(t.Dialogs) > 0:
		d := &t.Dialogs[0]
		p.Kind, p.Name = "SIP call", dialogName(d)
		p.object(&d.Object)
	case len(t.Recordings) > 0:
		g := &t.Recordings[0]
		p.Kind, p.Name = "Recording", cmp.Or(g.RoomName, g.Path, "Recording")
		p.object(&g.Object)
	default:
		c := &t.Calls[0]
		p.Kind, p.Name = "Call", roomName(c.RoomName, c.CallType)
		p.object(&c.Object)
	}
	p.Title = p.Name
}

func (p *tracePage) object(o *store.Object) {
	p.Start, p.Running, p.Note = localTime{o.StartedAt}, o.State == store.StateRunning, outcomeOf(o.Outcome)
	p.lasted(o.DurationSeconds)
	if !o.EndedAt.IsZero() {
		p.End = &localTime{o.EndedAt}
	}
	p.add("Reported by", cmp.Or(o.System, o.Bridge))
}

func (p *tracePage) lasted(seconds *float64) {
	if seconds != nil {
		p.Seconds = *seconds
	} else if p.Running {
		p.Seconds = max(0, p.Now.Sub(p.Start.Time).Seconds())
	}
}

func (p *tracePage) add(name, value string) {
	if value != "" {
		p.Facts = append(p.Facts, fact{Name: name, Value: value})
	}
}

func (p *tracePage) code(name, value string) {
	if value != "" {
		p.Facts = append(p.Facts, fact{name, value, true})
	}
}

func (p *tracePage) conference(c *store.Conference) {
	p.Kind, p.Name = "Meeting", roomName(c.RoomName, c.CallType)
	p.Start, p.Running, p.Note = localTime{c.StartedAt}, c.State == store.StateRunning, outcomeOf(c.Outcome)
	if !c.EndedAt.IsZero() {
		p.End = &localTime{c.EndedAt}
	}
	p.lasted(c.DurationSeconds)
	number := func(n int64, one, many string) {
		name := many
		if n == 1 {
			name = one
		}
		p.Figures = append(p.Figures, figure{count(n), name, ""})
	}
	number(c.Participants, "participant", "participants")
	number(c.Legs, "leg", "legs")
	number(c.Bridges, "bridge", "bridges")
	failed := figure{count(c.FailedLegs), "failed", ""}
	if c.FailedLegs > 0 {
		failed.Class = "failure"
	}
	p.Figures = append(p.Figures, failed)
	line := figure{"none", "quality alarms", ""}
	if p.Running {
		line.Name = "quality alarms so far"
	}
	if worst := worstAlarm(c.PacketLossPercent, c.ExcessiveJitterPercent, c.HighRoundTripTimePercent); worst != nil {
		line = figure{worst.Text(), "worst " + worst.Kind + " alarm", "slight"}
		if worst.Bad {
			line.Class = "bad"
		}
	}
	p.Figures = append(p.Figures, line)
	if c.Recordings > 0 {
		number(c.Recordings, "recording", "recordings")
	}
	if c.Streamings > 0 {
		number(c.Streamings, "streaming", "streamings")
	}
	p.Figures = append(p.Figures, figure{duration(c.ParticipantSeconds), "participant time", ""})
	p.RoomURL = roomURL(c.RoomID, c.RoomName)
	p.add("Owner", c.OwnerName)
	p.add("Type", c.CallType)
	p.add("Tag", c.CDRTag)
	p.code("Room id", c.RoomID)
	p.code("Tenant id", c.TenantID)
	p.code("Call id", c.CallID)
	p.code("Correlator", c.Correlator)
}

func endRows(ends []store.End) (rows []endRow) {
	var most int64
	for _, e := range ends {
		most = max(most, e.Legs)
	}
	for _, e := range ends {
		r := endRow{Legs: e.Legs, Running: e.State == store.StateRunning, Width: coordinate(100 * float64(e.Legs) / float64(most))}
		if r.Running {
			r.Why = why{Words: "Still in the call"}
		} else {
			r.Why = whyOf(e.Reason, e.Failure)
		}
		rows = append(rows, r)
	}
	return rows
}
