// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/testkit"
)

func load(t *testing.T, values map[string]any) (*Config, error) {
	t.Helper()
	config := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(values).Unmarshal(config))
	return config, confmap.Validate(config)
}

func TestDefaults(t *testing.T) {
	config, err := load(t, nil)
	require.NoError(t, err)
	assert.Equal(t, "localhost:8080", config.HTTP.NetAddr.Endpoint)
	assert.Equal(t, "/cdr", config.Path)
	assert.EqualValues(t, 20<<20, config.HTTP.MaxRequestBodySize)
	assert.Equal(t, 30*time.Second, config.HTTP.ReadTimeout)
	assert.Equal(t, time.Minute, config.HTTP.ReadHeaderTimeout)
	assert.Equal(t, 15*time.Second, config.Metrics.Interval)
	assert.Nil(t, config.Storage)
}

func TestFullConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(config))
	require.NoError(t, confmap.Validate(config))

	storage := component.MustNewID("file_storage")
	want := createDefaultConfig().(*Config)
	want.HTTP.NetAddr.Endpoint = "0.0.0.0:8443"
	want.HTTP.MaxRequestBodySize = 4 << 20
	want.HTTP.ReadTimeout = 10 * time.Second
	want.Path = "/cms/cdr"
	want.Storage = &storage
	want.QueryParameters = map[string]string{"site": "site.name"}
	want.ResourceAttributes = map[string]string{"service.namespace": "meetings"}
	want.Metrics = MetricsConfig{Interval: time.Minute, CardinalityLimit: 500}
	server := RegistrationServer{HTTP: api.NewDefaultServerConfig().HTTP, Username: "api", Password: "x"}
	server.HTTP.Endpoint = "https://cms1:445"
	server.HTTP.TLS.InsecureSkipVerify = true
	second := RegistrationServer{
		HTTP: api.NewDefaultServerConfig().HTTP, Username: "api", Password: "y", URI: "http://collector:8080/cdr?system_id=cms2",
	}
	second.HTTP.Endpoint = "https://cms2:445"
	want.Registration = configoptional.Some(RegistrationConfig{
		URI: "http://collector:8080/cdr?system_id=cms1", Interval: time.Minute,
		Servers: []RegistrationServer{server, second},
	})
	assert.Equal(t, want, config)
}

