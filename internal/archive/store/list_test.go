// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testWorld is what is in an archive, for an oracle that looks at all of it.
type testWorld struct {
	conferences []Conference
	legs        []Leg
	sessions    []Session
	dialogs     map[string][]Dialog // by SIP Call-ID
}

var (
	testNames   = []string{"", "Ann Ash", "ann", "Bo_%", "bo\\b", "Żaneta", "<b>Eve</b>", "Nora Quill", "Quill, Ann"}
	testRooms   = []string{"", "Board", "board of 7", "Bo_%", "Weekly", "Lobby"}
	testReasons = []string{"remoteTeardown", "remoteTeardown", "callEnded", "ivrTimeout", "timeout", "localTeardown"}
)

// fill writes conferences, legs without one, and sessions.
func fill(tb testing.TB, s *Store, seed uint64, conferences int) (w testWorld) {
	tb.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	var b Batch
	pick := func(texts []string) string { return texts[r.IntN(len(texts))] }
	object := func(kind string, n int, trace string, start float64, running bool) Object {
		o := Object{
			ID: fmt.Sprintf("%s-%04d", kind, n), TraceID: trace, SpanID: fmt.Sprintf("%s%d", kind, n), Bridge: "b1",
			State: StateEnded, Outcome: "complete", StartedAt: at(start), EndedAt: at(start + float64(1+r.IntN(600))), Phase: Stitched,
			Revision: Revision{Time: at(start)},
		}
		seconds := o.EndedAt.Sub(o.StartedAt).Seconds()
		o.DurationSeconds, o.LastHeardAt = &seconds, o.EndedAt
		if running {
			o.State, o.Outcome, o.EndedAt, o.DurationSeconds, o.Phase, o.LastHeardAt = StateRunning, "", time.Time{}, nil, Started, o.StartedAt
		}
		return o
	}
	for i := range conferences {
		trace := fmt.Sprintf("%032x", i)
		start := float64(r.IntN(conferences * 4)) // so that many start at once
		running := r.IntN(8) == 0
		room := Room{RoomName: pick(testRooms), TenantID: []string{"", "t1", "t2"}[r.IntN(3)]}
		if room.RoomName != "" {
			room.RoomID = fmt.Sprintf("00000000-0000-0000-0000-%012d", r.IntN(5))
		}
		inCall := r.IntN(6) > 0
		if inCall {
			b.Calls = append(b.Calls, Call{Object: object("call", i, trace, start, running), Room: room, OwnerName: pick([]string{"", "Ines", "Office 1"})})
		}
		for range 1 + r.IntN(4) {
			l := Leg{Object: object("leg", len(b.Legs), trace, start+float64(r.IntN(3)), running), Room: room}
			l.DisplayName, l.RemoteParty = pick(testNames), fmt.Sprintf("%s%d@example.test", []string{"ann", "Bo", "room"}[r.IntN(3)], r.IntN(5))
			l.LocalAddress, l.System = pick([]string{"", "1001@meet.test", "room@meet.test"}), pick([]string{"", "cms-a", "cms-b"})
			if inCall {
				l.CallID = fmt.Sprintf("call-%04d", i)
			}
			if !running {
				l.Reason, l.Role = pick(testReasons), "participant"
				if strings.Contains(strings.ToLower(l.Reason), "timeout") {
					l.ErrorType = l.Reason
				}
				if r.IntN(3) == 0 {
					l.PacketLossPercent = new(float64(r.IntN(300)) / 10)
				}
			}
			if r.IntN(3) == 0 {
				l.SIPCallID, l.Direction = fmt.Sprint("sip", len(b.Legs)), []string{"", "incoming", "outgoing"}[r.IntN(3)]
				for range 1 + r.IntN(2) {
					d := Dialog{Object: object("dialog", len(b.Dialogs), trace, start, running), SIPCallID: l.SIPCallID}
					d.FromName, d.ToName = pick(testNames), pick(testNames)
					d.FromParty, d.ToParty = pick([]string{"", "ann7@example.test", "Bo@example.test"}), pick([]string{"", "10@example.test", "room3@example.test"})
					b.Dialogs = append(b.Dialogs, d)
				}
			}
			b.Legs = append(b.Legs, l)
		}
		if r.IntN(4) == 0 {
			session := Session{Object: object("session", i, fmt.Sprintf("s%031x", i), start, running)}
			session.Parties = pick([]string{"", "1001, 1002", "Ann, 7", "9, ann"})
			session.ErrorType = pick([]string{"", "", "CLOSED_ERROR"})
			b.Sessions = append(b.Sessions, session)
		}
	}
	_, err := s.Write(tb.Context(), &b)
	require.NoError(tb, err)
	w.conferences, err = Select[Conference](tb.Context(), s, "")
	require.NoError(tb, err)
	w.legs, err = Select[Leg](tb.Context(), s, "")
	require.NoError(tb, err)
	w.sessions, err = Select[Session](tb.Context(), s, "")
	require.NoError(tb, err)
	w.dialogs = map[string][]Dialog{}
	for _, d := range b.Dialogs {
		w.dialogs[d.SIPCallID] = append(w.dialogs[d.SIPCallID], d)
	}
	return w
}

