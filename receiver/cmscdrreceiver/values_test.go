// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/legato-otel/legato/internal/meetingserver/cdr"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// emitted is what the receiver sends for a body: its log records, and its series but those of
// missing records and those that are still 0.
type emitted struct {
	records []plog.LogRecord
	series  []string
}

func emittedFor(t *testing.T, body string) (got emitted) {
	t.Helper()
	logs, metrics := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) {
		withMetrics(metrics)(r)
		r.Logs = logs
	})
	require.Equal(t, http.StatusOK, r.Post(body))
	r.Stop()
	defer r.Start()
	got.records = receiverkit.Records(logs.AllLogs())
	for _, line := range countedSeries(metrics.AllMetrics()[0]) {
		if !strings.Contains(line, names.MetricRecordMissing) {
			got.series = append(got.series, line)
		}
	}
	return got
}

// countedSeries renders the series of one resource that are not 0.
func countedSeries(md pmetric.Metrics) (lines []string) {
	for line := range strings.Lines(renderMetrics(md)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") && !strings.HasSuffix(line, "} 0") {
			lines = append(lines, line)
		}
	}
	return lines
}

func fieldInput(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile("../../testdata/field/cms-cdr/" + name)
	require.NoError(t, err)
	return string(body)
}

func legEndOf(fields string) string {
	return `<records session="s" callBridge="b"><record type="callLegEnd" time="2024-03-05T09:14:12Z" correlatorIndex="0"><callLeg id="l">` +
		fields + `</callLeg></record></records>`
}

// One alarm type is one alarm in the body, in the attributes and in the metrics,
// with its largest percentage. An alarm without a type has no label.
func TestSameAlarmTwice(t *testing.T) {
	got := emittedFor(t, fieldInput(t, "same-alarm-twice/body.xml"))
	require.Len(t, got.records, 1)
	lr := got.records[0]
	assert.Equal(t, "WARN", lr.SeverityText())
	assert.Equal(t, "call leg ended: remoteTeardown after 100 s, packetLoss 9.5 %, alarm 3.0 %, excessiveJitter, mouthToEar n/a %", lr.Body().Str())
	attributes := lr.Attributes().AsRaw()
	for key, want := range map[string]any{
		"packet_loss.duration_percentage": 9.5, "duration_percentage": 3.0,
		"excessive_jitter.duration_percentage": "", "mouth_to_ear.duration_percentage": "n/a",
	} {
		assert.Equal(t, want, attributes[names.CallLegAlarm+"."+key], key)
	}
	var alarms []string
	for _, line := range got.series {
		assert.NotContains(t, line, "=,", "an empty label")
		assert.NotContains(t, line, "=}", "an empty label")
		if strings.Contains(line, names.MetricCallLegAlarm) {
			alarms = append(alarms, strings.TrimSpace(strings.Split(line, " buckets")[0]))
		}
	}
	assert.Equal(t, []string{
		"1 " + names.MetricCallLegAlarmRatio + "{alarm.type=packetLoss} count=1 sum=0.0950",
		"1 " + names.MetricCallLegAlarmRatio + "{} count=1 sum=0.0300",
		"{alarm} " + names.MetricCallLegAlarm + "{alarm.type=_OTHER} 1",
		"{alarm} " + names.MetricCallLegAlarm + "{alarm.type=excessiveJitter} 1",
		"{alarm} " + names.MetricCallLegAlarm + "{alarm.type=packetLoss} 1",
		"{alarm} " + names.MetricCallLegAlarm + "{} 1",
	}, alarms)
}

