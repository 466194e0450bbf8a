// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/names"
)

// inRoom is a record of a call of a room, of a session on a bridge.
func (s *story) inRoom(bridge, session, id string, phase Phase, index uint64, seconds int) {
	s.Helper()
	r := Record{
		Kind: Call, ID: id, Phase: phase, Time: at(seconds), Index: index, Source: NewSource(session, session).OnBridge(1, bridge),
	}
	if phase == Start {
		r.Fields = []Field{textField(names.CallCorrelator, "room")}
	}
	_, err := s.e.Apply(s.now, &r)
	require.NoError(s, err)
}

// A call of a session that died without a word does not swallow the later
// meetings of its room on the same bridge.
func TestLostEndInAFormerSession(t *testing.T) {
	s := newStory(t, options)
	for n := range 5 {
		s.inRoom("one", fmt.Sprint("run ", n), fmt.Sprint("call ", n), Start, 1, n*1000)
	}
	s.inRoom("other", "its run", "guest", Start, 1, 4100)
	s.inRoom("one", "run 4", "call 4", End, 2, 4500)
	s.inRoom("other", "its run", "guest", End, 2, 4500)
	s.e = restart(t, s.e, s.now)
	s.wait(options.MaxOpen)
	traces := s.traces()
	for n := range 5 {
		id := fmt.Sprint("call ", n)
		assert.Equal(t, traceOf(id), traces[id])
	}
	assert.Equal(t, traceOf("call 4"), traces["guest"])
}

// A call of a session that was wrongly declared over has no end record. While the session
// lives on, the call does not swallow the later meetings of its room, neither on its own
// bridge nor on another one, whether its span was accepted or still waits.
func TestLostEndInALiveSession(t *testing.T) {
	for _, accepted := range []bool{true, false} {
		for _, declaredAgain := range []bool{true, false} {
			s := newStory(t, options)
			traces := make(map[string]TraceID)
			collect := func() {
				if accepted {
					for id, o := range s.out() {
						traces[id] = o.Trace
					}
				}
				s.e.VisitPendingEmits(Ref{}, 1000, func(o *Stitched) { traces[o.ID] = o.Trace })
			}
			s.inRoom("one", "run", "dead", Start, 1, 0)
			s.e.EndSession(s.now, "run", at(10))
			s.wait(0)
			s.wait(options.Linger)
			collect()
			for hour := 1; hour < 6; hour++ {
				second, index := 3600*hour, uint64(10*hour)
				host, guest := fmt.Sprint("host ", hour), fmt.Sprint("guest ", hour)
				s.now = noon.Add(time.Duration(hour) * time.Hour)
				s.inRoom("one", "run", host, Start, index, second)
				s.inRoom("other", "its run", guest, Start, index, second+100)
				s.inRoom("one", "run", host, End, index+1, second+600)
				s.inRoom("other", "its run", guest, End, index+1, second+600)
				if declaredAgain {
					s.e.EndSession(s.now, "run", at(second+700))
				}
				s.e = restart(t, s.e, s.now)
				s.wait(graceFirst)
				s.wait(options.Linger)
				collect()
			}
			require.Len(t, traces, 11)
			for id, trace := range traces {
				of := strings.Replace(id, "guest", "host", 1)
				assert.Equal(t, traceOf(of), trace, "%s, accepted %t, declared again %t", id, accepted, declaredAgain)
			}
		}
	}
}

// The best known identity of a bridge counts.
func TestBridgeOfASession(t *testing.T) {
	s := newStory(t, options)
	tell := func(session, id string, seconds int, rank uint8, bridge string) {
		_, err := s.e.Apply(s.now, &Record{
			Kind: Call, ID: id, Phase: Start, Time: at(seconds), Source: NewSource("r", session).OnBridge(rank, bridge),
			Fields: []Field{textField(names.CallCorrelator, "room")},
		})
		require.NoError(t, err)
	}
	upper, lower := "B41D6E00-0000-4000-8000-000000000006", "b41d6e00-0000-4000-8000-000000000006"
	tell("1", "x", 0, 4, upper)
	tell("1", "x", 0, 1, "address")
	tell("2", "y", 100, 1, "address")
	tell("2", "y", 100, 4, lower)
	s.wait(options.MaxOpen)
	traces := s.traces()
	assert.Equal(t, traceOf("x"), traces["x"])
	assert.Equal(t, traceOf("y"), traces["y"])
}

