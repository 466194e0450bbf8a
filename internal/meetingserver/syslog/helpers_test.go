// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write the golden files anew")

// noon is when the lines of most tests come.
var noon = time.Date(2024, 3, 20, 12, 0, 0, 0, time.UTC)

func newTestReader() *Reader {
	return NewReader(Options{TraceTimeout: DefaultTraceTimeout, ResponseTimeout: DefaultResponseTimeout, Limits: DefaultLimits})
}

// read returns the records of lines that all come from one source at one time, in the
// form of golden files; what is open at the end is flushed.
func read(text string) string {
	var b strings.Builder
	r := newTestReader()
	take := func(record *Record) { b.WriteString(render(record)) }
	for line := range strings.Lines(text) {
		r.Read(noon, "source", line, take)
	}
	r.Flush(take)
	return b.String()
}

// render writes all of a record.
func render(r *Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %q\n", r.Kind.Event(), r.Severity, r.Text)
	h := &r.Header
	fmt.Fprintf(&b, "  form=%d priority=%d facility=%q severity=%q host=%q container=%q tag=%q pid=%q level=%q", h.Form, h.Priority, h.Facility, h.Severity, h.Host, h.Container, h.Tag, h.PID, h.Level)
	if !h.Time.IsZero() {
		b.WriteString(" time=" + h.Time.UTC().Format(time.RFC3339Nano))
	}
	if r.Redacted {
		b.WriteString(" redacted")
	}
	b.WriteString("\n")
	for _, f := range r.Fields {
		switch f.Type {
		case TypeInt:
			fmt.Fprintf(&b, "  %s = %d\n", f.Key, f.Int)
		case TypeFloat:
			fmt.Fprintf(&b, "  %s = %g\n", f.Key, f.Float)
		case TypeMap:
			fmt.Fprintf(&b, "  %s = %q\n", f.Key, f.Map)
		default:
			fmt.Fprintf(&b, "  %s = %q\n", f.Key, f.Text)
		}
	}
	return b.String()
}

func assertGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func fixture(tb testing.TB, path string) string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", path))
	require.NoError(tb, err)
	return string(text)
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
