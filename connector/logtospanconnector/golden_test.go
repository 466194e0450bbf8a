// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logtospanconnector

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden sends each testdata/golden/*/in.json through a connector and holds
// the spans against out.json (none: there was no call) and what was counted and
// logged against telemetry.txt.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/golden/*/in.json")
	require.NoError(t, err)
	require.NotEmpty(t, inputs)
	for _, input := range inputs {
		directory := filepath.Dir(input)
		t.Run(filepath.Base(directory), func(t *testing.T) {
			r := newHarness(t, nil)
			logs := loadLogs(t, input)
			before := bytesOf(t, logs)
			logs.MarkReadOnly()
			require.NoError(t, r.ConsumeLogs(t.Context(), logs))
			assert.Equal(t, before, bytesOf(t, logs), "the input is changed")
			golden(t, filepath.Join(directory, "out.json"), render(t, r.sink.AllTraces()))
			golden(t, filepath.Join(directory, "telemetry.txt"), r.telemetryText())
		})
	}
}

func loadLogs(tb testing.TB, path string) plog.Logs {
	tb.Helper()
	content, err := os.ReadFile(path)
	require.NoError(tb, err)
	logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(content)
	require.NoError(tb, err)
	return logs
}

func render(t *testing.T, all []ptrace.Traces) string {
	t.Helper()
	var text bytes.Buffer
	for _, traces := range all {
		line, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
		require.NoError(t, err)
		require.NoError(t, json.Indent(&text, line, "", "  "))
		text.WriteByte('\n')
	}
	return text.String()
}

// telemetryText is what an operator sees: the counter, then the log.
func (r *harness) telemetryText() string {
	r.t.Helper()
	var text strings.Builder
	got := make(map[string]int64)
	if m, err := r.telemetry.GetMetric("otelcol_connector_logtospan_records"); err == nil {
		for _, point := range sumOf(r.t, m) {
			outcome, _ := point.Attributes.Value("outcome")
			reason, _ := point.Attributes.Value("reason")
			got[outcome.AsString()+" "+reason.AsString()] = point.Value
		}
	}
	for _, k := range resultInfo {
		if n := got[k.outcome+" "+k.reason]; n > 0 {
			fmt.Fprintf(&text, "%s\n", strings.TrimSpace(fmt.Sprintf("%d %s %s", n, k.outcome, k.reason)))
			delete(got, k.outcome+" "+k.reason)
		}
	}
	assert.Empty(r.t, got, "outcomes nobody knows")
	for _, entry := range r.log.All() {
		fmt.Fprintf(&text, "%s: %s (%s)\n", entry.Level, entry.Message, entry.ContextMap()["reason"])
	}
	return text.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to write it")
	assert.Equal(t, string(want), got)
}
