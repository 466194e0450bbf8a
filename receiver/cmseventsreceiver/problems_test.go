// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"

	"github.com/legato-otel/legato/internal/meetingserver/api"
)

// statusHolder holds the last reported component status.
type statusHolder struct {
	component.Host
	last componentstatus.Status
	err  error
}

func (h *statusHolder) Report(e *componentstatus.Event) { h.last, h.err = e.Status(), e.Err() }

// holdStatus makes the host of the harness a statusHolder.
func holdStatus(r *harness) *statusHolder {
	host := &statusHolder{Host: r.Host}
	r.Host = host
	return host
}

// problemGauge returns the gauge of one problem.
func (r *harness) problemGauge(p problem) int64 {
	return r.Counter("otelcol_receiver_cmsevents_problems", problemInfo[p].name)
}

// loggedProblems counts the log lines that report a problem.
func (r *harness) loggedProblems(p problem) int {
	return r.Log.FilterMessage(problemInfo[p].message).Len()
}

// requireProblem requires a problem in the metric, the component status and the log, once
// each.
func (r *harness) requireProblem(host *statusHolder, p problem, detail string) {
	r.T.Helper()
	assert.EqualValues(r.T, 1, r.problemGauge(p))
	assert.Equal(r.T, 1, r.loggedProblems(p), "one clear line")
	assert.Equal(r.T, componentstatus.StatusRecoverableError, host.last)
	assert.ErrorContains(r.T, host.err, detail)
}

func (r *harness) requireHealthy(host *statusHolder) {
	r.T.Helper()
	assert.Zero(r.T, r.Counter("otelcol_receiver_cmsevents_problems"))
	assert.NotEqual(r.T, componentstatus.StatusRecoverableError, host.last)
}

// A server that closes each socket at once is retried with growing delays.
func TestClosedAtOnce(t *testing.T) {
	runInBubble(t, 1, func(r *harness) {
		r.bridges[0].setFaults(func(f *faults) {
			f.script = func(p *fakeSocket) { _ = p.conn.Close(websocket.StatusNormalClosure, "") }
		})
	}, func(r *harness) {
		b := r.bridges[0]
		r.wait(time.Hour)
		tries := b.count("socket")
		assert.Greater(t, tries, 60)
		assert.Less(t, tries, 130, "about every 40 seconds after the first minute")
		b.setFaults(func(f *faults) { f.script = nil })
		addCalls(b, 1, 1)
		awaitGauges(r, time.Minute+2*time.Second, gauges{calls: 1, participants: 1})
		// One that was of use is replaced soon.
		r.wait(minUseful)
		b.dropSockets()
		r.wait(4 * time.Second)
		assert.Len(t, b.peers(), 1)
	})
}

// The reconnect keys set the delays.
func TestReconnectKeys(t *testing.T) {
	runInBubble(t, 1, func(r *harness) {
		r.config.Reconnect.InitialInterval, r.config.Reconnect.MaxInterval = 10*time.Second, 10*time.Minute
		r.config.Reconnect.RandomizationFactor = 0
		r.bridges[0].setFaults(func(f *faults) { f.socketStatus = http.StatusServiceUnavailable })
	}, func(r *harness) {
		// 0, 10, 30, 70, 150, 310, 630, 1230 s, ...
		for _, want := range []struct {
			after time.Duration
			tries int
		}{{9 * time.Second, 1}, {20 * time.Second, 2}, {20 * time.Second, 3}, {30 * time.Second, 4}, {600 * time.Second, 7}, {600 * time.Second, 8}} {
			r.wait(want.after)
			assert.Equal(t, want.tries, r.bridges[0].count("socket"))
		}
	})
}

// A probe finds a password that is wrong now: all requests pause, the problem is logged
// once and reported, and the sockets continue.
func TestProbeUnauthorized(t *testing.T) {
	var host *statusHolder
	runInBubble(t, 1, func(r *harness) { host = holdStatus(r) }, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 1, 1)
		awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 1})
		setPassword(b, "other")
		r.wait(time.Hour)
		assert.LessOrEqual(t, b.count("unauthorized"), 12)
		assert.Greater(t, b.count("unauthorized"), 5)
		assert.Equal(t, 1, b.count("socket"))
		r.requireProblem(host, problemUnauthorized, "401")
		assert.Equal(t, gauges{calls: 1, participants: 1}, r.gauges())
		setPassword(b, password)
		r.wait(api.UnauthorizedRetryDelay + 2*r.config.ProbeAfter)
		r.requireHealthy(host)
	})
}

func setPassword(b *fakeBridge, secret string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.password = secret
}

