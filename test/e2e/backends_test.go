// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// logsBackend sends records to VictoriaLogs, to a file, and to an archive.
const logsBackend = `
extensions:
  file_storage: { directory: %DIR%/storage, create_directory: true, fsync: true }
  health_check: { endpoint: %HEALTH% }
receivers:
  cmscdr: { endpoint: %CDR%, storage: file_storage }
  mediasense: { endpoint: "%MS%" }
  cmssyslog: { tcp: { listen_address: "%SYSLOG%" }, location: UTC }
processors:
  callstitch: { storage: file_storage, linger: 2s }
  transform/event_name: { log_statements: [ { statements: [ 'set(log.attributes["event.name"], log.event_name)' ] } ] }
exporters:
  callrecord: { driver: sqlite, datasource: "%DIR%/calls.db" }
  file: { path: %DIR%/records.jsonl, rotation: { max_megabytes: 1000 } }
  otlp_http: { logs_endpoint: "%LOGS%/insert/opentelemetry/v1/logs", sending_queue: { enabled: false } }
service:
  telemetry: { metrics: { level: none } }
  extensions: [file_storage, health_check]
  pipelines:
    logs: { receivers: [cmscdr, mediasense, cmssyslog], processors: [callstitch, transform/event_name], exporters: [callrecord, %EXPORTER%] }
`

// newLogsBackend starts a Collector with one more exporter, and lets drills and a simulation
// with syslog make every question of docs/alerting-on-logs.md true.
func newLogsBackend(t *testing.T, exporter, logs string) *collector {
	t.Helper()
	recorder, syslog := loopback.MustAddress(t), loopback.MustAddress(t)
	c := newCollectorFrom(t, strings.NewReplacer("%LOGS%", logs, "%MS%", recorder, "%SYSLOG%", syslog, "%EXPORTER%", exporter).Replace(logsBackend))
	for _, drill := range []string{"gap", "garbage", "bridge-restart", "limit", "scanner", "packet-loss", "recording-error", "storage-emergency"} {
		output, err := exec.CommandContext(t.Context(), binary("callsim"), "drill", drill, "-target", c.url(), "-mediasense-target", "http://"+recorder+"/mediasense", "-settle", "0s", "-hold", "1ms").CombinedOutput()
		require.NoError(t, err, "%s", output)
	}
	output, err := exec.CommandContext(t.Context(), binary("callsim"), "-target", "none", "-live", "-speed", "600", "-seed", "4", "-meetings", "5", "-syslog-tcp", syslog).CombinedOutput()
	require.NoError(t, err, "%s", output)
	return c
}

// backend starts a program that make backends has built, and waits until a page answers.
func backend(t *testing.T, variable, ready string, arguments ...string) {
	t.Helper()
	program := os.Getenv(variable)
	if program == "" {
		t.Skip("part of make backends: set " + variable + " to the program")
	}
	var log lockedBuffer
	process := exec.Command(program, arguments...)
	process.Env = append(os.Environ(), "OTEL_TRACES_SAMPLER=always_off") // Jaeger traces itself
	process.Stdout, process.Stderr = &log, &log
	require.NoError(t, process.Start())
	t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		_ = process.Wait()
		if t.Failed() {
			t.Logf("log of %s:\n%s", program, &log)
		}
	})
	require.Eventually(t, func() bool {
		response, err := http.Get(ready)
		if err != nil {
			return false
		}
		response.Body.Close()
		return true
	}, waitFor, tick, "%s is not ready:\n%s", program, &log)
}

const jaegerConfiguration = `
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines: { traces: { receivers: [otlp], exporters: [jaeger_storage_exporter] } }
  telemetry: { metrics: { level: none } }
extensions:
  jaeger_query: { storage: { traces: main }, http: { endpoint: "%QUERY%" }, grpc: { endpoint: "%GRPC%" } }
  jaeger_storage: { backends: { main: { memory: { max_traces: 100000 } } } }
receivers: { otlp: { protocols: { http: { endpoint: "%TRACES%" } } } }
exporters: { jaeger_storage_exporter: { trace_storage: main } }
`

// TestBackendsJaeger: the spans that a real Jaeger returns by its API, trace by trace, are
// those of the truth: ids, parents, links, status, attributes.
func TestBackendsJaeger(t *testing.T) {
	query, traces := loopback.MustAddress(t), loopback.MustAddress(t)
	config := filepath.Join(t.TempDir(), "jaeger.yaml")
	text := strings.NewReplacer("%QUERY%", query, "%GRPC%", loopback.MustAddress(t), "%TRACES%", traces).Replace(jaegerConfiguration)
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	backend(t, "LEGATO_JAEGER", "http://"+query+"/api/v3/services", "--config", config)
	c := newCollectorFrom(t, strings.NewReplacer("%SINK%", "http://"+traces, "%LINGER%", "2s").Replace(tracing))
	is := c.simulate("-seed", "9", "-meetings", "15", "-faults", "lost-ack=0.05,shift").wait()

	spans := map[pcommon.SpanID]ptrace.Span{}
	require.Eventually(t, func() bool {
		for _, id := range is.traceIDs() {
			is.readTrace(t, "http://"+query, id, spans)
		}
		for _, id := range is.expectedSpans() {
			if _, found := spans[id]; !found {
				return false
			}
		}
		return true
	}, waitFor, 10*tick, "all spans are in Jaeger")
	is.compareSpans(t, spans, true)
}

