// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"

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
	assert.Less(t, bomb.Len(), 1<<20)

	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL, &bomb)
	require.NoError(t, err)
	request.Header.Set("Content-Encoding", "gzip")
	response, err := r.Client.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
	assert.Empty(t, sink.AllLogs())
}

// Whatever is refused as XML is kept whole.
func TestHostileBodiesAreQuarantined(t *testing.T) {
	r := func() (*harness, *consumertest.LogsSink) {
		sink := new(consumertest.LogsSink)
		return newHarness(t, func(r *harness) { r.Logs = sink }), sink
	}
	f := func(body, reason string) {
		t.Helper()
		harness, sink := r()
		require.Equal(t, http.StatusOK, harness.Post(body))
		all := receiverkit.Records(sink.AllLogs())
		require.NotEmpty(t, all)
		assert.Equal(t, names.EventRecordMalformed, all[0].EventName())
		message, _ := all[0].Attributes().Get(names.ErrorMessage)
		assert.Contains(t, message.Str(), reason)
	}
	f(fixture(t, "malformed/doctype-entity.xml"), "DOCTYPE is refused")
	f(strings.Repeat("<a>", 1<<16), "root element is not <records>")
	f(`<records session="s"><record type="callStart">`+strings.Repeat("<a>", 1<<16), "nested too deep")
	f(`<records session="s" `+strings.Repeat("a='' ", 2), "attribute stands twice")
	f(`<records session="s"><record type="callEnd" correlatorIndex="1"><call id="x">`+strings.Repeat("<a/>", 1<<16)+`</call></record></records>`, "too many values")
	f("\xff\xfe<\x00r\x00", "content outside the root element")
	f(`<?xml version="1.0" encoding="UTF-16"?><records/>`, "encoding is not UTF-8")
	f("<records session=\"s\"><record type=\"callStart\"><call id=\"1\"><name>\x00</name></call></record></records>", "character not allowed")
}

// Many bad parts in one body become a bounded number of log records.
func TestManyBadPartsAreBounded(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	body := `<records session="s">` + strings.Repeat("<record/>", 1<<17) + `</records>`
	require.Equal(t, http.StatusOK, r.Post(body))
	assert.LessOrEqual(t, sink.LogRecordCount(), 64)
	kept := 0
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		kept += len(lr.Body().Str())
	}
	assert.Equal(t, 9<<17, kept, "all bytes are kept")
}

// Hostile text is data: it comes out as it went in.
func TestHostileText(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	name := "\u202Etxt.exe \"'`${env:HOME} &lt;script&gt; " + strings.Repeat("x", 1<<20)
	require.Equal(t, http.StatusOK, r.Post(
		`<records session="s"><record type="callLegStart" time="2024-03-05T09:14:12Z" correlatorIndex="0"><callLeg id="l"><displayName>`+
			name+`</displayName></callLeg></record></records>`,
	))
	got, _ := receiverkit.Records(sink.AllLogs())[0].Attributes().Get("cisco.meeting_server.call_leg.display_name")
	assert.Equal(t, strings.NewReplacer("&lt;", "<", "&gt;", ">").Replace(name), got.Str())
}

// Stream keys, passcodes and tokens leave in no form: not as attribute, not in
// a body, not in quarantine, not on the resource, not in the Collector's log.
func TestSecretsStay(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	stream := fixture(t, "streaming/start-old-streamUrl.xml")
	cut, _, found := strings.Cut(stream, "</streamUrl>")
	require.True(t, found)
	for _, body := range []string{
		stream,
		strings.Replace(stream, "</streaming>", "</streamin>", 1),
		strings.Replace(stream, "streamingStart", "streamingMoved", 1),
		strings.Replace(strings.Replace(stream, "16", "17", 1), "</streaming>", "<guestPasscode>REDACT-ME</guestPasscode></streaming>", 1),
		strings.Replace(stream, "streamUrl>", "outputAddress>", 2),
		cut,
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
