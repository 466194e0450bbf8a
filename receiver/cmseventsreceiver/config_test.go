// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	config, err := load(t, map[string]any{"servers": []any{map[string]any{"endpoint": "https://cms1:445", "username": "u", "password": "p"}}})
	require.NoError(t, err)
	assert.Equal(t, 1, config.MaxConnections)
	assert.Len(t, config.Elements.Calls, 9)
	assert.Len(t, config.Elements.CallInfo, 10)
	assert.Len(t, config.Elements.CallRoster, 15)
	assert.Equal(t, 10*time.Second, config.Servers[0].HTTP.Timeout)
	assert.Equal(t, 15*time.Second, config.Metrics.Interval)
	assert.False(t, config.RosterOnAllBridges)
	assert.Equal(t, 32<<20, config.MaxQueueSize)
	assert.Equal(t, 64<<20, config.MaxStateSize)
	assert.Equal(t, 5*time.Second, config.ShutdownTimeout)
	assert.Equal(t, 2*time.Second, config.Reconnect.InitialInterval)
	assert.Equal(t, 40*time.Second, config.Reconnect.MaxInterval)
	assert.Zero(t, config.Reconnect.MaxElapsedTime)
}

func TestFullConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(config))
	require.NoError(t, confmap.Validate(config))

	one := ServerConfig{HTTP: api.NewDefaultServerConfig().HTTP, Username: "events", Password: "x"}
	one.HTTP.Endpoint = "https://cms1:445"
	one.HTTP.TLS.InsecureSkipVerify = true
	one.ResourceAttributes = map[string]string{"service.instance.id": "cms1"}
	two := ServerConfig{HTTP: api.NewDefaultServerConfig().HTTP, Username: "events", Password: "y"}
	two.HTTP.Endpoint = "http://cms2:8080"
	two.HTTP.Timeout = 5 * time.Second
	two.HTTP.TLS.Insecure = true
	reconnect := createDefaultConfig().(*Config).Reconnect
	reconnect.InitialInterval, reconnect.MaxInterval = time.Second, time.Minute
	assert.Equal(t, &Config{
		Servers:        []ServerConfig{one, two},
		MaxConnections: 3,
		Elements: ElementsConfig{
			Calls: []string{"name", "participants", "callCorrelator"}, CallInfo: []string{},
			CallRoster: []string{"name", "state", "futureElement"}, AllowUndocumented: true,
		},
		RosterOnAllBridges: true,
		QueueSize:          500,
		MaxQueueSize:       2 << 20,
		MaxStateSize:       4 << 20,
		Reconnect:          reconnect,
		ShutdownTimeout:    3 * time.Second,
		SnapshotGrace:      5 * time.Second,
		ProbeAfter:         30 * time.Second,
		LostAfter:          10 * time.Minute,
		MaxMessageSize:     1 << 20,
		ResourceAttributes: map[string]string{"service.namespace": "meetings"},
		Metrics:            MetricsConfig{Interval: 5 * time.Second},
	}, config)
}

