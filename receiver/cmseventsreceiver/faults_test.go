// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// faultRepeats is how often each fault is repeated.
const faultRepeats = 100

// addCalls adds calls with participants to a bridge.
func addCalls(b *fakeBridge, calls, people int) {
	for c := range calls {
		id := fmt.Sprintf("call-%03d", c)
		e := callElements("corr-" + id)
		e["participants"] = people
		b.addCall(id, e)
		for p := range people {
			b.addParticipant(id, fmt.Sprintf("%s-person-%03d", id, p), participantElements(fmt.Sprintf("Person %d", p)))
		}
	}
}

// repeatFault runs a test many times and checks for leaked goroutines.
func repeatFault(t *testing.T, change func(*harness), test func(r *harness)) {
	t.Helper()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for range faultRepeats {
		runInBubble(t, 1, change, test)
		if t.Failed() {
			return
		}
	}
}

// awaitGauges waits until the gauges have the wanted values, for at most d.
func awaitGauges(r *harness, d time.Duration, want gauges) {
	r.T.Helper()
	for deadline := time.Now().Add(d); ; {
		r.wait(100 * time.Millisecond)
		if r.gauges() == want {
			r.wait(batchDelay) // for the last records
			return
		}
		if time.Now().After(deadline) {
			require.Equal(r.T, want, r.gauges(), "not right within %s", d)
		}
	}
}

func checkSockets(r *harness) {
	r.T.Helper()
	assert.Zero(r.T, r.bridges[0].count("ping"), "no pings")
	assert.LessOrEqual(r.T, r.bridges[0].count("sockets at once"), maxConnections)
}

// If a socket drops at any point of a subscription, the gauges are correct again after a
// few seconds, and no false change is emitted.
func TestDropMidSubscription(t *testing.T) {
	after := 0
	repeatFault(t, func(r *harness) {
		after = after%12 + 1
		r.bridges[0].setFaults(func(f *faults) { f.dropAfter = after })
	}, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 2, 3)
		r.wait(3 * time.Second)
		b.setFaults(func(f *faults) { f.dropAfter = 0 })
		b.dropSockets()
		awaitGauges(r, 10*time.Second, gauges{calls: 2, participants: 6})
		r.wait(10 * time.Second)
		assert.Len(r.T, participantsOf(r.T, r.sink.AllLogs()), 6)
		for _, lr := range receiverkit.Records(r.sink.AllLogs()) {
			assert.NotContains(r.T, lr.EventName(), "remove")
		}
		checkSockets(r)
	})
}

// An invalid token makes the receiver request a new one.
func TestTokenExpires(t *testing.T) {
	repeatFault(t, func(r *harness) { r.bridges[0].setFaults(func(f *faults) { f.expired = true }) }, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 1, 1)
		r.wait(10 * time.Second)
		assert.Greater(r.T, b.count("socket"), 1)
		assert.Equal(r.T, b.count("token"), b.count("socket"), "a token for each connection")
		assert.NotZero(r.T, r.Counter("otelcol_receiver_cmsevents_reconnects", "refused"))
		b.setFaults(func(f *faults) { f.expired = false })
		awaitGauges(r, time.Minute, gauges{calls: 1, participants: 1})
	})
}

// After a restart without its former calls, the gauges are correct within ten seconds.
func TestServerRestarts(t *testing.T) {
	away := time.Second
	repeatFault(t, nil, func(r *harness) {
		away = (away + 7*time.Second) % (4 * time.Minute)
		b := r.bridges[0]
		addCalls(b, 2, 2)
		awaitGauges(r, 10*time.Second, gauges{calls: 2, participants: 4})
		b.stop()
		r.wait(away)
		assert.Equal(r.T, gauges{calls: 2, participants: 4}, r.gauges(), "what was known stays for a while")
		b.removeParticipant("call-000", "call-000-person-000", "")
		b.removeCall("call-001")
		b.addParticipant("call-000", "late", participantElements("Late"))
		b.updateParticipant("call-000", "call-000-person-001", elements{"audioMuted": true})
		r.resetRecords()
		b.start()
		awaitGauges(r, 10*time.Second, gauges{calls: 1, participants: 2})
		assert.ElementsMatch(r.T, []string{
			"participant joined: Late in Board",
			"participant muted: Person 1 in Board",
			"participant left: lost_connection, Person 0 in Board",
			"participant left: lost_connection, Person 0 in Board",
			"participant left: lost_connection, Person 1 in Board",
			"call ended: not_listed, Board",
		}, r.bodies())
	})
}

