// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// A damaged message with a readable id is acknowledged and its subscription renewed.
// Without an id the connection ends, because the server would send nothing more.
func TestMalformedMessages(t *testing.T) {
	f := func(message string, sockets int) {
		t.Helper()
		runInBubble(t, 1, nil, func(r *harness) {
			b := r.bridges[0]
			addCalls(b, 1, 2)
			awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 2})
			b.mu.Lock()
			for p := range b.sockets {
				p.send(frame{raw: []byte(message), id: 5})
			}
			b.mu.Unlock()
			if sockets == 1 {
				b.mu.Lock()
				for p := range b.sockets {
					p.nextMessageID = 1000
				}
				b.mu.Unlock()
			}
			r.wait(10 * time.Second)
			b.updateParticipant("call-000", "call-000-person-000", elements{"audioMuted": true})
			r.wait(10 * time.Second)
			assert.Equal(r.T, sockets, b.count("socket"), message)
			assert.Equal(r.T, gauges{calls: 1, participants: 2}, r.gauges())
			assert.Equal(r.T, int64(1), r.Counter("otelcol_receiver_cmsevents_messages", "malformed"))
			people := participantsOf(r.T, r.sink.AllLogs())
			assert.Len(r.T, people, 2)
			assert.Equal(r.T, true, people["call-000-person-000"]["cisco.meeting_server.participant.audio_muted"])
		})
	}
	f(`{"type":"message","message":{"messageId":5,`, 1)
	f(`{"type":"message"}`, 2)
	f(`{"type":"message","message":{"type":"rosterUpdate","updates":[]}}`, 2)
}

// A message above max_message_size ends the connection.
func TestTooLarge(t *testing.T) {
	runInBubble(t, 1, func(r *harness) { r.config.MaxMessageSize = 64 << 10 }, func(r *harness) {
		b := r.bridges[0]
		r.wait(time.Second)
		e := callElements("x")
		e["name"] = string(make([]byte, 20<<10)) // each byte takes six when escaped
		b.addCall("c", e)
		r.wait(10 * time.Second)
		assert.NotZero(t, r.Counter("otelcol_receiver_cmsevents_reconnects", "too_large"))
	})
}

// A participant with an undecodable name causes a few renewals of that roster alone within
// an hour, and nobody is removed.
func TestDamagedRoster(t *testing.T) {
	var host *statusHolder
	runInBubble(t, 1, func(r *harness) { host = holdStatus(r) }, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 3, 2)
		awaitGauges(r, 5*time.Second, gauges{calls: 3, participants: 6})
		r.resetRecords()
		infos, lists := b.count("subscribed callInfo"), b.count("subscribed calls")
		b.setFaults(func(f *faults) { f.damagedSnapshots = []string{"callRoster"} })
		b.mu.Lock()
		b.eachSubscription("callRoster", "call-001", func(p *fakeSocket, index int64) { p.sendSnapshot(index) })
		b.mu.Unlock()
		r.wait(time.Minute)
		r.requireProblem(host, problemMalformed, "could not be decoded")
		assert.LessOrEqual(t, b.count("subscribed callRoster"), 3+6)
		r.wait(time.Hour)
		assert.LessOrEqual(t, b.count("subscribed callRoster"), 3+18)
		assert.Equal(t, infos, b.count("subscribed callInfo"))
		assert.Equal(t, lists, b.count("subscribed calls"))
		assert.Equal(t, 1, b.count("socket"))
		assert.Equal(t, gauges{calls: 3, participants: 6}, r.gauges())
		for _, lr := range receiverkit.Records(r.sink.AllLogs()) {
			assert.Equal(t, names.EventRecordMalformed, lr.EventName(), lr.Body().Str())
		}
		b.setFaults(func(f *faults) { f.damagedSnapshots = nil })
		b.removeParticipant("call-001", "call-001-person-000", "")
		r.wait(25 * time.Minute)
		assert.Equal(t, gauges{calls: 3, participants: 5}, r.gauges())
		r.requireHealthy(host)
	})
}