// Records have seconds. What began first on a bridge tell their numbers, not the
// ids of the calls.
func TestTwoCallsInOneSecond(t *testing.T) {
	for _, swapped := range []bool{false, true} {
		first, second := guid(1, 1), guid(1, 2)
		if swapped {
			first, second = second, first
		}
		s := newStory(t, options)
		s.inRoom("one", "run", first, Start, 10, 0) // its end was lost
		s.inRoom("one", "run", second, Start, 11, 0)
		s.inRoom("other", "its run", "guest", Start, 1, 30)
		for _, c := range []string{second, "guest"} {
			s.inRoom(map[bool]string{true: "other", false: "one"}[c == "guest"], map[bool]string{true: "its run", false: "run"}[c == "guest"], c, End, 99, 600)
		}
		traces := s.traces()
		assert.Equal(t, traceOf(second), traces["guest"], "swapped: %t", swapped)
		assert.Equal(t, traceOf(second), traces[second], "swapped: %t", swapped)
	}
}

// TestLargeConference: one long call on a bridge and one after the other on
// another are one conference, whatever came first, how many they are, and what
// was emitted meanwhile.
func TestLargeConference(t *testing.T) {
	const calls = 500
	type part struct {
		id    string
		phase Phase
		at    int
	}
	var all []part
	all = append(all, part{"long", Start, 0})
	for n := range calls {
		all = append(all, part{guid(1, n), Start, 240*n + 60}, part{guid(1, n), End, 240*n + 250})
	}
	all = append(all, part{"long", End, 240*calls + 400})
	large := options
	large.MaxObjects, large.MaxOpen = 10_000, 72*time.Hour
	random := rand.New(rand.NewPCG(1, 1))
	for _, order := range []string{"in time", "at once", "backwards", "shuffled", "restarted"} {
		s := newStory(t, large)
		parts := slices.Clone(all)
		switch order {
		case "backwards":
			slices.Reverse(parts)
		case "shuffled", "restarted":
			random.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		}
		traces := make(map[string]TraceID)
		take := func() {
			s.e.VisitPendingEmits(Ref{}, 10_000, func(o *Stitched) { traces[o.ID] = o.Trace })
			for slot := s.e.queues[pendingEmit].head; slot != 0; slot = s.e.queues[pendingEmit].head {
				s.e.MarkEmitted(s.now, Ref{slot, s.e.objects.at(slot).generation}, true)
			}
		}
		for i, p := range parts {
			bridge := "b"
			if p.id == "long" {
				bridge = "a"
			}
			if order == "in time" {
				s.now = noon.Add(time.Duration(p.at) * time.Second)
				s.wait(0)
				take()
			}
			if order == "restarted" && i == len(parts)/2 {
				s.e = restart(t, s.e, s.now)
			}
			before := s.e.steps
			s.inRoom(bridge, "run of "+bridge, p.id, p.phase, uint64(p.at)+1, p.at)
			require.LessOrEqual(t, s.e.steps-before, uint64(4*calls))
		}
		s.wait(options.Linger)
		take()
		require.Len(t, traces, calls+1, order)
		for id, trace := range traces {
			require.Equal(t, traceOf("long"), trace, "%s: %s", order, id)
		}
	}
}

// With more calls of a room than are compared, each is its own trace, in whatever order they
// arrive and are sent, and a call that comes when they are done is compared again. The work is
// bounded.
func TestTooManyOpenCalls(t *testing.T) {
	const calls = maxUnsettledCalls + 200
	large := options
	large.MaxObjects = 10 * maxUnsettledCalls
	for seed := range uint64(3) {
		s := newStory(t, large)
		bounded := func(f func()) {
			t.Helper()
			before := s.e.steps
			f()
			require.LessOrEqual(t, s.e.steps-before, uint64(10*maxUnsettledCalls))
		}
		record := func(n int, phase Phase, second int) {
			bounded(func() {
				bridge := strconv.Itoa(n)
				s.inRoom(bridge, "run "+bridge, guid(1, n), phase, uint64(phase)+1, second)
			})
		}
		order := rand.New(rand.NewPCG(seed, 1)).Perm(calls)
		for _, n := range order {
			record(n, Start, n)
			if seed == 1 && n%100 == 0 {
				s.e = restartLarge(t, s, large)
			}
		}
		for _, n := range order {
			record(n, End, 10_000)
		}
		s.wait(options.Linger)
		var sent []Ref
		for range calls {
			bounded(func() {
				s.e.VisitPendingEmits(Ref{}, 1, func(o *Stitched) {
					assert.Equal(t, traceOf(o.ID), o.Trace)
					sent = append(sent, o.Ref)
				})
			})
			bounded(func() { s.e.MarkEmitted(s.now, sent[len(sent)-1], true) })
		}
		require.Len(t, sent, calls)
		for n := range 2 {
			record(calls+n, Start, 20_000+n)
			record(calls+n, End, 30_000)
		}
		s.wait(options.Linger)
		for id, o := range s.out() {
			assert.Equal(t, traceOf(guid(1, calls)), o.Trace, id)
		}
	}
}

