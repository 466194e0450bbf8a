// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

// TestCallEnded: what is open in a call ends with it, at its end.
func TestCallEnded(t *testing.T) {
	in := textField(names.CallID, "c")
	f := func(name string, want map[string]string, tell func(s *story)) {
		t.Helper()
		s := newStory(t, options)
		tell(s)
		s.wait(0)
		s.wait(options.Linger)
		got := make(map[string]string)
		for id, o := range s.out() {
			got[id] = fmt.Sprint(o.Outcome, " ", clock(o.Start), "-", clock(o.End))
		}
		for id, text := range want {
			assert.Equal(t, text, got[id], "%s: %s", name, id)
		}
		assert.Len(t, got, len(want), name)
		s.wait(options.MaxOpen)
		s.wait(options.Linger)
		s.out()
		s.wait(2 * options.MaxOpen)
		requireEmpty(t, s.e)
	}
	everything := map[string]string{
		"c": "complete 12:00:00-13:00:00", "l": "call_ended 12:00:01-13:00:00",
		"r": "call_ended 12:00:02-13:00:00", "s": "call_ended 12:00:03-13:00:00",
	}
	f("the ends were lost", everything, func(s *story) {
		s.tell("a", Call, "c", Start, 0)
		s.tell("a", CallLeg, "l", Start, 1, in)
		s.tell("a", Recording, "r", Start, 2, in)
		s.tell("a", Streaming, "s", Start, 3, in)
		s.tell("a", Call, "c", End, 3600)
	})
	f("the call's end comes first", everything, func(s *story) {
		s.tell("a", Call, "c", End, 3600)
		s.tell("a", Streaming, "s", Start, 3, in)
		s.tell("a", Recording, "r", Start, 2, in)
		s.tell("a", CallLeg, "l", Start, 1, in)
		s.tell("a", Call, "c", Start, 0)
	})
	f("a restart before it is followed", everything, func(s *story) {
		s.tell("a", Call, "c", Start, 0)
		s.tell("a", CallLeg, "l", Start, 1, in)
		s.tell("a", Recording, "r", Start, 2, in)
		s.tell("a", Streaming, "s", Start, 3, in)
		s.tell("a", Call, "c", End, 3600)
		s.e = restart(s.T, s.e, s.now)
		s.wait(graceFirst)
	})
	f("its own end counts", map[string]string{"c": "complete 12:00:00-13:00:00", "l": "complete 12:00:01-12:59:59"}, func(s *story) {
		s.tell("a", Call, "c", Start, 0)
		s.tell("a", CallLeg, "l", Start, 1, in)
		s.tell("a", Call, "c", End, 3600)
		s.wait(time.Second)
		s.tell("a", CallLeg, "l", End, 3599)
	})
	f("the leg had gone to another call", map[string]string{"c": "complete 12:00:00-13:00:00"}, func(s *story) {
		s.tell("a", Call, "c", Start, 0)
		s.tell("a", CallLeg, "l", Start, 1, in)
		s.tell("a", Call, "c", End, 3600)
		s.wait(time.Second) // it has ended by then
		s.tell("a", CallLeg, "l", Update, 3500, textField(names.CallID, "d"))
	})
	f("two calls end", map[string]string{
		"c": "complete 12:00:00-13:00:00", "d": "partial 13:20:00-13:20:00", "l": "call_ended 12:00:01-13:20:00",
	}, func(s *story) {
		s.tell("a", Call, "c", Start, 0)
		s.tell("a", CallLeg, "l", Start, 1, in)
		s.tell("a", Call, "c", End, 3600)
		s.wait(time.Second)
		s.tell("a", CallLeg, "l", Update, 3500, textField(names.CallID, "d"))
		s.tell("a", Call, "d", End, 4800)
		s.wait(options.Linger)
	})
	f("no start, no end", map[string]string{"c": "partial 13:00:00-13:00:00", "l": "call_ended 12:00:01-13:00:00"}, func(s *story) {
		s.tell("a", CallLeg, "l", Update, 1, in)
		s.tell("a", Call, "c", End, 3600)
	})
}

// TestPendingCallEnded: a stitched record that was sent once does not change.
func TestPendingCallEnded(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", CallLeg, "l", Start, 0, textField(names.CallID, "c"))
	s.tell("a", Call, "c", End, 60)
	s.wait(0)
	s.wait(options.Linger)
	look := func() (all []string) {
		s.e.VisitPendingEmits(Ref{}, 10, func(o *Stitched) { all = append(all, describe(o)) })
		return all
	}
	before := look()
	require.Len(t, before, 2)
	s.e.EndSession(s.now, "session of a", at(100))
	s.e = restart(t, s.e, s.now)
	assert.ElementsMatch(t, before, look())
	s.out()
	assert.EqualValues(t, 1, s.e.Stats().Emitted[CallLeg][CallEnded])
}

// TestManyLegsOfACall: however many legs are open in a call, its end is one
// bounded piece of work.
func TestManyLegsOfACall(t *testing.T) {
	const legs = 5000
	large := options
	large.MaxObjects = 2 * legs
	s := newStory(t, large)
	for n := range legs {
		s.tell("a", CallLeg, guid(4, n), Start, 1, textField(names.CallID, "c"))
	}
	before := s.e.steps
	s.tell("a", Call, "c", End, 60)
	assert.LessOrEqual(t, s.e.steps-before, uint64(2*followUpsPerRecord))
	s.wait(0)
	s.wait(options.Linger)
	assert.Equal(t, legs+1, s.e.CountPendingEmits())
}

