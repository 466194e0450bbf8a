// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// expectedSpans are the ids of the objects that have a span by the truth: those
// that ended. Objects that lost records are left out, because they may have none.
func (is *truth) expectedSpans() (expected []pcommon.SpanID) {
	for name, l := range is.lives() {
		if kind, id, _ := strings.Cut(name, " "); l.Outcome != "open" && !l.LostRecords {
			expected = append(expected, spanOf(kind, id))
		}
	}
	return expected
}

// lives are all objects, by kind and id.
func (is *truth) lives() map[string]lifeTruth {
	lives := map[string]lifeTruth{}
	for _, c := range is.Calls {
		lives["call "+c.ID] = c.lifeTruth
	}
	for _, l := range is.Legs {
		lives["call_leg "+l.ID] = l.lifeTruth
	}
	for _, r := range is.Recordings {
		lives["recording "+r.ID] = r.lifeTruth
	}
	for _, s := range is.Streamings {
		lives["streaming "+s.ID] = s.lifeTruth
	}
	return lives
}

// comparison holds spans against the truth.
type comparison struct {
	t     *testing.T
	is    *truth
	whole bool // all records were there before the first span was sent
	spans map[pcommon.SpanID]ptrace.Span
	calls map[string]callTruth
	legs  map[string]legTruth
	// trace of each call whose conference lost none of its calls' records.
	traces map[string]pcommon.TraceID
	seen   map[pcommon.SpanID]bool
}

// compareSpans compares all that came out. Which calls are one conference can
// only be compared when all records were there before the first span was sent:
// bridges whose posts are hours apart, as after a kill, leave open whether a call is
// over that another one may overlap.
func (is *truth) compareSpans(t *testing.T, spans map[pcommon.SpanID]ptrace.Span, whole bool) {
	t.Helper()
	c := &comparison{t, is, whole, spans, map[string]callTruth{}, map[string]legTruth{}, map[string]pcommon.TraceID{}, map[pcommon.SpanID]bool{}}
	for _, call := range is.Calls {
		c.calls[call.ID] = call
	}
	for _, leg := range is.Legs {
		c.legs[leg.ID] = leg
	}
	if whole {
		c.conferences()
	} else {
		c.rooms()
	}
	for _, call := range is.Calls {
		c.call(call)
	}
	for _, leg := range is.Legs {
		c.leg(leg)
	}
	for kind, services := range map[string][]serviceTruth{"recording": is.Recordings, "streaming": is.Streamings} {
		for _, s := range services {
			c.service(kind, s)
		}
	}
	c.graph()
}

// conferences: all calls of one are in one trace, that of one of them, and no
// other conference is in it.
func (c *comparison) conferences() {
	founders := map[pcommon.TraceID]string{}
	checked := 0
	// A call whose end is lost may be in any later meeting of its room.
	doubtful := map[string]bool{}
	for _, call := range c.is.Calls {
		if call.LostRecords {
			doubtful[call.Correlator] = true
		}
	}
	for _, conference := range c.is.Conferences {
		trace, whole, ended := pcommon.TraceID{}, true, true
		for _, id := range conference.Calls {
			whole = whole && !doubtful[c.calls[id].Correlator]
			ended = ended && c.calls[id].Outcome != "open"
		}
		if !whole || !ended {
			continue
		}
		for _, id := range conference.Calls {
			span, found := c.spans[spanOf("call", id)]
			if !assert.True(c.t, found, "call %s has no span", id) {
				continue
			}
			if trace.IsEmpty() {
				trace = span.TraceID()
			}
			assert.Equal(c.t, trace, span.TraceID(), "trace of call %s of %v", id, conference.Calls)
			c.traces[id] = trace
		}
		founder := ""
		for _, id := range conference.Calls {
			if traceOf("call", id) == trace {
				founder = id
			}
		}
		assert.NotEmpty(c.t, founder, "trace %s is of no call of %v", trace, conference.Calls)
		assert.Empty(c.t, founders[trace], "two conferences in one trace")
		founders[trace] = founder
		checked++
		for _, id := range conference.Calls {
			want := pcommon.SpanID{}
			if id != founder {
				want = spanOf("call", founder)
			}
			if span, found := c.spans[spanOf("call", id)]; found {
				assert.Equal(c.t, want, span.ParentSpanID(), "parent of call %s", id)
			}
		}
	}
	require.NotZero(c.t, checked, "conferences that could be compared")
}

