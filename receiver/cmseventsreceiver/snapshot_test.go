// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// After a reconnect, new objects are added, changed ones updated, absent ones removed, and
// unchanged ones emit nothing.
func TestSnapshot(t *testing.T) {
	runInBubble(t, 1, nil, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 3, 2)
		awaitGauges(r, 5*time.Second, gauges{calls: 3, participants: 6})
		r.resetRecords()
		b.dropSockets()
		r.wait(15 * time.Second)
		assert.Equal(t, gauges{calls: 3, participants: 6}, r.gauges())
		assert.Empty(t, r.bodies(), "nothing happened")

		b.stop()
		b.removeCall("call-001")
		b.removeParticipant("call-000", "call-000-person-000", "remoteTeardown")
		b.addParticipant("call-000", "new", participantElements("New"))
		b.updateParticipant("call-002", "call-002-person-001", elements{"importance": 5, "state": "onHold"})
		b.updateParticipant("call-002", "call-002-person-000", elements{"layout": "allEqual"})
		b.updateCall("call-002", elements{"streaming": "active"})
		b.start()
		r.wait(15 * time.Second)
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
		for _, lr := range receiverkit.Records(r.sink.AllLogs()) {
			if lr.EventName() == names.EventEventParticipantRemove {
				assert.Equal(t, plog.SeverityNumberWarn, lr.SeverityNumber())
				assert.Equal(t, "lost_connection", text(lr, names.ParticipantReason))
			}
		}
	})
}

// A value that becomes unset is an empty attribute.
func TestUnset(t *testing.T) {
	runInBubble(t, 1, nil, func(r *harness) {
		b := r.bridges[0]
		b.addCall("c", callElements("x"))
		e := participantElements("P")
		e["importance"] = 3
		b.addParticipant("c", "p", e)
		r.wait(time.Second)
		b.updateParticipant("c", "p", elements{"importance": nil})
		b.updateParticipant("c", "p", elements{"importance": nil})
		r.wait(time.Second)
		all := receiverkit.Records(r.sink.AllLogs())
		last := all[len(all)-1]
		assert.Equal(t, names.EventEventParticipantUpdate, last.EventName())
		v, found := last.Attributes().Get("cisco.meeting_server.participant.importance")
		assert.True(t, found)
		assert.Nil(t, v.AsRaw())
		assert.Len(t, all, 4, "the second update changes nothing")
	})
}

// A meeting on three bridges is one call with each participant once, whichever bridge
// leaves.
func TestCluster(t *testing.T) {
	runInBubble(t, 3, nil, func(r *harness) {
		for i, b := range r.bridges {
			b.addCall(fmt.Sprintf("call-%d", i), callElements("one-correlator"))
		}
		everywhere := func(f func(b *fakeBridge, call string)) {
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
			everywhere(func(b *fakeBridge, call string) {
				b.addParticipant(call, fmt.Sprintf("p-%d", p), participantElements(fmt.Sprintf("P%d", p)))
			})
		}
		awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 6})
		watching := func() (all []int) {
			for i, b := range r.bridges {
				b.mu.Lock()
				b.eachSubscription("callRoster", fmt.Sprintf("call-%d", i), func(*fakeSocket, int64) { all = append(all, i) })
				b.mu.Unlock()
			}
			return all
		}
		first := watching()
		require.Len(t, first, 1)
		assert.Len(t, participantsOf(t, r.sink.AllLogs()), 6)

		everywhere(func(b *fakeBridge, call string) { b.removeParticipant(call, "p-0", "") })
		r.bridges[first[0]].removeCall(fmt.Sprintf("call-%d", first[0]))
		awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 5})
		second := watching()
		require.Len(t, second, 1)
		assert.NotEqual(t, first, second)

		r.bridges[second[0]].stop()
		awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 5})
		r.wait(time.Second)
		third := watching()
		assert.Len(t, third, 1)
		r.wait(10 * time.Minute)
		assert.Equal(t, gauges{calls: 1, participants: 5}, r.gauges())
		assert.Len(t, participantsOf(t, r.sink.AllLogs()), 5)

		everywhere(func(b *fakeBridge, call string) { b.removeCall(call) })
		awaitGauges(r, 5*time.Second, gauges{})
		assert.Empty(t, participantsOf(t, r.sink.AllLogs()))
	})
}

// The subscribed bridge empties its roster and leaves; the other one lists all participants
// 100 ms later. The gauges stay correct, and no participant leaves or joins.
func TestHandOver(t *testing.T) {
	for _, everywhere := range []bool{false, true} {
		runInBubble(t, 2, func(r *harness) { r.config.RosterOnAllBridges = everywhere }, func(r *harness) {
			for i, b := range r.bridges {
				call := fmt.Sprintf("call-%d", i)
				b.addCall(call, callElements("one-correlator"))
				for p := range 10 {
					b.addParticipant(call, fmt.Sprintf("p-%d", p), participantElements("P"))
				}
			}
			want := gauges{calls: 1, participants: 10}
			awaitGauges(r, 5*time.Second, want)
			r.wait(time.Second)
			r.resetRecords()
			watched := 0
			r.bridges[1].mu.Lock()
			r.bridges[1].eachSubscription("callRoster", "call-1", func(*fakeSocket, int64) { watched = 1 })
			r.bridges[1].mu.Unlock()
			r.bridges[watched].leaveMeeting(fmt.Sprintf("call-%d", watched))
			for range 100 {
				r.wait(100 * time.Millisecond)
				assert.Equal(t, want, r.gauges())
			}
			r.wait(time.Hour)
			assert.Equal(t, want, r.gauges())
			for _, lr := range receiverkit.Records(r.sink.AllLogs()) {
				assert.NotContains(t, lr.EventName(), "event.participant", lr.Body().Str())
			}
		})
	}
}

