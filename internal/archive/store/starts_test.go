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
		LastHeardAt: start.Add(time.Minute), DurationSeconds: new(60.0), Phase: Final, Revision: Revision{Time: start.Add(time.Duration(revision) * time.Hour)},
	}}
	if known, _ := names.LegReason(reason); known.Failure {
		l.ErrorType = reason
	}
	return l
}

// countLegs makes an overview of legs without a database.
func countLegs(legs map[string]Leg, from, to time.Time, step time.Duration) (buckets []Bucket, ends []End) {
	byReason := map[string]*End{}
	for at := from; at.Before(to); at = at.Add(step) {
		b := Bucket{At: at}
		for _, l := range legs {
			if l.StartedAt.Before(at) || !l.StartedAt.Before(at.Add(step)) {
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

// TestOverviewIsTheLegs: an overview is a function of the legs, whether their days are
// counted in advance, not yet, or changed since.
func TestOverviewIsTheLegs(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		random := rand.New(rand.NewPCG(5, 5))
		first := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
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
			for _, step := range []time.Duration{time.Hour, 6 * time.Hour, day} {
				from := first.Add(time.Duration(random.IntN(30)) * time.Hour).Truncate(step)
				buckets, ends := countLegs(legs, from, first.Add(9*day), step)
				o := overview(t.Context(), t, s, from, first.Add(9*day), step)
				require.Equal(t, buckets, o.Buckets, "round %d, step %s", round, step)
				require.Equal(t, ends, o.Ends, "round %d, step %s", round, step)
			}
		}
		// The days that are counted are not counted again: their numbers are those of
		// the table.
		_, err := s.AddUpUsage(t.Context(), now)
		require.NoError(t, err)
		before := overview(t.Context(), t, s, first, first.Add(9*day), day)
		require.NoError(t, s.inTurn(t.Context(), func(tx transaction) error {
			_, err := tx.exec(t.Context(), "UPDATE usage_starts SET legs = legs + 1000 WHERE day = $1", s.d.instant(first.Add(2*day)))
			return err
		}))
		assert.Greater(t, overview(t.Context(), t, s, first, first.Add(9*day), day).Sum.Legs, before.Sum.Legs+999)
	})
}

func overview(ctx context.Context, t *testing.T, s *Store, from, to time.Time, step time.Duration) Overview {
	t.Helper()
	v, err := s.View(ctx)
	require.NoError(t, err)
	defer v.Close()
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