// A damaged message without a readable index renews all subscriptions of its socket with
// one backoff.
func TestDamagedWithoutIndex(t *testing.T) {
	for _, content := range []string{
		`"type":"rosterUpdate","updates":[{"participant":"x","name":"a "quote""}]`,
		`"type":"subscriptionUpdate","subscriptions":[{"index":2 3,"state":"active"}]`,
		`"updates":[{"name":"a "quote""}]`,
	} {
		var host *statusHolder
		runInBubble(t, 1, func(r *harness) { host = holdStatus(r) }, func(r *harness) {
			b := r.bridges[0]
			addCalls(b, 3, 2)
			awaitGauges(r, 5*time.Second, gauges{calls: 3, participants: 6})
			r.wait(time.Second)
			subscribed := func() int {
				return b.count("subscribed calls") + b.count("subscribed callInfo") + b.count("subscribed callRoster")
			}
			require.Equal(t, 7, subscribed())
			damage := func() {
				b.mu.Lock()
				defer b.mu.Unlock()
				for p := range b.sockets {
					p.sendMessage(content)
				}
			}
			// A participant left, and the removal is the damaged message.
			b.mu.Lock()
			call := b.calls["call-001"]
			delete(call.people, call.order[0])
			call.order = call.order[1:]
			b.mu.Unlock()
			damage()
			awaitGauges(r, 10*time.Second, gauges{calls: 3, participants: 5})
			assert.Equal(t, 14, subscribed())
			r.wait(time.Minute)
			r.requireProblem(host, problemMalformed, "could not be decoded")
			requests := b.count("request")
			for range 600 {
				damage()
				r.wait(100 * time.Millisecond)
			}
			assert.LessOrEqual(t, b.count("request"), requests+4, "in a minute")
			assert.Equal(t, gauges{calls: 3, participants: 5}, r.gauges())
			assert.Equal(t, 1, b.count("socket"))
		})
	}
}

// The buffers of a long damaged message are released.
func TestDamagedReleasesItsRoom(t *testing.T) {
	runInBubble(t, 1, nil, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 1, 1)
		awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 1})
		r.wait(time.Minute)
		before := heap()
		b.mu.Lock()
		for p := range b.sockets {
			p.sendMessage(`"type":"rosterUpdate","subscriptionIndex":999,"updates":[` + strings.Repeat(`{"participant":"x"},`, 60_000) + strings.Repeat(" ", 6<<20) + `"quote""]`)
		}
		b.mu.Unlock()
		r.wait(time.Second)
		require.EqualValues(t, 1, r.Counter("otelcol_receiver_cmsevents_messages", "malformed"))
		assert.Less(t, heap()-before, int64(2<<20))
	})
}

// heap returns the bytes of heap in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Frames of an unknown type are logged, emitted within a limit, and do not end the
// connection. Their text is in no log line.
func TestUnknownFrames(t *testing.T) {
	for _, frameText := range []string{`{"type":"heartbeat","heartbeat":{"password":"hunter2","x":1}}`, `[]`, `"message"`, `17`} {
		runInBubble(t, 1, nil, func(r *harness) {
			b := r.bridges[0]
			addCalls(b, 1, 1)
			awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 1})
			r.resetRecords()
			b.mu.Lock()
			for p := range b.sockets {
				for range 100 {
					p.send(frame{raw: []byte(frameText), id: -1})
				}
			}
			b.mu.Unlock()
			r.wait(time.Second)
			b.updateParticipant("call-000", "call-000-person-000", elements{"audioMuted": true})
			r.wait(time.Minute)
			assert.Equal(t, 1, b.count("socket"), frameText)
			assert.EqualValues(t, 100, r.Counter("otelcol_receiver_cmsevents_messages", "unknown"))
			assert.Equal(t, malformedPerMinute, r.Log.FilterMessage("A message cannot be decoded or is of an unknown type").Len())
			all := receiverkit.Records(r.sink.AllLogs())
			require.Len(t, all, malformedPerMinute+1)
			assert.Equal(t, names.EventRecordMalformed, all[0].EventName())
			assert.Equal(t, strings.ReplaceAll(frameText, `"hunter2"`, `"REDACTED"`), all[0].Body().Str())
			assert.Equal(t, errorUnknownMessage, text(all[0], names.ErrorType))
			for _, entry := range r.Log.All() {
				assert.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), "hunter2")
			}
		})
	}
}
