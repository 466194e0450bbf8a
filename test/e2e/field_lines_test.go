// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const fieldLines = `
extensions: { health_check: { endpoint: %HEALTH% } }
receivers:
  ocms: { include: [ %FIELD%/ocms/*.log ], start_at: beginning }
  cmssyslog: { include: [ %FIELD%/syslog/*.log ], start_at: beginning }
exporters:
  file: { path: %DIR%/records.jsonl, rotation: { max_megabytes: 1000 } }
service:
  telemetry: { metrics: { level: none } }
  extensions: [health_check]
  pipelines:
    logs: { receivers: [ocms, cmssyslog], exporters: [file] }
`

// TestFieldLines feeds the real binary with the lines of testdata/field: each comes
// out as the row of testdata/field/README.md calls right.
func TestFieldLines(t *testing.T) {
	inputs := filepath.Join(root, "testdata", "field")
	golden := filepath.Join("testdata", "field_lines.txt")
	c := newCollectorFrom(t, strings.ReplaceAll(fieldLines, "%FIELD%", inputs))
	want, err := os.ReadFile(golden)
	if !*update {
		require.NoError(t, err)
	}
	lines := func() string {
		var all []string
		for _, w := range c.output() {
			parts := []string{w.event, w.body}
			for _, key := range []string{"oracle.ocms.flags", "sip.from.display_info"} {
				if text := w.attributes[key] + strings.Join(w.lists[key], ","); text != "" {
					parts = append(parts, key+"="+text)
				}
			}
			all = append(all, strings.Join(parts, " | "))
		}
		slices.Sort(all)
		return strings.Join(all, "\n") + "\n"
	}
	if *update {
		time.Sleep(2 * time.Second) // all is read then
		c.stop()
		require.NoError(t, os.WriteFile(golden, []byte(lines()), 0o600))
		return
	}
	// What waits for further lines of a request comes at a stop.
	all := strings.Count(string(want), "\n") - strings.Count(string(want), "api.request ")
	assert.Eventually(t, func() bool { return strings.Count(lines(), "\n") >= all }, waitForMore, 5*tick)
	c.stop()
	assert.Equal(t, string(want), lines())
}
