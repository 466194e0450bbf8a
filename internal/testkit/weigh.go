// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"context"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Scales is a consumer that adds up what it gets, in bytes of OTLP.
type Scales struct {
	mu             sync.Mutex
	bytes, largest int
}

var _ consumer.Logs = (*Scales)(nil)

// Capabilities implements consumer.Consumer.
func (*Scales) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs implements consumer.Logs.
func (s *Scales) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	size := new(plog.ProtoMarshaler).LogsSize(logs)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes += size
	s.largest = max(s.largest, size)
	return nil
}

// Reset returns all bytes and those of the largest payload since the last Reset.
func (s *Scales) Reset() (bytes, largest int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bytes, largest = s.bytes, s.largest
	s.bytes, s.largest = 0, 0
	return bytes, largest
}

// HeapWatch sees how large the live heap becomes, as each garbage collection finds
// it. Set a low GC percentage, or it looks seldom.
type HeapWatch struct {
	before uint64
	most   atomic.Uint64
	done   atomic.Bool
}

type canary struct{ _ [64]byte }

// WatchHeap begins to watch.
func WatchHeap() *HeapWatch {
	runtime.GC()
	h := &HeapWatch{before: liveHeap()}
	h.watch()
	return h
}

// Growth ends the watch and returns by how many bytes the live heap grew at most.
func (h *HeapWatch) Growth() uint64 {
	h.done.Store(true)
	return max(h.most.Load(), h.before) - h.before
}

// watch looks after each collection: a canary that dies with it makes the next.
func (h *HeapWatch) watch() {
	runtime.SetFinalizer(new(canary), func(*canary) {
		live := liveHeap()
		for most := h.most.Load(); live > most && !h.most.CompareAndSwap(most, live); {
			most = h.most.Load()
		}
		if !h.done.Load() {
			h.watch()
		}
	})
}

func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
