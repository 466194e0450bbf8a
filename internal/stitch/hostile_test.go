// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"fmt"
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

// TestAlwaysFull: an engine that is full all the time, with late records of what
// it has to forget to make room.
func TestAlwaysFull(t *testing.T) {
	limited := options
	limited.MaxObjects = 50
	for seed := range uint64(5) {
		w := newWorld(seed, 1)
		e := New(limited)
		now := noon
		for n := range 10_000 {
			now = now.Add(time.Second)
			r := Record{
				Kind: CallLeg, ID: guid(4, n/4+w.IntN(40)), Phase: Phase(w.IntN(3)), Time: at(n), Index: uint64(n), Source: NewSource("r", "s"),
				Fields: []Field{textField("x", strings.Repeat("x", w.IntN(60)))},
			}
			if w.chance(30) {
				r.Fields = append(r.Fields, textField(names.CallID, guid(1, n/10+w.IntN(10))))
			}
			if _, err := e.Apply(now, &r); err != nil {
				require.ErrorIs(t, err, ErrFull)
			}
			advance(e, now)
			emit(e, now)
			require.LessOrEqual(t, e.objects.used(), limited.MaxObjects)
		}
		finish(t, e, now)
	}
}

// TestManyUpdates: an object that has no room for more still ends, and says why.
func TestManyUpdates(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", CallLeg, "l", Start, 0)
	for n := range 10_000 {
		before := s.e.steps
		s.tell("a", CallLeg, "l", Update, n, textField(names.CallID, "c"), Field{legKey("deactivated"), Bool(n%2 == 0)})
		assert.LessOrEqual(t, s.e.steps-before, uint64(4*maxHistory))
	}
	s.tell("a", CallLeg, "l", End, 10_000, textField(legKey("reason"), "timeout"))
	s.wait(options.Linger)
	o := s.out()["l"]
	assert.Equal(t, Complete, o.Outcome)
	assert.Equal(t, at(10_000), o.End)
	assert.Equal(t, "timeout", o.ErrorType)
	assert.Positive(t, s.e.Stats().Dropped)
}

// TestLargeStartAndEnd: neither takes the other's place, whichever comes first.
func TestLargeStartAndEnd(t *testing.T) {
	large := func(prefix string) (fields []Field) {
		for n := range 10 {
			fields = append(fields, textField(fmt.Sprint(prefix, n), strings.Repeat("x", maxText)))
		}
		return fields
	}
	for _, order := range [][2]Phase{{Start, End}, {End, Start}} {
		s := newStory(t, options)
		for _, phase := range order {
			s.tell("a", CallLeg, "l", phase, int(phase)*30, large(fmt.Sprint("of ", phase, " "))...)
		}
		s.wait(options.Linger)
		o := s.out()["l"]
		assert.Equal(t, Complete, o.Outcome)
		assert.EqualValues(t, time.Minute, o.End-o.Start)
	}
}

// TestSharingLegs: a sharing leg is in the trace of the leg it belongs to, not
// in that of another meeting the participant went on to.
func TestSharingLegs(t *testing.T) {
	participant := textField(names.ParticipantID, "p")
	leg := func(what string, fields ...Field) []Field {
		return append(fields, participant, textField(legKey("lyncSubType"), what))
	}
	s := newStory(t, options)
	s.tell("a", CallLeg, "first", Start, 0, leg(lyncAudioVideo, textField(names.CallID, "c"))...)
	s.tell("a", CallLeg, "share", Start, 10, leg(lyncSharing, textField(names.CallID, "c"))...)
	s.tell("a", CallLeg, "second", Start, 20, leg(lyncAudioVideo, textField(names.CallID, "d"))...)
	for _, id := range []string{"first", "share", "second"} {
		s.tell("a", CallLeg, id, End, 30)
	}
	s.wait(options.Linger)
	all := s.out()
	assert.Equal(t, ids.Span(CallLeg.Name(), "first"), all["share"].Parent)
	assert.Equal(t, traceOf("c"), all["share"].Trace)

	s = newStory(t, options)
	s.tell("a", CallLeg, "share", End, 10, leg(lyncSharing)...)
	s.tell("a", CallLeg, "av", End, 10, leg(lyncAudioVideo, textField(names.CallID, "c"))...)
	s.wait(options.Linger)
	all = s.out()
	assert.Equal(t, ids.Span(CallLeg.Name(), "av"), all["share"].Parent, "which never got a call")
	assert.Equal(t, traceOf("c"), all["share"].Trace)
}

// TestRecordsWithoutIndex: of two records that cannot be distinguished one stands,
// the same whichever comes first.
func TestRecordsWithoutIndex(t *testing.T) {
	update := func(call Value) happening {
		return happening{
			record: Record{Kind: CallLeg, ID: "l", Phase: Update, Time: at(1), Fields: []Field{{names.CallID, call}}},
			source: [2]string{"r", "s"},
		}
	}
	for _, other := range []Value{Text(guid(1, 2)), Text(""), Int(5)} {
		one, two := update(Text(guid(1, 1))), update(other)
		assert.Equal(t, play(t, []happening{one, two}), play(t, []happening{two, one}))
	}
}

