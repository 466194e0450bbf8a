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

// apiRequest makes the record of a request of a client: method and route, status, and
// what it names.
func apiRequest(bridge string, number int64, seconds int, method, route string, status int64, more ...Field) Record {
	fields := []Field{
		{names.APITrace, Int(number)},
		textField(names.HTTPRequestMethod, method), textField(names.HTTPRoute, route),
		{names.HTTPResponseStatusCode, Int(status)},
		{names.APIDuration, Double(0)},
		textField(names.ClientAddress, "192.0.2.9"),
	}
	for _, f := range more { // each key once, the last one stands
		for i := range fields {
			if fields[i].Key == f.Key {
				fields[i] = f
				f.Key = ""
				break
			}
		}
		if f.Key != "" {
			fields = append(fields, f)
		}
	}
	return Record{Kind: APIRequest, Phase: End, ID: RequestID(bridge, number, at(seconds)), Time: at(seconds), Fields: fields}
}

func onCall(id string) Field    { return textField(names.CallID, id) }
func onSpace(id string) Field   { return textField(names.CoSpaceID, id) }
func created(path string) Field { return textField(names.APILocation, path) }
func opened(yes bool) Field     { return Field{names.CoSpaceNonMemberAccess, Bool(yes)} }
func titled(name string) Field  { return textField(names.CoSpaceName, name) }

// schedule has a client start, extend and end a meeting in a space, whose call may be one
// of those of the bridges; some of the requests fail, and others look at the call.
func (w *world) schedule(n, space, start int) {
	call, room := guid(1, n), guid(9, space)
	number := int64(100 * n)
	say := func(seconds int, method, route string, status int64, more ...Field) {
		number++
		w.all = append(w.all, happening{
			record: apiRequest("bridge 0", number, seconds, method, route, status, more...), source: [2]string{"syslog of bridge 0", ""},
		})
	}
	statusOf := func(good int64) int64 {
		if w.chance(10) {
			return []int64{401, 404, 409, 503}[w.IntN(4)]
		}
		return good
	}
	say(start-w.IntN(90), "PUT", routeSpace, statusOf(200), onSpace(room), opened(true), titled("plan"))
	say(start, "POST", routeCalls, statusOf(200), onSpace(room), onCall(call), created("/api/v1/calls/"+call))
	for range w.IntN(3) {
		say(start+w.IntN(5), "POST", routeCallLegs, statusOf(200), onCall(call), textField(names.CallLegID, guid(4, w.IntN(9))), created("/api/v1/callLegs/x"))
	}
	if w.chance(50) {
		say(start+30, "GET", routeCall, statusOf(200), onCall(call))
	}
	end := start + 60 + w.IntN(30)
	if w.chance(50) {
		say(start+w.IntN(60), "PUT", routeSpace, 200, onSpace(room), opened(true), textField(names.ClientAddress, []string{"192.0.2.9", "192.0.2.8"}[w.IntN(2)]))
	}
	say(end-w.IntN(3), "PUT", routeSpace, statusOf(200), onSpace(room), opened(false))
	if w.chance(80) {
		say(end, "DELETE", routeCall, statusOf(200), onCall(call))
	}
}

// apply gives records to the engine of a story.
func (s *story) apply(all ...Record) {
	s.Helper()
	for i := range all {
		all[i].Source = NewSource("syslog", "")
		_, err := s.e.Apply(s.now, &all[i])
		require.NoError(s, err)
	}
}

const (
	meetingCall  = "d51bb12e-a7ae-4c3e-83ed-33ea6433a5d2"
	meetingSpace = "39489a5a-2084-455a-89bc-e5eedc2e2ba5"
	meetingLeg   = "f59f5a17-6773-49a0-83d3-be6e9791c27a"
)

// tmsMeeting are the requests of a meeting as TMS sends them.
func tmsMeeting() []Record {
	return []Record{
		apiRequest("cms", 9500, 0, "PUT", routeSpace, 200, onSpace(meetingSpace), opened(true), titled("Ops review")),
		apiRequest("cms", 9501, 0, "POST", routeCalls, 200, onSpace(meetingSpace), onCall(meetingCall), created("/api/v1/calls/"+meetingCall), textField(names.UserName, "tms")),
		apiRequest("cms", 9505, 1, "GET", routeCall, 200, onCall(meetingCall)),
		apiRequest("cms", 9506, 1, "POST", routeCallLegs, 200, onCall(meetingCall), textField(names.CallLegID, meetingLeg), created("/api/v1/callLegs/"+meetingLeg)),
		apiRequest("cms", 9711, 1470, "PUT", routeSpace, 200, onSpace(meetingSpace), opened(true), titled("Ops review")),
		apiRequest("cms", 9878, 2691, "PUT", routeSpace, 200, onSpace(meetingSpace), opened(false), titled("TMS_Scheduled_Meeting_1")),
		apiRequest("cms", 9879, 2691, "DELETE", routeCall, 200, onCall(meetingCall)),
	}
}

