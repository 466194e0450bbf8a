// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
	"github.com/legato-otel/legato/internal/testkit/secrets"
)

// everything is all text that a receiver sent or logged: bodies as they are and one
// after the other, attributes of records and resources, and the Collector's own log.
func (r *harness) everything(all []plog.Logs) string {
	var text, bodies strings.Builder
	for _, logs := range all {
		for _, rl := range logs.ResourceLogs().All() {
			fmt.Fprintln(&text, rl.Resource().Attributes().AsRaw())
		}
	}
	for _, lr := range receiverkit.Records(all) {
		body := lr.Body().AsString()
		if lr.Body().Type() == pcommon.ValueTypeBytes {
			body = string(lr.Body().Bytes().AsRaw())
		}
		bodies.WriteString(body)
		fmt.Fprintln(&text, lr.EventName(), body, lr.Attributes().AsRaw())
	}
	for _, entry := range r.Log.All() {
		fmt.Fprintln(&text, entry.Message, entry.ContextMap())
	}
	return text.String() + bodies.String()
}

// What people write into a tag stands in its attribute and in no body, and its
// credentials stand nowhere. What the system writes stands in the body too.
func TestTagsFreeText(t *testing.T) {
	f := func(name, tag, body string) {
		t.Helper()
		posted, err := os.ReadFile(filepath.Join("../../testdata/field/mediasense/tags-free-text", name))
		require.NoError(t, err)
		sink := new(consumertest.LogsSink)
		r := newHarness(t, func(r *harness) { r.Logs = sink })
		require.Equal(t, http.StatusOK, r.Post(string(posted)))
		all := receiverkit.Records(sink.AllLogs())
		require.Len(t, all, 1)
		assert.Equal(t, body, all[0].Body().Str())
		assert.Equal(t, tag, all[0].Attributes().AsRaw()[names.MediaSenseTagPrefix+".tag_name"])
		for _, secret := range []string{"geheim", "crm:", "abc123"} {
			assert.NotContains(t, r.everything(sink.AllLogs()), secret)
		}
	}
	f("1.json", "Агент Іван 👍 \"VIP\"\n5551234", "tag added")
	f("2.json", "https://REDACTED@crm.example.com/c/1?token=REDACTED", "tag added at 0.0 s")
	f("3.json", "TrackActive", "tag added: TrackActive on track 0 at 29.8 s")
	f("4.json", "TrackInactive", "tag added: TrackInactive on track 0 at 29.7 s")
}

// No secret leaves the receiver in any form, in no part of what it sends.
func TestSecretsInEveryForm(t *testing.T) {
	for _, member := range secrets.JSON {
		for _, event := range []string{
			`{"eventType":"SESSION_EVENT","eventAction":"STARTED","eventBody":{"sessionId":"6f01",` + member + `}}`,
			`{"eventType":"SESSION_EVENT","eventAction":"ENDED","eventBody":{"sessionId":"6f01",` + member + `}}`,
			`{"eventType":"TAG_EVENT","eventAction":"ADDED","eventBody":{"sessionId":"6f01","tagType":"SYSTEM_DEFINED",` + member + `}}`,
			`{"eventType":"UNHEARD_OF","eventAction":"` + secrets.JSON[4][len(`"future":"`):len(secrets.JSON[4])-1] + `","eventBody":{` + member + `}}`,
			`{"eventType":"SESSION_EVENT","eventAction":"STARTED",` + member + `,"eventBody":{"sessionId":"6f01"}}`,
			`{"eventType":"SESSION_EVENT","eventAction":"STARTED","eventBody":{"sessionId":"6f01",` + member,
			member,
		} {
			assertNoSecret(t, event)
			for _, encode := range secrets.Encodings {
				assertNoSecret(t, encode(event))
			}
		}
	}
}

func assertNoSecret(t *testing.T, body string) {
	t.Helper()
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		r.config.PerTrack = true
	})
	require.Equal(t, http.StatusOK, r.Post(body))
	require.NotEmpty(t, sink.AllLogs(), "%q", body)
	assert.False(t, secrets.In(r.everything(sink.AllLogs())), "%.400q becomes %.2000q", body, r.everything(sink.AllLogs()))
}
