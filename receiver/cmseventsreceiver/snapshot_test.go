// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
)

// After a reconnect: what is new is added, what changed is updated, what is gone
// is removed, and what is the same is nothing.
func TestSnapshot(t *testing.T) {
	bubble(t, 1, nil, func(r *rig) {
		b := r.bridges[0]
		busy(b, 3, 2)
		right(r, 5*time.Second, gauges{calls: 3, participants: 6})
		r.forget()
		b.drop()
		r.settle(15 * time.Second)
		assert.Equal(t, gauges{calls: 3, participants: 6}, r.gauges())
		assert.Empty(t, r.bodies(), "nothing happened")

		b.stop()
		b.removeCall("call-001")
		b.removeParticipant("call-000", "call-000-person-000", "remoteTeardown")
		b.addParticipant("call-000", "new", person("New"))
		b.updateParticipant("call-002", "call-002-person-001", elements{"importance": 5, "state": "onHold"})
		b.updateParticipant("call-002", "call-002-person-000", elements{"layout": "allEqual"})
		b.updateCall("call-002", elements{"streaming": "active"})
		b.start()
		r.settle(15 * time.Second)
		assert.Equal(t, gauges{calls: 2, streaming: 1, participants: 4}, r.gauges())
		assert.ElementsMatch(t, []string{
			"participant joined: New in Board",
			"participant left: lost_connection, Person 0 in Board",
			"participant on hold: Person 1 in Board",
			"participant updated: Person 0 in Board",
			"call updated: Board, streaming active",
			"call info: Board, streaming active",
			"participant left: lost_connection, Person 0 in Board",
			"participant left: lost_connection, Person 1 in Board",
			"call ended: not_listed, Board",
		}, r.bodies())
		for _, lr := range records(r.sink.AllLogs()) {
			if lr.EventName() == names.EventEventParticipantRemove {
				assert.Equal(t, plog.SeverityNumberWarn, lr.SeverityNumber())
				assert.Equal(t, "lost_connection", text(lr, names.ParticipantReason))
			}
		}
	})
}

// A value that is unset later is an attribute without a value.
func TestUnset(t *testing.T) {
	bubble(t, 1, nil, func(r *rig) {
		b := r.bridges[0]
		b.addCall("c", board("x"))
		e := person("P")
		e["importance"] = 3
		b.addParticipant("c", "p", e)
		r.settle(time.Second)
		b.updateParticipant("c", "p", elements{"importance": nil})
		b.updateParticipant("c", "p", elements{"importance": nil})
		r.settle(time.Second)
		all := records(r.sink.AllLogs())
		last := all[len(all)-1]
		assert.Equal(t, names.EventEventParticipantUpdate, last.EventName())
		v, found := last.Attributes().Get("cisco.meeting_server.participant.importance")
		assert.True(t, found)
		assert.Nil(t, v.AsRaw())
		assert.Len(t, all, 4, "the second said nothing new")
	})
}

