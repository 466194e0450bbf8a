// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/names"
)

// story is an engine that gets records in order.
type story struct {
	*testing.T
	e     *Engine
	index uint64
	now   time.Time
}

func newStory(t *testing.T, o Options) *story {
	t.Helper()
	return &story{T: t, e: New(o), now: noon}
}

// tell applies a record of a bridge.
func (s *story) tell(bridge string, kind Kind, id string, phase Phase, seconds int, fields ...Field) Ref {
	s.Helper()
	ref, err := s.try(bridge, kind, id, phase, seconds, fields...)
	require.NoError(s, err)
	return ref
}

func (s *story) try(bridge string, kind Kind, id string, phase Phase, seconds int, fields ...Field) (Ref, error) {
	s.index++
	return s.e.Apply(s.now, &Record{
		Kind: kind, ID: id, Phase: phase, Time: at(seconds), Index: s.index, Fields: fields, Source: NewSource(bridge, "session of "+bridge),
	})
}

// call tells of a whole call, with one leg in it.
func (s *story) call(bridge, id, correlator string, start, end int) {
	s.Helper()
	s.tell(bridge, Call, id, Start, start, textField(names.CallCorrelator, correlator))
	s.tell(bridge, CallLeg, "leg of "+id, Start, start, textField(names.CallID, id))
	s.tell(bridge, CallLeg, "leg of "+id, End, end)
	s.tell(bridge, Call, id, End, end)
}

// wait lets time pass.
func (s *story) wait(d time.Duration) {
	s.now = s.now.Add(d)
	advance(s.e, s.now)
}

// out takes the pending stitched records, by id.
func (s *story) out() map[string]Stitched {
	s.Helper()
	all := make(map[string]Stitched)
	s.e.VisitPendingEmits(Ref{}, 1000, func(o *Stitched) {
		id := o.ID
		if o.Kind == ScheduledMeeting { // which has the id of its call
			id = "meeting of " + id
		}
		require.NotContains(s, all, id, "twice")
		kept := *o
		kept.Fields, kept.Links, kept.Calls = append([]Field(nil), o.Fields...), append([]Link(nil), o.Links...), append([]string(nil), o.Calls...)
		all[id] = kept
	})
	for _, o := range all {
		s.e.MarkEmitted(s.now, o.Ref, true)
	}
	return all
}

func (s *story) traces() map[string]TraceID {
	s.Helper()
	s.wait(options.Linger)
	traces := make(map[string]TraceID)
	for id, o := range s.out() {
		traces[id] = o.Trace
	}
	return traces
}

func traceOf(call string) TraceID { return ids.Trace(Call.Name(), call) }

func field(o Stitched, key string) string {
	for _, f := range o.Fields {
		if f.Key == key {
			return show(f.Value)
		}
	}
	return ""
}

