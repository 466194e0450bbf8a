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
)

// times is how often each fault is played.
const times = 100

// busy fills a bridge: so many calls, each with so many participants.
func busy(b *bridge, calls, people int) {
	for c := range calls {
		id := fmt.Sprintf("call-%03d", c)
		e := board("corr-" + id)
		e["participants"] = people
		b.addCall(id, e)
		for p := range people {
			b.addParticipant(id, fmt.Sprintf("%s-person-%03d", id, p), person(fmt.Sprintf("Person %d", p)))
		}
	}
}

// again plays a test many times, and finds what it leaves behind.
func again(t *testing.T, change func(*rig), test func(r *rig)) {
	t.Helper()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for range times {
		bubble(t, 1, change, test)
		if t.Failed() {
			return
		}
	}
}

// right waits until the gauges are the bridge's truth, at most for d.
func right(r *rig, d time.Duration, want gauges) {
	r.t.Helper()
	for deadline := time.Now().Add(d); ; {
		r.settle(100 * time.Millisecond)
		if r.gauges() == want {
			r.settle(batchDelay) // for the last records
			return
		}
		if time.Now().After(deadline) {
			require.Equal(r.t, want, r.gauges(), "not right within %s", d)
		}
	}
}

func status(r *rig) {
	r.t.Helper()
	assert.Zero(r.t, r.bridges[0].count("ping"), "no pings")
	assert.LessOrEqual(r.t, r.bridges[0].count("sockets at once"), maxConnections)
}

// A socket that ends in the middle of anything: after a few seconds the picture
// is right again, and nobody was told of anything that did not happen.
func TestDropMidSubscription(t *testing.T) {
	after := 0
	again(t, func(r *rig) {
		after = after%12 + 1
		r.bridges[0].set(func(f *faults) { f.dropAfter = after })
	}, func(r *rig) {
		b := r.bridges[0]
		busy(b, 2, 3)
		r.settle(3 * time.Second)
		b.set(func(f *faults) { f.dropAfter = 0 })
		b.drop()
		right(r, 10*time.Second, gauges{calls: 2, participants: 6})
		r.settle(10 * time.Second)
		assert.Len(r.t, fold(r.t, r.sink.AllLogs()), 6)
		for _, lr := range records(r.sink.AllLogs()) {
			assert.NotContains(r.t, lr.EventName(), "remove")
		}
		status(r)
	})
}

// A token that is worthless when it is used is asked for anew.
func TestTokenExpires(t *testing.T) {
	again(t, func(r *rig) { r.bridges[0].set(func(f *faults) { f.expired = true }) }, func(r *rig) {
		b := r.bridges[0]
		busy(b, 1, 1)
		r.settle(10 * time.Second)
		assert.Greater(r.t, b.count("socket"), 1)
		assert.Equal(r.t, b.count("token"), b.count("socket"), "a token for each connection")
		assert.NotZero(r.t, r.counter("otelcol_receiver_cmsevents_reconnects", "refused"))
		b.set(func(f *faults) { f.expired = false })
		right(r, time.Minute, gauges{calls: 1, participants: 1})
	})
}

// A server that restarts loses everything: within ten seconds of its return the
// picture is what it is then.
func TestServerRestarts(t *testing.T) {
	away := time.Second
	again(t, nil, func(r *rig) {
		away = (away + 7*time.Second) % (4 * time.Minute)
		b := r.bridges[0]
		busy(b, 2, 2)
		right(r, 10*time.Second, gauges{calls: 2, participants: 4})
		b.stop()
		r.settle(away)
		assert.Equal(r.t, gauges{calls: 2, participants: 4}, r.gauges(), "what was known stays for a while")
		b.removeParticipant("call-000", "call-000-person-000", "")
		b.removeCall("call-001")
		b.addParticipant("call-000", "late", person("Late"))
		b.updateParticipant("call-000", "call-000-person-001", elements{"audioMuted": true})
		r.forget()
		b.start()
		right(r, 10*time.Second, gauges{calls: 1, participants: 2})
		assert.ElementsMatch(r.t, []string{
			"participant joined: Late in Board",
			"participant muted: Person 1 in Board",
			"participant left: lost_connection, Person 0 in Board",
			"participant left: lost_connection, Person 0 in Board",
			"participant left: lost_connection, Person 1 in Board",
			"call ended: not_listed, Board",
		}, r.bodies())
	})
}