// lower as the databases of the tests do.
func lower(text string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, text)
}

func testText(text, sought string, anywhere bool) bool {
	if anywhere {
		return strings.Contains(lower(text), lower(sought))
	}
	return strings.HasPrefix(lower(text), lower(sought))
}

func testObject(f *Filter, o *Object) bool {
	return testTimes(f, o.StartedAt, o.State, o.DurationSeconds)
}

func testTimes(f *Filter, start time.Time, state string, duration *float64) bool {
	return (f.From.IsZero() || !start.Before(f.From)) && (f.To.IsZero() || start.Before(f.To)) &&
		(f.State == "" || f.State == state) &&
		(f.MinDuration == 0 || duration != nil && *duration >= f.MinDuration.Seconds()) &&
		(f.MaxDuration == 0 || duration != nil && *duration <= f.MaxDuration.Seconds())
}

func testRoom(f *Filter, r Room) bool {
	return (f.Tenant == "" || f.Tenant == r.TenantID) &&
		(f.Room == "" || f.Room == r.RoomID || !isID(f.Room) && r.RoomName != "" && testText(r.RoomName, f.Room, false))
}

func (w *testWorld) testParty(f *Filter, l *Leg) bool {
	names := []string{l.RemoteParty, l.DisplayName}
	for _, d := range w.dialogs[l.SIPCallID] {
		if l.Direction == "outgoing" {
			names = append(names, d.ToParty, d.ToName)
		} else {
			names = append(names, d.FromParty, d.FromName)
		}
	}
	return slices.ContainsFunc(names, func(name string) bool { return name != "" && testText(name, f.Party, f.PartyAnywhere) })
}

func (w *testWorld) testLeg(f *Filter, l *Leg) bool {
	return (f.Party == "" || w.testParty(f, l)) &&
		(f.Bridge == "" || f.Bridge == l.Bridge || f.Bridge == l.System) && (f.Dialled == "" || testText(l.LocalAddress, f.Dialled, false)) &&
		(f.Reason == "" || f.Reason == l.Reason || f.Reason == ReasonFailure && l.ErrorType != "") &&
		(f.MinLoss == 0 || l.PacketLossPercent != nil && *l.PacketLossPercent >= f.MinLoss)
}

func (w *testWorld) conferencesOf(f *Filter) (ids []string) {
	var all []Cursor
	for _, c := range w.conferences {
		legs := slices.ContainsFunc(w.legs, func(l Leg) bool { return l.TraceID == c.TraceID && w.testLeg(f, &l) })
		if testTimes(f, c.StartedAt, c.State, c.DurationSeconds) && testRoom(f, c.Room) && testText(c.OwnerName, f.Owner, false) && legs {
			all = append(all, Cursor{c.StartedAt, c.TraceID})
		}
	}
	return sorted(all)
}

func (w *testWorld) legsOf(f *Filter) (ids []string) {
	var all []Cursor
	for _, l := range w.legs {
		owner := f.Owner == "" || slices.ContainsFunc(w.conferences, func(c Conference) bool { return c.TraceID == l.TraceID && testText(c.OwnerName, f.Owner, false) })
		if testObject(f, &l.Object) && testRoom(f, l.Room) && owner && w.testLeg(f, &l) {
			all = append(all, Cursor{l.StartedAt, l.ID})
		}
	}
	return sorted(all)
}

func (w *testWorld) sessionsOf(f *Filter) (ids []string) {
	var all []Cursor
	for _, s := range w.sessions {
		party := f.Party == "" || f.PartyAnywhere && testText(s.Parties, f.Party, true) ||
			slices.ContainsFunc(strings.Split(s.Parties, ", "), func(p string) bool { return s.Parties != "" && testText(p, f.Party, false) }) ||
			s.Parties != "" && testText(s.Parties, f.Party, false)
		reason := f.Reason == "" || f.Reason == s.ErrorType || f.Reason == ReasonFailure && s.ErrorType != ""
		if testObject(f, &s.Object) && party && reason && f.Room == "" && f.Tenant == "" && f.Bridge+f.Owner+f.Dialled == "" && f.MinLoss == 0 {
			all = append(all, Cursor{s.StartedAt, s.ID})
		}
	}
	return sorted(all)
}

