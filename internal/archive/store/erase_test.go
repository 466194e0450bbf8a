// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// erasedWorld has Nora in every place where people are, and others beside her.
func erasedWorld(t *testing.T, s *Store) {
	t.Helper()
	over := func(id, trace string) Object {
		return Object{
			ID: id, TraceID: trace, SpanID: "s" + id, State: StateEnded, Outcome: "complete", StartedAt: at(0), EndedAt: at(60), LastHeardAt: at(60), DurationSeconds: new(60.0), Phase: Stitched,
			Details: details(t, map[string]any{"uri": "sip:Nora@Example.test;tag=1", "who": "Nora Quill", "other": "nora@example.test2", "n": 9007199254740993}),
		}
	}
	running := Leg{Object: over("l4", "t2"), RemoteParty: "nora@example.test", DisplayName: "Nora Quill"}
	running.State, running.Phase, running.EndedAt, running.DurationSeconds, running.Outcome = StateRunning, Started, time.Time{}, nil, ""
	b := &Batch{
		Calls: []Call{{Object: over("c1", "t1"), Room: Room{RoomName: "Board"}, OwnerName: "Nora Quill"}, {Object: over("c3", "held"), OwnerName: "Nora Quill"}},
		Legs: []Leg{
			{Object: over("l1", "t1"), CallID: "c1", Role: "participant", RemoteParty: "NORA@example.test", DisplayName: "Nora Quill", RemoteAddress: "sip:nora@192.0.2.7", LocalAddress: "board@meet.test"},
			{Object: over("l2", "t1"), CallID: "c1", Role: "participant", RemoteParty: "+4711", DisplayName: "nora quill"},
			{Object: over("l3", "t1"), CallID: "c1", Role: "participant", RemoteParty: "nora2@example.test", DisplayName: "Nora Quillson"},
			running,
			{Object: over("l5", "held"), CallID: "c3", Role: "participant", RemoteParty: "nora@example.test"},
			// Somebody else called her.
			{Object: over("l6", "t4"), CallID: "c4", Role: "participant", RemoteParty: "ben@example.test", DisplayName: "Ben Cole", LocalAddress: "Nora@example.test"},
		},
		Dialogs:  []Dialog{{Object: over("d1", "t1"), FromParty: "nora@example.test", FromName: "N. Q.", ToParty: "desk@example.test", ToName: "Desk"}},
		Sessions: []Session{{Object: over("s1", "t3"), Parties: "4201, nora@example.test, xnora@example.test"}},
		Tracks: []Track{{
			Object: over("k1", "t3"), SessionID: "s1", Parties: "nora@example.test", Participants: details(t, []map[string]string{{"deviceRef": "nora@example.test"}}),
		}},
	}
	b.Legs[2].Details = nil // of somebody else
	_, err := s.Write(t.Context(), b)
	require.NoError(t, err)
	require.NoError(t, s.Hold(t.Context(), "HELD", "case 7", at(0)))
}

// everything is all text of an archive.
func everything(t *testing.T, s *Store) string {
	t.Helper()
	var b strings.Builder
	for _, table := range append(Tables(), "search_terms") {
		b.WriteString(ask(t, s, "SELECT * FROM "+table))
	}
	return b.String()
}

