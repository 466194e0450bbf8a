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

// store is the state of the receiver in a storage extension:
//
//	file.<key>      state of pkg/stanza: the offsets, written at the end of each poll
//	taken           a version, and the numbers of the first chunk and of the next one
//	taken/<number>  a chunk: uids of lines that were delivered since the last offsets
//	keys, keys/<id> the identities of accepted messages, see internal/ingest/dedup
//
// pkg/stanza stores offsets once for each poll, which may read 100 MB of lines. The chunks
// name the lines that were delivered since then. They are deleted in the batch that
// stores the next offsets. A nil store stores nothing.
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

// maxTaken is the largest number of lines in all chunks: 16 MiB in the storage, and 64 MiB
// in memory after a crash. Lines above it may be delivered again after a crash.
const maxTaken = 1 << 20

// errTooManyTaken means that the chunks are full.
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

// persister returns the storage of the file input, nil without storage.
func (s *store) persister() operator.Persister {
	if s == nil {
		return nil
	}
	return &offsetPersister{s}
}

// hasOffsets reports whether the file input completed a poll before the start.
func (s *store) hasOffsets(ctx context.Context) bool {
	if s == nil {
		return false
	}
	stored, err := s.client.Get(ctx, filePrefix+knownFiles)
	return err == nil && stored != nil
}

// restore loads the identities of accepted messages into known, and the uids of the chunks. It
// logs a warning for state that cannot be read and continues: a receiver that does not start
// loses more than one that delivers a line twice. State of a newer release is an error,
// because this release would overwrite it.
func (s *store) restore(ctx context.Context, known *dedup.Set, window time.Duration) error {
	if s == nil {
		return nil
	}
	err := errors.Join(dedupstore.Restore(ctx, s.client, keysPrefix, known, window), s.restoreTaken(ctx))
	if errors.Is(err, dedup.ErrNewer) || errors.Is(err, errNewerVersion) {
		return fmt.Errorf("storage: %w: start the newer release again, or give this one another storage", err)
	}
	if err != nil {
		s.logger.Warn("Cannot read the stored state; lines delivered before this start may be delivered again", zap.Error(err))
	}
	return nil
}

// takenVersion is the version of the value of takenKey, its first byte.
const takenVersion = 1

// errNewerVersion means that a newer release wrote the state.
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

// wasTaken reports whether a line was delivered before the start. It reports each uid as
// often as the chunks have it.
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

// saveTaken stores the uids of delivered lines and the identities of accepted messages.
func (s *store) saveTaken(ctx context.Context, taken []uid, known *dedup.Set) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	snapshot := known.Changes()
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
	known.MarkStored(&snapshot)
	if errs == nil && len(taken) > 0 {
		s.nextChunk++
		s.lineCount += len(taken)
	}
	return errs
}

func takenHead(first, next uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64([]byte{takenVersion}, first), next)
}

// stopStoring makes the store ignore further writes: the offsets that the file input has
// by now are behind undelivered lines.
func (s *store) stopStoring() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
}

// saveOffsets stores the state of the file input. With the offsets it deletes the chunks;
// no callback is running then, because the input stores offsets at the end of a poll.
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

// close closes the client once. It waits only a little longer than the grace, because a
// callback may still hold the lock.
func (s *store) close(grace context.Context) error {
	if s == nil {
		return nil
	}
	end, cancel := bounded.Extend(grace, 3*bounded.CancelTimeout)
	defer cancel()
	s.closing.Do(func() {
		s.closeError = bounded.Call(end, func(ctx context.Context) error {
			s.stopStoring()
			return s.client.Close(ctx)
		})
	})
	return s.closeError
}

// offsetPersister is the storage of the file input.
type offsetPersister struct{ *store }

var _ operator.Persister = (*offsetPersister)(nil)

// Get returns the value of a key.
func (o *offsetPersister) Get(ctx context.Context, key string) ([]byte, error) {
	return o.client.Get(ctx, filePrefix+key)
}

// Set stores the value of a key.
func (o *offsetPersister) Set(ctx context.Context, key string, value []byte) error {
	return o.saveOffsets(ctx, []*storage.Operation{storage.SetOperation(key, value)})
}

// Delete deletes a key.
func (o *offsetPersister) Delete(ctx context.Context, key string) error {
	return o.saveOffsets(ctx, []*storage.Operation{storage.DeleteOperation(key)})
}

// Batch executes several operations.
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
