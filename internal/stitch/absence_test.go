// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

// onBridge applies a record of a bridge whose identity is known.
func (s *story) onBridge(bridge string, kind Kind, id string, phase Phase, seconds int, fields ...Field) {
	s.Helper()
	s.index++
	_, err := s.e.Apply(s.now, &Record{
		Kind: kind, ID: id, Phase: phase, Time: at(seconds), Index: s.index, Fields: fields,
		Source: NewSource(bridge, "session of "+bridge).OnBridge(MaxRank, bridge),
	})
	require.NoError(s, err)
}

// list gives a whole listing of a bridge that started at 0.
func (s *story) list(bridge string, kind Kind, seconds int, listed ...string) {
	s.part(bridge, kind, seconds, 1, 1, listed...)
}

func (s *story) part(bridge string, kind Kind, seconds, part, parts int, listed ...string) {
	s.e.List(s.now, &Listing{
		Bridge: NewSource(bridge, "").OnBridge(MaxRank, bridge), Kind: kind, At: at(seconds), Started: at(0), Part: part, Parts: parts, IDs: listed,
	})
	s.wait(0)
}

// TestUnlisted: what ends because its bridge does not list it any more, and what does
// not.
func TestUnlisted(t *testing.T) {
	in := textField(names.CallID, "c")
	begin := func(s *story) {
		s.onBridge("a", Call, "c", Start, 10)
		s.onBridge("a", CallLeg, "l", Start, 20, in)
		s.onBridge("a", Recording, "r", Start, 30, in)
	}
	everything := map[string]string{"c": "unlisted 10-30", "l": "unlisted 20-20", "r": "unlisted 30-30"}
	for _, test := range []struct {
		name string
		want map[string]string
		tell func(s *story)
	}{
		{"in neither of two lists of calls", everything, func(s *story) {
			s.list("a", Call, 60)
			s.list("a", Call, 120)
		}},
		{"lists that have others", everything, func(s *story) {
			s.list("a", Call, 60, "d", "e")
			s.list("a", Call, 120, "e")
		}},
		{"in one list alone", nil, func(s *story) { s.list("a", Call, 60) }},
		{"in the first", nil, func(s *story) {
			s.list("a", Call, 60, "C")
			s.list("a", Call, 120)
		}},
		{"in the second", nil, func(s *story) {
			s.list("a", Call, 60)
			s.list("a", Call, 120, "c")
		}},
		{"in the second of three", nil, func(s *story) {
			s.list("a", Call, 60)
			s.list("a", Call, 120, "c")
			s.list("a", Call, 180)
		}},
		{"a leg alone", map[string]string{"l": "unlisted 20-20"}, func(s *story) {
			s.list("a", Call, 60, "c")
			s.list("a", CallLeg, 60)
			s.list("a", Call, 120, "c")
			s.list("a", CallLeg, 120)
		}},
		{"a record after the first list", nil, func(s *story) {
			s.list("a", Call, 60)
			s.onBridge("a", CallLeg, "l", Update, 61, in)
			s.onBridge("a", Recording, "r", Update, 61, in)
			s.list("a", Call, 120)
		}},
		{"a record of the first list's own second", nil, func(s *story) {
			s.onBridge("a", CallLeg, "l", Update, 60, in)
			s.onBridge("a", Recording, "r", Update, 60, in)
			s.list("a", Call, 60)
			s.list("a", Call, 120)
		}},
		{"the bridge started anew between the lists", nil, func(s *story) {
			s.list("a", Call, 60)
			s.e.List(s.now, &Listing{
				Bridge: NewSource("a", "").OnBridge(MaxRank, "a"), Kind: Call, At: at(120), Started: at(100), Part: 1, Parts: 1,
			})
			s.wait(0)
		}},
		{"two lists at once", nil, func(s *story) {
			s.list("a", Call, 60)
			s.list("a", Call, 65)
		}},
		{"lists of another bridge", nil, func(s *story) {
			s.list("b", Call, 60)
			s.list("b", Call, 120)
		}},
		{"lists in parts", everything, func(s *story) {
			s.part("a", Call, 60, 2, 2, "d")
			s.part("a", Call, 60, 1, 2)
			s.part("a", Call, 120, 1, 1)
		}},
		{"a part that does not come", nil, func(s *story) {
			s.part("a", Call, 60, 1, 2)
			s.part("a", Call, 60, 1, 2)
			s.list("a", Call, 120)
		}},
		{"an older list comes late", nil, func(s *story) {
			s.list("a", Call, 120)
			s.list("a", Call, 60)
		}},
		{"an end that comes while they linger", map[string]string{"c": "complete 10-50", "l": "complete 20-40", "r": "call_ended 30-50"}, func(s *story) {
			s.list("a", Call, 60)
			s.list("a", Call, 120)
			s.wait(options.Linger / 2)
			s.onBridge("a", CallLeg, "l", End, 40)
			s.onBridge("a", Call, "c", End, 50)
		}},
		{"a sign of life that comes while they linger", map[string]string{"r": "unlisted 30-30"}, func(s *story) {
			s.list("a", Call, 60)
			s.list("a", Call, 120)
			s.wait(options.Linger / 2)
			s.onBridge("a", CallLeg, "l", Update, 130, in)
		}},
		{"a restart before they are emitted", everything, func(s *story) {
			s.list("a", Call, 60)
			s.list("a", Call, 120)
			s.e = restart(s, s.e, s.now)
			s.wait(graceFirst)
		}},
		{"a restart between the lists", nil, func(s *story) {
			s.list("a", Call, 60)
			s.e = restart(s, s.e, s.now)
			s.list("a", Call, 120)
			s.wait(graceFirst)
		}},
		{"the call is removed", everything, func(s *story) {
			s.e.RemoveCall(s.now, "C", at(60))
			s.wait(removalDelay)
		}},
		{"the call is removed, and a restart comes", everything, func(s *story) {
			s.e.RemoveCall(s.now, "c", at(60))
			s.e = restore(s, s.now, changes(s.e))
			s.wait(graceFirst)
		}},
		{"the call is removed, and a restart from a snapshot comes", everything, func(s *story) {
			s.e.RemoveCall(s.now, "c", at(60))
			changes(s.e)
			s.e = restart(s, s.e, s.now)
			s.wait(graceFirst)
		}},
		{"the call is removed, and its end comes after a restart", map[string]string{"c": "complete 10-50", "l": "complete 20-40", "r": "call_ended 30-50"}, func(s *story) {
			s.e.RemoveCall(s.now, "c", at(60))
			s.e = restart(s, s.e, s.now)
			s.wait(graceFirst / 2)
			s.onBridge("a", CallLeg, "l", End, 40)
			s.onBridge("a", Call, "c", End, 50)
			s.wait(graceFirst)
		}},
		{"the call is removed and is there again, and a restart comes", nil, func(s *story) {
			s.e.RemoveCall(s.now, "c", at(60))
			for _, kind := range []Kind{CallLeg, Recording} {
				s.onBridge("a", kind, map[Kind]string{CallLeg: "l", Recording: "r"}[kind], Update, 61, in)
			}
			s.e = restart(s, s.e, s.now)
			s.wait(graceFirst)
		}},
		{"the process was suspended for longer than the delay", everything, func(s *story) {
			s.e.RemoveCall(s.now, "c", at(60))
			s.e = restart(s, s.e, s.now)
			s.wait(time.Hour)
		}},
		{"the call is removed, its end comes", map[string]string{"c": "complete 10-50", "l": "call_ended 20-50", "r": "call_ended 30-50"}, func(s *story) {
			s.e.RemoveCall(s.now, "c", at(60))
			s.wait(removalDelay / 2)
			s.onBridge("a", Call, "c", End, 50)
			s.wait(removalDelay)
		}},
		{"the call is removed, and is there again", nil, func(s *story) {
			s.e.RemoveCall(s.now, "c", at(60))
			s.onBridge("a", CallLeg, "l", Update, 61, in)
			s.wait(removalDelay)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStory(t, options)
			begin(s)
			test.tell(s)
			s.wait(options.Linger)
			got := make(map[string]string)
			for id, o := range s.out() {
				got[id] = fmt.Sprintf("%s %d-%d", o.Outcome, (o.Start-at(0))/second, (o.End-at(0))/second)
			}
			if test.want == nil {
				test.want = map[string]string{}
			}
			assert.Equal(t, test.want, got)
			s.wait(2 * options.MaxOpen)
			s.wait(options.Linger)
			s.out()
			s.wait(2 * options.MaxOpen)
			requireEmpty(t, s.e)
		})
	}
}

