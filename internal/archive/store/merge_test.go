// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// oneRow writes statements about one leg, a batch each, and returns its row.
func oneRow(t *testing.T, s *Store, statements ...Leg) Leg {
	t.Helper()
	for _, l := range statements {
		_, err := s.Write(t.Context(), &Batch{Legs: []Leg{l}})
		require.NoError(t, err)
	}
	rows, err := Select[Leg](t.Context(), s, "ORDER BY id")
	require.NoError(t, err)
	require.Len(t, rows, 1)
	return rows[0]
}

// statement about the leg l.
func statement(phase Phase, index uint64, seconds float64, change func(*Leg)) Leg {
	l := Leg{Object: Object{ID: "l", TraceID: "t", SpanID: "s", LastHeardAt: at(seconds), Phase: phase, Revision: Revision{Index: index, Time: at(seconds)}}}
	switch phase {
	case Started:
		l.StartedAt = at(seconds)
	case Ended:
		l.EndedAt = at(seconds)
	case Stitched:
		l.Revision = Revision{Time: at(seconds + 10)}
		l.State, l.StartedAt, l.EndedAt = StateEnded, at(0), at(seconds)
	default:
	}
	if change != nil {
		change(&l)
	}
	return l
}

func closedAs(outcome string, seconds float64, change func(*Leg)) Leg {
	return statement(Stitched, 0, seconds, func(l *Leg) {
		l.Outcome = outcome
		if change != nil {
			change(l)
		}
		l.DurationSeconds = new(l.EndedAt.Sub(l.StartedAt).Seconds())
	})
}

// A stitched record that has not seen all of its object leaves the values of other
// statements, in whatever order they come.
func TestIncompleteStitchedRecords(t *testing.T) {
	start := statement(Started, 1, 0, func(l *Leg) { l.RemoteParty, l.RoomName, l.SIPCallID = "ann@example.test", "Board", "1@h" })
	update := statement(Updated, 2, 5, func(l *Leg) {
		l.CallID, l.DisplayName, l.Activity = "c", "Ann", ActivityConnected
		l.Details = json.RawMessage(`{"a":1,"b":2}`)
	})
	later := statement(Updated, 3, 9, func(l *Leg) { l.Details = json.RawMessage(`{"b":3}`) })
	end := statement(Ended, 4, 100, func(l *Leg) { l.Reason, l.ErrorType, l.RxAudioCodec = "timeout", "timeout", "g722" })
	partial := closedAs("partial", 100, func(l *Leg) { l.StartedAt, l.Reason = at(40), "timeout" })
	expired := closedAs("expired", 9, nil)
	incomplete := closedAs("incomplete", 5, nil)
	rows := map[string]struct {
		statements []Leg
		want       string // outcome, start, end, room, name, reason, codec, details
	}{
		"partial after the start":   {[]Leg{start, update, later, partial}, `complete 0 100 Board Ann timeout  {"a":1,"b":3}`},
		"partial without the start": {[]Leg{update, partial}, `partial 40 100  Ann timeout  {"a":1,"b":2}`},
		"partial alone":             {[]Leg{partial}, `partial 40 100   timeout`},
		"partial and expired":       {[]Leg{expired, partial}, `partial 40 100   timeout`},
		"partial and incomplete":    {[]Leg{update, incomplete, partial}, `partial 40 100  Ann timeout  {"a":1,"b":2}`},
		"expired and incomplete":    {[]Leg{incomplete, expired}, `expired 0 9`},
		"an end after expired":      {[]Leg{start, update, expired, end}, `complete 0 100 Board Ann timeout g722 {"a":1,"b":2}`},
		"an end, no start":          {[]Leg{expired, end}, `partial 0 100   timeout g722`},
		"expired":                   {[]Leg{start, later, expired}, `expired 0 9 Board    {"b":3}`},
		"a proof":                   {[]Leg{start, expired, closedAs("not_listed", 50, nil)}, `not_listed 0 50 Board`},
	}
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		for name, row := range rows {
			for _, way := range []string{"in order", "the other way round"} {
				tx, err := s.d.begin(t.Context())
				require.NoError(t, err)
				_, err = tx.exec(t.Context(), "DELETE FROM call_legs")
				require.NoError(t, err)
				require.NoError(t, tx.commit(t.Context()))
				statements := slices.Clone(row.statements)
				if way != "in order" {
					slices.Reverse(statements)
				}
				got := oneRow(t, s, append(statements, statements...)...)
				text := ""
				if len(got.Details) > 0 {
					var sorted map[string]int
					require.NoError(t, json.Unmarshal(got.Details, &sorted))
					text = string(details(t, sorted))
				}
				assert.Equal(t, row.want, strings.TrimSpace(fmt.Sprint(got.Outcome, " ", got.StartedAt.Sub(noon).Seconds(), " ", got.EndedAt.Sub(noon).Seconds(), " ",
					got.RoomName, " ", got.DisplayName, " ", got.Reason, " ", got.RxAudioCodec, " ", text)), "%s, %s", name, way)
				assert.Equal(t, StateEnded, got.State)
				assert.InDelta(t, got.EndedAt.Sub(got.StartedAt).Seconds(), *got.DurationSeconds, 1e-9)
			}
		}
	})
}

