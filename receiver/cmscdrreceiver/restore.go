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
	"github.com/legato-otel/legato/internal/otel/storageclient"
)

// errNewer is wrapped by an error about state of a newer release.
var errNewer = errors.New("a newer release wrote it")

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

// decodeList decodes a list of both versions. An error about a newer version wraps errNewer.
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

// restore fills the ledger and writes nothing. It warns about state that it cannot read, and
// leaves it out: a receiver that does not start loses more than one that may accept a record
// twice. State of a newer release is an error, because the receiver would overwrite it.
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
		return storageclient.NewerStateError(err)
	}
	if err != nil {
		s.logger.Warn("Stored ledger cannot be listed; records accepted before this start may be accepted twice", zap.Error(err))
	}
	var restored, unreadable []string
	for _, id := range sessions {
		isRestored, err := s.restoreSession(ctx, into, id)
		if err != nil {
			return err
		}
		if isRestored {
			restored = append(restored, id)
		} else {
			unreadable = append(unreadable, id)
		}
	}
	s.list.restored(restored, unreadable)
	if err := s.restoreContentHashes(ctx, &into.ContentHashes); err != nil {
		return err
	}
	if len(restored) > 0 {
		s.logger.Info("Ledger of accepted records restored", zap.Int("sessions", len(restored)))
	}
	return nil
}

// restoreSession restores one session. It returns false for a session without readable state:
// a session is listed before its state is written.
func (s *ledgerStore) restoreSession(ctx context.Context, into *ledger.Ledger, id string) (isRestored bool, err error) {
	stored, err := s.client.Get(ctx, keySession+id)
	if err == nil && stored != nil {
		err = into.Restore(id, stored)
	}
	if errors.Is(err, ledger.ErrNewer) {
		return false, storageclient.NewerStateError(err)
	}
	if err != nil {
		s.logger.Warn("Stored session skipped; its records may be accepted twice", zap.Error(err))
	}
	return err == nil && stored != nil, nil
}

// restoreContentHashes restores the value of former releases first.
func (s *ledgerStore) restoreContentHashes(ctx context.Context, into *ledger.ContentHashes) error {
	operations := []*storage.Operation{storage.GetOperation(ledger.FormerContentHashesKey)}
	for key := range ledger.ContentHashKeys() {
		operations = append(operations, storage.GetOperation(key))
	}
	errs := s.client.Batch(ctx, operations...)
	for _, o := range operations {
		if o.Value == nil {
			continue
		}
		err := into.Restore(o.Key, o.Value)
		if errors.Is(err, ledger.ErrNewer) {
			return storageclient.NewerStateError(err)
		}
		errs = errors.Join(errs, err)
	}
	if errs != nil {
		s.logger.Warn("Stored content hashes cannot be read; parts without an index may be accepted twice", zap.Error(errs))
	}
	return nil
}

// storeInCurrentVersion stores the state that was restored from a former version. It runs
// after all checks that can refuse the start.
func (s *ledgerStore) storeInCurrentVersion(ctx context.Context, from *ledger.Ledger) {
	if s == nil {
		return
	}
	var errs error
	for _, id := range s.list.listed {
		if errs = s.saveSession(ctx, from, id); errs != nil {
			break
		}
	}
	if errs == nil {
		errs = s.saveContentHashes(ctx, &from.ContentHashes)
	}
	if errs != nil {
		s.logger.Warn("State of a former release cannot be stored anew; trying again with the next records", zap.Error(errs))
	}
}
