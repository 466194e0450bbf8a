// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gaugedParticipants returns the number of participants in the gauges.
func (w *world) gaugedParticipants() (n int64) {
	for _, g := range w.c.Gauges() {
		for s := range g.Participants {
			for _, some := range g.Participants[s] {
				n += some
			}
		}
	}
	return n
}

// A server that leaves a meeting empties its roster, remote participants included, and ends
// the subscription. The next server lists them 100 ms later. No removal or add is emitted,
// and the gauges stay correct.
func TestHandOverWithRemovals(t *testing.T) {
	for _, everywhere := range []bool{false, true} {
		t.Run(fmt.Sprintf("roster on all %t", everywhere), func(t *testing.T) {
			w := newConnectedWorld(t, Options{Servers: 2, MaxConnections: 1, RosterOnAllBridges: everywhere})
			m := w.beginMeeting(0, 1)
			for i := range 10 {
				w.addPerson(m, i%2)
			}
			w.pump(time.Second)
			first := w.rosterServers(m)[0]
			moved := w.countChanges(ParticipantAdded, ParticipantRemoved, ParticipantChanged)
			w.clearsRoster = true
			w.endCall(m, first)
			for _, p := range m.people {
				p.server = 1 - first
			}
			for range 100 {
				assert.EqualValues(t, 10, w.gaugedParticipants())
				w.pump(100 * time.Millisecond)
			}
			w.verify()
			assert.Equal(t, []int{1 - first}, w.rosterServers(m))
			assert.Zero(t, *moved)
			w.pump(time.Hour)
			w.verify()
		})
	}
}

// A participant who leaves during a handover is removed, without a reason, when the next
// server does not list them.
func TestLeftDuringHandOver(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 2, MaxConnections: 1})
	m := w.beginMeeting(0, 1)
	for i := range 4 {
		w.addPerson(m, i%2)
	}
	w.pump(time.Second)
	first := w.rosterServers(m)[0]
	var reasons []string
	w.c.sink = sinkFunc(func(c *Change) bool {
		if c.Kind == ParticipantRemoved {
			reasons = append(reasons, string(c.Reason))
		}
		return w.Accept(c)
	})
	gone := m.people[0]
	w.removePerson(m, gone, "")
	w.clearsRoster = true
	w.endCall(m, first)
	w.pump(10 * time.Second)
	assert.Equal(t, []string{""}, reasons)
	w.verify()
}

// If the server stays in the meeting, a remote participant is removed after
// handoverTimeout.
func TestRemoteLeaves(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 2, MaxConnections: 1})
	m := w.beginMeeting(0, 1)
	a, b := w.addPerson(m, 0), w.addPerson(m, 1)
	w.pump(time.Second)
	watched := w.rosterServers(m)[0]
	remote, local := a, b
	if a.server == watched {
		remote, local = b, a
	}
	w.removePerson(m, remote, "remoteTeardown") // their host is not subscribed to, so there is no reason
	w.pump(handoverTimeout)
	assert.NotContains(t, w.sinkPeople, remote.id)
	assert.Contains(t, w.sinkPeople, local.id)
	w.verify()
	// A participant who is listed again within that time never left.
	moved := w.countChanges(ParticipantAdded, ParticipantRemoved)
	again := w.addPerson(m, 1-watched)
	w.sendRoster(m, func(int) string { return fmt.Sprintf(`{"participant":%q,"updateType":"remove"}`, again.id) })
	w.sendRoster(m, func(int) string { return again.update("add") })
	w.pump(time.Minute)
	assert.Equal(t, 1, *moved, "one add")
	w.verify()
}

// A snapshot whose subscription began after a removal is newer, however early it arrives. A
// snapshot that began before may be stale: it is ignored and its roster renewed, so the end
// state is correct.
func TestOrderOfSnapshotAndRemoval(t *testing.T) {
	f := func(subscribed, added time.Duration, removedAgain bool, soon, end int64) {
		t.Helper()
		w := newConnectedWorld(t, Options{Servers: 2, MaxConnections: 1, RosterOnAllBridges: true})
		list := func(server int, call string) {
			w.send(server, 0, fmt.Sprintf(`"type":"callListUpdate","subscriptionIndex":1,"updates":[{"call":%q,"updateType":"add","callCorrelator":"c"}]`, call))
		}
		list(0, "a")
		w.c.Advance(w.now.Add(time.Second))
		k := w.c.servers[0].calls["a"]
		update := func(server int, k *call, what string) {
			w.send(server, 0, fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[{"participant":"p","updateType":%s}]`, k.rosterSub.index, what))
		}
		list(1, "b")
		other := w.c.servers[1].calls["b"]
		update(0, k, `"add"`)
		// Time 0 is the removal.
		removal := w.now.Add(time.Minute)
		at := func(d time.Duration) { w.now = removal.Add(d) }
		subscribe := func() {
			at(subscribed)
			w.c.subscribe(w.now, 1, 0, CallRoster, other)
		}
		if subscribed < 0 {
			subscribe()
		}
		at(0)
		update(0, k, `"remove","reason":"remoteTeardown"`)
		if subscribed >= 0 {
			subscribe()
		}
		at(added)
		update(1, other, `"add"`)
		assert.Equal(t, soon, w.gaugedParticipants())
		if removedAgain {
			update(1, other, `"remove"`)
		}
		for range 60 { // the other server repeats its last update
			w.now = w.now.Add(time.Second)
			before := other.rosterSub.index
			w.c.Advance(w.now)
			if other.rosterSub != nil && other.rosterSub.index != before && !removedAgain {
				update(1, other, `"add"`)
			}
		}
		assert.Equal(t, end, w.gaugedParticipants())
	}
	f(10*time.Millisecond, 100*time.Millisecond, false, 1, 1)
	f(0, 100*time.Millisecond, false, 1, 1)
	f(3*time.Second, 4*time.Second, false, 1, 1)
	f(-time.Second, 100*time.Millisecond, true, 0, 0)
	f(-time.Second, 100*time.Millisecond, false, 0, 1)
	f(-time.Second, 6*time.Second, false, 1, 1)
}

// A removal that is dropped for lack of space renews the roster with an ignored add, like
// one that expires.
func TestEvictedRemovalRenewsItsRoster(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 2, MaxConnections: 1, RosterOnAllBridges: true})
	m := w.beginMeeting(0, 1)
	p := w.addPerson(m, 0)
	w.pump(time.Minute)
	w.removePerson(m, p, "remoteTeardown")
	w.send(1, 0, fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[%s]`, w.c.servers[1].calls[m.calls[1]].rosterSub.index, p.update("add")))
	require.NotContains(t, w.sinkPeople, p.id, "the add may be stale")
	m.people = append(m.people, p) // it was true
	index := w.c.servers[1].calls[m.calls[1]].rosterSub.index
	for i := range maxRecentRemovals {
		w.c.addRecentRemoval(w.now, strconv.Itoa(i), 0)
	}
	w.pump(2 * time.Second)
	assert.NotEqual(t, index, w.c.servers[1].calls[m.calls[1]].rosterSub.index)
	w.pump(time.Minute)
	w.verify()
}

// The ids of recent removals are bounded in bytes.
func TestRemovalsAreBounded(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 1})
	r := &w.c.recentRemovals
	for i := range 20_000 {
		w.c.addRecentRemoval(w.now, fmt.Sprintf("%01000d", i), 0)
	}
	assert.LessOrEqual(t, r.orderBytes, maxRecentRemovalBytes)
	assert.Len(t, r.order, maxRecentRemovalBytes/1000)
	require.Len(t, r.byParticipant, len(r.order))
}
