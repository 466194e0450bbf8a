// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/concurrency/groupcall"
	"github.com/legato-otel/legato/internal/otel/cluster"
	"github.com/legato-otel/legato/internal/otel/consume"
)

// sharedRequest is a request of ConsumeLogs that is passed on together with others.
type sharedRequest = groupcall.Request[plog.Logs]

// sharedConsumer passes requests on after their state is stored. It passes all waiting
// requests on in one call of the next consumer, in the order in which they were merged. Each
// request gets the result of that call.
//
// The call has a context of its own without the values of the requests' contexts, because the
// client.Info of one sender must not be attributed to another. A request with client metadata
// or authentication data is therefore passed on by itself. The name of the cluster does not
// count as client metadata: if all records of a call are of one cluster, the call's context
// has that name.
type sharedConsumer struct {
	next  consumer.Logs
	group *groupcall.Group[plog.Logs]
	// copyRequests reports that the next consumer mutates its input. A request that may have to
	// be sent again then needs a copy.
	copyRequests bool
}

const (
	// maxShared bounds a shared call in bytes of OTLP, and maxSharedRequests its requests:
	// exporters send a call as one payload, and backends refuse large ones.
	maxShared         = 512 << 10
	maxSharedRequests = 512
	// slowCall is how long a call delays the next one, and maxCalls how many may run at once.
	// One at a time is best for a stored queue, where a call is a transaction for which its
	// readers wait.
	slowCall = 50 * time.Millisecond
	maxCalls = 8
	// separateAfterRefusal is how long requests are passed on one by one after a shared call
	// was refused with a retryable error. If one of them caused the refusal and is retried, it
	// is refused alone.
	separateAfterRefusal = time.Second
)

func newSharedConsumer(ctx context.Context, next consumer.Logs) *sharedConsumer {
	s := &sharedConsumer{next: next, copyRequests: next.Capabilities().MutatesData}
	var size plog.ProtoMarshaler
	s.group = groupcall.New(ctx, groupcall.Options[plog.Logs]{
		Call: s.callNext, Size: size.LogsSize, MaxSize: maxShared, MaxRequests: maxSharedRequests,
		SlowAfter: slowCall, MaxCalls: maxCalls,
	})
	return s
}

// newRequest returns a request for a shared call, nil for one that must be passed on alone.
func (s *sharedConsumer) newRequest(ctx context.Context, logs plog.Logs) *sharedRequest {
	if client.FromContext(ctx).Auth != nil || !cluster.Alone(ctx) {
		return nil
	}
	return s.group.NewRequest(logs)
}

// errSendSeparately answers a request that its caller must pass on alone. The refusal of a shared
// call does not tell which request caused it.
var errSendSeparately = errors.New("shared call refused")

// callNext passes requests on in one call.
func (s *sharedConsumer) callNext(ctx context.Context, requests []*sharedRequest) {
	if len(requests) == 1 {
		alone := requests[0].Value
		requests[0].Answer(s.next.ConsumeLogs(cluster.WithMetadata(ctx, alone), alone))
		return
	}
	merged := s.merge(requests)
	err := s.next.ConsumeLogs(cluster.WithMetadata(ctx, merged.logs), merged.logs)
	switch {
	case err == nil:
	case consume.IsPermanent(err) || isPartial(err):
		merged.giveBack(requests)
		err = errSendSeparately
	default:
		merged.giveBack(requests)
		s.group.CallSingly(separateAfterRefusal)
	}
	for _, r := range requests {
		r.Answer(err)
	}
}

// isPartial reports whether an error contains the data that was not accepted. That data
// belongs to several requests.
func isPartial(err error) bool {
	_, partial := errors.AsType[consumererror.Logs](err)
	return partial
}

// mergedLogs are the requests of one call.
type mergedLogs struct {
	logs plog.Logs
	// ends of the requests, as indices of resources in logs.
	ends []int
	// copies of the requests, nil if the next consumer does not mutate logs.
	copies []plog.Logs
}

// merge moves the data of the requests into one payload.
func (s *sharedConsumer) merge(requests []*sharedRequest) *mergedLogs {
	m := &mergedLogs{logs: plog.NewLogs(), ends: make([]int, len(requests))}
	if s.copyRequests {
		m.copies = make([]plog.Logs, len(requests))
	}
	resources := m.logs.ResourceLogs()
	for i, r := range requests {
		if s.copyRequests {
			m.copies[i] = plog.NewLogs()
			r.Value.CopyTo(m.copies[i])
		}
		r.Value.ResourceLogs().MoveAndAppendTo(resources)
		m.ends[i] = resources.Len()
	}
	return m
}

// giveBack sets each request's Value to its data.
func (m *mergedLogs) giveBack(requests []*sharedRequest) {
	for i, r := range requests {
		r.Value = m.requestLogs(i)
	}
}

// restorePayload moves the data of a refused request back into the payload of its caller, if a
// shared call has taken it. The caller passes the payload on alone, or its sender, such as a
// receiver with retry_on_failure, sends it again.
func restorePayload(r *sharedRequest, payload plog.Logs) {
	if r.Value != payload {
		r.Value.ResourceLogs().MoveAndAppendTo(payload.ResourceLogs())
	}
}

// requestLogs returns the data of one request. It only reads m.logs, because a consumer behind
// the next one may still hold them.
func (m *mergedLogs) requestLogs(i int) plog.Logs {
	if m.copies != nil {
		return m.copies[i]
	}
	begin := 0
	if i > 0 {
		begin = m.ends[i-1]
	}
	part := plog.NewLogs()
	resources := part.ResourceLogs()
	resources.EnsureCapacity(m.ends[i] - begin)
	for j := begin; j < m.ends[i]; j++ {
		m.logs.ResourceLogs().At(j).CopyTo(resources.AppendEmpty())
	}
	return part
}
