// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// fieldConfiguration is a Collector with everything that the inputs of
// testdata/field are for.
const fieldConfiguration = `
extensions:
  file_storage: { directory: %DIR%/storage, create_directory: true, fsync: true }
  health_check: { endpoint: %HEALTH% }
receivers:
  cmscdr: { endpoint: %CDR%, storage: file_storage, metrics: { interval: 100ms } }
  mediasense:
    endpoint: %MS%
    storage: file_storage
    metrics: { interval: 100ms }
    subscription:
      callback: http://%MS%/mediasense
      verify_interval: 1s
      servers:
        - { endpoint: "%DUPLICATE%", username: api, password: not-a-real-password, tls: { insecure: true } }
        - { endpoint: "%SESSIONLESS%", username: api, password: not-a-real-password, tls: { insecure: true } }
processors:
  callstitch: { storage: file_storage, linger: 1s }
connectors:
  logtospan: {}
exporters:
  file: { path: %DIR%/records.jsonl, rotation: { max_megabytes: 1000 } }
  file/spans: { path: %DIR%/spans.jsonl, rotation: { max_megabytes: 1000 } }
  callrecord: { driver: sqlite, datasource: "%DIR%/calls.db" }
  prometheus: { endpoint: %PAGE%, metric_expiration: 10m, without_scope_info: true, resource_to_telemetry_conversion: { enabled: true } }
service:
  telemetry: { metrics: { readers: [ { pull: { exporter: { prometheus: { host: %OWNHOST%, port: %OWNPORT% } } } } ] } }
  extensions: [file_storage, health_check]
  pipelines:
    logs: { receivers: [cmscdr, mediasense], processors: [callstitch], exporters: [file, logtospan, callrecord] }
    traces: { receivers: [logtospan], exporters: [file/spans] }
    metrics: { receivers: [cmscdr, mediasense], exporters: [prometheus] }
`

// field is such a Collector.
type field struct {
	*collector
	recorder string // address of mediasense
	own      string // URL of the Collector's own metrics

	duplicate, sessionless *exchange
}

func newField(t *testing.T) *field {
	t.Helper()
	f := &field{recorder: loopback.MustAddress(t), duplicate: newExchange(t, "duplicate-subscription"), sessionless: newExchange(t, "signin-without-session")}
	own := loopback.MustAddress(t)
	host, port, err := net.SplitHostPort(own)
	require.NoError(t, err)
	f.own = "http://" + own + "/metrics"
	f.collector = newCollectorFrom(t, strings.NewReplacer(
		"%MS%", f.recorder, "%OWNHOST%", host, "%OWNPORT%", port, "%DUPLICATE%", f.duplicate.url, "%SESSIONLESS%", f.sessionless.url,
	).Replace(fieldConfiguration))
	return f
}

// get returns a page, "" if there is none.
func get(url string) string {
	response, err := http.Get(url)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(page)
}

// fieldCase is one row of testdata/field/README.md.
type fieldCase struct {
	// name is the directory of the inputs, which are posted in their order, or
	// what send sends.
	name string
	send func(t *testing.T, f *field)
	// about are the sessions of the case, by what their ids begin with.
	about []string
	// show and showSpan are the attributes in the lines of events and of spans;
	// showBody adds the body of an event.
	show, showSpan []string
	showBody       bool
	// events are all events of the case, and spans all of its spans; nil is not
	// looked at. page, own and log are patterns that the metrics page, the
	// Collector's own metrics and its log have, notOnPage those that the metrics
	// page does not have.
	events, spans, page, notOnPage, own, log []string
	// secrets are nowhere.
	secrets []string
	// rows says what is wrong in the archive.
	rows func(*archived) []string
}

// TestField feeds the real binary with testdata/field: each input has the output
// that the row of testdata/field/README.md calls right.
func TestField(t *testing.T) {
	f := newField(t)
	cases := slices.Concat(meetingServerField, mediaSenseField(f))
	for i := range cases {
		cases[i].feed(t, f)
	}
	for i := range cases {
		c := &cases[i]
		t.Run(c.name, func(t *testing.T) {
			var faults []string
			if !assert.Eventually(t, func() bool {
				faults = c.faults(f.output())
				return len(faults) == 0
			}, waitForMore, 5*tick) {
				t.Error(strings.Join(faults, "\n"))
			}
		})
	}
	// Nothing comes behind it.
	final := f.output()
	f.stop()
	assert.Equal(t, final.everything(), f.output().everything())
}

