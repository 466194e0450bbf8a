// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/legato-otel/legato/internal/names"
)

// TestMetricsTable holds the README's table of histograms against the instruments.
func TestMetricsTable(t *testing.T) {
	const begin, end = "<!-- metrics table -->\n", "<!-- end metrics table -->"
	var table strings.Builder
	table.WriteString("\n| metric | kind | unit | labels | meaning |\n|---|---|---|---|---|\n")
	for _, d := range definitions {
		fmt.Fprintf(&table, "| `%s` | histogram | `%s` | `%s` | %s |\n", d.name, d.unit, strings.Join(qualityLabels, "`, `"), d.description)
	}
	table.WriteString("\n")

	content, err := os.ReadFile("README.md")
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(content), begin)
	require.True(t, found)
	got, after, found := strings.Cut(rest, end)
	require.True(t, found)
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(before+begin+table.String()+end+after), 0o600))
		return
	}
	assert.Equal(t, table.String(), got, "run the test with -update")
}

// Every key of the configuration's own stands in the README and in the schema,
// and the schema has no other.
func TestConfigIsDocumented(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	schema, err := confmaptest.LoadConf("config.schema.yaml")
	require.NoError(t, err)
	f := func(config any, section string) {
		var keys []string
		for field := range reflect.TypeOf(config).Fields() {
			if key := field.Tag.Get("mapstructure"); key != "" && key != ",squash" {
				keys = append(keys, key)
				assert.Contains(t, string(readme), "`"+key+"`", "%s is not in the README", key)
			}
		}
		properties, err := schema.Sub(section)
		require.NoError(t, err)
		var documented []string
		for key := range properties.ToStringMap() {
			documented = append(documented, key)
		}
		assert.ElementsMatch(t, keys, documented)
	}
	f(Config{}, "properties")
	f(ServerConfig{}, "$defs::server_config::properties")
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
		names.MetricDatabaseNodeUp, names.MetricLicenseRemaining, names.MetricLicenseState, names.MetricMediaProcessingLoad, names.MetricMediaProcessingLimit,
		names.MetricMediaProcessingThreshold, names.MetricMediaProcessingUtilization, names.MetricParticipantCount, names.MetricParticipantLimit,
		names.MetricParticipantLocal, names.MetricPeerLinkBitRateLimit, names.MetricPeerLinkVideoStreamLimit, names.MetricRecordCreated, names.MetricUptime,
	}, got)
}
