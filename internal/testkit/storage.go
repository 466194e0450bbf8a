// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"context"
	"errors"
	"maps"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Storage is a storage extension in memory. What its clients wrote outlives
// them, as a file would outlive a process. It is safe for concurrent use.
type Storage struct {
	component.StartFunc
	component.ShutdownFunc

	mu     sync.Mutex
	values map[string][]byte
	fault  error
	open   int

	gate    chan struct{} // writes wait for it, if it is not nil
	waiting int
}

var _ storage.Extension = (*Storage)(nil)

// NewStorage returns an empty storage.
func NewStorage() *Storage { return &Storage{values: make(map[string][]byte)} }

// Fail makes every read and write return err, until Fail(nil).
func (s *Storage) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = err
}

// Hold makes writes wait until release is called, and end with its error, which
// stays until Fail.
func (s *Storage) Hold() (release func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gate := make(chan struct{})
	s.gate = gate
	return func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fault, s.gate = err, nil
		close(gate)
	}
}

// Waiting returns how many writes wait.
func (s *Storage) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting
}

// wait returns when no Hold is in force. The caller holds mu.
func (s *Storage) wait() {
	for s.gate != nil {
		gate := s.gate
		s.waiting++
		s.mu.Unlock()
		<-gate
		s.mu.Lock()
		s.waiting--
	}
}

// Values returns a copy of the stored values.
func (s *Storage) Values() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.values)
}

// Put stores a value as if a client had written it.
func (s *Storage) Put(key string, value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = value
}

// Open returns how many clients are open.
func (s *Storage) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// GetClient implements storage.Extension. All clients share the values.
func (s *Storage) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return nil, s.fault
	}
	s.open++
	return &storageClient{storage: s}, nil
}

type storageClient struct {
	storage *Storage
	closed  bool
}

// errClosed is the error of a closed client.
var errClosed = errors.New("the storage client is closed")

func (c *storageClient) Get(ctx context.Context, key string) ([]byte, error) {
	get := storage.GetOperation(key)
	err := c.Batch(ctx, get)
	return get.Value, err
}

func (c *storageClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c *storageClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

func (c *storageClient) Batch(_ context.Context, operations ...*storage.Operation) error {
	s := c.storage
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait()
	if c.closed {
		return errClosed
	}
	if s.fault != nil {
		return s.fault
	}
	for _, o := range operations {
		switch o.Type {
		case storage.Get:
			o.Value = s.values[o.Key]
			continue
		case storage.Set:
			s.values[o.Key] = o.Value
		case storage.Delete:
			delete(s.values, o.Key)
		}
	}
	return nil
}

func (c *storageClient) Close(context.Context) error {
	c.storage.mu.Lock()
	defer c.storage.mu.Unlock()
	c.storage.open--
	c.closed = true
	return nil
}

// Host is a host with extensions.
type Host map[component.ID]component.Component

// GetExtensions implements component.Host.
func (h Host) GetExtensions() map[component.ID]component.Component { return h }
