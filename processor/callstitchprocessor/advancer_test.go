// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/processor/callstitchprocessor/internal/metadatatest"
)

// Not before the linger is over, and then at once.
func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		r.consume(posts(t, flow...)...)
		time.Sleep(r.config.Linger - time.Millisecond)
		synctest.Wait()
		assert.Empty(t, r.next.spans())
		time.Sleep(minTimer)
		synctest.Wait()
		assert.Len(t, r.next.spans(), 3)
	})
}

// An object with an earlier deadline than those known wakes the advancer.
func TestEarlierDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, func(r *harness) { r.config.Linger = time.Second })
		r.consume(say(names.EventCallLegStart, 0, map[string]any{names.CallLegID: "open"}))
		time.Sleep(time.Hour)
		r.consume(legEnd("ended"))
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		require.Len(t, r.next.spans(), 1)
		assert.Equal(t, "ended", str(r.next.spans()[0], names.CallLegID))
	})
}

// What is refused for now is sent again, the same to the byte, at growing
// intervals, and is one span in the end.
func TestRefusedForNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		attempts := make(map[string]int)
		r.next.refuseWith(func(_ context.Context, all []plog.LogRecord) error {
			for _, lr := range all {
				attempts[bytesOf(t, lr)]++
			}
			return errBusy
		})
		r.consume(legEnd("first"))
		time.Sleep(linger)
		r.consume(legEnd("second"))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		assert.Empty(t, r.next.spans())
		assert.Len(t, attempts, 2, "not the same each time")
		for _, n := range attempts {
			assert.Greater(t, n, 5)
			assert.Less(t, n, 60)
		}
		counts := r.counts()
		assert.EqualValues(t, 2, counts["owed"])
		assert.Greater(t, counts["send_failures"], int64(5))
		warned := r.log.FilterMessageSnippet("not sent").Len()
		assert.Greater(t, warned, 3)
		assert.LessOrEqual(t, warned, 11, "more than once a minute")

		r.next.refuseWith(nil)
		time.Sleep(5 * time.Minute)
		require.Len(t, r.next.spans(), 2)
		for _, lr := range r.next.spans() {
			assert.Contains(t, attempts, bytesOf(t, lr))
		}
		assert.Zero(t, r.counts()["owed"])
		metadatatest.AssertEqualProcessorCallstitchOwed(t, r.telemetry, []metricdata.DataPoint[int64]{{}}, metricdatatest.IgnoreTimestamp())
	})
}

// One record that is permanently refused does not take the others with it, and
// nothing of it comes into the Collector's own log.
func TestPermanentlyRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		poison := "leg 3"
		var sizes []int
		r.next.refuseWith(func(_ context.Context, all []plog.LogRecord) error {
			sizes = append(sizes, len(all))
			for _, lr := range all {
				if str(lr, names.CallLegID) == poison {
					return consumererror.NewPermanent(fmt.Errorf("cannot take %s", poison))
				}
			}
			return nil
		})
		for i := range 5 {
			r.consume(legEnd(fmt.Sprint("leg ", i)))
		}
		time.Sleep(linger)
		r.consume(legEnd("leg 6"), legEnd("leg 7"))
		time.Sleep(linger)
		synctest.Wait()
		assert.Len(t, r.next.spans(), 6)
		assert.Equal(t, []int{5, 1, 1, 1, 1, 1, 2}, sizes)
		metadatatest.AssertEqualProcessorCallstitchRejected(t, r.telemetry, []metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
		assert.Zero(t, r.counts()["owed"])
		logged := r.log.FilterMessageSnippet("permanent error").All()
		require.Len(t, logged, 1)
		assert.Len(t, logged[0].ContextMap(), 2)
		assert.Equal(t, "call_leg", logged[0].ContextMap()["kind"])
		assert.NotContains(t, fmt.Sprint(r.log.All()), poison)
	})
}

// A stitched record is sent when its trace is stored, not before.
func TestSentWhenStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		r.consume(legEnd("leg"))
		release := store.Hold()
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Empty(t, r.next.spans())
		release(nil)
		synctest.Wait()
		assert.Len(t, r.next.spans(), 1)
	})
}

// What was sent is stored as sent soon after, even if nothing else happens.
func TestSentIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		r.consume(legEnd("leg"))
		time.Sleep(linger)
		synctest.Wait()
		require.Len(t, r.next.spans(), 1)
		again := newHarness(t, withStorage(storageWith(store.Values())))
		time.Sleep(linger)
		synctest.Wait()
		assert.Empty(t, again.next.spans(), "sent twice")
		again.consume(legEnd("leg"))
		assert.EqualValues(t, 1, again.counts()["late"])
		time.Sleep(linger)
		synctest.Wait()
		assert.Empty(t, again.next.spans(), "made anew of a late record")
	})
}

