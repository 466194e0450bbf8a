// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// Both servers tell of a tag: one as its own, one as forwarded.
func TestForwardedCopies(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	for _, name := range []string{"tag-added-track.json", "tag-added-track-other.json", "tag-added-track-active-late.json", "session-ended.json", "storage-enter-low.json"} {
		body := fixture(t, name)
		var event map[string]any
		require.NoError(t, json.Unmarshal([]byte(body), &event))
		event["forwardedEvent"] = "TRUE"
		forwarded, err := json.Marshal(event) // and in another order
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, r.Post(body))
		require.Equal(t, http.StatusOK, r.Post(string(forwarded)))
	}
	assert.Equal(t, []string{names.EventTagAdded, names.EventTagAdded, names.EventTagAdded, names.EventSessionEnded, names.EventStorageEnterLow}, receiverkit.EventNames(sink))
	assert.EqualValues(t, 5, r.Counter(recordsMetric, "duplicate"))
}

// Of a batch of sessions only those pass that are news.
func TestDeletedSessionsOneByOne(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	deleted := func(ids ...string) {
		t.Helper()
		list, err := json.Marshal(ids)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, r.Post(fmt.Sprintf(`{"eventType":"SESSION_EVENT","eventAction":"DELETED","eventBody":{"sessionIds":%s}}`, list)))
	}
	deleted("a", "b")
	deleted("b", "c", "c")
	deleted("a", "b", "c")
	deleted("d")
	var got []any
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		ids, _ := lr.Attributes().Get(names.MediaSenseSessionIDs)
		got = append(got, ids.Slice().AsRaw())
	}
	assert.Equal(t, []any{[]any{"a", "b"}, []any{"c"}, []any{"d"}}, got)
	assert.EqualValues(t, 3, r.Counter(recordsMetric, "accepted"))
	assert.EqualValues(t, 1, r.Counter(recordsMetric, "duplicate"))
}

// Copies that come at the same moment by way of both servers are one event,
// also if the first of them is refused.
func TestConcurrentCopies(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Failing{Next: sink, Err: errors.New("later"), Times: 3}
	r := newHarness(t, func(r *harness) { r.Logs = next })
	const copies = 40
	bodies := []string{fixture(t, "tag-added-track.json"), fixture(t, "session-ended.json"), fixture(t, "session-deleted.json"), "garbage"}
	var wg sync.WaitGroup
	for i := range copies {
		body := bodies[i%len(bodies)]
		wg.Go(func() {
			for {
				response, err := r.Client.Post(r.URL, "application/json", strings.NewReader(body))
				if !assert.NoError(t, err) {
					return
				}
				response.Body.Close()
				if response.StatusCode == http.StatusOK {
					return
				}
			}
		})
	}
	wg.Wait()
	assert.Equal(t, len(bodies), sink.LogRecordCount())
	assert.EqualValues(t, copies-len(bodies), r.Counter(recordsMetric, "duplicate"))
}

// A second crossing of a threshold is no copy of the first.
func TestStorageWindow(t *testing.T) {
	f := func(window time.Duration, posts []string, want int) {
		t.Helper()
		sink := new(consumertest.LogsSink)
		r := newHarness(t, func(r *harness) {
			r.Logs = sink
			r.config.Deduplication.StorageWindow = window
		})
		for _, name := range posts {
			require.Equal(t, http.StatusOK, r.Post(fixture(t, name)))
		}
		assert.Equal(t, want, sink.LogRecordCount())
	}
	f(time.Hour, []string{"storage-enter-low.json", "storage-enter-low.json", "storage-exit-low.json", "storage-enter-low-doc-70.json"}, 3)
	f(0, []string{"storage-enter-low.json", "storage-exit-low.json", "storage-enter-low.json"}, 3)
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		r.config.Deduplication.StorageWindow = 20 * time.Millisecond
	})
	require.Eventually(t, func() bool {
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "storage-enter-low.json")))
		return sink.LogRecordCount() > 1
	}, waitFor, tick, "the window ends")
}

var storageID = component.MustNewID("file_storage")

func withStorage(s *testkit.Storage) func(*harness) {
	return func(r *harness) {
		id := storageID
		r.config.Storage = &id
		r.Host = testkit.Host{storageID: s}
	}
}

// everything is one post of each kind.
var everything = []string{
	"session-started.json", "session-updated.json", "session-ended.json", "session-deleted.json", "session-pruned.json", "tag-added-track.json",
	"tag-deleted.json", "storage-enter-low.json", "unknown-event-type.json", "malformed-truncated.json", "malformed-missing-comma.json",
}

