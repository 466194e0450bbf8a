// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/concurrency/bounded"

	"github.com/legato-otel/legato/internal/ingest/dedup"
	"github.com/legato-otel/legato/internal/ingest/dedupstore"
	"github.com/legato-otel/legato/internal/otel/storageclient"
)

// errStorage is what a failure to store wraps: an acknowledgement that is
// forgotten would be no promise.
var errStorage = errors.New("store what was accepted")

// stateStore keeps keys and levels in a storage extension.
//
//	keys           the list of segments of named servers, see internal/ingest/dedup
//	keys/<id>      a segment
//	others         the list of segments of other senders
//	others/<id>    a segment
//	levels         how full each partition is
//
// A nil stateStore stores nothing.
type stateStore struct {
	client storage.Client
	logger *zap.Logger

	closing sync.Once
	closed  error // by closing

	saving sync.Mutex // one save at a time: an older state must not overwrite a newer one
}

const (
	storedKeys   = "keys"
	storedOthers = "others"
	storedUsage  = "levels"
)

func openStore(ctx context.Context, host component.Host, id *component.ID, set receiver.Settings) (*stateStore, error) {
	if id == nil {
		return nil, nil
	}
	client, err := storageclient.Open(ctx, host, *id, component.KindReceiver, set.ID, "events")
	if err != nil {
		return nil, err
	}
	return &stateStore{client: client, logger: set.Logger}, nil
}

// errNewer is what an error about levels of a newer release wraps.
var errNewer = errors.New("a newer release wrote them")

// newerState is the error of a start that would write over the state of a newer
// release.
func newerState(err error) error {
	return fmt.Errorf("storage: %w: start the newer release again, or give this one another storage", err)
}

// restore fills keys and levels. What cannot be read is left out with a warning:
// a receiver that does not start loses more than one that may take an event twice.
// State of a newer release is an error: it is not lost yet, and would be overwritten.
func (s *stateStore) restore(ctx context.Context, accepted *known, disks *partitions, window time.Duration) error {
	if s == nil {
		return nil
	}
	err := dedupstore.Restore(ctx, s.client, storedKeys, accepted.named, window)
	if accepted.others != nil {
		err = errors.Join(err, dedupstore.Restore(ctx, s.client, storedOthers, accepted.others, window))
	}
	if errors.Is(err, dedup.ErrNewer) {
		return newerState(err)
	}
	if err != nil {
		s.logger.Warn("Stored keys cannot be read; events accepted before this start may be taken twice", zap.Error(err))
	}
	levels, err := s.client.Get(ctx, storedUsage)
	if err == nil && levels != nil {
		err = disks.restore(levels)
	}
	if errors.Is(err, errNewer) {
		return newerState(err)
	}
	if err != nil {
		s.logger.Warn("Stored levels cannot be read; what the disks show begins anew", zap.Error(err))
	}
	if n := accepted.len(); n > 0 {
		s.logger.Info("Keys of accepted events restored", zap.Int("keys", n))
	}
	return nil
}

// save stores what changed. Who finds it stored by another may rely on it. After
// a failure the change stays due: the next save writes it.
func (s *stateStore) save(ctx context.Context, accepted *known, disks *partitions) error {
	if s == nil || !accepted.unsaved() && !disks.unsaved() {
		return nil
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	named := accepted.named.Snapshot()
	operations := dedupstore.Append(nil, storedKeys, &named)
	var others dedup.Snapshot
	if accepted.others != nil {
		others = accepted.others.Snapshot()
		operations = dedupstore.Append(operations, storedOthers, &others)
	}
	levels, version, err := disks.snapshot()
	if err != nil {
		return fmt.Errorf("%w: %w", errStorage, err)
	}
	if levels != nil {
		operations = append(operations, storage.SetOperation(storedUsage, levels))
	}
	if len(operations) == 0 {
		return nil
	}
	if err := s.client.Batch(ctx, operations...); err != nil {
		return fmt.Errorf("%w: %w", errStorage, err)
	}
	accepted.named.Saved(&named)
	if accepted.others != nil {
		accepted.others.Saved(&others)
	}
	disks.isSaved(version)
	return nil
}

// close closes the client once. A request that outlives the grace of a stop then
// finds it closed, and is refused. One that hangs in the storage may keep the
// client from being closed: that is not waited for long.
func (s *stateStore) close(grace context.Context) error {
	if s == nil {
		return nil
	}
	end, cancel := bounded.After(grace, 3*bounded.AfterGrace)
	defer cancel()
	s.closing.Do(func() { s.closed = bounded.Call(end, s.client.Close) })
	return s.closed
}