// Several sockets that end at once try a wrong password once together.
func TestUnauthorizedPausesAll(t *testing.T) {
	runInBubble(t, 1, func(r *harness) { r.config.MaxConnections = 4 }, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 180, 1)
		awaitGauges(r, 30*time.Second, gauges{calls: 180, participants: 180})
		require.Len(t, b.peers(), 4)
		setPassword(b, "other")
		b.dropSockets()
		r.wait(api.UnauthorizedRetryDelay - time.Second)
		assert.Equal(t, 1, b.count("unauthorized"))
		r.wait(time.Hour)
		assert.LessOrEqual(t, b.count("unauthorized"), 13)
		assert.Equal(t, 1, r.loggedProblems(problemUnauthorized))
		setPassword(b, password)
		r.wait(api.UnauthorizedRetryDelay + time.Minute)
		assert.Equal(t, gauges{calls: 180, participants: 180}, r.gauges())
		assert.Len(t, b.peers(), 4)
	})
}

// The pause of another component with the same account lasts its remainder, not another
// five minutes.
func TestPauseOfAnother(t *testing.T) {
	const begun = 4 * time.Minute
	runInBubble(t, 1, func(r *harness) {
		b := r.bridges[0]
		setPassword(b, "other")
		addCalls(b, 1, 1)
		server := serverConfig(b.address)
		client := &http.Client{Transport: &http.Transport{DialContext: r.network.dial, DisableKeepAlives: true}}
		other := api.NewClientOf(client, server.apiConfig())
		require.Error(r.T, other.Status(r.T.Context()))
		setPassword(b, password)
		r.T.Cleanup(other.Close)
		time.Sleep(begun)
	}, func(r *harness) {
		r.wait(api.UnauthorizedRetryDelay - begun - time.Second)
		assert.Zero(t, r.bridges[0].count("token"))
		assert.Equal(t, 1, r.loggedProblems(problemUnauthorized))
		awaitGauges(r, 10*time.Second, gauges{calls: 1, participants: 1})
		assert.Equal(t, 1, r.bridges[0].count("token"))
	})
}

// Further sockets that never connect are reported, and the first socket continues.
func TestFurtherSocketsMissing(t *testing.T) {
	var host *statusHolder
	runInBubble(t, 1, func(r *harness) {
		host = holdStatus(r)
		r.config.MaxConnections = 3
		r.bridges[0].setFaults(func(f *faults) { f.sockets = 1 })
	}, func(r *harness) {
		addCalls(r.bridges[0], 120, 1)
		r.wait(time.Minute)
		r.requireProblem(host, problemSockets, "2 of 3 sockets are not connected")
		assert.EqualValues(t, 120, r.gauges().calls)
		r.bridges[0].setFaults(func(f *faults) { f.sockets = 0 })
		r.wait(2 * time.Minute)
		r.requireHealthy(host)
		assert.Equal(t, gauges{calls: 120, participants: 120}, r.gauges())
	})
}

// The end of the first socket does not end the others.
func TestFirstSocketDrops(t *testing.T) {
	runInBubble(t, 1, func(r *harness) { r.config.MaxConnections = 3 }, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 120, 2)
		awaitGauges(r, 10*time.Second, gauges{calls: 120, participants: 240})
		r.wait(time.Minute)
		before := b.count("socket")
		require.Equal(t, 3, before)
		b.mu.Lock()
		for p := range b.sockets {
			for _, s := range p.subs {
				if s.kind == "calls" {
					go func() { _ = p.conn.CloseNow() }()
				}
			}
		}
		b.mu.Unlock()
		for range 100 {
			r.wait(100 * time.Millisecond)
			assert.GreaterOrEqual(t, len(b.peers()), 2)
			assert.Equal(t, gauges{calls: 120, participants: 240}, r.gauges())
		}
		r.wait(time.Minute)
		assert.Equal(t, before+1, b.count("socket"))
		assert.Len(t, participantsOf(t, r.sink.AllLogs()), 240)
	})
}

// An element that an old server refuses is left out and reported; the rest works.
func TestOldServer(t *testing.T) {
	for _, refuses := range [][]string{{"canMoveToLobby"}, {"canMoveToLobby", "canMove", "movedParticipant", "movedParticipantCallBridge"}} {
		var host *statusHolder
		runInBubble(t, 1, func(r *harness) {
			host = holdStatus(r)
			r.bridges[0].setFaults(func(f *faults) { f.refusedElements = refuses })
		}, func(r *harness) {
			b := r.bridges[0]
			addCalls(b, 2, 2)
			awaitGauges(r, time.Minute, gauges{calls: 2, participants: 4})
			r.wait(5 * time.Second)
			assert.EqualValues(t, 1, r.problemGauge(problemLeftOut))
			assert.Zero(t, r.problemGauge(problemRefused))
			assert.NotEqual(t, componentstatus.StatusRecoverableError, host.last, "what can be had is there")
			lines := r.Log.FilterMessage(problemInfo[problemLeftOut].message).All()
			require.Len(t, lines, 1)
			for _, name := range refuses {
				assert.Contains(t, lines[0].ContextMap()["error"], name)
			}
			tries := b.count("refused")
			assert.LessOrEqual(t, tries, 6)
			// It is known after a reconnect.
			r.wait(time.Minute)
			b.dropSockets()
			awaitGauges(r, 10*time.Second, gauges{calls: 2, participants: 4})
			r.wait(time.Minute)
			assert.Equal(t, tries, b.count("refused"))
		})
	}
}