// A removed call ends its open objects, however many others of its objects have newer records.
func TestRemovedCallOfManyObjects(t *testing.T) {
	s := newStory(t, options)
	in := textField(names.CallID, "c")
	s.onBridge("a", Call, "c", Start, 0)
	const alive = 3*membersPerStep + 1
	for n := range alive {
		s.onBridge("a", CallLeg, fmt.Sprint("alive ", n), Start, 1, in)
	}
	s.onBridge("a", CallLeg, "lost", Start, 1, in)
	for n := range alive {
		s.onBridge("a", CallLeg, fmt.Sprint("alive ", n), Update, 100)
	}
	s.e.RemoveCall(s.now, "c", at(60))
	s.now = s.now.Add(removalDelay)
	for more := true; more; {
		before := s.e.steps
		more = s.e.Advance(s.now)
		require.LessOrEqual(t, s.e.steps-before, uint64(objectsPerAdvance*2*membersPerStep))
	}
	s.wait(options.Linger)
	out := s.out()
	assert.Len(t, out, 2)
	assert.Equal(t, Unlisted, out["c"].Outcome)
	assert.Equal(t, Unlisted, out["lost"].Outcome)
	assert.Len(t, queue(s.e, open), alive)
}

// TestUnlistedShuffles: in whatever order records come, before the lists of their
// bridges and after, with a restart anywhere, the same is emitted in the end.
func TestUnlistedShuffles(t *testing.T) {
	shuffles := 10_000
	if testing.Short() || raceEnabled {
		shuffles = 1_000
	}
	const perWorld = 20
	lists := func(e *Engine, seconds int) {
		for bridge := range 3 {
			for _, kind := range []Kind{Call, CallLeg} {
				e.List(noon, &Listing{
					Bridge: NewSource("", "").OnBridge(1, fmt.Sprint("bridge ", bridge)), Kind: kind, At: at(seconds), Started: at(0), Part: 1, Parts: 1,
				})
			}
		}
	}
	unlisted := 0
	for seed := range uint64(shuffles / perWorld) {
		w := makeWorld(seed, true)
		w.lose(40)
		// Whatever the order of records and lists, nothing may be emitted before all are in.
		e := New(options)
		for i := range w.all {
			w.all[i].happen(t, e, noon)
		}
		lists(e, 2000)
		lists(e, 2060)
		advance(e, noon)
		want := finish(t, e, noon)
		unlisted += strings.Count(strings.Join(want, "\n"), " "+Unlisted.String())
		for range perWorld {
			all := slices.Clone(w.all)
			w.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			stop, listed := w.IntN(len(all)+1), w.IntN(len(all)+1)
			e := New(options)
			for i := range all {
				if i == listed {
					lists(e, 1000)
					lists(e, 1060)
					advance(e, noon)
				}
				if i == stop {
					e = restart(t, e, noon)
				}
				all[i].happen(t, e, noon)
			}
			lists(e, 2000)
			lists(e, 2060)
			advance(e, noon)
			if got := finish(t, e, noon); !slices.Equal(want, got) {
				require.Equal(t, strings.Join(want, "\n"), strings.Join(got, "\n"), "seed %d", seed)
			}
		}
	}
	assert.Positive(t, unlisted)
}