// A server that has no place left is asked ever less often, and never for more
// than it is configured to give.
func TestSixthConnectionRefused(t *testing.T) {
	again(t, func(r *rig) { r.bridges[0].set(func(f *faults) { f.socketStatus = http.StatusServiceUnavailable }) }, func(r *rig) {
		b := r.bridges[0]
		busy(b, 1, 1)
		r.settle(10 * time.Minute)
		tries := b.count("socket")
		assert.Greater(r.t, tries, 8)
		assert.Less(r.t, tries, 32, "at most one in twenty seconds after the first few")
		b.set(func(f *faults) { f.socketStatus = 0 })
		right(r, time.Minute+2*time.Second, gauges{calls: 1, participants: 1})
		reported := r.log.FilterMessageSnippet("No events from").All()
		require.Len(r.t, reported, 1, "on change")
		assert.Contains(r.t, reported[0].ContextMap()["error"], "answered 503 Service Unavailable; a Meeting Server takes five")
		for _, entry := range r.log.All() {
			for key, value := range entry.ContextMap() {
				assert.NotContains(r.t, fmt.Sprint(value), "token-", key)
				assert.NotContains(r.t, fmt.Sprint(value), password, key)
			}
		}
	})
}

// Wrong credentials are not tried often: accounts get locked.
func TestWrongPassword(t *testing.T) {
	again(t, func(r *rig) { r.bridges[0].password = "other" }, func(r *rig) {
		b := r.bridges[0]
		r.settle(time.Hour)
		assert.LessOrEqual(r.t, b.count("token"), 12)
		assert.Zero(r.t, b.count("socket"))
		assert.Len(r.t, r.log.FilterMessageSnippet("No events from").All(), 1)
		assert.NotZero(r.t, r.counter("otelcol_receiver_cmsevents_reconnects", "unauthorized"))
		b.mu.Lock()
		b.password = password
		b.mu.Unlock()
		busy(b, 1, 1)
		right(r, api.UnauthorizedRetryDelay+10*time.Second, gauges{calls: 1, participants: 1})
	})
}

// A peer that is silent and does not answer its API either is given up.
func TestSilentPeer(t *testing.T) {
	again(t, nil, func(r *rig) {
		b := r.bridges[0]
		busy(b, 1, 1)
		right(r, 10*time.Second, gauges{calls: 1, participants: 1})
		b.set(func(f *faults) { f.quiet, f.statusHangs = true, true })
		r.settle(r.config.ProbeAfter + 20*time.Second)
		assert.NotZero(r.t, r.counter("otelcol_receiver_cmsevents_reconnects", "silent"))
		b.removeParticipant("call-000", "call-000-person-000", "")
		b.set(func(f *faults) { f.quiet, f.statusHangs = false, false })
		right(r, time.Minute, gauges{calls: 1})
		status(r)
	})
}

// A half-open socket looks like a quiet server whose API answers: it is told by
// a request that nobody acknowledges.
func TestHalfOpen(t *testing.T) {
	again(t, nil, func(r *rig) {
		b := r.bridges[0]
		busy(b, 1, 1)
		right(r, 10*time.Second, gauges{calls: 1, participants: 1})
		b.set(func(f *faults) { f.quiet = true })
		r.settle(r.config.ProbeAfter + ackTimeout + time.Second)
		assert.NotZero(r.t, b.count("status"))
		assert.Equal(r.t, int64(1), r.counter("otelcol_receiver_cmsevents_reconnects", "unacknowledged"))
		b.set(func(f *faults) { f.quiet = false })
		right(r, 2*time.Minute, gauges{calls: 1, participants: 1})
		assert.Len(r.t, fold(r.t, r.sink.AllLogs()), 1)
	})
}

