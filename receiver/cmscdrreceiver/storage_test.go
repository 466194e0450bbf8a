// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// A session that was evicted and came again before its state was deleted keeps
// its new state; one that did not come again loses its old one.
func TestEvictedSessionThatComesAgain(t *testing.T) {
	storage, id := testkit.NewStorage(), storageID
	store, err := openStore(t.Context(), testkit.Host{storageID: storage}, &id, receivertest.NewNopSettings(metadata.Type))
	require.NoError(t, err)
	accepted := ledger.New(ledger.DefaultLimits, time.Now)
	save := func(session string, evicted ...string) {
		s, err := accepted.Lock(t.Context(), session)
		require.NoError(t, err)
		entries := []ledger.Entry{{Index: uint64(len(s.ID()))}}
		accepted.MarkAccepted(s, ledger.RequestInfo{}, entries, s.Check(entries, nil))
		accepted.Unlock(s)
		require.NoError(t, store.save(t.Context(), accepted, []string{session}, evicted))
	}
	storage.Put("session/gone", []byte{1})
	save("again")
	save("other", "again", "gone")
	assert.Contains(t, storage.Values(), "session/again")
	assert.NotContains(t, storage.Values(), "session/gone")
	assert.JSONEq(t, `{"version": 2, "sessions": ["again", "other"]}`, string(storage.Values()["sessions"]))
}
