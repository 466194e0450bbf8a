// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// RoomKey is a room by its id or, if that is empty, by its name; the case of the
// letters a to z makes no difference.
type RoomKey struct{ ID, Name string }

func (k RoomKey) condition(c *conditions) {
	if k.ID != "" {
		c.and("room_id = ?", strings.ToLower(k.ID))
		return
	}
	c.and("room_name IS NOT NULL AND lower(room_name) = ?", asciiLower(k.Name))
}

func (k RoomKey) index() string {
	if k.ID != "" {
		return "conferences_by_room"
	}
	return "conferences_by_room_name"
}

// RoomConferences is a page of the meetings in a room, newest first.
func (v *View) RoomConferences(ctx context.Context, k RoomKey, page Page) (List[Conference], error) {
	w := walk[Conference]{key: "trace_id", index: k.index(), at: func(c *Conference) Cursor { return Cursor{c.StartedAt, c.TraceID} }, indexed: k.condition}
	return w.newest(ctx, v, page)
}

const (
	// RoomMeetingsSeen is how many meetings of a room a [RoomProfile] looks at: the
	// newest.
	RoomMeetingsSeen = 500
	// roomLegs is how many legs, of the newest of these meetings, are looked at.
	roomLegs = 1500
	// roomTraces is how many meetings these legs are of, at most.
	roomTraces = 50
)

// RoomProfile summarizes the newest meetings in a room.
type RoomProfile struct {
	ID       string `json:"room_id,omitempty"`
	Name     string `json:"room_name,omitempty"`
	TenantID string `json:"tenant_id,omitempty"`
	Owner    string `json:"owner_name,omitempty"`
	Tag      string `json:"cdr_tag,omitempty"`
	// Meetings that were looked at. More is set if there are older ones, and Since is
	// when the oldest one that was looked at started.
	Meetings int64     `json:"meetings"`
	More     bool      `json:"more"`
	Since    time.Time `json:"since,omitzero"`
	Running  int64     `json:"running"`
	// Troubled meetings had a leg that failed or a packet loss alarm.
	Troubled int64 `json:"troubled"`
	// Largest number of participants of a meeting, and their time in all.
	Largest            int64   `json:"largest"`
	ParticipantSeconds float64 `json:"participant_seconds"`
	// Days count meetings: those with a failed leg, and by their worst packet loss.
	Days []Bucket `json:"days"`
	// LegsOf is how many of the newest meetings the rest is of.
	LegsOf int64  `json:"legs_of_meetings"`
	Ends   []End  `json:"ends,omitempty"`
	People []Seen `json:"people,omitempty"`
	// Bridges that these legs were on.
	Bridges []Seen `json:"bridges,omitempty"`
}

// RoomProfile looks at the newest meetings in a room.
func (v *View) RoomProfile(ctx context.Context, k RoomKey, now time.Time) (p RoomProfile, err error) {
	w := walk[Conference]{index: k.index()}
	var c conditions
	k.condition(&c)
	p.Days = days(now.In(v.zone), ProfileDays)
	var traces []string
	err = v.each(ctx, func(found *sql.Rows) error {
		var m Conference
		if err := found.Scan(&m.TraceID, v.target(&m.StartedAt), &m.State, &m.Participants, &m.FailedLegs, &m.ParticipantSeconds, &m.PacketLossPercent,
			&m.RoomID, &m.RoomName, &m.TenantID, &m.OwnerName, &m.CDRTag); err != nil {
			return err
		}
		if p.Meetings == RoomMeetingsSeen {
			p.More = true
			return nil
		}
		if p.Meetings == 0 {
			p.ID, p.Name, p.TenantID, p.Owner, p.Tag = m.RoomID, m.RoomName, m.TenantID, m.OwnerName, m.CDRTag
		}
		p.Meetings++
		p.Since = m.StartedAt
		if m.State == StateRunning {
			p.Running++
		}
		one := Bucket{Legs: 1}
		one.rate(m.FailedLegs > 0, m.PacketLossPercent)
		if one.Failed+one.Slight+one.Bad > 0 {
			p.Troubled++
		}
		addToDay(p.Days, m.StartedAt, one)
		p.Largest = max(p.Largest, m.Participants)
		p.ParticipantSeconds += m.ParticipantSeconds
		if len(traces) < roomTraces {
			traces = append(traces, m.TraceID)
		}
		return nil
	}, c.fill("SELECT trace_id, started_at, state, participants, failed_legs, participant_seconds, packet_loss_percent, COALESCE(room_id, ''), COALESCE(room_name, ''), COALESCE(tenant_id, ''), "+
		"COALESCE(owner_name, ''), COALESCE(cdr_tag, '') FROM "+w.from(v)+c.where()+" ORDER BY started_at DESC LIMIT ?", RoomMeetingsSeen+1), c.args...)
	if err != nil || len(traces) == 0 {
		return p, err
	}
	p.LegsOf = int64(len(traces))
	return p, v.roomLegs(ctx, &p, traces)
}

// roomLegs counts the legs of some meetings.
func (v *View) roomLegs(ctx context.Context, p *RoomProfile, traces []string) error {
	people, bridges, ends := seenCounter{}, seenCounter{}, map[End]int64{}
	err := v.each(ctx, func(found *sql.Rows) error {
		var l Leg
		var failed bool
		if err := found.Scan(v.target(&l.StartedAt), &l.State, &l.Reason, &failed, &l.PacketLossPercent, &l.DisplayName, &l.RemoteParty, &l.Bridge, &l.System, &l.Role); err != nil {
			return err
		}
		trouble := failed || l.PacketLossPercent != nil && *l.PacketLossPercent > 0
		ends[End{State: l.State, Reason: l.Reason, Failure: failed}]++
		bridges.add(l.Bridge, l.System, l.StartedAt, trouble)
		if l.Role == "" || l.Role == "participant" {
			people.add(asciiLower(l.RemoteParty), l.DisplayName, l.StartedAt, trouble)
		}
		return nil
	}, fmt.Sprintf("SELECT started_at, state, COALESCE(reason, ''), error_type IS NOT NULL, packet_loss_percent, COALESCE(display_name, ''), COALESCE(remote_party, ''), "+
		"COALESCE(bridge, ''), COALESCE(system, ''), COALESCE(role, '') FROM call_legs WHERE "+v.d.in("trace_id", "$1")+" ORDER BY started_at DESC LIMIT %d", roomLegs), v.d.list(traces))
	p.People, p.Bridges, p.Ends = people.most(), bridges.most(), sortedEnds(ends)
	return err
}
