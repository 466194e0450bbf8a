// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"hash/maphash"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// memoryClient costs as little as a storage can, and its values cost the garbage
// collector nothing: collecting a store of a million values takes longer than
// the longest call that is looked for.
type memoryClient struct {
	mu     sync.Mutex
	seed   maphash.Seed
	places map[uint64]place // by hash of the key; the hashes in this store differ
	chunks []chunk
	empty  []uint32 // chunks to be used again
	filled uint32   // the chunk that is being filled
}

// place is where a value is.
type place struct{ chunk, offset, length uint32 }

// chunk has room for many values.
type chunk struct {
	room []byte
	live int // values in it
}

const chunkSize = 4 << 20

func newMemoryClient() *memoryClient {
	return &memoryClient{
		seed: maphash.MakeSeed(), places: make(map[uint64]place), chunks: []chunk{{room: make([]byte, 0, chunkSize)}},
	}
}

func (m *memoryClient) Get(ctx context.Context, key string) ([]byte, error) {
	get := storage.GetOperation(key)
	err := m.Batch(ctx, get)
	return get.Value, err
}

func (m *memoryClient) Set(ctx context.Context, key string, value []byte) error {
	return m.Batch(ctx, storage.SetOperation(key, value))
}

func (m *memoryClient) Delete(ctx context.Context, key string) error {
	return m.Batch(ctx, storage.DeleteOperation(key))
}

func (m *memoryClient) Batch(_ context.Context, operations ...*storage.Operation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range operations {
		key := maphash.String(m.seed, o.Key)
		switch o.Type {
		case storage.Get:
			o.Value = m.get(key)
		case storage.Set:
			m.remove(key)
			m.put(key, o.Value)
		case storage.Delete:
			m.remove(key)
		}
	}
	return nil
}

func (m *memoryClient) get(key uint64) []byte {
	p, found := m.places[key]
	if !found {
		return nil
	}
	return slices.Clone(m.chunks[p.chunk].room[p.offset:][:p.length])
}

func (m *memoryClient) put(key uint64, value []byte) {
	c := &m.chunks[m.filled]
	if len(c.room)+len(value) > cap(c.room) {
		c = m.next(len(value))
	}
	m.places[key] = place{m.filled, uint32(len(c.room)), uint32(len(value))} //nolint:gosec // below 4 GiB
	c.room = append(c.room, value...)
	c.live++
}

// next makes another chunk the one that is being filled, with room for n bytes.
func (m *memoryClient) next(n int) *chunk {
	former := m.filled
	if last := len(m.empty) - 1; last >= 0 {
		m.filled, m.empty = m.empty[last], m.empty[:last]
	} else {
		m.filled = uint32(len(m.chunks)) //nolint:gosec // as many as fit into the memory
		m.chunks = append(m.chunks, chunk{})
	}
	m.release(former)
	c := &m.chunks[m.filled]
	if cap(c.room) < n || c.room == nil {
		c.room = make([]byte, 0, max(n, chunkSize))
	}
	return c
}

func (m *memoryClient) remove(key uint64) {
	p, found := m.places[key]
	if !found {
		return
	}
	delete(m.places, key)
	m.chunks[p.chunk].live--
	m.release(p.chunk)
}

// release has a chunk used again if nothing in it is needed.
func (m *memoryClient) release(number uint32) {
	if c := &m.chunks[number]; c.live == 0 && number != m.filled {
		c.room = c.room[:0]
		m.empty = append(m.empty, number)
	}
}

func (*memoryClient) Close(context.Context) error { return nil }
