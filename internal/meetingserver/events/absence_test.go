// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// flap connects a server again and again, for less than the grace time, until ok.
func (w *world) flap(server int, lasts, away time.Duration, ok func() bool) (connections int) {
	for ; connections < 1000 && !ok(); connections++ {
		w.open(server, 0)
		w.pump(lasts)
		w.close(server, 0)
		w.pump(away)
	}
	return connections
}

// Connections that last shorter than the grace time: what is gone goes when
// they were quiet for that long together, and what is there stays.
func TestShortConnections(t *testing.T) {
	w := ready(t, Options{Servers: 1, MaxConnections: 1})
	stays, over := w.begin(0), w.begin(0)
	w.join(stays, 0)
	left := w.join(stays, 0)
	w.join(over, 0)
	w.pump(time.Minute)
	removed := w.count(CallRemoved, ParticipantRemoved)
	w.close(0, 0)
	w.part(stays, left, "")
	w.end(over)
	n := w.flap(0, 1500*time.Millisecond, time.Second, func() bool { return *removed == 3 })
	assert.InDelta(t, 3, n, 1, "three seconds of grace, and the time until there is a roster")
	for range 20 {
		w.flap(0, 1500*time.Millisecond, time.Second, func() bool { return false })
	}
	assert.Equal(t, 3, *removed, "what is announced on each is not gone")
	w.open(0, 0)
	w.pump(time.Minute)
	w.verify()
}

// count counts the changes of some kinds from now on.
func (w *world) count(kinds ...ChangeKind) *int {
	n := new(int)
	w.c.sink = sinkFunc(func(c *Change) bool {
		for _, k := range kinds {
			if c.Kind == k {
				*n++
			}
		}
		return w.Accept(c)
	})
	return n
}

// A snapshot that never begins says nothing, however often: what was known stays
// until nobody has told of it for too long, counted from when somebody last did.
func TestSnapshotsThatNeverBegin(t *testing.T) {
	for name, dumb := range map[string]func(Kind) bool{
		"nothing": func(Kind) bool { return true },
		"rosters": func(k Kind) bool { return k == CallRoster },
	} {
		t.Run(name, func(t *testing.T) {
			w := ready(t, Options{Servers: 1, MaxConnections: 1})
			w.join(w.begin(0), 0)
			w.pump(time.Minute)
			removed := w.count(ParticipantRemoved)
			w.close(0, 0)
			lost := w.now.Add(5 * time.Minute)
			w.dumb = dumb
			w.flap(0, 2900*time.Millisecond, 100*time.Millisecond, func() bool { return *removed > 0 })
			assert.WithinDuration(t, lost, w.now, 4*time.Second)
			w.dumb = nil
			w.open(0, 0)
			w.pump(time.Minute)
			w.verify()
		})
	}
}

// News of those who are there does not put off that others are gone; a snapshot
// that still announces what was missing does, for five times the grace.
func TestGrace(t *testing.T) {
	w := ready(t, Options{Servers: 1, MaxConnections: 1})
	m := w.begin(0)
	var people []*worldPerson
	for range 10 {
		people = append(people, w.join(m, 0))
	}
	w.pump(time.Minute)
	removed := w.count(ParticipantRemoved)
	w.close(0, 0)
	w.part(m, people[0], "")
	w.open(0, 0)
	began := w.now
	for *removed == 0 {
		w.change(m, people[1], w.id("name"))
		w.join(m, 0)
		w.pump(100 * time.Millisecond)
	}
	assert.WithinDuration(t, began.Add(3*time.Second), w.now, 500*time.Millisecond)

	w.close(0, 0)
	w.dumb = func(k Kind) bool { return k == CallRoster }
	w.open(0, 0)
	w.pump(200 * time.Millisecond)
	began = w.now
	for i := 1; *removed == 1; i++ {
		w.roster(m, func(int) string { return people[i].entry("add") })
		w.pump(2500 * time.Millisecond)
	}
	assert.WithinDuration(t, began.Add(15*time.Second), w.now, 3*time.Second)
}

// With the roster on all bridges: who is in none that is left is gone after the
// grace time, also if the bridge that could say so does not come back.
func TestGoneWithTheirBridge(t *testing.T) {
	w := newWorld(t, Options{Servers: 2, MaxConnections: 1, RosterOnAllBridges: true})
	w.open(0, 0)
	w.open(1, 0)
	w.pump(time.Second)
	m := w.begin(0, 1)
	far := w.join(m, 1)
	w.join(m, 0)
	w.pump(time.Minute)
	removed := w.count(ParticipantRemoved)
	w.servers[1].slots[0].subs = nil // its last words do not come
	w.part(m, far, "remoteTeardown")
	w.pump(time.Minute)
	assert.Zero(t, *removed, "as long as their own bridge has them")
	w.close(1, 0)
	w.pump(4 * time.Second)
	assert.Equal(t, 1, *removed)
	w.open(1, 0)
	w.pump(time.Minute)
	w.verify()
}

// Who goes with their call to another meeting is in its rosters only: what the
// former meeting's bridges say of them is of the past.
func TestRejoin(t *testing.T) {
	w := newWorld(t, Options{Servers: 2, MaxConnections: 1, RosterOnAllBridges: true})
	w.open(0, 0)
	w.open(1, 0)
	w.pump(time.Second)
	m := w.begin(0, 1)
	p, stays := w.join(m, 0), w.join(m, 1)
	w.pump(time.Second)
	alone := &worldMeeting{correlator: w.id("correlator"), calls: map[int]string{0: m.calls[0]}, recording: m.recording}
	delete(m.calls, 0)
	alone.people, m.people = []*worldPerson{p}, []*worldPerson{stays}
	w.meetings = append(w.meetings, alone)
	w.c.assignCall(w.c.participants[p.id], w.c.servers[0].calls[alone.calls[0]])
	w.c.assignCall(w.c.participants[stays.id], w.c.servers[1].calls[m.calls[1]])
	w.record(alone, "active")
	w.pump(time.Second)
	w.verify()
	w.part(alone, p, "")
	w.part(m, stays, "")
	w.pump(time.Second)
	w.verify()
}
