// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What runs on a bridge of which records were lost since it was last heard of may have
// ended; what was heard of later, runs on another bridge or is over is not in doubt.
func TestDoubts(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		on := func(bridge string, o Object) Object {
			o.Bridge = bridge
			return o
		}
		over := on("one", running("over", "t-over", 0))
		over.Phase, over.State, over.Outcome, over.EndedAt = Stitched, StateEnded, "complete", at(10)
		b := &Batch{
			Calls: []Call{
				{Object: on("one", running("quiet", "t-quiet", 0))},
				{Object: on("one", running("quiet too", "t-quiet", 0))},
				{Object: on("two", running("elsewhere", "t-elsewhere", 0))},
				{Object: on("one", running("heard", "t-heard", 0))},
				{Object: over},
			},
			Legs: []Leg{
				{Object: on("one", running("lq", "t-quiet", 50)), CallID: "quiet"},
				{Object: on("one", running("lh", "t-heard", 0)), CallID: "heard"},
				{Object: on("one", running("later", "t-heard", 150)), CallID: "heard"},
			},
		}
		_, err := s.Write(t.Context(), b)
		require.NoError(t, err)
		doubts := func() Doubts {
			v, err := s.View(t.Context())
			require.NoError(t, err)
			defer func() { require.NoError(t, v.Close()) }()
			d, err := v.Doubts(t.Context())
			require.NoError(t, err)
			return d
		}
		assert.Zero(t, doubts())
		gaps := &Batch{Gaps: []Gap{{ID: "g1", At: at(90), Bridge: "one", Missing: new(int64(600))}, {ID: "g2", At: at(100), Bridge: "one", Missing: new(int64(74))}}}
		for range 2 {
			_, err = s.Write(t.Context(), gaps)
			require.NoError(t, err)
		}
		assert.Equal(t, Doubts{Conferences: 1, Legs: 2, Newest: Doubt{at(100), 674}}, doubts())
		v, err := s.View(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, v.Close()) }()
		conferences, err := v.ConferenceDoubts(t.Context(), selectAll[Conference](t, v))
		require.NoError(t, err)
		assert.Equal(t, map[string]Doubt{"t-quiet": {at(100), 674}}, conferences)
		legs, err := v.LegDoubts(t.Context(), selectAll[Leg](t, v))
		require.NoError(t, err)
		assert.Equal(t, map[string]Doubt{"lq": {at(100), 674}, "lh": {at(100), 674}}, legs)
		// A gap counts once, however many calls of the conference its bridge has, and its
		// time is in the view's zone.
		tokyo, err := time.LoadLocation("Asia/Tokyo")
		require.NoError(t, err)
		v.In(tokyo)
		newest := Doubt{at(100).In(tokyo), 674}
		legs, err = v.LegDoubts(t.Context(), selectAll[Leg](t, v))
		require.NoError(t, err)
		assert.Equal(t, newest, legs["lq"])
		conferences, err = v.ConferenceDoubts(t.Context(), selectAll[Conference](t, v))
		require.NoError(t, err)
		assert.Equal(t, newest, conferences["t-quiet"])
		all, err := v.Doubts(t.Context())
		require.NoError(t, err)
		assert.Equal(t, newest, all.Newest)
		found, ok, err := v.Find(t.Context(), "S-LQ")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, Found{"t-quiet", "s-lq"}, found, "by its span id")
	})
}

func selectAll[T Row](t *testing.T, v *View) []T {
	t.Helper()
	rows, err := Select[T](t.Context(), v, "")
	require.NoError(t, err)
	return rows
}

// A node has one state, whichever server of its cluster reported it last.
func TestStorageOfANode(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		event := func(id string, seconds float64, server, address, node, level string) StorageEvent {
			return StorageEvent{ID: id, At: at(seconds), Server: server, NodeAddress: address, NodeID: node, Partition: "/common", Action: "a", Level: level}
		}
		_, err := s.Write(t.Context(), &Batch{StorageEvents: []StorageEvent{
			event("1", 0, "first", "10.0.0.1", "1", "critical"), event("2", 9, "second", "10.0.0.1", "1", "normal"),
			event("3", 5, "first", "10.0.0.2", "2", "low"), event("4", 1, "first", "", "", "low"), event("5", 0, "second", "", "", "normal"),
		}})
		require.NoError(t, err)
		v, err := s.View(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, v.Close()) }()
		all, err := v.Storage(t.Context())
		require.NoError(t, err)
		var got []string
		for _, e := range all {
			got = append(got, e.Server+" "+e.NodeAddress+" "+e.Level)
		}
		assert.ElementsMatch(t, []string{"second 10.0.0.1 normal", "first 10.0.0.2 low", "first  low", "second  normal"}, got)
	})
}