// rooms: a call is in the trace of a call of its own room.
func (c *comparison) rooms() {
	founders := map[pcommon.TraceID]string{}
	for _, call := range c.is.Calls {
		founders[traceOf("call", call.ID)] = call.Correlator
	}
	for _, call := range c.is.Calls {
		if span, found := c.spans[spanOf("call", call.ID)]; found && !call.LostRecords {
			assert.Equal(c.t, call.Correlator, founders[span.TraceID()], "trace of call %s", call.ID)
			c.traces[call.ID] = span.TraceID()
		}
	}
	require.NotEmpty(c.t, c.traces)
}

// object compares what all objects have. ok is false for one that cannot be
// compared any further.
func (c *comparison) object(kind string, l lifeTruth) (span ptrace.Span, ok bool) {
	id := spanOf(kind, l.ID)
	c.seen[id] = true
	span, found := c.spans[id]
	if l.LostRecords || l.Outcome == "open" {
		return span, false
	}
	if !assert.True(c.t, found, "%s %s has no span", kind, l.ID) {
		return span, false
	}
	assert.Equal(c.t, kind, span.Name())
	assert.Equal(c.t, l.ID, attribute(span, "cisco.meeting_server."+kind+".id"))
	assert.Equal(c.t, l.Outcome, attribute(span, "callstitch.outcome"), "outcome of %s %s", kind, l.ID)
	assert.Equal(c.t, l.Start.UTC(), span.StartTimestamp().AsTime(), "start of %s %s", kind, l.ID)
	switch {
	case l.End != nil:
		assert.Equal(c.t, l.End.UTC(), span.EndTimestamp().AsTime(), "end of %s %s", kind, l.ID)
	case kind != "call": // objects in a call show that it is alive
		assert.Equal(c.t, l.LastSeen.UTC(), span.EndTimestamp().AsTime(), "end of %s %s", kind, l.ID)
	}
	return span, true
}

func (c *comparison) call(call callTruth) {
	if span, ok := c.object("call", call.lifeTruth); ok {
		assert.Equal(c.t, call.Name, attribute(span, "cisco.meeting_server.call.name"))
		assert.Equal(c.t, ptrace.SpanKindInternal, span.Kind())
	}
}

func (c *comparison) leg(leg legTruth) {
	span, ok := c.object("call_leg", leg.lifeTruth)
	if !ok {
		return
	}
	kind := map[string]ptrace.SpanKind{"incoming": ptrace.SpanKindServer, "outgoing": ptrace.SpanKindClient}[leg.Direction]
	assert.Equal(c.t, kind, span.Kind())
	assert.Equal(c.t, leg.Reason, attribute(span, "cisco.meeting_server.call_leg.reason"))
	assert.Equal(c.t, leg.DisplayName, attribute(span, "cisco.meeting_server.call_leg.display_name"))
	assert.InDelta(c.t, leg.IVRSeconds, number(span, "cisco.meeting_server.call_leg.ivr_seconds"), 0, "IVR of %s", leg.ID)
	assert.InDelta(c.t, leg.LobbySeconds, number(span, "cisco.meeting_server.call_leg.lobby_seconds"), 0, "lobby of %s", leg.ID)
	role := map[string]string{"person": "participant", "scanner": "participant", "link": "distribution_link"}[leg.Kind]
	if role == "" {
		role = leg.Kind
	}
	assert.Equal(c.t, role, attribute(span, "cisco.meeting_server.call_leg.role"), "role of %s", leg.ID)
	c.legCalls(leg, span)
	if leg.MovedFrom != "" {
		c.link(span, "moved", spanOf("call_leg", leg.MovedFrom))
	}
	for _, other := range c.is.Legs {
		if leg.ReplacesSIPCallID != "" && other.SIPCallID == leg.ReplacesSIPCallID && !other.LostRecords && (c.whole || other.Session == leg.Session) {
			c.link(span, "replaces", spanOf("call_leg", other.ID))
		}
	}
	failed := map[bool]ptrace.StatusCode{true: ptrace.StatusCodeError, false: ptrace.StatusCodeUnset}[failures[leg.Reason]]
	assert.Equal(c.t, failed, span.Status().Code(), "status of %s: %s", leg.ID, leg.Reason)
}