// TestListingsAreBounded: whoever sends listings makes nothing grow without a bound,
// and takes no time from others.
func TestListingsAreBounded(t *testing.T) {
	s := newStory(t, options)
	for n := range 2 * maxListedBridges {
		s.list(fmt.Sprint("bridge ", n), Call, 60, "c")
	}
	assert.Len(t, s.e.bridgeListings, maxListedBridges)
	many := make([]string, maxListed/2+1)
	for i := range many {
		many[i] = guid(1, i)
	}
	s.part("large", Call, 60, 1, 2, many...)
	s.part("large", Call, 60, 2, 2, many...)
	assert.Nil(t, s.e.bridgeListings[NewSource("", "").OnBridge(MaxRank, "large").bridge].kinds[Call].last, "more ids than a listing may have")
	for _, l := range []Listing{{Parts: 1, Part: 1}, {Part: 2, Parts: 1}, {Part: 1, Parts: maxParts + 1}, {Kind: Track, Part: 1, Parts: 1}} {
		l.Bridge, l.At = NewSource("", "").OnBridge(1, "x"), max(l.At, 1)
		if l.Kind == Call && l.Part == 1 && l.Parts == 1 {
			l.Bridge = Source{}
		}
		s.e.List(s.now, &l)
	}
	assert.Len(t, s.e.bridgeListings, maxListedBridges)
	for n := range maxRemovals + 10 {
		id := fmt.Sprint("call ", n%500)
		s.onBridge("a", Call, id, Start, 1)
		s.e.RemoveCall(s.now, id, at(60))
	}
	assert.Len(t, s.e.removals, maxRemovals)
	before := s.e.steps
	s.e.Advance(s.now.Add(removalDelay))
	assert.Less(t, s.e.steps-before, uint64(objectsPerAdvance*2*membersPerStep))
	advance(s.e, s.now.Add(removalDelay))
	assert.Empty(t, s.e.removals)
	next, ok := s.e.Next()
	assert.True(t, ok)
	assert.Equal(t, s.now.Add(removalDelay+options.Linger), next.In(time.UTC))
}

