// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

// joinings takes what there is, and says that it was announced.
func (s *story) joinings() map[string][2]TraceID {
	all := make(map[string][2]TraceID)
	var refs []Ref
	var traces []TraceID
	s.e.TakeTraceChanges(10, func(j *TraceChange) {
		all[j.ID] = [2]TraceID{j.Former, j.Trace}
		refs, traces = append(refs, j.Ref), append(traces, j.Trace)
	})
	for i, ref := range refs {
		s.e.TraceChangeSent(ref, traces[i])
	}
	return all
}

// stamped stamps a record of a call.
func (s *story) stamped(ref Ref) {
	s.Helper()
	_, ok := s.e.Stamp(ref)
	require.True(s, ok)
}

// TestJoining: a running call whose records were stamped with another trace than
// it has by now is reported once; no other is.
func TestJoining(t *testing.T) {
	room := textField(names.CallCorrelator, "room")
	s := newStory(t, options)
	s.stamped(s.tell("b", Call, "later", Start, 50, room))
	s.stamped(s.tell("b", CallLeg, "l", Start, 51, textField(names.CallID, "of the leg")))
	s.tell("c", Call, "not stamped yet", Start, 52, room)
	assert.Empty(t, s.joinings())

	s.stamped(s.tell("a", Call, "earlier", Start, 0, room))
	assert.Equal(t, map[string][2]TraceID{"later": {traceOf("later"), traceOf("earlier")}}, s.joinings())
	assert.Empty(t, s.joinings(), "once")

	s.tell("c", Call, "of the leg", Start, 40, room)
	require.True(t, s.e.HasTraceChanges())
	s.e = restart(t, s.e, s.now)
	assert.Equal(t, map[string][2]TraceID{"of the leg": {traceOf("of the leg"), traceOf("earlier")}}, s.joinings(), "also after a restart")

	s.stamped(s.tell("d", Call, "first", Start, -10, room))
	var refs []Ref
	s.e.TakeTraceChanges(1, func(j *TraceChange) { refs = append(refs, j.Ref) })
	require.Len(t, refs, 1)
	s.e.RetryTraceChange(refs[0])
	for _, id := range []string{"later", "earlier", "not stamped yet"} {
		s.tell("x", Call, id, End, 60)
	}
	s.wait(options.Linger)
	s.out()
	assert.Equal(t, map[string][2]TraceID{"of the leg": {traceOf("earlier"), traceOf("first")}}, s.joinings(), "what has ended is in its span")
	s.e.RetryTraceChange(refs[0])
	assert.Empty(t, s.joinings())
	assert.False(t, s.e.HasTraceChanges())
}

// TestJoiningIsStored: a restart does not lose the change, although a span of the conference was
// sent before and fixed the trace; a change that was sent does not come again.
func TestJoiningIsStored(t *testing.T) {
	room := textField(names.CallCorrelator, "room")
	s := newStory(t, options)
	s.stamped(s.tell("b", Call, "later", Start, 50, room))
	s.tell("a", Call, "earlier", Start, 0, room)
	s.tell("a", CallLeg, "of earlier", Start, 1, textField(names.CallID, "earlier"))
	s.tell("a", CallLeg, "of earlier", End, 60)
	s.wait(options.Linger)
	require.Len(t, s.out(), 1)
	for range 2 {
		s.e = restart(t, s.e, s.now)
	}
	change := map[string][2]TraceID{"later": {traceOf("later"), traceOf("earlier")}}
	assert.Equal(t, change, s.joinings())
	s.e = restart(t, s.e, s.now)
	assert.Empty(t, s.joinings())
	s.tell("b", Call, "later", End, 70)
	assert.Equal(t, traceOf("earlier"), s.traces()["later"])
}
