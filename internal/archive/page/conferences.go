// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"errors"
	"net/http"

	"github.com/legato-otel/legato/internal/archive/store"
)

type conferencesPage struct {
	listPage
	Running, Ended []conferenceRow
}

type conferenceRow struct {
	store.Conference
	Start, End localTime
	Name       string
	Seconds    float64
	Loss       *alarm
	Outcome    string
	Doing      []string // what the participants of a running meeting do
	Doubt      *doubt   // of a running one
}

// URL of the conference's page.
func (c *conferenceRow) URL() string { return traceURL("conferences", c.TraceID, "") }

func (h *handler) conferences(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
	p := &conferencesPage{listPage: h.newList(r, "Meetings", "meetings", "./")}
	p.OfMeetings = true
	p.exports("meetings.csv")
	p.sortable(store.SortColumns[store.Conference]())
	var running, ended []store.Conference
	if err := find(ctx, &p.listPage, v.Conferences, &running, &ended); err != nil {
		return answer{}, err
	}
	var err error
	if p.Count, err = v.Running(ctx); err != nil {
		return answer{}, err
	}
	for i := range running {
		p.Running = append(p.Running, conferenceRowOf(&running[i], p.Now))
	}
	for i := range ended {
		p.Ended = append(p.Ended, conferenceRowOf(&ended[i], p.Now))
	}
	if err := errors.Join(p.setStates(ctx, v), p.setDoubts(ctx, v), p.countDoubts(ctx, v)); err != nil {
		return answer{}, err
	}
	return p.answer("conferences", p), nil
}

func conferenceRowOf(c *store.Conference, now localTime) conferenceRow {
	out := conferenceRow{
		Conference: *c, Start: localTime{c.StartedAt}, End: localTime{c.EndedAt}, Name: roomName(c.RoomName, c.CallType), Outcome: outcomeOf(c.Outcome),
		Loss: worstAlarm(c.PacketLossPercent, c.ExcessiveJitterPercent, c.HighRoundTripTimePercent),
	}
	if c.DurationSeconds != nil {
		out.Seconds = *c.DurationSeconds
	} else {
		out.Seconds = max(0, now.Sub(c.StartedAt).Seconds())
	}
	return out
}

// roomName is what a meeting is called.
func roomName(name, callType string) string {
	switch {
	case name != "":
		return name
	case callType == "adHoc":
		return "Ad hoc call"
	case callType == "forwarding":
		return "Forwarded call"
	case callType == "lyncConferencing":
		return "Lync conference"
	default:
		return "Meeting without a name"
	}
}
