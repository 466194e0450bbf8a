// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
	"github.com/legato-otel/legato/receiver/ocmsreceiver/internal/metadata"
)

// startWith creates a receiver for both signals, starts and stops both, and
// returns the error of the first start.
func startWith(t *testing.T, config *Config) error {
	t.Helper()
	set := receivertest.NewNopSettings(metadata.Type)
	logs, err := NewFactory().CreateLogs(t.Context(), set, config, consumertest.NewNop())
	require.NoError(t, err)
	metrics, err := NewFactory().CreateMetrics(t.Context(), set, config, consumertest.NewNop())
	require.NoError(t, err)
	assert.Same(t, logs, metrics, "one reader for both signals")
	err = logs.Start(t.Context(), componenttest.NewNopHost())
	assert.Equal(t, err, metrics.Start(t.Context(), componenttest.NewNopHost()), "both signals learn of a failed start")
	ctx := context.WithoutCancel(t.Context())
	require.NoError(t, logs.Shutdown(ctx))
	require.NoError(t, metrics.Shutdown(ctx))
	return err
}

// A receiver can be created anew from the same configuration after a stop, as
// a Collector does when it reloads.
func TestSameConfigurationTwice(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.File.Include = []string{"testdata/none.log"}
	for range 2 {
		require.NoError(t, startWith(t, config))
	}
}

// Without a logs pipeline the metrics are counted all the same.
func TestMetricsAlone(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	newHarness(t, func(r *harness) {
		r.Metrics = sink
		r.config.Metrics.Interval = 10 * time.Millisecond
		r.write("events.log", events(0, 3))
	})
	require.Eventually(t, func() bool { return len(sink.AllMetrics()) > 0 }, waitFor, tick)
}

func TestStorageThatIsMissing(t *testing.T) {
	id := component.MustNewID("store")
	config := createDefaultConfig().(*Config)
	config.File.Include, config.Storage = []string{"testdata/none.log"}, &id
	assert.ErrorContains(t, startWith(t, config), "storage")
}

// State of a newer release fails the start, and stays as it is. Damaged state does
// not.
func TestStateOfANewerRelease(t *testing.T) {
	f := func(value []byte) error {
		store := testkit.NewStorage()
		store.Put("taken", value)
		id := component.MustNewID("store")
		config := createDefaultConfig().(*Config)
		config.File.Include, config.Storage = []string{"testdata/none.log"}, &id
		part, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), config, consumertest.NewNop())
		require.NoError(t, err)
		err = part.Start(t.Context(), testkit.Host{id: store})
		require.NoError(t, part.Shutdown(context.WithoutCancel(t.Context())))
		assert.Equal(t, value, store.Values()["taken"])
		return err
	}
	require.ErrorContains(t, f([]byte{2, 0}), "start the newer release again")
	require.NoError(t, f([]byte{1, 0}))
	require.NoError(t, f([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0}))
}

// A stop whose time is up cuts off a consumer, and nothing is stored after it: the
// lines are read again.
func TestShutdownOutOfTime(t *testing.T) {
	store := testkit.NewStorage()
	waiting := make(chan struct{}, 100)
	stuck, err := consumer.NewLogs(func(ctx context.Context, _ plog.Logs) error {
		waiting <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	require.NoError(t, err)
	r := newHarness(t, func(r *harness) {
		r.Logs = stuck
		r.config.ShutdownTimeout = 10 * time.Millisecond
		withStorage(r, store)
		r.write("events.log", events(0, 5))
	})
	<-waiting
	r.Stop()
	assert.Zero(t, store.Open())
	assert.Empty(t, store.Values()["file.knownFiles"])
	sink := new(consumertest.LogsSink)
	r.Logs = sink
	r.Start()
	r.eventually(sink, callIDsOf(0, 5))
}

// A consumer that needs longer than the poll, but not longer than the grace, is
// waited for at a stop: its lines are taken.
func TestShutdownWaits(t *testing.T) {
	store := testkit.NewStorage()
	sink := new(consumertest.LogsSink)
	gate := receiverkit.NewGated(sink)
	r := newHarness(t, func(r *harness) {
		r.Logs = gate
		withStorage(r, store)
		r.write("events.log", events(0, 5))
	})
	<-gate.Entered
	stopped := make(chan struct{})
	go func() {
		r.Stop()
		close(stopped)
	}()
	gate.Leave <- struct{}{}
	<-stopped
	assert.Equal(t, callIDsOf(0, 5), callIDs(sink))
	r.Logs = sink
	r.write("events.log", event(5))
	r.Start()
	r.eventually(sink, callIDsOf(0, 6))
}