// TestConferences: which calls of one correlator are one meeting.
func TestConferences(t *testing.T) {
	type call struct {
		bridge, id string
		start, end int
	}
	f := func(name, want string, calls ...call) {
		t.Helper()
		s := newStory(t, options)
		for _, c := range calls {
			s.call(c.bridge, c.id, "room", c.start, c.end)
		}
		traces := s.traces()
		for pair := range strings.FieldsSeq(want) {
			id, founder, _ := strings.Cut(pair, ":")
			assert.Equal(t, traceOf(founder), traces[id], "%s: trace of %s", name, id)
			assert.Equal(t, traceOf(founder), traces["leg of "+id], "%s: trace of the leg of %s", name, id)
		}
	}
	f("one", "x:x", call{"a", "x", 0, 10})
	f("two bridges", "x:x y:x", call{"a", "x", 0, 100}, call{"b", "y", 50, 120})
	f("the earliest founds, whichever is first reported", "x:y y:y", call{"a", "x", 50, 120}, call{"b", "y", 0, 100})
	f("of equal starts the smallest id", "x:a a:a", call{"a", "x", 0, 100}, call{"b", "a", 0, 100})
	f("one after the other on a bridge", "x:x y:y", call{"a", "x", 0, 10}, call{"a", "y", 11, 20})
	f("within the same second on a bridge", "x:x y:y", call{"a", "x", 0, 10}, call{"a", "y", 10, 20})
	f("one after the other on two bridges", "x:x y:y", call{"a", "x", 0, 10}, call{"b", "y", 16, 20})
	f("clocks differ", "x:x y:x", call{"a", "x", 0, 10}, call{"b", "y", 15, 20})
	f("held together by a third", "x:x y:x z:x", call{"a", "x", 0, 10}, call{"a", "y", 40, 60}, call{"b", "z", 5, 50})
	f("in a chain", "x:x y:x z:x", call{"a", "x", 0, 20}, call{"b", "y", 15, 40}, call{"c", "z", 38, 50})
	f("two meetings of two bridges", "x:x y:x v:v w:v",
		call{"a", "x", 0, 100}, call{"b", "y", 10, 90}, call{"a", "v", 200, 300}, call{"b", "w", 210, 290})
	f("within another", "x:x y:x", call{"a", "x", 0, 1000}, call{"b", "y", 300, 400})
}

func TestOtherCorrelatorsAreOtherConferences(t *testing.T) {
	s := newStory(t, options)
	s.call("a", "x", "room 1", 0, 100)
	s.call("b", "y", "room 2", 0, 100)
	s.call("c", "z", "", 0, 100)
	s.call("d", "v", "", 0, 100)
	traces := s.traces()
	for _, id := range []string{"x", "y", "z", "v"} {
		assert.Equal(t, traceOf(id), traces[id], id)
	}
}

// A call whose end got lost does not swallow the later meetings of its room.
func TestLostEndOfCall(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", Call, "lost", Start, 0, textField(names.CallCorrelator, "room"))
	s.call("a", "next", "room", 1000, 2000)
	s.call("b", "other", "room", 1100, 1900)
	assert.Equal(t, map[string]TraceID{
		"next": traceOf("next"), "leg of next": traceOf("next"), "other": traceOf("next"), "leg of other": traceOf("next"),
	}, s.traces())
}

// What was emitted cannot be changed: a call that turns out to be older joins
// the trace that the conference had.
func TestTraceIsFrozen(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", Call, "later", Start, 50, textField(names.CallCorrelator, "room"))
	s.tell("a", CallLeg, "l", Start, 50, textField(names.CallID, "later"))
	s.tell("a", CallLeg, "l", End, 60)
	s.wait(options.Linger)
	assert.Equal(t, traceOf("later"), s.out()["l"].Trace)

	s.e = restart(t, s.e, s.now)
	ref := s.tell("b", Call, "earlier", Start, 0, textField(names.CallCorrelator, "room"))
	stamp, ok := s.e.Stamp(ref)
	require.True(t, ok)
	assert.Equal(t, traceOf("later"), stamp.Trace)
	s.tell("a", Call, "later", End, 100)
	s.tell("b", Call, "earlier", End, 100)
	s.wait(options.Linger)
	all := s.out()
	assert.Equal(t, traceOf("later"), all["earlier"].Trace)
	assert.Equal(t, ids.Span(Call.Name(), "later"), all["earlier"].Parent)
	assert.Zero(t, all["later"].Parent)
}

