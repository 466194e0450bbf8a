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

	"github.com/legato-otel/legato/internal/bounded"
	"github.com/legato-otel/legato/internal/ingest"
	"github.com/legato-otel/legato/internal/ledger"
	"github.com/legato-otel/legato/internal/storageclient"
)

// errStorage is what a failure to store the ledger wraps. The bridge keeps the
// records: an acknowledgement that is forgotten would be no promise.
var errStorage = errors.New("store the ledger of accepted records")

// ledgerStore keeps the ledger in a storage extension.
//
//	sessions        ["<session>", ...]   the least recently begun first
//	session/<id>    what was accepted, see internal/ledger
//	fingerprints    of accepted parts without an index
//	registration/<name>  the entry at a Call Bridge, see internal/cmsapi: at most
//	                1 KiB for each server and URI that was ever configured
//
// A nil ledgerStore stores nothing.
type ledgerStore struct {
	client storage.Client
	logger *zap.Logger

	closing sync.Once
	closed  error // by closing

	prints sync.Mutex // held while the fingerprints are written

	mu      sync.Mutex // guards everything below
	listed  []string   // what keySessions holds
	evicted []string   // sessions whose state is still to be deleted
}

const (
	keySessions     = "sessions"
	keySession      = "session/"
	keyFingerprints = "fingerprints"
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
	for _, id := range sessions {
		s.restoreSession(ctx, into, id)
	}
	stored, err := s.client.Get(ctx, keyFingerprints)
	if err != nil {
		s.logger.Warn("Stored fingerprints cannot be read; parts without an index may be taken twice", zap.Error(err))
	}
	into.Fingerprints.UnmarshalBinary(stored)
	if len(s.listed) > 0 {
		s.logger.Info("Ledger of accepted records restored", zap.Int("sessions", len(s.listed)))
	}
}

// restoreSession restores one session, or lets it be deleted with the next
// save: one without state was listed but never written.
func (s *ledgerStore) restoreSession(ctx context.Context, into *ledger.Ledger, id string) {
	stored, err := s.client.Get(ctx, keySession+id)
	if err == nil && stored != nil {
		err = into.Restore(id, stored)
	}
	if err != nil {
		s.logger.Warn("Stored session skipped; its records may be taken twice", zap.Error(err))
	}
	if err != nil || stored == nil {
		s.evicted = append(s.evicted, id)
		return
	}
	s.listed = append(s.listed, id)
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
	if session != nil && session.Unsaved() {
		if err := s.list(ctx, from, session.ID()); err != nil {
			return err
		}
		if err := s.write(ctx, storage.SetOperation(keySession+session.ID(), from.Encode(session))); err != nil {
			return err
		}
		session.MarkSaved()
	}
	return s.saveFingerprints(ctx, &from.Fingerprints)
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
	stored, version := prints.Snapshot()
	if err := s.write(ctx, storage.SetOperation(keyFingerprints, stored)); err != nil {
		return err
	}
	prints.MarkSaved(version)
	return nil
}

func (s *ledgerStore) write(ctx context.Context, operations ...*storage.Operation) error {
	if err := s.client.Batch(ctx, operations...); err != nil {
		return fmt.Errorf("%w: %w", errStorage, err)
	}
	return nil
}

// list writes a session into the list of sessions, and evicted ones out of it,
// before the session itself is written: a listed session without state is
// skipped by restore, an unlisted one would never be found.
func (s *ledgerStore) list(ctx context.Context, from *ledger.Ledger, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	// One that was evicted and came again since must not be deleted; what is
	// left of a damaged one is overwritten.
	s.evicted = slices.DeleteFunc(s.evicted, from.Holds)
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
	if err := s.write(ctx, operations...); err != nil {
		return err
	}
	s.listed, s.evicted = next, nil
	return nil
}

// close closes the client once. A request that outlives the grace of a stop then
// finds it closed, and is refused. One that hangs in the storage may keep the
// client from being closed: that is not waited for long.
func (s *ledgerStore) close(grace context.Context) error {
	if s == nil {
		return nil
	}
	end, cancel := bounded.After(grace, 3*ingest.AfterGrace)
	defer cancel()
	s.closing.Do(func() { s.closed = bounded.Call(end, s.client.Close) })
	return s.closed
}
