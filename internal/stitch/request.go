// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"strconv"

	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/names"
)

// An API request is an object of one record. It lingers, because its meeting and its call may
// come later. When it becomes pending, completeRequest fixes the meeting to which it belongs.
// A request that changes something and names the call of a scheduled meeting is part of the
// meeting's trace, under the meeting; so is a PUT on the meeting's space (meeting.go). Any
// other request is a trace of its own, because a client that polls a bridge every minute would
// fill the trace of every conference.

// requestRetention returns how long an emitted request is remembered: as long as syslog lines
// are read again after a restart.
func (e *Engine) requestRetention() int64 { return min(maxRequestRetention, e.maxOpen) }

const maxRequestRetention = 600 * second

// RequestID returns the id of an API request: the bridge, the number of its API trace, which
// restarts with the bridge, and the time of sending in nanoseconds since 1970.
func RequestID(bridge string, number, at int64) string {
	return hashLongName(bridge) + tagSeparator + strconv.FormatInt(number, 10) + tagSeparator + strconv.FormatInt(at, 10)
}

// Routes of requests that change a meeting, in the form of the bridge's syslog.
const (
	routeCalls        = "/api/v1/calls"
	routeCall         = "/api/v1/calls/{id}"
	routeCallLegs     = "/api/v1/calls/{id}/callLegs"
	routeParticipants = "/api/v1/calls/{id}/participants"
	routeSpace        = "/api/v1/coSpaces/{id}"

	methodGet    = "GET"
	methodPost   = "POST"
	methodPut    = "PUT"
	methodDelete = "DELETE"
)

// meetingChange is the change that a request makes to a meeting. step is "" for a PUT on a
// space, because its step depends on when the meeting began.
type meetingChange struct {
	step  string
	phase Phase
	call  string // "" for a PUT on a space
}

// changeOf returns the change that a request makes; ok is false if there is none. A refused
// request changes nothing, but is a step of the meeting, because it shows a participant who
// could not be invited. A challenged request is not a step, because its client repeats it.
func changeOf(value func(key) Value) (c meetingChange, ok bool) {
	method, route, status := value(keyMethod).Text, value(keyRoute).Text, value(keyStatus)
	if method == "" || method == methodGet || status.Kind != KindInt || status.Int() == unauthorized {
		return c, false
	}
	done := status.Int() >= 200 && status.Int() < 300
	if method == methodPut && route == routeSpace {
		return c, done
	}
	c = meetingChange{step: names.StepModify, phase: Update, call: value(keyCall).Text}
	switch {
	case method == methodPost && route == routeCalls:
		c.step, c.phase = names.StepStart, Start
		return c, done && c.call != "" && value(keyLocation).Text != ""
	case method == methodPost && (route == routeCallLegs || route == routeParticipants):
		c.step = names.StepInvite
	case method == methodDelete && route == routeCall && (done || status.Int() == notFound): // the call had ended
		c.step, c.phase = names.StepDelete, End
	}
	return c, c.call != ""
}

const notFound = 404

// applyRequest merges the record of a request, and its step into its meeting.
func (e *Engine) applyRequest(slot uint32, r *Record) (Ref, error) {
	if e.isFinal(slot) {
		e.stats.Late++
		return e.refTo(slot), nil
	}
	meeting, ofMeeting := meetingRecord(r)
	need := 0
	if e.objects.used()+2 > e.maxObjects {
		if slot == 0 {
			need++
		}
		if ofMeeting && e.mayNeedSlot(ScheduledMeeting, meeting.ID) {
			need++
		}
	}
	if need > 0 && !e.makeRoom(need) {
		return Ref{}, ErrFull
	}
	slot = e.mergeInto(slot, r)
	if ofMeeting {
		if at := e.slotOf(ScheduledMeeting, meeting.ID); !e.isFinal(at) {
			e.mergeInto(at, &meeting)
		}
	}
	return e.refTo(slot), nil
}

// meetingRecord returns the record of the meeting whose call a request names.
func meetingRecord(r *Record) (m Record, ok bool) {
	value := func(k key) Value {
		for i := range r.Fields {
			if r.Fields[i].Key == wellKnownTexts[k] {
				return r.Fields[i].Value
			}
		}
		return Value{}
	}
	c, ok := changeOf(value)
	if !ok || c.call == "" {
		return m, false
	}
	m = Record{
		Kind: ScheduledMeeting, ID: c.call, Phase: c.phase, Time: r.Time, Source: r.Source,
		Items: []Item{stepItem(r.Time, value(keyAPITrace), c.step, value(keyStatus))},
	}
	if c.phase != Start {
		return m, true
	}
	for _, k := range [...]key{keyCoSpace, keyClient, keyUser} {
		if v := value(k); v.Kind == KindText && v.Text != "" {
			m.Fields = append(m.Fields, Field{wellKnownTexts[k], v})
		}
	}
	return m, true
}

// updateRequestRelations indexes a request that may belong to a meeting.
func (e *Engine) updateRequestRelations(slot uint32) {
	if e.isFinal(slot) {
		return
	}
	f := &e.codec
	schedule := uint64(0)
	if c, ok := changeOf(f.newestValue); ok && c.call == "" {
		schedule = spaceAndClientHash(f)
	}
	e.spaceChanges.current.setHash(e, slot, schedule)
}

