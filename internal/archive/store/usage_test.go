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

// usageDays are 100 people from the 5th to the 7th, two meetings that meet at noon,
// somebody who rang, waited, and a link between bridges.
func usageDays() *Batch {
	b := &Batch{}
	leg := func(id, trace, bridge string, from, to time.Time, change func(*Leg)) {
		l := Leg{
			Object: Object{ID: id, TraceID: trace, SpanID: id, State: StateEnded, Outcome: "complete", Bridge: bridge, StartedAt: from, EndedAt: to, LastHeardAt: to, DurationSeconds: new(to.Sub(from).Seconds()), Phase: Stitched},
			Room:   Room{TenantID: "acme"}, CallID: "c" + trace, Role: "participant", CallCDRTag: "exec",
		}
		if change != nil {
			change(&l)
		}
		b.Legs = append(b.Legs, l)
	}
	clock := func(d, h, m int) time.Time { return time.Date(2026, 3, d, h, m, 0, 0, time.UTC) }
	for i := range 100 {
		leg(fmt.Sprint("long", i), "long", "b1", clock(5, 22, 0), clock(7, 2, 0), func(l *Leg) { l.CallCDRTag = "days" })
	}
	leg("a", "m1", "b1", clock(10, 11, 0), clock(10, 12, 0), nil)
	leg("b", "m1", "b2", clock(10, 11, 30), clock(10, 12, 0), func(l *Leg) { l.Role = "distribution_link" })
	leg("c", "m2", "b1", clock(10, 12, 0), clock(10, 13, 0), func(l *Leg) { l.ActivatedSeconds, l.CDRTag = new(1800.0), "guest" })
	leg("d", "m2", "b1", clock(10, 12, 10), clock(10, 12, 11), func(l *Leg) { l.Reason, l.ErrorType = "ringingTimeout", "ringingTimeout" })
	leg("e", "m2", "b1", clock(10, 12, 20), clock(10, 12, 50), func(l *Leg) { l.SetupSeconds, l.LobbySeconds, l.TenantID = new(60.0), new(540.0), "other" })
	// Its start was not seen: it may be a recorder's.
	leg("f", "m1", "b3", clock(10, 11, 50), clock(10, 11, 55), func(l *Leg) { l.Role, l.Outcome, l.ActivatedSeconds = "", "partial", new(300.0) })
	leg("scan", "s", "b1", clock(10, 12, 30), clock(10, 12, 30), func(l *Leg) { l.CallID, l.TenantID = "", "" })
	return b
}

