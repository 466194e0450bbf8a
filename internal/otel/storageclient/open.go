// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package storageclient opens a client of the storage extension in a component's
// configuration, and closes it in bounded time.
//
// Batches of several goroutines share a write of the storage. Each waits for the write,
// until its context ends. The tests use a storage in memory.
package storageclient

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Open returns a client of the storage extension with this id. name distinguishes the
// clients of one component. Its errors name the key storage.
func Open(ctx context.Context, host component.Host, id component.ID, kind component.Kind, owner component.ID, name string) (storage.Client, error) {
	extension, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("storage: no extension %q is configured in service::extensions", id)
	}
	provider, ok := extension.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: extension %q is not a storage extension", id)
	}
	client, err := provider.GetClient(ctx, kind, owner, name)
	if err != nil {
		return nil, fmt.Errorf("storage: open %q: %w", id, err)
	}
	return newGroupingClient(client), nil //nolint:contextcheck // writes end with their callers, not with the opening
}