// A participant leaves without a reason, and no other event follows. The receiver waits a second
// for a handover, then removes them: the roster update alone starts that wait.
func TestLeavesWithoutAReason(t *testing.T) {
	runInBubble(t, 2, nil, func(r *harness) {
		for i, b := range r.bridges {
			call := fmt.Sprintf("call-%d", i)
			b.addCall(call, callElements("one-correlator"))
			for p := range 3 {
				b.addParticipant(call, fmt.Sprintf("p-%d", p), participantElements("P"))
			}
		}
		awaitGauges(r, 5*time.Second, gauges{calls: 1, participants: 3})
		r.wait(time.Minute)
		for i, b := range r.bridges {
			b.removeParticipant(fmt.Sprintf("call-%d", i), "p-0", "")
		}
		r.wait(3 * time.Second)
		assert.Equal(t, gauges{calls: 1, participants: 2}, r.gauges())
		assert.Len(t, participantsOf(t, r.sink.AllLogs()), 2)
	})
}

// More than a hundred subscriptions open further sockets, up to the limit. A socket that
// the server refuses does not affect the others.
func TestMoreSockets(t *testing.T) {
	runInBubble(t, 1, func(r *harness) {
		r.config.MaxConnections = 3
		r.bridges[0].setFaults(func(f *faults) { f.sockets = 2 })
	}, func(r *harness) {
		b := r.bridges[0]
		addCalls(b, 120, 2)
		awaitGauges(r, 10*time.Second, gauges{calls: 120, participants: 240})
		assert.Equal(t, 2, b.count("sockets at once"))
		assert.Equal(t, 100, b.count("subscriptions"))
		assert.Equal(t, int64(241), r.Counter("otelcol_receiver_cmsevents_subscriptions", "wanted"))
		assert.Equal(t, int64(200), r.Counter("otelcol_receiver_cmsevents_subscriptions", "active"))
		assert.Equal(t, int64(41), r.Counter("otelcol_receiver_cmsevents_subscriptions", "unplaced"))
		assert.Equal(t, 1, r.Log.FilterMessageSnippet("more calls than its sockets can watch").Len())
		assert.Empty(t, r.Log.FilterMessageSnippet("No events from").All(), "the first socket is well")

		b.setFaults(func(f *faults) { f.sockets = 5 })
		r.wait(2 * time.Minute)
		assert.Equal(t, 3, b.count("sockets at once"))
		assert.Equal(t, int64(0), r.Counter("otelcol_receiver_cmsevents_subscriptions", "unplaced"))
		assert.Equal(t, int64(3), r.Counter("otelcol_receiver_cmsevents_connections", "running"))

		b.dropSockets()
		awaitGauges(r, 10*time.Second, gauges{calls: 120, participants: 240})
		r.wait(time.Minute)
		assert.Equal(t, gauges{calls: 120, participants: 240}, r.gauges())
		assert.Len(t, participantsOf(t, r.sink.AllLogs()), 240)

		for c := range 110 {
			b.removeCall(fmt.Sprintf("call-%03d", c))
		}
		r.wait(time.Minute)
		assert.Equal(t, gauges{calls: 10, participants: 20}, r.gauges())
	})
}

// During an hour of a busy cluster with dropped sockets and restarts, the gauges are
// correct at many moments and at the end.
func TestHour(t *testing.T) {
	const calls, people = 60, 12
	dice := rand.New(rand.NewPCG(4, 2))
	runInBubble(t, 2, func(r *harness) { r.config.MaxConnections = 2 }, func(r *harness) {
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
					b.addCall(id, callElements("corr-"+id))
					truth[i][id] = nil
				}
				for call, all := range truth[i] {
					switch n := len(all); {
					case n < people:
						b.addParticipant(call, id, participantElements(id))
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
				b.dropSockets()
			case step%60 == 50:
				b.stop()
				r.wait(time.Duration(dice.IntN(20)) * time.Second)
				b.start()
			}
			r.wait(time.Second)
			if step%20 == 19 {
				awaitGauges(r, 12*time.Second, want())
			}
		}
		awaitGauges(r, 12*time.Second, want())
		r.wait(10 * time.Second)
		assert.Len(t, participantsOf(t, r.sink.AllLogs()), int(want().participants))
		assert.Zero(t, r.Counter("otelcol_receiver_cmsevents_records", "overflow"))
		for _, b := range r.bridges {
			assert.LessOrEqual(t, b.count("sockets at once"), 2)
		}
	})
}