// restartLarge restarts an engine with other options.
func restartLarge(t *testing.T, s *story, o Options) *Engine {
	t.Helper()
	stored := changes(s.e)
	s.e.BeginSnapshot()
	for last := false; !last; {
		stored, last = s.e.AppendSnapshot(stored, 1<<20)
	}
	e := New(o)
	require.NoError(t, e.Load(stored))
	e.FinishLoad(s.now)
	return e
}

// TestFindGroups holds the sweep against comparing each with each.
func TestFindGroups(t *testing.T) {
	e := New(Options{MaxOpen: 1, Linger: 1, ClockTolerance: 5, MaxObjects: 10})
	random := rand.New(rand.NewPCG(5, 6))
	for range 200_000 {
		all := make([]interval, 1+random.IntN(9))
		for i := range all {
			start := int64(10 + random.IntN(40))
			all[i] = interval{slot: uint32(i), start: start, end: start + int64(random.IntN(12)), bridge: uint64(random.IntN(3))}
			if random.IntN(20) == 0 {
				all[i].end = math.MaxInt64
			}
		}
		slices.SortFunc(all, func(a, b interval) int { return int(a.start - b.start) })
		want := slices.Clone(all)
		for i := range want {
			want[i].group = i
		}
		root := func(i int) int {
			for want[i].group != i {
				i = want[i].group
			}
			return i
		}
		for i := range want {
			for j := range i {
				if e.overlap(&want[j], &want[i]) {
					a, b := root(i), root(j)
					want[max(a, b)].group = min(a, b)
				}
			}
		}
		for i := range want {
			want[i].group = root(i)
		}
		e.findGroups(all)
		require.Equal(t, want, all)
	}
}

// Of a participant's legs those count that are not done, whatever came and went
// before and in whatever order.
func TestManyLegsOfAParticipant(t *testing.T) {
	participant := textField(names.ParticipantID, "P")
	for _, openFirst := range []bool{true, false} {
		s := newStory(t, options)
		open := func() {
			s.tell("a", CallLeg, "av", Start, 5000, participant, textField(legKey("lyncSubType"), lyncAudioVideo), textField(names.CallID, "c"))
		}
		if openFirst {
			open()
		}
		for n := range 2 * maxSameHash {
			s.tell("a", CallLeg, guid(4, n), Start, n, participant, textField(names.SIPCallID, "s"))
			s.tell("a", CallLeg, guid(4, n), End, n)
			s.wait(options.Linger)
			s.out()
		}
		if !openFirst {
			open()
		}
		s.tell("a", CallLeg, "share", End, 5100, participant, textField(legKey("lyncSubType"), lyncSharing), textField(names.CallID, "c"))
		before := s.e.steps
		s.wait(options.Linger)
		assert.Equal(t, ids.Span(CallLeg.Name(), "av"), s.out()["share"].Parent, "open first: %t", openFirst)
		assert.LessOrEqual(t, s.e.steps-before, uint64(20*maxSameHash))
	}
}