// A meeting on three bridges: one call, everybody once, whoever leaves.
func TestCluster(t *testing.T) {
	bubble(t, 3, nil, func(r *rig) {
		for i, b := range r.bridges {
			b.addCall(fmt.Sprintf("call-%d", i), board("one-correlator"))
		}
		everywhere := func(f func(b *bridge, call string)) {
			for i, b := range r.bridges {
				b.mu.Lock()
				_, here := b.calls[fmt.Sprintf("call-%d", i)]
				b.mu.Unlock()
				if here {
					f(b, fmt.Sprintf("call-%d", i))
				}
			}
		}
		for p := range 6 {
			everywhere(func(b *bridge, call string) {
				b.addParticipant(call, fmt.Sprintf("p-%d", p), person(fmt.Sprintf("P%d", p)))
			})
		}
		right(r, 5*time.Second, gauges{calls: 1, participants: 6})
		watching := func() (all []int) {
			for i, b := range r.bridges {
				b.mu.Lock()
				b.each("callRoster", fmt.Sprintf("call-%d", i), func(*peer, int64) { all = append(all, i) })
				b.mu.Unlock()
			}
			return all
		}
		first := watching()
		require.Len(t, first, 1)
		assert.Len(t, fold(t, r.sink.AllLogs()), 6)

		everywhere(func(b *bridge, call string) { b.removeParticipant(call, "p-0", "") })
		r.bridges[first[0]].removeCall(fmt.Sprintf("call-%d", first[0]))
		right(r, 5*time.Second, gauges{calls: 1, participants: 5})
		second := watching()
		require.Len(t, second, 1)
		assert.NotEqual(t, first, second)

		r.bridges[second[0]].stop()
		right(r, 5*time.Second, gauges{calls: 1, participants: 5})
		r.settle(time.Second)
		third := watching()
		assert.Len(t, third, 1)
		r.settle(10 * time.Minute)
		assert.Equal(t, gauges{calls: 1, participants: 5}, r.gauges())
		assert.Len(t, fold(t, r.sink.AllLogs()), 5)

		everywhere(func(b *bridge, call string) { b.removeCall(call) })
		right(r, 5*time.Second, gauges{})
		assert.Empty(t, fold(t, r.sink.AllLogs()))
	})
}

// The watched bridge empties its roster and leaves; the other one announces
// everybody 100 ms later. The gauges are the truth all the time, and nobody is
// reported to leave or to come.
func TestHandOver(t *testing.T) {
	for _, everywhere := range []bool{false, true} {
		bubble(t, 2, func(r *rig) { r.config.RosterOnAllBridges = everywhere }, func(r *rig) {
			for i, b := range r.bridges {
				call := fmt.Sprintf("call-%d", i)
				b.addCall(call, board("one-correlator"))
				for p := range 10 {
					b.addParticipant(call, fmt.Sprintf("p-%d", p), person("P"))
				}
			}
			want := gauges{calls: 1, participants: 10}
			right(r, 5*time.Second, want)
			r.settle(time.Second)
			r.forget()
			watched := 0
			r.bridges[1].mu.Lock()
			r.bridges[1].each("callRoster", "call-1", func(*peer, int64) { watched = 1 })
			r.bridges[1].mu.Unlock()
			r.bridges[watched].leave(fmt.Sprintf("call-%d", watched))
			for range 100 {
				r.settle(100 * time.Millisecond)
				assert.Equal(t, want, r.gauges())
			}
			r.settle(time.Hour)
			assert.Equal(t, want, r.gauges())
			for _, lr := range records(r.sink.AllLogs()) {
				assert.NotContains(t, lr.EventName(), "event.participant", lr.Body().Str())
			}
		})
	}
}

// More than a hundred subscriptions: further sockets, up to the limit, and the
// fourth of three is not tried. One that the server refuses harms the others not.
func TestMoreSockets(t *testing.T) {
	bubble(t, 1, func(r *rig) {
		r.config.MaxConnections = 3
		r.bridges[0].set(func(f *faults) { f.sockets = 2 })
	}, func(r *rig) {
		b := r.bridges[0]
		busy(b, 120, 2)
		right(r, 10*time.Second, gauges{calls: 120, participants: 240})
		assert.Equal(t, 2, b.count("sockets at once"))
		assert.Equal(t, 100, b.count("subscriptions"))
		assert.Equal(t, int64(241), r.counter("otelcol_receiver_cmsevents_subscriptions", "wanted"))
		assert.Equal(t, int64(200), r.counter("otelcol_receiver_cmsevents_subscriptions", "active"))
		assert.Equal(t, int64(41), r.counter("otelcol_receiver_cmsevents_subscriptions", "unplaced"))
		assert.Equal(t, 1, r.log.FilterMessageSnippet("more calls than its sockets can follow").Len())
		assert.Empty(t, r.log.FilterMessageSnippet("No events from").All(), "the first socket is well")

		b.set(func(f *faults) { f.sockets = 5 })
		r.settle(2 * time.Minute)
		assert.Equal(t, 3, b.count("sockets at once"))
		assert.Equal(t, int64(0), r.counter("otelcol_receiver_cmsevents_subscriptions", "unplaced"))
		assert.Equal(t, int64(3), r.counter("otelcol_receiver_cmsevents_connections", "running"))

		b.drop()
		right(r, 10*time.Second, gauges{calls: 120, participants: 240})
		r.settle(time.Minute)
		assert.Equal(t, gauges{calls: 120, participants: 240}, r.gauges())
		assert.Len(t, fold(t, r.sink.AllLogs()), 240)

		for c := range 110 {
			b.removeCall(fmt.Sprintf("call-%03d", c))
		}
		r.settle(time.Minute)
		assert.Equal(t, gauges{calls: 10, participants: 20}, r.gauges())
	})
}

