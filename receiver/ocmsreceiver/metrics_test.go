// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// series are all points of the last metrics, as name{labels} = value; of a
// histogram count and sum.
func series(t *testing.T, sink *consumertest.MetricsSink) map[string]string {
	t.Helper()
	got := make(map[string]string)
	all := sink.AllMetrics()
	if len(all) == 0 {
		return got
	}
	for _, rm := range all[len(all)-1].ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Type() == pmetric.MetricTypeHistogram {
					for _, p := range m.Histogram().DataPoints().All() {
						got[strings.TrimPrefix(m.Name(), "oracle.ocms.")+" "+fmt.Sprint(p.Attributes().AsRaw())] = fmt.Sprintf("%d in %.3f s", p.Count(), p.Sum())
					}
					continue
				}
				for _, p := range m.Sum().DataPoints().All() {
					got[strings.TrimPrefix(m.Name(), "oracle.ocms.")+" "+fmt.Sprint(p.Attributes().AsRaw())] = strconv.FormatInt(p.IntValue(), 10)
				}
			}
		}
	}
	return got
}

// measured are the series after a file was read, but those that are still 0.
func measured(t *testing.T, content string, lines int) map[string]string {
	t.Helper()
	got := allSeries(t, content, lines)
	maps.DeleteFunc(got, func(_, value string) bool { return value == "0" })
	return got
}

// Series that alerts are about are there, at 0, with the first line of a host: an increase
// from nothing to 3 is seen by nobody.
func TestSeriesBeginAtZero(t *testing.T) {
	got := allSeries(t, fixture(t, fixtures+"/events-basic.log"), 5)
	for _, class := range []string{"4xx", "5xx", "6xx", "cancelled"} {
		assert.Equal(t, "0", got["invite.failed map[sip.code.class:"+class+"]"], class)
	}
}

func allSeries(t *testing.T, content string, lines int) map[string]string {
	t.Helper()
	logs, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs, r.Metrics = logs, metrics
		r.config.Metrics.Interval = time.Hour
		r.write("events.log", content)
	})
	require.Eventually(t, func() bool { return logs.LogRecordCount() >= lines }, waitFor, tick)
	r.Stop() // sends the last metrics
	return series(t, metrics)
}

func TestMetricsOfACall(t *testing.T) {
	assert.Equal(t, map[string]string{
		"request map[sip.method:INVITE]":               "1",
		"request map[sip.method:BYE]":                  "1",
		"response map[sip.code:180 sip.method:INVITE]": "1",
		"response map[sip.code:200 sip.method:INVITE]": "1",
		"response map[sip.code:200 sip.method:BYE]":    "1",
		"invite.attempt map[]":                         "1",
		"invite.answered map[]":                        "1",
		"invite.ringing.delay map[]":                   "1 in 0.039 s",
		"invite.setup.duration map[outcome:answered]":  "1 in 3.729 s",
		"dialog.duration map[]":                        "1 in 129.500 s",
	}, measured(t, fixture(t, fixtures+"/events-basic.log"), 5))
}

// A challenge is a step; a failure, a cancelled call and a fork are one call each; a
// copy and a BYE without an INVITE count for nothing.
func TestMetricsOfFailuresAndForks(t *testing.T) {
	assert.Equal(t, map[string]string{
		"request map[sip.method:CANCEL]":               "1",
		"request map[sip.method:BYE]":                  "1",
		"response map[sip.code:401 sip.method:INVITE]": "1",
		"response map[sip.code:503 sip.method:INVITE]": "1",
		"response map[sip.code:487 sip.method:INVITE]": "1",
		"response map[sip.code:200 sip.method:INVITE]": "2",
		"invite.attempt map[]":                         "4",
		"invite.answered map[]":                        "1",
		"invite.failed map[sip.code.class:5xx]":        "1",
		"invite.failed map[sip.code.class:cancelled]":  "1",
	}, measured(t, fixture(t, fixtures+"/events-failures-and-forking.log"), 7))
}

