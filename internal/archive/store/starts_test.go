// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

// startedLeg is the stitched record of a leg; a later revision replaces it.
func startedLeg(id string, start time.Time, revision int, reason string, loss *float64) Leg {
	l := Leg{PacketLossPercent: loss, Reason: reason, Object: Object{
		ID: id, TraceID: "t-" + id, SpanID: "s-" + id, State: StateEnded, Outcome: outcomeComplete, StartedAt: start, EndedAt: start.Add(time.Minute),
		LastHeardAt: start.Add(time.Minute), DurationSeconds: new(60.0), Phase: Stitched, Revision: Revision{Time: start.Add(time.Duration(revision) * time.Hour)},
	}}
	if known, _ := names.LegReason(reason); known.Failure {
		l.ErrorType = reason
	}
	return l
}

// countLegs makes an overview of legs without a database; bounds are where its steps begin
// and the last one ends.
func countLegs(legs map[string]Leg, bounds []time.Time) (buckets []Bucket, ends []End) {
	byReason := map[string]*End{}
	for i, at := range bounds[:len(bounds)-1] {
		b := Bucket{At: at}
		for _, l := range legs {
			if l.StartedAt.Before(at) || !l.StartedAt.Before(bounds[i+1]) {
				continue
			}
			b.Legs++
			if l.ErrorType != "" {
				b.Failed++
			}
			if loss := l.PacketLossPercent; loss != nil && *loss >= BadLoss {
				b.Bad++
			} else if loss != nil && *loss > 0 {
				b.Slight++
			}
			if byReason[l.Reason] == nil {
				byReason[l.Reason] = &End{Reason: l.Reason, Failure: l.ErrorType != ""}
			}
			byReason[l.Reason].Legs++
		}
		buckets = append(buckets, b)
	}
	for _, e := range byReason {
		ends = append(ends, *e)
	}
	slices.SortFunc(ends, func(a, b End) int {
		return cmp.Or(cmp.Compare(b.Legs, a.Legs), cmp.Compare(a.Reason, b.Reason))
	})
	return buckets, ends
}

// boundsOf are the steps of some hours that cover a time in a zone: days and their parts
// begin at the same hours, also on the days on which a clock is set forward or back.
func boundsOf(zone *time.Location, from, to time.Time, hours int) (bounds []time.Time) {
	from = from.In(zone)
	for hour := from.Hour() / hours * hours; ; hour += hours {
		at := time.Date(from.Year(), from.Month(), from.Day(), hour, 0, 0, 0, zone)
		if len(bounds) > 0 && !at.After(bounds[len(bounds)-1]) {
			continue
		}
		if bounds = append(bounds, at); !at.Before(to) {
			return bounds
		}
	}
}