// The next consumer refuses, or is stuck: acknowledgements and gauges go on, and
// when it takes records again it knows what is true.
func TestBackPressure(t *testing.T) {
	for _, way := range []string{"refuses", "stuck"} {
		t.Run(way, func(t *testing.T) {
			sink := new(consumertest.LogsSink)
			var refuse atomic.Bool
			gate := make(chan struct{})
			bubble(t, 1, func(r *rig) {
				r.config.QueueSize = 50
				gate = make(chan struct{})
				if way == "refuses" {
					close(gate)
					refuse.Store(true)
				}
				var err error
				r.logs, err = consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
					<-gate
					if refuse.Load() {
						return errors.New("later")
					}
					return sink.ConsumeLogs(ctx, logs)
				})
				require.NoError(t, err)
			}, func(r *rig) {
				b := r.bridges[0]
				busy(b, 4, 50)
				right(r, 10*time.Second, gauges{calls: 4, participants: 200})
				for p := range 20 {
					b.removeParticipant("call-000", fmt.Sprintf("call-000-person-%03d", p), "remoteTeardown")
					b.updateParticipant("call-001", fmt.Sprintf("call-001-person-%03d", p), elements{"audioMuted": true})
				}
				b.removeCall("call-003")
				right(r, 10*time.Second, gauges{calls: 3, participants: 130})
				r.settle(time.Minute)
				assert.Equal(t, 1, b.count("socket"), "the socket does not feel it")
				assert.NotZero(t, r.counter("otelcol_receiver_cmsevents_records", "overflow"))
				assert.LessOrEqual(t, r.counter("otelcol_receiver_cmsevents_queue_size"), int64(50))
				assert.Zero(t, sink.LogRecordCount())

				if way == "refuses" {
					refuse.Store(false)
				} else {
					close(gate)
				}
				r.settle(time.Minute)
				people := fold(t, sink.AllLogs())
				assert.Len(t, people, 130)
				muted := 0
				for _, e := range people {
					if e["cisco.meeting_server.participant.audio_muted"] == true {
						muted++
					}
				}
				assert.Equal(t, 20, muted)
				assert.NotZero(t, r.counter("otelcol_receiver_cmsevents_resyncs", "overflow"))
			})
		})
	}
}

// What is refused for good is counted and not offered again.
func TestPermanentRefusal(t *testing.T) {
	offered := 0
	bubble(t, 1, func(r *rig) {
		var err error
		r.logs, err = consumer.NewLogs(func(context.Context, plog.Logs) error {
			offered++
			return consumererror.NewPermanent(errors.New("no"))
		})
		require.NoError(t, err)
	}, func(r *rig) {
		busy(r.bridges[0], 1, 1)
		r.settle(time.Minute)
		assert.Equal(t, int64(3), r.counter("otelcol_receiver_cmsevents_records", "refused"))
		assert.LessOrEqual(t, offered, 3)
	})
}

