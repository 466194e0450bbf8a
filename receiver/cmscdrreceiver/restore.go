// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest/ledger"
)

// errNewer is what the error of a start wraps that finds state of a newer release.
var errNewer = errors.New("a newer release wrote it")

// newerState is the error of a start that would write over the state of a newer
// release.
func newerState(err error) error {
	return fmt.Errorf("storage: %w: start the newer release again, or give this one another storage", err)
}

// listVersion is the version of the list of sessions. Version 1 is a JSON array of
// the sessions alone.
const listVersion = 2

// storedList is the list of sessions as JSON, the least recently begun first.
type storedList struct {
	Version  int      `json:"version"`
	Sessions []string `json:"sessions"`
}

func encodeList(sessions []string) ([]byte, error) {
	return json.Marshal(storedList{Version: listVersion, Sessions: sessions})
}

// decodeList reads a list of either version. The error about one of a newer release
// wraps errNewer.
func decodeList(stored []byte) (sessions []string, err error) {
	if first := bytes.TrimLeft(stored, " \t\r\n"); len(first) > 0 && first[0] == '[' {
		err = json.Unmarshal(stored, &sessions)
		return sessions, err
	}
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(stored, &version); err != nil {
		return nil, err
	}
	if version.Version > listVersion {
		return nil, fmt.Errorf("%w: the list of sessions has version %d, this release reads 1 to %d", errNewer, version.Version, listVersion)
	}
	if version.Version < listVersion {
		return nil, fmt.Errorf("the list of sessions has version %d, which there is not", version.Version)
	}
	var list storedList
	err = json.Unmarshal(stored, &list)
	return list.Sessions, err
}

// restore fills the ledger and writes nothing. What cannot be read is left out with
// a warning: a receiver that does not start loses more than one that may take a
// record twice. State of a newer release is an error: it is not lost yet, and would
// be overwritten.
func (s *ledgerStore) restore(ctx context.Context, into *ledger.Ledger) error {
	if s == nil {
		return nil
	}
	var sessions []string
	listed, err := s.client.Get(ctx, keySessions)
	if err == nil && listed != nil {
		sessions, err = decodeList(listed)
	}
	if errors.Is(err, errNewer) {
		return newerState(err)
	}
	if err != nil {
		s.logger.Warn("Stored ledger cannot be listed; records accepted before this start may be taken twice", zap.Error(err))
	}
	for _, id := range sessions {
		if err := s.restoreSession(ctx, into, id); err != nil {
			return err
		}
	}
	s.isListed = setOf(s.listed)
	if err := s.restoreFingerprints(ctx, &into.Fingerprints); err != nil {
		return err
	}
	if len(s.listed) > 0 {
		s.logger.Info("Ledger of accepted records restored", zap.Int("sessions", len(s.listed)))
	}
	return nil
}

// restoreSession restores one session, or lets it be deleted with the next
// save: one without state was listed but never written.
func (s *ledgerStore) restoreSession(ctx context.Context, into *ledger.Ledger, id string) error {
	stored, err := s.client.Get(ctx, keySession+id)
	if err == nil && stored != nil {
		err = into.Restore(id, stored)
	}
	if errors.Is(err, ledger.ErrNewer) {
		return newerState(err)
	}
	if err != nil {
		s.logger.Warn("Stored session skipped; its records may be taken twice", zap.Error(err))
	}
	if err != nil || stored == nil {
		s.evicted = append(s.evicted, id)
		return nil
	}
	s.listed = append(s.listed, id)
	return nil
}

// restoreFingerprints restores the value of former releases first.
func (s *ledgerStore) restoreFingerprints(ctx context.Context, into *ledger.Fingerprints) error {
	operations := []*storage.Operation{storage.GetOperation(ledger.FormerFingerprints)}
	for key := range ledger.FingerprintKeys() {
		operations = append(operations, storage.GetOperation(key))
	}
	errs := s.client.Batch(ctx, operations...)
	for _, o := range operations {
		if o.Value == nil {
			continue
		}
		err := into.Restore(o.Key, o.Value)
		if errors.Is(err, ledger.ErrNewer) {
			return newerState(err)
		}
		errs = errors.Join(errs, err)
	}
	if errs != nil {
		s.logger.Warn("Stored fingerprints cannot be read; parts without an index may be taken twice", zap.Error(errs))
	}
	return nil
}

// upgrade stores in the present version what was restored from a former one, once
// nothing can refuse the start any more.
func (s *ledgerStore) upgrade(ctx context.Context, from *ledger.Ledger) {
	if s == nil {
		return
	}
	var errs error
	for _, id := range s.listed {
		if errs = s.saveSession(ctx, from, id); errs != nil {
			break
		}
	}
	if errs == nil {
		errs = s.saveFingerprints(ctx, &from.Fingerprints)
	}
	if errs != nil {
		s.logger.Warn("State of a former release cannot be stored anew; trying again with the next records", zap.Error(errs))
	}
}
