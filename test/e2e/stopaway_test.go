// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
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

// storingBackend is a Collector that stores the records that it receives by OTLP.
const storingBackend = `
extensions: { health_check: { endpoint: %HEALTH% } }
receivers: { otlp: { protocols: { grpc: { endpoint: "%BACKEND%" } } } }
exporters: { file: { path: %DIR%/received.jsonl, rotation: { max_megabytes: 1000 } } }
service:
  telemetry: { metrics: { level: none } }
  extensions: [health_check]
  pipelines: { logs: { receivers: [otlp], exporters: [file] } }
`

// TestStopWithoutBackend holds what docs/install.md and the runbook of LegatoBackendDown say of
// a stop of config/collector.yaml whose backend is away: the log says that data are dropped, in
// one line for each request, and the next process delivers them.
func TestStopWithoutBackend(t *testing.T) {
	cdr, away, health := loopback.MustAddress(t), loopback.MustAddress(t), loopback.MustAddress(t)
	c := &collector{t: t, directory: t.TempDir(), address: cdr, health: "http://" + health + "/status"}
	t.Setenv("LEGATO_LISTEN", cdr)
	t.Setenv("LEGATO_MEDIASENSE_LISTEN", loopback.MustAddress(t))
	t.Setenv("LEGATO_STORAGE", filepath.Join(c.directory, "storage"))
	t.Setenv("OTLP_ENDPOINT", away)
	t.Setenv("OTLP_INSECURE", "true")
	c.arguments = []string{
		"--config", filepath.Join(root, "config", "collector.yaml"),
		"--set", "extensions.healthcheckv2.http.endpoint=" + health, "--set", "service.telemetry.metrics.level=none",
	}
	c.start()
	t.Cleanup(c.stop)

	output, err := exec.CommandContext(t.Context(), binary("callsim"), "-target", c.url(), "-meetings", "3", "-give-up", "1m").CombinedOutput()
	require.NoError(t, err, "%s", output)
	count := regexp.MustCompile(`([0-9]+) records acknowledged, 0 not`).FindStringSubmatch(string(output))
	require.NotNil(t, count, "%s", output)
	retries := regexp.MustCompile(`"otelcol\.signal": "logs".*Unavailable.*"interval"`)
	require.Eventually(t, func() bool { return retries.MatchString(c.log.String()) }, waitFor, tick, "no logs are retried:\n%s", &c.log)
	c.stop()
	dropping := regexp.MustCompile(`(?m)^.*\terror\t.*Exporting failed\. Dropping data\..*"otelcol\.signal": "logs".*"interrupted due to shutdown: .*"dropped_items": [1-9][0-9]*\}\n(.)`).FindStringSubmatch(c.log.String())
	require.NotNil(t, dropping, "the log of the stop:\n%s", &c.log)
	assert.Equal(t, "2", dropping[1], "a stack trace follows instead of the next time stamp")

	b := newCollectorFrom(t, strings.ReplaceAll(storingBackend, "%BACKEND%", away))
	c.start()
	acknowledged, err := strconv.Atoi(count[1])
	require.NoError(t, err)
	assert.Eventually(t, func() bool {
		content, err := os.ReadFile(filepath.Join(b.directory, "received.jsonl"))
		return err == nil && bytes.Count(content, []byte(`"cisco.meeting_server.record.index"`)) >= acknowledged
	}, waitFor, tick, "records are lost")
}