func TestUsage(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		_, err := s.Write(t.Context(), usageDays())
		require.NoError(t, err)
		now := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
		more, err := s.AddUpUsage(t.Context(), now)
		require.NoError(t, err)
		assert.False(t, more)
		date := func(d int) time.Time { return time.Date(2026, 3, d, 0, 0, 0, 0, time.UTC) }
		usage := func(f UsageFilter) []UsageHour {
			v, err := s.View(t.Context())
			require.NoError(t, err)
			defer v.Close()
			steps, err := v.Usage(t.Context(), f)
			require.NoError(t, err)
			return steps
		}
		days := usage(UsageFilter{From: date(4), To: date(11), Scope: UsageAll, Step: day})
		require.Len(t, days, 7)
		var peaks []int64
		var hours []float64
		for _, d := range days {
			peaks = append(peaks, d.PeakLegs)
			hours = append(hours, d.ParticipantSeconds/3600)
		}
		assert.Equal(t, []int64{0, 100, 100, 100, 0, 0, 3}, peaks)
		// 100 people for 2, 24 and 2 hours; on the 10th an hour, half an hour, and 20 minutes.
		assert.InDeltaSlice(t, []float64{0, 200, 2400, 200, 0, 0, 1.0 + 0.5 + 20.0/60}, hours, 1e-9)
		noon := usage(UsageFilter{From: date(10).Add(11 * time.Hour), To: date(10).Add(13 * time.Hour), Scope: UsageAll, Step: time.Hour})
		assert.Equal(t, []int64{3, 3}, []int64{noon[0].PeakLegs, noon[1].PeakLegs})
		assert.Equal(t, []int64{1, 1}, []int64{noon[0].PeakMeetings, noon[1].PeakMeetings}, "who leaves at noon and who comes are not at once")
		assert.Equal(t, int64(1), usage(UsageFilter{From: date(10), To: date(11), Scope: UsageBridge, Value: "b2", Step: day})[0].PeakLegs)
		assert.Equal(t, int64(1), usage(UsageFilter{From: date(10), To: date(11), Scope: UsageTenant, Value: "other", Step: day})[0].PeakLegs)

		v, err := s.View(t.Context())
		require.NoError(t, err)
		defer v.Close()
		tags, more, err := v.TagUsage(t.Context(), date(1), date(1).AddDate(0, 1, 0), 10)
		require.NoError(t, err)
		assert.False(t, more)
		assert.Equal(t, []TagUsage{
			{"acme", "days", 300, 3, 100 * 28 * 3600},
			{"acme", "exec", 1, 1, 3600},
			{"acme", "guest", 1, 1, 1800},
			{"other", "exec", 1, 1, 1200},
		}, tags)
		few, more, err := v.TagUsage(t.Context(), date(1), date(1).AddDate(0, 1, 0), 3)
		require.NoError(t, err)
		assert.True(t, more)
		assert.Equal(t, tags[:3], few)
		// What is billed is the same in the CSV, in the meetings and in the usage.
		var billed float64
		for _, tag := range tags {
			billed += tag.ParticipantSeconds
		}
		for _, query := range []string{
			"SELECT SUM(participant_seconds) FROM conferences",
			"SELECT SUM(connected_seconds) FROM call_legs WHERE role = 'participant' AND state = 'ended'", // as WriteCSV
			"SELECT SUM(seconds) FROM call_leg_days WHERE role = 'participant'",
		} {
			var seconds float64
			require.NoError(t, s.Reader().QueryRowContext(t.Context(), query).Scan(&seconds))
			assert.InDelta(t, billed, seconds, 1e-3, query)
		}
		bridges, err := v.UsageValues(t.Context(), UsageBridge)
		require.NoError(t, err)
		assert.Equal(t, []string{"b1", "b2", "b3"}, bridges)
		// In another zone the days are other ones: what began at 22:00 UTC is the 6th.
		kathmandu, err := time.LoadLocation("Asia/Tokyo")
		require.NoError(t, err)
		v.In(kathmandu)
		local, err := v.Usage(t.Context(), UsageFilter{From: time.Date(2026, 3, 5, 0, 0, 0, 0, kathmandu), To: time.Date(2026, 3, 7, 0, 0, 0, 0, kathmandu), Scope: UsageAll, Step: day})
		require.NoError(t, err)
		assert.Equal(t, []int64{0, 100}, []int64{local[0].PeakLegs, local[1].PeakLegs})
		_, err = v.Usage(t.Context(), UsageFilter{From: date(1), To: date(30), Scope: UsageAll, Step: time.Hour})
		require.Error(t, err)
	})
}

// A leg that changes makes its days due again; what is added up twice is the same.
func TestUsageOfChangedLegs(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		now := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
		peak := func() int64 {
			_, err := s.AddUpUsage(t.Context(), now)
			require.NoError(t, err)
			v, err := s.View(t.Context())
			require.NoError(t, err)
			defer v.Close()
			steps, err := v.Usage(t.Context(), UsageFilter{From: now.AddDate(0, 0, -12), To: now.AddDate(0, 0, -8), Scope: UsageAll, Step: day})
			require.NoError(t, err)
			var most int64
			for _, step := range steps {
				most = max(most, step.PeakLegs)
			}
			return most
		}
		assert.Zero(t, peak())
		_, err := s.Write(t.Context(), usageDays())
		require.NoError(t, err)
		assert.Equal(t, int64(3), peak())
		assert.Equal(t, int64(3), peak())
		late := usageDays().Legs[len(usageDays().Legs)-2]
		late.ID, late.SpanID = "late", "late"
		_, err = s.Write(t.Context(), &Batch{Legs: []Leg{late}})
		require.NoError(t, err)
		assert.Equal(t, int64(4), peak())
		// Days beyond a run's bound are left for the next.
		var legs []Leg
		for i := range daysInARun + 10 {
			l := late
			l.ID, l.SpanID = fmt.Sprint("d", i), fmt.Sprint("d", i)
			l.StartedAt, l.EndedAt, l.LastHeardAt = l.StartedAt.AddDate(0, -2, -i), l.EndedAt.AddDate(0, -2, -i), l.LastHeardAt.AddDate(0, -2, -i)
			legs = append(legs, l)
		}
		_, err = s.Write(t.Context(), &Batch{Legs: legs})
		require.NoError(t, err)
		more, err := s.AddUpUsage(t.Context(), now)
		require.NoError(t, err)
		assert.True(t, more)
		more, err = s.AddUpUsage(t.Context(), now)
		require.NoError(t, err)
		assert.False(t, more)
		_, err = s.Expire(t.Context(), now.AddDate(0, 0, -5))
		require.NoError(t, err)
		assert.Zero(t, peak())
	})
}
