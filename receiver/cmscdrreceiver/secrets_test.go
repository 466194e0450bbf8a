// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/otel/logrecord"
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

// bodiesWith returns bodies in which an element stands: in a record that is well
// formed, of a type nobody knows, damaged, and in a body that is none.
func bodiesWith(element string) map[string]string {
	const begin = `<records session="s" callBridge="b">`
	record := func(kind, object string) string {
		return `<record type="` + kind + `" time="2024-03-05T09:14:12Z" correlatorIndex="0"><` + object + ` id="l">` + element + `</` + object + `></record>`
	}
	return map[string]string{
		"well formed":    begin + record("callLegEnd", "callLeg") + "</records>",
		"call":           begin + record("callStart", "call") + "</records>",
		"unknown type":   begin + record("unheardOf", "thing") + "</records>",
		"damaged":        begin + strings.Replace(record("callLegStart", "callLeg"), "</record>", "</recor>", 1) + "</records>",
		"cut off":        begin + strings.TrimSuffix(record("callLegStart", "callLeg"), "</callLeg></record>"),
		"of no record":   begin + element + "</records>",
		"no body at all": element,
	}
}

// No secret leaves the receiver in any form, in no part of what it sends.
func TestSecretsInEveryForm(t *testing.T) {
	for _, element := range secrets.XML {
		for name, body := range bodiesWith(element) {
			assertNoSecret(t, name, body)
			for encoding, encode := range secrets.Encodings {
				if name == "damaged" || name == "well formed" {
					assertNoSecret(t, name+", "+encoding, encode(body))
				}
			}
		}
	}
}

func assertNoSecret(t *testing.T, name, body string) {
	t.Helper()
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	defer r.Client.CloseIdleConnections()
	require.Equal(t, http.StatusOK, r.Post(body), name)
	require.NotEmpty(t, sink.AllLogs(), name)
	assert.False(t, secrets.In(r.everything(sink.AllLogs())), "%s: %.400q becomes %.2000q", name, body, r.everything(sink.AllLogs()))
}

// What the pipeline refuses has its secrets taken out in quarantine too.
func TestSecretsInRefusedBodies(t *testing.T) {
	for _, element := range secrets.XML {
		sink := new(consumertest.LogsSink)
		next := &receiverkit.Failing{Next: sink, Err: consumererror.NewPermanent(errors.New("refused")), Times: 1}
		r := newHarness(t, func(r *harness) { r.Logs = next })
		require.Equal(t, http.StatusOK, r.Post(bodiesWith(element)["well formed"]))
		require.NotEmpty(t, sink.AllLogs())
		assert.False(t, secrets.In(r.everything(sink.AllLogs())), element)
	}
}

// A secret over the boundary of two parts is in neither of them, and not in both
// together.
func TestSecretsOverTheBoundaryOfParts(t *testing.T) {
	const shorter = 40
	for _, element := range secrets.XML[:3] {
		head := `<records session="s"><record type="callStart" correlatorIndex="0"><call id="c"><x>`
		at := strings.LastIndex(element, secrets.Secret)
		for before := range shorter {
			padding := strings.Repeat("x", logrecord.MaxRaw-len(head)-len("</x>")-at-before%(len(secrets.Secret)+10)+5)
			assertNoSecret(t, "boundary", head+padding+"</x>"+element+strings.Repeat("y", logrecord.MaxRaw)+"</call></recor></records>")
		}
	}
}

// FuzzSecrets plants a secret in any form, encoding and place, between any text.
func FuzzSecrets(f *testing.F) {
	encodings := slices.Sorted(maps.Keys(secrets.Encodings))
	places := slices.Sorted(maps.Keys(bodiesWith("")))
	f.Add("", "", uint8(0), uint8(0), uint8(0))
	f.Add("<name>Müller</name>", "<reason>error</reason>", uint8(1), uint8(3), uint8(2))
	f.Fuzz(func(t *testing.T, before, behind string, form, encoding, place uint8) {
		// Text before the secret that opens a quote, a comment or a tag makes it part of
		// something else.
		if strings.ContainsAny(before, "<>\"'&%\\=:{[;,@/?#\x00") {
			return
		}
		element := before + secrets.XML[int(form)%len(secrets.XML)] + behind
		name := encodings[int(encoding)%len(encodings)]
		assertNoSecret(t, name, secrets.Encodings[name](bodiesWith(element)[places[int(place)%len(places)]]))
	})
}

// A name cannot break a line of a log, nor turn it around.
func TestControlCharactersInBodies(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	require.Equal(t, http.StatusOK, r.Post(`<records session="s" callBridge="b&#10;b">`+
		`<record type="callLegStart" time="2024-03-05T09:14:12Z" correlatorIndex="0"><callLeg id="l">`+
		`<remoteParty>a&#10;ERROR forged&#13;&#9;&#133;b&#8238;c&#8232;d</remoteParty><localAddress>Müller 東京 👍</localAddress></callLeg></record>`+
		`<record type="callStart" time="2024-03-05T09:14:12Z" correlatorIndex="1"><call id="c"><name>a&#10;b</name></call></record>`+
		`<record type="callLegEnd" time="2024-03-05T09:14:12Z" correlatorIndex="2"><callLeg id="l"><reason>a&#10;b</reason>`+
		`<durationSeconds>1&#10;2</durationSeconds><alarm type="p&#10;q" durationPercentage="1&#10;2"/></callLeg></record></records>`))
	var bodies []string
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		bodies = append(bodies, lr.Body().Str())
	}
	assert.Equal(t, []string{
		`call leg started: from a\nERROR forged\r\t\u0085b\u202ec\u2028d to Müller 東京 👍`,
		`call started: "a\nb"`,
		`call leg ended: a\nb after 1\n2 s, p\nq 1\n2 %`,
	}, bodies)
	assert.Equal(t, "a\nERROR forged\r\t\u0085b\u202ec\u2028d", receiverkit.Records(sink.AllLogs())[0].Attributes().AsRaw()["cisco.meeting_server.call_leg.remote_party"],
		"the attribute is as on the wire")
}
