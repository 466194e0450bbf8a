// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"net/http"

	"github.com/legato-otel/legato/internal/archive/store"
)

type legsPage struct {
	listPage
	Running, Ended []legRow
}

// legRow is a leg in a list.
type legRow struct {
	store.Leg
	Start   localTime
	Name    string
	Room    string
	Seconds float64
	Why     why
	Doing   string       // what a running leg does
	Flags   []string     // what else its participant does: muted, presenting, …
	Live    *liveQuality // newest quality of a running leg, nil if it is not known
	Loss    *alarm
	Role    string
	Note    string // which part of the leg was not seen
	Doubt   *doubt // of a running one
}

// Sub returns the texts below the name.
func (l *legRow) Sub() (all []string) {
	if l.RemoteParty != "" && l.RemoteParty != l.Name {
		all = append(all, l.RemoteParty)
	}
	if l.Role != "" {
		all = append(all, l.Role)
	}
	return all
}

// PersonURL is the page of who called.
func (l *legRow) PersonURL() string { return personURL(l.RemoteParty, l.DisplayName) }

// RoomURL is the page of the room.
func (l *legRow) RoomURL() string { return roomURL(l.RoomID, l.RoomName) }

// URL of the page that the leg is on.
func (l *legRow) URL() string { return traceURL(legKind(&l.Leg), l.TraceID, l.SpanID) }

func legKind(l *store.Leg) string {
	if l.CallID == "" {
		return "traces"
	}
	return "conferences"
}

func legRowOf(l *store.Leg, now localTime, states map[string]store.LegState) legRow {
	out := legRow{
		Leg: *l, Start: localTime{l.StartedAt}, Name: legName(l), Role: roleWords[l.Role], Note: outcomeOf(l.Outcome),
		Loss: worstAlarm(l.PacketLossPercent, l.ExcessiveJitterPercent, l.HighRoundTripTimePercent),
	}
	if l.CallID != "" {
		out.Room = roomName(l.RoomName, "")
	}
	switch {
	case l.DurationSeconds != nil:
		out.Seconds = *l.DurationSeconds
	case l.State == store.StateRunning:
		out.Seconds = max(0, now.Sub(l.StartedAt).Seconds())
	}
	if l.State == store.StateRunning {
		out.Doing, out.Flags = doingOf(l, states), flagsOf(states[l.ID])
	} else {
		out.Why = whyOf(l.Reason, l.ErrorType != "")
	}
	return out
}

// legRowsOf returns the rows of legs. Those of running legs have their state and quality,
// and the doubts whether they run.
func legRowsOf(ctx context.Context, v *store.View, legs []store.Leg, now localTime) ([]legRow, error) {
	qualities, err := v.Quality(ctx, legs)
	if err != nil {
		return nil, err
	}
	states, err := v.LegStates(ctx, legs)
	if err != nil {
		return nil, err
	}
	doubts, err := v.LegDoubts(ctx, legs)
	if err != nil {
		return nil, err
	}
	rows := make([]legRow, len(legs))
	for i := range legs {
		rows[i] = legRowOf(&legs[i], now, states)
		rows[i].Doubt = doubtOf(doubts[legs[i].ID])
		rows[i].Live = liveQualityOf(qualities, legs[i].ID, now)
	}
	return rows, nil
}

// legName returns the displayed name of a leg: its name, else its address.
func legName(l *store.Leg) string {
	for _, name := range []string{l.DisplayName, l.RemoteParty, l.RemoteAddress} {
		if name != "" {
			return name
		}
	}
	return "Unknown caller"
}

func (h *handler) legs(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
	p := &legsPage{listPage: h.newList(r, "Call legs", "legs", "./legs")}
	p.OfMeetings = true
	p.setSortColumns(store.SortColumns[store.Leg]())
	var running, ended []store.Leg
	if err := fillLists(ctx, &p.listPage, v.Legs, &running, &ended); err != nil {
		return answer{}, err
	}
	var err error
	if p.Count, err = v.Running(ctx); err != nil {
		return answer{}, err
	}
	if p.Running, err = legRowsOf(ctx, v, running, p.Now); err != nil {
		return answer{}, err
	}
	for i := range ended {
		p.Ended = append(p.Ended, legRowOf(&ended[i], p.Now, nil))
	}
	if err := p.countDoubts(ctx, v); err != nil {
		return answer{}, err
	}
	return p.answer("legs", p), nil
}
