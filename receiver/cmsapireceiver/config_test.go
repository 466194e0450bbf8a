// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/legato-otel/legato/internal/testkit"
)

func load(t *testing.T, values map[string]any) (*Config, error) {
	t.Helper()
	config := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(values).Unmarshal(config))
	return config, confmap.Validate(config)
}

func server(more map[string]any) map[string]any {
	s := map[string]any{"endpoint": "https://cms1:445", "username": "u", "password": "p"}
	maps.Copy(s, more)
	return s
}

func TestDefaults(t *testing.T) {
	config, err := load(t, map[string]any{"servers": []any{server(nil)}})
	require.NoError(t, err)
	assert.Equal(t, time.Minute, config.CollectionInterval)
	assert.Equal(t, 30*time.Second, config.Timeout)
	assert.Equal(t, 20, config.Sample)
	assert.Equal(t, 30, config.MaxRequests)
	assert.Equal(t, 5*time.Second, config.ShutdownTimeout)
	assert.Equal(t, 10*time.Second, config.Servers[0].HTTP.Timeout)
	assert.False(t, config.Discover)
	assert.True(t, config.Metrics.CiscoMeetingServerUptime.Enabled)
}

func TestFullConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(config))
	require.NoError(t, confmap.Validate(config))
	assert.Equal(t, 30*time.Second, config.CollectionInterval)
	assert.True(t, config.Discover)
	assert.Equal(t, 5, config.Sample)
	assert.Equal(t, 20, config.MaxRequests)
	assert.Equal(t, "meetings", config.ResourceAttributes["service.namespace"])
	assert.False(t, config.Metrics.CiscoMeetingServerClockOffset.Enabled)
	require.Len(t, config.Servers, 2)
	assert.Equal(t, "1.0", config.Servers[0].HTTP.TLS.MinVersion)
	assert.Equal(t, 10*time.Second, config.Servers[0].HTTP.Timeout)
	assert.Equal(t, 5*time.Second, config.Servers[1].HTTP.Timeout)
	assert.NotContains(t, fmt.Sprintf("%+v", config), "password: x")
}

func TestInvalid(t *testing.T) {
	f := func(values map[string]any, want string) {
		t.Helper()
		_, err := load(t, values)
		require.ErrorContains(t, err, want)
	}
	one := func(more map[string]any) map[string]any { return map[string]any{"servers": []any{server(more)}} }
	with := func(key string, value any) map[string]any {
		values := one(nil)
		values[key] = value
		return values
	}
	f(nil, "servers must name at least one Call Bridge")
	f(one(map[string]any{"endpoint": ""}), "servers::0: endpoint must not be empty")
	f(one(map[string]any{"endpoint": "cms1"}), `endpoint must be a URL like https://cms1:445, got "cms1"`)
	f(one(map[string]any{"endpoint": "http://cms1"}), "would send username and password in clear")
	f(one(map[string]any{"password": ""}), "servers::0: password must not be empty")
	f(one(map[string]any{"timeout": "0s"}), "servers::0::timeout must be at least 10ms, got 0s")
	f(one(map[string]any{"cdr_receiver_uri": "collector:8080/cdr?token=x"}), `servers::0: cdr_receiver_uri must be the http or https URL that the Call Bridge posts to, got "collector:8080/cdr"`)
	f(with("cdr_receiver_uri", "x"), `cdr_receiver_uri must be the http or https URL`)
	f(map[string]any{"servers": []any{server(nil), server(nil)}}, "servers::1: endpoint is that of servers::0")
	f(with("timeout", "0s"), "timeout must be at least 1s, got 0s")
	f(with("sample", -1), "sample must not be negative, got -1")
	f(with("max_requests", 5), "max_requests must be at least 12, got 5")
	f(with("shutdown_timeout", "0s"), "shutdown_timeout must be at least 10ms, got 0s")
	f(with("collection_interval", "0s"), "collection_interval")
	many := make([]any, 0, 65)
	for i := range 65 {
		many = append(many, server(map[string]any{"endpoint": fmt.Sprintf("https://cms%d", i)}))
	}
	f(map[string]any{"servers": many}, "servers must be at most 64, got 65")
}

// A number without a unit is refused for each duration, those of the Collector's sections included.
func TestDurationsNeedAUnit(t *testing.T) {
	testkit.RequireUnits(t, load, map[string]any{"servers": []any{server(nil)}}, leastDurations,
		"timeout", "servers::0::timeout", "shutdown_timeout",
		"collection_interval", "initial_delay", "servers::0::idle_conn_timeout",
	)
}
