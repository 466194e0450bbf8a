// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/legato-otel/legato/internal/names"
)

// shownEvents renders the log records of a sink, one to a line: the event, what it
// says of the numbering, and the bridge it is of.
func shownEvents(sink *consumertest.LogsSink) string {
	var lines strings.Builder
	for _, logs := range sink.AllLogs() {
		for _, rl := range logs.ResourceLogs().All() {
			instance, known := rl.Resource().Attributes().Get(names.ServiceInstanceID)
			if !known {
				instance = pcommon.NewValueStr("nobody")
			}
			for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
				lines.WriteString(strings.TrimPrefix(lr.EventName(), "cisco.meeting_server."))
				for _, key := range []string{names.RecordIndex, names.RecordMissing, names.SessionPreviousID} {
					if v, exists := lr.Attributes().Get(key); exists {
						fmt.Fprintf(&lines, " %s=%s", key[strings.LastIndexByte(key, '.')+1:], v.AsString())
					}
				}
				fmt.Fprintf(&lines, " of %s\n", instance.AsString())
			}
		}
	}
	return lines.String()
}

func fieldFiles(t *testing.T, name string) (bodies []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../../testdata/field/cms-cdr", name, "*.xml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		bodies = append(bodies, string(body))
	}
	return bodies
}

// What the README of testdata/field says of the numbering, the session and the
// bridge of each input.
func TestField(t *testing.T) {
	const session, bridge = "11111111-aaaa-4bbb-8ccc-0000000000", "b41d6e00-0000-4000-8000-0000000000"
	f := func(name string, missing int64, want ...string) {
		t.Helper()
		sink := new(consumertest.LogsSink)
		r := newHarness(t, func(r *harness) { r.Logs = sink })
		for range 2 { // the second time all of it is known
			for _, body := range fieldFiles(t, name) {
				require.Equal(t, http.StatusOK, r.Post(body))
			}
		}
		assert.Equal(t, strings.Join(want, "\n")+"\n", shownEvents(sink), "%s", name)
		assert.Equal(t, missing, r.Counter("otelcol_receiver_cmscdr_records_missing"), "%s", name)
		assert.Zero(t, r.Counter("otelcol_receiver_cmscdr_overlapping_sessions"))
		assert.Zero(t, r.Counter(recordsMetric, "malformed"), "%s", name)
	}
	f("two-documents", 0,
		"call.start index=7100 of "+session+"01", "call_leg.start index=7101 of "+session+"01", "call_leg.end index=7102 of "+session+"01")
	f("leg-never-started", 4+1,
		"call.start index=284 of "+bridge+"06",
		"record.gap index=289 missing=4 of "+bridge+"06", "call_leg.update index=289 of "+bridge+"06",
		"record.gap index=291 missing=1 of "+bridge+"06", "call_leg.end index=291 of "+bridge+"06",
		"call.end index=292 of "+bridge+"06")
	f("call-ends-over-open-leg", 4+2,
		"call.start index=384 of "+bridge+"07",
		"record.gap index=389 missing=4 of "+bridge+"07", "call_leg.update index=389 of "+bridge+"07",
		"record.gap index=392 missing=2 of "+bridge+"07", "call.end index=392 of "+bridge+"07")
	f("bridge-attribute-drops-out", 0,
		"call.start index=700 of "+bridge+"11", "call_leg.start index=701 of "+bridge+"11",
		"call_leg.end index=702 of "+bridge+"11", "call.end index=703 of "+bridge+"11")
	f("same-alarm-twice", 0, shownEventsOf(t, "same-alarm-twice"))
	f("booleans-by-number", 0, shownEventsOf(t, "booleans-by-number"))
}

// shownEventsOf is what one post of an input makes.
func shownEventsOf(t *testing.T, name string) string {
	t.Helper()
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	for _, body := range fieldFiles(t, name) {
		require.Equal(t, http.StatusOK, r.Post(body))
	}
	shown := strings.TrimSuffix(shownEvents(sink), "\n")
	require.NotEmpty(t, shown)
	require.NotContains(t, shown, "record.")
	return shown
}