// meetingStory is what came out of a meeting's requests: the meeting's span, and a line
// for each request: its name, its step, and how many seconds after the start it was sent.
func meetingStory(all map[string]Stitched) (meeting Stitched, requests []string) {
	meeting = all["meeting of "+meetingCall]
	for _, number := range []int{9500, 9501, 9505, 9506, 9711, 9878, 9879} {
		for id, o := range all {
			if !strings.HasPrefix(id, fmt.Sprintf("cms;%d;", number)) {
				continue
			}
			step, _ := fieldOf(&o, names.ScheduledMeetingStep)
			under := "alone"
			if o.Parent == ids.Span(names.KindScheduledMeeting, meetingCall) && o.Trace == ids.Trace(names.KindScheduledMeeting, meetingCall) {
				under = "in the meeting"
			}
			requests = append(requests, strings.TrimSpace(fmt.Sprintf("%s at %s, %s %s", o.Name, time.Duration(o.Start-at(0)), under, step.Text)))
		}
	}
	return meeting, requests
}

func fieldText(o *Stitched, key string) string {
	v, _ := fieldOf(o, key)
	return v.Text
}

var wantTMSMeeting = []string{
	"PUT /api/v1/coSpaces/{id} at 0s, in the meeting create",
	"POST /api/v1/calls at 0s, in the meeting start",
	"GET /api/v1/calls/{id} at 1s, alone",
	"POST /api/v1/calls/{id}/callLegs at 1s, in the meeting invite",
	"PUT /api/v1/coSpaces/{id} at 24m30s, in the meeting extend",
	"PUT /api/v1/coSpaces/{id} at 44m51s, in the meeting end",
	"DELETE /api/v1/calls/{id} at 44m51s, in the meeting delete",
}

// TestScheduledMeeting: the requests of TMS are the story of a meeting, in any order and
// with a restart between any two, and its span links to the conference.
func TestScheduledMeeting(t *testing.T) {
	t.Parallel()
	w := newWorld(5, 1)
	for range 200 {
		s := newStory(t, options)
		s.tell("a", Call, meetingCall, Start, 1, textField(names.CallCorrelator, guid(2, 1)), textField(callKey("name"), "Ops review"))
		all := tmsMeeting()
		w.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		stop := w.IntN(len(all) + 1)
		s.apply(all[:stop]...)
		s.e = restart(t, s.e, s.now)
		s.apply(all[stop:]...)
		s.wait(graceFirst)
		s.tell("a", Call, meetingCall, End, 2691)
		s.wait(options.Linger)
		out := s.out()
		meeting, requests := meetingStory(out)
		require.Equal(t, wantTMSMeeting, requests)
		require.Equal(t, Complete, meeting.Outcome)
		require.Equal(t, [2]int64{at(0), at(2691)}, [2]int64{meeting.Start, meeting.End})
		require.Zero(t, meeting.Parent)
		require.Equal(t, []Link{{traceOf(meetingCall), ids.Span(names.KindCall, meetingCall), "created"}}, meeting.Links)
		require.Equal(t, []string{
			"code=200 offset=0 step=\"create\"", "code=200 offset=0 step=\"start\"", "code=200 offset=1000 step=\"invite\"",
			"code=200 offset=1470000 step=\"extend\"", "code=200 offset=2691000 step=\"end\"", "code=200 offset=2691000 step=\"delete\"",
		}, shownList(meeting, names.ScheduledMeetingSteps))
		for key, want := range map[string]string{
			names.CallID: meetingCall, names.CoSpaceID: meetingSpace, names.CoSpaceName: "Ops review", names.ClientAddress: "192.0.2.9", names.UserName: "tms",
			callKey("name"): "Ops review",
		} {
			require.Equal(t, want, fieldText(&meeting, key), key)
		}
	}
}

