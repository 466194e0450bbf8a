// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

const recordsMetric = "otelcol_receiver_mediasense_records"

// A plain error is one that may pass: nothing is noted, and what comes again is
// new.
func TestRetryableErrorIsRefused(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Failing{Next: sink, Err: errors.New("queue is full")}
	r := newHarness(t, func(r *harness) { r.Logs = next })
	response, err := r.Client.Post(r.URL, "application/json", strings.NewReader(fixture(t, "session-ended.json")))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	assert.Equal(t, "1", response.Header.Get("Retry-After"))
	assert.EqualValues(t, 1, r.Counter(recordsMetric, "refused"))

	next.Set(nil)
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "session-ended.json")))
	assert.Equal(t, 1, sink.LogRecordCount())
	assert.EqualValues(t, 1, r.Counter(recordsMetric, "accepted"))
}

// What the pipeline will never take is quarantined and acknowledged, and not
// sent to the pipeline a second time.
func TestPermanentErrorIsQuarantined(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &receiverkit.Failing{Next: sink, Err: consumererror.NewPermanent(errors.New("schema mismatch")), Times: 1}
	r := newHarness(t, func(r *harness) { r.Logs = next })
	body := fixture(t, "session-ended.json")
	require.Equal(t, http.StatusOK, r.Post(body))
	all := receiverkit.Records(sink.AllLogs())
	require.Len(t, all, 1)
	assert.Equal(t, names.EventMediaSenseMalformed, all[0].EventName())
	assert.Equal(t, body, all[0].Body().Str())
	kind, _ := all[0].Attributes().Get(names.ErrorType)
	assert.Equal(t, "rejected_by_pipeline", kind.Str())
	assert.EqualValues(t, 1, r.Counter(recordsMetric, "malformed"))
	require.Equal(t, http.StatusOK, r.Post(body))
	assert.Equal(t, 1, sink.LogRecordCount(), "it is known now")
}

func TestPermanentErrorForTheQuarantineToo(t *testing.T) {
	next := &receiverkit.Failing{Next: consumertest.NewNop(), Err: consumererror.NewPermanent(errors.New("no"))}
	r := newHarness(t, func(r *harness) { r.Logs = next })
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "session-ended.json")))
	assert.Equal(t, 2, next.Calls())
	assert.Equal(t, 1, r.Log.FilterMessageSnippet("its events are lost").Len())
}

// A pipeline that fans out may have one branch that refuses and one that is only
// busy: nothing is acknowledged, for the busy one.
func TestPermanentErrorOfOneBranchOnly(t *testing.T) {
	never, busy := consumererror.NewPermanent(errors.New("no")), errors.New("queue is full")
	for _, err := range []error{errors.Join(never, busy), errors.Join(busy, never)} {
		sink := new(consumertest.LogsSink)
		next := &receiverkit.Failing{Next: sink, Err: err}
		r := newHarness(t, func(r *harness) { r.Logs = next })
		require.Equal(t, http.StatusServiceUnavailable, r.Post(fixture(t, "session-ended.json")), "%v", err)
		assert.Equal(t, 1, next.Calls())
		assert.EqualValues(t, 1, r.Counter(recordsMetric, "refused"))
		next.Set(nil)
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "session-ended.json")))
		assert.Equal(t, []string{names.EventSessionEnded}, receiverkit.EventNames(sink))
	}
}

// A damaged event beside good ones: all are kept, the damaged one with its bytes.
func TestMalformedPart(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	damaged := strings.TrimSpace(fixture(t, "malformed-missing-comma.json"))
	body := "[" + fixture(t, "session-started.json") + "," + damaged + "," + fixture(t, "tag-added-track.json") + "]"
	for range 2 {
		require.Equal(t, http.StatusOK, r.Post(body))
	}
	assert.Equal(t, []string{names.EventSessionStarted, names.EventSessionStarted, names.EventTagAdded, names.EventMediaSenseMalformed}, receiverkit.EventNames(sink))
	assert.Equal(t, damaged, receiverkit.Records(sink.AllLogs())[3].Body().Str())
	assert.EqualValues(t, 1, r.Counter(recordsMetric, "malformed"))
	assert.EqualValues(t, 3, r.Counter(recordsMetric, "accepted"))
	assert.EqualValues(t, 4, r.Counter(recordsMetric, "duplicate"))
}

