// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"testing"

	"github.com/legato-otel/legato/internal/testkit/readme"
)

// TestMetricsTable compares the README's table of metrics with the instruments.
func TestMetricsTable(t *testing.T) {
	var metrics []readme.Metric
	for _, d := range definitions {
		metrics = append(metrics, readme.Metric{Name: d.name, Kind: "gauge", Unit: d.unit, Labels: d.attributes, Description: d.description})
	}
	readme.HoldMetrics(t, metrics, *update)
}

// The README and the schema have every configuration key, and the schema has no other.
func TestConfigIsDocumented(t *testing.T) {
	readme.HoldConfig(t, Config{}, "", "properties")
	readme.HoldConfig(t, MetricsConfig{}, "metrics.", "$defs::metrics_config::properties")
	readme.HoldConfig(t, ElementsConfig{}, "elements.", "$defs::elements_config::properties")
	readme.HoldConfig(t, ServerConfig{}, "", "$defs::server_config::properties")
}
