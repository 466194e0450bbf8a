// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// legOf is a statement about the leg of a participant.
func legOf(participant string, phase Phase, seconds float64) Leg {
	l := Leg{ParticipantID: participant, Role: "participant", DisplayName: "Name of " + participant, Object: Object{
		ID: "leg-" + participant, TraceID: "t", SpanID: "span-" + participant, State: StateRunning, StartedAt: at(0), LastHeardAt: at(seconds),
		Phase: phase, Revision: Revision{Time: at(seconds)},
	}}
	if phase == Ended {
		l.State, l.EndedAt = StateEnded, at(seconds)
	}
	return l
}

// added is an event with all elements of a participant, updated one with some of them.
func added(participant string, seconds float64, state LegState) LegChange {
	state.ID, state.At = participant, at(seconds)
	return LegChange{LegState: state, Kind: LegAdded, LegSpanID: "span-" + participant}
}

func updated(participant string, seconds float64, state LegState, elements ...string) LegChange {
	c := added(participant, seconds, state)
	c.Kind, c.Elements = LegUpdated, elements
	return c
}

func removed(participant string, seconds float64) LegChange {
	c := added(participant, seconds, LegState{})
	c.Kind = LegRemoved
	return c
}

// readLegStates returns the states that the page shows, by leg.
func readLegStates(t *testing.T, s *Store) map[string]LegState {
	t.Helper()
	v, err := s.View(t.Context())
	require.NoError(t, err)
	defer v.Close()
	legs, err := Select[Leg](t.Context(), v, "ORDER BY id")
	require.NoError(t, err)
	all, err := v.LegStates(t.Context(), legs)
	require.NoError(t, err)
	for id, state := range all {
		state.At = state.At.UTC()
		all[id] = state
	}
	return all
}

func TestLegState(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		write := func(b *Batch) Result {
			t.Helper()
			result, err := s.Write(t.Context(), b)
			require.NoError(t, err)
			return result
		}
		// The event comes before the record of the leg's start.
		write(&Batch{LegChanges: []LegChange{added("p", 1, LegState{State: "ringing", AudioMuted: new(false), Layout: "allEqual"})}})
		assert.Empty(t, readLegStates(t, s))
		write(&Batch{Legs: []Leg{legOf("p", Started, 2)}})
		want := LegState{ID: "p", At: at(1), State: "ringing", AudioMuted: new(false), Layout: "allEqual"}
		assert.Equal(t, map[string]LegState{"leg-p": want}, readLegStates(t, s))

		// An update has some elements, and unsets one of them; an older one changes no
		// element that a newer one has.
		changes := []LegChange{
			updated("p", 5, LegState{State: "connected", AudioMuted: new(true)}, "state", "audio_muted", "layout"),
			updated("p", 4, LegState{State: "onHold", Presenting: new(true)}, "state", "presenting"),
		}
		assert.Equal(t, 1, write(&Batch{LegChanges: changes}).Changed)
		want = LegState{ID: "p", At: at(5), State: "connected", AudioMuted: new(true), Presenting: new(true)}
		assert.Equal(t, map[string]LegState{"leg-p": want}, readLegStates(t, s))
		assert.Equal(t, Result{Unchanged: 2}, write(&Batch{LegChanges: changes}), "written again, it changes nothing")

		v, err := s.View(t.Context())
		require.NoError(t, err)
		meetings, err := v.ConferenceStates(t.Context(), []string{"t", "another"})
		require.NoError(t, err)
		assert.Equal(t, map[string]ConferenceState{"t": {Muted: 1, Presenter: "Name of p"}}, meetings)
		v.Close()

		// Somebody who is not watched any more has no state; a new add has all of it.
		write(&Batch{LegChanges: []LegChange{removed("p", 7)}})
		write(&Batch{LegChanges: []LegChange{updated("p", 6, LegState{State: "onHold"}, "state")}})
		assert.Equal(t, map[string]LegState{"leg-p": {ID: "p", At: at(7)}}, readLegStates(t, s))
		write(&Batch{LegChanges: []LegChange{added("p", 8, LegState{State: "connected"})}})
		assert.Equal(t, "connected", readLegStates(t, s)["leg-p"].State)

		// The state goes with the leg, and does not come back.
		write(&Batch{Legs: []Leg{legOf("p", Ended, 9)}})
		assert.Empty(t, tableOfLegStates(t, s))
		assert.Equal(t, Result{Unchanged: 1}, write(&Batch{LegChanges: []LegChange{updated("p", 10, LegState{State: "connected"}, "state")}}))
		assert.Empty(t, tableOfLegStates(t, s))

		// A participant whose leg is never heard of goes after some time; one with a
		// running leg stays.
		write(&Batch{Legs: []Leg{legOf("q", Started, 20)}, LegChanges: []LegChange{added("nobody", 20, LegState{}), added("q", 20, LegState{})}})
		deleted, err := s.ExpireLive(t.Context(), at(20))
		require.NoError(t, err)
		assert.Zero(t, deleted)
		deleted, err = s.ExpireLive(t.Context(), at(21))
		require.NoError(t, err)
		assert.Equal(t, 1, deleted)
		assert.Equal(t, []string{"q"}, tableOfLegStates(t, s))
	})
}

