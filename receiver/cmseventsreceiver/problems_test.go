// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/names"
)

// watchingHost keeps the last status that the receiver reported.
type watchingHost struct {
	component.Host
	last componentstatus.Status
	err  error
}

func (h *watchingHost) Report(e *componentstatus.Event) { h.last, h.err = e.Status(), e.Err() }

// observed makes the rig's host keep the status.
func observed(r *rig) *watchingHost {
	host := &watchingHost{Host: r.host}
	r.host = host
	return host
}

// problem is the gauge of one problem.
func (r *rig) problem(p problem) int64 {
	return r.counter("otelcol_receiver_cmsevents_problems", problemInfo[p].name)
}

// logged counts the lines of the log that report a problem.
func (r *rig) logged(p problem) int { return r.log.FilterMessage(problemInfo[p].message).Len() }

// noticed requires a problem in metric, health and log, once.
func (r *rig) noticed(host *watchingHost, p problem, detail string) {
	r.t.Helper()
	assert.EqualValues(r.t, 1, r.problem(p))
	assert.Equal(r.t, 1, r.logged(p), "one clear line")
	assert.Equal(r.t, componentstatus.StatusRecoverableError, host.last)
	assert.ErrorContains(r.t, host.err, detail)
}

func (r *rig) well(host *watchingHost) {
	r.t.Helper()
	assert.Zero(r.t, r.counter("otelcol_receiver_cmsevents_problems"))
	assert.NotEqual(r.t, componentstatus.StatusRecoverableError, host.last)
}

// A socket that is accepted and closed at once is asked for ever less often.
func TestClosedAtOnce(t *testing.T) {
	bubble(t, 1, func(r *rig) {
		r.bridges[0].set(func(f *faults) { f.script = func(p *peer) { _ = p.conn.Close(websocket.StatusNormalClosure, "") } })
	}, func(r *rig) {
		b := r.bridges[0]
		r.settle(time.Hour)
		tries := b.count("socket")
		assert.Greater(t, tries, 60)
		assert.Less(t, tries, 130, "about every 40 seconds after the first minute")
		b.set(func(f *faults) { f.script = nil })
		busy(b, 1, 1)
		right(r, time.Minute+2*time.Second, gauges{calls: 1, participants: 1})
		// One that was of use is replaced soon.
		r.settle(minUseful)
		b.drop()
		r.settle(4 * time.Second)
		assert.Len(t, b.peers(), 1)
	})
}

// The keys of configretry say how long to wait.
func TestReconnectKeys(t *testing.T) {
	bubble(t, 1, func(r *rig) {
		r.config.Reconnect.InitialInterval, r.config.Reconnect.MaxInterval = 10*time.Second, 10*time.Minute
		r.config.Reconnect.RandomizationFactor = 0
		r.bridges[0].set(func(f *faults) { f.socketStatus = http.StatusServiceUnavailable })
	}, func(r *rig) {
		// 0, 10, 30, 70, 150, 310, 630, 1230 s, ...
		for _, want := range []struct {
			after time.Duration
			tries int
		}{{9 * time.Second, 1}, {20 * time.Second, 2}, {20 * time.Second, 3}, {30 * time.Second, 4}, {600 * time.Second, 7}, {600 * time.Second, 8}} {
			r.settle(want.after)
			assert.Equal(t, want.tries, r.bridges[0].count("socket"))
		}
	})
}

// A password that became wrong while all is well is found by a probe: it pauses
// all requests, is logged once and shown, and the sockets go on.
func TestProbeUnauthorized(t *testing.T) {
	var host *watchingHost
	bubble(t, 1, func(r *rig) { host = observed(r) }, func(r *rig) {
		b := r.bridges[0]
		busy(b, 1, 1)
		right(r, 5*time.Second, gauges{calls: 1, participants: 1})
		setPassword(b, "other")
		r.settle(time.Hour)
		assert.LessOrEqual(t, b.count("unauthorized"), 12)
		assert.Greater(t, b.count("unauthorized"), 5)
		assert.Equal(t, 1, b.count("socket"))
		r.noticed(host, problemUnauthorized, "401")
		assert.Equal(t, gauges{calls: 1, participants: 1}, r.gauges())
		setPassword(b, password)
		r.settle(api.UnauthorizedRetryDelay + 2*r.config.ProbeAfter)
		r.well(host)
	})
}

