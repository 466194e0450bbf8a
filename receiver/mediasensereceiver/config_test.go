// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"testing"
	"time"

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
	config, err := load(t, nil)
	require.NoError(t, err)
	assert.Equal(t, "localhost:8085", config.HTTP.NetAddr.Endpoint)
	assert.Equal(t, "/mediasense", config.Path)
	assert.EqualValues(t, 4<<20, config.HTTP.MaxRequestBodySize)
	assert.Equal(t, 30*time.Second, config.HTTP.ReadTimeout)
	assert.Equal(t, DeduplicationConfig{Window: 24 * time.Hour, StorageWindow: 10 * time.Second, MaxEntries: 65536}, config.Deduplication)
	assert.Equal(t, 15*time.Second, config.Metrics.Interval)
	assert.Nil(t, config.Storage)
	assert.False(t, config.PerTrack)
	assert.False(t, config.Subscription.HasValue())
}

func TestFullConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(config))
	require.NoError(t, confmap.Validate(config))

	storage := component.MustNewID("file_storage")
	want := createDefaultConfig().(*Config)
	want.HTTP.NetAddr.Endpoint = "0.0.0.0:8085"
	want.HTTP.MaxRequestBodySize = 1 << 20
	want.Path = "/recordings"
	want.Storage = &storage
	want.PerTrack = true
	want.QueryParameters = map[string]string{"server": "service.instance.id"}
	want.ResourceAttributes = map[string]string{"service.namespace": "recording"}
	want.Deduplication = DeduplicationConfig{Window: time.Hour, StorageWindow: time.Second, MaxEntries: 1000}
	want.Metrics = MetricsConfig{Interval: time.Minute, CardinalityLimit: 500}
	primary := SubscriptionServer{HTTP: newDefaultClient(), Username: "api", Password: "x"}
	primary.HTTP.Endpoint = "https://ms1:8440"
	primary.HTTP.TLS.InsecureSkipVerify = true
	secondary := SubscriptionServer{HTTP: newDefaultClient(), Username: "api", Password: "y", Callback: "http://10.0.0.9:8085/recordings?server=ms2"}
	secondary.HTTP.Endpoint = "https://ms2:8440"
	want.Subscription = configoptional.Some(SubscriptionConfig{
		Callback: "http://10.0.0.9:8085/recordings?server=ms1", Filters: []string{"RECORDING_EVENTS", "STORAGE_EVENTS"},
		TagNameRegex: "Track.*", VerifyInterval: time.Minute, UnsubscribeOnShutdown: true, Servers: []SubscriptionServer{primary, secondary},
	})
	assert.Equal(t, want, config)
}