// Each error names the key and the value.
func TestConfigErrors(t *testing.T) {
	f := func(values map[string]any, want ...string) {
		t.Helper()
		_, err := load(t, values)
		for _, text := range want {
			require.ErrorContains(t, err, text)
		}
		assert.NotContains(t, err.Error(), "secret")
	}
	f(map[string]any{"endpoint": ""}, "endpoint must not be empty")
	f(map[string]any{"endpoint": "x"}, `endpoint must be host:port, as 0.0.0.0:8080, with a port from 0 to 65535; got "x"`)
	f(map[string]any{"endpoint": "http://0.0.0.0:8080"}, `with a port from 0 to 65535; got "http://0.0.0.0:8080"`)
	f(map[string]any{"compression_algorithms": []any{"", "gzp"}}, `compression_algorithms::1 must be one of `, `got "gzp"`)
	f(map[string]any{"max_request_body_size": -1}, "max_request_body_size must be positive, got -1")
	f(map[string]any{"path": "/a/b%zz"}, `path must have two hexadecimal digits after each %, got "/a/***"`)
	f(map[string]any{"max_in_flight_bytes": 1}, "max_in_flight_bytes must be at least max_request_body_size (")
	f(map[string]any{"shutdown_timeout": "0s"}, "shutdown_timeout must be at least 10ms, got 0s")
	f(map[string]any{"max_batch_bytes": 0}, "max_batch_bytes must be positive, got 0")
	f(map[string]any{"max_batch_records": -1}, "max_batch_records must be positive, got -1")
	f(map[string]any{"path": "cdr"}, `path must start with / and have no query or fragment, got "cdr"`)
	f(map[string]any{"path": "/cdr?x=1"}, `got "/cdr" with one`)
	f(map[string]any{"path": "/cdr/k3y?token=secret"}, `got "/cdr/***" with one`)
	f(map[string]any{"metrics": map[string]any{"interval": "-1s"}}, "metrics::interval must be at least 10ms, got -1s")
	f(map[string]any{"metrics": map[string]any{"interval": 5}}, "metrics::interval must be at least 10ms, got 5ns")
	f(map[string]any{"read_timeout": "-1s"}, "read_timeout must not be negative, got -1s")
	f(map[string]any{"query_parameters": map[string]any{"site": "service.name"}}, `query_parameters: "site" must not replace service.name`)
	f(map[string]any{"metrics": map[string]any{"cardinality_limit": 0}}, "metrics: cardinality_limit must be positive, got 0")
	f(map[string]any{"query_parameters": map[string]any{"site": ""}}, `query_parameters: "site" needs the name of a resource attribute`)
	server := map[string]any{"endpoint": "https://cms1:445", "username": "api", "password": "secret"}
	registration := func(values map[string]any) map[string]any { return map[string]any{"registration": values} }
	f(registration(map[string]any{"uri": "collector/cdr?token=secret", "servers": []any{server}}),
		`registration: uri must be the http or https URL of this receiver as the Call Bridge sees it, got "collector/cdr" for server 0`)
	f(registration(map[string]any{"uri": "http://c/cdr"}), "registration: servers must name at least one Call Bridge")
	f(registration(map[string]any{"uri": "http://c/cdr", "interval": "0s", "servers": []any{server}}), "registration::interval must be at least 1s, got 0s")
	f(registration(map[string]any{"uri": "http://c/cdr", "servers": []any{map[string]any{"endpoint": "cms1:445"}}}),
		`registration: servers::0: endpoint must be a URL like https://cms1:445, got "cms1:445"`, "username must not be empty", "password must not be empty")
	f(registration(map[string]any{"uri": "http://c/cdr", "servers": []any{map[string]any{}}}), "registration: servers::0: endpoint must not be empty")
	f(registration(map[string]any{"uri": "http://c/cdr", "servers": []any{map[string]any{"endpoint": "https://u:secret@cms1"}}}), "must hold no user")
	at := func(uri string) map[string]any {
		return map[string]any{"endpoint": "https://cms1:445", "username": "api", "password": "secret", "uri": uri}
	}
	f(registration(map[string]any{"uri": "http://c/cdr?token=secret", "servers": []any{server, server}}),
		"registration: uri: servers 0 and 1 have the same uri; give each server a uri with a system_id of its own")
	f(registration(map[string]any{"servers": []any{at("http://c/cdr?token=secret"), at("http://d/cdr?system_id=a"), at("HTTP://C/cdr?token=secret")}}),
		"servers 0 and 2 have the same uri")
	f(registration(map[string]any{"uri": "http://c/cdr?system_id=cms1&token=secret", "servers": []any{server, at("https://d:1/cdr?system_id=cms1")}}),
		`servers 0 and 1 have the same system_id "cms1"; give each server a uri with a system_id of its own`)
	f(map[string]any{"endpoint": "", "path": "x"}, "endpoint must not be empty", `got "x"`)
}

func TestValidateChangesNothing(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.HTTP.MaxRequestBodySize = 0
	before := *config
	require.Error(t, config.Validate())
	assert.Equal(t, before, *config)
}

// A number without a unit is refused for each duration, those of the Collector's sections included.
func TestDurationsNeedAUnit(t *testing.T) {
	testkit.RequireUnits(t, load, map[string]any{"registration": map[string]any{
		"uri": "http://c/cdr", "servers": []any{map[string]any{"endpoint": "https://cms1:445", "username": "api", "password": "secret"}},
	}}, leastDurations,
		"shutdown_timeout", "metrics::interval", "registration::interval", "registration::servers::0::timeout",
		"read_timeout", "read_header_timeout", "write_timeout", "idle_timeout", "tls::reload_interval", "registration::servers::0::idle_conn_timeout",
	)
}