func setPassword(b *bridge, secret string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.password = secret
}

// Several sockets that end at once try a wrong password once, not each.
func TestUnauthorizedPausesAll(t *testing.T) {
	bubble(t, 1, func(r *rig) { r.config.MaxConnections = 4 }, func(r *rig) {
		b := r.bridges[0]
		busy(b, 180, 1)
		right(r, 30*time.Second, gauges{calls: 180, participants: 180})
		require.Len(t, b.peers(), 4)
		setPassword(b, "other")
		b.drop()
		r.settle(api.UnauthorizedRetryDelay - time.Second)
		assert.Equal(t, 1, b.count("unauthorized"))
		r.settle(time.Hour)
		assert.LessOrEqual(t, b.count("unauthorized"), 13)
		assert.Equal(t, 1, r.logged(problemUnauthorized))
		setPassword(b, password)
		r.settle(api.UnauthorizedRetryDelay + time.Minute)
		assert.Equal(t, gauges{calls: 180, participants: 180}, r.gauges())
		assert.Len(t, b.peers(), 4)
	})
}

// A pause that another component began is waited for as long as it lasts, and not
// for another five minutes.
func TestPauseOfAnother(t *testing.T) {
	const begun = 4 * time.Minute
	bubble(t, 1, func(r *rig) {
		b := r.bridges[0]
		setPassword(b, "other")
		busy(b, 1, 1)
		server := serverConfig(b.address)
		client := &http.Client{Transport: &http.Transport{DialContext: r.network.dial, DisableKeepAlives: true}}
		other := api.NewClientOf(client, server.apiConfig())
		require.Error(r.t, other.Status(r.t.Context()))
		setPassword(b, password)
		r.t.Cleanup(other.Close)
		time.Sleep(begun)
	}, func(r *rig) {
		r.settle(api.UnauthorizedRetryDelay - begun - time.Second)
		assert.Zero(t, r.bridges[0].count("token"))
		assert.Equal(t, 1, r.logged(problemUnauthorized))
		right(r, 10*time.Second, gauges{calls: 1, participants: 1})
		assert.Equal(t, 1, r.bridges[0].count("token"))
	})
}

// Further sockets that never connect are noticed, and the first goes on.
func TestFurtherSocketsMissing(t *testing.T) {
	var host *watchingHost
	bubble(t, 1, func(r *rig) {
		host = observed(r)
		r.config.MaxConnections = 3
		r.bridges[0].set(func(f *faults) { f.sockets = 1 })
	}, func(r *rig) {
		busy(r.bridges[0], 120, 1)
		r.settle(time.Minute)
		r.noticed(host, problemSockets, "2 of 3 sockets are not connected")
		assert.EqualValues(t, 120, r.gauges().calls)
		r.bridges[0].set(func(f *faults) { f.sockets = 0 })
		r.settle(2 * time.Minute)
		r.well(host)
		assert.Equal(t, gauges{calls: 120, participants: 120}, r.gauges())
	})
}

// The first socket's end does not end the others.
func TestFirstSocketDrops(t *testing.T) {
	bubble(t, 1, func(r *rig) { r.config.MaxConnections = 3 }, func(r *rig) {
		b := r.bridges[0]
		busy(b, 120, 2)
		right(r, 10*time.Second, gauges{calls: 120, participants: 240})
		r.settle(time.Minute)
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
			r.settle(100 * time.Millisecond)
			assert.GreaterOrEqual(t, len(b.peers()), 2)
			assert.Equal(t, gauges{calls: 120, participants: 240}, r.gauges())
		}
		r.settle(time.Minute)
		assert.Equal(t, before+1, b.count("socket"))
		assert.Len(t, fold(t, r.sink.AllLogs()), 240)
	})
}

