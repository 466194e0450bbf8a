// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

var update = flag.Bool("update", false, "write the golden files anew")

// stages are what bridges post, one request after the other. Names with a dot
// are files of testdata/in.
var stages = map[string][]string{
	"flow":        flow,
	"distributed": {"distributed/bridge-a-1", "distributed/bridge-b-1", "distributed/bridge-a-2", "distributed/bridge-b-2", "distributed/bridge-a-3"},
	"moved":       {"moved/new-start", "moved/old-end", "moved-end.json"},
	"lync":        {"lync/av-and-presentation"},
	"ivr":         {"ivr/ivr-lobby-active", "ivr/sip-scan"},
	"recording":   {"recording/start-builtin-recorderUrl", "recording/start-sip-recorderUri", "recording/end", "recording/end-without-start"},
	"streaming":   {"streaming/start-old-streamUrl", "streaming/start-streamerUri", "streaming/end"},
	"restart":     {"flow/post-1", "flow/post-2", "flow/post-3", "flow/post-4", "restart.json"},
	"roster":      {"flow/post-1", "flow/post-2", "roster.json"},
	"foreign":     {"foreign.json"},
	"session": mediaSense("session-started", "session-updated", "tag-added-track", "tag-added-track-other", "tag-added-track-active-late",
		"tag-updated-user-seconds", "session-ended", "tag-deleted", "session-deleted", "session-pruned"),
	"session_error":           mediaSense("session-started-cube", "session-ended-error-object-urls"),
	"leg_never_started":       {"field/leg-never-started/body-1.json", "field/leg-never-started/body-2.json", "field/leg-never-started/body-3.json", "field/leg-never-started/body-4.json"},
	"call_ends_over_open_leg": {"field/call-ends-over-open-leg/body-1.json", "field/call-ends-over-open-leg/body-2.json", "field/call-ends-over-open-leg/body-3.json"},
	"dialogs":                 {"accounting/events-basic.log", "accounting/events-failures-and-forking.log", "accounting/events-tricky-values.log"},
	"dialog_of_leg":           append([]string{"accounting/flow-begins.log"}, append(slices.Clone(flow), "accounting/flow-ends.log")...),
	"scheduling":              {"syslog/cms-api/syslog-api-trace.log"},
	"scheduled_meeting":       {"syslog/tms-meeting.log"},
	"unknown":                 {"unknown/unknown-elements", "unknown/unknown-record-type", "gap/num-preceding-missing"},
}

// mediaSense names what the mediasense receiver makes of posts of a MediaSense
// server.
func mediaSense(all ...string) (requests []string) {
	for _, name := range all {
		requests = append(requests, "mediasense/"+name+".json")
	}
	return requests
}

// TestGolden sends each stage through a processor and lets all time pass that
// there is. It holds the stamps against stamped.txt, the stitched records
// against out.json (none: there were none) and what an operator sees against
// telemetry.txt.
func TestGolden(t *testing.T) {
	for name, requests := range stages {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newHarness(t, nil)
				var stamps strings.Builder
				for _, request := range requests {
					logs := stage(t, request)
					before := clone(logs)
					require.NoError(t, r.ConsumeLogs(t.Context(), logs))
					passed := r.next.passed.AllLogs()
					describeStamps(t, &stamps, before, passed[len(passed)-1])
				}
				time.Sleep(linger)
				time.Sleep(r.config.MaxOpen + linger)
				synctest.Wait()
				folder := filepath.Join("testdata", "golden", name)
				golden(t, filepath.Join(folder, "stamped.txt"), stamps.String())
				golden(t, filepath.Join(folder, "out.json"), asJSON(t, r.next.stitched))
				golden(t, filepath.Join(folder, "telemetry.txt"), r.telemetryText())
			})
		})
	}
}

func stage(tb testing.TB, name string) plog.Logs {
	tb.Helper()
	if log, found := strings.CutPrefix(name, "accounting/"); found {
		return accounting(tb, log)
	}
	if log, found := strings.CutPrefix(name, "syslog/"); found {
		return syslogRecords(tb, log)
	}
	if strings.Contains(name, ".") {
		return readLogs(tb, filepath.Join("testdata", "in", name))
	}
	return post(tb, name)
}

// describeStamps writes what was put on each record, which must be all that
// became of it.
func describeStamps(t *testing.T, to *strings.Builder, before, after plog.Logs) {
	t.Helper()
	was, is := records(before), records(after)
	require.Len(t, is, len(was))
	for i := range is {
		fmt.Fprintf(to, "%s %s %s\n", is[i].EventName(), traceOf(is[i]), spanOf(is[i]))
		is[i].Attributes().RemoveIf(func(key string, v pcommon.Value) bool {
			_, had := was[i].Attributes().Get(key)
			if !had {
				fmt.Fprintf(to, "    %s = %s\n", key, v.AsString())
			}
			return !had
		})
		if was[i].TraceID().IsEmpty() {
			is[i].SetTraceID(pcommon.TraceID{})
			is[i].SetSpanID(pcommon.SpanID{})
		}
		assert.Equal(t, bytesOf(t, was[i]), bytesOf(t, is[i]), "nothing else is changed")
	}
}

func asJSON(t *testing.T, all []plog.Logs) string {
	t.Helper()
	var text bytes.Buffer
	for _, logs := range all {
		line, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
		require.NoError(t, err)
		require.NoError(t, json.Indent(&text, line, "", "  "))
		text.WriteByte('\n')
	}
	return text.String()
}

// telemetryText is what an operator sees: the series that are not zero, then
// the log.
func (r *harness) telemetryText() string {
	r.t.Helper()
	var lines []string
	for name, value := range r.counts() {
		if value != 0 && !strings.HasPrefix(name, "state_size") {
			lines = append(lines, fmt.Sprintf("%s %d\n", name, value))
		}
	}
	slices.Sort(lines)
	for _, entry := range r.log.All() {
		lines = append(lines, fmt.Sprintf("%s: %s\n", entry.Level, entry.Message))
	}
	return strings.Join(lines, "")
}

// counts are the values of all series, by name and attributes.
func (r *harness) counts() map[string]int64 {
	r.t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(r.t, r.telemetry.Reader.Collect(r.t.Context(), &data))
	all := make(map[string]int64)
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			var points []metricdata.DataPoint[int64]
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				points = data.DataPoints
			case metricdata.Gauge[int64]:
				points = data.DataPoints
			default:
				require.Fail(r.t, "neither a sum nor a gauge", m.Name)
			}
			for _, point := range points {
				name := []string{strings.TrimPrefix(m.Name, "otelcol_processor_callstitch_")}
				for _, attribute := range point.Attributes.ToSlice() {
					name = append(name, attribute.Value.AsString())
				}
				all[strings.Join(name, " ")] = point.Value
			}
		}
	}
	return all
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to write it")
	assert.Equal(t, string(want), got)
}