func TestUnknownEventIsCounted(t *testing.T) {
	r := newHarness(t, func(r *harness) { r.Logs = consumertest.NewNop() })
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "unknown-event-type.json")))
	require.Equal(t, http.StatusOK, r.Post(`{"eventType":"SESSION_EVENT","eventAction":"ARCHIVED","eventBody":{"sessionId":"a","ccid":"1"}}`))
	assert.EqualValues(t, 2, r.Counter(recordsMetric, "unknown"))
}

func TestBodyThatIsNoText(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	for range 2 {
		require.Equal(t, http.StatusOK, r.Post("\xff\xfe{"))
	}
	all := receiverkit.Records(sink.AllLogs())
	require.Len(t, all, 1)
	assert.Equal(t, []byte("\xff\xfe{"), all[0].Body().Bytes().AsRaw())
}

func TestMethodsAndPaths(t *testing.T) {
	r := newHarness(t, func(r *harness) { r.Logs = consumertest.NewNop() })
	f := func(method, url string, want int) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
		require.NoError(t, err)
		response, err := r.Client.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, want, response.StatusCode, "%s %s", method, url)
	}
	f(http.MethodGet, r.URL, http.StatusOK)
	f(http.MethodHead, r.URL+"?server=x", http.StatusOK)
	f(http.MethodPost, r.URL, http.StatusOK)
	f(http.MethodPut, r.URL, http.StatusMethodNotAllowed)
	f(http.MethodPost, r.URL+"/", http.StatusOK) // people register it so
	f(http.MethodPost, r.URL+"//", http.StatusNotFound)
	f(http.MethodGet, r.URL+"x", http.StatusNotFound)
	assert.EqualValues(t, 1, r.Counter("otelcol_receiver_mediasense_requests", "404"))
}

func TestBodyOverTheLimit(t *testing.T) {
	r := newHarness(t, func(r *harness) {
		r.Logs = consumertest.NewNop()
		r.config.HTTP.MaxRequestBodySize = 1000
	})
	require.Equal(t, http.StatusRequestEntityTooLarge, r.Post(fixture(t, "session-ended.json")))
	assert.EqualValues(t, 1, r.Counter("otelcol_receiver_mediasense_requests", "413"))
	logged := r.Log.FilterMessageSnippet("max_request_body_size").All()
	require.Len(t, logged, 1)
	assert.EqualValues(t, len(fixture(t, "session-ended.json")), logged[0].ContextMap()["content_length"])
}

// A client that hangs up while its events are taken does not make them come
// twice: they are noted all the same.
func TestClientHangsUp(t *testing.T) {
	sink := new(consumertest.LogsSink)
	gate := receiverkit.NewGated(sink)
	r := newHarness(t, func(r *harness) { r.Logs = gate })
	body := fixture(t, "session-ended.json")
	ctx, hangUp := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, strings.NewReader(body))
	require.NoError(t, err)
	gone := make(chan error)
	go func() {
		_, err := r.Client.Do(request)
		gone <- err
	}()
	<-gate.Entered
	hangUp()
	require.ErrorIs(t, <-gone, context.Canceled)
	gate.Leave <- struct{}{}
	require.Equal(t, http.StatusOK, r.Post(body), "it waits for the first try")
	assert.Equal(t, 1, sink.LogRecordCount())
}

// Backends drop log records of megabytes: a long quarantine comes in pieces
// that add up to what was received.
func TestLongQuarantineComesInPieces(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	body := strings.Repeat("not JSON, 東京 ", 60_000)
	require.Equal(t, http.StatusOK, r.Post(body))
	var whole strings.Builder
	all := receiverkit.Records(sink.AllLogs())
	for i, lr := range all {
		part, _ := lr.Attributes().Get(names.MediaSenseRecordPart)
		parts, _ := lr.Attributes().Get(names.MediaSenseRecordParts)
		assert.EqualValues(t, i+1, part.Int())
		assert.EqualValues(t, len(all), parts.Int())
		whole.WriteString(lr.Body().Str())
	}
	assert.Greater(t, len(all), 3)
	assert.Equal(t, strings.TrimRight(body, " "), strings.TrimRight(whole.String(), " "))
}