// An old server that does not know an element: it is left out and named, and the
// rest is followed.
func TestOldServer(t *testing.T) {
	for _, refuses := range [][]string{{"canMoveToLobby"}, {"canMoveToLobby", "canMove", "movedParticipant", "movedParticipantCallBridge"}} {
		var host *watchingHost
		bubble(t, 1, func(r *rig) {
			host = observed(r)
			r.bridges[0].set(func(f *faults) { f.refuses = refuses })
		}, func(r *rig) {
			b := r.bridges[0]
			busy(b, 2, 2)
			right(r, time.Minute, gauges{calls: 2, participants: 4})
			r.settle(5 * time.Second)
			assert.EqualValues(t, 1, r.problem(problemLeftOut))
			assert.Zero(t, r.problem(problemRefused))
			assert.NotEqual(t, componentstatus.StatusRecoverableError, host.last, "what can be had is there")
			lines := r.log.FilterMessage(problemInfo[problemLeftOut].message).All()
			require.Len(t, lines, 1)
			for _, name := range refuses {
				assert.Contains(t, lines[0].ContextMap()["error"], name)
			}
			tries := b.count("refused")
			assert.LessOrEqual(t, tries, 6)
			// It is known after a reconnect.
			r.settle(time.Minute)
			b.drop()
			right(r, 10*time.Second, gauges{calls: 2, participants: 4})
			r.settle(time.Minute)
			assert.Equal(t, tries, b.count("refused"))
		})
	}
}

// A server that takes no request at all: noticed, and asked ever less often.
func TestRefusesAll(t *testing.T) {
	var host *watchingHost
	bubble(t, 1, func(r *rig) {
		host = observed(r)
		r.bridges[0].set(func(f *faults) { f.refuses = []string{"name"} })
	}, func(r *rig) {
		r.settle(25 * time.Second)
		assert.EqualValues(t, 1, r.problem(problemRefused))
		assert.Equal(t, 1, r.logged(problemRefused))
		r.settle(30 * time.Second)
		assert.EqualValues(t, 1, r.problem(problemDisconnected), "no list of calls")
		r.bridges[0].set(func(f *faults) { f.refuses = nil })
		r.settle(3 * time.Minute)
		assert.Zero(t, r.problem(problemRefused))
		assert.Zero(t, r.problem(problemDisconnected))
		assert.NotEqual(t, componentstatus.StatusRecoverableError, host.last)
	})
}

// A server that refuses the requests of one socket: it is noticed once, though the
// others' are taken, and nothing changes in what those ask for.
func TestRefusesOneSocket(t *testing.T) {
	var host *watchingHost
	bubble(t, 1, func(r *rig) {
		host = observed(r)
		r.config.MaxConnections = 2
		r.bridges[0].set(func(f *faults) { f.refusesOthers = true })
	}, func(r *rig) {
		b := r.bridges[0]
		busy(b, 80, 1)
		r.settle(time.Minute)
		assert.EqualValues(t, 1, r.problem(problemRefused))
		set := r.inner.hub.cluster.SubscriptionSet(0, 0)
		requests, refused := b.count("request"), b.count("refused")
		for range 10 {
			b.updateCall("call-000", elements{"recording": "active"})
			r.settle(time.Minute)
		}
		assert.Greater(t, b.count("refused"), refused)
		assert.Equal(t, set, r.inner.hub.cluster.SubscriptionSet(0, 0))
		assert.LessOrEqual(t, b.count("request")-requests-(b.count("refused")-refused), 12, "the probes' of the first socket")
		assert.EqualValues(t, 1, r.problem(problemRefused))
		assert.Equal(t, 1, r.logged(problemRefused))
		assert.Zero(t, r.problem(problemLeftOut))
		assert.Equal(t, componentstatus.StatusRecoverableError, host.last)
		b.set(func(f *faults) { f.refusesOthers = false })
		r.settle(2 * time.Minute)
		r.well(host)
		assert.Equal(t, gauges{calls: 80, recording: 1, participants: 80}, r.gauges())
	})
}

