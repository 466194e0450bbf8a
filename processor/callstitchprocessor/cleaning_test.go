// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/testkit"
)

// TestLogCleaning: however much is written, what is stored is bounded by what
// is held, and complete at any time.
func TestLogCleaning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, func(r *harness) { withStorage(store)(r); r.config.MaxOpen = time.Hour })
		const open = "the one that stays open"
		r.consume(startOf(open))
		size, most, mostParts := 0, 0, 0
		for i := range 1500 {
			var batch []plog.Logs
			for leg := range 20 {
				logs := legEnd(fmt.Sprintf("leg %d of %d", leg, i))
				records(logs)[0].Attributes().PutStr("long", strings.Repeat("x", 500))
				batch = append(batch, logs)
			}
			r.consume(together(batch...))
			time.Sleep(time.Second)
			if i%25 > 0 {
				continue
			}
			values := store.Values()
			size = 0
			for _, value := range values {
				size += len(value)
			}
			most, mostParts = max(most, size), max(mostParts, len(values))
		}
		time.Sleep(time.Second / 2)
		synctest.Wait()
		segments := r.Logs.(*callStitch).segmentLog
		assert.Positive(t, segments.first, "nothing was deleted")
		assert.Positive(t, segments.snapshot.previousSize)
		assert.Less(t, most, 4*snapshotAfter)
		assert.Less(t, mostParts, 4*snapshotAfter/maxPartContent)

		again := newHarness(t, func(r *harness) { withStorage(storageWith(store.Values()))(r); r.config.MaxOpen = time.Hour })
		was, is := r.counts(), again.counts()
		for _, name := range []string{"open_objects call_leg", "remembered", "owed"} {
			assert.Equal(t, was[name], is[name], name)
		}
		assert.Zero(t, is["storage_segments_lost"])

		again.consume(startOf("another"))
		third := newHarness(t, withStorage(storageWith(again.host.(testkit.Host)[*again.config.Storage].(*testkit.Storage).Values())))
		assert.Zero(t, third.counts()["storage_segments_lost"])
	})
}

// While a storage fails, what is due grows by what changes, not by the sweep.
func TestNoSweepIntoAFailingStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		long := func(id string) plog.Logs {
			logs := startOf(id)
			records(logs)[0].Attributes().PutStr("long", strings.Repeat("x", 3000))
			return logs
		}
		first := newHarness(t, withStorage(store))
		for i := range 200 {
			first.consume(long(fmt.Sprint("leg ", i)))
		}
		store = storageWith(store.Values())
		r := newHarness(t, withStorage(store))
		store.Fail(errDisk)
		for i := range 5 {
			require.ErrorIs(t, r.ConsumeLogs(t.Context(), long(fmt.Sprint("another ", i))), errDisk)
		}
		assert.Less(t, len(r.Logs.(*callStitch).segmentLog.unwritten), 3*minPiece, "one piece and what changed")
		store.Fail(nil)
		time.Sleep(2 * retryInterval)
		synctest.Wait()
		again := newHarness(t, withStorage(storageWith(store.Values())))
		assert.EqualValues(t, 205, again.counts()["restored"])
	})
}

// A sweep that a crash cut short counts for nothing; the next start begins one
// anew, and damaged segments go away with it.
func TestSweepAfterRestore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		values := someValues(t)
		values[partKey(0)] = values[partKey(0)][:7]
		store := storageWith(values)
		r := newHarness(t, withStorage(store))
		assert.EqualValues(t, 1, r.counts()["storage_segments_lost"])
		for i := range 3 {
			r.consume(startOf(fmt.Sprint("new ", i)))
		}
		assert.NotContains(t, store.Values(), partKey(0))
		known := r.counts()["open_objects call_leg"]
		again := newHarness(t, withStorage(storageWith(store.Values())))
		assert.Zero(t, again.counts()["storage_segments_lost"])
		assert.Equal(t, known, again.counts()["open_objects call_leg"])
	})
}

func someValues(t *testing.T) map[string][]byte {
	t.Helper()
	store := testkit.NewStorage()
	r := newHarness(t, withStorage(store))
	for i := range 10 {
		r.consume(startOf(fmt.Sprint("leg ", i)))
	}
	return store.Values()
}
