// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

func story(seed uint64) *scenario.World {
	return scenario.New(scenario.Config{Seed: seed, Bridges: 3, Meetings: 60, Restarts: 2, Start: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)})
}

// run runs a scenario, and returns the lines of the file and the report.
func play(t *testing.T, seed uint64, o Options) ([]string, Report) {
	t.Helper()
	w := story(seed)
	o.Seed, o.Bridges = seed, w.Bridges()
	o.Path = filepath.Join(t.TempDir(), "syslog")
	l, err := Open(o)
	require.NoError(t, err)
	for ev := range w.Events() {
		l.Observe(ev)
	}
	require.NoError(t, l.Close())
	content, err := os.ReadFile(o.Path)
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(content), "\n"), "\n"), l.Report()
}

// The log has what makes such logs hard to read, and its report counts it.
func TestLog(t *testing.T) {
	t.Parallel()
	lines, report := play(t, 3, Options{})
	again, _ := play(t, 3, Options{})
	assert.Equal(t, lines, again, "the seed decides")
	assert.Len(t, lines, report.Lines)
	whole := strings.Join(lines, "\n")
	for name, pattern := range map[string]string{
		"padded date": `(?m)^Jan  5 \d\d:\d\d:\d\d user.info cms1 `, "milliseconds": `(?m)^Jan 5 \S+\.\d{3} user.info cms2 `, "ISO": `(?m)^2026-01-05T\S+\.\d{3} user.info cms3 `,
		"container": `local7.info cms\d [0-9a-f]{12} wb3_frontend: `, "number of a process": `postgres\[\d+\]: `, "no level": `authp:  re-registration`,
		"padded level": ` INFO    : `, "a level without a colon": ` INFO call`, "chunk": `API trace \d+:      \S+&\n`, "secret in chunks": `secret=.{41}\n.*:      \S+\n`,
		"refused": `sending 401 response`, "no line": `(?m)^-- MARK --$`, "command": `cli: User admin`,
	} {
		assert.Regexp(t, pattern, whole, name)
	}
	for _, of := range []struct{ kind, pattern string }{
		{"api_request", `API trace \d+: (GET|PUT|POST|DELETE) for "`},
		{"api_audit", `: API user "tms" `},
		{"participant_join", ` joined space `},
		{"conference_ids", `Internal GUID: `},
		{"sso_error", `SamlManager`},
	} {
		assert.Len(t, regexp.MustCompile(of.pattern).FindAllString(whole, -1), report.Records[of.kind], of.kind)
		assert.Positive(t, report.Records[of.kind], of.kind)
	}
	joined := strings.NewReplacer("\n", "").Replace(regexp.MustCompile(`\n[^\n]*API trace \d+:      `).ReplaceAllString(whole, ""))
	for _, secret := range report.Secrets {
		assert.Contains(t, joined, secret, "a secret that was never written is no test")
	}
}

// Each meeting is what its requests say, in this order, and the requests of a bridge are
// numbered.
func TestMeetings(t *testing.T) {
	t.Parallel()
	lines, report := play(t, 5, Options{})
	require.NotEmpty(t, report.Meetings)
	ended, extended, invited := 0, 0, 0
	for _, m := range report.Meetings {
		assert.Equal(t, []string{"create", "start"}, m.Steps[:2])
		var requests []string
		for _, line := range lines {
			if strings.Contains(line, " "+m.Bridge+" ") && strings.Contains(line, " for \"") && strings.Contains(line, m.Call) {
				requests = append(requests, line)
			}
		}
		if m.End == nil {
			assert.NotContains(t, m.Steps, "delete")
			continue
		}
		ended++
		assert.False(t, m.End.Before(m.Start))
		assert.Equal(t, []string{"end", "delete"}, m.Steps[len(m.Steps)-2:])
		assert.Contains(t, requests[len(requests)-1], `DELETE for "/api/v1/calls/`+m.Call)
		extended += strings.Count(strings.Join(m.Steps, " "), "extend")
		invited += strings.Count(strings.Join(m.Steps, " "), "invite")
	}
	assert.Positive(t, ended)
	assert.Positive(t, extended)
	assert.Positive(t, invited)
	last := make(map[string]int)
	first := regexp.MustCompile(` (cms\d) host:server: .*API trace (\d+): [A-Z]+ for "`)
	for _, line := range lines {
		if strings.Contains(line, "Server booting") {
			clear(last)
		}
		if found := first.FindStringSubmatch(line); found != nil {
			var number int
			_, err := fmt.Sscan(found[2], &number)
			require.NoError(t, err)
			if before, known := last[found[1]]; known {
				assert.Equal(t, before+1, number, line)
			}
			last[found[1]] = number
		}
	}
}

// What is sent is what stands in the file, with a priority; in both framings.
func TestWire(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "localhost:0") //nolint:noctx // of a test
	require.NoError(t, err)
	type sent struct{ lines, counted []string }
	done := make(chan sent, 8)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { done <- receive(connection) }()
		}
	}()
	lines, report := play(t, 3, Options{TCP: listener.Addr().String()})
	assert.Zero(t, report.Unsent)
	received, counted := 0, 0
	var all []string
	for range 3 {
		s := <-done
		received += len(s.lines) + len(s.counted)
		counted += len(s.counted)
		all = slices.Concat(all, s.lines, s.counted)
	}
	require.NoError(t, listener.Close())
	assert.Equal(t, len(lines), received)
	assert.Positive(t, counted)
	whole := strings.Join(all, "\n")
	assert.Regexp(t, `(?m)^<14>\S+.* user\.info `, whole)
	assert.Regexp(t, `(?m)^<11>\S+.* user\.info `, whole, "the priority says something else")
	assert.Regexp(t, `(?m)^<14>[^.\n]*(\.\d{3})? cms\d host:server:`, whole, "no text beside it")
}

// receive reads a connection to its end.
func receive(connection net.Conn) (s struct{ lines, counted []string }) {
	r := bufio.NewReader(connection)
	for {
		start, err := r.Peek(1)
		if err != nil {
			return s
		}
		if start[0] >= '1' && start[0] <= '9' {
			var size int
			if _, err := fmt.Fscanf(r, "%d ", &size); err != nil {
				return s
			}
			line := make([]byte, size)
			if _, err := io.ReadFull(r, line); err != nil {
				return s
			}
			s.counted = append(s.counted, string(line))
			continue
		}
		line, err := r.ReadString('\n')
		if err != nil {
			return s
		}
		s.lines = append(s.lines, strings.TrimSuffix(line, "\n"))
	}
}