func sorted(all []Cursor) (ids []string) {
	slices.SortFunc(all, func(a, b Cursor) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID)) })
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	return ids
}

// randomFilter asks for a few things at once.
func randomFilter(r *rand.Rand, conferences int) (f Filter) {
	pick := func(texts ...string) string { return texts[r.IntN(len(texts))] }
	for range 1 + r.IntN(3) {
		switch r.IntN(11) {
		case 0:
			f.From = at(float64(r.IntN(conferences * 4)))
		case 1:
			f.To = at(float64(r.IntN(conferences * 4)))
		case 2:
			f.Party, f.PartyAnywhere = pick("ann", "ANN", "bo_%", "Bo_", "%", "\\", "bo\\", "Żan", "quill", "<B>", "room3", "nobody", "10", "uill, a", "\"ann"), r.IntN(2) == 0
		case 3:
			f.Room = pick("bo", "BO_", "Weekly", "nowhere", "00000000-0000-0000-0000-000000000003", "00000000-0000-0000-0000-00000000000")
		case 4:
			f.Reason = pick(ReasonFailure, "remoteTeardown", "ivrTimeout", "nothing", "CLOSED_ERROR")
		case 5:
			f.MinLoss = float64(r.IntN(30))
		case 6:
			f.Tenant = pick("t1", "t9")
		case 7:
			f.MinDuration, f.MaxDuration = time.Duration(r.IntN(300))*time.Second, time.Duration(r.IntN(600))*time.Second
		case 8:
			f.State = pick(StateRunning, StateEnded)
		case 9:
			f.Bridge, f.Dialled = pick("b1", "cms-a", "b9", ""), pick("", "10", "Room")
		case 10:
			f.Owner = pick("office", "Ines", "x")
		}
	}
	return f
}

// limits makes pages look at few rows, so that a small archive has many of them,
// and is tested by index and by walk.
func limits(tb testing.TB, few, walked int) {
	tb.Helper()
	variables := []*int{&fewEnough, &walkConferences, &walkLegs, &walkSessions, &walkByLegs, &walkAnywhere, &walkDialogs}
	before := make([]int, len(variables))
	for i, v := range variables {
		before[i], *v = *v, walked
	}
	fewEnough = few
	tb.Cleanup(func() {
		for i, v := range variables {
			*v = before[i]
		}
	})
}

// allPages reads a list to its end.
func allPages[T Row](tb testing.TB, list func(context.Context, Filter, Page) (List[T], error), f Filter, limit int, id func(*T) string) (ids []string) {
	tb.Helper()
	page := Page{Limit: limit}
	for {
		l, err := list(tb.Context(), f, page)
		require.NoError(tb, err)
		require.LessOrEqual(tb, len(l.Rows), limit)
		for i := range l.Rows {
			ids = append(ids, id(&l.Rows[i]))
		}
		if l.Next == nil {
			require.Zero(tb, l.SearchedTo)
			return ids
		}
		require.True(tb, l.SearchedTo.IsZero() || l.SearchedTo.Equal(l.Next.At))
		require.False(tb, l.SearchedTo.IsZero() && len(l.Rows) < limit, "a page that is not full ends the list")
		page.After = *l.Next
	}
}

// Whatever is asked for, all pages together are what somebody finds who looks at
// everything.
func TestFilters(t *testing.T) {
	const conferences = 120
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		w := fill(t, s, 7, conferences)
		v, err := s.View(t.Context())
		require.NoError(t, err)
		defer v.Close()
		r := rand.New(rand.NewPCG(11, 1))
		found := 0
		for i := range 90 {
			f := randomFilter(r, conferences)
			if i == 0 {
				f = Filter{}
			}
			limits(t, []int{1, 20, 5000}[i%3], []int{7, 50, 5000}[r.IntN(3)])
			limit := 1 + r.IntN(40)
			want := w.conferencesOf(&f)
			found += len(want)
			require.Equal(t, want, allPages(t, v.Conferences, f, limit, func(c *Conference) string { return c.TraceID }), "%+v", f)
			require.Equal(t, w.legsOf(&f), allPages(t, v.Legs, f, limit, func(l *Leg) string { return l.ID }), "%+v", f)
			require.Equal(t, w.sessionsOf(&f), allPages(t, v.Sessions, f, limit, func(s *Session) string { return s.ID }), "%+v", f)
		}
		assert.Greater(t, found, 300)
		for _, limit := range []int{0, -1, MaxLimit + 1} {
			_, err := v.Conferences(t.Context(), Filter{}, Page{Limit: limit})
			assert.Error(t, err)
		}
	})
}

