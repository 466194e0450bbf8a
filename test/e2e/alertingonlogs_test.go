// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// loggedMetrics puts addresses and files in the place of those of the document, and lets the
// receivers count for themselves too.
const loggedMetrics = `yaml:{
  extensions: { health_check: { endpoint: %HEALTH% } },
  receivers: { cmscdr: { endpoint: %CDR%, metrics: { interval: 100ms } }, mediasense: { endpoint: %MS%, metrics: { interval: 100ms } } },
  exporters: { otlp_http: { endpoint: "http://127.0.0.1:1" }, file/logs: { path: %DIR%/records.jsonl, rotation: { max_megabytes: 100 } },
    file/metrics: { path: %DIR%/metrics.jsonl, rotation: { max_megabytes: 100 } }, prometheus: { endpoint: %PAGE%, resource_to_telemetry_conversion: { enabled: true } } },
  service: { telemetry: { metrics: { level: none } }, extensions: [health_check], pipelines: {
    logs: { exporters: [file/logs] }, metrics: { exporters: [file/metrics] },
    metrics/own: { receivers: [cmscdr, mediasense], exporters: [prometheus] } } } }`

// TestMetricsFromLogs: the configuration of docs/alerting-on-logs.md counts from the log
// records what the receivers count themselves.
func TestMetricsFromLogs(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(filepath.Join(root, "docs", "alerting-on-logs.md"))
	require.NoError(t, err)
	blocks := yamlBlock.FindAllStringSubmatch(string(document), -1)
	require.Len(t, blocks, 1)
	recorder := loopback.MustAddress(t)
	c := newCollectorFrom(t, blocks[0][1], "--config", strings.ReplaceAll(loggedMetrics, "%MS%", recorder))
	for _, drill := range []string{"gap", "bridge-restart", "joins", "drops", "packet-loss", "jitter", "limit", "recording-error"} {
		output, err := exec.CommandContext(t.Context(), binary("callsim"), "drill", drill, "-target", c.url(), "-mediasense-target", "http://"+recorder+"/mediasense", "-settle", "0s").CombinedOutput()
		require.NoError(t, err, "%s", output)
	}
	want := map[string]int{ // by hand, from the drills
		"cisco.meeting_server.record.missing": 38, "cisco.meeting_server.session.started": 1, "cisco.mediasense.session.ended CLOSED_ERROR": 1,
		"cisco.meeting_server.call_leg.quality bad": 200, "cisco.meeting_server.call_leg.quality good": 200 + 200 + 100,
		"cisco.meeting_server.call_leg.ended timeout false": 100, "cisco.meeting_server.call_leg.ended timeout true": 100,
		"cisco.meeting_server.call_leg.ended participantLimitReached false": 3, "cisco.meeting_server.call_leg.ended remoteTeardown true": 100 + 100 + 200 + 200,
	}
	var logged map[string]int
	require.Eventually(t, func() bool {
		logged = sumsOfFile(t, filepath.Join(c.directory, "metrics.jsonl"))
		return logged["cisco.mediasense.session.ended CLOSED_ERROR"] > 0
	}, waitFor, tick)
	assert.Equal(t, want, logged)
	require.Eventually(t, func() bool {
		return assert.ObjectsAreEqual(want, sumsOfPage(c.metrics(), want))
	}, waitFor, tick, "the receivers count otherwise: %v", sumsOfPage(c.metrics(), want))
	events := map[string]bool{}
	for _, record := range c.output() {
		assert.Equal(t, record.event, record.attributes["event.name"])
		events[record.event] = true
	}
	assert.Len(t, events, 8, "%v", events)
}

// labelOrder is that of the labels in the keys of sums.
var labelOrder = []string{"reason", "state", "activated"}

// sumsOfFile adds up the delta sums in a file of the file exporter.
func sumsOfFile(t *testing.T, name string) map[string]int {
	t.Helper()
	file, err := os.Open(name)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	defer file.Close()
	sums := map[string]int{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var line struct {
			ResourceMetrics []struct {
				ScopeMetrics []struct {
					Metrics []struct {
						Name string
						Sum  struct {
							AggregationTemporality int
							IsMonotonic            bool
							DataPoints             []struct {
								Attributes []keyValue
								AsInt      string
							}
						}
					}
				}
			}
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue // it is being written
		}
		for _, resource := range line.ResourceMetrics {
			for _, scope := range resource.ScopeMetrics {
				for _, m := range scope.Metrics {
					for _, point := range m.Sum.DataPoints {
						assert.Equal(t, 1, m.Sum.AggregationTemporality, "delta")
						assert.True(t, m.Sum.IsMonotonic)
						n, err := strconv.Atoi(point.AsInt)
						require.NoError(t, err)
						sums[keyOfSum(m.Name, attributesOf(point.Attributes))] += n
					}
				}
			}
		}
	}
	return sums
}

func keyOfSum(name string, labels map[string]string) string {
	key := []string{name}
	for _, label := range labelOrder {
		if labels[label] != "" {
			key = append(key, labels[label])
		}
	}
	return strings.Join(key, " ")
}

var seriesLine = regexp.MustCompile(`(?m)^(\w+)_total\{(.*)\} (\d+)$`)

// sumsOfPage adds up the counters of a metrics page that have a name in want, and are not 0.
func sumsOfPage(page string, want map[string]int) map[string]int {
	names := map[string]string{}
	for key := range want {
		name, _, _ := strings.Cut(key, " ")
		names[strings.ReplaceAll(name, ".", "_")] = name
	}
	sums := map[string]int{}
	for _, line := range seriesLine.FindAllStringSubmatch(page, -1) {
		n, _ := strconv.Atoi(line[3])
		if names[line[1]] == "" || n == 0 {
			continue
		}
		labels := map[string]string{}
		for _, pair := range regexp.MustCompile(`(\w+)="([^"]*)"`).FindAllStringSubmatch(line[2], -1) {
			labels[pair[1]] = pair[2]
		}
		sums[keyOfSum(names[line[1]], labels)] += n
	}
	return sums
}
