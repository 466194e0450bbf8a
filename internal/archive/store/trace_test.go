// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

// A trace has all of its own, in order, and what other traces say of it.
func TestTrace(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		object := func(id, trace string, seconds float64) Object {
			return Object{
				ID: id, TraceID: trace, SpanID: "s" + id, State: StateEnded, Outcome: "complete", Bridge: "b", StartedAt: at(seconds), EndedAt: at(seconds + 60),
				DurationSeconds: new(60.0), LastHeardAt: at(seconds + 60), Phase: Stitched,
			}
		}
		b := &Batch{
			Calls:      []Call{{Object: object("c1", "t1", 0)}, {Object: object("c2", "t2", 100)}},
			Recordings: []Recording{{Object: object("r1", "t1", 5), Kind: KindRecording}},
			Sessions:   []Session{{Object: object("m1", "m", 0), CCID: "1-2-3"}, {Object: object("m0", "other", -100), CCID: "1-2-3"}},
			Tracks:     []Track{{Object: object("k1", "m", 1), SessionID: "m1"}},
			Dialogs:    []Dialog{{Object: object("d1", "t1", 3), SIPCallID: "x"}, {Object: object("d2", "d2", 1), SIPCallID: "sip2"}, {Object: object("d3", "d3", 1), SIPCallID: "sip9"}},
		}
		for i, loss := range []float64{0, 3, 30, 1, 0} {
			l := Leg{Object: object("l"+string(rune('0'+i)), "t1", float64(10*(5-i))), CallID: "c1", Role: "participant", Reason: "callEnded", SIPCallID: "sip" + string(rune('0'+i))}
			if loss > 0 {
				l.PacketLossPercent = &loss
			}
			if i == 4 {
				l.Reason, l.ErrorType = "timeout", "timeout"
			}
			b.Legs = append(b.Legs, l)
		}
		b.Legs = append(b.Legs, Leg{Object: object("next", "t2", 100), CallID: "c2", MovedCallLeg: "l3"})
		_, err := s.Write(t.Context(), b)
		require.NoError(t, err)
		v, err := s.View(t.Context())
		require.NoError(t, err)
		defer v.Close()
		legIDs := func(legs []Leg) (ids []string) {
			for i := range legs {
				ids = append(ids, legs[i].ID)
			}
			return ids
		}
		trace, err := v.Trace(t.Context(), "t1", Page{Limit: 3})
		require.NoError(t, err)
		require.NotNil(t, trace.Conference)
		assert.Equal(t, []string{"l4", "l3", "l2"}, legIDs(trace.Legs))
		assert.Equal(t, []End{{StateEnded, "callEnded", false, 4}, {StateEnded, "timeout", true, 1}}, trace.Ends)
		assert.Equal(t, []string{"l4", "l2", "l1", "l3"}, legIDs(trace.Worst))
		assert.Equal(t, []string{"next"}, legIDs(trace.Continued))
		assert.Len(t, trace.Recordings, 1)
		require.Len(t, trace.Dialogs, 2, "its own, and that of a leg's SIP call")
		assert.Equal(t, "d2", trace.Dialogs[0].ID)
		require.NotNil(t, trace.NextLegs)
		rest, err := v.Trace(t.Context(), "t1", Page{Limit: 3, After: *trace.NextLegs})
		require.NoError(t, err)
		assert.Equal(t, []string{"l1", "l0"}, legIDs(rest.Legs))
		assert.Nil(t, rest.NextLegs)

		trace, err = v.Trace(t.Context(), "m", Page{Limit: 3})
		require.NoError(t, err)
		assert.Nil(t, trace.Conference)
		assert.Len(t, trace.Tracks, 1)
		require.Len(t, trace.Related, 1)
		assert.Equal(t, "m0", trace.Related[0].ID)
		trace, err = v.Trace(t.Context(), "nothing", Page{Limit: 3})
		require.NoError(t, err)
		assert.True(t, trace.Empty())

		for id, want := range map[string]Found{
			"t1": {"t1", ""}, "L2": {"t1", "sl2"}, "r1": {"t1", "sr1"}, "k1": {"m", "sk1"}, "m": {"m", ""}, "d3": {"d3", "sd3"}, "sip2": {"t1", "sl2"}, "sip9": {"d3", "sd3"},
			"1-2-3": {"m", "sm1"},
		} {
			found, ok, err := v.Find(t.Context(), id)
			require.NoError(t, err)
			assert.True(t, ok, id)
			assert.Equal(t, want, found, id)
		}
		found, ok, err := v.Find(t.Context(), " T1 ")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, Found{TraceID: "t1"}, found, "spaces around it are left out")
		_, ok, err = v.Find(t.Context(), "nobody")
		require.NoError(t, err)
		assert.False(t, ok)
	})
}

