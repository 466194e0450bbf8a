// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// helpdeskWeek is a week of one person who calls from two places, and of the others.
func helpdeskWeek() *Batch {
	b := &Batch{}
	board := Room{RoomID: "r-1", RoomName: "Board", TenantID: "acme"}
	leg := func(id, trace, bridge string, start time.Time, change func(*Leg)) {
		l := Leg{
			Object: Object{
				ID: id, TraceID: trace, SpanID: "s" + id, State: StateEnded, Outcome: "complete", Bridge: bridge, System: "cms-" + bridge, StartedAt: start,
				EndedAt: start.Add(10 * time.Minute), LastHeardAt: start.Add(10 * time.Minute), DurationSeconds: new(600.0), Phase: Stitched,
			},
			Room: board, CallID: "c" + trace, Role: "participant", DisplayName: "Nora Quill", RemoteParty: "nora@example.test", RemoteAddress: "sip:nora@192.0.2.7",
			LocalAddress: "board@meet.test", Direction: "incoming", Type: "sip", SubType: "webApp", Reason: "remoteTeardown",
		}
		change(&l)
		b.Legs = append(b.Legs, l)
	}
	call := func(trace, bridge string, start time.Time) {
		b.Calls = append(b.Calls, Call{Object: Object{
			ID: "c" + trace, TraceID: trace, SpanID: "sc" + trace, State: StateEnded, Outcome: "complete", Bridge: bridge, StartedAt: start, EndedAt: start.Add(10 * time.Minute),
			LastHeardAt: start.Add(10 * time.Minute), DurationSeconds: new(600.0), Phase: Stitched,
		}, Room: board, OwnerName: "Ines", CDRTag: "exec"})
	}
	for day := range 5 {
		trace := fmt.Sprint("t", day)
		start := noon.AddDate(0, 0, -day)
		call(trace, "b1", start)
		leg(fmt.Sprint("nora", day), trace, "b1", start, func(l *Leg) {
			switch day {
			case 0:
				l.PacketLossPercent = new(14.0)
			case 1:
				l.Reason, l.ErrorType, l.DisplayName = "timeout", "timeout", "nora quill (home)"
			case 2:
				l.PacketLossPercent, l.RemoteParty, l.SubType = new(2.0), "NORA@example.test", ""
			}
		})
		for i := range 3 {
			leg(fmt.Sprint("other", day, "-", i), trace, []string{"b1", "b1", "b2"}[i], start.Add(time.Minute), func(l *Leg) {
				l.DisplayName, l.RemoteParty = fmt.Sprint("Other ", i), fmt.Sprintf("other%d@example.test", i)
				if day == 0 && i < 2 {
					l.PacketLossPercent = new([]float64{3, 30}[i])
				}
			})
		}
	}
	return b
}