// feed posts the inputs of a case. All that is posted is acknowledged.
func (c *fieldCase) feed(t *testing.T, f *field) {
	t.Helper()
	if c.send != nil {
		c.send(t, f)
		return
	}
	files, err := filepath.Glob(filepath.Join(root, "testdata", "field", c.name, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files, c.name)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		switch filepath.Ext(file) {
		case ".xml":
			require.Equal(t, http.StatusOK, f.post(string(body)), file)
		case ".json":
			response, err := http.Post("http://"+f.recorder+"/mediasense", "application/json", bytes.NewReader(body))
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusOK, response.StatusCode, file)
		}
	}
}

const (
	fieldBridge4 = "b41d6e00-0000-4000-8000-000000000011"
	fieldCall7   = "ca110000-0000-4000-8000-000000000007"
	fieldLeg     = "1e900000-0000-4000-8000-0000000000"
)

var meetingServerField = []fieldCase{
	{
		name: "cms-cdr/two-documents", about: []string{"11111111-aaaa-4bbb-8ccc-000000000001"},
		show: []string{"record.index", "call.id", "call_leg.type", "call_leg.direction", "record.missing"},
		events: []string{
			"call.start INFO record.index=7100 call.id=3a51c0de-11aa-4b22-9c33-0592854734000f1",
			"call_leg.start INFO record.index=7101 call.id=3a51c0de-11aa-4b22-9c33-0592854734000f1 call_leg.type=acano call_leg.direction=incoming",
			"call_leg.end INFO record.index=7102 call.id=3a51c0de-11aa-4b22-9c33-0592854734000f1",
		},
		spans: []string{"call_leg 09:15:40-09:16:40 complete in call"},
	},
	{
		name: "cms-cdr/leg-never-started", about: []string{"11111111-aaaa-4bbb-8ccc-000000000006"},
		show: []string{"record.missing", "confirmation_status"}, showSpan: []string{"setup_seconds", "ivr_seconds", "lobby_seconds", "role", "confirmation_status"},
		events: []string{
			"call.start INFO", "record.gap WARN record.missing=4", "call_leg.update INFO confirmation_status=notRequired", "record.gap WARN record.missing=1",
			"call_leg.end INFO confirmation_status=rejected", "call.end INFO",
		},
		spans: []string{"call 10:07:29-10:09:08 complete", "call_leg 10:07:30-10:09:08 partial in call confirmation_status=rejected"},
	},
	{
		name: "cms-cdr/call-ends-over-open-leg", about: []string{"11111111-aaaa-4bbb-8ccc-000000000007"},
		spans: []string{"call 11:07:29-11:09:08 complete", "call_leg 11:08:31-11:09:08 call_ended in call"},
		rows: func(a *archived) (faults []string) {
			for _, c := range a.conferences {
				if c.CallID == fieldCall7 && c.State != store.StateEnded {
					faults = append(faults, "the conference is "+c.State)
				}
			}
			if a.legs[fieldLeg+"07"].State != store.StateEnded {
				faults = append(faults, "the leg is "+a.legs[fieldLeg+"07"].State)
			}
			return faults
		},
	},
	{
		name: "cms-cdr/bridge-attribute-drops-out", about: []string{"11111111-aaaa-4bbb-8ccc-000000000011"},
		show: []string{"service.instance.id", "call_bridge.id"},
		events: []string{
			"call.start INFO service.instance.id=" + fieldBridge4 + " call_bridge.id=" + fieldBridge4,
			"call_leg.start INFO service.instance.id=" + fieldBridge4 + " call_bridge.id=" + fieldBridge4,
			"call_leg.end INFO service.instance.id=" + fieldBridge4 + " call_bridge.id=" + fieldBridge4,
			"call.end INFO service.instance.id=" + fieldBridge4 + " call_bridge.id=" + fieldBridge4,
		},
		page:      []string{`^cisco_meeting_server_call_leg_ended_total\{[^}]*service_instance_id="` + fieldBridge4 + `"[^}]*\} 1$`},
		notOnPage: []string{`service_instance_id="11111111-aaaa-4bbb-8ccc-000000000011"`},
		rows: func(a *archived) (faults []string) {
			if bridge := a.legs[fieldLeg+"11"].Bridge; bridge != fieldBridge4 {
				faults = append(faults, fmt.Sprintf("the leg's row is of the bridge %q", bridge))
			}
			return faults
		},
	},
	{
		name: "cms-cdr/same-alarm-twice", about: []string{"11111111-aaaa-4bbb-8ccc-000000000018"},
		show: []string{"alarm.packet_loss.duration_percentage", "alarm.excessive_jitter.duration_percentage"}, showBody: true,
		events: []string{
			`call_leg.end WARN alarm.packet_loss.duration_percentage=9.5 alarm.excessive_jitter.duration_percentage= ` +
				`"call leg ended: remoteTeardown after 100 s, packetLoss 9.5 %, alarm 3.0 %, excessiveJitter, mouthToEar n/a %"`,
		},
		page: []string{
			`^cisco_meeting_server_call_leg_alarm_total\{[^}]*alarm_type="packetLoss"[^}]*service_instance_id="11111111-aaaa-4bbb-8ccc-000000000018"[^}]*\} 1$`,
			`^cisco_meeting_server_call_leg_alarm_total\{[^}]*alarm_type="excessiveJitter"[^}]*service_instance_id="11111111-aaaa-4bbb-8ccc-000000000018"[^}]*\} 1$`,
		},
		notOnPage: []string{`alarm_type="PacketLoss"`, `alarm_type=""`, `[a-z_]+=""[^}]*service_instance_id="11111111-aaaa-4bbb-8ccc-000000000018"`},
	},
	{
		name: "cms-cdr/booleans-by-number", about: []string{"11111111-aaaa-4bbb-8ccc-000000000019"},
		show: []string{"record.index", "record.missing", "deactivated", "can_move", "guest_connection", "call_leg.recording", "activated_duration", "encrypted_media", "unencrypted_media"}, showBody: true,
		events: []string{
			`call_leg.update INFO record.index=5 deactivated=true can_move=false guest_connection=true call_leg.recording=Yes "call leg updated: Connected in the lobby"`,
			`call_leg.end INFO record.index=6 activated_duration=60,5 encrypted_media=true unencrypted_media=false "call leg ended: RemoteTeardown after 60.0 s"`,
		},
		page: []string{
			`^cisco_meeting_server_call_leg_ended_total\{[^}]*reason="remoteTeardown"[^}]*service_instance_id="11111111-aaaa-4bbb-8ccc-000000000019"[^}]*\} 1$`,
		},
		notOnPage: []string{`^cisco_meeting_server_call_leg_encryption_total\{[^}]*service_instance_id="11111111-aaaa-4bbb-8ccc-000000000019"[^}]*state="none"`},
	},
	{
		name: "what people register and proxies send", about: []string{"11111111-aaaa-4bbb-8ccc-0000000001"}, send: sendURIs,
		show: []string{"record.index", "record.missing"},
		events: []string{
			"call.start INFO record.index=0", "call.start INFO record.index=1", "call.start INFO record.index=2", "call.start INFO record.index=3",
		},
	},
	{
		name: "UTF-16", about: []string{"field-utf16"}, send: sendUTF16,
		show:   []string{"record.missing"},
		events: []string{"call.start INFO", "record.malformed ERROR", "call.start INFO"},
		notOnPage: []string{
			`^cisco_meeting_server_record_missing_total\{[^}]*field-utf16[^}]*\} [1-9]`,
		},
	},
}

