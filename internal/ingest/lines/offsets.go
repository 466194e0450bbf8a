// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package lines

import (
	"context"
	"sync/atomic"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Offsets stores how far the file input has read its files. The input moves on even if the
// sink refused its lines. A stop with refused lines therefore calls StopStoring: the next
// start reads these lines again, and some accepted ones with them.
type Offsets struct {
	client    storage.Client
	isStopped atomic.Bool
}

var _ operator.Persister = (*Offsets)(nil)

// NewOffsets returns Offsets that store with a client. The caller closes the client.
func NewOffsets(client storage.Client) *Offsets { return &Offsets{client: client} }

// StopStoring ignores all later writes. It may be called on nil.
func (o *Offsets) StopStoring() {
	if o != nil {
		o.isStopped.Store(true)
	}
}

// Get implements operator.Persister.
func (o *Offsets) Get(ctx context.Context, key string) ([]byte, error) {
	return o.client.Get(ctx, key)
}

// Set implements operator.Persister.
func (o *Offsets) Set(ctx context.Context, key string, value []byte) error {
	if o.isStopped.Load() {
		return nil
	}
	return o.client.Set(ctx, key, value)
}

// Delete implements operator.Persister.
func (o *Offsets) Delete(ctx context.Context, key string) error {
	if o.isStopped.Load() {
		return nil
	}
	return o.client.Delete(ctx, key)
}

// Batch implements operator.Persister.
func (o *Offsets) Batch(ctx context.Context, operations ...*storage.Operation) error {
	if o.isStopped.Load() {
		var reads []*storage.Operation
		for _, operation := range operations {
			if operation.Type == storage.Get {
				reads = append(reads, operation)
			}
		}
		operations = reads
	}
	return o.client.Batch(ctx, operations...)
}
