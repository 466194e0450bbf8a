// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
)

// What callstitch's way of storing is set against: no state, only the bytes.
const (
	// appendLog appends to a file and syncs it.
	appendLog = "append log"
	// stitchedLog is callstitch without storage, and an append log behind it.
	stitchedLog = "callstitch in memory, append log"
	// perKey stores a value for each record under the key of its leg.
	perKey = "a key per leg"
)

// rawLog appends as many bytes for each record as callstitch does, and hands
// the records on once they are on the disk. Calls that come while another one
// is written are written together. Stitched records pass.
type rawLog struct {
	consumer.Logs
	file    *os.File
	payload float64 // bytes for each record
	noise   []byte
	counts  *countingStorage

	mu   sync.Mutex
	next *commit // those that come now
	turn sync.Mutex
}

// commit is the data of one write.
type commit struct {
	records int
	done    bool // guarded by turn
	err     error
}

func newRawLog(directory string, counts *countingStorage, next consumer.Logs) (*rawLog, error) {
	file, err := os.Create(filepath.Join(directory, "append.log"))
	if err != nil {
		return nil, err
	}
	r := &rawLog{Logs: next, file: file, counts: counts, next: new(commit)}
	// A file system that compresses shall not be flattered.
	r.noise = make([]byte, 1<<20)
	_, err = rand.Read(r.noise)
	return r, err
}

func (*rawLog) Start(context.Context, component.Host) error { return nil }
func (r *rawLog) Shutdown(context.Context) error            { return r.file.Close() }

func (r *rawLog) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	for log := range recordsOf(logs) {
		if strings.HasSuffix(log.EventName(), spanEvent) {
			return r.Logs.ConsumeLogs(ctx, logs)
		}
		break
	}
	r.mu.Lock()
	mine := r.next
	mine.records += logs.LogRecordCount()
	r.mu.Unlock()
	if err := r.write(mine); err != nil {
		return err
	}
	return r.Logs.ConsumeLogs(ctx, logs)
}

func (r *rawLog) write(c *commit) error {
	r.turn.Lock()
	defer r.turn.Unlock()
	if c.done {
		return c.err
	}
	r.mu.Lock()
	r.next = new(commit)
	r.mu.Unlock()
	c.done = true
	length := min(int(float64(c.records)*r.payload), len(r.noise))
	r.counts.commits.Add(1)
	r.counts.bytes.Add(int64(length))
	if _, c.err = r.file.Write(r.noise[:length]); c.err == nil {
		c.err = syncData(r.file)
	}
	return c.err
}

// keyStore stores a value for each record, under keys as random as the ids of
// legs are, in one batch for each call.
type keyStore struct {
	consumer.Logs
	store *countingStorage
	keys  uint64

	mu     sync.Mutex
	client storage.Client
	n      uint64
	value  []byte
}

// keptBytes is the size of a leg's value.
const keptBytes = 300

func newKeyStore(s *countingStorage, keys int, next consumer.Logs) *keyStore {
	return &keyStore{Logs: next, store: s, keys: uint64(keys), value: make([]byte, keptBytes)} //nolint:gosec // above 0
}

func (k *keyStore) Start(ctx context.Context, _ component.Host) (err error) {
	if _, err := rand.Read(k.value); err != nil {
		return err
	}
	if k.client, err = k.store.GetClient(ctx, component.KindProcessor, storeID, ""); err != nil {
		return err
	}
	const atOnce uint64 = 2000
	for at := uint64(0); at < k.keys; at += atOnce {
		operations := make([]*storage.Operation, 0, atOnce)
		for i := range min(atOnce, k.keys-at) {
			operations = append(operations, storage.SetOperation(keyOf(at+i), k.value))
		}
		if err := k.client.Batch(ctx, operations...); err != nil {
			return fmt.Errorf("fill the storage: %w", err)
		}
	}
	return nil
}

// keyOf is random in all of its 16 bytes.
func keyOf(n uint64) string {
	var key [16]byte
	binary.BigEndian.PutUint64(key[:8], mix(n))
	binary.BigEndian.PutUint64(key[8:], mix(^n))
	return string(key[:])
}

func (k *keyStore) Shutdown(ctx context.Context) error { return k.client.Close(ctx) }

func (k *keyStore) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	operations := make([]*storage.Operation, logs.LogRecordCount())
	k.mu.Lock()
	for i := range operations {
		operations[i] = storage.SetOperation(keyOf(mix(k.n)%k.keys), k.value)
		k.n++
	}
	k.mu.Unlock()
	if err := k.client.Batch(ctx, operations...); err != nil {
		return err
	}
	return k.Logs.ConsumeLogs(ctx, logs)
}
