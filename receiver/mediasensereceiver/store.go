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

	"github.com/legato-otel/legato/internal/ingest/dedup"
	"github.com/legato-otel/legato/internal/ingest/dedupstore"
	"github.com/legato-otel/legato/internal/otel/storageclient"
)

// errStorage is wrapped by each error of storing the state. The answer is then 503, because
// after a restart the receiver would not know the events.
var errStorage = errors.New("store what was accepted")

// stateStore stores keys and levels in a storage extension. Its storage keys:
//
//	keys           the list of segments of named servers, see internal/ingest/dedup
//	keys/<id>      a segment
//	others         the list of segments of other senders
//	others/<id>    a segment
//	levels         the levels of the storage partitions
//
// A nil stateStore stores nothing.
type stateStore struct {
	client storage.Client
	logger *zap.Logger

	closer storageclient.Closer

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

// errNewer is wrapped by an error about levels of a newer release.
var errNewer = errors.New("a newer release wrote them")

// restore fills keys and levels. It warns about state that it cannot read, and leaves it out:
// a receiver that does not start loses more than one that may accept an event twice. State of
// a newer release is an error, because the receiver would overwrite it.
func (s *stateStore) restore(ctx context.Context, accepted *acceptedKeys, disks *partitionStates, window time.Duration) error {
	if s == nil {
		return nil
	}
	err := dedupstore.Restore(ctx, s.client, storedKeys, accepted.fromNamed, window)
	if accepted.fromOthers != nil {
		err = errors.Join(err, dedupstore.Restore(ctx, s.client, storedOthers, accepted.fromOthers, window))
	}
	if errors.Is(err, dedup.ErrNewer) {
		return storageclient.NewerStateError(err)
	}
	if err != nil {
		s.logger.Warn("Stored keys cannot be read; events accepted before this start may be accepted twice", zap.Error(err))
	}
	levels, err := s.client.Get(ctx, storedUsage)
	if err == nil && levels != nil {
		err = disks.restore(levels)
	}
	if errors.Is(err, errNewer) {
		return storageclient.NewerStateError(err)
	}
	if err != nil {
		s.logger.Warn("Stored levels cannot be read; the gauges of storage partitions begin again", zap.Error(err))
	}
	if n := accepted.count(); n > 0 {
		s.logger.Info("Keys of accepted events restored", zap.Int("keys", n))
	}
	return nil
}

// save stores the changes. It writes nothing if another request has stored them already. After
// a failure the next save writes the changes.
func (s *stateStore) save(ctx context.Context, accepted *acceptedKeys, disks *partitionStates) error {
	if s == nil || !accepted.hasChanges() && !disks.hasChanges() {
		return nil
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	named := accepted.fromNamed.Changes()
	operations := dedupstore.Append(nil, storedKeys, &named)
	var others dedup.Changes
	if accepted.fromOthers != nil {
		others = accepted.fromOthers.Changes()
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
	accepted.fromNamed.MarkStored(&named)
	if accepted.fromOthers != nil {
		accepted.fromOthers.MarkStored(&others)
	}
	disks.markSaved(version)
	return nil
}

// close closes the client once. A request that outlives the grace period of a shutdown
// then finds it closed, and is refused.
func (s *stateStore) close(grace context.Context) error {
	if s == nil {
		return nil
	}
	return s.closer.Close(grace, s.client.Close)
}