// A sorted list is in the order that is asked for, rows without a value last, and
// has what the same list by start has.
func TestSort(t *testing.T) {
	const conferences = 60
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		fill(t, s, 9, conferences)
		v, err := s.View(t.Context())
		require.NoError(t, err)
		defer v.Close()
		sorts := func(columns []string, check func(Sort)) {
			for _, column := range columns {
				check(Sort{Column: column})
				check(Sort{Column: column, Descending: true})
			}
		}
		numbers := func(values []*float64, descending bool) {
			for i := 1; i < len(values); i++ {
				a, b := values[i-1], values[i]
				require.False(t, a == nil && b != nil, "a row without a value is last")
				require.False(t, a != nil && b != nil && (!descending && *a > *b || descending && *a < *b))
			}
		}
		sorts(SortColumns[Leg](), func(by Sort) {
			l, err := v.Legs(t.Context(), Filter{}, Page{Limit: MaxLimit, Sort: by})
			require.NoError(t, err, by)
			all, err := v.Legs(t.Context(), Filter{}, Page{Limit: MaxLimit})
			require.NoError(t, err)
			assert.ElementsMatch(t, all.Rows, l.Rows)
			var values []*float64
			for i := range l.Rows {
				switch by.Column {
				case "duration_seconds":
					values = append(values, l.Rows[i].DurationSeconds)
				case "packet_loss_percent":
					values = append(values, l.Rows[i].PacketLossPercent)
				}
			}
			numbers(values, by.Descending)
		})
		sorts(SortColumns[Conference](), func(by Sort) {
			l, err := v.Conferences(t.Context(), Filter{}, Page{Limit: 7, Sort: by})
			require.NoError(t, err, by)
			assert.Len(t, l.Rows, 7)
			assert.True(t, l.More)
			assert.Nil(t, l.Next, "no index has this order")
			if by.Column == "participants" {
				var values []*float64
				for i := range l.Rows {
					values = append(values, new(float64(l.Rows[i].Participants)))
				}
				numbers(values, by.Descending)
			}
		})
		sorts(SortColumns[Session](), func(by Sort) {
			_, err := v.Sessions(t.Context(), Filter{}, Page{Limit: 7, Sort: by})
			require.NoError(t, err, by)
		})
		_, err = v.Legs(t.Context(), Filter{}, Page{Limit: 1, Sort: Sort{Column: "digest"}})
		require.ErrorIs(t, err, errSort)
		limits(t, 1, 10)
		l, err := v.Legs(t.Context(), Filter{}, Page{Limit: 50, Sort: Sort{Column: "duration_seconds"}})
		require.NoError(t, err)
		assert.False(t, l.SearchedTo.IsZero(), "it says how far it looked")
		assert.Less(t, len(l.Rows), 50)
	})
}

// A view is one state: what is written meanwhile does not show, and it cannot
// write.
func TestViewIsOneState(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		fill(t, s, 1, 10)
		v, err := s.View(t.Context())
		require.NoError(t, err)
		count := func() int64 {
			n, err := v.number(t.Context(), "SELECT COUNT(*) FROM call_legs")
			require.NoError(t, err)
			return n
		}
		before := count()
		_, err = s.Write(t.Context(), &Batch{Legs: []Leg{{Object: Object{
			ID: "late", TraceID: "late", SpanID: "late", StartedAt: noon, LastHeardAt: noon, Phase: Started,
		}}}})
		require.NoError(t, err)
		assert.Equal(t, before, count())
		_, err = v.tx.ExecContext(t.Context(), "DELETE FROM call_legs")
		assert.Error(t, err)
		require.NoError(t, v.Close())
		v, err = s.View(t.Context())
		require.NoError(t, err)
		assert.Equal(t, before+1, count())
		require.NoError(t, v.Close())
	})
}

