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

// A server that cannot be reached does not fail the start.
func TestUnreachable(t *testing.T) {
	bubble(t, 1, func(r *rig) { r.bridges[0].stop() }, func(r *rig) {
		r.settle(time.Minute)
		assert.NotZero(t, r.counter("otelcol_receiver_cmsevents_reconnects", "unreachable"))
		assert.Equal(t, 1, r.log.FilterMessageSnippet("No events from").Len())
		busy(r.bridges[0], 1, 1)
		r.bridges[0].start()
		right(r, 10*time.Second, gauges{calls: 1, participants: 1})
	})
}

// What cannot be is said at the start.
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

// A receiver can be created anew from the same configuration after a stop, as
// a Collector does when it reloads.
func TestSameConfigurationTwice(t *testing.T) {
	bubble(t, 1, func(r *rig) { r.metrics = new(consumertest.MetricsSink) }, func(r *rig) {
		busy(r.bridges[0], 1, 1)
		right(r, 5*time.Second, gauges{calls: 1, participants: 1})
		for _, part := range r.parts {
			require.NoError(t, part.Shutdown(context.WithoutCancel(t.Context())))
		}
		r.settle(time.Second)
		assert.Empty(t, r.bridges[0].peers(), "closed in good order")
		r.start()
		right(r, 5*time.Second, gauges{calls: 1, participants: 1})
	})
}

// With a metrics pipeline alone the gauges are the same.
func TestMetricsAlone(t *testing.T) {
	metrics := new(consumertest.MetricsSink)
	bubble(t, 1, func(r *rig) { r.logs, r.metrics = nil, metrics }, func(r *rig) {
		busy(r.bridges[0], 1, 300)
		right(r, 5*time.Second, gauges{calls: 1, participants: 300})
		r.settle(r.config.Metrics.Interval)
		assert.NotEmpty(t, metrics.AllMetrics())
		assert.Zero(t, r.counter("otelcol_receiver_cmsevents_records", "overflow"))
	})
}

// A shutdown passes on what waits, once more; when its time is up, it ends.
func TestShutdown(t *testing.T) {
	f := func(next func(context.Context, plog.Logs) error, want error) {
		t.Helper()
		bubble(t, 1, func(r *rig) {
			var err error
			r.logs, err = consumer.NewLogs(next)
			require.NoError(r.t, err)
		}, func(r *rig) {
			busy(r.bridges[0], 1, 1)
			r.settle(time.Minute)
			ctx, cancel := context.WithTimeout(context.WithoutCancel(r.t.Context()), 5*time.Second)
			defer cancel()
			began := time.Now()
			assert.Equal(r.t, want, r.parts[0].Shutdown(ctx))
			assert.LessOrEqual(r.t, time.Since(began), 6*time.Second)
			assert.Equal(r.t, int64(3), r.counter("otelcol_receiver_cmsevents_records", "refused"))
			r.parts = nil
		})
	}
	f(func(context.Context, plog.Logs) error { return errors.New("later") }, nil)
	f(func(ctx context.Context, _ plog.Logs) error { <-ctx.Done(); return ctx.Err() }, nil)
}

// A peer that reads nothing, not even the closing handshake, does not hold a
// shutdown for long.
func TestShutdownDeafPeer(t *testing.T) {
	bubble(t, 1, func(r *rig) { r.bridges[0].set(func(f *faults) { f.deaf = true }) }, func(r *rig) {
		for _, after := range []time.Duration{time.Second, time.Minute} {
			r.settle(after)
			began := time.Now()
			for _, part := range r.parts {
				require.NoError(t, part.Shutdown(context.WithoutCancel(t.Context())))
			}
			assert.LessOrEqual(t, time.Since(began), 11*time.Second)
			r.start()
		}
		r.settle(time.Minute)
		assert.NotZero(t, r.counter("otelcol_receiver_cmsevents_reconnects", "lost"))
		assert.Zero(t, r.gauges())
	})
}