// A roster that stays pending is noticed within a minute; calls and infos go on.
func TestRosterPending(t *testing.T) {
	var host *watchingHost
	bubble(t, 1, func(r *rig) {
		host = observed(r)
		r.bridges[0].set(func(f *faults) { f.pending = []string{"callRoster"} })
	}, func(r *rig) {
		b := r.bridges[0]
		busy(b, 2, 2)
		r.settle(time.Minute)
		r.noticed(host, problemPending, "subscriptions of 2 calls stay pending")
		assert.Equal(t, gauges{calls: 2}, r.gauges())
		r.settle(time.Hour)
		assert.Equal(t, 1, r.logged(problemPending))
		assert.LessOrEqual(t, b.count("subscribed callRoster"), 60)
		b.set(func(f *faults) { f.pending = nil })
		r.settle(5 * time.Minute)
		r.well(host)
		assert.Equal(t, gauges{calls: 2, participants: 4}, r.gauges())
	})
}

// A list that never comes back after a damaged message is connected to anew
// within a minute, and the health tells.
func TestListNeverComesBack(t *testing.T) {
	var host *watchingHost
	bubble(t, 1, func(r *rig) { host = observed(r) }, func(r *rig) {
		b := r.bridges[0]
		busy(b, 1, 1)
		right(r, 5*time.Second, gauges{calls: 1, participants: 1})
		b.set(func(f *faults) { f.pending = []string{"calls"} })
		b.mu.Lock()
		for p := range b.sockets {
			p.message(`"type":"callListUpdate","subscriptionIndex":1,"updates":[{"call":"a "quote""}]`)
		}
		b.mu.Unlock()
		r.settle(time.Minute)
		assert.NotZero(t, r.counter("otelcol_receiver_cmsevents_reconnects", "inactive"))
		assert.EqualValues(t, 1, r.problem(problemDisconnected))
		assert.Equal(t, componentstatus.StatusRecoverableError, host.last)
		assert.Equal(t, gauges{calls: 1, participants: 1}, r.gauges(), "kept for lost_after")
		b.set(func(f *faults) { f.pending = nil })
		right(r, 3*time.Minute, gauges{calls: 1, participants: 1})
		r.settle(15 * time.Minute)
		r.well(host)
	})
}

// One participant whose name cannot be read: a few subscriptions to that roster
// alone, for an hour, and nobody is removed.
func TestDamagedRoster(t *testing.T) {
	var host *watchingHost
	bubble(t, 1, func(r *rig) { host = observed(r) }, func(r *rig) {
		b := r.bridges[0]
		busy(b, 3, 2)
		right(r, 5*time.Second, gauges{calls: 3, participants: 6})
		r.forget()
		infos, lists := b.count("subscribed callInfo"), b.count("subscribed calls")
		b.set(func(f *faults) { f.garbled = []string{"callRoster"} })
		b.mu.Lock()
		b.each("callRoster", "call-001", func(p *peer, index int64) { p.snapshot(index) })
		b.mu.Unlock()
		r.settle(time.Minute)
		r.noticed(host, problemMalformed, "could not be decoded")
		assert.LessOrEqual(t, b.count("subscribed callRoster"), 3+6)
		r.settle(time.Hour)
		assert.LessOrEqual(t, b.count("subscribed callRoster"), 3+18)
		assert.Equal(t, infos, b.count("subscribed callInfo"))
		assert.Equal(t, lists, b.count("subscribed calls"))
		assert.Equal(t, 1, b.count("socket"))
		assert.Equal(t, gauges{calls: 3, participants: 6}, r.gauges())
		for _, lr := range records(r.sink.AllLogs()) {
			assert.Equal(t, names.EventRecordMalformed, lr.EventName(), lr.Body().Str())
		}
		b.set(func(f *faults) { f.garbled = nil })
		b.removeParticipant("call-001", "call-001-person-000", "")
		r.settle(25 * time.Minute)
		assert.Equal(t, gauges{calls: 3, participants: 5}, r.gauges())
		r.well(host)
	})
}