// No query of a page reads a big table from end to end: each is answered by an
// index.
func TestIndexes(t *testing.T) {
	const conferences = 50
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		w := fill(t, s, 3, conferences)
		_, err := s.AddUpUsage(t.Context(), noon)
		require.NoError(t, err)
		v, err := s.View(t.Context())
		require.NoError(t, err)
		defer v.Close()
		if driver == PostgreSQL {
			// In a small table PostgreSQL uses no index unless it must.
			_, err := v.tx.ExecContext(t.Context(), "SET LOCAL enable_seqscan = off")
			require.NoError(t, err)
		}
		type query struct {
			text string
			args []any
		}
		asked := map[string]query{}
		v.observe = func(text string, args []any) { asked[text] = query{text, slices.Clone(args)} }
		r := rand.New(rand.NewPCG(5, 1))
		for i := range 300 {
			limits(t, []int{1, 5000}[i%2], 10)
			f := randomFilter(r, conferences)
			page := Page{Limit: 5}
			for range 2 {
				l, err := v.Conferences(t.Context(), f, page)
				require.NoError(t, err)
				_, err = v.Legs(t.Context(), f, page)
				require.NoError(t, err)
				_, err = v.Sessions(t.Context(), f, page)
				require.NoError(t, err)
				_, err = v.DialogsWithoutLeg(t.Context(), f, page)
				require.NoError(t, err)
				if l.Next != nil {
					page.After = *l.Next
				}
			}
		}
		_, err = v.Trace(t.Context(), w.conferences[0].TraceID, Page{Limit: 2})
		require.NoError(t, err)
		_, err = v.Trace(t.Context(), w.sessions[0].TraceID, Page{Limit: 2, After: Cursor{noon, "x"}})
		require.NoError(t, err)
		_, _, err = v.Find(t.Context(), "nothing@example.test")
		require.NoError(t, err)
		// One day is counted in advance, the next one is not.
		_, err = v.Overview(t.Context(), noon, noon.Add(48*time.Hour), time.Hour)
		require.NoError(t, err)
		for _, text := range []string{"ann", "an", "nobody"} {
			_, err = v.Search(t.Context(), text, 5)
			require.NoError(t, err)
		}
		for _, after := range []Cursor{{}, {noon.Add(time.Hour), "x"}} {
			for _, party := range []Party{{Address: "ann3@example.test"}, {Name: "Ann"}} {
				_, err = v.PartyLegs(t.Context(), party, Page{Limit: 5, After: after})
				require.NoError(t, err)
				_, err = v.PartyProfile(t.Context(), party, noon)
				require.NoError(t, err)
			}
			for _, room := range []RoomKey{{ID: w.conferences[0].RoomID}, {Name: "board"}} {
				_, err = v.RoomConferences(t.Context(), room, Page{Limit: 5, After: after})
				require.NoError(t, err)
				_, err = v.RoomProfile(t.Context(), room, noon)
				require.NoError(t, err)
			}
		}
		_, err = v.BridgeNames(t.Context())
		require.NoError(t, err)
		_, err = v.Usage(t.Context(), UsageFilter{From: noon, To: noon.Add(time.Hour), Scope: UsageAll, Step: time.Hour})
		require.NoError(t, err)
		_, err = v.UsageValues(t.Context(), UsageBridge)
		require.NoError(t, err)
		_, _, err = v.TagUsage(t.Context(), noon, noon.Add(240*time.Hour), 10)
		require.NoError(t, err)
		_, err = v.BridgeQuality(t.Context(), "b1", noon, noon.Add(time.Hour))
		require.NoError(t, err)
		v.observe = nil
		require.Greater(t, len(asked), 100)
		for _, q := range asked {
			plan := explain(t, v, q.text, q.args)
			if strings.Contains(q.text, "FROM steps") {
				assert.Regexp(t, `\(day,at\)>\(\?,\?\) AND \(day,at\)<|Index Cond: \(\(ROW\(.*day.*at\) >= .*ROW\(.*day.*at\) <`, strings.Join(plan, "\n"), "each step reads its own hours")
			}
			for _, line := range plan {
				for _, table := range []string{"conferences", "calls", "call_legs", "recordings", "sessions", "tracks", "dialogs", "search_terms", "usage_hours", "usage_tags", "usage_starts"} {
					for _, scan := range []string{"SCAN " + table, "Seq Scan on " + table} {
						after, found := strings.CutPrefix(strings.TrimLeft(line, " ->"), scan)
						// What runs is few, and has an index of its own.
						if found && (after == "" || after[0] == ' ') && !strings.Contains(after, "_running") {
							assert.Fail(t, "a table is read from end to end", "%s\n%s", line, q.text)
						}
					}
				}
			}
		}
	})
}

func explain(t *testing.T, v *View, query string, args []any) (lines []string) {
	t.Helper()
	prefix := "EXPLAIN "
	if v.d.name() == SQLite {
		prefix = "EXPLAIN QUERY PLAN "
	}
	require.NoError(t, v.each(t.Context(), func(found *sql.Rows) error {
		var line string
		var n int64
		if v.d.name() == SQLite {
			lines = append(lines, "")
			return found.Scan(&n, &n, &n, &lines[len(lines)-1])
		}
		err := found.Scan(&line)
		lines = append(lines, line)
		return err
	}, prefix+query, args...))
	return lines
}
