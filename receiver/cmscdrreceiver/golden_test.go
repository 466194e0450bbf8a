// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
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

// TestGolden posts every fixture of the wire format to a fresh receiver and
// holds the log records against testdata/golden.
func TestGolden(t *testing.T) {
	for _, pattern := range []string{"*.xml", "*/*.xml", "*/*.txt"} {
		files, err := filepath.Glob(filepath.Join(fixtures, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			name, err := filepath.Rel(fixtures, file)
			require.NoError(t, err)
			t.Run(filepath.ToSlash(name), func(t *testing.T) {
				sink := new(consumertest.LogsSink)
				r := newHarness(t, func(r *harness) { r.Logs = sink })
				require.Equal(t, http.StatusOK, r.PostTo(r.URL+"?system_id=cms1&token=secret", fixture(t, name)))
				receiverkit.AssertRoomForStamps(t, sink.AllLogs(), names.CallID, names.CallLegID)
				golden(t, name, sink.AllLogs())
			})
		}
	}
}

func golden(t *testing.T, name string, all []plog.Logs) {
	t.Helper()
	var got bytes.Buffer
	for _, logs := range all {
		for _, lr := range receiverkit.Records([]plog.Logs{logs}) {
			assert.NotZero(t, lr.ObservedTimestamp())
			lr.SetObservedTimestamp(0)
		}
		line, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
		require.NoError(t, err)
		require.NoError(t, json.Indent(&got, line, "", "  "))
		got.WriteByte('\n')
	}
	path := filepath.Join("testdata", "golden", strings.TrimSuffix(filepath.ToSlash(name), filepath.Ext(name))+".json")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got.Bytes(), 0o600))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to write it")
	assert.Equal(t, string(want), got.String())
}