// A message of which not even the index can be read: nobody knows whose news is lost,
// so all subscriptions of the socket are asked for anew, with one back-off.
func TestDamagedWithoutIndex(t *testing.T) {
	for _, content := range []string{
		`"type":"rosterUpdate","updates":[{"participant":"x","name":"a "quote""}]`,
		`"type":"subscriptionUpdate","subscriptions":[{"index":2 3,"state":"active"}]`,
		`"updates":[{"name":"a "quote""}]`,
	} {
		var host *watchingHost
		bubble(t, 1, func(r *rig) { host = observed(r) }, func(r *rig) {
			b := r.bridges[0]
			busy(b, 3, 2)
			right(r, 5*time.Second, gauges{calls: 3, participants: 6})
			r.settle(time.Second)
			subscribed := func() int {
				return b.count("subscribed calls") + b.count("subscribed callInfo") + b.count("subscribed callRoster")
			}
			require.Equal(t, 7, subscribed())
			damage := func() {
				b.mu.Lock()
				defer b.mu.Unlock()
				for p := range b.sockets {
					p.message(content)
				}
			}
			// Somebody left, and the message that says so is the damaged one.
			b.mu.Lock()
			call := b.calls["call-001"]
			delete(call.people, call.order[0])
			call.order = call.order[1:]
			b.mu.Unlock()
			damage()
			right(r, 10*time.Second, gauges{calls: 3, participants: 5})
			assert.Equal(t, 14, subscribed())
			r.settle(time.Minute)
			r.noticed(host, problemMalformed, "could not be decoded")
			requests := b.count("request")
			for range 600 {
				damage()
				r.settle(100 * time.Millisecond)
			}
			assert.LessOrEqual(t, b.count("request"), requests+4, "in a minute")
			assert.Equal(t, gauges{calls: 3, participants: 5}, r.gauges())
			assert.Equal(t, 1, b.count("socket"))
		})
	}
}

// A damaged message that is long does not keep its room.
func TestDamagedReleasesItsRoom(t *testing.T) {
	bubble(t, 1, nil, func(r *rig) {
		b := r.bridges[0]
		busy(b, 1, 1)
		right(r, 5*time.Second, gauges{calls: 1, participants: 1})
		r.settle(time.Minute)
		before := heap()
		b.mu.Lock()
		for p := range b.sockets {
			p.message(`"type":"rosterUpdate","subscriptionIndex":999,"updates":[` + strings.Repeat(`{"participant":"x"},`, 60_000) + strings.Repeat(" ", 6<<20) + `"quote""]`)
		}
		b.mu.Unlock()
		r.settle(time.Second)
		require.EqualValues(t, 1, r.counter("otelcol_receiver_cmsevents_messages", "malformed"))
		assert.Less(t, heap()-before, int64(2<<20))
	})
}

// heap is how many bytes of the heap are in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Frames of a kind that nobody knows are logged, kept within a bound, and no
// reason to hang up. Their text is in no log.
func TestUnknownFrames(t *testing.T) {
	for _, frameText := range []string{`{"type":"heartbeat","heartbeat":{"password":"hunter2","x":1}}`, `[]`, `"message"`, `17`} {
		bubble(t, 1, nil, func(r *rig) {
			b := r.bridges[0]
			busy(b, 1, 1)
			right(r, 5*time.Second, gauges{calls: 1, participants: 1})
			r.forget()
			b.mu.Lock()
			for p := range b.sockets {
				for range 100 {
					p.send(frame{raw: []byte(frameText), id: -1})
				}
			}
			b.mu.Unlock()
			r.settle(time.Second)
			b.updateParticipant("call-000", "call-000-person-000", elements{"audioMuted": true})
			r.settle(time.Minute)
			assert.Equal(t, 1, b.count("socket"), frameText)
			assert.EqualValues(t, 100, r.counter("otelcol_receiver_cmsevents_messages", "unknown"))
			assert.Equal(t, malformedPerMinute, r.log.FilterMessage("A message cannot be decoded or is of an unknown type").Len())
			all := records(r.sink.AllLogs())
			require.Len(t, all, malformedPerMinute+1)
			assert.Equal(t, names.EventRecordMalformed, all[0].EventName())
			assert.Equal(t, strings.ReplaceAll(frameText, `"hunter2"`, `"REDACTED"`), all[0].Body().Str())
			assert.Equal(t, errorUnknownMessage, text(all[0], names.ErrorType))
			for _, entry := range r.log.All() {
				assert.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), "hunter2")
			}
		})
	}
}
