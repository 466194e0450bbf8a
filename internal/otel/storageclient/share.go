// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package storageclient

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/legato-otel/legato/internal/concurrency/groupcall"
)

// Bounds of one write: of how many batches it is made, and how large they are
// together, in bytes of keys and values, unless a single one is larger.
const (
	maxBatches = 1024
	maxWrite   = 4 << 20
)

// shared is a client whose batches share a write when they wait for one. A storage
// on a disk takes one write at a time, each with a sync or two: with many senders
// that is what bounds their posts a second.
type shared struct {
	storage.Client
	group *groupcall.Group[[]*storage.Operation]
}

// share returns a client of the same storage. A batch is not divided, keeps its
// place among others, and has its own outcome.
func share(client storage.Client) storage.Client {
	s := &shared{Client: client}
	s.group = groupcall.New(context.Background(), groupcall.Options[[]*storage.Operation]{
		Call: s.write, Size: sizeOf, MaxSize: maxWrite, MaxRequests: maxBatches,
	})
	return s
}

func sizeOf(batch []*storage.Operation) (size int) {
	for _, o := range batch {
		size += len(o.Key) + len(o.Value)
	}
	return size
}

// Set implements storage.Client.
func (s *shared) Set(ctx context.Context, key string, value []byte) error {
	return s.Batch(ctx, storage.SetOperation(key, value))
}

// Delete implements storage.Client.
func (s *shared) Delete(ctx context.Context, key string) error {
	return s.Batch(ctx, storage.DeleteOperation(key))
}

// Batch implements storage.Client. The caller leaves the values as they are, also
// when its context ends before the write does.
func (s *shared) Batch(ctx context.Context, operations ...*storage.Operation) error {
	return s.group.Do(ctx, operations)
}

// write writes batches together. If that fails, each is written by itself: the
// storage may refuse one of them for what is in it.
func (s *shared) write(ctx context.Context, batches []*groupcall.Request[[]*storage.Operation]) {
	if len(batches) > 1 {
		var all []*storage.Operation
		for _, b := range batches {
			all = append(all, b.Value...)
		}
		if s.Client.Batch(ctx, all...) == nil {
			for _, b := range batches {
				b.Answer(nil)
			}
			return
		}
	}
	for _, b := range batches {
		b.Answer(s.Client.Batch(ctx, b.Value...))
	}
}

var errClosed = errors.New("the storage client is closed")

// Close implements storage.Client. Who waits for a write is refused.
func (s *shared) Close(ctx context.Context) error {
	s.group.Close(errClosed)
	return s.Client.Close(ctx)
}