// newestValue returns the last value of an attribute.
func (f *factsCodec) newestValue(k key) Value {
	raw := f.newest(k)
	if raw == nil {
		return Value{}
	}
	return value(raw)
}

// completeRequest fixes the meeting of a request before it is emitted, and adds the request to
// the meeting's steps.
func (e *Engine) completeRequest(slot uint32) {
	meeting, step := e.meetingOf(slot)
	if meeting != 0 {
		if !e.isFinal(meeting) {
			e.addSpaceChange(meeting, slot)
		}
		id := e.idOf(meeting)
		f := &e.scratch.codec
		e.readFacts(f, slot)
		f.encodeFields(&e.dictionary, Note, []Field{{names.ScheduledMeetingID, Text(id)}, {names.ScheduledMeetingStep, Text(step)}})
		f.addStatement(noteStatement, f.recordAttributes)
		e.storeFactsWithinLimit(slot, f)
	}
	e.spaceChanges.current.remove(e, slot)
}

// assignedMeeting returns the meeting that completeRequest assigned to the request, "" if
// none.
func (f *factsCodec) assignedMeeting() string {
	for i := range f.statements {
		if f.statements[i].phase == Note {
			return text(f.statements[i].value(keyMeeting))
		}
	}
	return ""
}

// meetingIDOf returns the id of the meeting to which a request belongs by the records so far,
// "" if none.
func (e *Engine) meetingIDOf(slot uint32) string {
	if e.isFinal(slot) {
		f := &e.scratch.codec
		e.readFacts(f, slot)
		return f.assignedMeeting()
	}
	meeting, _ := e.meetingOf(slot)
	if meeting == 0 {
		return ""
	}
	return e.idOf(meeting)
}

func (e *Engine) traceOfRequest(slot uint32) TraceID {
	if meeting := e.meetingIDOf(slot); meeting != "" {
		return ids.Trace(ScheduledMeeting.Name(), meeting)
	}
	return ids.Trace(APIRequest.Name(), e.idOf(slot))
}

func (e *Engine) parentOfRequest(slot uint32) SpanID {
	if meeting := e.meetingIDOf(slot); meeting != "" {
		return ids.Span(ScheduledMeeting.Name(), meeting)
	}
	return SpanID{}
}

// timeRangeOfRequest returns the times of a request. An incomplete one has no start.
func (f *factsCodec) timeRangeOfRequest() timeRange {
	s := f.timeRange()
	s.start, s.end = s.first, s.last
	if f.newest(keyIncomplete) != nil {
		s.start = 0
	}
	return s
}

// timesOfRequest returns the start and the end of the span. Without a logged response, the
// span has no duration.
func (f *factsCodec) timesOfRequest() (start, end int64) {
	start = f.timeRange().startOrFirst()
	duration, ok := number(f.newest(keyAPIDuration))
	if !ok || duration < 0 || duration > maxRequestSeconds {
		return start, start
	}
	return start, start + int64(duration*second)
}

// maxRequestSeconds is the longest accepted duration of a request: a day.
const maxRequestSeconds = 86400

// deriveRequest sets the fields of out that only requests have, by OpenTelemetry's conventions
// for HTTP servers: 5xx is a server error, 4xx is not.
func (f *factsCodec) deriveRequest(out *Stitched) {
	out.Server = true
	method, route := f.newestValue(keyMethod).Text, f.newestValue(keyRoute).Text
	if method != "" && route != "" {
		out.Name = method + " " + route
	}
	if status := f.newestValue(keyStatus); status.Kind == KindInt && status.Int() >= 500 {
		out.ErrorType = f.newestValue(keyErrorType).Text
		if out.ErrorType == "" {
			out.ErrorType = strconv.FormatInt(status.Int(), 10)
		}
	}
}

// appendRequestLinks appends the link to the leg or the call that a request concerns. e.codec
// holds the request's facts.
func (e *Engine) appendRequestLinks(links []Link) []Link {
	f := &e.codec
	call, leg := f.newestValue(keyCall).Text, f.newestValue(keyLeg).Text
	reason := linkConcerns
	if f.newestValue(keyMethod).Text == methodPost && f.newest(keyLocation) != nil {
		reason = linkCreated
	}
	switch {
	case leg != "":
		return append(links, e.linkToLeg(leg, call, reason))
	case call != "":
		return append(links, e.linkToCall(call, reason))
	default:
		return links
	}
}

// linkToCall returns a link to a call. An unknown call has the ids that follow from its own
// id.
func (e *Engine) linkToCall(id, reason string) Link {
	link := Link{Trace: ids.Trace(Call.Name(), id), Span: ids.Span(Call.Name(), id), Reason: reason}
	if call := e.slotOf(Call, id); call != 0 {
		link.Trace = e.linkedTrace(call)
	}
	return link
}

func (e *Engine) linkToLeg(id, call, reason string) Link {
	link := Link{Span: ids.Span(CallLeg.Name(), id), Reason: reason}
	switch leg := e.slotOf(CallLeg, id); {
	case leg != 0:
		link.Trace = e.linkedTrace(leg)
	case call != "":
		link.Trace = e.linkToCall(call, reason).Trace
	default:
		link.Trace = ids.Trace(CallLeg.Name(), id)
	}
	return link
}
