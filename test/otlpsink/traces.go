// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package otlpsink

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// Traces is a server that acknowledges traces, and remembers in which request
// each span came. Its methods may be called concurrently.
type Traces struct {
	// URL of the server, without a path.
	URL string

	mu          sync.Mutex // guards everything below
	connections int
	requests    int
	refuse      bool
	refused     int // since SetRefuse
	spans       []Span
}

// Span is a span as it came.
type Span struct {
	ptrace.Span
	// Request is the number of the request it came in, from 1.
	Request int
}

// NewTraces starts a server that ends with the test.
func NewTraces(t *testing.T) *Traces {
	t.Helper()
	s := &Traces{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	server.Config.ConnState = s.countConnections
	server.Start()
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

func (s *Traces) countConnections(_ net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.connections++
	case http.StateClosed, http.StateHijacked:
		s.connections--
	case http.StateActive, http.StateIdle:
	}
}

func (s *Traces) serve(w http.ResponseWriter, r *http.Request) {
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
				s.spans = append(s.spans, Span{span, s.requests})
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	answer, _ := ptraceotlp.NewExportResponse().MarshalProto()
	_, _ = w.Write(answer)
}

// SetRefuse makes the server answer 503 from now on, or no more.
func (s *Traces) SetRefuse(refuse bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse, s.refused = refuse, 0
}

// Refusals counts the requests that the server refused since SetRefuse.
func (s *Traces) Refusals() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// Received returns the spans that came, and the number of requests they came in.
func (s *Traces) Received() (spans []Span, requests int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.spans), s.requests
}

const (
	waitFor = 4 * time.Minute // longer than callstitch waits after a restart
	tick    = 20 * time.Millisecond
)

// WaitFor waits for certain spans, and returns all that came until then.
func (s *Traces) WaitFor(t *testing.T, wanted ...pcommon.SpanID) (all []Span) {
	t.Helper()
	require.Eventually(t, func() bool {
		here := map[pcommon.SpanID]bool{}
		all, _ = s.Received()
		for _, span := range all {
			here[span.SpanID()] = true
		}
		return !slices.ContainsFunc(wanted, func(id pcommon.SpanID) bool { return !here[id] })
	}, waitFor, 10*tick, "wanted spans that have not come")
	return all
}

// WaitDisconnected waits until everything that a killed process had sent was
// served: its connections outlive it for as long as there is something to read.
func (s *Traces) WaitDisconnected(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.connections == 0
	}, waitFor, tick/10)
}
