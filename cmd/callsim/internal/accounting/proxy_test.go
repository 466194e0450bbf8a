// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// run runs a scenario, and returns the content of the file with its backups, the oldest
// first, and the report.
func play(t *testing.T, seed uint64, maxSize int64) (string, EventLog) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "events.log")
	p, err := Open(Options{Seed: seed, Path: path, MaxSize: maxSize})
	require.NoError(t, err)
	for ev := range scenario.New(scenario.Config{Seed: seed, Bridges: 2, Meetings: 80, Start: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)}).Events() {
		p.Observe(ev)
	}
	require.NoError(t, p.Close())
	var all bytes.Buffer
	for backup := Backups; backup >= 0; backup-- {
		name := path
		if backup > 0 {
			name = fmt.Sprintf("%s.%d", path, backup)
		}
		content, err := os.ReadFile(name)
		if err != nil {
			require.ErrorIs(t, err, os.ErrNotExist)
			continue
		}
		all.Write(content)
	}
	return all.String(), p.EventLog()
}

// The log has what makes such logs hard to read, its report counts it, and
// rotation loses nothing.
func TestEventLog(t *testing.T) {
	whole, report := play(t, 3, 1<<30)
	again, rotated := play(t, 3, 100_000)
	assert.Equal(t, whole, again, "the seed decides")
	assert.Zero(t, report.Rotations)
	assert.Positive(t, rotated.Rotations)
	assert.LessOrEqual(t, rotated.Rotations, Backups)
	assert.Equal(t, report.Lines, strings.Count(whole, "\n"))
	assert.EqualValues(t, len(whole), report.Bytes)
	assert.Equal(t, report.Lines, report.Requests+report.Responses+report.Events+report.Malformed+report.Copies)
	for name, pattern := range map[string]string{
		"quoted comma": `From="[^",<]+, [^"<]+" <`, "comma": `(From|To)=[^",<]+, [^",<]+ <sip`, "latin-1": `From="J[^r]+rgen`, "challenge": "StatusCode=407",
		"cancelled": "RESPONSE.INVITE.487", "generic": "reason=monthly, soft limit", "foreign": `INFO \[main\]`, "additional": "chargingVector=icid-value",
	} {
		assert.True(t, regexp.MustCompile(pattern).MatchString(whole), name)
	}
	results := make(map[string]int)
	forked, silent, missed := 0, 0, 0
	for _, call := range report.Calls {
		results[call.Result]++
		if call.Leg == "" {
			missed++
			assert.Contains(t, []int{404, 480, 486, 487}, call.Code)
			assert.Contains(t, whole, "Call-ID="+call.SIPCallID+",")
		}
		if call.Branches > 1 {
			forked++
		}
		if call.Result == "answered" && call.Ended == nil {
			silent++
		}
	}
	assert.Positive(t, missed, "calls that no bridge saw")
	assert.Less(t, missed, len(report.Calls)/5)
	assert.Positive(t, forked)
	assert.Positive(t, silent, "calls without a BYE")
	for _, result := range []string{"answered", "failed", "cancelled"} {
		assert.Positive(t, results[result], result)
	}
}

// A file that cannot be written is an error at the end.
func TestUnwritable(t *testing.T) {
	_, err := Open(Options{Path: filepath.Join(t.TempDir(), "none", "events.log"), MaxSize: 1000})
	assert.ErrorIs(t, err, os.ErrNotExist)
}
