// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/receiver/cmsapireceiver/internal/metadata"
)

func configOf(t *testing.T, b *bridge) *Config {
	t.Helper()
	config, err := load(t, map[string]any{
		"initial_delay": "0s", "collection_interval": "10ms",
		"servers": []any{server(map[string]any{"endpoint": b.server.URL, "username": username, "password": password, "tls": map[string]any{"insecure": true}})},
	})
	require.NoError(t, err)
	return config
}

// The receiver scrapes at its interval, and can be made anew from the same
// configuration after a stop.
func TestReceiver(t *testing.T) {
	b := newBridge(t)
	config := configOf(t, b)
	for range 2 {
		sink := new(consumertest.MetricsSink)
		r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), config, sink)
		require.NoError(t, err)
		require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
		require.Eventually(t, func() bool { return len(sink.AllMetrics()) >= 2 }, 10*time.Second, time.Millisecond)
		require.NoError(t, r.Shutdown(context.WithoutCancel(t.Context())))
		require.NoError(t, r.Shutdown(context.WithoutCancel(t.Context())))
		assert.Contains(t, pointsOf(sink.AllMetrics()[0]), northID)
	}
}

// Nothing is passed on where nothing is known.
func TestNothingKnown(t *testing.T) {
	b := newBridge(t)
	b.statuses[""] = http.StatusInternalServerError
	sink := new(consumertest.MetricsSink)
	r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), configOf(t, b), sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { b.mu.Lock(); defer b.mu.Unlock(); return len(b.requests) >= 3 }, 10*time.Second, time.Millisecond)
	require.NoError(t, r.Shutdown(context.WithoutCancel(t.Context())))
	assert.Empty(t, sink.AllMetrics())
}

// A consumer that never returns, and a server that never answers, do not hold a
// stop.
func TestShutdownIsBounded(t *testing.T) {
	t.Run("consumer", func(t *testing.T) {
		b := newBridge(t)
		config := configOf(t, b)
		config.ShutdownTimeout = 50 * time.Millisecond
		entered, release := make(chan struct{}, 100), make(chan struct{})
		next, err := consumer.NewMetrics(func(context.Context, pmetric.Metrics) error {
			entered <- struct{}{}
			<-release
			return errors.New("late")
		})
		require.NoError(t, err)
		r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), config, next)
		require.NoError(t, err)
		require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
		<-entered
		require.NoError(t, r.Shutdown(context.WithoutCancel(t.Context())))
		close(release)
	})
	t.Run("server", func(t *testing.T) {
		b := newBridge(t)
		entered := make(chan struct{}, 1)
		b.server.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			entered <- struct{}{}
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})
		sink := new(consumertest.MetricsSink)
		r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), configOf(t, b), sink)
		require.NoError(t, err)
		host := &watchedHost{Host: componenttest.NewNopHost()}
		require.NoError(t, r.Start(t.Context(), host))
		<-entered
		require.NoError(t, r.Shutdown(context.WithoutCancel(t.Context())))
		assert.Nil(t, host.last(), "that it stops is no fault of the server")
	})
}

// A configuration that cannot work fails the start, with the key of the server.
func TestStartFails(t *testing.T) {
	config := configOf(t, newBridge(t))
	config.Servers[0].HTTP.TLS.CAFile = "testdata/missing.pem"
	r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), config, consumertest.NewNop())
	require.NoError(t, err)
	err = r.Start(t.Context(), componenttest.NewNopHost())
	require.ErrorContains(t, err, "servers::0")
	require.ErrorContains(t, err, "missing.pem")
	require.NoError(t, r.Shutdown(context.WithoutCancel(t.Context())))
}

func TestShutdownWithoutStart(t *testing.T) {
	r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), configOf(t, newBridge(t)), consumertest.NewNop())
	require.NoError(t, err)
	var c component.Component = r
	require.NoError(t, c.Shutdown(context.WithoutCancel(t.Context())))
}

// A server that is slow gives what it could give in time; the others wait no longer
// than the timeout.
func TestSlowServer(t *testing.T) {
	b, slow := newBridge(t), newBridge(t)
	slow.server.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	r := newHarness(t, func(c *Config) { c.Timeout = time.Second }, b, slow)
	all := r.scrape()
	assert.Len(t, all, 1)
	assert.Contains(t, all, northID)
	assert.Equal(t, 1, r.log.FilterLevelExact(2).Len())
	assert.Contains(t, r.host.last().Err().Error(), "longer than four fifths of timeout, 1s")
}
