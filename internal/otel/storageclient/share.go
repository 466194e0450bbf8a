// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package storageclient

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/legato-otel/legato/internal/concurrency/groupcall"
)

// Bounds of one write: the number of its batches, and their size in bytes of keys and
// values. A single batch may be larger.
const (
	maxBatches = 1024
	maxWrite   = 4 << 20
)

// groupingClient is a client whose waiting batches share a write. A storage on a disk makes
// one write at a time, each with a sync or two, which would bound the posts a second of many
// senders.
type groupingClient struct {
	storage.Client
	group *groupcall.Group[[]*storage.Operation]
}

// newGroupingClient returns a client of the same storage. It never divides a batch, keeps the
// order of the batches, and returns the error of each batch to its caller.
func newGroupingClient(client storage.Client) storage.Client {
	s := &groupingClient{Client: client}
	s.group = groupcall.New(context.Background(), groupcall.Options[[]*storage.Operation]{
		Call: s.writeTogether, Size: sizeOfBatch, MaxSize: maxWrite, MaxRequests: maxBatches,
	})
	return s
}

func sizeOfBatch(batch []*storage.Operation) (size int) {
	for _, o := range batch {
		size += len(o.Key) + len(o.Value)
	}
	return size
}

// Set implements storage.Client.
func (s *groupingClient) Set(ctx context.Context, key string, value []byte) error {
	return s.Batch(ctx, storage.SetOperation(key, value))
}

// Delete implements storage.Client.
func (s *groupingClient) Delete(ctx context.Context, key string) error {
	return s.Batch(ctx, storage.DeleteOperation(key))
}

// Batch implements storage.Client. The caller never changes the values, even if its context
// ends before the write.
func (s *groupingClient) Batch(ctx context.Context, operations ...*storage.Operation) error {
	return s.group.Do(ctx, operations)
}

// writeTogether writes batches together. If that fails, it writes each batch separately,
// because the storage may refuse only one of them.
func (s *groupingClient) writeTogether(ctx context.Context, batches []*groupcall.Request[[]*storage.Operation]) {
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

// Close implements storage.Client. It refuses waiting batches.
func (s *groupingClient) Close(ctx context.Context) error {
	s.group.Close(errClosed)
	return s.Client.Close(ctx)
}