// A server that refuses every request is reported and retried with growing delays.
func TestRefusesAll(t *testing.T) {
	var host *statusHolder
	runInBubble(t, 1, func(r *harness) {
		host = holdStatus(r)
		r.bridges[0].setFaults(func(f *faults) { f.refusedElements = []string{"name"} })
	}, func(r *harness) {
		r.wait(25 * time.Second)
		assert.EqualValues(t, 1, r.problemGauge(problemRefused))
		assert.Equal(t, 1, r.loggedProblems(problemRefused))
		r.wait(30 * time.Second)
		assert.EqualValues(t, 1, r.problemGauge(problemDisconnected), "no list of calls")
		r.bridges[0].setFaults(func(f *faults) { f.refusedElements = nil })
		r.wait(3 * time.Minute)
		assert.Zero(t, r.problemGauge(problemRefused))
		assert.Zero(t, r.problemGauge(problemDisconnected))
		assert.NotEqual(t, componentstatus.StatusRecoverableError, host.last)
	})
}

// A server that refuses the requests of one socket is reported once, and the requests of
// the other socket stay unchanged.
func TestRefusesOneSocket(t *testing.T) {
	var host *statusHolder
	runInBubble(t, 1, func(r *harness) {
		host = holdStatus(r)
		r.config.MaxConnections = 2
		r.bridges[0].setFaults(func(f *faults) { f.refuseFurtherSockets = true })
	}, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 80, 1)
		r.wait(time.Minute)
		assert.EqualValues(t, 1, r.problemGauge(problemRefused))
		set := r.receiver.hub.cluster.SubscriptionSet(0, 0)
		requests, refused := b.count("request"), b.count("refused")
		for range 10 {
			b.updateCall("call-000", elements{"recording": "active"})
			r.wait(time.Minute)
		}
		assert.Greater(t, b.count("refused"), refused)
		assert.Equal(t, set, r.receiver.hub.cluster.SubscriptionSet(0, 0))
		assert.LessOrEqual(t, b.count("request")-requests-(b.count("refused")-refused), 12, "the probes' of the first socket")
		assert.EqualValues(t, 1, r.problemGauge(problemRefused))
		assert.Equal(t, 1, r.loggedProblems(problemRefused))
		assert.Zero(t, r.problemGauge(problemLeftOut))
		assert.Equal(t, componentstatus.StatusRecoverableError, host.last)
		b.setFaults(func(f *faults) { f.refuseFurtherSockets = false })
		r.wait(2 * time.Minute)
		r.requireHealthy(host)
		assert.Equal(t, gauges{calls: 80, recording: 1, participants: 80}, r.gauges())
	})
}

// A roster that stays pending is reported within a minute; the list and the call infos
// work.
func TestRosterPending(t *testing.T) {
	var host *statusHolder
	runInBubble(t, 1, func(r *harness) {
		host = holdStatus(r)
		r.bridges[0].setFaults(func(f *faults) { f.neverActive = []string{"callRoster"} })
	}, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 2, 2)
		r.wait(time.Minute)
		r.requireProblem(host, problemPending, "subscriptions of 2 calls stay pending")
		assert.Equal(t, gauges{calls: 2}, r.gauges())
		r.wait(time.Hour)
		assert.Equal(t, 1, r.loggedProblems(problemPending))
		assert.LessOrEqual(t, b.count("subscribed callRoster"), 60)
		b.setFaults(func(f *faults) { f.neverActive = nil })
		r.wait(5 * time.Minute)
		r.requireHealthy(host)
		assert.Equal(t, gauges{calls: 2, participants: 4}, r.gauges())
	})
}

// If the list does not begin again after a damaged message, the receiver reconnects within
// a minute and reports the problem.
func TestListNeverComesBack(t *testing.T) {
	var host *statusHolder
	runInBubble(t, 1, func(r *harness) { host = holdStatus(r) }, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 1, 1)
		awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 1})
		b.setFaults(func(f *faults) { f.neverActive = []string{"calls"} })
		b.mu.Lock()
		for p := range b.sockets {
			p.sendMessage(`"type":"callListUpdate","subscriptionIndex":1,"updates":[{"call":"a "quote""}]`)
		}
		b.mu.Unlock()
		r.wait(time.Minute)
		assert.NotZero(t, r.Counter("otelcol_receiver_cmsevents_reconnects", "inactive"))
		assert.EqualValues(t, 1, r.problemGauge(problemDisconnected))
		assert.Equal(t, componentstatus.StatusRecoverableError, host.last)
		assert.Equal(t, gauges{calls: 1, participants: 1}, r.gauges(), "kept for lost_after")
		b.setFaults(func(f *faults) { f.neverActive = nil })
		awaitGauges(r, 3*time.Minute, gauges{calls: 1, participants: 1})
		r.wait(15 * time.Minute)
		r.requireHealthy(host)
	})
}