// fieldRecordOf is one record of a session of this test's own.
func fieldRecordOf(session string, index int) string {
	return fmt.Sprintf(`<records session=%q><record type="callStart" time="2024-05-01T10:00:%02dZ" recordIndex="%d" correlatorIndex="%d"><call id="ca11f1e1-0000-4000-8000-%s%03d"><name>Field</name></call></record></records>`,
		session, index, index+1, index, session[len(session)-9:], index)
}

// sendURIs posts the same way a registration of "/cdr/", a proxy with an absolute
// form and one that names the identity coding do, and a body without a length.
func sendURIs(t *testing.T, f *field) {
	t.Helper()
	const session = "11111111-aaaa-4bbb-8ccc-000000000100"
	raw := func(head, body string, want int) {
		t.Helper()
		connection, err := net.Dial("tcp", f.address)
		require.NoError(t, err)
		defer connection.Close()
		_, err = io.WriteString(connection, head+body)
		require.NoError(t, err)
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		require.NoError(t, err, head)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, want, response.StatusCode, head)
	}
	sized := func(start string, index int, more string) {
		t.Helper()
		body := fieldRecordOf(session, index)
		raw(fmt.Sprintf("%s\r\nHost: %s\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n%s\r\n", start, f.address, len(body), more), body, http.StatusOK)
	}
	sized("POST /cdr HTTP/1.1", 0, "")
	sized("POST /cdr/ HTTP/1.1", 1, "")
	sized("POST http://"+f.address+"/cdr HTTP/1.1", 2, "")
	sized("POST /cdr HTTP/1.1", 3, "Content-Encoding: identity\r\n")
	raw("POST /cdr HTTP/1.0\r\nContent-Type: text/xml\r\n\r\n", fieldRecordOf(session, 4), http.StatusLengthRequired)
	raw("POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n", "", http.StatusNotFound)
}