func TestStampsAreWhatIsKnown(t *testing.T) {
	s := newStory(t, options)
	ref := s.tell("a", CallLeg, "l", Start, 0)
	stamp, _ := s.e.Stamp(ref)
	assert.Equal(t, ids.Trace(CallLeg.Name(), "l"), stamp.Trace, "no call yet")
	assert.Empty(t, stamp.Context)

	s.tell("a", CallLeg, "l", Update, 1, textField(names.CallID, "c"))
	stamp, _ = s.e.Stamp(ref)
	assert.Equal(t, traceOf("c"), stamp.Trace)
	assert.Equal(t, []Field{textField(names.CallID, "c")}, stamp.Context)

	s.tell("a", Call, "c", Start, 1, textField(callKey("name"), "weekly"), textField(names.CoSpaceID, guid(9, 9)), textField(callKey("ownerName"), "no context"))
	stamp, _ = s.e.Stamp(ref)
	assert.Equal(t, []Field{
		textField(names.CallID, "c"), textField(callKey("name"), "weekly"), textField(names.CoSpaceID, guid(9, 9)),
	}, stamp.Context)
	assert.Equal(t, ids.Span(CallLeg.Name(), "l"), stamp.Span)
}

func TestOutcomes(t *testing.T) {
	f := func(name string, want Outcome, start, end int, tell func(s *story)) {
		t.Helper()
		s := newStory(t, options)
		tell(s)
		s.wait(0)
		s.wait(options.Linger)
		o, found := s.out()["l"]
		if !found {
			s.wait(options.MaxOpen)
			s.wait(options.Linger)
			o, found = s.out()["l"]
		}
		require.True(t, found, name)
		assert.Equal(t, want, o.Outcome, name)
		assert.Equal(t, clock(at(start)), clock(o.Start), "%s: start", name)
		assert.Equal(t, clock(at(end)), clock(o.End), "%s: end", name)
		s.wait(3 * options.MaxOpen)
		assert.Empty(t, s.out(), "%s: emitted again", name)
		requireEmpty(t, s.e)
	}
	duration := func(seconds float64) Field { return Field{legKey("durationSeconds"), Double(seconds)} }
	f("complete", Complete, 0, 10, func(s *story) {
		s.tell("a", CallLeg, "l", Start, 0)
		s.tell("a", CallLeg, "l", End, 10, duration(4))
	})
	f("no start: the duration tells", Partial, 6, 10, func(s *story) { s.tell("a", CallLeg, "l", End, 10, duration(4)) })
	f("nor a duration", Partial, 10, 10, func(s *story) { s.tell("a", CallLeg, "l", End, 10) })
	f("no end", Expired, 0, 5, func(s *story) {
		s.tell("a", CallLeg, "l", Start, 0)
		s.tell("a", CallLeg, "l", Update, 5)
	})
	f("the bridge restarts", BridgeRestarted, 0, 5, func(s *story) {
		s.tell("a", CallLeg, "l", Start, 0)
		s.tell("a", CallLeg, "l", Update, 5)
		s.tell("a", CallLeg, "other", Update, 50)
		s.e.EndSession(s.now, "session of a", at(1000))
		s.e.EndSession(s.now, "session of a", at(1000))
	})
	f("its end comes late", Complete, 0, 10, func(s *story) {
		s.tell("a", CallLeg, "l", Start, 0)
		s.e.EndSession(s.now, "session of a", at(1000))
		s.wait(time.Second)
		s.tell("a", CallLeg, "l", End, 10)
	})
	f("reported after the restart", BridgeRestarted, 0, 0, func(s *story) {
		s.e.EndSession(s.now, "session of a", at(1000))
		s.tell("a", CallLeg, "l", Start, 0)
	})
	f("another bridge restarts", Complete, 0, 10, func(s *story) {
		s.tell("a", CallLeg, "l", Start, 0)
		s.tell("b", CallLeg, "other", Start, 0)
		s.e.EndSession(s.now, "session of b", at(1000))
		s.wait(time.Hour)
		s.tell("a", CallLeg, "l", End, 10)
	})
	f("the clock was set back", Complete, 3, 7, func(s *story) {
		s.tell("a", CallLeg, "l", Start, 100)
		s.tell("a", CallLeg, "l", End, 7, duration(4))
	})
	f("and the duration is unknown", Complete, 7, 7, func(s *story) {
		s.tell("a", CallLeg, "l", Start, 100)
		s.tell("a", CallLeg, "l", End, 7)
	})
	f("a duration beyond all time", Partial, -int(noon.Unix()), 10, func(s *story) { s.tell("a", CallLeg, "l", End, 10, duration(1e300)) })
}