// TestRequestTimesAndStatus: the span of a request, by what its record says.
func TestRequestTimesAndStatus(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  int64
		more    []Field
		outcome Outcome
		want    string
	}{
		"done":                   {200, []Field{{names.APIDuration, Double(1.5)}}, Complete, "1.5s "},
		"refused":                {404, []Field{textField(names.ErrorType, "callDoesNotExist")}, Complete, "0s "},
		"failed":                 {503, nil, Complete, "0s 503"},
		"failed for a reason":    {500, []Field{textField(names.ErrorType, "databaseNotOperational")}, Complete, "0s databaseNotOperational"},
		"without a response":     {0, []Field{textField(names.APIIncomplete, "no_response")}, Partial, "0s "},
		"a duration that is not": {200, []Field{{names.APIDuration, Double(1e300)}}, Complete, "0s "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStory(t, options)
			s.apply(apiRequest("cms", 1, 5, "GET", "/api/v1/system/status", c.status, c.more...))
			s.wait(options.Linger)
			out := s.out()
			o := out[RequestID("cms", 1, at(5))]
			assert.Equal(t, c.outcome, o.Outcome)
			assert.Equal(t, c.want, fmt.Sprint(time.Duration(o.End-o.Start), " ", o.ErrorType))
			assert.Equal(t, at(5), o.Start)
			assert.True(t, o.Server)
			assert.Equal(t, ids.Trace(names.KindAPIRequest, o.ID), o.Trace)
			assert.Equal(t, ids.Span(names.KindAPIRequest, o.ID), o.Span)
			assert.Equal(t, "GET /api/v1/system/status", o.Name)
		})
	}
}

// TestMeetingsOfOneSpace: what follows each other in one space is not mixed, and what
// another client does there is not the meeting's.
func TestMeetingsOfOneSpace(t *testing.T) {
	t.Parallel()
	first, second := guid(1, 1), guid(1, 2)
	start := func(call string, number int64, seconds int) Record {
		return apiRequest("cms", number, seconds, "POST", routeCalls, 200, onSpace(meetingSpace), onCall(call), created("/x"))
	}
	put := func(number int64, seconds int, more ...Field) Record {
		return apiRequest("cms", number, seconds, "PUT", routeSpace, 200, append(more, onSpace(meetingSpace))...)
	}
	deleted := func(call string, number int64, seconds int) Record {
		return apiRequest("cms", number, seconds, "DELETE", routeCall, 200, onCall(call))
	}
	s := newStory(t, options)
	s.apply(
		start(first, 1, 0), put(2, 590, opened(true)), put(3, 599, opened(false)), deleted(first, 4, 600),
		put(5, 600, opened(true)), start(second, 6, 601), put(7, 700, opened(true), textField(names.ClientAddress, "192.0.2.77")),
		put(8, 800), put(9, 300, textField(names.ClientAddress, "")), deleted(second, 10, 900), put(11, 1000, opened(false)),
	)
	s.wait(options.Linger)
	out := s.out()
	for number, want := range map[int64][2]string{
		1: {first, "start"}, 2: {first, "extend"}, 3: {first, "end"}, 4: {first, "delete"},
		5: {second, "create"}, 6: {second, "start"}, 7: {}, 8: {second, "modify"}, 9: {}, 10: {second, "delete"}, 11: {},
	} {
		for id, o := range out {
			if strings.HasPrefix(id, fmt.Sprintf("cms;%d;", number)) {
				assert.Equal(t, want, [2]string{fieldText(&o, names.ScheduledMeetingID), fieldText(&o, names.ScheduledMeetingStep)}, "request %d", number)
			}
		}
	}
	assert.Len(t, out, 13)
}

// TestMeetingWithoutDelete ends with its call; one that was not seen to start is none,
// and its requests are traces of their own.
func TestMeetingWithoutDelete(t *testing.T) {
	t.Parallel()
	s := newStory(t, options)
	s.apply(tmsMeeting()[:4]...)
	s.tell("a", Call, meetingCall, Start, 1)
	s.tell("a", Call, meetingCall, End, 500)
	s.e = restart(t, s.e, s.now)
	s.wait(graceFirst)
	s.wait(options.Linger)
	out := s.out()
	meeting := out["meeting of "+meetingCall]
	assert.Equal(t, CallEnded, meeting.Outcome)
	assert.Equal(t, at(500), meeting.End)
	assert.Contains(t, out[meetingCall].Links, Link{meeting.Trace, meeting.Span, "scheduled"})

	s = newStory(t, options)
	s.apply(tmsMeeting()[3:]...)
	s.wait(options.Linger)
	out = s.out()
	assert.Len(t, out, 4, "the requests alone")
	for _, o := range out {
		assert.Zero(t, o.Parent)
		assert.Equal(t, APIRequest, o.Kind)
	}
	assert.Zero(t, s.e.Stats().Unclaimed)
	requireEmptyLater(s)
}