// What belongs to a reason goes with it: a failure of which a record that has seen
// more does not know was none.
func TestWhatBelongsToAReason(t *testing.T) {
	s := openTest(t, SQLite, t.TempDir()+"/calls.db")
	row := oneRow(t, s,
		closedAs("partial", 100, func(l *Leg) { l.Reason, l.ErrorType, l.RemoteTeardown = "timeout", "timeout", new(true) }),
		closedAs("complete", 100, func(l *Leg) { l.Reason = "remoteTeardown" }))
	assert.Equal(t, "remoteTeardown", row.Reason)
	assert.Empty(t, row.ErrorType)
	assert.Nil(t, row.RemoteTeardown)
}

// A draft of an earlier release is read.
func TestFormerDraft(t *testing.T) {
	s := openTest(t, SQLite, t.TempDir()+"/calls.db")
	oneRow(t, s, statement(Started, 1, 0, nil))
	tx, err := s.d.begin(t.Context())
	require.NoError(t, err)
	_, err = tx.exec(t.Context(), "UPDATE call_legs SET draft = $1", `{"start":{"id":"l","trace_id":"t","span_id":"s","state":"running",
		"started_at":"2026-03-05T12:00:00Z","revision":{"index":1},"room_name":"Board","connected":true},
		"update":{"id":"l","trace_id":"t","span_id":"s","revision":{"index":2,"complete":true},"display_name":"Ann"},
		"first":"2026-03-05T12:00:00Z","last":"2026-03-05T12:00:07Z"}`)
	require.NoError(t, err)
	require.NoError(t, tx.commit(t.Context()))
	row := oneRow(t, s, statement(Ended, 4, 100, nil))
	assert.Equal(t, "Board", row.RoomName)
	assert.Equal(t, "Ann", row.DisplayName)
	assert.Equal(t, at(0), row.StartedAt)
	assert.Equal(t, at(100), row.LastHeardAt)
}

// ranked are columns of a leg in which statements differ.
var ranked = map[string]func(*Leg) *string{
	"room": func(l *Leg) *string { return &l.RoomName }, "name": func(l *Leg) *string { return &l.DisplayName },
	"codec": func(l *Leg) *string { return &l.RxAudioCodec }, "direction": func(l *Leg) *string { return &l.Direction },
	"call": func(l *Leg) *string { return &l.CallID }, "reason": func(l *Leg) *string { return &l.Reason },
}

// randomStatements about one leg. Each says little.
func randomStatements(random *rand.Rand) (all []Leg) {
	for n := range 2 + random.IntN(8) {
		phase := Phase(1 + random.IntN(4))
		l := statement(phase, uint64(random.IntN(4)), float64(random.IntN(5)), nil)
		if phase == Stitched {
			l = closedAs([]string{"complete", "partial", "expired", "incomplete", "call_ended", "new_one"}[random.IntN(6)], float64(random.IntN(5)), nil)
		}
		for name, field := range ranked {
			if random.IntN(3) == 0 {
				*field(&l) = fmt.Sprint(name, n)
			}
		}
		switch random.IntN(4) {
		case 0:
			l.Details = json.RawMessage(fmt.Sprintf(`{"a":%d}`, n))
		case 1:
			l.Details = json.RawMessage(fmt.Sprintf(`{"a":%d,"b":{"x":"}, %d"}}`, n, n))
		}
		all = append(all, l)
	}
	return all
}

// The law of a row, against an oracle that knows all statements: each column has the
// value of the last statement, by rank, that has one; no statement removes a value;
// and the statements together are the same row in any order.
func TestNoStatementRemovesAValue(t *testing.T) {
	runs := 150
	if testing.Short() {
		runs = 50
	}
	s := openTest(t, SQLite, filepath.Join(t.TempDir(), "calls.db"))
	for seed := range uint64(runs) {
		random := rand.New(rand.NewPCG(seed, 17))
		statements := randomStatements(random)
		for i := range statements {
			statements[i].ID = fmt.Sprint("l", seed)
		}
		sorted := slices.Clone(statements)
		for i := range sorted {
			sorted[i].Revision.Digest = legs.digest(&sorted[i])
		}
		slices.SortFunc(sorted, func(a, b Leg) int { return compareStatements(&a.Object, &b.Object) })
		want := map[string]string{}
		wantDetails := map[string]string{}
		for _, l := range sorted {
			for name, field := range ranked {
				if v := *field(&l); v != "" {
					want[name] = v
				}
			}
			members, _ := membersOf(l.Details)
			for _, m := range members {
				wantDetails[m.name] = string(m.text)
			}
		}
		random.Shuffle(len(statements), func(i, j int) { statements[i], statements[j] = statements[j], statements[i] })
		had := map[string]bool{}
		var row Leg
		for _, l := range append(slices.Clone(statements), statements...) {
			_, err := s.Write(t.Context(), &Batch{Legs: []Leg{l}})
			require.NoError(t, err)
			rows, err := Select[Leg](t.Context(), s, "WHERE id = $1", l.ID)
			require.NoError(t, err)
			require.Len(t, rows, 1)
			row = rows[0]
			for _, c := range legs.columns {
				if c.name == "activity" { // of a running leg alone
					continue
				}
				has := !isZero(c.field(&row))
				require.True(t, has || !had[c.name], "seed %d: %s is gone", seed, c.name)
				had[c.name] = has
			}
		}
		got := map[string]string{}
		for name, field := range ranked {
			if v := *field(&row); v != "" {
				got[name] = v
			}
		}
		require.Equal(t, want, got, "seed %d", seed)
		gotDetails := map[string]string{}
		members, _ := membersOf(row.Details)
		for _, m := range members {
			gotDetails[m.name] = string(m.text)
		}
		require.Equal(t, wantDetails, gotDetails, "seed %d", seed)
	}
}