// A call that is only known because its legs name it ends like others.
func TestCallWithoutRecords(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", CallLeg, "l", Start, 10, textField(names.CallID, "c"))
	s.tell("a", CallLeg, "l", Update, 30, textField(names.CallID, "c"))
	s.tell("a", CallLeg, "l", End, 40)
	s.wait(options.Linger)
	assert.Equal(t, ids.Span(Call.Name(), "c"), s.out()["l"].Parent)
	s.e = restart(t, s.e, s.now)
	s.e.EndSession(s.now, "session of a", at(1000))
	s.wait(0)
	s.wait(graceFirst)
	c := s.out()["c"]
	assert.Equal(t, BridgeRestarted, c.Outcome)
	assert.Equal(t, "a", c.Resource)
	assert.Equal(t, []string{clock(at(10)), clock(at(30))}, []string{clock(c.Start), clock(c.End)})
}

func TestEmittedOnce(t *testing.T) {
	s := newStory(t, options)
	s.call("a", "c", "room", 0, 10)
	s.wait(options.Linger - 1)
	assert.Empty(t, s.out(), "it lingers")
	next, ok := s.e.Next()
	require.True(t, ok)
	assert.Equal(t, noon.Add(options.Linger), next.UTC())
	s.wait(1)

	var first, again []string
	var refs []Ref
	s.e.VisitPendingEmits(Ref{}, 10, func(o *Stitched) { first, refs = append(first, describe(o)), append(refs, o.Ref) })
	s.e.VisitPendingEmits(Ref{}, 10, func(o *Stitched) { again = append(again, describe(o)) })
	assert.Len(t, first, 2)
	assert.Equal(t, first, again, "what was refused is sent again as it was")
	var second []string
	assert.Equal(t, 1, s.e.VisitPendingEmits(refs[0], 10, func(o *Stitched) { second = append(second, describe(o)) }))
	assert.Equal(t, first[1:], second)
	s.tell("a", CallLeg, "leg of c", End, 10, textField("too", "late"))
	again = nil
	s.e.VisitPendingEmits(Ref{}, 10, func(o *Stitched) { again = append(again, describe(o)) })
	assert.Equal(t, first, again)

	assert.Equal(t, 2, s.e.CountPendingEmits())
	assert.Zero(t, s.e.VisitPendingEmits(refs[1], 10, nil), "there is none after the last")
	assert.Len(t, s.out(), 2)
	assert.Empty(t, s.out())
	assert.Zero(t, s.e.CountPendingEmits())
	assert.Zero(t, s.e.VisitPendingEmits(refs[0], 10, nil), "it is no longer pending")
	s.call("a", "c", "room", 0, 10)
	s.wait(options.Linger)
	assert.Empty(t, s.out(), "late records make no second span")
	assert.EqualValues(t, 5, s.e.Stats().Late)
	stamp, ok := s.e.Stamp(s.tell("a", CallLeg, "leg of c", Update, 5))
	require.True(t, ok)
	assert.Equal(t, traceOf("c"), stamp.Trace, "but are stamped")
}

func TestRejected(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", CallLeg, "l", End, 0)
	s.wait(options.Linger)
	s.e.VisitPendingEmits(Ref{}, 1, func(o *Stitched) { s.e.MarkEmitted(s.now, o.Ref, false) })
	assert.EqualValues(t, 1, s.e.Stats().Rejected)
	assert.Empty(t, s.out())
	assert.Zero(t, s.e.Stats().Emitted)
}

