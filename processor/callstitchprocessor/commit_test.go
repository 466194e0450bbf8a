// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/testkit"
)

// segments are the keys of the parts that stored segments begin with.
func segments(store *testkit.Storage) (keys []string) {
	for key, value := range store.Values() {
		if strings.HasPrefix(key, "segment/") && value[sealSize]&partBegins != 0 {
			keys = append(keys, key)
		}
	}
	return keys
}

var errDisk = errors.New("disk on fire")

// Requests that come while a write is under way share the next one, and none
// is passed on before it is stored.
func TestConcurrentRequestsShareAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		release := store.Hold()
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() { assert.NoError(t, r.ConsumeLogs(t.Context(), legEnd(fmt.Sprint("leg ", i)))) })
		}
		synctest.Wait()
		assert.Equal(t, 1, store.Waiting())
		assert.Empty(t, r.next.passed.AllLogs(), "passed on before it was stored")
		release(nil)
		wg.Wait()
		assert.LessOrEqual(t, len(segments(store)), 2)
		assert.Equal(t, 20, r.next.passed.LogRecordCount())
		assert.LessOrEqual(t, len(r.next.passed.AllLogs()), 2, "passed on one by one")
	})
}

// A request that is repeated while the first one is being stored waits for the
// same write, though there is nothing new in it.
func TestRepeatedWhileStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		release := store.Hold()
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { assert.ErrorIs(t, r.ConsumeLogs(t.Context(), legEnd("leg")), errDisk) })
			synctest.Wait()
		}
		release(errDisk)
		wg.Wait()
		assert.Empty(t, r.next.passed.AllLogs())
		store.Fail(nil)
		r.consume(legEnd("leg"))
	})
}

// What could not be stored is refused, for now, and stays due: the next write
// has it, whoever wants it.
func TestStorageFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		r.consume(legEnd("first"))
		store.Fail(errDisk)
		err := r.ConsumeLogs(t.Context(), legEnd("second"))
		require.ErrorIs(t, err, errDisk)
		assert.ErrorContains(t, err, "store the state of open calls")
		assert.False(t, consumererror.IsPermanent(err))
		require.ErrorIs(t, r.ConsumeLogs(t.Context(), legEnd("second")), errDisk, "nothing new in it, and not stored yet")
		assert.Len(t, r.next.passed.AllLogs(), 1)

		r.consume(say("other.event", 0, nil))
		assert.Len(t, r.next.passed.AllLogs(), 2, "what needs no storage passes")

		time.Sleep(30 * time.Second)
		assert.Empty(t, r.next.spans(), "sent before its trace was stored")
		assert.Len(t, segments(store), 1)
		assert.Len(t, r.log.FilterMessageSnippet("State not stored").All(), 1, "once a minute")
		assert.Greater(t, r.counts()["storage_failures"], int64(2))

		store.Fail(nil)
		time.Sleep(2 * retryInterval)
		assert.Greater(t, len(segments(store)), 1, "not written without a request")
		r.consume(legEnd("second"))
		time.Sleep(time.Minute)
		assert.Len(t, r.next.spans(), 2)

		again := newHarness(t, withStorage(store))
		assert.EqualValues(t, 2, again.counts()["restored"])
		time.Sleep(time.Minute)
		assert.Empty(t, again.next.spans(), "sent twice")
	})
}

// A storage that fails for long must not fill the memory.
func TestNothingIsTakenWhenTooMuchIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		store.Fail(errDisk)
		require.ErrorIs(t, r.ConsumeLogs(t.Context(), legEnd("first")), errDisk)
		stitcher := r.Logs.(*callStitch)
		setDue := func(entries []byte) (former []byte) {
			stitcher.state.mu.Lock()
			defer stitcher.state.mu.Unlock()
			former, stitcher.segmentLog.unwritten = stitcher.segmentLog.unwritten, entries
			return former
		}
		entries := setDue(make([]byte, maxUnwritten))
		require.ErrorIs(t, r.ConsumeLogs(t.Context(), legEnd("second")), errDisk)
		assert.EqualValues(t, 1, r.counts()["open_objects call_leg"], "the second was taken")
		synctest.Wait()
		setDue(entries)
		store.Fail(nil)
		r.consume(legEnd("first"))
		r.consume(legEnd("second"))
	})
}

// A sender that gives up waiting gets an error; the state is stored all the same.
func TestSenderGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		release := store.Hold()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := r.ConsumeLogs(ctx, legEnd("leg"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.False(t, consumererror.IsPermanent(err))
		release(nil)
		synctest.Wait()
		assert.Len(t, segments(store), 1)
		assert.Empty(t, r.next.passed.AllLogs())
		r.consume(legEnd("leg"))
		assert.Len(t, segments(store), 1, "nothing new to store")
	})
}

// The last state is written even if the shutdown has no time, and a failure of the
// storage is then logged.
func TestLastWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		r.consume(legEnd("leg"))
		expired, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, r.Shutdown(expired))
		assert.Zero(t, store.Open())
		assert.Empty(t, r.next.spans())
		assert.Len(t, segments(store), 2, "the pending record")
		assert.Len(t, r.log.FilterMessageSnippet("sent after the next start").FilterField(zap.Int("pending", 1)).All(), 1)

		r = newHarness(t, withStorage(store))
		synctest.Wait()
		assert.Len(t, r.next.spans(), 1)
		store.Fail(errDisk)
		r.next.refuseWith(busy)
		require.ErrorIs(t, r.ConsumeLogs(t.Context(), legEnd("another")), errDisk)
		require.ErrorIs(t, r.Shutdown(t.Context()), errDisk)
		assert.Zero(t, store.Open())
		r.stop = func() {}
	})
}
