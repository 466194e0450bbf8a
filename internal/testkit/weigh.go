// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"context"
	"runtime"
	"runtime/metrics"
	"sync"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Scales is a consumer that adds up the OTLP size of the logs that it gets, and measures the
// heap while it holds them: with the payload, everything is alive that the payload was made
// of.
type Scales struct {
	mu               sync.Mutex // guards everything below
	bytes, largest   int
	payloads         int
	heapBefore, heap uint64
}

// The first payloads are weighed, and then some: each costs a garbage collection.
const (
	firstWeighed = 8
	weighedEvery = 8
)

var _ consumer.Logs = (*Scales)(nil)

// Capabilities implements consumer.Consumer.
func (*Scales) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs implements consumer.Logs.
func (s *Scales) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	size := new(plog.ProtoMarshaler).LogsSize(logs)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.payloads < firstWeighed || s.payloads%weighedEvery == 0 {
		s.heap = max(s.heap, liveHeap())
	}
	s.payloads++
	s.bytes += size
	s.largest = max(s.largest, size)
	runtime.KeepAlive(logs)
	return nil
}

// Weight is the sum since the last Reset, in bytes.
type Weight struct {
	// Output is all payloads together, and Largest the largest one.
	Output, Largest int
	// Heap is how much the live heap grew at most.
	Heap uint64
}

// Reset returns the sums since the last Reset.
func (s *Scales) Reset() Weight {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := Weight{Output: s.bytes, Largest: s.largest, Heap: max(s.heap, s.heapBefore) - s.heapBefore}
	s.bytes, s.largest, s.payloads, s.heap, s.heapBefore = 0, 0, 0, 0, liveHeap()
	return w
}

// liveHeap collects the garbage first. The goroutine that measures makes none
// meanwhile, so that the result does not depend on the load of the machine.
func liveHeap() uint64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
