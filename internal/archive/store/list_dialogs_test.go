// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fillDialogs writes SIP calls, a third of them with a leg, and returns those without.
func fillDialogs(tb testing.TB, s *Store, n int) (without []Dialog) {
	tb.Helper()
	r := rand.New(rand.NewPCG(21, 1))
	pick := func(texts ...string) string { return texts[r.IntN(len(texts))] }
	var b Batch
	for i := range n {
		start := at(float64(r.IntN(n / 4))) // so that many start at once
		d := Dialog{
			Object: Object{
				ID: fmt.Sprintf("dialog-%03d", i), TraceID: fmt.Sprintf("%032x", i), SpanID: fmt.Sprintf("%016x", i), State: StateRunning, StartedAt: start, LastHeardAt: start,
				Phase: Started, Revision: Revision{Time: start},
			},
			SIPCallID: fmt.Sprintf("call-%d@h", i), Method: "INVITE",
			FromParty: pick("ann@example.test", "Bo@example.test", "100@203.0.113.9"), ToParty: pick("room@example.test", "10@example.test", ""), FromName: pick("", "Ann Ash", "Bo_%"),
		}
		if i%7 == 0 {
			d.SIPCallID = ""
		}
		if r.IntN(6) > 0 {
			seconds := float64(r.IntN(300))
			d.State, d.Outcome, d.Phase = StateEnded, "complete", Stitched
			d.EndedAt, d.DurationSeconds = start.Add(time.Duration(seconds)*time.Second), &seconds
			d.LastHeardAt = d.EndedAt
			d.Result, d.Code = pick("answered", "failed", "cancelled"), new([]int64{200, 486, 487, 404}[r.IntN(4)])
		}
		if d.SIPCallID != "" && r.IntN(3) == 0 {
			b.Legs = append(b.Legs, Leg{
				Object: Object{
					ID: fmt.Sprintf("leg-%03d", i), TraceID: d.TraceID, SpanID: fmt.Sprintf("f%015x", i), State: StateRunning, StartedAt: start, LastHeardAt: start, Phase: Started,
				},
				SIPCallID: d.SIPCallID,
			})
		} else {
			without = append(without, d)
		}
		b.Dialogs = append(b.Dialogs, d)
	}
	_, err := s.Write(tb.Context(), &b)
	require.NoError(tb, err)
	return without
}

// dialogsOf are the ids of the dialogs that a filter lets through, newest first.
func dialogsOf(all []Dialog, f *Filter) []string {
	var found []Cursor
	for _, d := range all {
		party := f.Party == "" || slices.ContainsFunc([]string{d.FromParty, d.ToParty, d.FromName, d.ToName}, func(name string) bool {
			return name != "" && testText(name, f.Party, f.PartyAnywhere)
		})
		code := f.Code == 0 || d.Code != nil && *d.Code == f.Code
		if testObject(f, &d.Object) && party && code && (f.Result == "" || f.Result == d.Result) && f.Room == "" && f.MinLoss == 0 {
			found = append(found, Cursor{d.StartedAt, d.ID})
		}
	}
	return sorted(found)
}

// TestDialogsWithoutLeg: all pages together are the SIP calls without a leg that a
// reader of everything finds, whichever way they are searched.
func TestDialogsWithoutLeg(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		without := fillDialogs(t, s, 200)
		v, err := s.View(t.Context())
		require.NoError(t, err)
		defer v.Close()
		found := 0
		for i, f := range []Filter{
			{},
			{Result: "failed"},
			{Code: 486},
			{Code: 200, Result: "cancelled"},
			{Code: 503},
			{State: StateRunning},
			{State: StateEnded},
			{Party: "ann"},
			{Party: "BO"},
			{Party: "bo_%"},
			{Party: "203.0", PartyAnywhere: true},
			{Party: "room", Code: 404},
			{Party: "10"},
			{Party: "nobody"},
			{From: at(20)},
			{To: at(20)},
			{From: at(10), To: at(30), Result: "answered"},
			{MinDuration: time.Minute, MaxDuration: 2 * time.Minute},
			{Room: "Board"},
			{MinLoss: 1},
		} {
			want := dialogsOf(without, &f)
			found += len(want)
			for _, few := range []int{1, 5000} {
				for _, walked := range []int{9, 5000} {
					limits(t, few, walked)
					require.Equal(t, want, allPages(t, v.DialogsWithoutLeg, f, 1+i, func(d *Dialog) string { return d.ID }), "%+v", f)
				}
			}
		}
		assert.Greater(t, found, 300)
		for _, column := range SortColumns[Dialog]() {
			l, err := v.DialogsWithoutLeg(t.Context(), Filter{}, Page{Limit: MaxLimit, Sort: Sort{Column: column}})
			require.NoError(t, err)
			assert.Len(t, l.Rows, len(without), column)
		}
	})
}

func TestWriteDialogsCSV(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		without := fillDialogs(t, s, 80)
		for _, f := range []Filter{{}, {Result: "failed"}, {Code: 486}, {Party: "ann"}} {
			var out bytes.Buffer
			require.NoError(t, s.WriteDialogsCSV(t.Context(), &out, CSVFilter{Filter: f}))
			lines, err := csv.NewReader(&out).ReadAll()
			require.NoError(t, err)
			column := slices.Index(lines[0], "id")
			var ids []string
			for _, line := range lines[1:] {
				ids = append(ids, line[column])
			}
			assert.ElementsMatch(t, dialogsOf(without, &f), ids, "%+v", f)
			assert.Subset(t, lines[0], []string{"sip_call_id", "from_party", "to_party", "result", "code", "started_at", "ring_seconds"})
			assert.NotContains(t, lines[0], "responses")
		}
		linesOf := func(filter CSVFilter) int {
			var out bytes.Buffer
			require.NoError(t, s.WriteDialogsCSV(t.Context(), &out, filter))
			lines, err := csv.NewReader(&out).ReadAll()
			require.NoError(t, err)
			return len(lines) - 1
		}
		address, of := without[0].FromParty, 0
		for _, d := range without {
			if strings.EqualFold(d.FromParty, address) || strings.EqualFold(d.ToParty, address) {
				of++
			}
		}
		require.NotEmpty(t, address)
		assert.Equal(t, of, linesOf(CSVFilter{Of: Party{Address: strings.ToUpper(address)}}))
		assert.Zero(t, linesOf(CSVFilter{Of: Party{Address: address[:len(address)-1]}}))
		assert.Zero(t, linesOf(CSVFilter{Of: Party{Name: "nobody"}}))
		assert.Zero(t, linesOf(CSVFilter{RoomName: "Board"}))
	})
}
