// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit"
)

func TestDefaults(t *testing.T) {
	config, err := load(t, nil)
	require.NoError(t, err)
	assert.Equal(t, "sqlite", config.Driver)
	assert.EqualValues(t, "data/calls.db", config.DataSource)
	assert.Zero(t, config.Retention)
	assert.Equal(t, 30*time.Second, config.Timeout.Timeout)
	assert.False(t, config.Queue.HasValue(), "what is accepted is stored")
	assert.False(t, config.HTTP.HasValue())
	assert.Zero(t, config.Retry.MaxElapsedTime, "what is in a queue was accepted: it is never given up")
}

func TestSections(t *testing.T) {
	config, err := load(t, map[string]any{
		"driver": "postgres", "datasource": "postgres://user:secret@db:5432/calls", "retention": "8760h", "sending_queue": map[string]any{"storage": "file_storage"},
		"http": map[string]any{"trace_url": "https://jaeger.example.com/trace/{trace_id}"},
	})
	require.NoError(t, err)
	require.True(t, config.Queue.HasValue())
	assert.Equal(t, "file_storage", config.Queue.Get().StorageID.String())
	assert.Equal(t, 1, config.Queue.Get().NumConsumers)
	require.True(t, config.HTTP.HasValue())
	assert.Equal(t, "localhost:8088", config.HTTP.Get().Server.NetAddr.Endpoint)
	assert.NotContains(t, fmt.Sprint(*config), "secret")
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		values map[string]any
		want   string
	}{
		{map[string]any{"driver": "mysql"}, `driver must be one of sqlite, postgres, got "mysql"`},
		{map[string]any{"datasource": ""}, "datasource must not be empty"},
		{map[string]any{"datasource": "file:calls.db"}, "datasource: must be the name of a file for driver sqlite, got an address"},
		{map[string]any{"datasource": "postgres://user:secret@db/calls"}, "datasource: must be the name of a file for driver sqlite, got an address"},
		{map[string]any{"datasource": ":memory:"}, "datasource: must be the name of a file for driver sqlite, got :memory:"},
		{map[string]any{"driver": "postgres", "datasource": "postgres://user:secret@db:port/calls"}, "datasource: must be a connection string for driver postgres"},
		{map[string]any{"retention": "-1h"}, "retention must be 0 (without end) or at least 1m0s, got -1h0m0s"},
		{map[string]any{"retention": 30}, "retention must be 0 (without end) or at least 1m0s, got 30ns"},
		{map[string]any{"timeout": "-1s"}, "timeout"},
		{map[string]any{"sending_queue": map[string]any{"queue_size": 1000}}, "sending_queue::queue_size must be at least 1048576, got 1000: it is in bytes"},
		{map[string]any{"shutdown_timeout": "0s"}, "shutdown_timeout must be at least 10ms, got 0s"},
		{map[string]any{"http": map[string]any{"endpoint": "127.0.0.1:99999"}}, `http: endpoint must be host:port, as 0.0.0.0:8088, with a port from 0 to 65535; got "127.0.0.1:99999"`},
		{map[string]any{"http": map[string]any{"compression_algorithms": []string{"gzp"}}}, `http: compression_algorithms::0 must be one of `},
		{map[string]any{"http": map[string]any{"allowed_hosts": []string{"https://calls.example.com"}}}, "http: allowed_hosts must be names of hosts without scheme, port and path, as calls.example.com, or \"*\" for any, got \"https://calls.example.com\""},
		{map[string]any{"http": map[string]any{"trace_url": "https://jaeger/trace"}}, "http: trace_url must have {trace_id} in it"},
		{map[string]any{"http": map[string]any{"logs_url": "https://logs/"}}, `http: logs_url must have {trace_id} in it, as https://logs.example.com/search?q={trace_id}, got "https://logs/"`},
		{map[string]any{"http": map[string]any{"logs_url": "logs/{trace_id}"}}, "http: logs_url must begin with http:// or https:// and a host"},
		{map[string]any{"retry_on_failure": map[string]any{"initial_interval": "-1s"}}, "initial_interval"},
		{map[string]any{"no_such_key": 1}, "no_such_key"},
	} {
		_, err := load(t, c.values)
		require.ErrorContains(t, err, c.want)
		assert.NotContains(t, err.Error(), "secret")
	}
}

// A number without a unit is refused for each duration, those of the Collector's sections included.
func TestDurationsNeedAUnit(t *testing.T) {
	testkit.RequireUnits(t, load, map[string]any{"sending_queue": map[string]any{}, "http": map[string]any{}}, leastDurations,
		"retention", "timeout", "shutdown_timeout",
		"retry_on_failure::initial_interval", "sending_queue::batch::flush_timeout", "http::read_timeout",
	)
}