// A participant with two legs is one who is muted.
func TestStateOfTwoLegs(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		second := legOf("p", Started, 2)
		second.ID, second.SpanID = "second", "second"
		_, err := s.Write(t.Context(), &Batch{
			Legs:       []Leg{legOf("p", Started, 1), second},
			LegChanges: []LegChange{added("p", 3, LegState{State: "onHold", AudioMuted: new(true)})},
		})
		require.NoError(t, err)
		v, err := s.View(t.Context())
		require.NoError(t, err)
		defer v.Close()
		states, err := v.ConferenceStates(t.Context(), []string{"t"})
		require.NoError(t, err)
		assert.Equal(t, map[string]ConferenceState{"t": {OnHold: 1, Muted: 1}}, states)
	})
}

// tableOfLegStates returns the ids of the rows.
func tableOfLegStates(t *testing.T, s *Store) (ids []string) {
	t.Helper()
	rows, err := Select[LegState](t.Context(), s, "ORDER BY id")
	require.NoError(t, err)
	for i := range rows {
		ids = append(ids, rows[i].ID)
	}
	return ids
}

// A leg that ends with its call takes its state along, and its quality.
func TestLegStateEndsWithCall(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		leg := legOf("p", Started, 1)
		leg.CallID = "c"
		call := func(phase Phase, state string, seconds float64) Call {
			c := Call{Object: Object{ID: "c", TraceID: "t", SpanID: "s-c", State: state, StartedAt: at(0), LastHeardAt: at(seconds), Phase: phase, Revision: Revision{Time: at(seconds)}}}
			if phase == Ended {
				c.EndedAt = at(seconds)
			}
			return c
		}
		_, err := s.Write(t.Context(), &Batch{
			Calls: []Call{call(Started, StateRunning, 0)}, Legs: []Leg{leg}, LegChanges: []LegChange{added("p", 2, LegState{State: "connected"})},
			Qualities: []LegQuality{{ID: "leg-p", At: at(2), LossPercent: new(1.0), Alarms: "packetLoss"}},
		})
		require.NoError(t, err)
		assert.Len(t, readLegStates(t, s), 1)
		quality, err := Select[LegQuality](t.Context(), s, "")
		require.NoError(t, err)
		require.Len(t, quality, 1)
		assert.Equal(t, "packetLoss", quality[0].Alarms)
		_, err = s.Write(t.Context(), &Batch{Calls: []Call{call(Ended, StateEnded, 60)}})
		require.NoError(t, err)
		assert.Empty(t, tableOfLegStates(t, s))
		quality, err = Select[LegQuality](t.Context(), s, "")
		require.NoError(t, err)
		assert.Empty(t, quality)
	})
}