// TestMeetingOfForgottenCall: a bridge that restarts deletes nothing, and nobody else does.
func TestMeetingOfForgottenCall(t *testing.T) {
	t.Parallel()
	s := newStory(t, options)
	s.apply(tmsMeeting()[:4]...)
	s.tell("a", Call, meetingCall, Start, 1)
	s.tell("a", CallLeg, "leg", Start, 30, onCall(meetingCall))
	s.e.EndSession(s.now, "session of a", at(100))
	s.wait(0)
	s.wait(options.Linger)
	assert.Equal(t, BridgeRestarted, s.out()[meetingCall].Outcome)
	s.wait(options.Linger)
	meeting := s.out()["meeting of "+meetingCall]
	assert.Equal(t, CallEnded, meeting.Outcome)
	assert.Equal(t, at(30), meeting.End, "when the call was last heard of")
}

// TestRequestsMakeRoomFirst: requests are forgotten before what else was emitted, and
// after maxRequestRetention in any case.
func TestRequestsMakeRoomFirst(t *testing.T) {
	t.Parallel()
	limited := options
	limited.MaxObjects = 20
	s := newStory(t, limited)
	s.tell("a", CallLeg, "leg", Start, 0)
	s.tell("a", CallLeg, "leg", End, 1)
	s.wait(options.Linger)
	s.out()
	for n := range 100 {
		s.apply(apiRequest("cms", int64(n), n, "GET", routeCalls, 200))
		s.wait(options.Linger)
		s.out()
	}
	_, found := s.e.Find(CallLeg, "leg")
	assert.True(t, found)
	s.wait(maxRequestRetention)
	assert.Zero(t, s.e.queues[emittedRequest])
	_, found = s.e.Find(CallLeg, "leg")
	assert.True(t, found)
}

// TestMentions: the ids of a line's object, by what the line names and what is known.
func TestMentions(t *testing.T) {
	t.Parallel()
	space, correlator := guid(9, 1), guid(2, 1)
	s := newStory(t, options)
	s.tell("a", Call, "former", Start, 0, textField(names.CallCorrelator, correlator), onSpace(space))
	s.tell("a", Call, "former", End, 50)
	s.tell("a", Call, "call", Start, 100, textField(names.CallCorrelator, correlator), onSpace(space))
	s.tell("a", CallLeg, "leg", Start, 101, onCall("call"), textField(names.ParticipantID, "who"))
	s.apply(apiRequest("cms", 1, 200, "POST", routeCalls, 200, onSpace(guid(9, 2)), onCall("planned"), created("/x")))
	s.tell("a", Call, "unended", Start, 200, onSpace(guid(9, 4)))
	s.apply(apiRequest("cms", 2, 300, "POST", routeCalls, 200, onSpace(guid(9, 4)), onCall("next"), created("/x")))
	of := func(kind Kind, trace, span string) string {
		return fmt.Sprintf("%x %x", ids.Trace(Call.Name(), trace), ids.Span(kind.Name(), span))
	}
	for name, c := range map[string]struct {
		m    Reference
		want string
	}{
		"a leg":                         {Reference{CallLeg: "LEG"}, of(CallLeg, "call", "leg")},
		"a participant":                 {Reference{Participant: "who", Call: "other"}, of(CallLeg, "call", "leg")},
		"a leg that is not known":       {Reference{CallLeg: "new", Call: "call"}, of(CallLeg, "call", "new")},
		"neither it nor its call":       {Reference{CallLeg: "new", Call: "new"}, of(CallLeg, "new", "new")},
		"a call":                        {Reference{Call: "call"}, of(Call, "call", "call")},
		"a call that is not known":      {Reference{Call: "new"}, of(Call, "new", "new")},
		"a correlator":                  {Reference{Correlator: correlator, Time: at(150)}, of(Call, "call", "call")},
		"a correlator, earlier":         {Reference{Correlator: correlator, Time: at(40)}, of(Call, "former", "former")},
		"a correlator, in between":      {Reference{Correlator: correlator, Time: at(75)}, ""},
		"a space":                       {Reference{CoSpace: strings.ToUpper(space), Time: at(150)}, of(Call, "call", "call")},
		"a call whose end is not known": {Reference{CoSpace: guid(9, 4), Time: at(301)}, of(Call, "next", "next")},
		"a space with a planned call":   {Reference{CoSpace: guid(9, 2), Time: at(201)}, of(Call, "planned", "planned")},
		"the same before it was begun":  {Reference{CoSpace: guid(9, 2), Time: at(100)}, ""},
		"another space":                 {Reference{CoSpace: guid(9, 3), Time: at(150)}, ""},
		"nothing":                       {Reference{Time: at(150)}, ""},
	} {
		objects := s.e.objects.used()
		stamp, ok := s.e.StampReference(&c.m)
		assert.Equal(t, c.want != "", ok, name)
		if ok {
			assert.Equal(t, c.want, fmt.Sprintf("%x %x", stamp.Trace, stamp.Span), name)
		}
		assert.Equal(t, objects, s.e.objects.used(), "%s: nothing is made of a mention", name)
	}
}

