// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Programs in place of callsim and the Collector, for scripts/run.sh. The Collector refuses
// to start before callsim serves.
const (
	quietCallsim = `#!/bin/sh
echo $$ >callsim.pid
echo 'callsim: MediaSense API of ms2 at http://localhost:8441' >&2
exec sleep 600
`
	quietCollector = `#!/bin/sh
grep -q 'MediaSense API of ms2' data/callsim.log || { echo 'Error: no server' >&2; exit 1; }
echo "run $(cat run)" >&2
echo 'Everything is ready' >&2
echo $$ >collector.pid
`
)

// TestRunScript holds the order in which scripts/run.sh starts its programs, the words that it
// has for the end of one, and that it keeps the log of the run before.
func TestRunScript(t *testing.T) {
	directory := t.TempDir()
	write := func(name, content string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(directory, name)), 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(directory, name), []byte(content), 0o700))
	}
	read := func(name string) string {
		content, err := os.ReadFile(filepath.Join(directory, name))
		require.NoError(t, err)
		return string(content)
	}
	script, err := os.ReadFile(filepath.Join(root, "scripts", "run.sh"))
	require.NoError(t, err)
	write("scripts/run.sh", string(script))
	write("dist/callsim", quietCallsim)

	f := func(run, collector, want string) {
		t.Helper()
		write("run", run)
		write("dist/otelcol-legato", quietCollector+collector)
		command := exec.CommandContext(t.Context(), "sh", filepath.Join(directory, "scripts", "run.sh"))
		var stderr strings.Builder
		command.Stderr = &stderr
		// What the script starts and does not end would keep its standard error open.
		command.WaitDelay = waitForMore
		require.Error(t, command.Run())
		assert.Equal(t, 1, command.ProcessState.ExitCode(), "%s", &stderr)
		assert.Equal(t, want, stderr.String())
		assert.Contains(t, read("data/collector.log"), "run "+run)
		for _, name := range []string{"callsim.pid", "collector.pid"} {
			gone(t, read(name))
		}
	}
	f("zero", "true", "collector ended with exit status 0; its log, data/collector.log:\nrun zero\nEverything is ready\n")
	f("one", "kill -KILL $$", "collector was ended by the signal KILL; its log is data/collector.log\n")
	f("two", "echo 'Error: a mistake' >&2; exit 3", "collector ended with exit status 3; its log, data/collector.log:\nError: a mistake\n")
	assert.Contains(t, read("data/collector.log.1"), "run one", "the log of the run before is lost")
}

// gone holds that a process has ended.
func gone(t *testing.T, pid string) {
	t.Helper()
	number, err := strconv.Atoi(strings.TrimSpace(pid))
	require.NoError(t, err)
	process, err := os.FindProcess(number)
	require.NoError(t, err)
	assert.ErrorIs(t, process.Signal(syscall.Signal(0)), os.ErrProcessDone, "a process of the script runs on")
}