var failures = map[string]bool{
	"confirmationTimeout": true, "dnsFailure": true, "encryptionRequired": true, "error": true, "incorrectPasscode": true, "ivrTimeout": true,
	"ivrUnknownCall": true, "participantLimitReached": true, "remoteBusy": true, "remoteRejected": true, "ringingTimeout": true,
	"tenantParticipantLimitReached": true, "timeout": true, "unknownDestination": true,
}

func (c *comparison) legCalls(leg legTruth, span ptrace.Span) {
	var history []string
	for _, id := range leg.Calls {
		if id != "" {
			history = append(history, id)
		}
	}
	if len(history) == 0 {
		assert.Equal(c.t, traceOf("call_leg", leg.ID), span.TraceID(), "a leg without a call is its own trace")
		assert.True(c.t, span.ParentSpanID().IsEmpty())
		return
	}
	calls, _ := span.Attributes().Get("cisco.meeting_server.call_leg.calls")
	var got []string
	for _, v := range calls.Slice().All() {
		got = append(got, v.Str())
	}
	assert.Equal(c.t, history, got, "calls of %s", leg.ID)
	last := history[len(history)-1]
	if leg.Kind == "sharing" {
		assert.True(c.t, c.isAudioVideo(leg, span.ParentSpanID()), "parent of sharing leg %s", leg.ID)
	} else {
		assert.Equal(c.t, spanOf("call", last), span.ParentSpanID(), "parent of leg %s", leg.ID)
	}
	if trace, known := c.traces[last]; known {
		assert.Equal(c.t, trace, span.TraceID(), "trace of leg %s", leg.ID)
	}
}

// isAudioVideo reports whether a span is another leg of the same participant.
func (c *comparison) isAudioVideo(sharing legTruth, parent pcommon.SpanID) bool {
	lost := false
	for _, leg := range c.is.Legs {
		if leg.ParticipantID == sharing.ParticipantID && leg.Kind != "sharing" {
			if spanOf("call_leg", leg.ID) == parent {
				return true
			}
			lost = lost || leg.LostRecords
		}
	}
	return lost
}

func (c *comparison) link(span ptrace.Span, reason string, to pcommon.SpanID) {
	for _, l := range span.Links().All() {
		if why, _ := l.Attributes().Get("reason"); why.Str() == reason && l.SpanID() == to {
			return
		}
	}
	assert.Fail(c.t, "link is missing", "%s of %s to %s", reason, span.SpanID(), to)
}

func (c *comparison) service(kind string, s serviceTruth) {
	span, ok := c.object(kind, s.lifeTruth)
	if !ok {
		return
	}
	assert.Equal(c.t, spanOf("call", s.Call), span.ParentSpanID(), "parent of %s %s", kind, s.ID)
	if trace, known := c.traces[s.Call]; known {
		assert.Equal(c.t, trace, span.TraceID(), "trace of %s %s", kind, s.ID)
	}
}

// graph: nothing came out that is not true, no span ends before it starts, and
// every parent is there, in the same trace, or its absence is explained.
func (c *comparison) graph() {
	explained := map[pcommon.SpanID]bool{}
	for _, call := range c.is.Calls {
		explained[spanOf("call", call.ID)] = call.Outcome == "open" || call.LostRecords
	}
	for _, leg := range c.is.Legs {
		explained[spanOf("call_leg", leg.ID)] = leg.Outcome == "open" || leg.LostRecords
	}
	for id, span := range c.spans {
		assert.True(c.t, c.seen[id], "%s %s is nothing that there was", span.Name(), id)
		assert.GreaterOrEqual(c.t, span.EndTimestamp(), span.StartTimestamp())
		if span.ParentSpanID().IsEmpty() {
			continue
		}
		parent, found := c.spans[span.ParentSpanID()]
		if !found {
			assert.True(c.t, explained[span.ParentSpanID()], "parent %s of %s %s is not there", span.ParentSpanID(), span.Name(), id)
			continue
		}
		assert.Equal(c.t, parent.TraceID(), span.TraceID(), "%s %s and its parent", span.Name(), id)
	}
}

func attribute(span ptrace.Span, key string) string {
	v, found := span.Attributes().Get(key)
	if !found {
		return ""
	}
	return v.AsString()
}

func number(span ptrace.Span, key string) float64 {
	v, _ := span.Attributes().Get(key)
	return v.Double()
}
