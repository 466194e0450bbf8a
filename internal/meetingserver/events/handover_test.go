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

// present is how many participants the gauges show.
func (w *world) present() (n int64) {
	for _, g := range w.c.Gauges() {
		for s := range g.Participants {
			for _, some := range g.Participants[s] {
				n += some
			}
		}
	}
	return n
}

// A bridge that leaves empties its roster, remote people included, and ends the
// subscription; the next bridge announces everybody 100 ms later. Nobody left or
// came, and the gauges are the truth all the time.
func TestHandOverWithRemovals(t *testing.T) {
	for _, everywhere := range []bool{false, true} {
		t.Run(fmt.Sprintf("roster on all %t", everywhere), func(t *testing.T) {
			w := ready(t, Options{Servers: 2, MaxConnections: 1, RosterOnAllBridges: everywhere})
			m := w.begin(0, 1)
			for i := range 10 {
				w.join(m, i%2)
			}
			w.pump(time.Second)
			first := w.watched(m)[0]
			moved := w.count(ParticipantAdded, ParticipantRemoved, ParticipantChanged)
			w.clears = true
			w.leave(m, first)
			for _, p := range m.people {
				p.server = 1 - first
			}
			for range 100 {
				assert.EqualValues(t, 10, w.present())
				w.pump(100 * time.Millisecond)
			}
			w.verify()
			assert.Equal(t, []int{1 - first}, w.watched(m))
			assert.Zero(t, *moved)
			w.pump(time.Hour)
			w.verify()
		})
	}
}

// Who left during a hand-over is gone when the next bridge does not announce
// them, without a reason that no server gave.
func TestLeftDuringHandOver(t *testing.T) {
	w := ready(t, Options{Servers: 2, MaxConnections: 1})
	m := w.begin(0, 1)
	for i := range 4 {
		w.join(m, i%2)
	}
	w.pump(time.Second)
	first := w.watched(m)[0]
	var reasons []string
	w.c.sink = sinkFunc(func(c *Change) bool {
		if c.Kind == ParticipantRemoved {
			reasons = append(reasons, string(c.Reason))
		}
		return w.Accept(c)
	})
	gone := m.people[0]
	w.part(m, gone, "")
	w.clears = true
	w.leave(m, first)
	w.pump(10 * time.Second)
	assert.Equal(t, []string{""}, reasons)
	w.verify()
}

// A bridge that stays and says that a remote participant left is believed after
// the time a hand-over may take.
func TestRemoteLeaves(t *testing.T) {
	w := ready(t, Options{Servers: 2, MaxConnections: 1})
	m := w.begin(0, 1)
	a, b := w.join(m, 0), w.join(m, 1)
	w.pump(time.Second)
	watched := w.watched(m)[0]
	remote, local := a, b
	if a.server == watched {
		remote, local = b, a
	}
	w.part(m, remote, "remoteTeardown") // the watched bridge gives no reason
	w.pump(handoverTimeout)
	assert.NotContains(t, w.told, remote.id)
	assert.Contains(t, w.told, local.id)
	w.verify()
	// One who is back before that never left.
	moved := w.count(ParticipantAdded, ParticipantRemoved)
	again := w.join(m, 1-watched)
	w.roster(m, func(int) string { return fmt.Sprintf(`{"participant":%q,"updateType":"remove"}`, again.id) })
	w.roster(m, func(int) string { return again.entry("add") })
	w.pump(time.Minute)
	assert.Equal(t, 1, *moved, "they came")
	w.verify()
}

// A snapshot whose subscription began after a removal wins, however soon it
// comes. One that began before may be late news: it is ignored, and asked for
// anew, so that whatever is true is shown in the end.
func TestOrderOfSnapshotAndRemoval(t *testing.T) {
	f := func(subscribed, added time.Duration, removedAgain bool, soon, end int64) {
		t.Helper()
		w := ready(t, Options{Servers: 2, MaxConnections: 1, RosterOnAllBridges: true})
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
		// Time 0 is that of the removal.
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
		assert.Equal(t, soon, w.present())
		if removedAgain {
			update(1, other, `"remove"`)
		}
		for range 60 { // the other server answers with what it last said
			w.now = w.now.Add(time.Second)
			before := other.rosterSub.index
			w.c.Advance(w.now)
			if other.rosterSub != nil && other.rosterSub.index != before && !removedAgain {
				update(1, other, `"add"`)
			}
		}
		assert.Equal(t, end, w.present())
	}
	f(10*time.Millisecond, 100*time.Millisecond, false, 1, 1)
	f(0, 100*time.Millisecond, false, 1, 1)
	f(3*time.Second, 4*time.Second, false, 1, 1)
	f(-time.Second, 100*time.Millisecond, true, 0, 0)
	f(-time.Second, 100*time.Millisecond, false, 0, 1)
	f(-time.Second, 6*time.Second, false, 1, 1)
}

// A removal that is forgotten for lack of room, and whose late news was ignored, has
// that roster asked for anew as one that is forgotten after its time.
func TestEvictedRemovalRenewsItsRoster(t *testing.T) {
	w := ready(t, Options{Servers: 2, MaxConnections: 1, RosterOnAllBridges: true})
	m := w.begin(0, 1)
	p := w.join(m, 0)
	w.pump(time.Minute)
	w.part(m, p, "remoteTeardown")
	w.send(1, 0, fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[%s]`, w.c.servers[1].calls[m.calls[1]].rosterSub.index, p.entry("add")))
	require.NotContains(t, w.told, p.id, "the add may be late news")
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

// The ids of those who left a moment ago are bounded in bytes.
func TestRemovalsAreBounded(t *testing.T) {
	w := ready(t, Options{Servers: 1, MaxConnections: 1})
	r := &w.c.recent
	for i := range 20_000 {
		w.c.addRecentRemoval(w.now, fmt.Sprintf("%01000d", i), 0)
	}
	assert.LessOrEqual(t, r.orderBytes, maxRecentRemovalBytes)
	assert.Len(t, r.order, maxRecentRemovalBytes/1000)
	require.Len(t, r.byParticipant, len(r.order))
}
