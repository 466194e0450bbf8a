// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/processor/callstitchprocessor/internal/metadata"
)

// startWith starts and stops a processor with a storage, and returns the error
// of the start.
func startWith(t *testing.T, config *Config, store component.Component) error {
	t.Helper()
	id := component.MustNewID("test_storage")
	config.Storage = &id
	made, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), config, consumertest.NewNop())
	require.NoError(t, err)
	host := testkit.Host{}
	if store != nil {
		host[id] = store
	}
	err = made.Start(t.Context(), host)
	require.NoError(t, made.Shutdown(t.Context()))
	return err
}

func TestVerifyShutdown(t *testing.T) {
	processortest.VerifyShutdown(t, NewFactory(), createDefaultConfig())
}

func TestCapabilities(t *testing.T) {
	assert.True(t, newHarness(t, nil).Capabilities().MutatesData)
}

// A start that fails leaves nothing behind: the same configuration starts when
// what was wrong is put right.
func TestStartFails(t *testing.T) {
	config := createDefaultConfig().(*Config)
	assert.ErrorContains(t, startWith(t, config, nil), `no extension "test_storage" is configured`)
	var other struct {
		component.StartFunc
		component.ShutdownFunc
	}
	assert.ErrorContains(t, startWith(t, config, &other), `"test_storage" is not a storage extension`)
	store := testkit.NewStorage()
	store.Fail(errDisk)
	assert.ErrorIs(t, startWith(t, config, store), errDisk)
	store.Fail(nil)
	assert.NoError(t, startWith(t, config, store))
	assert.NoError(t, startWith(t, config, store))
	assert.Zero(t, store.Open())
}

// In two pipelines each would see half of a call.
func TestTwoPipelines(t *testing.T) {
	first := newHarness(t, nil)
	second, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), first.config, consumertest.NewNop())
	require.NoError(t, err)
	err = second.Start(t.Context(), testkit.Host{})
	require.ErrorContains(t, err, "more than one pipeline")
	require.ErrorContains(t, err, "callstitch/a and callstitch/b")
	require.NoError(t, second.Shutdown(t.Context()))
	err = second.Start(t.Context(), testkit.Host{})
	require.ErrorContains(t, err, "more than one pipeline", "the shutdown of the second let go of the first")

	newHarness(t, nil) // with a configuration of its own
	first.stop()
	require.NoError(t, second.Start(t.Context(), testkit.Host{}))
	require.NoError(t, second.Shutdown(t.Context()))
}

// Nothing is taken before the start and after the stop, and a stop may come
// twice.
func TestNotRunning(t *testing.T) {
	made, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), createDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.ErrorIs(t, made.ConsumeLogs(t.Context(), plog.NewLogs()), errClosed)
	require.NoError(t, made.Start(t.Context(), testkit.Host{}))
	require.NoError(t, made.ConsumeLogs(t.Context(), plog.NewLogs()))
	require.NoError(t, made.Shutdown(t.Context()))
	require.NoError(t, made.Shutdown(t.Context()))
	require.ErrorIs(t, made.ConsumeLogs(t.Context(), plog.NewLogs()), errClosed)
}

// Without storage a stop sends everything: what has ended, and what is open.
func TestStopWithoutStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		r.consume(legEnd("ended"), startOf("open"))
		r.stop()
		outcomes := make(map[string]string)
		for _, lr := range r.next.spans() {
			outcomes[str(lr, names.CallLegID)] = str(lr, names.CallstitchOutcome)
		}
		assert.Equal(t, map[string]string{"ended": "partial", "open": "incomplete"}, outcomes)
		assert.Empty(t, r.log.FilterMessageSnippet("lost").All())
	})
}

// Without storage, records that the next consumer refuses at a stop are lost, and logged.
func TestStopLosesWithoutStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		r.consume(legEnd("ended"), startOf("open"))
		r.next.refuseWith(busy)
		r.stop()
		assert.Empty(t, r.next.spans())
		lost := r.log.FilterMessageSnippet("lost").FilterLevelExact(zap.ErrorLevel).All()
		require.Len(t, lost, 1)
		assert.EqualValues(t, 2, lost[0].ContextMap()["pending"])
	})
}

// With storage a stop sends what has ended, and the rest goes on after the next
// start as if there had been none.
func TestStopWithStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		r.consume(posts(t, flow[:5]...)...)
		r.stop()
		assert.Len(t, r.next.spans(), 1, "the leg that has ended")
		assert.Zero(t, store.Open())

		r = newHarness(t, withStorage(store))
		assert.EqualValues(t, 3, r.counts()["restored"])
		r.consume(posts(t, flow[5:]...)...)
		r.consume(posts(t, flow[4])...) // the sender did not hear of it
		r.next.refuseWith(busy)
		time.Sleep(linger)
		r.stop()
		assert.Empty(t, r.next.spans())
		assert.Len(t, r.log.FilterMessageSnippet("sent after the next start").FilterField(zap.Int("pending", 2)).All(), 1)

		r = newHarness(t, withStorage(store))
		synctest.Wait()
		assert.Len(t, r.next.spans(), 2)
		for _, lr := range r.next.spans() {
			assert.Equal(t, "complete", str(lr, names.CallstitchOutcome))
		}
	})
}

// A consumer that hangs is cut off when the time of the stop is up.
func TestStopCutsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, withStorage(testkit.NewStorage()))
		r.next.refuseWith(func(ctx context.Context, _ []plog.LogRecord) error {
			<-ctx.Done()
			return ctx.Err()
		})
		r.consume(legEnd("leg"))
		time.Sleep(linger)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		require.NoError(t, r.Shutdown(ctx))
		assert.Equal(t, time.Second, time.Since(start))
	})
}

// A next consumer that does not return does not hold up a stop without end: the
// Collector itself gives no deadline. The records that it did not accept are stored.
func TestStopWithABlockedConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		r.next.refuseWith(func(ctx context.Context, _ []plog.LogRecord) error {
			<-ctx.Done()
			return ctx.Err()
		})
		r.consume(legEnd("leg"))
		time.Sleep(linger)
		synctest.Wait()
		require.NoError(t, r.Shutdown(context.Background()))

		again := newHarness(t, withStorage(store))
		time.Sleep(linger)
		assert.Len(t, again.next.spans(), 1)
	})
}
