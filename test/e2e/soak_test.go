// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSoak runs meeting after meeting through one process, for as long as
// LEGATO_SOAK says (a few seconds if it says nothing; `make soak` is the long
// form), and looks at the process: its memory and its open files must not grow
// with the number of records.
func TestSoak(t *testing.T) {
	length, warmUp := 5*time.Second, 3
	if text := os.Getenv("LEGATO_SOAK"); text != "" {
		var err error
		length, err = time.ParseDuration(text)
		require.NoError(t, err, "LEGATO_SOAK")
		// Each simulation brings bridges of its own. The receiver keeps the
		// metrics of 256 of them; before that many were seen, memory does grow.
		warmUp = 90
	}
	// Without the metrics page, which keeps every bridge it ever saw for minutes;
	// with a memory for what was emitted that is full within the warm-up.
	c := newCollectorFrom(t, strings.NewReplacer(
		"%RECEIVER%", "", "exporters: [prometheus]", "exporters: [nop]",
		"exporters:\n", "processors: { callstitch: { storage: file_storage, linger: 100ms, max_open: 3s } }\nconnectors: { logtospan: {} }\nexporters:\n",
		"logs: { receivers: [cmscdr], exporters: [file] }",
		"logs: { receivers: [cmscdr], processors: [callstitch], exporters: [file, logtospan] }\n    traces: { receivers: [logtospan], exporters: [nop] }",
	).Replace(configuration))
	run := func(seed int) {
		is := c.simulate("-seed", strconv.Itoa(seed), "-meetings", "200", "-unclustered", "-faults", allFaults).wait()
		require.False(t, is.Interrupted)
	}
	seed := 100
	for ; seed < 100+warmUp; seed++ {
		run(seed)
	}
	memory, files := c.resident(), c.openFiles()
	for end := time.Now().Add(length); time.Now().Before(end); seed++ {
		run(seed)
	}
	t.Logf("%d simulations; resident %d -> %d MiB, files %d -> %d", seed-100, memory>>20, c.resident()>>20, files, c.openFiles())
	assert.Less(t, c.resident(), memory+64<<20, "resident memory grows")
	assert.LessOrEqual(t, c.openFiles(), files+5, "open files grow")
}

// resident returns the process's resident memory in bytes.
func (c *collector) resident() int {
	c.t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(c.process.Process.Pid) + "/status")
	if os.IsNotExist(err) {
		c.t.Skip("this system has no /proc")
	}
	require.NoError(c.t, err)
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			kilobytes, err := strconv.Atoi(fields[1])
			require.NoError(c.t, err)
			return kilobytes << 10
		}
	}
	require.Fail(c.t, "no VmRSS in /proc")
	return 0
}

func (c *collector) openFiles() int {
	c.t.Helper()
	entries, err := os.ReadDir("/proc/" + strconv.Itoa(c.process.Process.Pid) + "/fd")
	require.NoError(c.t, err)
	return len(entries)
}
