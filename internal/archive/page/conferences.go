// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
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
	Doing      []string // activity of the participants of a running meeting
	Doubt      *doubt   // of a running one
}

// URL of the conference's page.
func (c *conferenceRow) URL() string { return traceURL("conferences", c.TraceID, "") }

func (h *handler) conferences(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
	p := &conferencesPage{listPage: h.newList(r, "Meetings", "meetings", "./")}
	p.OfMeetings = true
	p.setExports("meetings.csv")
	p.setSortColumns(store.SortColumns[store.Conference]())
	var running, ended []store.Conference
	if err := fillLists(ctx, &p.listPage, v.Conferences, &running, &ended); err != nil {
		return answer{}, err
	}
	var err error
	if p.Count, err = v.Running(ctx); err != nil {
		return answer{}, err
	}
	if p.Running, err = conferenceRowsOf(ctx, v, running, p.Now); err != nil {
		return answer{}, err
	}
	if p.Ended, err = conferenceRowsOf(ctx, v, ended, p.Now); err != nil {
		return answer{}, err
	}
	if err := p.countDoubts(ctx, v); err != nil {
		return answer{}, err
	}
	return p.answer("conferences", p), nil
}

// conferenceRowsOf returns the rows of conferences. Rows of running ones have the activity of
// their participants, and whether they may have ended.
func conferenceRowsOf(ctx context.Context, v *store.View, conferences []store.Conference, now localTime) ([]conferenceRow, error) {
	var running []string
	for i := range conferences {
		if conferences[i].State == store.StateRunning {
			running = append(running, conferences[i].TraceID)
		}
	}
	states, err := v.ConferenceStates(ctx, running)
	if err != nil {
		return nil, err
	}
	doubts, err := v.ConferenceDoubts(ctx, conferences)
	if err != nil {
		return nil, err
	}
	rows := make([]conferenceRow, len(conferences))
	for i := range conferences {
		rows[i] = conferenceRowOf(&conferences[i], now)
		rows[i].Doing, rows[i].Doubt = conferenceDoing(states[rows[i].TraceID]), doubtOf(doubts[rows[i].TraceID])
	}
	return rows, nil
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

// roomName returns the displayed name of a meeting.
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
