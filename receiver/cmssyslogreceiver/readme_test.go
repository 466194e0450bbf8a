// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/legato-otel/legato/internal/testkit/readme"
)

// TestMetricsTable holds the README's table of metrics against the instruments.
func TestMetricsTable(t *testing.T) {
	var metrics []readme.Metric
	for _, d := range metricDefinitions {
		kind := "counter"
		if d.histogram != nil {
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
	readme.HoldConfig(t, RequestsConfig{}, "requests.", "$defs::requests_config::properties")
	readme.HoldConfig(t, ServerConfig{}, "", "$defs::server_config::properties")
}

// What the README shows loads and is valid.
func TestReadmeExamples(t *testing.T) {
	for _, block := range readme.Examples(t) {
		var shown struct{ Receivers map[string]map[string]any }
		require.NoError(t, yaml.Unmarshal([]byte(block), &shown))
		_, err := load(t, shown.Receivers["cmssyslog"])
		assert.NoError(t, err, block)
	}
}