// With storage nothing that was accepted is taken twice, after a stop and after
// a kill: nothing is written at a stop that was not written before.
func TestRestart(t *testing.T) {
	store := testkit.NewStorage()
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink; withStorage(store)(r) })
	for _, name := range everything {
		require.Equal(t, http.StatusOK, r.Post(fixture(t, name)))
	}
	killed := store.Values()
	count := sink.LogRecordCount()
	require.Greater(t, count, len(everything)-1)
	r.Stop()
	assert.Equal(t, killed, store.Values())
	assert.Zero(t, store.Open(), "storage clients left open")
	r.Start()
	for _, name := range everything {
		require.Equal(t, http.StatusOK, r.Post(fixture(t, name)))
	}
	assert.Equal(t, count, sink.LogRecordCount(), "all known")
}

// A save writes one small segment, however much is known.
func TestManyEventsAreStoredInSmallPieces(t *testing.T) {
	store := testkit.NewStorage()
	r := newHarness(t, func(r *harness) {
		r.Logs = consumertest.NewNop()
		r.config.Deduplication.MaxEntries = 512
		withStorage(store)(r)
	})
	ids := make([]string, 100)
	for batch := range 20 {
		for i := range ids {
			ids[i] = fmt.Sprintf(`"%d-%d"`, batch, i)
		}
		require.Equal(t, http.StatusOK, r.Post(`{"eventType":"SESSION_EVENT","eventAction":"PRUNED","eventBody":{"sessionIds":[`+strings.Join(ids, ",")+`]}}`))
	}
	values := store.Values()
	assert.LessOrEqual(t, len(values), 4, "a list and few segments")
	for key, value := range values {
		assert.LessOrEqual(t, len(value), 6145, key)
	}
	r.Stop()
	r.Start()
	assert.Equal(t, 1, r.Log.FilterMessageSnippet("Keys of accepted events restored").Len())
}

// No 200 after a failed write. The events are taken all the same, so what comes
// again is a copy, and is acknowledged once it is stored.
func TestStorageFull(t *testing.T) {
	store := testkit.NewStorage()
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink; withStorage(store)(r) })
	store.Fail(errors.New("no space left on device"))
	for range 3 {
		require.Equal(t, http.StatusServiceUnavailable, r.Post(fixture(t, "session-ended.json")))
	}
	store.Fail(nil)
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "session-ended.json")))
	assert.Equal(t, 1, sink.LogRecordCount())
	r.Stop()
	r.Start()
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "session-ended.json")))
	assert.Equal(t, 1, sink.LogRecordCount())
}

// A copy is not acknowledged before the first is stored: that may still fail.
func TestNoAcknowledgementBeforeTheKeyIsStored(t *testing.T) {
	store := testkit.NewStorage()
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink; withStorage(store)(r) })
	release := store.Hold()
	statuses := make(chan int, 2)
	body := fixture(t, "session-ended.json")
	for range cap(statuses) {
		go func() { statuses <- r.Post(body) }()
	}
	require.Eventually(t, func() bool { return store.Waiting() > 0 }, waitFor, tick)
	assert.Empty(t, statuses)
	release(errors.New("disk full"))
	for range cap(statuses) {
		assert.Equal(t, http.StatusServiceUnavailable, <-statuses)
	}
	store.Fail(nil)
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "session-ended.json")))
	assert.Equal(t, 1, sink.LogRecordCount())
}

// What is stored and cannot be read does not keep the receiver from starting.
func TestDamagedStorage(t *testing.T) {
	f := func(key string, value []byte, want string) {
		t.Helper()
		store := testkit.NewStorage()
		r := newHarness(t, func(r *harness) { r.Logs = consumertest.NewNop(); withStorage(store)(r) })
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "session-ended.json")))
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "storage-enter-low.json")))
		require.Contains(t, store.Values(), key)
		store.Put(key, value)
		r.Stop()
		r.Start()
		assert.Equal(t, 1, r.Log.FilterMessageSnippet(want).Len(), "%s=%q", key, value)
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "session-ended.json")))
	}
	f("keys", []byte{1}, "Stored keys cannot be read")
	f("keys/0", []byte{0, 1, 2}, "Stored keys cannot be read")
	f("keys/0", []byte{1, 2}, "Stored keys cannot be read")
	f("levels", []byte("{"), "Stored levels cannot be read")
	f("levels", []byte(`{"version":0}`), "Stored levels cannot be read")
}