// TestSessionHeals: a session that was declared over and is heard of again is
// alive, and so is what was open in it.
func TestSessionHeals(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", CallLeg, "before", Start, 0)
	s.e.EndSession(s.now, "session of a", at(10))
	s.wait(time.Second)
	assert.Zero(t, s.e.Stats().ResumedSessions)
	s.tell("a", CallLeg, "late", Start, 9) // it was on the way
	s.wait(time.Second)
	assert.Len(t, queue(s.e, endedIndirectly), 2)
	s.tell("a", CallLeg, "after", Start, 11)
	s.wait(0)
	assert.EqualValues(t, 1, s.e.Stats().ResumedSessions)
	assert.Len(t, queue(s.e, open), 3)
	s.e = restart(t, s.e, s.now)
	assert.Len(t, queue(s.e, open), 3)
	s.wait(time.Hour)
	for _, id := range []string{"before", "late", "after"} {
		s.tell("a", CallLeg, id, End, 3600)
	}
	s.e.EndSession(s.now, "session of a", at(10)) // the same again
	s.wait(options.Linger)
	for id, o := range s.out() {
		assert.Equal(t, Complete, o.Outcome, id)
	}
	s.tell("a", CallLeg, "more", Start, 3700)
	s.e.EndSession(s.now, "session of a", at(5000))
	s.wait(0)
	s.wait(options.Linger)
	assert.Equal(t, BridgeRestarted, s.out()["more"].Outcome, "it may still end")
}

// TestWronglyEndedForDays: after one wrong end of a session, all that comes
// later is what it is.
func TestWronglyEndedForDays(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", Call, "first", Start, 0)
	s.e.EndSession(s.now, "session of a", at(0))
	for hour := range 14 * 24 {
		s.tell("a", CallLeg, strconv.Itoa(hour), Start, 3600*hour+1)
		s.wait(time.Minute)
		s.tell("a", CallLeg, strconv.Itoa(hour), Update, 3600*hour+60)
		s.wait(58 * time.Minute)
		s.tell("a", CallLeg, strconv.Itoa(hour), End, 3600*hour+3540)
		s.wait(time.Minute)
		for id, o := range s.out() {
			if id != "first" {
				assert.Equal(t, Complete, o.Outcome)
			}
		}
	}
	assert.Zero(t, s.e.Stats().Late)
	assert.EqualValues(t, 14*24, s.e.Stats().Emitted[CallLeg][Complete])
}

// A record that comes too late for its object still says that its session is
// alive.
func TestLateRecordHeals(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", CallLeg, "gone", Start, 0)
	s.tell("a", CallLeg, "gone", End, 1)
	s.wait(options.Linger)
	s.out()
	s.tell("a", CallLeg, "open", Start, 2)
	s.e.EndSession(s.now, "session of a", at(10))
	s.wait(0)
	s.tell("a", CallLeg, "gone", Update, 11)
	s.wait(time.Hour)
	assert.EqualValues(t, 1, s.e.Stats().Late)
	assert.Empty(t, s.out())
}

// TestManyObjectsOfASession: neither the end of a session nor its being alive is
// more than a bounded piece of work.
func TestManyObjectsOfASession(t *testing.T) {
	const legs = 5000
	large := options
	large.MaxObjects = 2 * legs
	s := newStory(t, large)
	for n := range legs {
		s.tell("a", CallLeg, guid(4, n), Start, 1)
	}
	bounded := func(what func()) {
		t.Helper()
		before := s.e.steps
		what()
		assert.LessOrEqual(t, s.e.steps-before, uint64(objectsPerAdvance))
	}
	bounded(func() { s.e.EndSession(s.now, "session of a", at(10)) })
	for more := true; more; {
		bounded(func() { more = s.e.Advance(s.now) })
	}
	assert.Len(t, queue(s.e, endedIndirectly), legs)
	bounded(func() { s.tell("a", CallLeg, guid(4, 0), Update, 11) })
	for more := true; more; {
		bounded(func() { more = s.e.Advance(s.now) })
	}
	assert.Len(t, queue(s.e, open), legs)
}

// queue lists the objects in a state.
func queue(e *Engine, of state) (slots []uint32) {
	for slot := e.queues[of].head; slot != 0; slot = e.objects.at(slot).queue.next {
		slots = append(slots, slot)
	}
	return slots
}

// TestGrace: a stop that lasted longer than MaxOpen does not end what is open
// before what its senders kept comes in.
func TestGrace(t *testing.T) {
	stopped := func() *story {
		s := newStory(t, options)
		for n := range 100 {
			s.tell("a", CallLeg, guid(4, n), Start, n)
		}
		stored := changes(s.e)
		s.now = s.now.Add(options.MaxOpen + time.Hour)
		s.e = restore(t, s.now, stored)
		return s
	}
	s := stopped()
	for n := range 100 {
		s.wait(50 * time.Second)
		if n < 60 {
			s.tell("a", CallLeg, guid(4, n), End, 3600+n)
		}
	}
	s.wait(0)
	s.wait(options.Linger)
	outcomes := make(map[Outcome]int)
	for _, o := range s.out() {
		outcomes[o.Outcome]++
	}
	assert.Equal(t, map[Outcome]int{Complete: 60, Expired: 40}, outcomes)
	assert.Zero(t, s.e.Stats().Late)

	s = stopped()
	s.wait(graceFirst - 1)
	s.wait(options.Linger - 1)
	assert.Empty(t, s.out(), "the first records may take that long")
	s.wait(1)
	s.wait(options.Linger)
	assert.Len(t, s.out(), 100, "none came")

	s = stopped()
	for range 200 { // a sender with a clock that is behind
		s.wait(50 * time.Second)
		s.tell("a", CallLeg, "other", Update, 5)
	}
	assert.Len(t, s.out(), 100, "the grace is bounded")
}
