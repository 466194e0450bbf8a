// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/otel/storageclient"
)

// errStorage is wrapped by each error of storing the ledger. The answer is then 503, and the
// Call Bridge keeps the records: after a restart the ledger would not know them.
var errStorage = errors.New("store the ledger of accepted records")

// ledgerStore stores the ledger in a storage extension. Its keys:
//
//	sessions                    the list of sessions, see storedList
//	session/<id>                accepted records, see internal/ingest/ledger
//	fingerprints/<kind>/<slot>  content hashes of accepted parts without an index
//	registration/<name>         the entry at a Call Bridge, see internal/meetingserver/api: at
//	                            most 1 KiB for each server and URI that was ever configured
//
// A nil ledgerStore stores nothing.
type ledgerStore struct {
	client storage.Client
	logger *zap.Logger

	closer storageclient.Closer

	list         *sessionList
	savingHashes sync.Mutex // held while the content hashes are written
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
	return &ledgerStore{client: client, logger: set.Logger, list: newSessionList(client)}, nil //nolint:contextcheck // writes end with the bodies, not with the start
}

// save stores the changed sessions of a body, and first the list of sessions once for all of
// them. The caller holds no session's lock. After a failure the next save writes the
// changes.
func (s *ledgerStore) save(ctx context.Context, from *ledger.Ledger, touched, evicted []string) error {
	if s == nil {
		return nil
	}
	if len(touched)+len(evicted) > 0 {
		if err := s.list.save(ctx, from, touched, evicted); err != nil {
			return err
		}
	}
	for _, id := range touched {
		if err := s.saveSession(ctx, from, id); err != nil {
			return err
		}
	}
	return s.saveContentHashes(ctx, &from.ContentHashes)
}

// saveSession writes a session under its lock, so that an older state never overwrites a
// newer one. It writes nothing if another request has stored the session already.
func (s *ledgerStore) saveSession(ctx context.Context, from *ledger.Ledger, id string) error {
	session, err := from.Lock(ctx, id)
	if err != nil {
		return fmt.Errorf("%w: %w", errStorage, err)
	}
	defer from.Unlock(session)
	if !session.HasChanges() {
		return nil
	}
	if err := s.write(ctx, storage.SetOperation(keySession+id, from.Encode(session))); err != nil {
		return err
	}
	session.MarkStored()
	return nil
}

// saveContentHashes writes the content hashes. All requests share them, so one save runs at
// a time: an older state must not overwrite a newer one. It writes nothing if another
// request has stored them already.
func (s *ledgerStore) saveContentHashes(ctx context.Context, prints *ledger.ContentHashes) error {
	if !prints.HasChanges() {
		return nil
	}
	s.savingHashes.Lock()
	defer s.savingHashes.Unlock()
	if !prints.HasChanges() {
		return nil
	}
	snapshot := prints.Changes()
	operations := make([]*storage.Operation, 0, len(snapshot.Segments)+1)
	for _, segment := range snapshot.Segments {
		operations = append(operations, storage.SetOperation(segment.Key, segment.Value))
	}
	if snapshot.DeleteFormerValue {
		operations = append(operations, storage.DeleteOperation(ledger.FormerContentHashesKey))
	}
	if err := s.write(ctx, operations...); err != nil {
		return err
	}
	prints.MarkStored(&snapshot)
	return nil
}

func (s *ledgerStore) write(ctx context.Context, operations ...*storage.Operation) error {
	if err := s.client.Batch(ctx, operations...); err != nil {
		return fmt.Errorf("%w: %w", errStorage, err)
	}
	return nil
}

// close closes the client once. A request that outlives the grace period of a shutdown
// then finds it closed, and is refused.
func (s *ledgerStore) close(grace context.Context) error {
	if s == nil {
		return nil
	}
	return s.closer.Close(grace, s.client.Close)
}
