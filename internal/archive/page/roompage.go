// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

// roomPage is the page of one room.
type roomPage struct {
	frame
	Name        string
	Profile     store.RoomProfile
	Since       localTime
	Figures     []figure
	Facts       []fact
	Chart       chart
	Ends        []endRow
	Seen        []seenList
	Meetings    []conferenceRow
	Next, First string
	Exports     []choice
}

func (h *handler) rooms(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
	query := r.URL.Query()
	key := store.RoomKey{ID: asked(query, paramID), Name: asked(query, paramName)}
	if key == (store.RoomKey{}) {
		return answer{location: "./search"}, nil
	}
	f := parseForm(query, h.config.Now().In(zoneOf(r)))
	p := &roomPage{frame: h.frame(r, "", "")}
	var err error
	if p.Profile, err = v.RoomProfile(ctx, key, p.Now.Time); err != nil {
		return answer{}, err
	}
	if p.Profile.Meetings == 0 {
		return answer{}, errNotFound
	}
	meetings, err := v.RoomConferences(ctx, key, store.Page{Limit: pageRows, After: f.after})
	if err != nil {
		return answer{}, err
	}
	for i := range meetings.Rows {
		p.Meetings = append(p.Meetings, conferenceRowOf(&meetings.Rows[i], p.Now))
	}
	here := roomURL(key.ID, key.Name)
	if meetings.Next != nil {
		p.Next = here + "&" + paramAfter + "=" + cursorText(*meetings.Next)
	}
	if !f.after.At.IsZero() {
		p.First = here
	}
	p.describe(key)
	return answer{template: "room.html", data: p}, nil
}

// describe says what the newest meetings have in common.
func (p *roomPage) describe(key store.RoomKey) {
	profile := &p.Profile
	p.Name = roomName(profile.Name, "")
	p.Title = p.Name
	p.Since = localTime{profile.Since}
	number := count(profile.Meetings)
	if profile.More {
		number = "newest " + number
	}
	p.Figures = []figure{
		{Value: number, Name: noun(profile.Meetings, "meeting", "meetings")},
		troubleFigure(profile.Troubled, profile.Meetings, "with failures or packet loss", "slight"),
		{Value: count(profile.Largest), Name: "people in the largest"},
		{Value: duration(profile.ParticipantSeconds), Name: "participant time"},
	}
	if profile.Running > 0 {
		p.Figures = append(p.Figures, figure{Value: count(profile.Running), Name: "running now"})
	}
	for _, f := range []fact{{"Owner", profile.Owner, false}, {"Tag", profile.Tag, false}, {"Room id", profile.ID, true}, {"Tenant id", profile.TenantID, true}} {
		if f.Value != "" {
			p.Facts = append(p.Facts, f)
		}
	}
	p.Chart = newChart("Meetings of the last 30 days", "meetings", profile.Days, 24*time.Hour)
	p.Ends = endRows(profile.Ends)
	for _, list := range []seenList{
		newSeenList("people", "People and endpoints", profile.People, func(s *store.Seen) string { return personURL(s.ID, s.Text) }),
		newSeenList("bridges", "Bridges", profile.Bridges, bridgeLink),
	} {
		if len(list.Rows) > 0 {
			p.Seen = append(p.Seen, list)
		}
	}
	for _, form := range csvChoices {
		query := url.Values{paramRoom: {cmp.Or(key.ID, key.Name)}}
		if form.Value != "" {
			query.Set(paramForm, form.Value)
		}
		p.Exports = append(p.Exports, choice{"meetings.csv?" + query.Encode(), form.Words})
	}
}
