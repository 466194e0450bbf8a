// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden reads every fixture, those from the field too, and holds the log
// records against testdata/golden.
func TestGolden(t *testing.T) {
	var files []string
	for _, pattern := range []string{fixtures + "/*.log", "../../testdata/field/ocms/*.log"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, found)
		files = append(files, found...)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			content := fixture(t, file)
			sink := new(consumertest.LogsSink)
			newHarness(t, func(r *harness) {
				r.Logs = sink
				r.write(name, content)
			})
			// Each line that is not blank is one record, but for a copy.
			want := 0
			seen := make(map[string]bool)
			for line := range strings.Lines(content) {
				if line = strings.TrimSpace(line); line != "" && !seen[line] {
					seen[line] = true
					want++
				}
			}
			require.Eventually(t, func() bool { return sink.LogRecordCount() >= want }, waitFor, tick)
			assert.Equal(t, want, sink.LogRecordCount())
			receiverkit.AssertRoomForStamps(t, sink.AllLogs(), names.SIPCallID)
			golden(t, name, sink.AllLogs())
		})
	}
}

// golden compares without the time at which the records came.
func golden(t *testing.T, name string, all []plog.Logs) {
	t.Helper()
	var got bytes.Buffer
	for _, logs := range all {
		for _, lr := range receiverkit.Records([]plog.Logs{logs}) {
			assert.NotZero(t, lr.ObservedTimestamp())
			assert.NotZero(t, lr.Timestamp())
			if lr.Timestamp() == lr.ObservedTimestamp() {
				lr.SetTimestamp(0)
			}
			lr.SetObservedTimestamp(0)
		}
		line, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
		require.NoError(t, err)
		require.NoError(t, json.Indent(&got, line, "", "  "))
		got.WriteByte('\n')
	}
	path := filepath.Join("testdata", "golden", strings.TrimSuffix(name, filepath.Ext(name))+".json")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got.Bytes(), 0o600))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to write it")
	assert.Equal(t, string(want), got.String())
}