// TestOverviewIsTheLegs: an overview is a function of the legs, whether their days are
// counted in advance, not yet, or changed since, and whatever zone its days are in.
func TestOverviewIsTheLegs(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		random := rand.New(rand.NewPCG(5, 5))
		first := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		zones := []*time.Location{time.UTC}
		// In New York the clock is set forward on the 8th.
		for _, name := range []string{"Asia/Tokyo", "America/New_York", "Asia/Kathmandu"} {
			zone, err := time.LoadLocation(name)
			require.NoError(t, err)
			zones = append(zones, zone)
		}
		now := first.Add(9*day + 13*time.Hour)
		legs := map[string]Leg{}
		for round := range 8 {
			b := &Batch{}
			for range 30 {
				id := fmt.Sprint("l", random.IntN(120))
				start := first.Add(time.Duration(random.Int64N(int64(9 * day)))).Truncate(time.Millisecond)
				if old, known := legs[id]; known {
					start = old.StartedAt
				}
				loss := []*float64{nil, new(0.0), new(3.5), new(10.0), new(55.0)}[random.IntN(5)]
				if old, known := legs[id]; known && loss == nil {
					loss = old.PacketLossPercent // no record removes a value
				}
				l := startedLeg(id, start, round, []string{"remoteTeardown", "timeout", "dnsFailure"}[random.IntN(3)], loss)
				if known, _ := names.LegReason(l.Reason); !known.Failure {
					l.ErrorType = ""
				}
				legs[id] = l
				b.Legs = append(b.Legs, l)
			}
			// Of a batch, the last record of a leg counts.
			last := map[string]Leg{}
			for _, l := range b.Legs {
				last[l.ID] = l
			}
			b.Legs = nil
			for _, l := range last {
				b.Legs = append(b.Legs, l)
			}
			_, err := s.Write(t.Context(), b)
			require.NoError(t, err)
			if round%3 == 1 {
				more, err := s.AddUpUsage(t.Context(), now)
				require.NoError(t, err)
				assert.False(t, more)
			}
			for _, zone := range zones {
				for _, hours := range []int{1, 6, 24} {
					from, to := first.Add(time.Duration(random.IntN(30*60))*time.Minute), first.Add(9*day)
					bounds := boundsOf(zone, from, to, hours)
					buckets, ends := countLegs(legs, bounds)
					o := overviewIn(t.Context(), t, s, zone, from, to, time.Duration(hours)*time.Hour)
					require.Equal(t, buckets, o.Buckets, "round %d, %s, %d hours", round, zone, hours)
					require.Equal(t, ends, o.Ends, "round %d, %s, %d hours", round, zone, hours)
				}
			}
		}
		// The days that are counted are not counted again: their numbers are those of
		// the table.
		_, err := s.AddUpUsage(t.Context(), now)
		require.NoError(t, err)
		before := overview(t.Context(), t, s, first, first.Add(9*day), day)
		require.NoError(t, s.inTurn(t.Context(), func(ctx context.Context, tx transaction) error {
			_, err := tx.exec(ctx, "UPDATE usage_starts SET legs = legs + 1000 WHERE day = $1", s.d.instant(first.Add(2*day)))
			return err
		}))
		assert.Greater(t, overview(t.Context(), t, s, first, first.Add(9*day), day).Sum.Legs, before.Sum.Legs+999)
	})
}

func overview(ctx context.Context, t *testing.T, s *Store, from, to time.Time, step time.Duration) Overview {
	t.Helper()
	return overviewIn(ctx, t, s, time.UTC, from, to, step)
}

func overviewIn(ctx context.Context, t *testing.T, s *Store, zone *time.Location, from, to time.Time, step time.Duration) Overview {
	t.Helper()
	v, err := s.View(ctx)
	require.NoError(t, err)
	defer v.Close()
	v.In(zone)
	o, err := v.Overview(ctx, from, to, step)
	require.NoError(t, err)
	return o
}

// A leg whose end comes on another day, without its start, changes the day of its start.
func TestLateEndUncountsTheDay(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		start := time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC)
		running := Leg{Object: Object{ID: "l", TraceID: "t", SpanID: "s", State: StateRunning, StartedAt: start, LastHeardAt: start, Phase: Started, Revision: Revision{Time: start}}}
		_, err := s.Write(t.Context(), &Batch{Legs: []Leg{running}})
		require.NoError(t, err)
		_, err = s.AddUpUsage(t.Context(), start.Add(3*day))
		require.NoError(t, err)
		end := start.Add(day)
		_, err = s.Write(t.Context(), &Batch{Legs: []Leg{{Reason: "timeout", ErrorType: "timeout", Object: Object{
			ID: "l", TraceID: "t", SpanID: "s", State: StateEnded, EndedAt: end, LastHeardAt: end, Phase: Ended, Revision: Revision{Time: end},
		}}}})
		require.NoError(t, err)
		o := overview(t.Context(), t, s, startOfDay(start), startOfDay(start).Add(day), time.Hour)
		assert.Equal(t, []End{{Reason: "timeout", Failure: true, Legs: 1}}, o.Ends)
	})
}