func TestLegFacts(t *testing.T) {
	s := newStory(t, options)
	deactivated := func(b bool) Field { return Field{legKey("deactivated"), Bool(b)} }
	s.tell("a", CallLeg, "l", Start, 0, textField(legKey("direction"), "incoming"), textField(legKey("ivr"), ""))
	s.tell("a", CallLeg, "l", Update, 2, textField(legKey("state"), "connected"), textField(legKey("ivr"), ""), deactivated(false))
	s.tell("a", CallLeg, "l", Update, 10, textField(names.CallID, "x"), deactivated(true))
	s.tell("a", CallLeg, "l", Update, 25, textField(names.CallID, "x"), deactivated(false))
	s.tell("a", CallLeg, "l", Update, 40, textField(names.CallID, "y"))
	s.tell("a", CallLeg, "l", End, 100, textField(legKey("reason"), "ringingTimeOut"))
	s.wait(options.Linger)
	o := s.out()["l"]
	assert.Equal(t, "2", field(o, names.CallLegSetupSeconds))
	assert.Equal(t, "10", field(o, names.CallLegIVRSeconds))
	assert.Equal(t, "15", field(o, names.CallLegLobbySeconds))
	assert.Equal(t, []string{"x", "y"}, o.Calls)
	assert.Equal(t, `"y"`, field(o, names.CallID))
	assert.Equal(t, traceOf("y"), o.Trace)
	assert.Equal(t, "ringingTimeout", o.ErrorType)
	assert.Equal(t, `"ringingTimeout"`, field(o, names.ErrorType))
	assert.True(t, o.Server)
	assert.False(t, o.Client)
	assert.Empty(t, field(o, legKey("ivr")))
}

func TestRoles(t *testing.T) {
	f := func(want string, fields ...Field) {
		t.Helper()
		for _, phase := range []Phase{Start, End} {
			if phase == End && want == names.RoleParticipant {
				want = "" // a leg whose start was not seen may be anything
			}
			s := newStory(t, options)
			s.tell("a", CallLeg, "l", phase, 0, fields...)
			s.tell("a", CallLeg, "l", End, 1)
			s.wait(options.Linger)
			got := field(s.out()["l"], names.CallLegRole)
			if want == "" {
				assert.Empty(t, got)
				continue
			}
			assert.Equal(t, fmt.Sprintf("%q", want), got)
		}
	}
	f(names.RoleParticipant)
	f(names.RoleParticipant, textField(legKey("subType"), "lync"), textField(legKey("lyncSubType"), "audioVideo"))
	f(names.RoleSharing, textField(legKey("subType"), "lync"), textField(legKey("lyncSubType"), "applicationSharing"))
	f(names.RoleDistributionLink, textField(legKey("subType"), "distributionlink"))
	f(names.RoleDistributionLink, textField(legKey("subType"), "lyncdistribution"))
	f(names.RoleRecorder, Field{legKey("recording"), Bool(true)})
	f(names.RoleStreamer, Field{legKey("streaming"), Bool(true)})
	f(names.RoleParticipant, Field{legKey("streaming"), Bool(false)})
}

// TestParentsAndLinks: what one leg says of another is found out when it ends,
// whether the other is still there, was emitted, or came back with a restart.
func TestParentsAndLinks(t *testing.T) {
	for _, when := range []string{"open", "emitted", "restarted"} {
		s := newStory(t, options)
		lync := func(what string) []Field {
			return []Field{textField(names.ParticipantID, guid(5, 5)), textField(legKey("lyncSubType"), what), textField(names.CallID, "c")}
		}
		s.tell("a", CallLeg, "old", Start, 0, textField(names.SIPCallID, "1@host"), textField(names.CallID, "c"))
		s.tell("a", CallLeg, "av", Start, 0, lync(lyncAudioVideo)...)
		s.tell("a", CallLeg, "share", Start, 5, lync(lyncSharing)...)
		s.tell("a", CallLeg, "new", Start, 9, textField(legKey("movedCallLeg"), "old"), textField(legKey("replacesSipCallId"), "1@host"), textField(names.CallID, "d"))
		if when != "open" {
			s.tell("a", CallLeg, "old", End, 10)
			s.tell("a", CallLeg, "av", End, 10)
			s.wait(options.Linger)
			assert.Len(t, s.out(), 2)
		}
		if when == "restarted" {
			s.e = restart(t, s.e, s.now)
		}
		s.tell("a", CallLeg, "share", End, 20)
		s.tell("a", CallLeg, "new", End, 20)
		s.wait(options.Linger)
		all := s.out()
		assert.Equal(t, ids.Span(CallLeg.Name(), "av"), all["share"].Parent, when)
		assert.Equal(t, traceOf("c"), all["share"].Trace, when)
		old := Link{Trace: traceOf("c"), Span: ids.Span(CallLeg.Name(), "old"), Reason: linkMoved}
		replaced := old
		replaced.Reason = linkReplaces
		assert.Equal(t, []Link{old, replaced}, all["new"].Links, when)

		ref, found := s.e.FindParticipant(guid(5, 5))
		require.True(t, found, when)
		stamp, ok := s.e.Stamp(ref)
		require.True(t, ok)
		assert.Equal(t, ids.Span(CallLeg.Name(), "av"), stamp.Span, when)
	}
}

