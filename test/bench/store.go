// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Where a processor keeps its state.
const (
	storeFile   = "file_storage, fsync"
	storeMemory = "memory"
)

// storeID is the storage extension's name in configurations.
var storeID = component.MustNewID("file_storage")

// countingStorage is a storage extension that counts the stored bytes. It hands everything on
// to the real file_storage, or keeps it in memory.
type countingStorage struct {
	extension.Extension
	in storage.Extension // nil for memory

	commits, bytes, deletes atomic.Int64
}

// stored counts the bytes that went into a store.
type stored struct {
	// Commits are calls that wrote something.
	Commits int64 `json:"commits,omitempty"`
	// Bytes of values.
	Bytes int64 `json:"bytes,omitempty"`
	// Deletes of keys.
	Deletes int64 `json:"deletes,omitempty"`
	// Written bytes, as handed to the system.
	Written int64 `json:"written,omitempty"`
}

func (s stored) minus(t stored) stored {
	return stored{s.Commits - t.Commits, s.Bytes - t.Bytes, s.Deletes - t.Deletes, s.Written - t.Written}
}

// newStore makes and starts one of the kinds of storage.
func newStore(ctx context.Context, kind, directory string) (*countingStorage, error) {
	if kind == storeMemory {
		return &countingStorage{}, nil
	}
	factory := filestorage.NewFactory()
	config, err := configure(factory, map[string]any{"directory": directory, "fsync": true})
	if err != nil {
		return nil, err
	}
	made, err := factory.Create(ctx, extension.Settings{
		ID: component.NewID(factory.Type()), TelemetrySettings: componenttest.NewNopTelemetrySettings(),
	}, config)
	if err != nil {
		return nil, err
	}
	in, ok := made.(storage.Extension)
	if !ok {
		return nil, errors.New("file_storage is no storage extension")
	}
	return &countingStorage{Extension: made, in: in}, made.Start(ctx, componenttest.NewNopHost())
}

func (s *countingStorage) Start(context.Context, component.Host) error { return nil }

func (s *countingStorage) Shutdown(ctx context.Context) error {
	if s == nil || s.in == nil {
		return nil
	}
	return s.in.Shutdown(ctx)
}

// count returns the counts so far.
func (s *countingStorage) count() stored {
	if s == nil {
		return stored{}
	}
	return stored{s.commits.Load(), s.bytes.Load(), s.deletes.Load(), written()}
}

func (s *countingStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	if s.in == nil {
		return &countingClient{Client: newMemoryClient(), store: s}, nil
	}
	client, err := s.in.GetClient(ctx, kind, id, name)
	if err != nil {
		return nil, err
	}
	return &countingClient{Client: client, store: s}, nil
}

// countingClient counts the operations that go through it.
type countingClient struct {
	storage.Client
	store *countingStorage
}

func (c *countingClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c *countingClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

func (c *countingClient) Batch(ctx context.Context, operations ...*storage.Operation) error {
	writes := false
	for _, o := range operations {
		switch o.Type {
		case storage.Set:
			writes = true
			c.store.bytes.Add(int64(len(o.Value)))
		case storage.Delete:
			writes = true
			c.store.deletes.Add(1)
		}
	}
	if writes {
		c.store.commits.Add(1)
	}
	return c.Client.Batch(ctx, operations...)
}

// host has the storage, if there is one.
type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

func newHost(s *countingStorage) host {
	if s == nil {
		return nil
	}
	return host{storeID: s}
}