// The overview counts what somebody counts who looks at everything.
func TestOverview(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		w := fill(t, s, 9, 900) // an hour
		events := []StorageEvent{
			{ID: "1", At: at(0), Server: "m", NodeAddress: "n1", Partition: "/common", Action: "enter_low", Level: "low"},
			{ID: "2", At: at(9), Server: "m", NodeAddress: "n1", Partition: "/common", Action: "enter_critical", Level: "critical", UtilizationPercent: new(91.5)},
			{ID: "3", At: at(5), Server: "m", NodeAddress: "n2", Partition: "/common", Action: "exit_low", Level: "normal"},
		}
		_, err := s.Write(t.Context(), &Batch{StorageEvents: slices.Clone(events)})
		require.NoError(t, err)
		v, err := s.View(t.Context())
		require.NoError(t, err)
		defer v.Close()
		from, to := noon.Add(7*time.Minute), noon.Add(51*time.Minute)
		o, err := v.Overview(t.Context(), from, to, 5*time.Minute)
		require.NoError(t, err)
		assert.Equal(t, noon.Add(5*time.Minute), o.From)
		assert.Equal(t, noon.Add(55*time.Minute), o.To)
		require.Len(t, o.Buckets, 10)
		want := make([]Bucket, 10)
		ends := map[string]int64{}
		var sum Bucket
		for _, l := range w.legs {
			if l.StartedAt.Before(o.From) || !l.StartedAt.Before(o.To) {
				continue
			}
			b := Bucket{Legs: 1}
			if l.ErrorType != "" {
				b.Failed = 1
			}
			if loss := l.PacketLossPercent; loss != nil && *loss >= BadLoss {
				b.Bad = 1
			} else if loss != nil && *loss > 0 {
				b.Slight = 1
			}
			want[l.StartedAt.Sub(o.From)/o.Step].add(b)
			sum.add(b)
			ends[l.Reason]++
		}
		for i := range want {
			want[i].At = o.From.Add(time.Duration(i) * o.Step)
		}
		assert.Equal(t, want, o.Buckets)
		assert.Equal(t, sum, o.Sum)
		assert.Positive(t, sum.Bad)
		require.Len(t, o.Ends, len(ends))
		for _, e := range o.Ends {
			known, _ := names.LegReason(e.Reason)
			assert.Equal(t, ends[e.Reason], e.Legs, e.Reason)
			assert.Equal(t, known.Failure, e.Failure)
		}
		assert.Equal(t, []StorageEvent{events[1], events[2]}, o.Storage)
		var running Running
		for _, c := range w.conferences {
			running.Conferences += of(c.State)
		}
		for _, l := range w.legs {
			running.Legs += of(l.State)
		}
		for _, m := range w.sessions {
			running.Sessions += of(m.State)
		}
		assert.Equal(t, running, o.Running)
		for _, step := range []time.Duration{0, -time.Hour, time.Millisecond} {
			_, err := v.Overview(t.Context(), from, to, step)
			assert.Error(t, err)
		}
	})
}

func of(state string) int64 { return int64(strings.Count(state, StateRunning)) }