// Messages that cannot be read: what can be acknowledged is, and asked for
// again; what cannot ends the connection, because nothing more would come.
func TestMalformedMessages(t *testing.T) {
	f := func(message string, sockets int) {
		t.Helper()
		bubble(t, 1, nil, func(r *rig) {
			b := r.bridges[0]
			busy(b, 1, 2)
			right(r, 5*time.Second, gauges{calls: 1, participants: 2})
			b.mu.Lock()
			for p := range b.sockets {
				p.send(frame{raw: []byte(message), id: 5})
			}
			b.mu.Unlock()
			if sockets == 1 {
				b.mu.Lock()
				for p := range b.sockets {
					p.last = 1000
				}
				b.mu.Unlock()
			}
			r.settle(10 * time.Second)
			b.updateParticipant("call-000", "call-000-person-000", elements{"audioMuted": true})
			r.settle(10 * time.Second)
			assert.Equal(r.t, sockets, b.count("socket"), message)
			assert.Equal(r.t, gauges{calls: 1, participants: 2}, r.gauges())
			assert.Equal(r.t, int64(1), r.counter("otelcol_receiver_cmsevents_messages", "malformed"))
			people := fold(r.t, r.sink.AllLogs())
			assert.Len(r.t, people, 2)
			assert.Equal(r.t, true, people["call-000-person-000"]["cisco.meeting_server.participant.audio_muted"])
		})
	}
	f(`{"type":"message","message":{"messageId":5,`, 1)
	f(`{"type":"message"}`, 2)
	f(`{"type":"message","message":{"type":"rosterUpdate","updates":[]}}`, 2)
}

// A message above the limit ends the connection.
func TestTooLarge(t *testing.T) {
	bubble(t, 1, func(r *rig) { r.config.MaxMessageSize = 64 << 10 }, func(r *rig) {
		b := r.bridges[0]
		r.settle(time.Second)
		e := board("x")
		e["name"] = string(make([]byte, 20<<10)) // escaped it is six times as long
		b.addCall("c", e)
		r.settle(10 * time.Second)
		assert.NotZero(t, r.counter("otelcol_receiver_cmsevents_reconnects", "too_large"))
	})
}

// An hour of a busy cluster, with sockets that drop and servers that restart: in
// the end, and at many moments between, everything is right.
func TestHour(t *testing.T) {
	const calls, people = 60, 12
	dice := rand.New(rand.NewPCG(4, 2))
	bubble(t, 2, func(r *rig) { r.config.MaxConnections = 2 }, func(r *rig) {
		truth := make([]map[string][]string, len(r.bridges))
		made := 0
		for i := range r.bridges {
			truth[i] = map[string][]string{}
		}
		want := func() (g gauges) {
			for i := range truth {
				for _, all := range truth[i] {
					g.calls++
					g.participants += int64(len(all))
				}
			}
			return g
		}
		begin := time.Now()
		for step := 0; time.Since(begin) < time.Hour; step++ {
			i := dice.IntN(len(r.bridges))
			b := r.bridges[i]
			for range 6 {
				made++
				id := fmt.Sprintf("id-%05d", made)
				if len(truth[i]) < calls/2 {
					b.addCall(id, board("corr-"+id))
					truth[i][id] = nil
				}
				for call, all := range truth[i] {
					switch n := len(all); {
					case n < people:
						b.addParticipant(call, id, person(id))
						truth[i][call] = append(all, id)
					case dice.IntN(3) == 0:
						b.removeParticipant(call, all[0], "remoteTeardown")
						truth[i][call] = all[1:]
					case dice.IntN(20) == 0:
						b.removeCall(call)
						delete(truth[i], call)
					default:
						b.updateParticipant(call, all[n-1], elements{"activeSpeaker": dice.IntN(2) == 0})
					}
					break
				}
			}
			switch {
			case step%40 == 10:
				b.drop()
			case step%60 == 50:
				b.stop()
				r.settle(time.Duration(dice.IntN(20)) * time.Second)
				b.start()
			}
			r.settle(time.Second)
			if step%20 == 19 {
				right(r, 12*time.Second, want())
			}
		}
		right(r, 12*time.Second, want())
		r.settle(10 * time.Second)
		assert.Len(t, fold(t, r.sink.AllLogs()), int(want().participants))
		assert.Zero(t, r.counter("otelcol_receiver_cmsevents_records", "overflow"))
		for _, b := range r.bridges {
			assert.LessOrEqual(t, b.count("sockets at once"), 2)
		}
	})
}
