// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/concurrency/bounded"

	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/otel/storageclient"
)

// errStorage is what a failure to store the ledger wraps. The bridge keeps the
// records: an acknowledgement that is forgotten would be no promise.
var errStorage = errors.New("store the ledger of accepted records")

// ledgerStore keeps the ledger in a storage extension.
//
//	sessions        the list of sessions, see storedList
//	session/<id>    what was accepted, see internal/ingest/ledger
//	fingerprints/<kind>/<place>  of accepted parts without an index, see internal/ingest/ledger
//	registration/<name>  the entry at a Call Bridge, see internal/meetingserver/api: at most
//	                1 KiB for each server and URI that was ever configured
//
// A nil ledgerStore stores nothing.
type ledgerStore struct {
	client storage.Client
	logger *zap.Logger

	closing sync.Once
	closed  error // by closing

	prints sync.Mutex // held while the fingerprints are written

	mu       sync.Mutex          // guards everything below
	listed   []string            // what keySessions holds
	isListed map[string]struct{} // the same
	evicted  []string            // sessions whose state is still to be deleted
}

const (
	keySessions     = "sessions"
	keySession      = "session/"
	keyRegistration = "registration/"
)

func openStore(ctx context.Context, host component.Host, id *component.ID, set receiver.Settings) (*ledgerStore, error) {
	if id == nil {
		return nil, nil
	}
	client, err := storageclient.Open(ctx, host, *id, component.KindReceiver, set.ID, "ledger")
	if err != nil {
		return nil, err
	}
	return &ledgerStore{client: client, logger: set.Logger}, nil
}

// save stores what changed of the sessions that a body touched, and the list of
// sessions once for all of them. The caller holds no session's lock. After a failure
// the change stays due: the next save writes it.
func (s *ledgerStore) save(ctx context.Context, from *ledger.Ledger, touched, evicted []string) error {
	if s == nil {
		return nil
	}
	if len(touched)+len(evicted) > 0 {
		if err := s.list(ctx, from, touched, evicted); err != nil {
			return err
		}
	}
	for _, id := range touched {
		if err := s.saveSession(ctx, from, id); err != nil {
			return err
		}
	}
	return s.saveFingerprints(ctx, &from.Fingerprints)
}

// saveSession writes a session under its lock, so that an older state never
// overwrites a newer one. Whoever finds it stored by another may rely on it.
func (s *ledgerStore) saveSession(ctx context.Context, from *ledger.Ledger, id string) error {
	session, err := from.Lock(ctx, id)
	if err != nil {
		return fmt.Errorf("%w: %w", errStorage, err)
	}
	defer from.Unlock(session)
	if !session.Unsaved() {
		return nil
	}
	if err := s.write(ctx, storage.SetOperation(keySession+id, from.Encode(session))); err != nil {
		return err
	}
	session.MarkSaved()
	return nil
}

// saveFingerprints writes them one save at a time: they are shared, and an
// older state must not overwrite a newer one. Who finds them saved, or waited
// for the save of another, may rely on it.
func (s *ledgerStore) saveFingerprints(ctx context.Context, prints *ledger.Fingerprints) error {
	if !prints.Unsaved() {
		return nil
	}
	s.prints.Lock()
	defer s.prints.Unlock()
	if !prints.Unsaved() {
		return nil
	}
	snapshot := prints.Snapshot()
	operations := make([]*storage.Operation, 0, len(snapshot.Segments)+1)
	for _, segment := range snapshot.Segments {
		operations = append(operations, storage.SetOperation(segment.Key, segment.Stored))
	}
	if snapshot.Former {
		operations = append(operations, storage.DeleteOperation(ledger.FormerFingerprints))
	}
	if err := s.write(ctx, operations...); err != nil {
		return err
	}
	prints.MarkSaved(&snapshot)
	return nil
}

func (s *ledgerStore) write(ctx context.Context, operations ...*storage.Operation) error {
	if err := s.client.Batch(ctx, operations...); err != nil {
		return fmt.Errorf("%w: %w", errStorage, err)
	}
	return nil
}

// list writes new sessions into the list of sessions, and evicted ones out of it,
// before the sessions themselves are written: a listed session without state is
// skipped by restore, an unlisted one would never be found.
func (s *ledgerStore) list(ctx context.Context, from *ledger.Ledger, touched, evicted []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	// One that was evicted and came again since must not be deleted; what is
	// left of a damaged one is overwritten.
	s.evicted = slices.DeleteFunc(append(s.evicted, evicted...), from.Holds)
	added := make(map[string]struct{})
	for _, id := range touched {
		if _, known := s.isListed[id]; !known && from.Holds(id) {
			added[id] = struct{}{}
		}
	}
	if len(added) == 0 && len(s.evicted) == 0 {
		return nil
	}
	gone := setOf(s.evicted)
	next := slices.DeleteFunc(slices.Clone(s.listed), func(id string) bool { _, isGone := gone[id]; return isGone })
	for _, id := range touched {
		if _, isNew := added[id]; isNew {
			delete(added, id)
			next = append(next, id)
		}
	}
	list, err := encodeList(next)
	if err != nil {
		return fmt.Errorf("%w: %w", errStorage, err)
	}
	operations := []*storage.Operation{storage.SetOperation(keySessions, list)}
	for _, id := range s.evicted {
		operations = append(operations, storage.DeleteOperation(keySession+id))
	}
	if err := s.write(ctx, operations...); err != nil {
		return err
	}
	s.listed, s.isListed, s.evicted = next, setOf(next), nil
	return nil
}

func setOf(ids []string) map[string]struct{} {
	set := make(map[string]struct{}, len(ids))
	for _, id := range ids {
		set[id] = struct{}{}
	}
	return set
}

// close closes the client once. A request that outlives the grace of a stop then
// finds it closed, and is refused. One that hangs in the storage may keep the
// client from being closed: that is not waited for long.
func (s *ledgerStore) close(grace context.Context) error {
	if s == nil {
		return nil
	}
	end, cancel := bounded.After(grace, 3*bounded.AfterGrace)
	defer cancel()
	s.closing.Do(func() { s.closed = bounded.Call(end, s.client.Close) })
	return s.closed
}
