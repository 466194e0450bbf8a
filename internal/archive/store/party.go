// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
)

// Party is a person or an endpoint, identified by an address or, if that is empty, by a
// name. The case of the letters a to z makes no difference.
type Party struct{ Address, Name string }

// condition that a leg is the party's, such that an index in the order of time
// answers it.
func (p Party) condition(c *conditions) {
	if p.Address != "" {
		c.and("remote_party IS NOT NULL AND lower(remote_party) = ?", asciiLower(p.Address))
		return
	}
	c.and("display_name IS NOT NULL AND lower(display_name) = ?", asciiLower(p.Name))
}

// index that answers the condition.
func (p Party) index() string {
	if p.Address != "" {
		return "call_legs_by_remote_party"
	}
	return "call_legs_by_display_name"
}

// PartyLegs is a page of a party's legs, newest first.
func (v *View) PartyLegs(ctx context.Context, p Party, page Page) (List[Leg], error) {
	w := walk[Leg]{key: "id", index: p.index(), at: func(l *Leg) Cursor { return Cursor{l.StartedAt, l.ID} }, indexed: p.condition}
	return w.newest(ctx, v, page)
}

// PartyLegsSeen is how many legs of a party a [PartyProfile] looks at: the newest.
const PartyLegsSeen = 1000

// PartyProfile summarizes the newest legs of a party.
type PartyProfile struct {
	// Legs that were looked at. More is set if there are older ones, and Since is when
	// the oldest one that was looked at started.
	Legs  int64     `json:"legs"`
	More  bool      `json:"more"`
	Since time.Time `json:"since,omitzero"`
	// Running of them run; of those that ended, Failed did so for a reason that is a
	// failure, and Slight and Bad had a packet loss alarm as a [Bucket] has it.
	Running int64 `json:"running"`
	Failed  int64 `json:"failed"`
	Slight  int64 `json:"slight_loss"`
	Bad     int64 `json:"bad_loss"`
	// Seconds that its legs lasted.
	Seconds float64 `json:"seconds"`
	// Days are the last ProfileDays days of the view's zone, also those without a leg.
	Days []Bucket `json:"days"`
	// What its legs had, the most frequent first, at most mostSeen of each: names,
	// addresses, SIP URIs of the far end, kinds of device, dialled addresses, bridges and
	// rooms.
	Names        []Seen `json:"names,omitempty"`
	Addresses    []Seen `json:"addresses,omitempty"`
	FarAddresses []Seen `json:"remote_addresses,omitempty"`
	Devices      []Seen `json:"devices,omitempty"`
	Dialled      []Seen `json:"dialled,omitempty"`
	Bridges      []Seen `json:"bridges,omitempty"`
	Rooms        []Seen `json:"rooms,omitempty"`
	Ends         []End  `json:"ends,omitempty"`
}

// Seen is a value that legs had.
type Seen struct {
	// ID is that of a room; for a bridge it is the bridge's, and Text its name.
	ID   string `json:"id,omitempty"`
	Text string `json:"text"`
	Legs int64  `json:"legs"`
	// Trouble is how many of the legs failed or had a packet loss alarm.
	Trouble    int64     `json:"trouble"`
	LastSeenAt time.Time `json:"last_seen_at"`
}

const (
	// ProfileDays of the chart of a profile.
	ProfileDays = 30
	// mostSeen values of a kind.
	mostSeen = 8
)

// seenCounter counts values.
type seenCounter map[string]*Seen

func (s seenCounter) add(id, text string, at time.Time, trouble bool) {
	if text == "" && id == "" {
		return
	}
	key := id
	if key == "" {
		key = asciiLower(text)
	}
	have := s[key]
	if have == nil {
		// Legs come newest first.
		have = &Seen{ID: id, Text: text, LastSeenAt: at}
		s[key] = have
	}
	have.Text = cmp.Or(have.Text, text)
	have.Legs++
	if trouble {
		have.Trouble++
	}
}

func (s seenCounter) most() (all []Seen) {
	for _, one := range s {
		all = append(all, *one)
	}
	slices.SortFunc(all, func(a, b Seen) int {
		return cmp.Or(cmp.Compare(b.Legs, a.Legs), cmp.Compare(b.Trouble, a.Trouble), b.LastSeenAt.Compare(a.LastSeenAt), cmp.Compare(a.Text, b.Text), cmp.Compare(a.ID, b.ID))
	})
	return all[:min(len(all), mostSeen)]
}