// A boolean is read where it can mean one thing only. What cannot be read stays
// text and is in no metric; a decimal comma makes no number.
func TestBooleansByNumber(t *testing.T) {
	got := emittedFor(t, fieldInput(t, "booleans-by-number/body.xml"))
	require.Len(t, got.records, 2)
	update, end := got.records[0], got.records[1]
	f := func(lr plog.LogRecord, element string, want any) {
		t.Helper()
		assert.Equal(t, want, lr.Attributes().AsRaw()["cisco.meeting_server.call_leg."+element], element)
	}
	f(update, "deactivated", true)
	f(update, "can_move", false)
	f(update, "guest_connection", true)
	f(update, "recording", "Yes")
	assert.Equal(t, "call leg updated: Connected in the lobby", update.Body().Str())

	assert.Equal(t, "INFO", end.SeverityText())
	f(end, "reason", "RemoteTeardown")
	f(end, "remote_teardown", true)
	f(end, "duration_seconds", 60.0)
	f(end, "activated_duration", "60,5")
	f(end, "encrypted_media", true)
	f(end, "unencrypted_media", false)
	assert.Equal(t, []string{
		"s " + names.MetricCallLegDuration + "{reason=remoteTeardown} count=1 sum=60.0000 buckets=[0 0 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0]",
		"{call_leg} " + names.MetricCallLegEncryption + "{state=encrypted} 1",
		"{call_leg} " + names.MetricCallLegEnded + "{reason=remoteTeardown,remote_teardown=true} 1",
		"{record} " + names.MetricRecordPosition + "{} 7",
	}, got.series)
}

// A leg whose encryption is not known is in no state of the metric.
func TestEncryption(t *testing.T) {
	f := func(encrypted, unencrypted, want string) {
		t.Helper()
		var fields string
		if encrypted != "absent" {
			fields += "<encryptedMedia>" + encrypted + "</encryptedMedia>"
		}
		if unencrypted != "absent" {
			fields += "<unencryptedMedia>" + unencrypted + "</unencryptedMedia>"
		}
		batch := new(cdr.Decoder).Decode(legEndOf(fields))
		require.Len(t, batch.Records, 1)
		var end legEnd
		for i := range batch.Records[0].Fields {
			new(instruments).addLegEndField(t.Context(), &batch.Records[0].Fields[i], &end)
		}
		assert.Equal(t, want, end.encryptionState(), fields)
	}
	f("true", "false", "encrypted")
	f("1", "absent", "encrypted")
	f("TRUE", "1", "mixed")
	f("0", "True", "unencrypted")
	f("absent", "absent", "none")
	f("0", "absent", "none")
	f("false", "FALSE", "none")
	f("yes", "false", "")
	f("true", "", "")
	f("false", "2", "")
	f("absent", "n/a", "")
}

// A scanner's leg is a warning, whatever letters its reason has. Its error.type
// stays, and so does the error of every other failure.
func TestScannersAreWarnings(t *testing.T) {
	f := func(fields, severity string, errorType any) {
		t.Helper()
		lr := emittedFor(t, legEndOf(fields)).records[0]
		assert.Equal(t, severity, lr.SeverityText(), fields)
		assert.Equal(t, errorType, lr.Attributes().AsRaw()[names.ErrorType], fields)
	}
	const scan = "<reason>unknownDestination</reason><remoteTeardown>false</remoteTeardown>"
	f(scan+"<durationSeconds>0</durationSeconds>", "WARN", "unknownDestination")
	f(scan+"<durationSeconds>32.5</durationSeconds>", "WARN", "unknownDestination")
	f("<reason>UnknownDestination</reason><durationSeconds>1</durationSeconds>", "WARN", "unknownDestination")
	f(scan+"<durationSeconds>60</durationSeconds>", "ERROR", "unknownDestination")
	f(scan+"<durationSeconds>n/a</durationSeconds>", "ERROR", "unknownDestination")
	f(scan, "ERROR", "unknownDestination")
	f(scan+"<durationSeconds>0</durationSeconds><call>c</call>", "ERROR", "unknownDestination")
	f("<reason>ringingTimeout</reason><durationSeconds>0</durationSeconds>", "ERROR", "ringingTimeout")
}

// A percentage that is none is kept as sent and is in no histogram.
func TestImpossiblePercentages(t *testing.T) {
	for _, percentage := range []string{"-1", "100.1", "1.7e308"} {
		got := emittedFor(t, legEndOf(`<alarm type="packetLoss" durationPercentage="`+percentage+`"/>`))
		assert.Contains(t, got.series, "{alarm} "+names.MetricCallLegAlarm+"{alarm.type=packetLoss} 1", percentage)
		for _, line := range got.series {
			assert.NotContains(t, line, names.MetricCallLegAlarmRatio, percentage)
		}
	}
}
