// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// comparing writes all that `callsim compare` reads: records and spans into files, and an
// archive with its page.
const comparing = `
extensions:
  file_storage: { directory: %DIR%/storage, create_directory: true, fsync: true }
  health_check: { endpoint: %HEALTH% }
receivers:
  cmscdr: { endpoint: %CDR%, storage: file_storage }
processors:
  callstitch: { storage: file_storage, linger: 1s }
connectors:
  logtospan: {}
exporters:
  file/records: { path: %DIR%/records.jsonl, rotation: { max_megabytes: 1000 } }
  file/spans: { path: %DIR%/spans.jsonl, rotation: { max_megabytes: 1000 } }
  callrecord: { driver: sqlite, datasource: "%DIR%/calls.db", http: { endpoint: "%ARCHIVE%" } }
service:
  telemetry: { metrics: { level: none } }
  extensions: [file_storage, health_check]
  pipelines:
    logs: { receivers: [cmscdr], processors: [callstitch], exporters: [file/records, logtospan, callrecord] }
    traces: { receivers: [logtospan], exporters: [file/spans] }
`

// TestCompare: records, spans and archive of a run with faults equal its truth by `callsim
// compare`, and files from which a line is missing, or in which one is twice, do not.
func TestCompare(t *testing.T) {
	t.Parallel()
	page := loopback.MustAddress(t)
	c := newCollectorFrom(t, string(bytes.ReplaceAll([]byte(comparing), []byte("%ARCHIVE%"), []byte(page))))
	s := c.simulate("-seed", "5", "-meetings", "20", "-faults", "lost-ack=0.1,shift,overflow=2,malformed=0.01,restart=1")
	s.wait()
	compare := func(arguments ...string) (output string, code int) {
		command := exec.CommandContext(t.Context(), binary("callsim"), append([]string{"compare", "-truth", s.truth}, arguments...)...)
		text, err := command.CombinedOutput()
		if err != nil {
			require.ErrorAs(t, err, new(*exec.ExitError), "%s", text)
		}
		return string(text), command.ProcessState.ExitCode()
	}
	records, spans := filepath.Join(c.directory, "records.jsonl"), filepath.Join(c.directory, "spans.jsonl")
	var output string
	require.Eventually(t, func() bool {
		var code int
		output, code = compare("-records", records, "-spans", spans, "-archive", "http://"+page)
		return code == 0
	}, waitFor, time.Second, "not equal:\n%s", &output)
	assert.Regexp(t, `records\ncompared \d+ of record\n0 findings\nspans\n(compared \d+ of \w+\n)+0 findings\narchive\n(compared \d+ of \w+\n)+0 findings\n`, output)

	content, err := os.ReadFile(spans)
	require.NoError(t, err)
	first, rest, found := bytes.Cut(content, []byte("\n"))
	require.True(t, found)
	changed := filepath.Join(t.TempDir(), "changed.jsonl")
	for want, text := range map[string][]byte{"missing": rest, "twice": append(append(first, '\n'), content...)} {
		require.NoError(t, os.WriteFile(changed, text, 0o600))
		output, code := compare("-spans", changed)
		assert.Equal(t, 1, code)
		assert.Contains(t, output, want+" ")
	}
}
