// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/testkit"
)

// tape is a storage that remembers what it held after each write.
type tape struct {
	*testkit.Storage
	written func(values map[string][]byte)
}

func (s *tape) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.Storage.GetClient(ctx, kind, id, name)
	return &tapeClient{client, s}, err
}

type tapeClient struct {
	storage.Client
	tape *tape
}

func (c *tapeClient) Batch(ctx context.Context, operations ...*storage.Operation) error {
	err := c.Client.Batch(ctx, operations...)
	if operations[0].Type != storage.Get {
		c.tape.written(c.tape.Values())
	}
	return err
}

// crash is a moment at which a Collector may die.
type crash struct {
	after    time.Duration // since its start
	stored   map[string][]byte
	answered int // requests that were passed on
	sent     []plog.LogRecord
}

// between is the time from one request to the next.
const between = 2 * time.Second

// history is what several bridges send.
var history = slices.Concat(flow, stages["distributed"], stages["recording"], stages["moved"], stages["lync"], stages["session"][:7], stages["session_error"])

// live sends the requests to a processor, and lets all time pass.
func live(r *harness, requests []string, answered func()) {
	r.t.Helper()
	for _, request := range requests {
		time.Sleep(between)
		r.consume(stage(r.t, request))
		answered()
	}
	time.Sleep(2 * linger)
	time.Sleep(r.config.MaxOpen + 2*linger)
	synctest.Wait()
}

// crashes returns what is there right after each write, and right before the
// next one; and what comes out when there is no crash.
func crashes(t *testing.T) (all []crash, reference []plog.LogRecord) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		now := crash{}
		var mu sync.Mutex
		var r *harness
		look := func() {
			now.after = time.Since(start)
			if r != nil {
				now.sent = r.next.spans()
			}
			all = append(all, now)
		}
		store := &tape{Storage: testkit.NewStorage()}
		store.written = func(values map[string][]byte) {
			mu.Lock()
			defer mu.Unlock()
			look()
			now.stored = values
			look()
		}
		r = newHarness(t, withStorage(store))
		live(r, history, func() {
			mu.Lock()
			defer mu.Unlock()
			now.answered++
		})
		reference = r.next.spans()
	})
	return all, reference
}

// TestCrash: whenever a Collector dies, what its senders repeat after that
// gives the same stitched records, none is missing, and one that comes twice is
// the same to the byte.
func TestCrash(t *testing.T) {
	all, reference := crashes(t)
	require.NotEmpty(t, reference)
	require.Greater(t, len(all), 2*len(history))
	want := bySpan(t, reference)
	for i, c := range all {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(c.after)
			r := newHarness(t, withStorage(storageWith(c.stored)))
			live(r, history[c.answered:], func() {})
			got := bySpan(t, slices.Concat(c.sent, r.next.spans()))
			require.Equal(t, want, got, "crash %d, %s after the start", i, c.after)
			assert.Zero(t, r.counts()["storage_segments_lost"])
		})
	}
}

// bySpan returns the stitched records by span id, without the time at which
// they were due: it depends on when the end record came.
func bySpan(t *testing.T, all []plog.LogRecord) map[string]string {
	t.Helper()
	whole := make(map[string]string)
	got := make(map[string]string)
	for _, lr := range all {
		id, text := spanOf(lr), bytesOf(t, lr)
		if whole[id] != "" {
			require.Equal(t, whole[id], text, "sent twice, and not the same")
		}
		whole[id] = text
		other := plog.NewLogRecord()
		lr.CopyTo(other)
		other.SetObservedTimestamp(0)
		got[id] = bytesOf(t, other)
	}
	return got
}
