// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/readme"
)

// TestMetricsTable holds the README's table of histograms against the instruments.
func TestMetricsTable(t *testing.T) {
	var metrics []readme.Metric
	for _, d := range metricDefinitions {
		kind := "histogram"
		if d.counter != nil {
			kind = "counter"
		}
		metrics = append(metrics, readme.Metric{Name: d.name, Kind: kind, Unit: d.unit, Labels: d.labels, Description: d.description})
	}
	readme.HoldMetrics(t, metrics, *update)
}

// Every key of the configuration's own stands in the README and in the schema,
// and the schema has no other.
func TestConfigIsDocumented(t *testing.T) {
	readme.HoldConfig(t, Config{}, "", "properties")
	readme.HoldConfig(t, ServerConfig{}, "", "$defs::server_config::properties")
}

// The metrics of metadata.yaml are those of package names, which the rest of the
// project knows.
func TestNames(t *testing.T) {
	metadata, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	metrics, err := metadata.Sub("metrics")
	require.NoError(t, err)
	var got []string
	for name := range metrics.ToStringMap() {
		got = append(got, name)
	}
	assert.ElementsMatch(t, []string{
		names.MetricActivated, names.MetricAlarmActive, names.MetricAlarmDuration, names.MetricBitRate, names.MetricCallCount, names.MetricCallBridgeCount,
		names.MetricCallLegActive, names.MetricCallLegActiveMax, names.MetricCallLegAlarmActive, names.MetricCallLegCompleted, names.MetricCallLegImpaired,
		names.MetricCDRReceiverCount, names.MetricCDRReceiverLimit, names.MetricCDRReceiverPresent, names.MetricClockOffset, names.MetricClusterEnabled,
		names.MetricCoSpaceCount, names.MetricDatabaseError, names.MetricDatabaseNodeCount, names.MetricDatabaseNodePrimary, names.MetricDatabaseNodeSyncBehind,
		names.MetricDatabaseNodeInUse, names.MetricDatabaseNodeUp, names.MetricLicenseRemaining, names.MetricLicenseState, names.MetricMediaProcessingLoad, names.MetricMediaProcessingLimit,
		names.MetricMediaProcessingThreshold, names.MetricMediaProcessingUtilization, names.MetricParticipantCount, names.MetricParticipantLimit,
		names.MetricParticipantLocal, names.MetricParticipantState, names.MetricPeerLinkBitRateLimit, names.MetricPeerLinkVideoStreamLimit, names.MetricRecordCreated, names.MetricUptime,
	}, got)
}
