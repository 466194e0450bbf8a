// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ledger"
)

// errStorage is what a failure to store the ledger wraps. The bridge keeps the
// records: an acknowledgement that is forgotten would be no promise.
var errStorage = errors.New("store the ledger of accepted records")

// ledgerStore keeps the ledger in a storage extension.
//
//	sessions        ["<session>", ...]   the least recently begun first
//	session/<id>    what was accepted, see internal/ledger
//	fingerprints    of accepted parts without an index
//
// A nil ledgerStore stores nothing.
type ledgerStore struct {
	client storage.Client
	logger *zap.Logger

	mu      sync.Mutex // guards everything below
	listed  []string   // what keySessions holds
	evicted []string   // sessions whose state is still to be deleted
}

const (
	keySessions     = "sessions"
	keySession      = "session/"
	keyFingerprints = "fingerprints"
)

func openStore(ctx context.Context, host component.Host, id *component.ID, set receiver.Settings) (*ledgerStore, error) {
	if id == nil {
		return nil, nil
	}
	extension, ok := host.GetExtensions()[*id]
	if !ok {
		return nil, fmt.Errorf("storage: no extension %q is configured in service::extensions", id)
	}
	provider, ok := extension.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: extension %q is not a storage extension", id)
	}
	client, err := provider.GetClient(ctx, component.KindReceiver, set.ID, "ledger")
	if err != nil {
		return nil, fmt.Errorf("storage: open %q: %w", id, err)
	}
	return &ledgerStore{client: client, logger: set.Logger}, nil
}

// restore fills the ledger. What cannot be read is left out with a warning: a
// receiver that does not start loses more than one that may take a record twice.
func (s *ledgerStore) restore(ctx context.Context, into *ledger.Ledger) {
	if s == nil {
		return
	}
	var sessions []string
	listed, err := s.client.Get(ctx, keySessions)
	if err == nil && listed != nil {
		err = json.Unmarshal(listed, &sessions)
	}
	if err != nil {
		s.logger.Warn("Stored ledger cannot be listed; records accepted before this start may be taken twice", zap.Error(err))
	}
	s.listed = sessions
	for _, id := range sessions {
		stored, err := s.client.Get(ctx, keySession+id)
		if err == nil && stored != nil {
			err = into.Restore(id, stored)
		}
		if err != nil {
			s.logger.Warn("Stored session skipped; its records may be taken twice", zap.Error(err))
		}
	}
	if stored, err := s.client.Get(ctx, keyFingerprints); err == nil && stored != nil {
		into.Fingerprints.UnmarshalBinary(stored)
	}
	if len(sessions) > 0 {
		s.logger.Info("Ledger of accepted records restored", zap.Int("sessions", len(sessions)))
	}
}

// save stores what changed; session may be nil. The caller holds the session's
// lock. After a failure the change stays due: the next save writes it.
func (s *ledgerStore) save(ctx context.Context, from *ledger.Ledger, session *ledger.Session, evicted []string) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	s.evicted = append(s.evicted, evicted...)
	s.mu.Unlock()

	var operations []*storage.Operation
	if session != nil && session.Unsaved() {
		if err := s.list(ctx, session.ID()); err != nil {
			return err
		}
		operations = append(operations, storage.SetOperation(keySession+session.ID(), from.MarshalBinary(session)))
	}
	prints := from.Fingerprints.Unsaved()
	if prints {
		operations = append(operations, storage.SetOperation(keyFingerprints, from.Fingerprints.MarshalBinary()))
	}
	if len(operations) == 0 {
		return nil
	}
	if err := s.client.Batch(ctx, operations...); err != nil {
		from.Fingerprints.Saved(!prints)
		return fmt.Errorf("%w: %w", errStorage, err)
	}
	if session != nil {
		session.Saved()
	}
	return nil
}

// list writes a session into the list of sessions, and evicted ones out of it,
// before the session itself is written: a listed session without state is
// skipped by restore, an unlisted one would never be found.
func (s *ledgerStore) list(ctx context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.listed, id) && len(s.evicted) == 0 {
		return nil
	}
	next := slices.DeleteFunc(slices.Clone(s.listed), func(known string) bool {
		return known == id || slices.Contains(s.evicted, known)
	})
	next = append(next, id)
	list, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("%w: %w", errStorage, err)
	}
	operations := []*storage.Operation{storage.SetOperation(keySessions, list)}
	for _, gone := range s.evicted {
		operations = append(operations, storage.DeleteOperation(keySession+gone))
	}
	if err := s.client.Batch(ctx, operations...); err != nil {
		return fmt.Errorf("%w: %w", errStorage, err)
	}
	s.listed, s.evicted = next, nil
	return nil
}

func (s *ledgerStore) close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	client := s.client
	s.client = storage.NewNopClient()
	return client.Close(ctx)
}