// requestBombs are requests that anybody may write into a bridge's syslog. n counts up.
var requestBombs = map[string]func(n int) Record{
	"endless requests": func(n int) Record { return apiRequest("b", int64(n), n, "GET", "/api/v1/system/status", 200) },
	"endless bridges":  func(n int) Record { return apiRequest(fmt.Sprint("b", n), 1, 0, "GET", "", 0) },
	"long names of bridges": func(n int) Record {
		return apiRequest(fmt.Sprint(n, strings.Repeat("b", 1000)), 1, 0, "GET", "", 0, textField("x", strings.Repeat("b", 1000)))
	},
	"endless meetings of one space": func(n int) Record {
		return apiRequest("b", int64(n), n/50, "POST", routeCalls, 200, onSpace("s"), onCall(fmt.Sprint("c", n)), created("/x"))
	},
	"endless steps of one meeting": func(n int) Record {
		if n == 0 {
			return apiRequest("b", 0, 0, "POST", routeCalls, 200, onSpace("s"), onCall("c"), created("/x"))
		}
		return apiRequest("b", int64(n), n/50, "POST", routeCallLegs, 200, onCall("c"))
	},
	"endless changes of one space": func(n int) Record {
		if n%100 == 0 {
			return apiRequest("b", int64(n), n/50, "POST", routeCalls, 200, onSpace("s"), onCall(fmt.Sprint("c", n)), created("/x"))
		}
		return apiRequest("b", int64(n), n/50, "PUT", routeSpace, 200, onSpace("s"), opened(n%2 == 0), titled(strings.Repeat("x", 1000)))
	},
	"requests about endless calls that nobody created": func(n int) Record {
		return apiRequest("b", int64(n), n, "DELETE", routeCall, 200, onCall(fmt.Sprint("c", n)))
	},
	"long attributes": func(n int) Record {
		return apiRequest("b", int64(n), n, "GET", routeCall, 200, onCall("c"), textField("x", strings.Repeat("x", maxText)), textField("y", strings.Repeat("y", maxText)))
	},
}

// TestRequestBombs: likewise of requests; they are bounded in number too.
func TestRequestBombs(t *testing.T) {
	t.Parallel()
	const (
		requests = 1_500
		// A request is two lines of syslog at least.
		least     = 200
		expansion = 4
		free      = 64 << 10
	)
	for name, request := range requestBombs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limited := options
			limited.MaxObjects = 1_000
			s := newStory(t, limited)
			sent, emitted := 0, 0
			take := func() {
				for _, o := range s.out() {
					emitted += sizeOfStitched(&o)
				}
			}
			for n := range requests {
				r := request(n)
				r.Source = NewSource("syslog", "")
				sent += least + len(r.ID) + sizeOfFields(r.Fields)
				if _, err := s.e.Apply(s.now, &r); err != nil {
					require.ErrorIs(t, err, ErrFull)
				}
				if n%100 == 0 {
					s.wait(options.Linger / 10)
					take()
				}
				require.LessOrEqual(t, s.e.objects.used(), limited.MaxObjects)
				require.LessOrEqual(t, s.e.arena.bytes(), expansion*sent+free, "bytes of the state after %d requests", n+1)
			}
			for _, wait := range []time.Duration{options.Linger, options.MaxOpen, options.Linger} {
				s.wait(wait)
				for range 3 {
					take()
				}
			}
			assert.LessOrEqual(t, emitted, expansion*sent+free)
			requireEmptyLater(s)
		})
	}
}
