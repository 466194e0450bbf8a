// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/ocms"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
	"github.com/legato-otel/legato/internal/testkit/secrets"
)

// read lets a fresh receiver read a file, and returns its records.
func read(t *testing.T, content string, want int, change func(*harness)) (*harness, []plog.LogRecord) {
	t.Helper()
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		r.write("events.log", content)
		if change != nil {
			change(r)
		}
	})
	require.Eventually(t, func() bool { return sink.LogRecordCount() >= want }, waitFor, tick)
	r.Stop()
	all := receiverkit.Records(sink.AllLogs())
	require.Len(t, all, want)
	return r, all
}

// Bytes that are not UTF-8 are kept in the line, and replaced in its parts; in the
// encoding that is configured they are what they were.
func TestEncodings(t *testing.T) {
	line := strings.Replace(event(0), "Paula", "\"Bj\xf6rn, \xdc\"", 1)
	_, all := read(t, line, 1, nil)
	attributes := all[0].Attributes()
	original, ok := attributes.Get(names.LogRecordOriginal)
	require.True(t, ok)
	require.Equal(t, pcommon.ValueTypeBytes, original.Type())
	assert.Equal(t, strings.TrimSuffix(line, "\n"), string(original.Bytes().AsRaw()))
	assert.Equal(t, "Bj\ufffdrn, \ufffd", attributes.AsRaw()[names.SIPFromName])
	assert.Equal(t, []any{"invalid_text"}, attributes.AsRaw()[names.OCMSFlags])

	_, all = read(t, line, 1, func(r *harness) { r.config.File.Encoding = "iso-8859-1" })
	attributes = all[0].Attributes()
	assert.Equal(t, "Björn, Ü", attributes.AsRaw()[names.SIPFromName])
	assert.NotContains(t, attributes.AsRaw(), names.OCMSFlags)
	original, _ = attributes.Get(names.LogRecordOriginal)
	assert.Equal(t, pcommon.ValueTypeStr, original.Type())
}

// CreationTime is UTC, or local time if that is configured.
func TestCreationTime(t *testing.T) {
	_, all := read(t, event(7), 1, nil)
	assert.Equal(t, "2024-06-10T09:00:00.007Z", all[0].Timestamp().AsTime().Format("2006-01-02T15:04:05.000Z07:00"))
	_, all = read(t, event(7), 1, func(r *harness) { r.config.CreationTimeIsLocal = true })
	assert.Equal(t, "2024-06-10T07:00:00.007Z", all[0].Timestamp().AsTime().Format("2006-01-02T15:04:05.000Z07:00"))
	assert.Equal(t, "2024-06-10T09:00:00.007Z", all[0].Attributes().AsRaw()[names.OCMSCreationTime])
	assert.EqualValues(t, 120, all[0].Attributes().AsRaw()[names.OCMSTimeZoneOffset])
}

// Names that only extra_keys can tell from a part of a value.
func TestExtraKeys(t *testing.T) {
	line := strings.Replace(event(0), "Method=", "note=a,b=c,limit=1,Method=", 1)
	_, all := read(t, line, 1, func(r *harness) { r.config.ExtraKeys = []string{"note", "limit"} })
	assert.Equal(t, "a,b=c", all[0].Attributes().AsRaw()["oracle.ocms.attribute.note"])
	assert.Equal(t, "1", all[0].Attributes().AsRaw()["oracle.ocms.attribute.limit"])
}

// Additional attributes and documented ones that occur again have names of their
// own; nothing takes the place of another.
func TestNamesThatAreTaken(t *testing.T) {
	line := strings.TrimSuffix(event(0), "\n") + ",fooBar=1,foo_bar=2,foo-bar=3,Method=BYE,StatusCode=200\n"
	_, all := read(t, line, 1, nil)
	attributes := all[0].Attributes().AsRaw()
	assert.Equal(t, "INVITE", attributes[names.SIPMethod])
	assert.Equal(t, "1", attributes["oracle.ocms.attribute.foo_bar"])
	assert.Equal(t, "2", attributes["oracle.ocms.attribute.foo_bar.unknown"])
	assert.Equal(t, "3", attributes["oracle.ocms.attribute.foo_bar.unknown.2"])
	assert.Equal(t, "BYE", attributes["oracle.ocms.attribute.method"])
	assert.Equal(t, []any{"duplicate_key"}, attributes[names.OCMSFlags])
}

// The XML of release 10g R3 is recognized: the log says so once for each file, and
// its lines are kept and counted.
func TestLoggingXML(t *testing.T) {
	const xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE log SYSTEM \"logger.dtd\">\n<log>\n<record>\n  <date>2024-06-10T09:00:00</date>\n" +
		"  <message>CreationTime=2024-06-10</message>\n</record>\n"
	r, all := read(t, xml, 7, nil)
	for _, lr := range all {
		assert.Equal(t, names.EventOCMSMalformed, lr.EventName())
		assert.Equal(t, "java_util_logging_xml", lr.Attributes().AsRaw()[names.ErrorType])
		assert.Contains(t, xml, lr.Body().Str())
	}
	assert.EqualValues(t, 7, r.outcome("xml"))
	logged := r.Log.FilterMessageSnippet("java.util.logging").All()
	require.Len(t, logged, 1)
	assert.Equal(t, "events.log", logged[0].ContextMap()["file"])
}

