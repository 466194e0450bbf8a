// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

const recordsMetric = "otelcol_receiver_cmscdr_records"

func TestAcknowledgement(t *testing.T) {
	check := receiverkit.Acknowledgement{
		New: func(t *testing.T, next consumer.Logs) *receiverkit.Posted {
			t.Helper()
			return newHarness(t, func(r *harness) { r.Logs = next }).Posted
		},
		Body: fixture(t, "flow/post-6.xml"), Events: []string{names.EventCallLegEnd, names.EventCallEnd},
		Malformed: names.EventRecordMalformed, Records: recordsMetric, Lost: "its records are lost",
	}
	check.Check(t)
}

// TestFlow is the guide's section 6: six posts, eight records, and whatever is
// sent again is taken once.
func TestFlow(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	for _, post := range []string{"1", "2", "3", "4", "5", "6", "6", "6-duplicate", "5+6-resend-shifted", "2-pretty", "1"} {
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "flow/post-"+post+".xml")), post)
	}
	assert.Equal(t, []string{
		names.EventCallLegStart, names.EventCallStart, names.EventCallLegUpdate, names.EventCallLegStart,
		names.EventCallLegUpdate, names.EventCallLegEnd, names.EventCallLegEnd, names.EventCallEnd,
	}, receiverkit.EventNames(sink))
	for i, lr := range receiverkit.Records(sink.AllLogs()) {
		index, _ := lr.Attributes().Get(names.RecordIndex)
		assert.Equal(t, int64(i), index.Int())
	}
	assert.EqualValues(t, 8, r.Counter(recordsMetric, "accepted"))
	assert.EqualValues(t, 2+2+3+1+1, r.Counter(recordsMetric, "duplicate"))
	assert.Zero(t, r.Counter("otelcol_receiver_cmscdr_records_missing"))
}

// A resend may have other boundaries than its first try: only what is new in
// it goes on.
func TestResendWithLaterRecordsAppended(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "flow/post-5.xml")))
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "flow/post-5+6-resend-shifted.xml")))
	assert.Equal(t, []string{names.EventCallLegEnd, names.EventCallLegEnd, names.EventCallEnd}, receiverkit.EventNames(sink))
}

// After a refusal, the records may come again behind earlier ones.
func TestResendOfARefusedPostWithEarlierRecords(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Failing{Next: sink, Err: errFull}
	r := newHarness(t, func(r *harness) { r.Logs = next })
	require.Equal(t, http.StatusServiceUnavailable, r.Post(fixture(t, "flow/post-6.xml")))
	assert.EqualValues(t, 2, r.Counter(recordsMetric, "refused"))
	next.Set(nil)
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "flow/post-5+6-resend-shifted.xml")))
	assert.Equal(t, 3, sink.LogRecordCount())
	assert.EqualValues(t, 3, r.Counter(recordsMetric, "accepted"))
}

// A gap in a refused post is counted when the post is accepted, once.
func TestGapOfARefusedPostIsCountedOnce(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Failing{Next: sink}
	r := newHarness(t, func(r *harness) { r.Logs = next })
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "ivr/sip-scan.xml")))
	next.Set(errors.New("queue is full"))
	for range 3 {
		require.Equal(t, http.StatusServiceUnavailable, r.Post(fixture(t, "gap/num-preceding-missing.xml")))
	}
	next.Set(nil)
	for range 3 {
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "gap/num-preceding-missing.xml")))
	}
	assert.EqualValues(t, 113, r.Counter("otelcol_receiver_cmscdr_records_missing"))
	assert.Equal(t, []string{
		names.EventCallLegStart, names.EventCallLegEnd, names.EventRecordGap, names.EventCallLegEnd,
	}, receiverkit.EventNames(sink))
}

// Good records of a body with a bad part are kept, the bad part with its bytes.
func TestMalformedPart(t *testing.T) {
	good5 := between(t, fixture(t, "flow/post-5.xml"))
	good6 := between(t, fixture(t, "flow/post-6.xml"))
	damaged := strings.Replace(good5, "</rxAudio>", "</rxVideo>", 1)
	body := strings.Replace(fixture(t, "flow/post-6.xml"), good6, damaged+good6, 1)

	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	for range 2 {
		require.Equal(t, http.StatusOK, r.Post(body))
	}
	assert.Equal(t, []string{names.EventCallLegEnd, names.EventCallEnd, names.EventRecordMalformed}, receiverkit.EventNames(sink))
	quarantined := receiverkit.Records(sink.AllLogs())[2]
	assert.Equal(t, damaged, quarantined.Body().Str())
	assert.EqualValues(t, 1, r.Counter(recordsMetric, "malformed"))
	assert.Zero(t, r.Counter("otelcol_receiver_cmscdr_records_missing"), "the damaged record was not lost")
}

