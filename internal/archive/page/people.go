// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

// personPage is what a helpdesk opens when somebody calls.
type personPage struct {
	frame
	Name, Address string
	Profile       store.PartyProfile
	Since         localTime
	Figures       []figure
	Last          *lastCall
	Chart         chart
	Ends          []endRow
	Seen          []seenList
	Calls         []legRow
	Next, First   string // addresses of other pages of the calls
	Exports       []choice
}

// lastCall is the newest call of a person, and how others fared on the same bridge.
type lastCall struct {
	legRow
	Alarms     []alarm
	BridgeName string
	Others     store.BridgeQuality
	// OthersURL lists the legs of the bridge at that time that had packet loss.
	OthersURL string
	From, To  localTime
}

// aroundCall is how long before and behind a call's start the bridge is looked at.
const aroundCall = time.Hour

func (h *handler) people(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
	query := r.URL.Query()
	party := store.Party{Address: asked(query, paramAddress), Name: asked(query, paramName)}
	if party == (store.Party{}) {
		return answer{location: "./search"}, nil
	}
	f := parseForm(query, h.config.Now().In(zoneOf(r)))
	p := &personPage{frame: h.frame(r, "", ""), Address: party.Address}
	var err error
	if p.Profile, err = v.PartyProfile(ctx, party, p.Now.Time); err != nil {
		return answer{}, err
	}
	if p.Profile.Legs == 0 {
		return answer{}, errNotFound
	}
	calls, err := v.PartyLegs(ctx, party, store.Page{Limit: pageRows, After: f.after})
	if err != nil {
		return answer{}, err
	}
	if p.Calls, err = legRowsOf(ctx, v, calls.Rows, p.Now); err != nil {
		return answer{}, err
	}
	here := personURL(party.Address, party.Name)
	if calls.Next != nil {
		p.Next = here + "&" + paramAfter + "=" + cursorText(*calls.Next)
	}
	if f.after.At.IsZero() {
		if err := p.lastCall(ctx, v, calls.Rows); err != nil {
			return answer{}, err
		}
	} else {
		p.First = here
	}
	p.describe(party)
	return answer{template: "person.html", data: p}, nil
}

func (p *personPage) lastCall(ctx context.Context, v *store.View, calls []store.Leg) (err error) {
	if len(calls) == 0 {
		return nil
	}
	l := &calls[0]
	last := &lastCall{
		legRow: p.Calls[0], Alarms: alarmsOf(l.PacketLossPercent, l.ExcessiveJitterPercent, l.HighRoundTripTimePercent), BridgeName: cmp.Or(l.System, l.Bridge),
	}
	if l.Bridge != "" {
		from, to := l.StartedAt.Add(-aroundCall), l.StartedAt.Add(aroundCall)
		if last.Others, err = v.BridgeQuality(ctx, l.Bridge, from, to); err != nil {
			return err
		}
		last.From, last.To = localTime{from}, localTime{to}
		last.OthersURL = legsURL(paramBridge, l.Bridge, paramFrom, from.Format(time.RFC3339), paramTo, to.Format(time.RFC3339), paramLoss, "0.1")
	}
	p.Last = last
	return nil
}

// describe says what the newest calls have in common.
func (p *personPage) describe(party store.Party) {
	profile := &p.Profile
	p.Name = party.Name
	if len(profile.Names) > 0 {
		p.Name = profile.Names[0].Text
	}
	p.Name = cmp.Or(p.Name, party.Address)
	p.Title = p.Name
	if p.Address == "" && len(profile.Addresses) == 1 {
		p.Address = profile.Addresses[0].Text
	}
	p.Since = localTime{profile.Since}
	number := count(profile.Legs)
	if profile.More {
		number = "newest " + number
	}
	p.Figures = []figure{
		{Value: number, Name: noun(profile.Legs, "call", "calls")},
		troubleFigure(profile.Failed, profile.Legs, "failed", "failure"),
		troubleFigure(profile.Slight+profile.Bad, profile.Legs, "with packet loss", "slight"),
		troubleFigure(profile.Bad, profile.Legs, "of them bad", "bad"),
		{Value: duration(profile.Seconds), Name: "in calls"},
	}
	p.Chart = newChart("Calls of the last 30 days", "calls", profile.Days, 24*time.Hour)
	p.Ends = endRows(profile.Ends)
	address := func(s *store.Seen) string {
		if strings.EqualFold(s.Text, party.Address) {
			return ""
		}
		return personURL(s.Text, "")
	}
	name := func(s *store.Seen) string {
		if party.Address == "" && strings.EqualFold(s.Text, party.Name) {
			return ""
		}
		return personURL("", s.Text)
	}
	for _, list := range []seenList{
		newSeenList("rooms", "Rooms", profile.Rooms, roomLink),
		newSeenList("names", "Names", profile.Names, name),
		newSeenList("addresses", "Addresses", profile.Addresses, address),
		newSeenList("far", "SIP addresses", profile.FarAddresses, noLink),
		newSeenList("devices", "Kinds of device", profile.Devices, noLink),
		newSeenList("dialled", "Dialled", profile.Dialled, func(s *store.Seen) string { return legsURL(paramDialled, s.Text) }),
		newSeenList("bridges", "Bridges", profile.Bridges, bridgeLink),
	} {
		if len(list.Rows) > 0 {
			p.Seen = append(p.Seen, list)
		}
	}
	export := legsURL(paramParty, cmp.Or(party.Address, party.Name))[len("legs"):]
	for _, form := range csvChoices {
		address := "export.csv" + export
		if form.Value != "" {
			address += "&" + paramForm + "=" + form.Value
		}
		p.Exports = append(p.Exports, choice{address, form.Words})
	}
}

// csvChoices are the forms of a CSV.
var csvChoices = []choice{{"", "CSV"}, {"excel", "CSV for Excel"}, {"machine", "CSV for programs"}}
