// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"net/http"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

// roomPage is the page of one room.
type roomPage struct {
	profilePage
	Meetings []conferenceRow
	// LegsOf is how many of the newest meetings the ends, people and bridges are of; 0 if
	// they are of all that were looked at.
	LegsOf int64
}

func (h *handler) rooms(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
	f := parseForm(r.URL.Query(), h.config.Now().In(zoneOf(r)))
	room := roomOf(f.values)
	if room == (store.RoomKey{}) {
		return answer{location: "./search"}, nil
	}
	p := &roomPage{profilePage: profilePage{frame: h.frame(r, "", "")}}
	profile, err := v.RoomProfile(ctx, room, p.Now.Time)
	if err != nil {
		return answer{}, err
	}
	if profile.Meetings == 0 {
		return answer{}, errNotFound
	}
	meetings, err := v.RoomConferences(ctx, room, store.Page{Limit: pageRows, After: f.after})
	if err != nil {
		return answer{}, err
	}
	if p.Meetings, err = conferenceRowsOf(ctx, v, meetings.Rows, p.Now); err != nil {
		return answer{}, err
	}
	p.setPages(roomURL(room.ID, room.Name), f.after, meetings.Next)
	p.describe(room, &profile)
	return answer{template: "room.html", data: p}, nil
}

// describe fills in the common properties of the newest meetings.
func (p *roomPage) describe(room store.RoomKey, profile *store.RoomProfile) {
	p.Name = roomName(profile.Name, "")
	p.Title = p.Name
	p.setNewest(profile.Meetings, profile.More, profile.Since, "meeting", "meetings")
	p.Figures = append(p.Figures,
		troubleFigure(profile.Troubled, profile.Meetings, "with failures or packet loss", "slight"),
		figure{Value: count(profile.Largest), Name: "people in the largest"},
		figure{Value: duration(profile.ParticipantSeconds), Name: "participant time"},
	)
	if profile.Running > 0 {
		p.Figures = append(p.Figures, figure{Value: count(profile.Running), Name: "running now"})
	}
	for _, f := range []fact{{"Owner", profile.Owner, false}, {"Tag", profile.Tag, false}, {"Room id", profile.ID, true}, {"Tenant id", profile.TenantID, true}} {
		if f.Value != "" {
			p.Facts = append(p.Facts, f)
		}
	}
	p.Chart = newChart("Meetings of the last 30 days", "meetings", profile.Days, 24*time.Hour, withTrouble)
	p.Ends = endRows(profile.Ends)
	if profile.LegsOf < profile.Meetings {
		p.LegsOf = profile.LegsOf
	}
	p.addSeen("people", "People and endpoints", profile.People, func(s *store.Seen) string { return personURL(s.ID, s.Text) })
	p.addSeen("bridges", "Bridges", profile.Bridges, bridgeLink)
	p.Exports = csvExports("meetings.csv", roomQuery(room))
}