// sendUTF16 posts a document in UTF-16 with a byte order mark between two others:
// it is quarantined, and what is in quarantine is not lost.
func sendUTF16(t *testing.T, f *field) {
	t.Helper()
	const session = "11111111-aaaa-4bbb-8ccc-000000000200"
	wide := []byte{0xfe, 0xff}
	for _, unit := range utf16.Encode([]rune(`<?xml version="1.0" encoding="UTF-16"?>` + fieldRecordOf(session, 1))) {
		wide = append(wide, byte(unit>>8), byte(unit))
	}
	for _, body := range []string{fieldRecordOf(session, 0), string(wide), fieldRecordOf(session, 2)} {
		response, err := http.Post(f.url()+"?system_id=field-utf16", "text/xml", strings.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, http.StatusOK, response.StatusCode)
	}
}

// mediaSenseField are the rows of MediaSense.
func mediaSenseField(f *field) []fieldCase {
	return []fieldCase{
		{
			name: "mediasense/agent-hold", about: []string{"7c0000000000a"},
			events: []string{"session.started INFO", "session.ended INFO", "session.started INFO", "session.ended INFO", "session.ended INFO", "session.ended INFO"},
			spans: []string{
				"session 7c0000000000a1 10:06:40-10:07:10 complete",
				"session 7c0000000000a2 10:07:55-10:08:55 complete same_call session 7c0000000000a1",
				"session 7c0000000000a3 10:10:00-10:10:30 complete",
				"session 7c0000000000a4 10:11:00-10:11:30 complete same_call session 7c0000000000a3",
				"track 7c0000000000a1-track0 10:06:40-10:07:10 complete in session 7c0000000000a1",
				"track 7c0000000000a1-track1 10:06:40-10:07:10 complete in session 7c0000000000a1",
				"track 7c0000000000a2-track0 10:07:55-10:08:55 complete in session 7c0000000000a2",
				"track 7c0000000000a2-track1 10:07:55-10:08:55 complete in session 7c0000000000a2",
				"track 7c0000000000a3-track0 10:10:00-10:10:30 complete in session 7c0000000000a3",
				"track 7c0000000000a3-track1 10:10:00-10:10:30 complete in session 7c0000000000a3",
				"track 7c0000000000a4-track0 10:11:00-10:11:30 complete in session 7c0000000000a4",
				"track 7c0000000000a4-track1 10:11:00-10:11:30 complete in session 7c0000000000a4",
			},
		},
		{
			name: "mediasense/tags-free-text", about: []string{"7f0000000000d1"},
			show: []string{"tag.tag_type", "tag.tag_offset", "tag.tag_name"}, showBody: true,
			events: []string{
				"tag.added INFO tag.tag_type=USER_DEFINED tag.tag_name=Агент Іван 👍 \"VIP\"\n5551234 \"tag added\"",
				`tag.added INFO tag.tag_type=USER_DEFINED tag.tag_offset=1 tag.tag_name=https://REDACTED@crm.example.com/c/1?token=REDACTED "tag added at 0.0 s"`,
				`tag.added INFO tag.tag_type=SYSTEM_DEFINED tag.tag_offset=29809 tag.tag_name=TrackActive "tag added: TrackActive on track 0 at 29.8 s"`,
				`tag.added INFO tag.tag_type=SYSTEM_DEFINED tag.tag_offset=29746 tag.tag_name=TrackInactive "tag added: TrackInactive on track 0 at 29.7 s"`,
			},
			secrets: []string{"geheim", "abc123"},
		},
		{
			name: "mediasense/duplicate-subscription", send: func(*testing.T, *field) {},
			own: []string{`^otelcol_receiver_mediasense_subscription_active\{[^}]*server_address="` + strings.TrimPrefix(f.duplicate.url, "http://") + `"[^}]*\} 1$`},
			rows: func(*archived) (faults []string) {
				if n, last := f.duplicate.asked("verifyRecordingSubscription"); n == 0 || !strings.Contains(last, `"subscriptionId":"abcd1234"`) {
					faults = append(faults, fmt.Sprintf("verified %d times: %s", n, last))
				}
				return faults
			},
		},
		{
			name: "mediasense/signin-without-session", send: func(*testing.T, *field) {},
			own: []string{
				`^otelcol_receiver_mediasense_subscription_active\{[^}]*server_address="` + strings.TrimPrefix(f.sessionless.url, "http://") + `"[^}]*\} 0$`,
				`^otelcol_receiver_mediasense_subscription_failures(_total)?\{[^}]*reason="no_session"[^}]*server_address="` + strings.TrimPrefix(f.sessionless.url, "http://") + `"[^}]*\} 1$`,
			},
			log: []string{`No subscription to the events of MediaSense.*"reason": ?"no_session".*without a session`},
			rows: func(*archived) (faults []string) {
				if n, _ := f.sessionless.asked("signIn"); n != 1 {
					faults = append(faults, fmt.Sprintf("%d sign-ins", n))
				}
				if n, _ := f.sessionless.asked("subscribeToEvents"); n != 0 {
					faults = append(faults, fmt.Sprintf("%d calls without a session", n))
				}
				return faults
			},
		},
	}
}