// More than one batch, from more than one resource.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		const legs = 2*maxBatch + 7
		for i := range legs {
			logs := legEnd(fmt.Sprint("leg ", i))
			logs.ResourceLogs().At(0).Resource().Attributes().PutInt("bridge", int64(i%3))
			logs.ResourceLogs().At(0).SetSchemaUrl("https://example.test")
			r.consume(logs)
		}
		time.Sleep(linger)
		synctest.Wait()
		require.Len(t, r.next.stitched, 3)
		seen := make(map[string]bool)
		for _, logs := range r.next.stitched {
			assert.LessOrEqual(t, logs.LogRecordCount(), maxBatch)
			assert.LessOrEqual(t, logs.ResourceLogs().Len(), 3)
			for _, rl := range logs.ResourceLogs().All() {
				assert.Equal(t, "https://example.test", rl.SchemaUrl())
				assert.Equal(t, names.MeetingServerService, text(rl.Resource().Attributes(), names.ServiceName))
			}
			for _, lr := range records(logs) {
				seen[str(lr, names.CallLegID)] = true
			}
		}
		assert.Len(t, seen, legs)
	})
}

// When all room is taken, the sender has to wait until the oldest are out.
func TestNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, func(r *harness) { r.config.MaxObjects = 10 })
		start := func(i int) plog.Logs {
			return say(names.EventCallLegStart, 0, map[string]any{names.CallLegID: fmt.Sprint("leg ", i)})
		}
		var err error
		n := 0
		var last plog.Logs
		roster := say(names.EventRoster+".participant.update", 0, map[string]any{names.CallLegID: "leg 0"})
		for ; err == nil && n < 100; n++ {
			synctest.Wait()
			last = together(roster, start(n))
			err = r.ConsumeLogs(t.Context(), last)
		}
		assert.Equal(t, bytesOf(t, records(roster)[0]), bytesOf(t, records(last)[0]), "what was refused was changed")
		require.ErrorContains(t, err, "max_objects (10) is reached")
		assert.ErrorContains(t, err, "raise max_objects")
		assert.False(t, consumererror.IsPermanent(err))
		assert.Len(t, r.next.passed.AllLogs(), n-1, "what was refused was passed on")
		synctest.Wait()
		r.consume(start(n - 1))
		assert.NotEmpty(t, r.next.spans())
		for _, lr := range r.next.spans() {
			assert.Equal(t, "evicted", str(lr, names.CallstitchOutcome))
		}
		assert.EqualValues(t, len(r.next.spans()), r.counts()["evicted"])
	})
}

// The published ids, and a call as long as its legs.
func TestPublishedIDs(t *testing.T) {
	const call, leg1, leg2 = "46d49cb4-8171-4abc-97f5-b88035b1da0a", "fc9c85ca-8c41-4a1a-9252-b16977d1e4e1", "9cfdb064-3ae9-4b08-a003-6478187f375f"
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		r.consume(say(names.EventCallStart, 0, map[string]any{names.CallID: call}))
		for _, leg := range []string{leg1, leg2} {
			r.consume(say(names.EventCallLegStart, 0, map[string]any{names.CallLegID: leg, names.CallID: call}))
			r.consume(say(names.EventCallLegEnd, 10, map[string]any{names.CallLegID: leg}))
		}
		r.consume(say(names.EventCallEnd, 10, map[string]any{names.CallID: call}))
		time.Sleep(linger)
		synctest.Wait()
		spans := make(map[string]string)
		for _, lr := range r.next.spans() {
			spans[str(lr, names.CallID)+" "+str(lr, names.CallLegID)] = spanOf(lr) + " " + str(lr, names.SpanParentID)
			assert.Equal(t, "81eec228890c5310c28f44fe626b0159", traceOf(lr))
			start, _ := lr.Attributes().Get(names.SpanStart)
			assert.Equal(t, 10*time.Second, lr.Timestamp().AsTime().Sub(time.Unix(0, start.Int())))
		}
		assert.Equal(t, map[string]string{
			call + " ": "5581dbaf154caf46 ", call + " " + leg1: "13aa44172109b5a8 5581dbaf154caf46", call + " " + leg2: "828d4abdcbae7a63 5581dbaf154caf46",
		}, spans)
		metadatatest.AssertEqualProcessorCallstitchOpenObjects(t, r.telemetry, zeroByKind(), metricdatatest.IgnoreTimestamp())
	})
}

func zeroByKind() (points []metricdata.DataPoint[int64]) {
	for _, kind := range []string{"call", "call_leg", "recording", "streaming", "session", "track", "dialog", "dialog_fork", "api_request", "scheduled_meeting"} {
		points = append(points, metricdata.DataPoint[int64]{Attributes: attribute.NewSet(attribute.String("kind", kind))})
	}
	return points
}
