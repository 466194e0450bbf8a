// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/legato-otel/legato/internal/testkit/readme"
)

// TestMetricsTable holds the README's table of metrics against the instruments.
func TestMetricsTable(t *testing.T) {
	var metrics []readme.Metric
	for _, d := range definitions {
		kind := "gauge"
		switch {
		case d.counter != nil, d.onDisks != nil:
			kind = "counter"
		case d.histogram != nil:
			kind = "histogram"
		}
		metrics = append(metrics, readme.Metric{Name: d.name, Kind: kind, Unit: d.unit, Labels: d.attributes, Description: d.description})
	}
	readme.HoldMetrics(t, metrics, *update)
}

// Every key of the configuration's own stands in the README and in the schema,
// and the schema has no other.
func TestConfigIsDocumented(t *testing.T) {
	readme.HoldConfig(t, Config{}, "", "properties")
	readme.HoldConfig(t, MetricsConfig{}, "metrics.", "$defs::metrics_config::properties")
	readme.HoldConfig(t, DeduplicationConfig{}, "deduplication.", "$defs::deduplication_config::properties")
	readme.HoldConfig(t, SubscriptionConfig{}, "subscription.", "$defs::subscription_config::properties")
	readme.HoldConfig(t, SubscriptionServer{}, "", "$defs::subscription_server::properties")
}

// What the README shows loads and is valid.
func TestReadmeExamples(t *testing.T) {
	for _, block := range readme.Examples(t) {
		var shown struct{ Receivers map[string]map[string]any }
		require.NoError(t, yaml.Unmarshal([]byte(strings.ReplaceAll(block, "${env:MEDIASENSE_PASSWORD}", "x")), &shown))
		_, err := load(t, shown.Receivers["mediasense"])
		assert.NoError(t, err, block)
	}
}

// The table of bodies names every malformed fixture.
func TestReadmeNamesTheFixtures(t *testing.T) {
	text := readme.Text(t)
	files, err := filepath.Glob(filepath.Join(fixtures, "malformed-*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		assert.Contains(t, text, filepath.Base(file))
	}
}
