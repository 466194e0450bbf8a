// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// reconnectUntil connects and disconnects a server until done returns true.
func (w *world) reconnectUntil(server int, connected, disconnected time.Duration, done func() bool) (connections int) {
	for ; connections < 1000 && !done(); connections++ {
		w.open(server, 0)
		w.pump(connected)
		w.close(server, 0)
		w.pump(disconnected)
	}
	return connections
}

// With connections shorter than the grace time, absent objects are removed when the quiet
// times add up to the grace time. Listed objects stay.
func TestShortConnections(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 1})
	stays, over := w.beginMeeting(0), w.beginMeeting(0)
	w.addPerson(stays, 0)
	left := w.addPerson(stays, 0)
	w.addPerson(over, 0)
	w.pump(time.Minute)
	removed := w.countChanges(CallRemoved, ParticipantRemoved)
	w.close(0, 0)
	w.removePerson(stays, left, "")
	w.endMeeting(over)
	n := w.reconnectUntil(0, 1500*time.Millisecond, time.Second, func() bool { return *removed == 3 })
	assert.InDelta(t, 3, n, 1, "three seconds of grace, and the time until there is a roster")
	for range 20 {
		w.reconnectUntil(0, 1500*time.Millisecond, time.Second, func() bool { return false })
	}
	assert.Equal(t, 3, *removed, "calls listed each time stay")
	w.open(0, 0)
	w.pump(time.Minute)
	w.verify()
}

// countChanges counts the emitted changes of some kinds from now on.
func (w *world) countChanges(kinds ...ChangeKind) *int {
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

// A snapshot that never begins removes nothing. Known objects stay until LostAfter is over
// since they were last listed.
func TestSnapshotsThatNeverBegin(t *testing.T) {
	for name, dumb := range map[string]func(SubKind) bool{
		"nothing": func(SubKind) bool { return true },
		"rosters": func(k SubKind) bool { return k == CallRoster },
	} {
		t.Run(name, func(t *testing.T) {
			w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 1})
			w.addPerson(w.beginMeeting(0), 0)
			w.pump(time.Minute)
			removed := w.countChanges(ParticipantRemoved)
			w.close(0, 0)
			lost := w.now.Add(5 * time.Minute)
			w.snapshotNeverBegins = dumb
			w.reconnectUntil(0, 2900*time.Millisecond, 100*time.Millisecond, func() bool { return *removed > 0 })
			assert.WithinDuration(t, lost, w.now, 4*time.Second)
			w.snapshotNeverBegins = nil
			w.open(0, 0)
			w.pump(time.Minute)
			w.verify()
		})
	}
}

// Updates of listed objects do not delay the removal of absent ones. A snapshot that still
// lists absent objects delays it, for at most five times the grace time.
func TestGrace(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 1})
	m := w.beginMeeting(0)
	var people []*worldPerson
	for range 10 {
		people = append(people, w.addPerson(m, 0))
	}
	w.pump(time.Minute)
	removed := w.countChanges(ParticipantRemoved)
	w.close(0, 0)
	w.removePerson(m, people[0], "")
	w.open(0, 0)
	began := w.now
	for *removed == 0 {
		w.renamePerson(m, people[1], w.newID("name"))
		w.addPerson(m, 0)
		w.pump(100 * time.Millisecond)
	}
	assert.WithinDuration(t, began.Add(3*time.Second), w.now, 500*time.Millisecond)

	w.close(0, 0)
	w.snapshotNeverBegins = func(k SubKind) bool { return k == CallRoster }
	w.open(0, 0)
	w.pump(200 * time.Millisecond)
	began = w.now
	for i := 1; *removed == 1; i++ {
		w.sendRoster(m, func(int) string { return people[i].update("add") })
		w.pump(2500 * time.Millisecond)
	}
	assert.WithinDuration(t, began.Add(15*time.Second), w.now, 3*time.Second)
}

// With rosters of all servers, a participant that no remaining roster lists is removed
// after the grace time, even if their own server does not return.
func TestGoneWithTheirBridge(t *testing.T) {
	w := newWorld(t, Options{Servers: 2, MaxConnections: 1, RosterOnAllBridges: true})
	w.open(0, 0)
	w.open(1, 0)
	w.pump(time.Second)
	m := w.beginMeeting(0, 1)
	far := w.addPerson(m, 1)
	w.addPerson(m, 0)
	w.pump(time.Minute)
	removed := w.countChanges(ParticipantRemoved)
	w.servers[1].slots[0].subs = nil // its last updates are lost
	w.removePerson(m, far, "remoteTeardown")
	w.pump(time.Minute)
	assert.Zero(t, *removed, "their own server still lists them")
	w.close(1, 0)
	w.pump(4 * time.Second)
	assert.Equal(t, 1, *removed)
	w.open(1, 0)
	w.pump(time.Minute)
	w.verify()
}

// Participants that move to another meeting with their call are listed by its rosters only.
// Later updates of the former meeting's servers do not count.
func TestRejoin(t *testing.T) {
	w := newWorld(t, Options{Servers: 2, MaxConnections: 1, RosterOnAllBridges: true})
	w.open(0, 0)
	w.open(1, 0)
	w.pump(time.Second)
	m := w.beginMeeting(0, 1)
	p, stays := w.addPerson(m, 0), w.addPerson(m, 1)
	w.pump(time.Second)
	alone := &worldMeeting{correlator: w.newID("correlator"), calls: map[int]string{0: m.calls[0]}, recording: m.recording}
	delete(m.calls, 0)
	alone.people, m.people = []*worldPerson{p}, []*worldPerson{stays}
	w.meetings = append(w.meetings, alone)
	w.c.assignCall(w.c.participants[p.id], w.c.servers[0].calls[alone.calls[0]])
	w.c.assignCall(w.c.participants[stays.id], w.c.servers[1].calls[m.calls[1]])
	w.setRecording(alone, "active")
	w.pump(time.Second)
	w.verify()
	w.removePerson(alone, p, "")
	w.removePerson(m, stays, "")
	w.pump(time.Second)
	w.verify()
}
