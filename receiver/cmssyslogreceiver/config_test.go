// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
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

func TestDefaults(t *testing.T) {
	config, err := load(t, map[string]any{"udp": map[string]any{"listen_address": "localhost:514"}})
	require.NoError(t, err)
	assert.Equal(t, "UTC", config.Location)
	assert.Nil(t, config.TCP)
	assert.Nil(t, config.Storage)
	assert.Equal(t, RequestsConfig{TraceTimeout: 2 * time.Second, ResponseTimeout: time.Minute, MaxSize: 64 << 10, MaxTotalSize: 16 << 20}, config.Requests)
	assert.Equal(t, 100*time.Millisecond, config.FlushInterval)
	assert.Equal(t, 512, config.MaxBatchRecords)
	assert.Equal(t, 5*time.Second, config.ShutdownTimeout)
	assert.Zero(t, config.RetryOnFailure.MaxElapsedTime)
	assert.Equal(t, MetricsConfig{Interval: 15 * time.Second, CardinalityLimit: 2000}, config.Metrics)
	assert.EqualValues(t, 64<<10, config.File.MaxLogSize)
}

func TestFullConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(config))
	require.NoError(t, confmap.Validate(config))
	assert.Equal(t, "0.0.0.0:514", config.UDP.ListenAddress)
	assert.Equal(t, "cert.pem", config.TCP.TLS.CertFile)
	assert.Equal(t, 7, config.TCP.MaxConnections)
	assert.Equal(t, []string{"/var/log/cms/*.log"}, config.File.Include)
	assert.Equal(t, "file_storage", config.Storage.String())
	assert.Equal(t, []ServerConfig{{Host: "cms-n1", CallBridge: "d80df859-cbc0-44ee-8611-449ab1bf39d7", ResourceAttributes: map[string]string{"site": "north"}}}, config.Servers)
	assert.Equal(t, RequestsConfig{TraceTimeout: 5 * time.Second, ResponseTimeout: 2 * time.Minute, MaxSize: 8192, MaxTotalSize: 1 << 20}, config.Requests)
	assert.Equal(t, MetricsConfig{Interval: time.Minute, CardinalityLimit: 500}, config.Metrics)
	assert.Equal(t, "udp,tcp,file", transportName(config))
}

func TestConfigErrors(t *testing.T) {
	f := func(values map[string]any, want ...string) {
		t.Helper()
		if values["include"] == nil && values["udp"] == nil && values["tcp"] == nil {
			values["udp"] = map[string]any{"listen_address": "localhost:514"}
		}
		_, err := load(t, values)
		for _, text := range want {
			require.ErrorContains(t, err, text)
		}
	}
	_, err := load(t, nil)
	require.ErrorContains(t, err, "must have udp, tcp or include, got none")
	f(map[string]any{"udp": map[string]any{"add_attributes": true}}, "udp::listen_address must not be empty")
	f(map[string]any{"tcp": map[string]any{"add_attributes": true}}, "tcp::listen_address must not be empty")
	f(map[string]any{"udp": map[string]any{"listen_address": "127.0.0.1"}},
		`udp::listen_address must be host:port, as 0.0.0.0:514, with a port from 0 to 65535; got "127.0.0.1"`)
	f(map[string]any{"tcp": map[string]any{"listen_address": "0.0.0.0:99999"}},
		`tcp::listen_address must be host:port, as 0.0.0.0:6514, with a port from 0 to 65535; got "0.0.0.0:99999"`)
	f(map[string]any{"include": []any{"["}}, "include: parse glob: syntax error in pattern")
	f(map[string]any{"location": "Mars/Base"}, `location must be UTC, Local or the name of a time zone such as Europe/Berlin, got "Mars/Base"`)
	f(map[string]any{"servers": []any{map[string]any{"host": ""}}}, "servers::0: host must not be empty")
	f(map[string]any{"servers": []any{map[string]any{"host": "a"}, map[string]any{"host": "A"}}}, "servers::1: host is that of servers::0")
	f(map[string]any{"flush_interval": 5}, "flush_interval must be at least 10ms, got 5ns")
	f(map[string]any{"max_batch_records": 0}, "max_batch_records must be positive, got 0")
	f(map[string]any{"shutdown_timeout": "0s"}, "shutdown_timeout must be at least 10ms, got 0s")
	f(map[string]any{"requests": map[string]any{"trace_timeout": 5}}, "requests::trace_timeout must be at least 100ms, got 5ns")
	f(map[string]any{"requests": map[string]any{"response_timeout": 5}}, "requests::response_timeout must be at least 100ms, got 5ns")
	f(map[string]any{"requests": map[string]any{"max_size": 1}}, "requests: max_size must be at least 4096, got 1")
	f(map[string]any{"requests": map[string]any{"max_total_size": 1}}, "requests: max_total_size must be at least max_size (65536), got 1")
	f(map[string]any{"metrics": map[string]any{"interval": 5}}, "metrics::interval must be at least 10ms, got 5ns")
	f(map[string]any{"metrics": map[string]any{"cardinality_limit": 0}}, "metrics: cardinality_limit must be positive, got 0")
}

func TestValidateChangesNothing(t *testing.T) {
	config := createDefaultConfig().(*Config)
	before := *config
	require.Error(t, config.Validate())
	assert.Equal(t, before, *config)
}

// A number without a unit is refused for each duration, those of the Collector's sections included.
func TestDurationsNeedAUnit(t *testing.T) {
	testkit.RequireUnits(t, load, map[string]any{"tcp": map[string]any{"listen_address": "localhost:514"}}, leastDurations,
		"requests::trace_timeout", "requests::response_timeout", "flush_interval", "shutdown_timeout", "metrics::interval",
		"poll_interval", "tcp::connection_idle_timeout", "retry_on_failure::initial_interval",
	)
}