// A server without a free socket is retried with growing delays, and never for more sockets
// than configured.
func TestSixthConnectionRefused(t *testing.T) {
	repeatFault(t, func(r *harness) {
		r.bridges[0].setFaults(func(f *faults) { f.socketStatus = http.StatusServiceUnavailable })
	}, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 1, 1)
		r.wait(10 * time.Minute)
		tries := b.count("socket")
		assert.Greater(r.T, tries, 8)
		assert.Less(r.T, tries, 32, "at most one in twenty seconds after the first few")
		b.setFaults(func(f *faults) { f.socketStatus = 0 })
		awaitGauges(r, time.Minute+2*time.Second, gauges{calls: 1, participants: 1})
		reported := r.Log.FilterMessageSnippet("No events from").All()
		require.Len(r.T, reported, 1, "on change")
		assert.Contains(r.T, reported[0].ContextMap()["error"], "answered 503 Service Unavailable; a Meeting Server takes five")
		for _, entry := range r.Log.All() {
			for key, value := range entry.ContextMap() {
				assert.NotContains(r.T, fmt.Sprint(value), "token-", key)
				assert.NotContains(r.T, fmt.Sprint(value), password, key)
			}
		}
	})
}

// Wrong credentials are retried rarely, because servers lock accounts.
func TestWrongPassword(t *testing.T) {
	repeatFault(t, func(r *harness) { r.bridges[0].password = "other" }, func(r *harness) {
		b := r.bridges[0]
		r.wait(time.Hour)
		assert.LessOrEqual(r.T, b.count("token"), 12)
		assert.Zero(r.T, b.count("socket"))
		assert.Len(r.T, r.Log.FilterMessageSnippet("No events from").All(), 1)
		assert.NotZero(r.T, r.Counter("otelcol_receiver_cmsevents_reconnects", "unauthorized"))
		b.mu.Lock()
		b.password = password
		b.mu.Unlock()
		addCalls(b, 1, 1)
		awaitGauges(r, api.UnauthorizedRetryDelay+10*time.Second, gauges{calls: 1, participants: 1})
	})
}

// A silent peer whose API does not answer either is disconnected.
func TestSilentPeer(t *testing.T) {
	repeatFault(t, nil, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 1, 1)
		awaitGauges(r, 10*time.Second, gauges{calls: 1, participants: 1})
		b.setFaults(func(f *faults) { f.sendNothing, f.statusHangs = true, true })
		r.wait(r.config.ProbeAfter + 20*time.Second)
		assert.NotZero(r.T, r.Counter("otelcol_receiver_cmsevents_reconnects", "silent"))
		b.removeParticipant("call-000", "call-000-person-000", "")
		b.setFaults(func(f *faults) { f.sendNothing, f.statusHangs = false, false })
		awaitGauges(r, time.Minute, gauges{calls: 1})
		checkSockets(r)
	})
}

// A half-open socket looks like a quiet server with a working API; the missing
// acknowledgement of a request reveals it.
func TestHalfOpen(t *testing.T) {
	repeatFault(t, nil, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 1, 1)
		awaitGauges(r, 10*time.Second, gauges{calls: 1, participants: 1})
		b.setFaults(func(f *faults) { f.sendNothing = true })
		r.wait(r.config.ProbeAfter + ackTimeout + time.Second)
		assert.NotZero(r.T, b.count("status"))
		assert.Equal(r.T, int64(1), r.Counter("otelcol_receiver_cmsevents_reconnects", "unacknowledged"))
		b.setFaults(func(f *faults) { f.sendNothing = false })
		awaitGauges(r, 2*time.Minute, gauges{calls: 1, participants: 1})
		assert.Len(r.T, participantsOf(r.T, r.sink.AllLogs()), 1)
	})
}