// A person is erased from all rows, the others stay, and what is counted does too.
func TestErase(t *testing.T) {
	for _, pseudonym := range []string{"", "person-1"} {
		onBoth(t, func(t *testing.T, driver, source string) {
			t.Helper()
			s := openTest(t, driver, source)
			erasedWorld(t, s)
			before := everything(t, s)
			e := Erasure{Addresses: []string{" Nora@example.test", "+4711"}, Names: []string{"Nora Quill"}, Pseudonym: pseudonym, DryRun: true}
			dry, err := s.Erase(t.Context(), e)
			require.NoError(t, err)
			assert.Equal(t, before, everything(t, s), "a dry run changes nothing")
			e.DryRun = false
			done, err := s.Erase(t.Context(), e)
			require.NoError(t, err)
			assert.Equal(t, dry, done)
			assert.Equal(t, map[string]int64{"call_legs": 4, "dialogs": 1, "calls": 1, "conferences": 1, "sessions": 1, "tracks": 1}, done.Rows)
			assert.Equal(t, int64(1), done.Running)
			assert.Equal(t, int64(3), done.Held, "a call, a conference and a leg")
			assert.Contains(t, done.Names, "N. Q.")
			assert.Contains(t, done.Addresses, "sip:nora@192.0.2.7")

			legs, err := Select[Leg](t.Context(), s, "ORDER BY id")
			require.NoError(t, err)
			for _, l := range legs[:2] {
				assert.Equal(t, pseudonym, l.DisplayName)
				assert.Equal(t, pseudonym, l.RemoteParty)
			}
			assert.Equal(t, pseudonym, legs[0].RemoteAddress)
			assert.Equal(t, "board@meet.test", legs[0].LocalAddress)
			want := map[string]any{"uri": "sip:" + pseudonym + ";tag=1", "who": "person-1", "other": "nora@example.test2", "n": 9007199254740993}
			if pseudonym == "" {
				delete(want, "who")
			}
			assert.JSONEq(t, string(details(t, want)), string(legs[0].Details))
			assert.Contains(t, string(legs[0].Details), "9007199254740993")
			assert.Equal(t, "Nora Quillson", legs[2].DisplayName, "another person")
			assert.Equal(t, "nora@example.test", legs[4].RemoteParty, "held")
			assert.Equal(t, []string{"ben@example.test", "Ben Cole", pseudonym}, []string{legs[5].RemoteParty, legs[5].DisplayName, legs[5].LocalAddress})
			dialogs, err := Select[Dialog](t.Context(), s, "")
			require.NoError(t, err)
			assert.Equal(t, []string{pseudonym, pseudonym, "desk@example.test", "Desk"}, []string{dialogs[0].FromParty, dialogs[0].FromName, dialogs[0].ToParty, dialogs[0].ToName})
			sessions, err := Select[Session](t.Context(), s, "")
			require.NoError(t, err)
			assert.Equal(t, strings.ReplaceAll("4201, "+pseudonym+", xnora@example.test", ", , ", ", "), sessions[0].Parties)
			tracks, err := Select[Track](t.Context(), s, "")
			require.NoError(t, err)
			assert.NotContains(t, string(tracks[0].Participants), "nora")
			conferences, err := Select[Conference](t.Context(), s, "WHERE trace_id = 't1'")
			require.NoError(t, err)
			assert.Equal(t, []any{pseudonym, int64(3)}, []any{conferences[0].OwnerName, conferences[0].Participants})

			again, err := s.Erase(t.Context(), Erasure{Addresses: e.Addresses, Names: e.Names, Pseudonym: pseudonym, Held: true})
			require.NoError(t, err)
			assert.Equal(t, map[string]int64{"call_legs": 1, "calls": 1, "conferences": 1}, again.Rows)
			all := strings.ToLower(everything(t, s))
			for _, text := range []string{"|nora quill|", "|nora@example.test|", "+4711", "n. q.", "192.0.2.7"} {
				assert.NotContains(t, all, text)
			}
			none, err := s.Erase(t.Context(), Erasure{Addresses: []string{"nobody@example.test", "%"}})
			require.NoError(t, err)
			assert.Empty(t, none.Rows)
			_, err = s.Erase(t.Context(), Erasure{Addresses: []string{" "}})
			require.ErrorIs(t, err, ErrNobody)
		})
	}
}

// More rows than a transaction changes.
func TestEraseMany(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		b := &Batch{}
		for i := range 2*eraseStep + 5 {
			b.Legs = append(b.Legs, Leg{Object: Object{
				ID: fmt.Sprintf("l%04d", i), TraceID: "t", SpanID: "s", State: StateEnded, StartedAt: at(0), EndedAt: at(1), LastHeardAt: at(1), Phase: Stitched,
			}, RemoteParty: "nora@example.test"})
		}
		_, err := s.Write(t.Context(), b)
		require.NoError(t, err)
		done, err := s.Erase(t.Context(), Erasure{Addresses: []string{"nora@example.test"}})
		require.NoError(t, err)
		assert.Equal(t, int64(2*eraseStep+5), done.Rows["call_legs"])
		assert.NotContains(t, everything(t, s), "nora")
	})
}

// What is held outlives the retention until it is released.
func TestHold(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		erasedWorld(t, s)
		require.NoError(t, s.Hold(t.Context(), "t3", "a recording", at(1)))
		require.ErrorIs(t, s.Hold(t.Context(), "nothing", "", at(1)), ErrNoTrace)
		view := func() []Hold {
			v, err := s.View(t.Context())
			require.NoError(t, err)
			defer v.Close()
			holds, err := v.Holds(t.Context())
			require.NoError(t, err)
			return holds
		}
		assert.Equal(t, []Hold{{"held", "case 7", at(0)}, {"t3", "a recording", at(1)}}, view())
		expire := func() []string {
			_, err := s.Expire(t.Context(), at(0).Add(100*24*time.Hour))
			require.NoError(t, err)
			var left []string
			for line := range strings.FieldsSeq(ask(t, s, "SELECT trace_id FROM call_legs UNION SELECT trace_id FROM calls UNION SELECT trace_id FROM conferences UNION SELECT trace_id FROM tracks UNION SELECT trace_id FROM sessions ORDER BY 1")) {
				left = append(left, strings.Trim(line, "|"))
			}
			return left
		}
		assert.Equal(t, []string{"held", "t3"}, expire())
		for _, trace := range []string{"HELD", "t3"} {
			released, err := s.Release(t.Context(), trace)
			require.NoError(t, err)
			assert.True(t, released)
		}
		released, err := s.Release(t.Context(), "t3")
		require.NoError(t, err)
		assert.False(t, released)
		assert.Empty(t, expire())
	})
}