// traceIDs are those that anything in the truth can be in.
func (is *truth) traceIDs() (all []pcommon.TraceID) {
	for _, call := range is.Calls {
		all = append(all, traceOf("call", call.ID))
	}
	for _, leg := range is.Legs {
		if strings.Join(leg.Calls, "") == "" {
			all = append(all, traceOf("call_leg", leg.ID))
		}
	}
	return all
}

// readTrace adds the spans of a trace as Jaeger returns them; a trace that it does not know
// has none.
func (is *truth) readTrace(t *testing.T, api string, id pcommon.TraceID, into map[pcommon.SpanID]ptrace.Span) {
	t.Helper()
	response, err := http.Get(api + "/api/v3/traces/" + id.String() + "?raw_traces=true")
	require.NoError(t, err)
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return
	}
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var answer struct{ Result json.RawMessage }
	require.NoError(t, json.Unmarshal(content, &answer), "%s", content)
	data, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces(answer.Result)
	require.NoError(t, err)
	for _, resource := range data.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				assert.Equal(t, id, span.TraceID())
				// Jaeger makes a span without length a nanosecond long; times on the wire
				// are whole seconds.
				if span.EndTimestamp() == span.StartTimestamp()+1 {
					span.SetEndTimestamp(span.StartTimestamp())
				}
				into[span.SpanID()] = span
			}
		}
	}
}

// victoriaLogs asks a VictoriaLogs.
type victoriaLogs struct {
	t   *testing.T
	url string
}

// query returns the rows of a query in LogsQL.
func (v *victoriaLogs) query(text string) (rows []map[string]string) {
	v.t.Helper()
	response, err := http.PostForm(v.url+"/select/logsql/query", url.Values{"query": {text}})
	require.NoError(v.t, err)
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		row := map[string]string{}
		require.NoError(v.t, json.Unmarshal(lines.Bytes(), &row), "%s: %s", text, lines.Text())
		rows = append(rows, row)
	}
	require.NoError(v.t, lines.Err())
	require.Equal(v.t, http.StatusOK, response.StatusCode, text)
	return rows
}

// TestBackendsVictoriaLogs: the stitched records that a real VictoriaLogs finds by a trace id
// are the rows of the archive, and every question of docs/alerting-on-logs.md in LogsQL has an
// answer after drills that make it true.
func TestBackendsVictoriaLogs(t *testing.T) {
	address := loopback.MustAddress(t)
	v := &victoriaLogs{t, "http://" + address}
	backend(t, "LEGATO_VICTORIALOGS", v.url+"/health", "-storageDataPath="+t.TempDir(), "-httpListenAddr="+address)
	c := newLogsBackend(t, "otlp_http", v.url)
	for _, question := range logQuestions(t, logsQLCell) {
		require.Eventually(t, func() bool { return len(v.query(question)) > 0 }, waitFor, 10*tick, "no answer: %s", question)
	}

	is := c.simulate("-live", "-speed", "3600", "-seed", "4", "-meetings", "5").wait()
	source := filepath.Join(c.directory, "calls.db")
	archived := is.untilArchived(t, store.SQLite, source)
	for _, conference := range archived.conferences {
		want := map[string]string{}
		for _, leg := range archived.legs {
			if leg.TraceID == conference.TraceID && leg.State == store.StateEnded {
				want[leg.ID] = leg.SpanID + " " + leg.Outcome + " " + leg.Reason + " " + leg.DisplayName
			}
		}
		got := map[string]string{}
		require.Eventually(t, func() bool {
			clear(got)
			for _, row := range v.query(`trace_id:="` + conference.TraceID + `" event.name:="cisco.meeting_server.call_leg.span"`) {
				const leg = "cisco.meeting_server.call_leg."
				got[row[leg+"id"]] = row["span_id"] + " " + row["callstitch.outcome"] + " " + row[leg+"reason"] + " " + row[leg+"display_name"]
			}
			return len(got) >= len(want)
		}, waitFor, 10*tick)
		assert.Equal(t, want, got, conference.TraceID)
	}
}

// The columns of the table in docs/alerting-on-logs.md, by language.
var (
	logQLCell  = regexp.MustCompile("(?m)^\\|[^`|]*\\| `([^`]*)` \\| `_time:[^`]*` \\|$")
	logsQLCell = regexp.MustCompile("(?m)^\\|[^`|]*\\| `[^`]*` \\| `(_time:[^`]*)` \\|$")
)

// logQuestions reads the questions of a column of the document; a pipe in a table is escaped.
func logQuestions(t *testing.T, column *regexp.Regexp) (all []string) {
	t.Helper()
	document, err := os.ReadFile(filepath.Join(root, "docs", "alerting-on-logs.md"))
	require.NoError(t, err)
	for _, cell := range column.FindAllStringSubmatch(string(document), -1) {
		all = append(all, strings.ReplaceAll(cell[1], `\|`, "|"))
	}
	require.Len(t, all, 10)
	return all
}
