// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/meetingserver/events"
	"github.com/legato-otel/legato/internal/testkit/secrets"
)

// The record of a change contains no secret, in any element.
func TestSecretsInEveryForm(t *testing.T) {
	texts := []string{
		"https://user:" + secrets.Secret + "@host.example.test/", "sip:anna:" + secrets.Secret + "@example.test", "rtmp://live.example.test/" + secrets.Secret,
		`[{"token":"` + secrets.Secret + `"}]`, "passcode=" + secrets.Secret, "<passcode>" + secrets.Secret + "</passcode>",
		"sip%3Aanna%3A" + secrets.Secret + "%40example.test",
	}
	for _, text := range texts {
		for kind := range events.ChangeKinds {
			fields := []events.Field{{Name: []byte("future"), Kind: events.Text, Text: []byte(text)}}
			for e := events.Unknown + 1; e < events.ElementCount; e++ {
				fields = append(fields, events.Field{Element: e, Kind: events.Text, Text: []byte(text)})
			}
			c := &events.Change{
				Kind: kind, Time: time.Unix(0, 0), Call: "c", CallName: []byte(text), ParticipantName: []byte(text), Reason: []byte(text), Fields: fields,
			}
			for _, participant := range []string{"", "p"} {
				c.Participant = participant
				lr := plog.NewLogRecord()
				putRecord(lr, c)
				all := fmt.Sprint(lr.Body().Str(), lr.Attributes().AsRaw())
				assert.False(t, secrets.In(all), "%q becomes %s", text, all)
			}
		}
	}
	lr := plog.NewLogRecord()
	putRecord(lr, &events.Change{Kind: events.CallAdded, Fields: []events.Field{{Name: []byte("passcode"), Kind: events.Text, Text: []byte(secrets.Secret)}}})
	assert.False(t, secrets.In(fmt.Sprint(lr.Attributes().AsRaw())))
}

// A name can neither break nor reverse a line of a log.
func TestControlCharactersInBodies(t *testing.T) {
	lr := plog.NewLogRecord()
	putRecord(lr, &events.Change{
		Kind: events.ParticipantChanged, Participant: "p", ParticipantName: []byte("a\nERROR forged\u202e"), CallName: []byte("Müller 東京"),
		Fields: []events.Field{{Element: events.State, Kind: events.Text, Text: []byte("x\ty")}},
	})
	assert.Equal(t, `participant x\ty: a\nERROR forged\u202e in Müller 東京`, lr.Body().Str())
	putRecord(lr, &events.Change{
		Kind: events.CallChanged, Fields: []events.Field{{Element: events.LockState, Kind: events.Text, Text: []byte("a\nb")}},
	})
	assert.Equal(t, `call updated, a\nb`, lr.Body().Str())
}

// A secret across the size limit of an emitted frame is redacted before the cut.
func TestSecretAcrossTheLimitOfAKeptFrame(t *testing.T) {
	const secret = "https://user:12345678@host.example.test/"
	for back := range len(secret) {
		q := &queue{
			maxRecords: 10, maxBytes: 1 << 20, putResource: func(pcommon.Map) {},
			hasRecords: make(chan struct{}, 1), batchReady: make(chan struct{}, 1),
		}
		srv := &server{logger: zap.NewNop(), queue: q}
		frame := `["` + strings.Repeat("x", maxMalformedBytes-back-3) + " " + secret + `"]`
		srv.emitMalformed(t.Context(), time.Unix(0, 0), []byte(frame), errorUnknownMessage, events.ErrNoMessage)
		body := q.batches[0].records.At(0).Body().Str()
		assert.LessOrEqual(t, len(body), maxMalformedBytes)
		assert.NotContains(t, body, "1", "%d bytes before the limit", back)
	}
}

// Addresses without a scheme are redacted too, in the element uri and in place of a name.
func TestSecretInAnAddressWithoutScheme(t *testing.T) {
	address := []byte("anna.b:" + secrets.Secret + "@example.test")
	for kind := range events.ChangeKinds {
		lr := plog.NewLogRecord()
		putRecord(lr, &events.Change{
			Kind: kind, Participant: "p", ParticipantName: address, Fields: []events.Field{{Element: events.URI, Kind: events.Text, Text: address}},
		})
		all := fmt.Sprint(lr.Body().Str(), lr.Attributes().AsRaw())
		assert.False(t, secrets.In(all), all)
		assert.Contains(t, all, "anna.b:REDACTED@example.test")
	}
}
