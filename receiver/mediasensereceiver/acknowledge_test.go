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
)

const recordsMetric = "otelcol_receiver_mediasense_records"

// A plain error is one that may pass: nothing is noted, and what comes again is
// new.
func TestRetryableErrorIsRefused(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &failing{next: sink, err: errors.New("queue is full")}
	r := newRig(t, func(r *rig) { r.logs = next })
	response, err := r.client.Post(r.url, "application/json", strings.NewReader(fixture(t, "session-ended.json")))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	assert.Equal(t, "1", response.Header.Get("Retry-After"))
	assert.EqualValues(t, 1, r.counter(recordsMetric, "refused"))

	next.set(nil)
	require.Equal(t, http.StatusOK, r.post(fixture(t, "session-ended.json")))
	assert.Equal(t, 1, sink.LogRecordCount())
	assert.EqualValues(t, 1, r.counter(recordsMetric, "accepted"))
}

// What the pipeline will never take is quarantined and acknowledged, and not
// sent to the pipeline a second time.
func TestPermanentErrorIsQuarantined(t *testing.T) {
	sink := new(consumertest.LogsSink)
	next := &failing{next: sink, err: consumererror.NewPermanent(errors.New("schema mismatch")), times: 1}
	r := newRig(t, func(r *rig) { r.logs = next })
	body := fixture(t, "session-ended.json")
	require.Equal(t, http.StatusOK, r.post(body))
	all := records(sink.AllLogs())
	require.Len(t, all, 1)
	assert.Equal(t, names.EventMediaSenseMalformed, all[0].EventName())
	assert.Equal(t, body, all[0].Body().Str())
	kind, _ := all[0].Attributes().Get(names.ErrorType)
	assert.Equal(t, "rejected_by_pipeline", kind.Str())
	assert.EqualValues(t, 1, r.counter(recordsMetric, "malformed"))
	require.Equal(t, http.StatusOK, r.post(body))
	assert.Equal(t, 1, sink.LogRecordCount(), "it is known now")
}

func TestPermanentErrorForTheQuarantineToo(t *testing.T) {
	next := &failing{next: consumertest.NewNop(), err: consumererror.NewPermanent(errors.New("no"))}
	r := newRig(t, func(r *rig) { r.logs = next })
	require.Equal(t, http.StatusOK, r.post(fixture(t, "session-ended.json")))
	assert.Equal(t, 2, next.calls())
	assert.Equal(t, 1, r.log.FilterMessageSnippet("its events are lost").Len())
}

// A pipeline that fans out may have one branch that refuses and one that is only
// busy: nothing is acknowledged, for the busy one.
func TestPermanentErrorOfOneBranchOnly(t *testing.T) {
	never, busy := consumererror.NewPermanent(errors.New("no")), errors.New("queue is full")
	for _, err := range []error{errors.Join(never, busy), errors.Join(busy, never)} {
		sink := new(consumertest.LogsSink)
		next := &failing{next: sink, err: err}
		r := newRig(t, func(r *rig) { r.logs = next })
		require.Equal(t, http.StatusServiceUnavailable, r.post(fixture(t, "session-ended.json")), "%v", err)
		assert.Equal(t, 1, next.calls())
		assert.EqualValues(t, 1, r.counter(recordsMetric, "refused"))
		next.set(nil)
		require.Equal(t, http.StatusOK, r.post(fixture(t, "session-ended.json")))
		assert.Equal(t, []string{names.EventSessionEnded}, eventNamesOf(sink))
	}
}

// A damaged event beside good ones: all are kept, the damaged one with its bytes.
func TestMalformedPart(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newRig(t, func(r *rig) { r.logs = sink })
	damaged := strings.TrimSpace(fixture(t, "malformed-missing-comma.json"))
	body := "[" + fixture(t, "session-started.json") + "," + damaged + "," + fixture(t, "tag-added-track.json") + "]"
	for range 2 {
		require.Equal(t, http.StatusOK, r.post(body))
	}
	assert.Equal(t, []string{names.EventSessionStarted, names.EventSessionStarted, names.EventTagAdded, names.EventMediaSenseMalformed}, eventNamesOf(sink))
	assert.Equal(t, damaged, records(sink.AllLogs())[3].Body().Str())
	assert.EqualValues(t, 1, r.counter(recordsMetric, "malformed"))
	assert.EqualValues(t, 3, r.counter(recordsMetric, "accepted"))
	assert.EqualValues(t, 4, r.counter(recordsMetric, "duplicate"))
}