func TestConfigErrors(t *testing.T) {
	server := map[string]any{"endpoint": "https://cms1:445", "username": "events", "password": "secret"}
	f := func(values map[string]any, want ...string) {
		t.Helper()
		if values["servers"] == nil {
			values["servers"] = []any{server}
		}
		_, err := load(t, values)
		for _, text := range want {
			require.ErrorContains(t, err, text)
		}
		assert.NotContains(t, err.Error(), "secret")
	}
	servers := func(all ...map[string]any) map[string]any {
		list := []any{}
		for _, s := range all {
			list = append(list, s)
		}
		return map[string]any{"servers": list}
	}
	f(servers(), "servers must name at least one Call Bridge")
	f(servers(map[string]any{}), "servers::0: endpoint must not be empty", "username must not be empty", "password must not be empty")
	f(servers(server, map[string]any{"endpoint": "cms1:445", "username": "u", "password": "p"}), `servers::1: endpoint must be a URL like https://cms1:445, got "cms1:445"`)
	f(servers(map[string]any{"endpoint": "https://u:secret@cms1"}), "must hold no user")
	f(servers(map[string]any{"endpoint": "http://cms1:8080", "username": "u", "password": "secret"}),
		`servers::0: endpoint "http://cms1:8080" would send username and password in clear; use https, or set tls::insecure`)
	f(servers(server, server), "servers::1: endpoint is that of servers::0")
	f(map[string]any{"max_connections": 6}, "max_connections must be from 1 to 5, got 6")
	f(map[string]any{"max_connections": 0}, "max_connections must be from 1 to 5, got 0")
	f(map[string]any{"queue_size": 0}, "queue_size must be positive, got 0")
	f(map[string]any{"max_message_size": 5}, "max_message_size must be at least 65536, got 5")
	f(map[string]any{"max_queue_size": 5}, "max_queue_size must be at least 1048576, got 5")
	f(map[string]any{"max_state_size": 5}, "max_state_size must be at least 1048576, got 5")
	f(map[string]any{"shutdown_timeout": "0s"}, "shutdown_timeout must be at least 10ms, got 0s")
	f(servers(map[string]any{"endpoint": "https://cms1", "username": "u", "password": "p", "timeout": "0s"}), "servers::0::timeout must be at least 10ms, got 0s")
	reconnect := func(key string, value any) map[string]any {
		return map[string]any{"reconnect": map[string]any{key: value}}
	}
	f(reconnect("enabled", false), "reconnect::enabled must be true")
	f(reconnect("max_elapsed_time", "5m"), "reconnect::max_elapsed_time must be 0", "got 5m0s")
	f(reconnect("initial_interval", 2), "reconnect::initial_interval must be at least 100ms, got 2ns")
	f(reconnect("max_interval", "1s"), "reconnect::max_interval must not be less than initial_interval, got 1s")
	f(reconnect("multiplier", 0.5), "reconnect::multiplier must be at least 1, got 0.5")
	f(reconnect("randomization_factor", 2), "randomization_factor")
	f(map[string]any{"snapshot_grace": "0s"}, "snapshot_grace must be at least 100ms, got 0s")
	f(map[string]any{"probe_after": 60}, "probe_after must be at least 100ms, got 60ns")
	f(map[string]any{"lost_after": "-1s"}, "lost_after must be at least 100ms, got -1s")
	f(map[string]any{"metrics": map[string]any{"interval": 5}}, "metrics::interval must be at least 10ms, got 5ns")
	elements := func(key string, names ...any) map[string]any {
		return map[string]any{"elements": map[string]any{key: names}}
	}
	f(elements("calls", "name", "partcipants"), `elements: calls: "partcipants" is not a documented element; set allow_undocumented`)
	f(elements("call_info", "uri"), `elements: call_info: "uri" is not a documented element`)
	f(elements("call_roster", "participants"), `elements: call_roster: "participants" is not a documented element`)
	many := elements("calls", "name")
	many["servers"] = []any{server, map[string]any{"endpoint": "https://cms2:445", "username": "u", "password": "p"}}
	f(many, "elements::calls must contain callCorrelator with several servers")
	var all []map[string]any
	for i := range 65 {
		all = append(all, map[string]any{"endpoint": fmt.Sprintf("https://cms%d", i), "username": "u", "password": "p"})
	}
	f(servers(all...), "servers must be at most 64, got 65")
}

func TestValidateChangesNothing(t *testing.T) {
	config := createDefaultConfig().(*Config)
	before := *config
	require.Error(t, config.Validate())
	assert.Equal(t, before, *config)
}

// A number without a unit is refused for each duration, those of the Collector's sections included.
func TestDurationsNeedAUnit(t *testing.T) {
	testkit.RequireUnits(t, load, map[string]any{"servers": []any{map[string]any{"endpoint": "https://cms1:445", "username": "events", "password": "secret"}}}, leastDurations,
		"servers::0::timeout", "snapshot_grace", "probe_after", "lost_after", "reconnect::initial_interval", "shutdown_timeout", "metrics::interval",
		"servers::0::idle_conn_timeout", "reconnect::max_interval",
	)
}
