// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/concurrency/bounded"

	"github.com/legato-otel/legato/internal/ingest/dedup"
	"github.com/legato-otel/legato/internal/ingest/dedupstore"
	"github.com/legato-otel/legato/internal/otel/storageclient"
)

// store keeps in a storage extension
//
//	file.<key>      what pkg/stanza stores: the offsets, at the end of each poll
//	taken           a version, and the numbers of the first chunk and of the one behind the last
//	taken/<number>  a chunk: uids of lines that were taken since the last offsets
//	keys, keys/<id> the identities of accepted messages, see internal/ingest/dedup
//
// The offsets are those of whole files after a poll, which may be 100 MB of lines.
// What was taken since they were stored is known by its chunks: they are deleted
// with the next offsets, in one batch. A nil store stores nothing.
type store struct {
	client storage.Client
	logger *zap.Logger

	closing    sync.Once
	closeError error // by closing

	mu         sync.Mutex  // guards everything below; held while the client writes
	firstChunk uint64      // number of the first chunk
	nextChunk  uint64      // number of the next chunk
	lineCount  int         // in all chunks
	replayed   map[uid]int // lines taken before the start, which are read again
	stopped    bool        // nothing more is stored
}

const (
	filePrefix = "file."
	takenKey   = "taken"
	keysPrefix = "keys"
	// knownFiles is the key under which pkg/stanza stores its offsets.
	knownFiles = "knownFiles"
)

// maxTaken bounds the lines of all chunks: 16 MiB in the storage, and 64 MiB in
// memory after a crash. Lines above it may be taken twice after a crash.
const maxTaken = 1 << 20

// errTooManyTaken is why lines are not stored as taken.
var errTooManyTaken = fmt.Errorf("more than %d lines were taken since the offsets were stored", maxTaken)

func openStore(ctx context.Context, host component.Host, id *component.ID, set receiver.Settings) (*store, error) {
	if id == nil {
		return nil, nil
	}
	client, err := storageclient.Open(ctx, host, *id, component.KindReceiver, set.ID, "events")
	if err != nil {
		return nil, err
	}
	return &store{client: client, logger: set.Logger}, nil
}

// persister returns what the file input stores its offsets with, nil if nothing is
// stored.
func (s *store) persister() operator.Persister {
	if s == nil {
		return nil
	}
	return &offsetPersister{s}
}

// hasOffsets tells whether a poll was completed before the start.
func (s *store) hasOffsets(ctx context.Context) bool {
	if s == nil {
		return false
	}
	stored, err := s.client.Get(ctx, filePrefix+knownFiles)
	return err == nil && stored != nil
}

// restore fills known, and learns which lines were taken since the offsets were
// stored. What cannot be read is left out with a warning: a receiver that does not
// start loses more than one that may take a line twice. State of a newer release is
// an error: it is not lost yet, and would be overwritten.
func (s *store) restore(ctx context.Context, known *dedup.Set, window time.Duration) error {
	if s == nil {
		return nil
	}
	err := errors.Join(dedupstore.Restore(ctx, s.client, keysPrefix, known, window), s.restoreTaken(ctx))
	if errors.Is(err, dedup.ErrNewer) || errors.Is(err, errNewerVersion) {
		return fmt.Errorf("storage: %w: start the newer release again, or give this one another storage", err)
	}
	if err != nil {
		s.logger.Warn("What was accepted cannot be read; lines accepted before this start may be taken twice", zap.Error(err))
	}
	return nil
}

// takenVersion is the version of the list of chunks, its first byte.
const takenVersion = 1

// errNewerVersion is what an error about a list of a newer release wraps.
var errNewerVersion = errors.New("a newer release wrote it")

func (s *store) restoreTaken(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replayed = make(map[uid]int)
	head, err := s.client.Get(ctx, takenKey)
	if err != nil || head == nil {
		return err
	}
	const headSize = 17
	switch {
	case len(head) > 0 && head[0] > takenVersion:
		return fmt.Errorf("%s has version %d: %w", takenKey, head[0], errNewerVersion)
	case len(head) != headSize:
		return fmt.Errorf("%s has %d bytes, not %d", takenKey, len(head), headSize)
	}
	s.firstChunk, s.nextChunk = binary.BigEndian.Uint64(head[1:]), binary.BigEndian.Uint64(head[9:])
	if s.nextChunk-s.firstChunk > maxTaken {
		s.firstChunk = s.nextChunk
		return fmt.Errorf("%s names more than %d chunks", takenKey, maxTaken)
	}
	var errs error
	for number := s.firstChunk; number != s.nextChunk; number++ {
		chunk, err := s.client.Get(ctx, chunkKey(number))
		errs = errors.Join(errs, err)
		for ; len(chunk) >= len(uid{}) && s.lineCount < maxTaken; chunk = chunk[len(uid{}):] {
			s.replayed[uid(chunk)]++
			s.lineCount++
		}
	}
	return errs
}

