// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/receiver/cmseventsreceiver/internal/metadata"
)

// An unreachable server does not fail Start.
func TestUnreachable(t *testing.T) {
	runInBubble(t, 1, func(r *harness) { r.bridges[0].stop() }, func(r *harness) {
		r.wait(time.Minute)
		assert.NotZero(t, r.Counter("otelcol_receiver_cmsevents_reconnects", "unreachable"))
		assert.Equal(t, 1, r.Log.FilterMessageSnippet("No events from").Len())
		addCalls(r.bridges[0], 1, 1)
		r.bridges[0].start()
		awaitGauges(r, 10*time.Second, gauges{calls: 1, participants: 1})
	})
}

// Start reports an invalid client configuration.
func TestStartFails(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.Servers = []ServerConfig{serverConfig("cms1:8443")}
	config.Servers[0].HTTP.TLS.CAFile = "testdata/missing.pem"
	logs, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), config, consumertest.NewNop())
	require.NoError(t, err)
	err = logs.Start(t.Context(), componenttest.NewNopHost())
	require.ErrorContains(t, err, "http://cms1:8443")
	assert.ErrorContains(t, err, "missing.pem")
	require.NoError(t, logs.Shutdown(context.WithoutCancel(t.Context())))
}

// A receiver can be created again from the same configuration after Shutdown, as on a
// reload.
func TestSameConfigurationTwice(t *testing.T) {
	runInBubble(t, 1, func(r *harness) { r.Metrics = new(consumertest.MetricsSink) }, func(r *harness) {
		addCalls(r.bridges[0], 1, 1)
		awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 1})
		for _, part := range r.Parts {
			require.NoError(t, part.Shutdown(context.WithoutCancel(t.Context())))
		}
		r.wait(time.Second)
		assert.Empty(t, r.bridges[0].peers(), "closed in good order")
		r.Start()
		awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 1})
	})
}

// Without a logs pipeline the gauges are the same.
func TestMetricsAlone(t *testing.T) {
	metrics := new(consumertest.MetricsSink)
	runInBubble(t, 1, func(r *harness) { r.Logs, r.Metrics = nil, metrics }, func(r *harness) {
		addCalls(r.bridges[0], 1, 300)
		awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 300})
		r.wait(r.config.Metrics.Interval)
		assert.NotEmpty(t, metrics.AllMetrics())
		assert.Zero(t, r.Counter("otelcol_receiver_cmsevents_records", "overflow"))
	})
}

// Shutdown delivers the waiting records, and returns when its time is over.
func TestShutdown(t *testing.T) {
	f := func(next func(context.Context, plog.Logs) error, want error) {
		t.Helper()
		runInBubble(t, 1, func(r *harness) {
			var err error
			r.Logs, err = consumer.NewLogs(next)
			require.NoError(r.T, err)
		}, func(r *harness) {
			addCalls(r.bridges[0], 1, 1)
			r.wait(time.Minute)
			ctx, cancel := context.WithTimeout(context.WithoutCancel(r.T.Context()), 5*time.Second)
			defer cancel()
			began := time.Now()
			assert.Equal(r.T, want, r.Parts[0].Shutdown(ctx))
			assert.LessOrEqual(r.T, time.Since(began), 6*time.Second)
			assert.Equal(r.T, int64(3), r.Counter("otelcol_receiver_cmsevents_records", "refused"))
			r.Parts = nil
		})
	}
	f(func(context.Context, plog.Logs) error { return errors.New("later") }, nil)
	f(func(ctx context.Context, _ plog.Logs) error { <-ctx.Done(); return ctx.Err() }, nil)
}

// A peer that reads nothing, not even a close frame, does not delay Shutdown for long.
func TestShutdownDeafPeer(t *testing.T) {
	runInBubble(t, 1, func(r *harness) { r.bridges[0].setFaults(func(f *faults) { f.readNothing = true }) }, func(r *harness) {
		for _, after := range []time.Duration{time.Second, time.Minute} {
			r.wait(after)
			began := time.Now()
			for _, part := range r.Parts {
				require.NoError(t, part.Shutdown(context.WithoutCancel(t.Context())))
			}
			assert.LessOrEqual(t, time.Since(began), 11*time.Second)
			r.Start()
		}
		r.wait(time.Minute)
		assert.NotZero(t, r.Counter("otelcol_receiver_cmsevents_reconnects", "lost"))
		assert.Zero(t, r.gauges())
	})
}
