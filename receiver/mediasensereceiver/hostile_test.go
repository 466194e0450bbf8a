// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// The body limit counts inflated bytes.
func TestInflatedBodyOverTheLimit(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		r.config.HTTP.MaxRequestBodySize = 1 << 20
	})
	var bomb bytes.Buffer
	zipper := gzip.NewWriter(&bomb)
	_, err := zipper.Write(bytes.Repeat([]byte{' '}, 64<<20))
	require.NoError(t, err)
	require.NoError(t, zipper.Close())
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL, &bomb)
	require.NoError(t, err)
	request.Header.Set("Content-Encoding", "gzip")
	response, err := r.Client.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
	assert.Empty(t, sink.AllLogs())
}

// Many bad parts in one body become a bounded number of log records, with all
// their bytes.
func TestManyBadPartsAreBounded(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	body := strings.Repeat(`{"eventType":5,"x":`, 1<<15)
	require.Equal(t, http.StatusOK, r.Post(body))
	assert.LessOrEqual(t, sink.LogRecordCount(), 64+len(body)>>18)
	kept := 0
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		kept += len(lr.Body().Str())
	}
	assert.Equal(t, len(body), kept)
}

// TestLongEvents: an event of hundreds of kilobytes becomes several records that
// together are about the same, is counted once, and its copy is one.
func TestLongEvents(t *testing.T) {
	sink := new(consumertest.LogsSink)
	metrics := new(consumertest.MetricsSink)
	r := newHarness(t, func(r *harness) {
		withMetrics(metrics)(r)
		r.Logs = sink
	})
	const sessions = 20_000
	ids := make([]string, sessions)
	for i := range ids {
		ids[i] = fmt.Sprintf("5f%012x", i)
	}
	pruned := `{"eventType":"SESSION_EVENT","eventAction":"PRUNED","eventBody":{"sessionIds":["` + strings.Join(ids, `","`) + `"]}}`
	tag := `{"tagName":"TrackInactive","tagType":"SYSTEM_DEFINED","tagCreateDate":1718010011326,"tagOffset":`
	tags := make([]string, 5000)
	for i := range tags {
		tags[i] = tag + strconv.Itoa(i+1) + "}"
	}
	ended := `{"eventType":"SESSION_EVENT","eventAction":"ENDED","eventBody":{"sessionId":"s","sessionStartDate":1718010000123,"sessionDuration":1000,"tags":[` + strings.Join(tags, ",") + `]}}`
	for range 2 {
		require.Equal(t, http.StatusOK, r.Post("\ufeff"+pruned+"\x00"))
		require.Equal(t, http.StatusOK, r.Post(ended))
	}
	counted := r.measured(metrics)
	assert.Contains(t, counted, names.MetricMediaSenseSessionPruned+"{} 20000\n")
	assert.Contains(t, counted, names.MetricMediaSenseSessionEnded+"{} 1\n")
	var got []string
	tagged, ends := 0, map[pcommon.Timestamp]bool{}
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		size := new(plog.ProtoMarshaler).LogsSize(one(lr))
		assert.Less(t, size, 1<<20, lr.Body().Str())
		part, _ := lr.Attributes().Get(names.MediaSenseRecordPart)
		of, _ := lr.Attributes().Get(names.MediaSenseRecordParts)
		assert.Greater(t, of.Int(), int64(1))
		assert.Contains(t, lr.Body().Str(), fmt.Sprintf("(part %d of %d)", part.Int(), of.Int()))
		switch lr.EventName() {
		case names.EventSessionPruned:
			list, _ := lr.Attributes().Get(names.MediaSenseSessionIDs)
			for _, id := range list.Slice().All() {
				got = append(got, id.Str())
			}
		case names.EventSessionEnded:
			id, _ := lr.Attributes().Get(names.MediaSenseSessionID)
			assert.Equal(t, "s", id.Str())
			list, _ := lr.Attributes().Get(names.MediaSenseTags)
			tagged += list.Slice().Len()
			ends[lr.Timestamp()] = true
		default:
			assert.Fail(t, lr.EventName())
		}
	}
	assert.Equal(t, ids, got, "each once, in their order")
	assert.Equal(t, len(tags), tagged)
	assert.Len(t, ends, 1, "all pieces have one time")
}