// message is a line about an INVITE or BYE of one call.
func message(at, kind, method, code, callID, cseq, fromTag, toTag string) string {
	status := ""
	if code != "" {
		status = ",StatusCode=" + code
		code = "." + code
	}
	return fmt.Sprintf("CreationTime=2024-06-10T09:%sZ,Method=%s,Service=eventlogger.a.B.%s.%s%s,Call-ID=%s%s,CSeq=%s %s,From=<sip:a@h>;tag=%s,To=<sip:b@h>;tag=%s,Via=SIP/2.0/UDP h;branch=%s%s\n",
		at, method, kind, method, code, callID, status, cseq, method, fromTag, toTag, callID, cseq)
}

// A re-INVITE is no call, a BYE may come from either side, a call that is
// challenged is set up from its first INVITE on.
func TestMetricsOfADialog(t *testing.T) {
	content := message("00:00.000", "REQUEST", "INVITE", "", "c", "1", "a", "") +
		message("00:00.100", "RESPONSE", "INVITE", "407", "c", "1", "a", "x") +
		message("00:01.000", "REQUEST", "INVITE", "", "c", "2", "a", "") +
		message("00:02.000", "RESPONSE", "INVITE", "180", "c", "2", "a", "b") +
		message("00:05.000", "RESPONSE", "INVITE", "200", "c", "2", "a", "b") +
		message("00:20.000", "REQUEST", "INVITE", "", "c", "3", "a", "b") +
		message("00:20.500", "RESPONSE", "INVITE", "200", "c", "3", "a", "b") +
		message("00:30.000", "REQUEST", "INVITE", "", "c", "4", "a", "b") +
		message("00:30.500", "RESPONSE", "INVITE", "488", "c", "4", "a", "b") +
		message("01:05.000", "REQUEST", "BYE", "", "c", "5", "b", "a") +
		message("01:05.100", "RESPONSE", "BYE", "200", "c", "5", "b", "a")
	got := measured(t, content, 11)
	for name, want := range map[string]string{
		"invite.attempt map[]":                        "1",
		"invite.answered map[]":                       "1",
		"invite.ringing.delay map[]":                  "1 in 2.000 s",
		"invite.setup.duration map[outcome:answered]": "1 in 5.000 s",
		"dialog.duration map[]":                       "1 in 60.000 s",
	} {
		assert.Equal(t, want, got[name], name)
	}
	assert.NotContains(t, fmt.Sprint(got), "invite.failed")
}

// No text of a line becomes a label, and no address a resource attribute.
func TestLabelsAreBounded(t *testing.T) {
	var content strings.Builder
	for n := range 50 {
		content.WriteString(message("00:00.000", "REQUEST", "M"+strings.Repeat("X", n), "", fmt.Sprint("c", n), "1", "a", "b"))
		content.WriteString(message("00:00.000", "RESPONSE", "INVITE", strconv.Itoa(610+n), fmt.Sprint("d", n), "1", "a", "b"))
	}
	got := measured(t, content.String(), 100)
	assert.Equal(t, "50", got["request map[sip.method:_OTHER]"])
	assert.Equal(t, "50", got["response map[sip.code:_OTHER sip.method:INVITE]"])
	for name := range got {
		assert.NotContains(t, name, "sip:")
	}
}

// Calls are bounded; the oldest go.
func TestCallsAreBounded(t *testing.T) {
	d := &delivery{}
	observe := func(c *calls, text string) callProgress {
		e, err := d.decode(text)
		require.NoError(t, err)
		return c.observe(e)
	}
	c := newCalls(3)
	for n := range 10 {
		assert.True(t, observe(c, message("00:00.000", "RESPONSE", "INVITE", "200", fmt.Sprint("c", n), "1", "a", "b")).attempt)
	}
	assert.Len(t, c.byID, 3)
	assert.Len(t, c.ids, 3)
	assert.Equal(t, 10.0, observe(c, message("00:10.000", "REQUEST", "BYE", "", "c9", "2", "a", "b")).duration)
	assert.Equal(t, -1.0, observe(c, message("00:10.000", "REQUEST", "BYE", "", "c9", "2", "a", "b")).duration, "it has ended")
	assert.Equal(t, -1.0, observe(c, message("00:10.000", "REQUEST", "BYE", "", "c1", "2", "a", "b")).duration, "it was forgotten")
}

// Events that the pipeline refused permanently, and copies, are not counted.
func TestMetricsAfterAcceptance(t *testing.T) {
	got := measured(t, event(1)+event(1)+event(1), 1)
	assert.Equal(t, "1", got["response map[sip.code:200 sip.method:INVITE]"])
}
