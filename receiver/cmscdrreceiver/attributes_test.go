// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// Nothing unknown overwrites or changes what is documented, in any order, and
// what stands several times is kept several times.
func TestUnknownValuesOverwriteNothing(t *testing.T) {
	f := func(object string, want map[string]any) {
		t.Helper()
		sink := new(consumertest.LogsSink)
		r := newHarness(t, func(r *harness) { r.Logs = sink })
		require.Equal(t, http.StatusOK, r.Post(
			`<records session="s"><record type="callStart" time="2024-03-05T09:14:12Z" correlatorIndex="3" index="x">`+object+`</record></records>`))
		got := receiverkit.Records(sink.AllLogs())[0].Attributes().AsRaw()
		for key, value := range want {
			assert.Equal(t, value, got["cisco.meeting_server."+key], key)
		}
		assert.Equal(t, int64(3), got["cisco.meeting_server.record.index"])
		assert.Equal(t, "x", got["cisco.meeting_server.record.index.unknown"])
	}
	f(`<call id="c"><name>new</name></call>`, map[string]any{"call.id": "c", "call.name": "new"})
	f(`<call id="c" name="a"><name>new</name></call>`, map[string]any{"call.name": "new", "call.name.unknown": "a"})
	f(`<call id="c"><Name>a</Name><name>new</name></call>`, map[string]any{"call.name": "new", "call.name.unknown": "a"})
	f(`<call id="c"><name>new</name><Name>a</Name><Name>b</Name></call>`, map[string]any{"call.name": "new", "call.name.unknown": []any{"a", "b"}})
	f(`<call id="c"><id>d</id></call>`, map[string]any{"call.id": "c", "call.id.unknown": "d"})
	f(`<call id="c"><durationSeconds>1</durationSeconds><durationSeconds>2</durationSeconds></call>`,
		map[string]any{"call.duration_seconds": 1.0, "call.duration_seconds.unknown": "2"})
	f(`<call id="c"><x>1</x><x>2</x><y z="3">4</y></call>`, map[string]any{"call.x": []any{"1", "2"}, "call.y": "4", "call.y.z": "3"})
}

// Secrets are found by the name of the element, of one around it, and in URLs.
func TestUnknownSecrets(t *testing.T) {
	f := func(body string) {
		t.Helper()
		sink := new(consumertest.LogsSink)
		r := newHarness(t, func(r *harness) { r.Logs = sink })
		require.Equal(t, http.StatusOK, r.Post(body))
		require.NotEmpty(t, sink.AllLogs())
		assert.NotContains(t, marshal(t, sink.AllLogs()[0]), "LEAK", body)
		assert.Contains(t, marshal(t, sink.AllLogs()[0]), "REDACTED", body)
	}
	for _, object := range []string{
		`<call id="c"><streamKey><value>LEAK</value></streamKey></call>`,
		`<call id="c"><passcode value="LEAK"/></call>`,
		`<call id="c"><backupRecorderUrl>https://user:LEAK@rec/</backupRecorderUrl></call>`,
		`<call id="c"><streamUrl><!-- x -->https://h/LEAK</streamUrl></call>`,
		`<recording id="r"><recorderUrl>https://user:LEAK@rec/</recorderUrl></recording>`,
	} {
		f(`<records session="s"><record type="callStart" correlatorIndex="1">` + object + `</record></records>`)
		f(`<records session="s"><record type="unheardOf" correlatorIndex="1">` + object + `</record></records>`)
		f(`<records session="s"><record type="callStart" correlatorIndex="1">` + object + `</recor></records>`)
	}
	f(`<records session="s" authToken="LEAK"><record type="callStart" correlatorIndex="1"><call id="c"/></record></records>`)
}
