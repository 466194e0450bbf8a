// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/durations"
	"github.com/legato-otel/legato/internal/testkit"
)

// Many senders at once, a storage and a consumer that fail at times, and senders
// that repeat what was refused: everything passes, and is one span.
func TestManySenders(t *testing.T) {
	synctest.Test(t, testManySenders)
}

func testManySenders(t *testing.T) {
	const senders, requests = 8, 100
	store := testkit.NewStorage()
	r := newHarness(t, func(r *harness) {
		withStorage(store)(r)
		r.config.Linger = durations.Min
		r.next.refuseWith(func(context.Context, []plog.LogRecord) error {
			if rand.IntN(4) == 0 {
				return errBusy
			}
			return nil
		})
	})
	var wg sync.WaitGroup
	for sender := range senders {
		wg.Go(func() {
			for request := range requests {
				id := fmt.Sprintf("leg %d of %d", request, sender)
				if request%10 == 0 {
					store.Fail(errDisk)
				}
				for _, logs := range []plog.Logs{startOf(id), legEnd(id)} {
					for r.ConsumeLogs(t.Context(), clone(logs)) != nil {
						store.Fail(nil)
					}
				}
			}
		})
	}
	wg.Wait()
	store.Fail(nil)
	// A record that was set aside is tried again after up to one and a half minutes,
	// by the bubble's clock.
	time.Sleep(time.Hour)
	synctest.Wait()
	assert.Zero(t, r.counts()["owed"])
	assert.Zero(t, r.counts()["open_objects call_leg"])
	seen := make(map[string]int)
	for _, lr := range r.next.spans() {
		seen[str(lr, names.CallLegID)]++
		assert.Equal(t, "complete", str(lr, names.CallstitchOutcome))
	}
	assert.Len(t, seen, senders*requests)
	assert.Len(t, r.next.spans(), senders*requests)
	assert.GreaterOrEqual(t, r.next.passed.LogRecordCount(), 2*senders*requests)
}