// A body without any identity that is sent again is one body.
func TestUnreadableBodyIsQuarantinedOnce(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	for range 2 {
		require.Equal(t, http.StatusOK, r.Post("cdr=1&data=hello"))
	}
	require.Equal(t, http.StatusOK, r.Post("cdr=2&data=\xff\xfe"))
	all := receiverkit.Records(sink.AllLogs())
	require.Len(t, all, 2)
	assert.Equal(t, "cdr=1&data=hello", all[0].Body().Str())
	assert.Equal(t, []byte("cdr=2&data=\xff\xfe"), all[1].Body().Bytes().AsRaw())
}

func TestEmptyRecordsAreAcknowledged(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "unknown/empty-records.xml")))
	assert.Empty(t, sink.AllLogs())
}

func TestMethodsAndPaths(t *testing.T) {
	r := newHarness(t, func(r *harness) { r.Logs = consumertest.NewNop() })
	f := func(method, url string, want int) {
		t.Helper()
		status, header := r.Do(method, url, "")
		assert.Equal(t, want, status, "%s %s", method, url)
		if want == http.StatusMethodNotAllowed {
			assert.Equal(t, "GET, HEAD, POST", header.Get("Allow"))
		}
	}
	f(http.MethodGet, r.URL, http.StatusOK)
	f(http.MethodHead, r.URL, http.StatusOK)
	f(http.MethodGet, r.URL+"?system_id=x", http.StatusOK)
	f(http.MethodPut, r.URL, http.StatusMethodNotAllowed)
	f(http.MethodDelete, r.URL, http.StatusMethodNotAllowed)
	f(http.MethodPost, r.URL+"/", http.StatusOK) // people register it so
	f(http.MethodPost, r.URL+"//", http.StatusNotFound)
	f(http.MethodPost, strings.TrimSuffix(r.URL, "/cdr"), http.StatusNotFound)
	f(http.MethodGet, r.URL+"x", http.StatusNotFound)
}

func TestBodyOverTheLimit(t *testing.T) {
	r := newHarness(t, func(r *harness) {
		r.Logs = consumertest.NewNop()
		r.config.HTTP.MaxRequestBodySize = 1000
	})
	require.Equal(t, http.StatusRequestEntityTooLarge, r.Post(fixture(t, "callLegEnd-rich.xml")))
	assert.EqualValues(t, 1, r.Counter("otelcol_receiver_cmscdr_requests", "413"))
	logged := r.Log.FilterMessageSnippet("max_request_body_size").All()
	require.Len(t, logged, 1)
	assert.EqualValues(t, len(fixture(t, "callLegEnd-rich.xml")), logged[0].ContextMap()["content_length"])
}

// between returns what stands between the root's tags.
func between(t *testing.T, body string) string {
	t.Helper()
	first := strings.Index(body, "<record ")
	last := strings.LastIndex(body, "</records>")
	require.Positive(t, first)
	return body[first:last]
}

// The start and the gap of a session are not lost with the refused records.
func TestPermanentErrorKeepsGapAndRestart(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Failing{Next: sink}
	r := newHarness(t, func(r *harness) { r.Logs = next })
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "gap/no-attribute.xml")))
	next.FailOnce(consumererror.NewPermanent(errors.New("no")))
	body := strings.Replace(fixture(t, "gap/new-session-after-restart.xml"), `correlatorIndex="0"`, `correlatorIndex="7" numPrecedingRecordsMissing="7"`, 1)
	require.Equal(t, http.StatusOK, r.Post(body))
	assert.Equal(t, []string{
		names.EventCallLegEnd, names.EventSessionStart, names.EventRecordGap, names.EventRecordMalformed,
	}, receiverkit.EventNames(sink))
}

// A long quarantine comes in pieces that add up to the received body.
func TestLongQuarantineComesInPieces(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	body := strings.Repeat("not XML, 東京 ", 60_000)
	require.Equal(t, http.StatusOK, r.Post(body))
	receiverkit.AssertPieces(t, receiverkit.Records(sink.AllLogs()), names.RecordPart, names.RecordParts, body, 256<<10)
}

// A body without a length, sent in chunks after the receiver was asked whether
// it wants it, is read like any other.
func TestChunkedBody(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	// A reader of unknown length is sent in chunks.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL, struct{ io.Reader }{strings.NewReader(fixture(t, "callLegEnd-rich.xml"))})
	require.NoError(t, err)
	request.Header.Set("Expect", "100-continue")
	response, err := r.Client.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.Equal(t, []string{names.EventCallLegEnd}, receiverkit.EventNames(sink))
}