func TestPartyProfile(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		_, err := s.Write(t.Context(), helpdeskWeek())
		require.NoError(t, err)
		v, err := s.View(t.Context())
		require.NoError(t, err)
		defer v.Close()
		tokyo, err := time.LoadLocation("Asia/Tokyo")
		require.NoError(t, err)
		v.In(tokyo)
		p, err := v.PartyProfile(t.Context(), Party{Address: "Nora@Example.test"}, at(3*3600))
		require.NoError(t, err)
		assert.Equal(t, int64(5), p.Legs)
		assert.False(t, p.More)
		assert.Equal(t, []int64{0, 1, 1, 1}, []int64{p.Running, p.Failed, p.Slight, p.Bad})
		assert.InDelta(t, 3000, p.Seconds, 0)
		assert.True(t, noon.AddDate(0, 0, -4).Equal(p.Since))
		assert.Equal(t, tokyo, p.Since.Location())
		require.Len(t, p.Days, ProfileDays)
		// 15:00 UTC is the next day in Tokyo; noon is 21:00 of the same.
		assert.Equal(t, time.Date(2026, 3, 6, 0, 0, 0, 0, tokyo), p.Days[ProfileDays-1].At)
		assert.Zero(t, p.Days[ProfileDays-1].Legs)
		assert.Equal(t, Bucket{At: time.Date(2026, 3, 5, 0, 0, 0, 0, tokyo), Legs: 1, Bad: 1}, p.Days[ProfileDays-2])
		assert.Equal(t, Bucket{At: time.Date(2026, 3, 4, 0, 0, 0, 0, tokyo), Legs: 1, Failed: 1}, p.Days[ProfileDays-3])
		require.Len(t, p.Names, 2)
		assert.Equal(t, "Nora Quill", p.Names[0].Text)
		assert.Equal(t, int64(4), p.Names[0].Legs)
		require.Len(t, p.Addresses, 1)
		assert.Equal(t, int64(3), p.Addresses[0].Trouble)
		assert.Equal(t, []string{"sip webApp", "sip"}, []string{p.Devices[0].Text, p.Devices[1].Text})
		assert.Equal(t, "board@meet.test", p.Dialled[0].Text)
		assert.Equal(t, Seen{ID: "b1", Text: "cms-b1", Legs: 5, Trouble: 3, LastSeenAt: noon.In(tokyo)}, p.Bridges[0])
		assert.Equal(t, "r-1", p.Rooms[0].ID)
		assert.Equal(t, []End{{State: StateEnded, Reason: "remoteTeardown", Legs: 4}, {State: StateEnded, Reason: "timeout", Failure: true, Legs: 1}}, p.Ends)

		byName, err := v.PartyProfile(t.Context(), Party{Name: "nora quill (HOME)"}, at(0))
		require.NoError(t, err)
		assert.Equal(t, int64(1), byName.Legs)
		nobody, err := v.PartyProfile(t.Context(), Party{Name: "x"}, at(0))
		require.NoError(t, err)
		assert.Zero(t, nobody.Legs)

		ids := allPagesOf(t, func(page Page) (List[Leg], error) {
			return v.PartyLegs(t.Context(), Party{Address: "nora@example.test"}, page)
		}, func(l *Leg) string { return l.ID })
		assert.Equal(t, []string{"nora0", "nora1", "nora2", "nora3", "nora4"}, ids)

		q, err := v.BridgeQuality(t.Context(), "b1", at(-60), at(600))
		require.NoError(t, err)
		assert.Equal(t, Bucket{At: at(-60), Legs: 3, Slight: 1, Bad: 2}, q.Bucket)
		assert.False(t, q.Cut)
	})
}

func TestRoomProfile(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		_, err := s.Write(t.Context(), helpdeskWeek())
		require.NoError(t, err)
		v, err := s.View(t.Context())
		require.NoError(t, err)
		defer v.Close()
		for _, key := range []RoomKey{{ID: "R-1"}, {Name: "board"}} {
			p, err := v.RoomProfile(t.Context(), key, at(0))
			require.NoError(t, err)
			assert.Equal(t, []string{"r-1", "Board", "acme", "Ines", "exec"}, []string{p.ID, p.Name, p.TenantID, p.Owner, p.Tag})
			assert.Equal(t, []int64{5, 0, 3, 4, 5}, []int64{p.Meetings, p.Running, p.Troubled, p.Largest, p.LegsOf})
			assert.InDelta(t, 20*600, p.ParticipantSeconds, 0)
			assert.Equal(t, Bucket{At: time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC), Legs: 1, Bad: 1}, p.Days[ProfileDays-1])
			assert.Equal(t, int64(1), p.Days[ProfileDays-2].Failed)
			require.Len(t, p.People, 4)
			assert.Equal(t, Seen{ID: "nora@example.test", Text: "Nora Quill", Legs: 5, Trouble: 3, LastSeenAt: noon}, p.People[0])
			assert.Equal(t, []string{"cms-b1", "cms-b2"}, []string{p.Bridges[0].Text, p.Bridges[1].Text})
			assert.Equal(t, End{State: StateEnded, Reason: "remoteTeardown", Legs: 19}, p.Ends[0])
			ids := allPagesOf(t, func(page Page) (List[Conference], error) { return v.RoomConferences(t.Context(), key, page) }, func(c *Conference) string { return c.TraceID })
			assert.Equal(t, []string{"t0", "t1", "t2", "t3", "t4"}, ids)
		}
		p, err := v.RoomProfile(t.Context(), RoomKey{Name: "boar"}, at(0))
		require.NoError(t, err)
		assert.Zero(t, p.Meetings)
	})
}

// allPagesOf reads a list to its end, two rows at a time.
func allPagesOf[T Row](t *testing.T, list func(Page) (List[T], error), id func(*T) string) (ids []string) {
	t.Helper()
	page := Page{Limit: 2}
	for {
		l, err := list(page)
		require.NoError(t, err)
		for i := range l.Rows {
			ids = append(ids, id(&l.Rows[i]))
		}
		if l.Next == nil {
			return ids
		}
		page.After = *l.Next
	}
}