// legEvents is all that is ever reported of some participants, one statement a batch.
func legEvents(random *rand.Rand) (statements []*Batch) {
	yesNo := func() *bool { return []*bool{nil, new(false), new(true)}[random.IntN(3)] }
	state := func() LegState {
		return LegState{
			State: []string{"", "ringing", "connected", "onHold"}[random.IntN(4)], AudioMuted: yesNo(), VideoMuted: yesNo(), Presenting: yesNo(),
			ActiveSpeaker: yesNo(), EndpointRecording: yesNo(), Layout: []string{"", "allEqual"}[random.IntN(2)],
		}
	}
	for n := range 5 {
		participant := fmt.Sprint("p", n)
		statements = append(statements, &Batch{Legs: []Leg{legOf(participant, Started, 0)}})
		if n == 0 {
			statements = append(statements, &Batch{Legs: []Leg{legOf(participant, Ended, 100)}})
		}
		for range 12 {
			// Some come at the same time.
			seconds := float64(random.IntN(8))
			c := added(participant, seconds, state())
			switch random.IntN(6) {
			case 0:
			case 1:
				c = removed(participant, seconds)
			default:
				c.Kind = LegUpdated
				for _, column := range legStates.columns[firstElement:] {
					if random.IntN(2) == 0 {
						c.Elements = append(c.Elements, column.name)
					}
				}
			}
			if random.IntN(3) == 0 {
				c.LegSpanID = "" // callstitch did not know the leg
			}
			statements = append(statements, &Batch{LegChanges: []LegChange{c}})
		}
	}
	return statements
}

// The law of live rows: what the page shows of running legs is a function of the set of
// events and records, whatever their order and however often each comes.
func TestLegStateOrder(t *testing.T) {
	server := postgres.Shared(t)
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 9))
		statements := legEvents(random)
		var want map[string]LegState
		for _, driver := range Drivers() {
			for range 3 {
				source := filepath.Join(t.TempDir(), "calls.db")
				if driver == PostgreSQL {
					source = server.Database(t)
				}
				s := openTest(t, driver, source)
				for _, b := range pack(random, shuffled(random, statements)) {
					_, err := s.Write(t.Context(), b)
					require.NoError(t, err)
				}
				_, err := s.ExpireLive(t.Context(), at(1000))
				require.NoError(t, err)
				got := readLegStates(t, s)
				if want == nil {
					want = got
					require.Len(t, want, 4)
				}
				require.Equal(t, want, got, "seed %d, %s", seed, driver)
				require.Equal(t, []string{"p1", "p2", "p3", "p4"}, tableOfLegStates(t, s))
			}
		}
	}
}

// A reader finds the states of running meetings by the index of running legs.
func TestLegStatePlans(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		if driver != SQLite {
			t.Skip("PostgreSQL reads small tables as a whole")
		}
		var legs []Leg
		for n := range 50 {
			legs = append(legs, legOf(fmt.Sprint("p", n), []Phase{Started, Ended}[n%2], 10))
		}
		_, err := s.Write(t.Context(), &Batch{Legs: legs})
		require.NoError(t, err)
		found, err := s.Query(t.Context(), "EXPLAIN QUERY PLAN DELETE FROM leg_state WHERE at < $1 AND "+noRunningLeg, time.Now())
		require.NoError(t, err)
		defer func() { require.NoError(t, found.Close()) }()
		var steps []string
		for found.Next() {
			var id, parent, unused int
			var step string
			require.NoError(t, found.Scan(&id, &parent, &unused, &step))
			steps = append(steps, step)
		}
		require.NoError(t, found.Err())
		assert.True(t, slices.ContainsFunc(steps, func(step string) bool {
			return assert.ObjectsAreEqual("SEARCH call_legs USING COVERING INDEX call_legs_running_participant (participant_id=?)", step)
		}), steps)
	})
}