// TestLostTables: what was stored with numbers whose meaning is lost is left
// out, not read with those of the process before.
func TestLostTables(t *testing.T) {
	s := newStory(t, options)
	s.tell("one", CallLeg, "l", Start, 0, textField("alpha", "1"), textField("beta", "2"))
	former := changes(s.e)

	s.e, s.now = New(options), s.now.Add(time.Second)
	s.tell("two", CallLeg, "m", Start, 0, textField("beta", "x"), textField("alpha", "y"))
	require.NotEmpty(t, changes(s.e), "with the tables; it is lost")
	s.tell("two", CallLeg, "n", End, 0, textField("beta", "this is beta"), textField("alpha", "this is alpha"))
	s.e = restore(t, s.now, former, changes(s.e))
	s.wait(options.Linger)
	o := s.out()["n"]
	assert.Empty(t, field(o, "alpha"))
	assert.Empty(t, field(o, "beta"))
	assert.Empty(t, o.Resource)
}

// TestPendingDoNotChange: a stitched record that was sent once is the same when it is
// sent again, whatever becomes of its session and of the clock meanwhile.
func TestPendingDoNotChange(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", CallLeg, "l", Start, 0)
	s.wait(options.MaxOpen)
	s.wait(options.Linger)
	look := func() (all []string) {
		s.e.VisitPendingEmits(Ref{}, 10, func(o *Stitched) { all = append(all, describe(o)) })
		return all
	}
	before := look()
	require.Len(t, before, 1)
	s.e.EndSession(s.now, "session of a", at(1000))
	assert.Equal(t, before, look())
	s.e = restart(t, s.e, noon)
	assert.Equal(t, before, look())
}

// The end of a session is known for as long as something has it.
func TestSessionIsOverForGood(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", CallLeg, "l", Start, 0)
	s.e.EndSession(s.now, "session of a", at(1000))
	s.wait(0)
	s.wait(options.MaxOpen + time.Hour)
	s.e = restart(t, s.e, s.now)
	assert.Equal(t, BridgeRestarted, s.out()["l"].Outcome)
}

// Without a journal nothing is kept for one.
func TestNotStored(t *testing.T) {
	forgetful := options
	forgetful.Stored = false
	s := newStory(t, forgetful)
	for n := range 3000 {
		s.tell(fmt.Sprint("bridge ", n), CallLeg, guid(4, n), End, n)
		s.e.EndSession(s.now, fmt.Sprint("session ", n), at(n))
		s.wait(options.Linger)
		s.out()
	}
	assert.False(t, s.e.HasChanges())
	assert.Zero(t, len(s.e.journal.changed)+len(s.e.journal.forgotten)+len(s.e.resources.unwritten)+len(s.e.sessions.dirty))
}

func TestLongSession(t *testing.T) {
	s := newStory(t, options)
	long := strings.Repeat("s", 1<<20)
	_, err := s.e.Apply(noon, &Record{Kind: CallLeg, ID: "l", Phase: Start, Time: at(0), Source: NewSource("r", long)})
	require.NoError(t, err)
	for text := range s.e.sessions.slotOf {
		assert.LessOrEqual(t, len(text), maxSession)
	}
	s.e.EndSession(noon, long, at(1))
	s.wait(0)
	s.wait(options.Linger)
	assert.Equal(t, BridgeRestarted, s.out()["l"].Outcome)
}

// TestLongHistory: of more updates than the history has room for the same are
// kept in every order, with duplicates and a restart.
func TestLongHistory(t *testing.T) {
	var all []happening
	for n := range 3 * maxHistory {
		phase := Update
		switch n {
		case 0:
			phase = Start
		case 3*maxHistory - 1:
			phase = End
		}
		fields := []Field{textField(names.CallID, guid(1, n)), {legKey("deactivated"), Bool(n%2 == 0)}, textField(legKey("displayName"), strconv.Itoa(n))}
		if n%3 == 0 {
			fields = fields[2:]
		}
		all = append(all, happening{
			record: Record{Kind: CallLeg, ID: "l", Phase: phase, Time: at(n), Index: uint64(n), Fields: fields}, source: [2]string{"r", "s"},
		})
	}
	large := options
	large.MaxObjects = 10_000
	run := func(all []happening, stop int) (leg string) {
		e := New(large)
		for i := range all {
			if i == stop {
				e = restart(t, e, noon)
			}
			all[i].happen(t, e, noon)
		}
		advance(e, noon.Add(options.Linger))
		e.VisitPendingEmits(Ref{}, 1, func(s *Stitched) {
			assert.Len(t, s.Calls, maxHistory)
			leg = describe(s)
		})
		return leg
	}
	want := run(all, -1)
	require.NotEmpty(t, want)
	w := newWorld(1, 1)
	for range 5 {
		again := append(slices.Clone(all), all[:maxHistory]...)
		w.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		require.Equal(t, want, run(again, w.IntN(len(again))))
	}
}

// TestFullOfHeldCalls: when everything that is done holds something, making room
// does not look at all of it.
func TestFullOfHeldCalls(t *testing.T) {
	const calls = 4000
	limited := options
	limited.MaxObjects = 2 * calls
	s := newStory(t, limited)
	for n := range calls {
		s.tell("a", CallLeg, guid(4, n), Start, 0, textField(names.CallID, guid(1, n)))
		s.tell("a", CallLeg, guid(4, n), Update, 1, textField(names.CallID, guid(1, n)))
	}
	s.evictCalls(calls)
	for range 5 {
		s.out()
	}
	require.Len(t, queue(s.e, emittedWithMembers), calls)
	before := s.e.steps
	_, err := s.try("a", CallLeg, "more", Start, 0)
	require.ErrorIs(t, err, ErrFull)
	assert.LessOrEqual(t, s.e.steps-before, uint64(10*evictionBatch))
}