// one returns logs of one record.
func one(lr plog.LogRecord) plog.Logs {
	logs := plog.NewLogs()
	lr.CopyTo(logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	return logs
}

// Hostile text is data: it comes out as it went in.
func TestHostileText(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	name := "\u202Etxt.exe '`${env:HOME} <script> " + strings.Repeat("x", 1<<20)
	require.Equal(t, http.StatusOK, r.Post(`{"eventType":"TAG_EVENT","eventAction":"ADDED","eventBody":{"sessionId":"s","tagName":"`+name+`"}}`))
	got, _ := receiverkit.Records(sink.AllLogs())[0].Attributes().Get(names.MediaSenseTagName)
	assert.Equal(t, name, got.Str())
	assert.Less(t, len(receiverkit.Records(sink.AllLogs())[0].Body().Str()), 200)
}

// Unknown elements take no documented one's place, and none is lost.
func TestCollidingNames(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	require.Equal(t, http.StatusOK, r.Post(`{"eventType":"SESSION_EVENT","eventAction":"STARTED","session.id":"x","event_type":"y","eventBody":{
		"session_start_date":"a","sessionStart_date":"b","sessionStartDate":1718010000123,"id":"c","sessionId":"s","future":{"a":{"aB":1,"a_b":2}},
		"tracks":[{"track_number":7,"trackNumber":0}]}}`))
	m := receiverkit.Records(sink.AllLogs())[0].Attributes()
	f := func(key string, want any) {
		t.Helper()
		v, ok := m.Get(key)
		require.True(t, ok, key)
		assert.Equal(t, want, v.AsRaw(), key)
	}
	f(names.MediaSenseStartDate, int64(1718010000123))
	f(names.MediaSenseStartDate+".unknown", "a")
	f(names.MediaSenseStartDate+".unknown.unknown", "b")
	f(names.MediaSenseSessionID, "s")
	f(names.MediaSenseSessionID+".unknown", "c")
	f(names.MediaSenseSessionID+".unknown.unknown", "x")
	f("cisco.mediasense.session.future", map[string]any{"a": map[string]any{"a_b": int64(1), "a_b.unknown": int64(2)}})
	f(names.MediaSenseTracks, []any{map[string]any{"track_number": int64(0), "track_number.unknown": "7"}})
	assert.Equal(t, pcommon.ValueTypeStr, func() pcommon.ValueType { v, _ := m.Get("cisco.mediasense.event_type"); return v.Type() }())
}

// Credentials leave in no form: not as attribute, not in a body, not in
// quarantine, not in the Collector's log.
func TestSecretsStay(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	event := `{"eventType":"SESSION_EVENT","eventAction":"STARTED","eventBody":{"sessionId":"s","apiPassword":"REDACT-ME","nested":{"token":["REDACT-ME"]},"urls":[{"rtspUrl":"rtsp://u:REDACT-ME@192.0.2.60/live/s"}],` +
		`"tracks":[{"trackNumber":0,"downloadUrl":"https://u:REDACT-ME@ms1/x"}]}}`
	for _, body := range []string{
		event,
		strings.Replace(event, "SESSION_EVENT", "FUTURE_EVENT", 1),
		strings.Replace(event, "STARTED", "MOVED", 1),
		strings.Replace(event, "}}", "}", 1),
		event[:len(event)-60],
	} {
		require.Equal(t, http.StatusOK, r.PostTo(r.URL+"?token=REDACT-ME", body))
	}
	require.NotEmpty(t, sink.AllLogs())
	for _, logs := range sink.AllLogs() {
		assert.NotContains(t, marshal(t, logs), "REDACT-ME")
	}
	for _, entry := range r.Log.All() {
		assert.NotContains(t, entry.Message, "REDACT-ME")
		for _, value := range entry.ContextMap() {
			assert.NotContains(t, fmt.Sprint(value), "REDACT-ME")
		}
	}
}

// Dates that nanoseconds have no room for, and durations without sense.
func TestTimestampsWithoutSense(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink; r.config.PerTrack = true })
	for _, body := range []string{
		`{"sessionId":"1","sessionStartDate":99999999999999,"sessionDuration":1}`,
		`{"sessionId":"2","sessionStartDate":-1,"sessionDuration":1}`,
		`{"sessionId":"3","sessionStartDate":1718010000123,"sessionDuration":9223372036854775807,"tracks":[{"trackStartDate":1718010000123,"trackDuration":-5},7]}`,
		`{"sessionId":"4","sessionDuration":1}`,
	} {
		require.Equal(t, http.StatusOK, r.Post(`{"eventType":"SESSION_EVENT","eventAction":"ENDED","eventBody":`+body+`}`))
	}
	all := receiverkit.Records(sink.AllLogs())
	require.Len(t, all, 5)
	for _, lr := range all {
		assert.Equal(t, lr.ObservedTimestamp(), lr.Timestamp(), "when it came")
	}
}