// A quiet server stays connected and gets few requests.
func TestQuietServer(t *testing.T) {
	runInBubble(t, 1, nil, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 1, 1)
		r.wait(time.Hour)
		assert.Equal(t, 1, b.count("socket"))
		assert.InDelta(t, 60, b.count("status"), 2)
		assert.LessOrEqual(t, b.count("request"), 65)
		assert.Equal(t, gauges{calls: 1, participants: 1}, r.gauges())
		assert.Equal(t, b.count("ack"), int(r.Counter("otelcol_receiver_cmsevents_acknowledgements")))
	})
}

// A request without an acknowledgement ends the connection.
func TestUnacknowledged(t *testing.T) {
	repeatFault(t, func(r *harness) { r.bridges[0].setFaults(func(f *faults) { f.withholdAcks = true }) }, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 1, 1)
		r.wait(ackTimeout + 5*time.Second)
		assert.NotZero(r.T, r.Counter("otelcol_receiver_cmsevents_reconnects", "unacknowledged"))
		b.setFaults(func(f *faults) { f.withholdAcks = false })
		awaitGauges(r, 2*time.Minute, gauges{calls: 1, participants: 1})
	})
}

// Pings, binary messages and fragments, which RFC 6455 allows, are accepted.
func TestUnusualFrames(t *testing.T) {
	turn := 0
	repeatFault(t, func(r *harness) {
		turn++
		r.bridges[0].setFaults(func(f *faults) {
			f.fragment, f.binary, f.ping = turn%3 == 0, turn%3 == 1, turn%3 == 2
		})
	}, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 2, 2)
		awaitGauges(r, 5*time.Second, gauges{calls: 2, participants: 4})
		assert.Equal(r.T, 1, b.count("socket"))
		assert.Zero(r.T, b.count("ping"))
		r.wait(time.Second)
	})
}

// A subscription that the server deactivates while the call continues is requested again
// later, under a new index.
func TestDeactivated(t *testing.T) {
	repeatFault(t, nil, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 1, 2)
		awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 2})
		r.wait(time.Second)
		b.mu.Lock()
		for p := range b.sockets {
			for index, s := range p.subs {
				if s.kind == "callRoster" {
					delete(p.subs, index)
					p.sendMessage(fmt.Sprintf(`"type":"subscriptionUpdate","subscriptions":[{"index":%d,"state":"deactivated"}]`, index))
				}
			}
		}
		b.mu.Unlock()
		b.removeParticipant("call-000", "call-000-person-000", "")
		awaitGauges(r, 10*time.Second, gauges{calls: 1, participants: 1})
		assert.Equal(r.T, 1, b.count("socket"))
		assert.Len(r.T, participantsOf(r.T, r.sink.AllLogs()), 1)
	})
}

// If the server ends its list of calls, the receiver reconnects.
func TestListDeactivated(t *testing.T) {
	repeatFault(t, nil, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 1, 1)
		awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 1})
		b.mu.Lock()
		for p := range b.sockets {
			p.sendMessage(`"type":"subscriptionUpdate","subscriptions":[{"index":1,"state":"deactivated"}]`)
		}
		b.mu.Unlock()
		r.wait(10 * time.Second)
		assert.Equal(r.T, 2, b.count("socket"))
		assert.Equal(r.T, int64(1), r.Counter("otelcol_receiver_cmsevents_reconnects", "deactivated"))
		assert.Equal(r.T, gauges{calls: 1, participants: 1}, r.gauges())
		assert.Len(r.T, participantsOf(r.T, r.sink.AllLogs()), 1)
	})
}