func chunkKey(number uint64) string { return takenKey + "/" + strconv.FormatUint(number, 10) }

// wasTaken tells whether a line was taken before the start; each one only once, for
// a file may hold the same line twice.
func (s *store) wasTaken(id uid) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.replayed[id] == 0 {
		return false
	}
	if s.replayed[id]--; s.replayed[id] == 0 {
		delete(s.replayed, id)
	}
	return true
}

// saveTaken stores that lines were taken, and which messages are known.
func (s *store) saveTaken(ctx context.Context, taken []uid, known *dedup.Set) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	snapshot := known.Snapshot()
	operations := dedupstore.Append(nil, keysPrefix, &snapshot)
	var errs error
	if s.lineCount+len(taken) > maxTaken {
		errs = errTooManyTaken
	} else if len(taken) > 0 {
		chunk := make([]byte, 0, len(taken)*len(uid{}))
		for i := range taken {
			chunk = append(chunk, taken[i][:]...)
		}
		operations = append(operations, storage.SetOperation(chunkKey(s.nextChunk), chunk), storage.SetOperation(takenKey, takenHead(s.firstChunk, s.nextChunk+1)))
	}
	if err := s.client.Batch(ctx, operations...); err != nil {
		return err
	}
	known.Saved(&snapshot)
	if errs == nil && len(taken) > 0 {
		s.nextChunk++
		s.lineCount += len(taken)
	}
	return errs
}

func takenHead(first, next uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64([]byte{takenVersion}, first), next)
}

// stopStoring lets no further offsets be stored: those that the file input has by now
// are behind lines that were not taken.
func (s *store) stopStoring() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
}

// saveOffsets stores what the file input has to store. With the offsets go the
// chunks: no callback runs at the end of a poll.
func (s *store) saveOffsets(ctx context.Context, operations []*storage.Operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	isOffsets := false
	all := make([]*storage.Operation, 0, len(operations)+1)
	for _, operation := range operations {
		isOffsets = isOffsets || operation.Type == storage.Set && operation.Key == knownFiles
		operation.Key = filePrefix + operation.Key
		all = append(all, operation)
	}
	isOffsets = isOffsets && s.firstChunk != s.nextChunk
	if isOffsets {
		for number := s.firstChunk; number != s.nextChunk; number++ {
			all = append(all, storage.DeleteOperation(chunkKey(number)))
		}
		all = append(all, storage.SetOperation(takenKey, takenHead(s.nextChunk, s.nextChunk)))
	}
	if err := s.client.Batch(ctx, all...); err != nil {
		return err
	}
	if isOffsets {
		s.firstChunk, s.lineCount, s.replayed = s.nextChunk, 0, nil
	}
	return nil
}

// close closes the client once, and stores nothing more. A callback that outlives
// the grace of a stop may hold the store: that is not waited for long.
func (s *store) close(grace context.Context) error {
	if s == nil {
		return nil
	}
	end, cancel := bounded.After(grace, 3*bounded.AfterGrace)
	defer cancel()
	s.closing.Do(func() {
		s.closeError = bounded.Call(end, func(ctx context.Context) error {
			s.stopStoring()
			return s.client.Close(ctx)
		})
	})
	return s.closeError
}

// offsetPersister is the part of the store that the file input has.
type offsetPersister struct{ *store }

var _ operator.Persister = (*offsetPersister)(nil)

// Get returns what was stored under a key.
func (o *offsetPersister) Get(ctx context.Context, key string) ([]byte, error) {
	return o.client.Get(ctx, filePrefix+key)
}

// Set stores a value.
func (o *offsetPersister) Set(ctx context.Context, key string, value []byte) error {
	return o.saveOffsets(ctx, []*storage.Operation{storage.SetOperation(key, value)})
}

// Delete deletes a value.
func (o *offsetPersister) Delete(ctx context.Context, key string) error {
	return o.saveOffsets(ctx, []*storage.Operation{storage.DeleteOperation(key)})
}

// Batch does several operations at once.
func (o *offsetPersister) Batch(ctx context.Context, operations ...*storage.Operation) error {
	for _, operation := range operations {
		if operation.Type != storage.Get {
			return o.saveOffsets(ctx, operations)
		}
	}
	for _, operation := range operations {
		operation.Key = filePrefix + operation.Key
	}
	return o.client.Batch(ctx, operations...)
}
