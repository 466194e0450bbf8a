// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/receiver/cmscdrreceiver/internal/metadata"
)

// listWrites is a storage that counts the writes of the list of sessions.
type listWrites struct {
	*testkit.Storage
	writes atomic.Int64
}

func (s *listWrites) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.Storage.GetClient(ctx, kind, id, name)
	return &listWritesClient{client, s}, err
}

type listWritesClient struct {
	storage.Client
	of *listWrites
}

func (c *listWritesClient) Batch(ctx context.Context, operations ...*storage.Operation) error {
	for _, o := range operations {
		if o.Type == storage.Set && o.Key == keySessions {
			c.of.writes.Add(1)
		}
	}
	return c.Client.Batch(ctx, operations...)
}

// listHarness saves sessions in a storage, each time with a record more.
type listHarness struct {
	t       *testing.T
	storage *listWrites
	store   *ledgerStore
	index   atomic.Uint64
}

func newListHarness(t *testing.T) *listHarness {
	t.Helper()
	r := &listHarness{t: t, storage: &listWrites{Storage: testkit.NewStorage()}}
	id := storageID
	var err error
	r.store, err = openStore(t.Context(), testkit.Host{storageID: r.storage}, &id, receivertest.NewNopSettings(metadata.Type))
	require.NoError(t, err)
	return r
}

func (r *listHarness) save(in *ledger.Ledger, session string, evicted ...string) error {
	s, err := in.Lock(r.t.Context(), session)
	if err != nil {
		return err
	}
	entries := []ledger.Entry{{Index: r.index.Add(1)}}
	in.MarkAccepted(s, ledger.RequestInfo{}, entries, s.Check(entries, nil))
	in.Unlock(s)
	return r.store.save(r.t.Context(), in, []string{session}, evicted)
}

// listed returns the stored list, sorted.
func (r *listHarness) listed() []string {
	list, err := decodeList(r.storage.Values()[keySessions])
	require.NoError(r.t, err)
	slices.Sort(list)
	return list
}

// The first posts of an estate add a session each. They share a write of the list, and those
// of known sessions wait for none.
func TestNewSessionsShareAWriteOfTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, accepted := newListHarness(t), ledger.New(ledger.DefaultLimits, time.Now)
		var want []string
		release := r.storage.Hold()
		var wg sync.WaitGroup
		for n := range 50 {
			id := fmt.Sprintf("session-%02d", n)
			want = append(want, id)
			wg.Go(func() { assert.NoError(t, r.save(accepted, id)) })
			synctest.Wait()
		}
		release(nil)
		wg.Wait()
		assert.Equal(t, int64(2), r.storage.writes.Load(), "the first alone, all others together")
		assert.Equal(t, want, r.listed())
		for _, id := range want {
			assert.Contains(t, r.storage.Values(), keySession+id)
			require.NoError(t, r.save(accepted, id))
		}
		assert.Equal(t, int64(2), r.storage.writes.Load(), "nothing has changed")
	})
}

// A session that sends records again while the write that removes it is under way is listed
// again.
func TestSessionComesAgainDuringItsRemoval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, accepted := newListHarness(t), ledger.New(ledger.DefaultLimits, time.Now)
		evicting := ledger.New(ledger.DefaultLimits, time.Now)
		require.NoError(t, r.save(accepted, "again"))
		release := r.storage.Hold()
		var wg sync.WaitGroup
		wg.Go(func() { assert.NoError(t, r.save(evicting, "other", "again")) })
		synctest.Wait()
		wg.Go(func() { assert.NoError(t, r.save(accepted, "again")) })
		synctest.Wait()
		release(nil)
		wg.Wait()
		assert.Equal(t, []string{"again", "other"}, r.listed())
		assert.Contains(t, r.storage.Values(), keySession+"again")
	})
}

// A failed write of the list refuses the bodies that share it. The next write adds and
// removes what the failed one did not.
func TestListIsNotWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, accepted := newListHarness(t), ledger.New(ledger.DefaultLimits, time.Now)
		require.NoError(t, r.save(accepted, "known"))
		r.storage.Put(keySession+"gone", []byte{1})
		release := r.storage.Hold()
		var wg sync.WaitGroup
		for _, id := range []string{"a", "b", "c"} {
			wg.Go(func() { assert.ErrorIs(t, r.save(accepted, id, "gone"), errStorage) })
			synctest.Wait()
		}
		release(assert.AnError)
		wg.Wait()
		r.storage.Fail(nil)
		assert.Equal(t, []string{"known"}, r.listed())
		require.NoError(t, r.save(accepted, "b"))
		assert.Equal(t, []string{"b", "known"}, r.listed())
		assert.NotContains(t, r.storage.Values(), keySession+"gone")
	})
}