// A quiet server stays connected, and is asked no more than it must.
func TestQuietServer(t *testing.T) {
	bubble(t, 1, nil, func(r *rig) {
		b := r.bridges[0]
		busy(b, 1, 1)
		r.settle(time.Hour)
		assert.Equal(t, 1, b.count("socket"))
		assert.InDelta(t, 60, b.count("status"), 2)
		assert.LessOrEqual(t, b.count("request"), 65)
		assert.Equal(t, gauges{calls: 1, participants: 1}, r.gauges())
		assert.Equal(t, b.count("ack"), int(r.counter("otelcol_receiver_cmsevents_acknowledgements")))
	})
}

// A request that nobody acknowledges ends the connection.
func TestUnacknowledged(t *testing.T) {
	again(t, func(r *rig) { r.bridges[0].set(func(f *faults) { f.quietAcks = true }) }, func(r *rig) {
		b := r.bridges[0]
		busy(b, 1, 1)
		r.settle(ackTimeout + 5*time.Second)
		assert.NotZero(r.t, r.counter("otelcol_receiver_cmsevents_reconnects", "unacknowledged"))
		b.set(func(f *faults) { f.quietAcks = false })
		right(r, 2*time.Minute, gauges{calls: 1, participants: 1})
	})
}

// What the servers are not known to do, and RFC 6455 allows, does no harm.
func TestUnusualFrames(t *testing.T) {
	turn := 0
	again(t, func(r *rig) {
		turn++
		r.bridges[0].set(func(f *faults) {
			f.fragment, f.binary, f.ping = turn%3 == 0, turn%3 == 1, turn%3 == 2
		})
	}, func(r *rig) {
		b := r.bridges[0]
		busy(b, 2, 2)
		right(r, 5*time.Second, gauges{calls: 2, participants: 4})
		assert.Equal(r.t, 1, b.count("socket"))
		assert.Zero(r.t, b.count("ping"))
		r.settle(time.Second)
	})
}

// A subscription that a server gives up, though the call goes on, is asked for
// again after a while, under a new index.
func TestDeactivated(t *testing.T) {
	again(t, nil, func(r *rig) {
		b := r.bridges[0]
		busy(b, 1, 2)
		right(r, 5*time.Second, gauges{calls: 1, participants: 2})
		r.settle(time.Second)
		b.mu.Lock()
		for p := range b.sockets {
			for index, s := range p.subs {
				if s.kind == "callRoster" {
					delete(p.subs, index)
					p.message(fmt.Sprintf(`"type":"subscriptionUpdate","subscriptions":[{"index":%d,"state":"deactivated"}]`, index))
				}
			}
		}
		b.mu.Unlock()
		b.removeParticipant("call-000", "call-000-person-000", "")
		right(r, 10*time.Second, gauges{calls: 1, participants: 1})
		assert.Equal(r.t, 1, b.count("socket"))
		assert.Len(r.t, fold(r.t, r.sink.AllLogs()), 1)
	})
}

// A server that ends the list of its calls is connected to anew.
func TestListDeactivated(t *testing.T) {
	again(t, nil, func(r *rig) {
		b := r.bridges[0]
		busy(b, 1, 1)
		right(r, 5*time.Second, gauges{calls: 1, participants: 1})
		b.mu.Lock()
		for p := range b.sockets {
			p.message(`"type":"subscriptionUpdate","subscriptions":[{"index":1,"state":"deactivated"}]`)
		}
		b.mu.Unlock()
		r.settle(10 * time.Second)
		assert.Equal(r.t, 2, b.count("socket"))
		assert.Equal(r.t, int64(1), r.counter("otelcol_receiver_cmsevents_reconnects", "deactivated"))
		assert.Equal(r.t, gauges{calls: 1, participants: 1}, r.gauges())
		assert.Len(r.t, fold(r.t, r.sink.AllLogs()), 1)
	})
}
