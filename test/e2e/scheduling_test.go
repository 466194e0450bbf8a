// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/test/otlpsink"
)

// scheduling makes spans of the bridges' records, of their syslog and of a SIP proxy.
const scheduling = `
extensions:
  file_storage: { directory: %DIR%/storage, create_directory: true, fsync: true }
  health_check: { endpoint: %HEALTH% }
receivers:
  cmscdr: { endpoint: %CDR%, storage: file_storage }
  cmssyslog: { tcp: { listen_address: %SYSLOG% }, metrics: { interval: 100ms } }
  ocms: { include: [%DIR%/events.log], start_at: beginning }
processors:
  callstitch: { storage: file_storage, linger: 3s }
connectors:
  logtospan: {}
exporters:
  file: { path: %DIR%/records.jsonl, rotation: { max_megabytes: 1000 } }
  file/traces: { path: %DIR%/traces.jsonl, rotation: { max_megabytes: 1000 } }
  otlp_http: { endpoint: "%SINK%", compression: none, sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }
  prometheus: { endpoint: %PAGE%, metric_expiration: 10m }
service:
  telemetry: { metrics: { level: none } }
  extensions: [file_storage, health_check]
  pipelines:
    logs: { receivers: [cmscdr, cmssyslog, ocms], processors: [callstitch], exporters: [file, logtospan] }
    traces: { receivers: [logtospan], exporters: [otlp_http, file/traces] }
    metrics: { receivers: [cmssyslog], exporters: [prometheus] }
`

// syslogTruth is what must come out of the bridges' syslog.
type syslogTruth struct {
	Unsent   int
	Records  map[string]int
	Secrets  []string
	Meetings []scheduledTruth
}

type scheduledTruth struct {
	Call, Name, Client, User string
	Start, End               time.Time
	Steps                    []string
}

// eventOfKind is the event of each kind of record in the truth.
var eventOfKind = map[string]string{
	"line": "syslog.line", "unparsed": "syslog.unparsed", "api_request": "api.request", "api_audit": "api.audit", "conference_ids": "syslog.conference.ids",
	"call_leg_ids": "syslog.call_leg.ids", "call_outgoing": "syslog.call.outgoing", "call_incoming": "syslog.call.incoming", "call_ringing": "syslog.call.ringing",
	"participant_join": "syslog.participant.join", "participant_leave": "syslog.participant.leave", "cli_command": "syslog.cli.command",
	"web_app_audit": "syslog.web_app.audit", "recorder_missing": "syslog.fault.recorder_missing", "nfs_mount_failed": "syslog.fault.nfs_mount_failed",
	"database_fatal": "syslog.fault.database_fatal", "sso_error": "syslog.fault.sso_error", "handshake_error": "syslog.fault.handshake_error",
	"unencrypted_fallback": "syslog.fault.unencrypted_fallback",
}

