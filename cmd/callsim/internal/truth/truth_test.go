// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/bridge"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

var start = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// teller makes events on a bridge whose clock is a second late.
func teller(bridgeIndex int, session string) func(seconds int, payload scenario.Payload) scenario.Event {
	return func(seconds int, payload scenario.Payload) scenario.Event {
		at := start.Add(time.Duration(seconds) * time.Second)
		return scenario.Event{At: at, Time: at.Add(-time.Second), Bridge: bridgeIndex, Session: session, Payload: payload}
	}
}

func TestLivesAndLosses(t *testing.T) {
	r := NewRecorder([]scenario.Bridge{{Name: "cms1", CallBridge: "b"}})
	tell, again := teller(0, "s1"), teller(0, "s2")
	call := scenario.Call{ID: "c", Correlator: "k", Type: scenario.CallAdHoc, Name: "A < B"}
	leg := scenario.Leg{ID: "l", Participant: "p", Kind: scenario.KindPerson, Type: "sip", Direction: "incoming"}
	in := func(l scenario.Leg, phase scenario.Phase, calls ...string) scenario.Leg {
		l.Phase, l.Calls = phase, calls
		return l
	}
	forgotten := in(leg, 0, "c")
	forgotten.ID = "f"
	for index, ev := range []scenario.Event{
		tell(0, scenario.LegStarted{Leg: leg}),
		tell(1, scenario.LegChanged{Leg: in(leg, scenario.PhaseMenu)}),
		tell(4, scenario.CallStarted{Call: call}),
		tell(4, scenario.LegChanged{Leg: in(leg, scenario.PhaseLobby, "c")}),
		tell(9, scenario.LegChanged{Leg: in(leg, scenario.PhaseActive, "c")}),
		tell(10, scenario.LegStarted{Leg: forgotten}),
		tell(20, scenario.LegEnded{
			Leg: in(leg, scenario.PhaseActive, "c"), Reason: scenario.ReasonRemote,
			Media: &scenario.Media{Alarms: []scenario.Alarm{{Kind: "packetLoss", Percent: 0}}},
		}),
		again(30, scenario.BridgeRestarted{}),
	} {
		r.Observe(ev, uint64(index))
	}
	got := r.Truth(7, []Account{{
		Sessions: []bridge.Report{
			{Session: "s1", Generated: 7, LastRecord: start, Acknowledged: bridge.Ranges{{0, 4}, {6, 6}}, Dropped: bridge.Ranges{{5, 5}}, Gaps: []bridge.Gap{{Index: 6, Missing: 1}}},
			{Session: "s2"},
		},
		Acknowledged: map[string]uint64{"callStart": 1},
		Garbage:      [][]byte{[]byte("x")},
	}})

	require.Len(t, got.Legs, 2)
	l := got.Legs[0]
	assert.Equal(t, Complete, l.Outcome)
	assert.False(t, l.LostRecords)
	assert.Equal(t, start.Add(-time.Second), l.Start)
	assert.Equal(t, start.Add(19*time.Second), *l.End)
	assert.Equal(t, []int{20, 3, 5, 12}, []int{*l.DurationSeconds, l.IVRSeconds, l.LobbySeconds, *l.ActivatedSeconds})
	assert.Equal(t, map[string]float64{"packetLoss": 0}, l.Alarms)
	assert.True(t, l.RemoteTeardown)

	assert.Equal(t, Restarted, got.Legs[1].Outcome)
	assert.True(t, got.Legs[1].LostRecords, "its start was dropped")
	assert.Nil(t, got.Legs[1].End)

	c := got.Calls[0]
	assert.Equal(t, Restarted, c.Outcome)
	assert.Equal(t, []int{1, 2}, []int{c.LegsCompleted, c.LegsMaxActive})
	assert.False(t, c.LostRecords)
	assert.Nil(t, got.Conferences[0].End)
	assert.EqualValues(t, 1, got.Missing)
	assert.False(t, got.Interrupted)

	var out bytes.Buffer
	require.NoError(t, got.Write(&out))
	assert.True(t, json.Valid(out.Bytes()))
	assert.NotContains(t, out.String(), "null")
	assert.Contains(t, out.String(), `"name": "A < B"`)
	assert.Contains(t, out.String(), `"bytes": "eA=="`)
	assert.Contains(t, out.String(), `"sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"`)
}

// TestConferences groups calls given as bridge, id, begin and end in seconds;
// an end of 0 means a call still open.
func TestConferences(t *testing.T) {
	type given struct {
		bridge     int
		id, k      string
		begin, end int
	}
	for name, tc := range map[string]struct {
		calls []given
		want  []Conference
	}{
		"two bridges": {
			[]given{{0, "b", "k", 0, 50}, {1, "a", "k", 10, 90}},
			[]Conference{{FoundingCall: "b", Calls: []string{"a", "b"}}},
		},
		"of two that start together the smaller id founds": {
			[]given{{0, "b", "k", 0, 50}, {1, "a", "k", 0, 50}},
			[]Conference{{FoundingCall: "a", Calls: []string{"a", "b"}}},
		},
		"one room, two meetings": {
			[]given{{0, "a", "k", 0, 50}, {0, "b", "k", 51, 90}},
			[]Conference{{FoundingCall: "a", Calls: []string{"a"}}, {FoundingCall: "b", Calls: []string{"b"}}},
		},
		"a chain": {
			[]given{{0, "a", "k", 0, 50}, {1, "b", "k", 40, 90}, {0, "c", "k", 80, 99}},
			[]Conference{{FoundingCall: "a", Calls: []string{"a", "b", "c"}}},
		},
		"two rooms": {
			[]given{{0, "a", "k", 0, 50}, {1, "b", "q", 10, 90}},
			[]Conference{{FoundingCall: "a", Calls: []string{"a"}}, {FoundingCall: "b", Calls: []string{"b"}}},
		},
		"an open call still grows": {
			[]given{{0, "a", "k", 0, 0}, {1, "b", "k", 500, 600}},
			[]Conference{{FoundingCall: "a", Calls: []string{"a", "b"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewRecorder([]scenario.Bridge{{Name: "cms1"}, {Name: "cms2"}})
			for _, g := range tc.calls {
				tell, call := teller(g.bridge, "s"), scenario.Call{ID: g.id, Correlator: g.k}
				r.Observe(tell(g.begin, scenario.CallStarted{Call: call}), 0)
				if g.end > 0 {
					r.Observe(tell(g.end, scenario.CallEnded{Call: call}), 0)
				}
			}
			got := r.Truth(1, nil).Conferences
			require.Len(t, got, len(tc.want))
			for i, want := range tc.want {
				assert.Equal(t, want.FoundingCall, got[i].FoundingCall)
				assert.Equal(t, want.Calls, got[i].Calls)
			}
		})
	}
}
