// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ocmsConfiguration reads an event.log and its backups.
const ocmsConfiguration = `
extensions:
  file_storage: { directory: %DIR%/storage, create_directory: true, fsync: true }
  health_check: { endpoint: %HEALTH% }
receivers:
  ocms: { include: [%DIR%/log/events.log*], start_at: beginning, storage: file_storage, metrics: { interval: 100ms } }
exporters:
  file: { path: %DIR%/records.jsonl, rotation: { max_megabytes: 1000 } }
  prometheus: { endpoint: %PAGE%, metric_expiration: 10m }
service:
  telemetry: { metrics: { level: none } }
  extensions: [file_storage, health_check]
  pipelines:
    logs: { receivers: [ocms], exporters: [file] }
    metrics: { receivers: [ocms], exporters: [prometheus] }
`

// eventLog is an event.log that the test writes.
type eventLog struct {
	c    *collector
	next int
}

func newEventLog(c *collector) *eventLog {
	require.NoError(c.t, os.MkdirAll(filepath.Join(c.directory, "log"), 0o755))
	return &eventLog{c: c}
}

func (l *eventLog) path() string { return filepath.Join(l.c.directory, "log", "events.log") }

// write appends so many events, one write each.
func (l *eventLog) write(events int) {
	l.c.t.Helper()
	file, err := os.OpenFile(l.path(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(l.c.t, err)
	defer file.Close()
	for range events {
		_, err = fmt.Fprintf(file, "CreationTime=2024-06-10T09:00:00.000Z,To=<sip:8600@example.test>;tag=t,TimeZoneOffset=120,Method=INVITE,"+
			"Service=eventlogger.a.B.RESPONSE.INVITE.200,Call-ID=%s,StatusCode=200,CSeq=1 INVITE,Via=SIP/2.0/TCP h;branch=z9,From=<sip:p@example.test>;tag=f\n", sipCallOf(l.next))
		require.NoError(l.c.t, err)
		l.next++
	}
}

func sipCallOf(n int) string { return fmt.Sprintf("call-%d@example.test", n) }

// rotate renames the file as Log4j does.
func (l *eventLog) rotate(backups int) {
	for backup := backups; backup > 0; backup-- {
		_ = os.Rename(fmt.Sprintf("%s.%d", l.path(), backup), fmt.Sprintf("%s.%d", l.path(), backup+1))
	}
	require.NoError(l.c.t, os.Rename(l.path(), l.path()+".1"))
}

// counts is how often each call is in the file exporter's output. A payload that a
// kill cut was not acknowledged, and does not count.
func (l *eventLog) counts() map[string]int {
	content, err := os.ReadFile(filepath.Join(l.c.directory, "records.jsonl"))
	if err != nil {
		require.ErrorIs(l.c.t, err, os.ErrNotExist)
	}
	all := make(map[string]int)
	const start = `{"resourceLogs"`
	for payload := range strings.SplitSeq(string(content), start) {
		var line otlp
		if json.Unmarshal([]byte(start+payload), &line) != nil {
			continue
		}
		for _, w := range line.records(0) {
			all[w.attributes["sip.call_id"]]++
		}
	}
	return all
}

// again is how many events are there more than once.
func (l *eventLog) again() (again int) {
	l.c.t.Helper()
	var counts map[string]int
	require.Eventually(l.c.t, func() bool {
		counts = l.counts()
		return len(counts) == l.next
	}, waitFor, tick)
	for n := range l.next {
		again += counts[sipCallOf(n)] - 1
	}
	return again
}

// Rotations and kills of the real process while lines are written, and while nobody
// reads: every event is in the file exporter's output. The kills come in the worst
// moment, just after the exporter wrote: then one batch of a file may come again.
func TestOCMSThroughRotationAndKill(t *testing.T) {
	const kills, batch, files = 6, 100, 2
	c := newCollectorFrom(t, ocmsConfiguration)
	log := newEventLog(c)
	log.write(150)
	for n := range kills {
		size := c.size()
		log.write(400)
		require.Eventually(t, func() bool { return c.size() > size }, waitFor, time.Millisecond)
		if n%2 == 0 {
			log.rotate(n)
			log.write(50 * n)
		}
		c.kill() // somewhere in these lines
		log.write(50)
		if n%3 == 0 {
			log.rotate(n + 1)
			log.write(50)
		}
		c.start()
	}
	again := log.again()
	t.Logf("%d of %d events came again", again, log.next)
	assert.LessOrEqual(t, again, kills*batch*files)
}

// A line after the other through two rotations and a kill, each read before the
// next one is written: every event comes out once. The kill comes when the last one
// is counted, which is after it was stored as taken.
func TestOCMSOneByOne(t *testing.T) {
	c := newCollectorFrom(t, ocmsConfiguration)
	log := newEventLog(c)
	for n := range 30 {
		switch n {
		case 10, 20:
			log.rotate(n)
		case 15:
			const counter = "oracle_ocms_response_total"
			require.Eventually(t, func() bool { return sums(c.metrics(), map[string]uint64{counter: 0})[counter] == uint64(log.next) }, waitFor, tick)
			c.kill()
			log.write(1)
			c.start()
		}
		log.write(1)
		require.Eventually(t, func() bool { return len(log.counts()) == log.next }, waitFor, tick)
	}
	assert.Zero(t, log.again())
}

// What callsim's proxy writes comes out as its truth says, with rotation.
func TestOCMSTruth(t *testing.T) {
	c := newCollectorFrom(t, ocmsConfiguration)
	log := newEventLog(c)
	file := filepath.Join(c.directory, "truth.json")
	output, err := exec.Command(binary("callsim"), "-target", "none", "-ocms", log.path(), "-ocms-max-size", "300000", "-meetings", "60", "-truth", file).CombinedOutput()
	require.NoError(t, err, "%s", output)
	var truth struct {
		OCMS struct {
			Requests, Responses, Events, Malformed, Copies, Latin1, Rotations int
			Calls                                                             []struct {
				SIPCallID string `json:"sip_call_id"`
				Result    string
				Code      int
				Branches  int
			}
		}
	}
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &truth))
	want := truth.OCMS
	require.Positive(t, want.Copies)
	require.Positive(t, want.Events)
	require.Positive(t, want.Malformed)
	require.Positive(t, want.Latin1)
	require.Positive(t, want.Rotations)

	total := want.Requests + want.Responses + want.Events + want.Malformed
	require.Eventually(t, func() bool { return len(c.output()) >= total }, waitFor, tick)
	got := make(map[string]int)
	answers, failures := make(map[string]int), make(map[string]string)
	for _, w := range c.output() {
		got[w.event]++
		if w.event != "oracle.ocms.response" || w.attributes["sip.method"] != "INVITE" {
			continue
		}
		id, code := w.attributes["sip.call_id"], w.attributes["sip.code"]
		switch {
		case code == "200" && w.attributes["sip.cseq.number"] <= "2":
			answers[id]++
		case code >= "400" && code != "407":
			failures[id] = code
		}
	}
	assert.Equal(t, map[string]int{
		"oracle.ocms.request": want.Requests, "oracle.ocms.response": want.Responses,
		"oracle.ocms.event": want.Events, "oracle.ocms.record.malformed": want.Malformed,
	}, got)
	answered, failed := 0, 0
	for _, call := range want.Calls {
		switch call.Result {
		case "answered":
			answered++
			assert.GreaterOrEqual(t, answers[call.SIPCallID], call.Branches, "%+v", call)
		case "failed", "cancelled":
			failed++
			assert.Equal(t, strconv.Itoa(call.Code), failures[call.SIPCallID], "%+v", call)
		}
	}
	require.Positive(t, failed)
	metrics := map[string]uint64{
		"oracle_ocms_invite_attempt_total": uint64(len(want.Calls)), "oracle_ocms_invite_answered_total": uint64(answered),
		"oracle_ocms_invite_failed_total": uint64(failed), "oracle_ocms_request_total": uint64(want.Requests), "oracle_ocms_response_total": uint64(want.Responses),
	}
	if !assert.Eventually(t, func() bool { return maps.Equal(metrics, sums(c.metrics(), metrics)) }, waitFor, tick) {
		assert.Equal(t, metrics, sums(c.metrics(), metrics))
	}
}
