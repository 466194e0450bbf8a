// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package storageclient

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/goleak"

	"github.com/legato-otel/legato/internal/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errPoison = errors.New("the key is too long")

// counting counts the writes of a client, and refuses those with a key.
type counting struct {
	storage.Client
	poison string

	mu     sync.Mutex
	writes int
}

func (c *counting) Batch(ctx context.Context, operations ...*storage.Operation) error {
	c.mu.Lock()
	c.writes++
	c.mu.Unlock()
	for _, o := range operations {
		if c.poison != "" && o.Key == c.poison {
			return errPoison
		}
	}
	return c.Client.Batch(ctx, operations...)
}

func newShared(t *testing.T, poison string) (*testkit.Storage, *counting, storage.Client) {
	t.Helper()
	store := testkit.NewStorage()
	client, err := store.GetClient(t.Context(), component.KindReceiver, component.MustNewID("test"), "")
	require.NoError(t, err)
	count := &counting{Client: client, poison: poison}
	s := newGroupingClient(count)
	t.Cleanup(func() { require.NoError(t, s.Close(context.WithoutCancel(t.Context()))) })
	return store, count, s
}

// Batches that come while a write is under way share the next one, in the order in
// which they came.
func TestBatchesShareAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, count, client := newShared(t, "")
		release := store.Hold()
		var wg sync.WaitGroup
		gets := make([]*storage.Operation, 20)
		for i := range gets {
			gets[i] = storage.GetOperation("last")
			wg.Go(func() {
				assert.NoError(t, client.Batch(t.Context(), storage.SetOperation("last", []byte{byte(i)}), storage.SetOperation(strconv.Itoa(i), nil), gets[i]))
			})
			synctest.Wait()
		}
		release(nil)
		wg.Wait()
		assert.Equal(t, 2, count.writes)
		assert.Len(t, store.Values(), 21)
		for i, get := range gets {
			assert.Equal(t, []byte{byte(i)}, get.Value, "reads what it wrote")
		}
	})
}

// A batch that the storage refuses is refused alone.
func TestOneBatchIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, _, client := newShared(t, "poison")
		release := store.Hold()
		var wg sync.WaitGroup
		for _, key := range []string{"first", "a", "poison", "b"} {
			wg.Go(func() {
				if err := client.Set(t.Context(), key, []byte{1}); key == "poison" {
					assert.ErrorIs(t, err, errPoison)
				} else {
					assert.NoError(t, err)
				}
			})
			synctest.Wait()
		}
		release(nil)
		wg.Wait()
		assert.Len(t, store.Values(), 3)
		require.NoError(t, client.Delete(t.Context(), "a"))
		assert.Len(t, store.Values(), 2)
	})
}

// A storage that hangs holds nobody for longer than the own context, and a client
// that is closed refuses those who wait.
func TestStorageHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, _, client := newShared(t, "")
		release := store.Hold()
		ctx, cancel := context.WithCancel(t.Context())
		errs := make([]error, 3)
		var wg sync.WaitGroup
		for i, with := range []context.Context{ctx, ctx, t.Context()} {
			wg.Go(func() { errs[i] = client.Set(with, "key", []byte{byte(i)}) })
			synctest.Wait()
		}
		cancel()
		synctest.Wait()
		require.ErrorIs(t, errs[0], context.Canceled)
		require.ErrorIs(t, errs[1], context.Canceled)
		client.(*groupingClient).group.Close(errClosed)
		wg.Wait()
		require.ErrorIs(t, errs[2], errClosed)
		release(nil)
		synctest.Wait()
		assert.Equal(t, map[string][]byte{"key": {0}}, store.Values())
	})
}