// TestSchedulingTruth: a client schedules meetings on simulated bridges. Its requests are
// the story of each meeting, which links to the conference; all that the bridges log of
// that is found with the conference's trace, beside its legs and their SIP dialogs; and no
// secret is in any output.
func TestSchedulingTruth(t *testing.T) {
	sink, syslog := otlpsink.NewTraces(t), loopback.MustAddress(t)
	c := newCollectorFrom(t, strings.NewReplacer("%SINK%", sink.URL, "%SYSLOG%", syslog).Replace(scheduling))
	file := filepath.Join(c.directory, "truth.json")
	// Dates without a year are of this one. At a pace, the records of a meeting come close to its lines: as
	// fast as can be, those of the room's next meeting may come before its end.
	start := time.Now().UTC().Add(-24 * time.Hour).Truncate(time.Second).Format(time.RFC3339)
	output, err := exec.CommandContext(t.Context(), binary("callsim"), "-target", c.url(), "-seed", "3", "-meetings", "15", "-speed", "600", "-start", start, "-syslog-tcp", syslog,
		"-ocms", filepath.Join(c.directory, "events.log"), "-truth", file).CombinedOutput()
	require.NoError(t, err, "%s", output)
	var all struct{ Syslog syslogTruth }
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &all))
	truth := all.Syslog
	require.Zero(t, truth.Unsent)
	require.Greater(t, len(truth.Meetings), 3)
	require.NotEmpty(t, truth.Secrets)

	want := make(map[string]int)
	for kind, n := range truth.Records {
		require.Contains(t, eventOfKind, kind)
		want["cisco.meeting_server."+eventOfKind[kind]] = n
	}
	got := make(map[string]int)
	byTrace := make(map[string]map[string]int) // of the log records
	count := func() bool {
		clear(got)
		clear(byTrace)
		for _, w := range c.output() {
			if _, isSyslog := want[w.event]; isSyslog {
				got[w.event]++
			}
			if byTrace[w.trace] == nil {
				byTrace[w.trace] = make(map[string]int)
			}
			byTrace[w.trace][strings.TrimPrefix(w.event, "cisco.meeting_server.")]++
		}
		return assert.ObjectsAreEqual(want, got)
	}
	if !assert.Eventually(t, count, waitFor, 5*tick) {
		assert.Equal(t, want, got)
	}
	spans := make(map[pcommon.SpanID]ptrace.Span)
	require.Eventually(t, func() bool {
		received, _ := sink.Received()
		clear(spans)
		for _, s := range received {
			spans[s.SpanID()] = s.Span
		}
		return !slices.ContainsFunc(truth.Meetings, func(m scheduledTruth) bool {
			_, meeting := spans[spanOf("scheduled_meeting", m.Call)]
			_, call := spans[spanOf("call", m.Call)]
			return !meeting || !call
		})
	}, waitFor, 5*tick, "each meeting and its call have a span")
	require.Eventually(t, func() bool { return count() && got["cisco.meeting_server.api.request"] > 0 }, waitFor, tick)
	inOnePlace := 0
	for _, m := range truth.Meetings {
		compareScheduled(t, &m, spans)
		conference := spans[spanOf("call", m.Call)].TraceID().String()
		found := maps.Clone(byTrace[conference])
		if own := traceOf("call", m.Call).String(); own != conference { // it joined the conference after its first records
			for event, n := range byTrace[own] {
				found[event] += n
			}
		}
		for _, event := range []string{"call.start", "api.request", "api.audit", "syslog.conference.ids", "call.span"} {
			assert.Positive(t, found[event], "%s in the trace %s of %s", event, conference, m.Name)
		}
		if found["call_leg.span"] > 0 && found["recording.span"] > 0 && found["syslog.participant.join"] > 0 && slices.ContainsFunc(received(spans), func(s ptrace.Span) bool {
			return s.Name() == "dialog" && s.TraceID().String() == conference
		}) {
			inOnePlace++
		}
	}
	assert.Positive(t, inOnePlace, "a meeting with its requests' records, conference, legs, lines, recording and SIP dialogs in one trace")

	var outputs strings.Builder
	outputs.WriteString(c.metrics())
	c.stop()
	for _, file := range []string{"records.jsonl", "traces.jsonl"} {
		content, err := os.ReadFile(filepath.Join(c.directory, file))
		require.NoError(t, err)
		outputs.Write(content)
	}
	outputs.WriteString(c.log.String())
	for _, secret := range truth.Secrets {
		for from := 0; from+secretPart <= len(secret); from += secretPart {
			require.NotContains(t, outputs.String(), secret[from:from+secretPart])
		}
	}
}

// secretPart is how much of a secret must be nowhere.
const secretPart = 12

func received(spans map[pcommon.SpanID]ptrace.Span) (all []ptrace.Span) {
	for _, s := range spans {
		all = append(all, s)
	}
	return all
}

// compareScheduled compares a meeting's span and those of its requests with the truth.
func compareScheduled(t *testing.T, m *scheduledTruth, spans map[pcommon.SpanID]ptrace.Span) {
	t.Helper()
	s, call := spans[spanOf("scheduled_meeting", m.Call)], spans[spanOf("call", m.Call)]
	assert.Equal(t, traceOf("scheduled_meeting", m.Call), s.TraceID())
	assert.True(t, s.ParentSpanID().IsEmpty())
	assert.WithinDuration(t, m.Start, s.StartTimestamp().AsTime(), time.Second)
	assert.WithinDuration(t, m.End, s.EndTimestamp().AsTime(), time.Second)
	assert.Equal(t, []string{m.Name, m.Client, m.User}, []string{attribute(s, "cisco.meeting_server.cospace.name"), attribute(s, "client.address"), attribute(s, "user.name")})
	linked := func(from, to ptrace.Span, reason string) {
		t.Helper()
		for _, link := range from.Links().All() {
			if v, _ := link.Attributes().Get("reason"); v.Str() == reason && link.SpanID() == to.SpanID() && link.TraceID() == to.TraceID() {
				return
			}
		}
		assert.Fail(t, "no link", "%s from %s to %s of %s", reason, from.Name(), to.Name(), m.Name)
	}
	linked(s, call, "created")
	linked(call, s, "scheduled")
	type step struct {
		number int64
		name   string
	}
	var steps []step
	for _, r := range spans {
		if r.ParentSpanID() == s.SpanID() {
			assert.Equal(t, ptrace.SpanKindServer, r.Kind())
			assert.Equal(t, attribute(r, "http.request.method")+" "+attribute(r, "http.route"), r.Name())
			assert.Equal(t, attribute(r, "http.route"), attribute(r, "url.template"))
			n, err := strconv.ParseInt(attribute(r, "cisco.meeting_server.api.trace"), 10, 64)
			require.NoError(t, err)
			steps = append(steps, step{n, attribute(r, "cisco.meeting_server.scheduled_meeting.step")})
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return int(a.number - b.number) })
	var story []string
	for _, s := range steps {
		story = append(story, s.name)
	}
	assert.Equal(t, m.Steps, story, "%s, call %s", m.Name, m.Call)
}
