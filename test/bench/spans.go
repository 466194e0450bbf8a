// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// What a trace is made of: as many spans as a leg has records, each with a few
// attributes, each coming in another call than the others.
const (
	spansPerTrace     = 5
	attributesPerSpan = 10
	tracesPerCall     = 50
)

// spanSource makes spans of so many traces, the first of each, then the second
// of each, and so on.
type spanSource struct {
	traces   int
	resource pcommon.Resource
	span     ptrace.Span
	made     int
	life     uint64 // so that ids differ between cycles
}

func newSpanSource(traces int) *spanSource {
	s := &spanSource{traces: traces, resource: pcommon.NewResource(), span: ptrace.NewSpan()}
	for _, key := range []string{"service.name", "service.instance.id", "service.version", "host.name", "client.address", "deployment.environment.name"} {
		s.resource.Attributes().PutStr(key, "a value of "+key)
	}
	s.span.SetName("GET /orders/{id}")
	s.span.SetKind(ptrace.SpanKindServer)
	s.span.SetStartTimestamp(pcommon.NewTimestampFromTime(simulatedStart))
	s.span.SetEndTimestamp(pcommon.NewTimestampFromTime(simulatedStart))
	for i := range attributesPerSpan {
		s.span.Attributes().PutStr(fmt.Sprintf("application.attribute.%d", i), fmt.Sprintf("the value of attribute %d, of usual length", i))
	}
	return s
}

// begin starts over with other traces.
func (s *spanSource) begin() {
	s.made = 0
	s.life++
}

// batch returns the spans of the next call; ok is false when all were made.
func (s *spanSource) batch() (traces ptrace.Traces, ok bool) { return s.next(tracesPerCall) }

// next returns up to most spans; ok is false when all were made.
func (s *spanSource) next(most int) (traces ptrace.Traces, ok bool) {
	traces = ptrace.NewTraces()
	if s.made == s.traces*spansPerTrace {
		return traces, false
	}
	rs := traces.ResourceSpans().AppendEmpty()
	s.resource.CopyTo(rs.Resource())
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("bench")
	spans := ss.Spans()
	round := s.made / s.traces
	n := min(most, (round+1)*s.traces-s.made)
	spans.EnsureCapacity(n)
	for range n {
		at := uint64(s.made % s.traces) //nolint:gosec // counted up from 0
		if round > 0 {
			at = scatter(at, uint64(s.traces)) //nolint:gosec // above 0
		}
		span := spans.AppendEmpty()
		s.span.CopyTo(span)
		span.SetTraceID(s.trace(at))
		span.SetSpanID(spanID(s.made))
		if round > 0 {
			span.SetParentSpanID(spanID(0))
		}
		s.made++
	}
	return traces, true
}

// trace returns the id of a trace. Ids are random in all their bytes.
func (s *spanSource) trace(at uint64) (id pcommon.TraceID) {
	binary.BigEndian.PutUint64(id[:8], mix(at+1))
	binary.BigEndian.PutUint64(id[8:], mix(s.life<<32|at))
	return id
}

func spanID(n int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], mix(uint64(n)+1)) //nolint:gosec // counted up from 0
	return id
}

// mix is the step of SplitMix64.
func mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