// A bridge has a room's call once at a time: when it begins the next one, a call whose
// end was lost is over, and what is open in it with it. Records of the ends that come
// late count, and what runs on other bridges does not.
func TestNextCallOfTheRoom(t *testing.T) {
	room := textField(names.CallCorrelator, "room")
	type record struct {
		bridge string
		kind   Kind
		id     string
		phase  Phase
		at     int
		field  Field
	}
	records := []record{
		{"one", Call, "lost", Start, 0, room},
		{"one", CallLeg, "in lost", Start, 5, textField(names.CallID, "lost")},
		{"other", Call, "beside", Start, 10, room},
		{"one", Call, "next", Start, 1000, room},
		{"one", Call, "last", Start, 2000, room},
		{"one", Call, "another", Start, 10, textField(names.CallCorrelator, "another room")},
	}
	for order, sequence := range [][]int{{0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {4, 0, 3, 1, 5, 2}} {
		for _, restarted := range []bool{false, true} {
			s := newStory(t, options)
			for _, i := range sequence {
				r := records[i]
				s.onBridge(r.bridge, r.kind, r.id, r.phase, r.at, r.field)
				if restarted {
					s.e = restart(t, s.e, s.now)
				}
			}
			s.wait(removalDelay)
			s.wait(graceFirst + graceExtension)
			out := s.out()
			got := map[string]string{}
			for id, o := range out {
				got[id] = fmt.Sprint(o.Outcome, " ", (o.End-at(0))/second)
			}
			assert.Equal(t, map[string]string{"lost": "unlisted 5", "in lost": "unlisted 5", "next": "unlisted 1000"}, got, "order %d, restarted %t", order, restarted)
		}
	}
	s := newStory(t, options)
	for _, r := range records {
		s.onBridge(r.bridge, r.kind, r.id, r.phase, r.at, r.field)
	}
	s.wait(removalDelay / 2)
	s.onBridge("one", CallLeg, "in lost", End, 900)
	s.onBridge("one", Call, "lost", End, 901)
	s.wait(removalDelay)
	s.wait(options.Linger)
	out := s.out()
	assert.Equal(t, Complete, out["lost"].Outcome)
	assert.Equal(t, Complete, out["in lost"].Outcome)
}

// An earlier record may show that a next call of the room began before the call that it seemed to
// replace.
func TestNextCallThatBeganEarlier(t *testing.T) {
	records := []struct {
		id    string
		index uint64
		at    int
	}{{"earlier", 1, 0}, {"later", 2, 140}, {"earlier", 3, 155}}
	for _, sequence := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		s := newStory(t, options)
		for _, i := range sequence {
			_, err := s.e.Apply(s.now, &Record{
				Kind: Call, ID: records[i].id, Phase: Start, Time: at(records[i].at), Index: records[i].index,
				Fields: []Field{textField(names.CallCorrelator, "room")}, Source: NewSource("one", "session").OnBridge(MaxRank, "one"),
			})
			require.NoError(t, err)
		}
		s.wait(removalDelay)
		s.wait(options.Linger)
		assert.Empty(t, s.out(), "order %v", sequence)
	}
}

// A next call without a start record began when the first record named it, whatever came first.
func TestNextCallWithoutStart(t *testing.T) {
	in := textField(names.CallID, "next")
	room := textField(names.CallCorrelator, "room")
	records := []struct {
		kind  Kind
		id    string
		phase Phase
		index uint64
		at    int
		field Field
	}{{Call, "lost", Start, 1, 38, room}, {Call, "next", Update, 2, 104, room}, {Recording, "r", End, 3, 206, in}}
	var want map[string]string
	for _, sequence := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		s := newStory(t, options)
		for _, i := range sequence {
			r := records[i]
			_, err := s.e.Apply(s.now, &Record{
				Kind: r.kind, ID: r.id, Phase: r.phase, Time: at(r.at), Index: r.index, Fields: []Field{r.field},
				Source: NewSource("one", "session").OnBridge(MaxRank, "one"),
			})
			require.NoError(t, err)
		}
		s.wait(removalDelay)
		s.wait(options.Linger)
		got := make(map[string]string)
		for id, o := range s.out() {
			got[id] = fmt.Sprintf("%s, pending since %d", o.Outcome, (o.PendingSince-at(0))/second)
		}
		if want == nil {
			want = got
			assert.Contains(t, want["lost"], "unlisted")
		}
		assert.Equal(t, want, got, "order %v", sequence)
	}
}
