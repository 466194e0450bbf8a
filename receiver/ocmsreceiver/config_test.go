// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"maps"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/tcp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/udp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
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
	config, err := load(t, map[string]any{"include": []any{"/var/log/sdp/events.log*"}})
	require.NoError(t, err)
	assert.Equal(t, "end", config.File.StartAt)
	assert.Equal(t, "utf-8-raw", config.fileConfig().Encoding)
	assert.EqualValues(t, 2<<20, config.File.MaxLogSize)
	assert.Equal(t, time.Minute, config.File.FlushPeriod)
	assert.True(t, config.IncludeLogRecordOriginal)
	assert.False(t, config.CreationTimeIsLocal)
	assert.True(t, config.RetryOnFailure.Enabled)
	assert.Zero(t, config.RetryOnFailure.MaxElapsedTime)
	assert.Equal(t, DeduplicationConfig{Window: time.Minute, MaxEntries: 65536}, config.Deduplication)
	assert.Equal(t, MetricsConfig{Interval: 15 * time.Second, CardinalityLimit: 2000, MaxCalls: 65536}, config.Metrics)
	assert.Nil(t, config.Storage)
	assert.False(t, config.Syslog.HasValue())
}

func TestFullConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(config))
	require.NoError(t, confmap.Validate(config))

	storage := component.MustNewID("file_storage")
	want := createDefaultConfig().(*Config)
	want.File.Include = []string{"/var/log/sdp/events.log*"}
	want.File.Exclude = []string{"*.gz"}
	want.File.StartAt = "beginning"
	want.File.Encoding = "iso-8859-1"
	want.File.IncludeFilePath = true
	want.File.PollInterval = time.Second
	want.Syslog = configoptional.Some(SyslogConfig{
		UDP: &udp.BaseConfig{ListenAddress: "0.0.0.0:5514"}, TCP: &tcp.BaseConfig{ListenAddress: "0.0.0.0:5515", MaxLogSize: 1 << 20},
	})
	want.Storage = &storage
	want.CreationTimeIsLocal = true
	want.ExtraKeys = []string{"foo", "charging-vector"}
	want.IncludeLogRecordOriginal = false
	want.RetryOnFailure.InitialInterval, want.RetryOnFailure.MaxInterval = 2*time.Second, time.Minute
	want.MaxBatchBytes = 1000000
	want.ShutdownTimeout = 3 * time.Second
	want.ResourceAttributes = map[string]string{"host.name": "ocms1"}
	want.Deduplication = DeduplicationConfig{Window: time.Hour, MaxEntries: 1000}
	want.Metrics = MetricsConfig{Interval: time.Minute, CardinalityLimit: 500, MaxCalls: 1000}
	assert.Equal(t, want, config)
}

func TestInvalid(t *testing.T) {
	for name, test := range map[string]struct {
		values map[string]any
		want   string
	}{
		"nothing to read":  {nil, "include must name a file, or syslog an address"},
		"start_at":         {map[string]any{"start_at": "middle"}, "start_at"},
		"encoding":         {map[string]any{"encoding": "klingon"}, "klingon"},
		"max_log_size":     {map[string]any{"max_log_size": 0}, "max_log_size"},
		"extra_keys":       {map[string]any{"extra_keys": []any{"a=b"}}, `extra_keys must be names without = and comma, got "a=b"`},
		"max_batch_bytes":  {map[string]any{"max_batch_bytes": 0}, "max_batch_bytes must be positive, got 0"},
		"shutdown_timeout": {map[string]any{"shutdown_timeout": "-1s"}, "shutdown_timeout must be at least 10ms, got -1s"},
		"syslog":           {map[string]any{"syslog": map[string]any{}}, "syslog: must have udp or tcp, got neither"},
		"udp":              {map[string]any{"syslog": map[string]any{"udp": map[string]any{}}}, "udp::listen_address must not be empty"},
		"tcp":              {map[string]any{"syslog": map[string]any{"tcp": map[string]any{}}}, "tcp::listen_address must not be empty"},
		"udp without port": {
			map[string]any{"syslog": map[string]any{"udp": map[string]any{"listen_address": "127.0.0.1"}}},
			`udp::listen_address must be host:port, as 0.0.0.0:5514, with a port from 0 to 65535; got "127.0.0.1"`,
		},
		"tcp with a scheme": {
			map[string]any{"syslog": map[string]any{"tcp": map[string]any{"listen_address": "tcp://0.0.0.0:5515"}}},
			`tcp::listen_address must be host:port, as 0.0.0.0:5515, with a port from 0 to 65535; got "tcp://0.0.0.0:5515"`,
		},
		"window":           {map[string]any{"deduplication": map[string]any{"window": "-1s"}}, "deduplication::window must be 0 (accepts all) or at least 10ms, got -1s"},
		"max_entries":      {map[string]any{"deduplication": map[string]any{"max_entries": 1}}, "max_entries must be from 512"},
		"interval":         {map[string]any{"metrics": map[string]any{"interval": 15}}, "metrics::interval must be at least 10ms, got 15ns"},
		"cardinality":      {map[string]any{"metrics": map[string]any{"cardinality_limit": 0}}, "cardinality_limit must be positive, got 0"},
		"max_calls":        {map[string]any{"metrics": map[string]any{"max_calls": 0}}, "max_calls must be positive, got 0"},
		"initial_interval": {map[string]any{"retry_on_failure": map[string]any{"initial_interval": "-1s"}}, "initial_interval"},
		"attribute":        {map[string]any{"resource_attributes": map[string]any{"": "x"}}, "resource_attributes must have names"},
	} {
		t.Run(name, func(t *testing.T) {
			values := map[string]any{"include": []any{"events.log"}}
			if test.values == nil {
				values = nil
			}
			if values != nil {
				maps.Copy(values, test.values)
			}
			_, err := load(t, values)
			assert.ErrorContains(t, err, test.want)
		})
	}
}

// A number without a unit is refused for each duration, those of the Collector's sections included.
func TestDurationsNeedAUnit(t *testing.T) {
	testkit.RequireUnits(t, load, map[string]any{"include": []any{"events.log"}}, leastDurations,
		"shutdown_timeout", "deduplication::window", "metrics::interval",
		"poll_interval", "force_flush_period", "retry_on_failure::initial_interval", "retry_on_failure::max_interval", "retry_on_failure::max_elapsed_time",
	)
}
