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

// personPage is the page of a person, for a helpdesk that is called by them.
type personPage struct {
	profilePage
	Last  *lastCall
	Calls []legRow
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
	f := parseForm(r.URL.Query(), h.config.Now().In(zoneOf(r)))
	party := partyOf(f.values)
	if party == (store.Party{}) {
		return answer{location: "./search"}, nil
	}
	p := &personPage{profilePage: profilePage{frame: h.frame(r, "", "")}}
	profile, err := v.PartyProfile(ctx, party, p.Now.Time)
	if err != nil {
		return answer{}, err
	}
	if profile.Legs == 0 {
		return answer{}, errNotFound
	}
	calls, err := v.PartyLegs(ctx, party, store.Page{Limit: pageRows, After: f.after})
	if err != nil {
		return answer{}, err
	}
	if p.Calls, err = legRowsOf(ctx, v, calls.Rows, p.Now); err != nil {
		return answer{}, err
	}
	p.setPages(personURL(party.Address, party.Name), f.after, calls.Next)
	if p.First == "" {
		if err := p.lastCall(ctx, v, calls.Rows); err != nil {
			return answer{}, err
		}
	}
	p.describe(party, &profile)
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

// describe fills in the common properties of the newest calls.
func (p *personPage) describe(party store.Party, profile *store.PartyProfile) {
	p.Name, p.Address = party.Name, party.Address
	if len(profile.Names) > 0 {
		p.Name = profile.Names[0].Text
	}
	p.Name = cmp.Or(p.Name, party.Address)
	p.Title = p.Name
	if p.Address == "" && len(profile.Addresses) == 1 {
		p.Address = profile.Addresses[0].Text
	}
	p.setNewest(profile.Legs, profile.More, profile.Since, "call", "calls")
	p.Figures = append(p.Figures,
		troubleFigure(profile.Failed, profile.Legs, "failed", "failure"),
		troubleFigure(profile.Slight+profile.Bad, profile.Legs, "with packet loss", "slight"),
		troubleFigure(profile.Bad, profile.Legs, "of them bad", "bad"),
		figure{Value: duration(profile.Seconds), Name: "in calls"},
	)
	p.Chart = newChart("Calls of the last 30 days", "calls", profile.Days, 24*time.Hour, withTrouble)
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
	p.addSeen("rooms", "Rooms", profile.Rooms, roomLink)
	p.addSeen("names", "Names", profile.Names, name)
	p.addSeen("addresses", "Addresses", profile.Addresses, address)
	p.addSeen("far", "SIP addresses", profile.FarAddresses, noLink)
	p.addSeen("devices", "Kinds of device", profile.Devices, noLink)
	p.addSeen("dialled", "Dialled", profile.Dialled, func(s *store.Seen) string { return legsURL(paramDialled, s.Text) })
	p.addSeen("bridges", "Bridges", profile.Bridges, bridgeLink)
	p.Exports = csvExports("export.csv", partyQuery(party.Address, party.Name))
}
