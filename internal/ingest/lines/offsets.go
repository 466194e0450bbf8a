// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package lines

import (
	"context"
	"sync/atomic"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Offsets stores how far files were read. The file input moves on even if its lines
// were not taken, so a stop that leaves lines gives the offsets up: the lines are read
// again after the start, and some that were taken with them.
type Offsets struct {
	client    storage.Client
	abandoned atomic.Bool
}

var _ operator.Persister = (*Offsets)(nil)

// NewOffsets stores with a client, which the caller closes.
func NewOffsets(client storage.Client) *Offsets { return &Offsets{client: client} }

// Abandon lets nothing more be stored. It may be called on nil.
func (o *Offsets) Abandon() {
	if o != nil {
		o.abandoned.Store(true)
	}
}

// Get returns what was stored under a key.
func (o *Offsets) Get(ctx context.Context, key string) ([]byte, error) {
	return o.client.Get(ctx, key)
}

// Set stores a value.
func (o *Offsets) Set(ctx context.Context, key string, value []byte) error {
	if o.abandoned.Load() {
		return nil
	}
	return o.client.Set(ctx, key, value)
}

// Delete deletes a value.
func (o *Offsets) Delete(ctx context.Context, key string) error {
	if o.abandoned.Load() {
		return nil
	}
	return o.client.Delete(ctx, key)
}

// Batch does several operations at once.
func (o *Offsets) Batch(ctx context.Context, operations ...*storage.Operation) error {
	if o.abandoned.Load() {
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
