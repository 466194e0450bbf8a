// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package durations

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"
)

type section struct {
	Interval time.Duration `mapstructure:"interval"`
}

type element struct {
	HTTP confighttp.ClientConfig `mapstructure:",squash"`
}

type config struct {
	HTTP      confighttp.ServerConfig          `mapstructure:",squash"`
	Linger    time.Duration                    `mapstructure:"linger"`
	Retention time.Duration                    `mapstructure:"retention"`
	Untagged  time.Duration                    //
	Size      int64                            `mapstructure:"size"`
	Metrics   section                          `mapstructure:"metrics"`
	Retry     configretry.BackOffConfig        `mapstructure:"retry_on_failure"`
	Optional  configoptional.Optional[section] `mapstructure:"optional"`
	Pointer   *section                         `mapstructure:"pointer"`
	Servers   []element                        `mapstructure:"servers"`

	hidden time.Duration
}

var bounds = Bounds{
	"linger":             {AtLeast: 100 * time.Millisecond},
	"retention":          {AtLeast: time.Minute, Zero: "without end"},
	"optional::interval": {AtLeast: time.Second},
	"servers::timeout":   {AtLeast: Min},
}

func TestCheck(t *testing.T) {
	for _, row := range []struct {
		values map[string]any
		want   string // "" if the values are valid
	}{
		{nil, ""},
		{map[string]any{"linger": 10}, "linger must be at least 100ms, got 10ns: write it with a unit"},
		{map[string]any{"linger": "99ms"}, "linger must be at least 100ms, got 99ms"},
		{map[string]any{"linger": "100ms"}, ""},
		{map[string]any{"linger": 0}, "linger must be at least 100ms, got 0s"},
		{map[string]any{"linger": "-1s"}, "linger must be at least 100ms, got -1s"},
		{map[string]any{"retention": 30}, "retention must be 0 (without end) or at least 1m0s, got 30ns"},
		{map[string]any{"retention": "-1h"}, "retention must be 0 (without end) or at least 1m0s, got -1h0m0s"},
		{map[string]any{"retention": 0}, ""},
		{map[string]any{"retention": "1m"}, ""},
		{map[string]any{"Untagged": 60}, "Untagged must be at least 10ms, got 60ns"},
		{map[string]any{"size": 5}, ""},
		{map[string]any{"metrics": map[string]any{"interval": 15}}, "metrics::interval must be at least 10ms, got 15ns"},
		{map[string]any{"metrics": map[string]any{"interval": "10ms"}}, ""},
		{map[string]any{"metrics": map[string]any{"interval": 0}}, ""},
		{map[string]any{"metrics": map[string]any{"interval": "-1s"}}, ""},
		// sections of the Collector
		{map[string]any{"read_timeout": 30}, "read_timeout must be at least 10ms, got 30ns"},
		{map[string]any{"read_timeout": 0}, ""},
		{map[string]any{"tls": map[string]any{"reload_interval": 3600}}, "tls::reload_interval must be at least 10ms, got 3.6µs"},
		{map[string]any{"retry_on_failure": map[string]any{"max_elapsed_time": 300}}, "retry_on_failure::max_elapsed_time must be at least 10ms, got 300ns"},
		// optional sections and lists
		{map[string]any{"optional": map[string]any{"interval": 5}}, "optional::interval must be at least 1s, got 5ns"},
		{map[string]any{"optional": map[string]any{}}, ""},
		{map[string]any{"pointer": map[string]any{"interval": 5}}, "pointer::interval must be at least 10ms, got 5ns"},
		{map[string]any{"servers": []any{map[string]any{"timeout": "1s"}, map[string]any{"timeout": 10}}}, "servers::1::timeout must be at least 10ms, got 10ns"},
		{map[string]any{"servers": []any{map[string]any{"timeout": 0}}}, "servers::0::timeout must be at least 10ms, got 0s"},
		{map[string]any{"servers": []any{map[string]any{"timeout": "1s", "idle_conn_timeout": 90}}}, "servers::0::idle_conn_timeout must be at least 10ms, got 90ns"},
	} {
		c := config{
			HTTP: confighttp.NewDefaultServerConfig(), Linger: time.Second, Retry: configretry.NewDefaultBackOffConfig(),
			Optional: configoptional.Default(section{Interval: time.Minute}), hidden: 5,
		}
		require.NoError(t, confmap.NewFromStringMap(row.values).Unmarshal(&c))
		before := c
		err := Check(&c, bounds)
		assert.Equal(t, before, c)
		if row.want == "" {
			assert.NoError(t, err, "%v", row.values)
		} else {
			assert.ErrorContains(t, err, row.want)
		}
	}
}

// A section that is not configured has no keys in the user's file, whatever its default is.
func TestUnconfiguredSections(t *testing.T) {
	c := config{Linger: time.Second, Optional: configoptional.Default(section{Interval: 5})}
	assert.NoError(t, Check(&c, bounds))
}

func TestAllErrorsAtOnce(t *testing.T) {
	err := Check(&config{Linger: 5, Untagged: 6, Retention: 7, Metrics: section{Interval: 8}}, bounds)
	for _, want := range []string{"linger", "5ns", "Untagged", "6ns", "retention", "7ns", "metrics::interval", "8ns"} {
		assert.ErrorContains(t, err, want)
	}
}