func TestScanner(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", CallLeg, "scan", Start, 0)
	s.tell("a", CallLeg, "scan", End, 0, textField(legKey("reason"), "unknownDestination"))
	s.wait(options.Linger)
	o := s.out()["scan"]
	assert.Equal(t, ids.Trace(CallLeg.Name(), "scan"), o.Trace)
	assert.Zero(t, o.Parent)
	assert.Equal(t, "unknownDestination", o.ErrorType)
}

func TestSharingWithoutAudioVideoIsInItsCall(t *testing.T) {
	s := newStory(t, options)
	s.tell("a", CallLeg, "share", End, 0, textField(names.ParticipantID, "p"), textField(legKey("lyncSubType"), lyncSharing), textField(names.CallID, "c"))
	s.wait(options.Linger)
	assert.Equal(t, ids.Span(Call.Name(), "c"), s.out()["share"].Parent)
}

// Ids are compared without regard to case, and appear in lower case.
func TestIDs(t *testing.T) {
	s := newStory(t, options)
	for _, id := range []string{"46D49CB4-8171-4abc-97f5-b88035b1da0a", "Other/ID"} {
		s.tell("a", Call, id, Start, 0)
		s.tell("a", Call, strings.ToLower(id), End, 5)
		_, found := s.e.Find(Call, strings.ToUpper(id))
		assert.True(t, found)
		_, found = s.e.Find(CallLeg, id)
		assert.False(t, found, "another kind")
	}
	s.wait(options.Linger)
	all := s.out()
	assert.Len(t, all, 2)
	assert.Equal(t, traceOf("46d49cb4-8171-4abc-97f5-b88035b1da0a"), all["46d49cb4-8171-4abc-97f5-b88035b1da0a"].Trace)
	assert.Equal(t, Complete, all["other/id"].Outcome)
	assert.Equal(t, traceOf("other/id"), all["other/id"].Trace)
	assert.Empty(t, field(all["other/id"], names.CallID))
}

// What a leg did before it was connected is not known if its start is computed: a clock
// was set back between its records.
func TestNoWaitsFromAComputedStart(t *testing.T) {
	waits := func(start int) (keys []string) {
		s := newStory(t, options)
		s.tell("a", CallLeg, "l", Start, start)
		s.tell("a", CallLeg, "l", Update, 110, textField("cisco.meeting_server.call_leg.state", "connected"))
		s.tell("a", CallLeg, "l", End, 145, Field{Key: "cisco.meeting_server.call_leg.duration_seconds", Value: Int(45)})
		s.wait(options.Linger)
		for _, f := range s.out()["l"].Fields {
			switch f.Key {
			case names.CallLegSetupSeconds, names.CallLegIVRSeconds, names.CallLegLobbySeconds:
				keys = append(keys, f.Key)
			}
		}
		return keys
	}
	assert.Len(t, waits(100), 3)
	assert.Empty(t, waits(4000))
}
