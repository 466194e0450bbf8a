// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

const recordsMetric = "otelcol_receiver_mediasense_records"

func TestAcknowledgement(t *testing.T) {
	check := receiverkit.Acknowledgement{
		New: func(t *testing.T, next consumer.Logs) *receiverkit.Posted {
			t.Helper()
			return newHarness(t, func(r *harness) { r.Logs = next }).Posted
		},
		Body: fixture(t, "session-ended.json"), Events: []string{names.EventSessionEnded},
		Malformed: names.EventMediaSenseMalformed, Records: recordsMetric, Lost: "its events are lost",
	}
	check.Check(t)
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
		status, _ := r.Do(method, url, "")
		assert.Equal(t, want, status, "%s %s", method, url)
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

// A long quarantine comes in pieces that add up to the received body.
func TestLongQuarantineComesInPieces(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	body := strings.TrimSpace(strings.Repeat("not JSON, 東京 ", 60_000))
	require.Equal(t, http.StatusOK, r.Post(body))
	receiverkit.AssertPieces(t, receiverkit.Records(sink.AllLogs()), names.MediaSenseRecordPart, names.MediaSenseRecordParts, body, 256<<10)
}