// An XML element is no syslog header, although an event may follow a blank within it.
func TestLoggingXMLWithAnEvent(t *testing.T) {
	const line = "<message>logged Service=eventlogger.a.REQUEST.BYE,Method=BYE,CSeq=1 BYE,Call-ID=x</message>"
	_, all := read(t, line+"\n", 1, nil)
	assert.Equal(t, names.EventOCMSMalformed, all[0].EventName())
	assert.Equal(t, "java_util_logging_xml", all[0].Attributes().AsRaw()[names.ErrorType])
	assert.Equal(t, line, all[0].Body().Str())
}

// Credentials leave the receiver in no form: not in attributes, not in bodies, not
// in the line, and not in the Collector's own log.
func TestSecrets(t *testing.T) {
	base := strings.TrimSuffix(event(1), "\n")
	for _, line := range []string{
		strings.Replace(base, "sip:paula@", "sip:paula:"+secrets.Secret+"@", 1),
		strings.Replace(base, "<sip:8600@", "<sips:8600:"+secrets.Secret+"@", 1),
		strings.Replace(base, "Via=", "RequestUri=sip:8600:"+secrets.Secret+"@example.test;x=1,Via=", 1),
		strings.Replace(base, "Via=", "link=https://user:"+secrets.Secret+"@example.test/,Via=", 1),
		base + ",password=" + secrets.Secret,
		base + ",accessToken=" + secrets.Secret + ",x=1",
		base + ",PIN=" + secrets.Secret,
		"login password=" + secrets.Secret,
		"Method=BYE,pwd=" + secrets.Secret,
		"\xff" + base + ",passcode=" + secrets.Secret,
		base + "\xff,passcode=" + secrets.Secret,
	} {
		sink := new(consumertest.LogsSink)
		r := newHarness(t, func(r *harness) {
			r.Logs = sink
			r.write("events.log", line+"\n")
		})
		require.Eventually(t, func() bool { return sink.LogRecordCount() == 1 }, waitFor, tick)
		r.Stop()
		assert.False(t, secrets.In(r.everything(sink.AllLogs())), "%.400q becomes %.2000q", line, r.everything(sink.AllLogs()))
	}
}

// Names and addresses of people do not stand in the Collector's own log.
func TestLogNamesNobody(t *testing.T) {
	r, _ := read(t, event(1)+"From=Paula <sip:paula@example.test>\n", 2, nil)
	for _, entry := range r.Log.All() {
		assert.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), "aula")
	}
}

// What a stranger writes into a line becomes a small multiple of it.
func TestBombs(t *testing.T) {
	base := strings.TrimSuffix(event(1), "\n")
	const free = 16 << 10
	for _, size := range []int{500, 250 << 10, 300 << 10} {
		for _, part := range []string{",a=", ",=", ", SIP/2.0/UDP a", ";", ",To=<sip:a@b>", "\xff", "a", ",fooBar=1,foo_bar=2", "\\", "<", "\""} {
			for _, key := range []string{"Via", "From", "MEDIA", "x", "Service"} {
				text := "Service=eventlogger.a.REQUEST.INVITE," + key + "=" + strings.Repeat(part, size/len(part)) + "," + base
				assert.Less(t, sizeOf(t, text), 4*len(text)+free, "%s=%q", key, part)
			}
		}
	}
}

// sizeOf returns how long the records of a line are, in bytes of OTLP.
func sizeOf(t *testing.T, text string) (total int) {
	t.Helper()
	d := &delivery{keepOriginal: true}
	in := d.newBatch(&origin{rereadable: true}, []rawLine{{text: text}})
	out := &outbox.PayloadWriter{
		Context: t.Context(), MaxRawBytes: len(text), AddResource: func(logs plog.Logs) plog.LogRecordSlice {
			return logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		},
		Send: func(_ context.Context, logs plog.Logs) error {
			total += new(plog.ProtoMarshaler).LogsSize(logs)
			return nil
		},
	}
	out.StartPayload()
	d.addRecords(in, &outbox.Chunk{To: 1}, out)
	require.NoError(t, out.Flush())
	return total
}

// All flags have names, so that each has a series.
func TestFlagsHaveNames(t *testing.T) {
	assert.Len(t, flagOptions, len(ocms.AllFlags.AppendNames(nil)))
}

// A line that is no event is one warning a minute, with its file and the kind of the fault, and
// without its text.
func TestMalformedLinesAreLogged(t *testing.T) {
	r, _ := read(t, "s3cret\ns3cret again\n", 2, nil)
	lines := func() []observer.LoggedEntry { return r.Log.FilterLevelExact(zap.WarnLevel).All() }
	require.Eventually(t, func() bool { return len(lines()) > 0 }, waitFor, tick)
	require.Len(t, lines(), 1)
	fields := lines()[0].ContextMap()
	assert.Equal(t, "Line is no event; the logs pipeline gets its bytes as record.malformed", lines()[0].Message)
	assert.Equal(t, "events.log", fields["file"])
	assert.EqualValues(t, 0, fields["offset"])
	assert.Equal(t, "malformed", fields["outcome"])
	assert.Equal(t, "malformed_line", fields["error.type"])
	assert.Equal(t, "the line does not begin with an attribute, key=value", fields["error"])
	assert.NotContains(t, fmt.Sprint(fields), "s3cret")
}