// Everything that is a GUID ignores the case of its letters.
func TestCaseOfGUIDs(t *testing.T) {
	const upper, lower = "ABCDEF00-0000-4000-8000-00000000000A", "abcdef00-0000-4000-8000-00000000000a"
	s := newStory(t, options)
	s.tell("a", Call, "x", Start, 0, textField(names.CallCorrelator, upper))
	s.tell("b", Call, "y", Start, 0, textField(names.CallCorrelator, lower))
	s.tell("a", CallLeg, "av", Start, 0, textField(names.ParticipantID, upper), textField(legKey("lyncSubType"), lyncAudioVideo), textField(names.CallID, "x"))
	s.tell("a", CallLeg, "share", Start, 0, textField(names.ParticipantID, lower), textField(legKey("lyncSubType"), lyncSharing), textField(names.CallID, "x"))
	s.tell("a", CallLeg, "l", Start, 0, textField(names.CallID, upper), textField(names.SIPCallID, upper))
	s.tell("a", CallLeg, "l", Update, 1, textField(names.CallID, lower))
	s.tell("a", CallLeg, "new", Start, 2, textField(legKey("replacesSipCallId"), lower))
	for _, id := range []string{upper, lower} {
		ref, found := s.e.FindParticipant(id)
		require.True(t, found)
		stamp, _ := s.e.Stamp(ref)
		assert.Equal(t, ids.Span(CallLeg.Name(), "av"), stamp.Span)
	}
	_, err := s.e.Apply(s.now, &Record{Kind: CallLeg, ID: "of a run", Phase: Start, Time: at(0), Source: NewSource("a", upper)})
	require.NoError(t, err)
	s.e.EndSession(s.now, lower, at(1))
	for _, id := range []string{"av", "share", "l", "new"} {
		s.tell("a", CallLeg, id, End, 5)
	}
	s.tell("a", Call, "x", End, 5)
	s.tell("b", Call, "y", End, 5)
	s.wait(0)
	s.wait(options.Linger)
	all := s.out()
	assert.Equal(t, traceOf("x"), all["y"].Trace)
	assert.Equal(t, ids.Span(CallLeg.Name(), "av"), all["share"].Parent)
	assert.Equal(t, []string{lower}, all["l"].Calls)
	require.Len(t, all["new"].Links, 1)
	assert.Equal(t, all["l"].Span, all["new"].Links[0].Span)
	assert.Equal(t, BridgeRestarted, all["of a run"].Outcome)
	assert.Equal(t, fmt.Sprintf("%q", upper), field(all["x"], names.CallCorrelator), "values stay as they came")
}

// TestConferenceLaw: a conference of 500 calls, with ends that were lost and
// bridges that started anew, is the same in every order.
func TestConferenceLaw(t *testing.T) {
	const calls = 500
	large := options
	large.MaxObjects = 10 * calls
	run := func(all []happening, stop int) []string {
		e := New(large)
		for i := range all {
			if i == stop {
				e = restart(t, e, noon)
			}
			all[i].happen(t, e, noon)
		}
		return emitAll(e, noon)
	}
	for seed := range uint64(3) {
		w := newWorld(seed, 6)
		for n := range calls {
			bridge := w.IntN(6)
			if w.chance(2) {
				w.restart(bridge, 20*n)
			}
			w.call(bridge, n, 0, 20*n, 0)
		}
		w.lose(5)
		want := run(w.all, -1)
		require.Greater(t, len(want), calls*9/10)
		for range 3 {
			all := append(slices.Clone(w.all), w.all[:calls/2]...)
			w.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			require.Equal(t, want, run(all, w.IntN(len(all))), "seed %d", seed)
		}
	}
}

// A newer record may have another correlator: the call leaves its conference, and the calls that it
// leaves are as if it had never been there.
func TestCallThatChangesItsRoom(t *testing.T) {
	records := []struct {
		bridge, id string
		phase      Phase
		index      uint64
		at         int
		room       string
	}{
		{"one", "moves", Start, 1, 0, "room"},
		{"two", "stays", Start, 2, 10, "room"},
		{"two", "moves too", Start, 3, 50, "room"},
		{"one", "moves", Update, 4, 60, "another room"},
		{"two", "moves too", Update, 5, 60, "a third room"},
	}
	play := func(sequence []int) map[string]string {
		s := newStory(t, options)
		for _, i := range sequence {
			r := records[i]
			_, err := s.e.Apply(s.now, &Record{
				Kind: Call, ID: r.id, Phase: r.phase, Time: at(r.at), Index: r.index,
				Fields: []Field{textField(names.CallCorrelator, r.room)}, Source: NewSource(r.bridge, "session of "+r.bridge).OnBridge(MaxRank, r.bridge),
			})
			require.NoError(t, err)
		}
		s.wait(removalDelay)
		s.wait(2 * options.MaxOpen)
		s.wait(options.Linger)
		got := make(map[string]string)
		for id, o := range s.out() {
			got[id] = fmt.Sprintf("%s %x", o.Outcome, o.Trace)
		}
		return got
	}
	want := play([]int{3, 4, 0, 1, 2})
	for id, o := range want {
		assert.Contains(t, o, "expired", id)
	}
	for _, sequence := range [][]int{{0, 1, 2, 3, 4}, {1, 2, 0, 4, 3}, {2, 1, 0, 3, 4}, {0, 1, 3, 2, 4}} {
		assert.Equal(t, want, play(sequence), "order %v", sequence)
	}
}
