// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"context"
	"maps"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // the exporter's default
)

// record names a record on the wire.
type record struct {
	session string
	index   uint64
}

// sink is an OTLP/gRPC backend that acknowledges everything and counts it. Its methods
// may be called concurrently.
type sink struct {
	address string

	mu      sync.Mutex // guards everything below
	spans   map[pcommon.SpanID][]ptrace.Span
	records map[record]int
	// clusters of the records that came.
	clusters map[string]int
}

// newSink starts a backend that ends with the test.
func newSink(t *testing.T) *sink {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &sink{
		address: listener.Addr().String(),
		spans:   map[pcommon.SpanID][]ptrace.Span{}, records: map[record]int{}, clusters: map[string]int{},
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	ptraceotlp.RegisterGRPCServer(server, &tracesOf{sink: s})
	plogotlp.RegisterGRPCServer(server, &logsOf{sink: s})
	pmetricotlp.RegisterGRPCServer(server, &metricsOf{})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return s
}

type tracesOf struct {
	ptraceotlp.UnimplementedGRPCServer
	sink *sink
}

func (s *tracesOf) Export(_ context.Context, request ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	for _, rs := range request.Traces().ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				s.sink.spans[span.SpanID()] = append(s.sink.spans[span.SpanID()], span)
			}
		}
	}
	return ptraceotlp.NewExportResponse(), nil
}

type logsOf struct {
	plogotlp.UnimplementedGRPCServer
	sink *sink
}

func (s *logsOf) Export(_ context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	for _, rl := range request.Logs().ResourceLogs().All() {
		attributes := rl.Resource().Attributes()
		session, _ := attributes.Get("cisco.meeting_server.session.id")
		cluster, _ := attributes.Get("cisco.meeting_server.cluster")
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if index, found := lr.Attributes().Get("cisco.meeting_server.record.index"); found {
					s.sink.records[record{session.AsString(), uint64(index.Int())}]++
					s.sink.clusters[cluster.AsString()]++
				}
			}
		}
	}
	return plogotlp.NewExportResponse(), nil
}

type metricsOf struct {
	pmetricotlp.UnimplementedGRPCServer
}

func (*metricsOf) Export(context.Context, pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	return pmetricotlp.NewExportResponse(), nil
}

// received returns how many records came, repeated ones included.
func (s *sink) received() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, times := range s.records {
		n += times
	}
	return n
}

// of returns the clusters whose records came.
func (s *sink) of() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.clusters)
}

// all is what several sinks have together.
func all(sinks []*sink) (spans map[pcommon.SpanID][]ptrace.Span, records map[record]int) {
	spans, records = map[pcommon.SpanID][]ptrace.Span{}, map[record]int{}
	for _, s := range sinks {
		s.mu.Lock()
		for id, those := range s.spans {
			spans[id] = append(spans[id], those...)
		}
		for id, times := range s.records {
			records[id] += times
		}
		s.mu.Unlock()
	}
	return spans, records
}
