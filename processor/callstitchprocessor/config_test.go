// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/legato-otel/legato/internal/testkit"
)

func load(t *testing.T, values map[string]any) (*Config, error) {
	t.Helper()
	config := createDefaultConfig().(*Config)
	if err := confmap.NewFromStringMap(values).Unmarshal(config); err != nil {
		return nil, err
	}
	return config, confmap.Validate(config)
}

func TestDefaults(t *testing.T) {
	config, err := load(t, nil)
	require.NoError(t, err)
	assert.Equal(t, &Config{Linger: 10 * time.Second, MaxOpen: 24 * time.Hour, ClockTolerance: 5 * time.Second, MaxObjects: 1_000_000, ShutdownTimeout: 5 * time.Second}, config)
}

func TestFullConfig(t *testing.T) {
	config, err := load(t, map[string]any{
		"linger": "30s", "max_open": "72h", "clock_tolerance": "0s", "max_objects": 2000, "storage": "file_storage/a", "shutdown_timeout": "20s",
	})
	require.NoError(t, err)
	storage := component.MustNewIDWithName("file_storage", "a")
	assert.Equal(t, &Config{Linger: 30 * time.Second, MaxOpen: 72 * time.Hour, MaxObjects: 2000, Storage: &storage, ShutdownTimeout: 20 * time.Second}, config)
}

// Each error names the key, the value and what to do; all come at once.
func TestConfigErrors(t *testing.T) {
	f := func(values map[string]any, want ...string) {
		t.Helper()
		_, err := load(t, values)
		for _, text := range want {
			require.ErrorContains(t, err, text)
		}
	}
	f(map[string]any{"linger": "0s"}, "linger must be at least 10ms, got 0s: write it with a unit")
	f(map[string]any{"linger": 10}, "linger must be at least 10ms, got 10ns")
	f(map[string]any{"max_open": "-1h"}, "max_open must be at least 10ms, got -1h")
	f(map[string]any{"max_open": "1m", "linger": "2m"}, "max_open must not be less than linger, got 1m0s and 2m0s: make it longer")
	f(map[string]any{"clock_tolerance": "-1s"}, "clock_tolerance must be 0 (for clocks that agree) or at least 10ms, got -1s")
	f(map[string]any{"max_objects": 0}, "max_objects must be at least 1000, got 0: leave it out")
	f(map[string]any{"max_objects": 1, "linger": "1ns", "clock_tolerance": "-1ns"}, "max_objects", "linger", "clock_tolerance")
	f(map[string]any{"shutdown_timeout": "0s"}, "shutdown_timeout must be at least 10ms, got 0s")
	f(map[string]any{"max_object": 5}, "max_object")
}

func TestValidateChangesNothing(t *testing.T) {
	config := &Config{Linger: -1}
	require.Error(t, config.Validate())
	assert.Equal(t, &Config{Linger: -1}, config)
}

// A number without a unit is refused for each duration.
func TestDurationsNeedAUnit(t *testing.T) {
	testkit.RequireUnits(t, load, nil, leastDurations,
		"linger", "max_open", "clock_tolerance", "shutdown_timeout",
	)
}