// PartyProfile looks at the newest legs of a party.
func (v *View) PartyProfile(ctx context.Context, party Party, now time.Time) (p PartyProfile, err error) {
	w := walk[Leg]{index: party.index()}
	var c conditions
	party.condition(&c)
	query := c.fill("SELECT started_at, state, COALESCE(duration_seconds, 0), COALESCE(reason, ''), error_type IS NOT NULL, packet_loss_percent, "+
		"COALESCE(display_name, ''), COALESCE(remote_party, ''), COALESCE(remote_address, ''), COALESCE(local_address, ''), COALESCE(type, ''), COALESCE(sub_type, ''), COALESCE(direction, ''), "+
		"COALESCE(bridge, ''), COALESCE(system, ''), COALESCE(room_id, ''), COALESCE(room_name, '') FROM "+w.from(v)+c.where()+" ORDER BY started_at DESC LIMIT ?", PartyLegsSeen+1)
	p.Days = days(now.In(v.zone), ProfileDays)
	counters := [7]seenCounter{}
	for i := range counters {
		counters[i] = seenCounter{}
	}
	ends := map[End]int64{}
	err = v.each(ctx, func(found *sql.Rows) error {
		var l Leg
		var seconds float64
		var failed bool
		if err := found.Scan(v.target(&l.StartedAt), &l.State, &seconds, &l.Reason, &failed, &l.PacketLossPercent,
			&l.DisplayName, &l.RemoteParty, &l.RemoteAddress, &l.LocalAddress, &l.Type, &l.SubType, &l.Direction, &l.Bridge, &l.System, &l.RoomID, &l.RoomName); err != nil {
			return err
		}
		if p.Legs == PartyLegsSeen {
			p.More = true
			return nil
		}
		p.Legs++
		p.Since = l.StartedAt
		p.Seconds += seconds
		one := Bucket{Legs: 1}
		one.rate(failed, l.PacketLossPercent)
		p.Failed, p.Slight, p.Bad = p.Failed+one.Failed, p.Slight+one.Slight, p.Bad+one.Bad
		if l.State == StateRunning {
			p.Running++
		}
		addToDay(p.Days, l.StartedAt, one)
		end := End{State: l.State, Reason: l.Reason, Failure: failed}
		ends[end]++
		trouble := one.Failed+one.Slight+one.Bad > 0
		counters[0].add("", l.DisplayName, l.StartedAt, trouble)
		counters[1].add("", l.RemoteParty, l.StartedAt, trouble)
		counters[2].add("", l.RemoteAddress, l.StartedAt, trouble)
		counters[3].add("", strings.TrimSpace(l.Type+" "+l.SubType), l.StartedAt, trouble)
		if l.Direction == "incoming" {
			counters[4].add("", l.LocalAddress, l.StartedAt, trouble)
		}
		counters[5].add(l.Bridge, l.System, l.StartedAt, trouble)
		counters[6].add(l.RoomID, l.RoomName, l.StartedAt, trouble)
		return nil
	}, query, c.args...)
	p.Names, p.Addresses, p.FarAddresses, p.Devices = counters[0].most(), counters[1].most(), counters[2].most(), counters[3].most()
	p.Dialled, p.Bridges, p.Rooms = counters[4].most(), counters[5].most(), counters[6].most()
	p.Ends = sortedEnds(ends)
	return p, err
}

func sortedEnds(counts map[End]int64) (ends []End) {
	for end, legs := range counts {
		end.Legs = legs
		ends = append(ends, end)
	}
	slices.SortFunc(ends, func(a, b End) int {
		return cmp.Or(cmp.Compare(b.Legs, a.Legs), cmp.Compare(a.State, b.State), cmp.Compare(a.Reason, b.Reason))
	})
	return ends
}

// rate counts one leg's failure and packet loss.
func (b *Bucket) rate(failed bool, loss *float64) {
	switch {
	case loss == nil || *loss <= 0:
	case *loss < BadLoss:
		b.Slight = 1
	default:
		b.Bad = 1
	}
	if failed {
		b.Failed = 1
	}
}

// days are the last n days before a time, in its zone, with the day of that time.
func days(now time.Time, n int) []Bucket {
	all := make([]Bucket, n)
	for i := range all {
		all[i].At = time.Date(now.Year(), now.Month(), now.Day()-n+1+i, 0, 0, 0, 0, now.Location())
	}
	return all
}

// addToDay adds to the day that a time is on, if it is one of them.
func addToDay(days []Bucket, at time.Time, one Bucket) {
	i, exact := slices.BinarySearchFunc(days, at, func(b Bucket, at time.Time) int { return b.At.Compare(at) })
	if !exact {
		i--
	}
	if i >= 0 && i < len(days) {
		days[i].add(one)
	}
}

// BridgeQuality is how the legs of one Call Bridge fared that started in a time.
type BridgeQuality struct {
	Bucket
	From, To time.Time
	// Cut is set if there were more legs on all bridges than are looked at.
	Cut bool
}

// bridgeLegs is how many legs of all bridges are looked at for one.
const bridgeLegs = 5000

// BridgeQuality counts the legs of a Call Bridge that started from From on and
// before To.
func (v *View) BridgeQuality(ctx context.Context, bridge string, from, to time.Time) (q BridgeQuality, err error) {
	q.From, q.To = from, to
	q.At = from
	var seen int64
	walk := walk[Leg]{index: "call_legs_by_start"}
	err = v.each(ctx, func(found *sql.Rows) error {
		return found.Scan(&seen, &q.Legs, &q.Failed, &q.Slight, &q.Bad)
	}, "SELECT COUNT(*), COUNT(CASE WHEN bridge = $1 THEN 1 END), COUNT(CASE WHEN bridge = $1 THEN error_type END), "+
		"COUNT(CASE WHEN bridge = $1 AND packet_loss_percent > 0 AND packet_loss_percent < $2 THEN 1 END), COUNT(CASE WHEN bridge = $1 AND packet_loss_percent >= $2 THEN 1 END) "+
		"FROM (SELECT bridge, error_type, packet_loss_percent FROM "+walk.from(v)+" WHERE started_at >= $3 AND started_at < $4 ORDER BY started_at LIMIT $5) AS these",
		bridge, float64(BadLoss), from, to, bridgeLegs)
	q.Cut = seen == bridgeLegs
	return q, err
}