func TestUnknownEventIsCounted(t *testing.T) {
	r := newRig(t, func(r *rig) { r.logs = consumertest.NewNop() })
	require.Equal(t, http.StatusOK, r.post(fixture(t, "unknown-event-type.json")))
	require.Equal(t, http.StatusOK, r.post(`{"eventType":"SESSION_EVENT","eventAction":"ARCHIVED","eventBody":{"sessionId":"a","ccid":"1"}}`))
	assert.EqualValues(t, 2, r.counter(recordsMetric, "unknown"))
}

func TestBodyThatIsNoText(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newRig(t, func(r *rig) { r.logs = sink })
	for range 2 {
		require.Equal(t, http.StatusOK, r.post("\xff\xfe{"))
	}
	all := records(sink.AllLogs())
	require.Len(t, all, 1)
	assert.Equal(t, []byte("\xff\xfe{"), all[0].Body().Bytes().AsRaw())
}

func TestMethodsAndPaths(t *testing.T) {
	r := newRig(t, func(r *rig) { r.logs = consumertest.NewNop() })
	f := func(method, url string, want int) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
		require.NoError(t, err)
		response, err := r.client.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, want, response.StatusCode, "%s %s", method, url)
	}
	f(http.MethodGet, r.url, http.StatusOK)
	f(http.MethodHead, r.url+"?server=x", http.StatusOK)
	f(http.MethodPost, r.url, http.StatusOK)
	f(http.MethodPut, r.url, http.StatusMethodNotAllowed)
	f(http.MethodPost, r.url+"/", http.StatusOK) // people register it so
	f(http.MethodPost, r.url+"//", http.StatusNotFound)
	f(http.MethodGet, r.url+"x", http.StatusNotFound)
	assert.EqualValues(t, 1, r.counter("otelcol_receiver_mediasense_requests", "404"))
}

func TestBodyOverTheLimit(t *testing.T) {
	r := newRig(t, func(r *rig) {
		r.logs = consumertest.NewNop()
		r.config.HTTP.MaxRequestBodySize = 1000
	})
	require.Equal(t, http.StatusRequestEntityTooLarge, r.post(fixture(t, "session-ended.json")))
	assert.EqualValues(t, 1, r.counter("otelcol_receiver_mediasense_requests", "413"))
	logged := r.log.FilterMessageSnippet("max_request_body_size").All()
	require.Len(t, logged, 1)
	assert.EqualValues(t, len(fixture(t, "session-ended.json")), logged[0].ContextMap()["content_length"])
}

// A client that hangs up while its events are taken does not make them come
// twice: they are noted all the same.
func TestClientHangsUp(t *testing.T) {
	sink := new(consumertest.LogsSink)
	gate := &gated{next: sink, entered: make(chan struct{}), leave: make(chan struct{})}
	r := newRig(t, func(r *rig) { r.logs = gate })
	body := fixture(t, "session-ended.json")
	ctx, hangUp := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, strings.NewReader(body))
	require.NoError(t, err)
	gone := make(chan error)
	go func() {
		_, err := r.client.Do(request)
		gone <- err
	}()
	<-gate.entered
	hangUp()
	require.ErrorIs(t, <-gone, context.Canceled)
	gate.leave <- struct{}{}
	require.Equal(t, http.StatusOK, r.post(body), "it waits for the first try")
	assert.Equal(t, 1, sink.LogRecordCount())
}

// Backends drop log records of megabytes: a long quarantine comes in pieces
// that add up to what was received.
func TestLongQuarantineComesInPieces(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newRig(t, func(r *rig) { r.logs = sink })
	body := strings.Repeat("not JSON, 東京 ", 60_000)
	require.Equal(t, http.StatusOK, r.post(body))
	var whole strings.Builder
	all := records(sink.AllLogs())
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