// Each error names the key and the value, and no secret.
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
	f(map[string]any{"path": "x"}, `path must start with / and have no query or fragment, got "x"`)
	f(map[string]any{"read_timeout": "-1s"}, "read_timeout must not be negative, got -1s")
	f(map[string]any{"metrics": map[string]any{"interval": 5}}, "metrics::interval must be at least 10ms, got 5ns")
	f(map[string]any{"metrics": map[string]any{"cardinality_limit": 0}}, "metrics: cardinality_limit must be positive, got 0")
	f(map[string]any{"query_parameters": map[string]any{"site": "service.name"}}, `query_parameters: "site" must not replace service.name`)
	f(map[string]any{"query_parameters": map[string]any{"site": ""}}, `query_parameters: "site" needs the name of a resource attribute`)
	f(map[string]any{"deduplication": map[string]any{"window": 5}}, "deduplication::window must be at least 1s, got 5ns")
	f(map[string]any{"deduplication": map[string]any{"storage_window": "-1s"}}, "deduplication::storage_window must be 0 (none) or at least 10ms, got -1s")
	f(map[string]any{"deduplication": map[string]any{"max_entries": 5}}, "deduplication: max_entries must be from 512 to", "got 5")
	server := func(changes ...string) map[string]any {
		s := map[string]any{"endpoint": "https://ms1:8440", "username": "api", "password": "secret"}
		for i := 0; i < len(changes); i += 2 {
			s[changes[i]] = changes[i+1]
		}
		return s
	}
	subscription := func(callback string, servers ...any) map[string]any {
		return map[string]any{"subscription": map[string]any{"callback": callback, "servers": servers}}
	}
	f(subscription("http://c/mediasense"), "subscription: servers must name at least one MediaSense server")
	f(subscription("c/m?token=secret", server()), `subscription: callback must be the http URL of this receiver as MediaSense sees it, got "c/m" for server 0`)
	f(subscription("https://u:secret@c/m", server()), `callback must be an http URL, because MediaSense does not post by https, got "c/m"`)
	f(subscription("", server()), `got "" for server 0`)
	f(subscription("http://c/mediasense", server(), server("endpoint", "https://ms1:8440/")), "servers::1: endpoint is that of servers::0")
	f(subscription("http://c/mediasense", server("endpoint", "")), "subscription: servers::0: endpoint must not be empty")
	f(subscription("http://c/mediasense", server("endpoint", "ms1:8440")), `endpoint must be a URL like https://ms1:8440, got "ms1:8440"`)
	f(subscription("http://c/mediasense", server("endpoint", "https://u:secret@ms1")), "endpoint must hold no user and no query")
	f(subscription("http://c/mediasense", server("endpoint", "http://ms1:8440")), `endpoint "http://ms1:8440" would send username and password in clear; use https, or set tls::insecure`)
	f(subscription("http://c/mediasense", server("timeout", "0s")), "subscription::servers::0::timeout must be at least 10ms, got 0s")
	f(subscription("http://c/mediasense", server("username", "")), "username must not be empty")
	f(subscription("http://c/mediasense", server("password", "")), "password must not be empty")
	f(subscription("http://c/other?token=secret", server()), `subscription::callback must have the path of this receiver, "/mediasense", or every event is answered 404, got the path "/other"`)
	f(subscription("http://c", server()), `subscription::callback must have the path of this receiver, "/mediasense"`, `got the path ""`)
	f(subscription("http://c/mediasense", server("callback", "http://c/Mediasense")), `subscription::servers::0::callback must have the path of this receiver`, `got the path "/Mediasense"`)
	changed := subscription("http://c/mediasense", server())
	changed["subscription"].(map[string]any)["verify_interval"] = 5
	changed["subscription"].(map[string]any)["filters"] = []any{""}
	f(changed, "verify_interval must be at least 1s, got 5ns", "filters must name at least one of RECORDING_EVENTS, TAG_EVENTS, STORAGE_EVENTS, CLEANUP_EVENTS")
}

// TestCallbackPaths: callbacks that lead to the receiver's path.
func TestCallbackPaths(t *testing.T) {
	f := func(path, callback string) {
		t.Helper()
		_, err := load(t, map[string]any{"path": path, "subscription": map[string]any{"callback": callback, "servers": []any{
			map[string]any{"endpoint": "https://ms1:8440", "username": "api", "password": "x"},
		}}})
		assert.NoError(t, err)
	}
	f("/mediasense", "http://10.0.0.9:8085/mediasense")
	f("/mediasense", "http://10.0.0.9:8085/mediasense/")
	f("/mediasense", "http://10.0.0.9:8085/mediasense?server=ms1")
	f("/mediasense", "http://10.0.0.9:8085/mediasense/?server=ms1")
	f("/mediasense/", "http://10.0.0.9:8085/mediasense")
	f("/", "http://10.0.0.9:8085")
	f("/a%2Bb", "http://10.0.0.9:8085/a%2Bb")
	f("/a b", "http://10.0.0.9:8085/a%20b")
}

func TestPlainEndpointIfItIsWanted(t *testing.T) {
	_, err := load(t, map[string]any{"subscription": map[string]any{"callback": "http://c/mediasense", "servers": []any{
		map[string]any{"endpoint": "http://ms1:8440", "username": "api", "password": "x", "tls": map[string]any{"insecure": true}},
	}}})
	assert.NoError(t, err)
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
	testkit.RequireUnits(t, load, map[string]any{"subscription": map[string]any{
		"callback": "http://c/mediasense", "servers": []any{map[string]any{"endpoint": "https://ms1:8440", "username": "api", "password": "secret"}},
	}}, leastDurations,
		"shutdown_timeout", "deduplication::window", "deduplication::storage_window", "metrics::interval", "subscription::verify_interval", "subscription::servers::0::timeout",
		"read_timeout", "idle_timeout", "subscription::servers::0::idle_conn_timeout",
	)
}
