// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/sha256"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// traceSink is an OTLP server that acknowledges, and remembers in which request
// each span came.
type traceSink struct {
	url string

	mu       sync.Mutex
	open     int // connections
	requests int
	refuse   bool
	refused  int // since setRefuse
	spans    []received
}

// received is a span as it came.
type received struct {
	ptrace.Span
	request int
}

func newTraceSink(t *testing.T) *traceSink {
	t.Helper()
	s := &traceSink{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	server.Config.ConnState = s.watch
	server.Start()
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// watch counts connections.
func (s *traceSink) watch(_ net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.open++
	case http.StateClosed, http.StateHijacked:
		s.open--
	case http.StateActive, http.StateIdle:
	}
}

// left waits until all that a killed process had sent was served: its
// connections outlive it for as long as there is something to read.
func (s *traceSink) left(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.open == 0
	}, waitFor, tick/10)
}

func (s *traceSink) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	request := ptraceotlp.NewExportRequest()
	if err != nil || request.UnmarshalProto(body) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse {
		s.refused++
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	s.requests++
	for _, rs := range request.Traces().ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				s.spans = append(s.spans, received{span, s.requests})
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	answer, _ := ptraceotlp.NewExportResponse().MarshalProto()
	_, _ = w.Write(answer)
}

func (s *traceSink) setRefuse(refuse bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse, s.refused = refuse, 0
}

func (s *traceSink) refusals() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

func (s *traceSink) state() (spans []received, requests int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.spans), s.requests
}

// until waits for certain spans, and returns all that came until then.
func (s *traceSink) until(t *testing.T, owed ...pcommon.SpanID) (all []received) {
	t.Helper()
	require.Eventually(t, func() bool {
		here := map[pcommon.SpanID]bool{}
		all, _ = s.state()
		for _, span := range all {
			here[span.SpanID()] = true
		}
		return !slices.ContainsFunc(owed, func(id pcommon.SpanID) bool { return !here[id] })
	}, waitFor, 10*tick, "spans that are owed")
	return all
}

// index holds that no span id comes twice.
func index(t *testing.T, spans []received) map[pcommon.SpanID]ptrace.Span {
	t.Helper()
	byID := make(map[pcommon.SpanID]ptrace.Span, len(spans))
	for _, s := range spans {
		assert.NotContains(t, byID, s.SpanID(), "%s twice", s.Name())
		byID[s.SpanID()] = s.Span
	}
	return byID
}

// bytesOf is all that a span says.
func bytesOf(t *testing.T, span ptrace.Span) string {
	t.Helper()
	traces := ptrace.NewTraces()
	span.CopyTo(traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty())
	content, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
	require.NoError(t, err)
	return string(content)
}

// The published recipe (docs/ids.md), written down once more.
func spanOf(kind, id string) pcommon.SpanID {
	sum := sha256.Sum256([]byte("span\x00cisco.meeting_server." + kind + "\x00" + id))
	return pcommon.SpanID(sum[:8])
}

func traceOf(kind, id string) pcommon.TraceID {
	sum := sha256.Sum256([]byte("trace\x00cisco.meeting_server." + kind + "\x00" + id))
	return pcommon.TraceID(sum[:16])
}
