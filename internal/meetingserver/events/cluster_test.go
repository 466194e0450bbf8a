// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newConnectedWorld returns a world whose servers are all connected.
func newConnectedWorld(t *testing.T, opts Options) *world {
	t.Helper()
	w := newWorld(t, opts)
	for server := range w.servers {
		w.open(server, 0)
	}
	w.pump(time.Second)
	return w
}

// rosterServers returns the servers with a subscription to a meeting's roster.
func (w *world) rosterServers(m *worldMeeting) (servers []int) {
	for server, call := range m.calls {
		w.eachSubscription(server, CallRoster, call, func(int, int64) { servers = append(servers, server) })
	}
	return servers
}

// If a server leaves a meeting, another server of the meeting takes over; no participant
// leaves or joins.
func TestHandOver(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 3, MaxConnections: 1})
	m := w.beginMeeting(0, 1, 2)
	for server := range 3 {
		w.addPerson(m, server)
	}
	w.pump(time.Second)
	first := w.rosterServers(m)
	require.Len(t, first, 1, "one of them is enough")
	w.endCall(m, first[0])
	w.pump(time.Second)
	second := w.rosterServers(m)
	require.Len(t, second, 1)
	assert.NotEqual(t, first, second)
	w.pump(time.Minute)
	w.verify()

	// The subscribed server disconnects: the same.
	w.close(second[0], 0)
	w.pump(time.Second)
	third := w.rosterServers(m)
	require.Len(t, third, 1)
	assert.NotEqual(t, second, third)
	assert.Len(t, w.sinkPeople, 3)
	w.open(second[0], 0)
	w.pump(time.Minute)
	assert.Equal(t, third, w.rosterServers(m), "it stays where it is")
	w.verify()
}

// With rosters of all servers the reason is emitted, whichever server removes the
// participant first.
func TestReasonOfTheHost(t *testing.T) {
	w := newWorld(t, Options{Servers: 2, MaxConnections: 1, RosterOnAllBridges: true})
	reasons := map[string]string{}
	w.c.sink = sinkFunc(func(c *Change) bool {
		if c.Kind == ParticipantRemoved {
			reasons[c.Participant] = string(c.Reason)
		}
		return w.Accept(c)
	})
	w.open(0, 0)
	w.open(1, 0)
	w.pump(time.Second)
	m := w.beginMeeting(0, 1)
	near, far := w.addPerson(m, 0), w.addPerson(m, 1)
	w.pump(time.Second)
	assert.Len(t, w.rosterServers(m), 2)
	w.removePerson(m, near, "remoteTeardown") // server 0 gives a reason, then server 1 none
	w.removePerson(m, far, "timeout")         // server 0 gives no reason, then server 1 gives one
	assert.Equal(t, map[string]string{near.id: "remoteTeardown", far.id: "timeout"}, reasons)
	// A stale update does not add a removed participant again.
	w.sendRoster(m, func(int) string { return near.update("update") })
	w.pump(time.Minute)
	w.verify()
}

type sinkFunc func(*Change) bool

func (f sinkFunc) Accept(c *Change) bool { return f(c) }

// A call that reports its correlator late joins that meeting with its participants.
func TestLateCorrelator(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 2, MaxConnections: 1})
	w.send(0, 0, `"type":"callListUpdate","subscriptionIndex":1,"updates":[{"call":"a","updateType":"add","callCorrelator":"c"}]`)
	w.send(1, 0, `"type":"callListUpdate","subscriptionIndex":1,"updates":[{"call":"b","updateType":"add","name":"B"}]`)
	w.pump(0)
	b := w.c.servers[1].calls["b"]
	w.c.subscribe(w.now, 1, 0, CallRoster, b)
	w.send(1, 0, fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[{"participant":"p","updateType":"add"}]`, b.rosterSub.index))
	assert.Len(t, w.c.meetings, 2)
	w.send(1, 0, `"type":"callListUpdate","subscriptionIndex":1,"updates":[{"call":"b","updateType":"update","callCorrelator":"c"}]`)
	assert.Len(t, w.c.meetings, 1)
	assert.Len(t, b.meeting.participants, 1)
	assert.Len(t, b.meeting.calls, 2)
	// A new correlator moves it to a meeting of its own.
	w.send(1, 0, `"type":"callListUpdate","subscriptionIndex":1,"updates":[{"call":"b","updateType":"update","callCorrelator":"d"}]`)
	assert.Len(t, w.c.meetings, 2)
	assert.Len(t, b.meeting.participants, 1)
	assert.Equal(t, map[string]*meeting{"c": w.c.servers[0].calls["a"].meeting, "d": b.meeting}, w.c.byCorrelator)
}

// A space has one correlator for all its meetings. The next call on the same server is
// another meeting, whether the end of the last was reported or not.
func TestOneSpaceTwoMeetings(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 1})
	one := w.beginMeeting(0)
	w.addPerson(one, 0)
	w.pump(time.Second)
	w.close(0, 0)
	w.meetings = nil
	two := w.beginMeeting(0)
	two.correlator = one.correlator
	w.addPerson(two, 0)
	w.open(0, 0)
	w.pump(time.Minute)
	w.verify()

	three := w.beginMeeting(0)
	three.correlator = one.correlator
	w.addPerson(three, 0)
	w.pump(time.Second)
	w.verify()
	w.endMeeting(two)
	w.pump(time.Second)
	w.verify()
}

// With more calls than slots the busiest meetings are subscribed to, further sockets add
// slots, and subscriptions without a slot are counted.
func TestRoom(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 2})
	for i := range 150 {
		m := w.beginMeeting(0)
		for range 1 + i%5 {
			w.addPerson(m, 0)
		}
	}
	w.pump(time.Second)
	n := w.c.SubscriptionCounts(0)
	assert.Equal(t, SubscriptionCounts{Wanted: 301, Active: 100, Unplaced: 201}, n)
	assert.Equal(t, 2, w.c.SocketsWanted(0))
	w.open(0, 1)
	w.pump(time.Second)
	n = w.c.SubscriptionCounts(0)
	assert.Equal(t, SubscriptionCounts{Wanted: 301, Active: 200, Unplaced: 101}, n)
	watched := 0
	for _, m := range w.meetings {
		watched += len(w.rosterServers(m))
	}
	assert.Equal(t, 150, watched, "rosters first")

	for range 150 {
		w.addPerson(w.beginMeeting(0), 0)
	}
	w.pump(10 * time.Second)
	var small, large int
	for _, m := range w.meetings {
		if len(w.rosterServers(m)) > 0 {
			if len(m.people) > 1 {
				large++
			} else {
				small++
			}
		}
	}
	assert.Equal(t, 120, large, "all of the busier ones")
	assert.Equal(t, 199-120, small)
	assert.Equal(t, int64(601-200), w.c.SubscriptionCounts(0).Unplaced)

	// A meeting that grows displaces a smaller one, whose participants are removed with the
	// reason NotWatched.
	var quiet *worldMeeting
	for _, m := range w.meetings {
		if len(w.rosterServers(m)) == 0 {
			quiet = m
		}
	}
	reasons := map[string]int{}
	w.c.sink = sinkFunc(func(c *Change) bool {
		if c.Kind == ParticipantRemoved {
			reasons[string(c.Reason)]++
		}
		return w.Accept(c)
	})
	for range 20 {
		w.addPerson(quiet, 0)
	}
	w.setRecording(quiet, "inactive")
	w.pump(10 * time.Second)
	assert.Len(t, w.rosterServers(quiet), 1)
	assert.Equal(t, map[string]int{NotWatched: 1}, reasons)

	// The second socket closes: its participants stay for now.
	before := len(w.sinkPeople)
	w.close(0, 1)
	w.pump(time.Second)
	assert.Len(t, w.sinkPeople, before)
	w.open(0, 1)
	w.pump(10 * time.Second)
	assert.InDelta(t, before, len(w.sinkPeople), 0)

	for len(w.meetings) > 20 {
		w.endMeeting(w.meetings[0])
	}
	w.pump(10 * time.Second)
	assert.Equal(t, SubscriptionCounts{Wanted: 41, Active: 41}, w.c.SubscriptionCounts(0))
	w.close(0, 1)
	w.pump(10 * time.Second)
	assert.Equal(t, 1, w.c.SocketsWanted(0))
	w.verify()
}

// If a server does not return, its calls and participants are removed after LostAfter.
func TestLost(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 2, MaxConnections: 1})
	both, one := w.beginMeeting(0, 1), w.beginMeeting(1)
	w.addPerson(both, 0)
	w.addPerson(one, 1)
	w.pump(time.Second)
	assert.True(t, w.c.HasState(1))
	w.close(1, 0)
	w.pump(4 * time.Minute)
	assert.Len(t, w.sinkPeople, 2, "it is kept for a while")
	assert.True(t, w.c.HasState(1))
	w.pump(2 * time.Minute)
	assert.Len(t, w.sinkPeople, 1)
	assert.Len(t, w.sinkCalls, 1)
	assert.False(t, w.c.HasState(1), "its state is gone")
	assert.False(t, w.c.ListActive(1))
	w.open(1, 0)
	w.pump(time.Minute)
	w.verify()
}

// Objects above the limits are ignored and counted.
func TestLimits(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 1})
	w.c.opts.Limits = Limits{Calls: 3, Participants: 4}
	for range 5 {
		w.addPerson(w.beginMeeting(0), 0)
	}
	w.pump(time.Second)
	for range 5 {
		w.addPerson(w.meetings[0], 0)
	}
	calls, people := w.c.Size()
	assert.Equal(t, 3, calls)
	assert.Equal(t, 4, people)
	assert.Equal(t, uint64(2+4), w.c.Untracked())
}

// Receive accepts and ignores messages without a subscription.
func TestIgnored(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 1})
	m := w.beginMeeting(0)
	w.pump(time.Second)
	f := func(want Outcome, content string) {
		t.Helper()
		assert.Equal(t, want, w.send(0, 0, content))
	}
	f(UnknownType, `"type":"quantumUpdate","subscriptionIndex":1`)
	f(Ignored, `"type":"rosterUpdate","subscriptionIndex":99,"updates":[]`)
	f(Ignored, `"type":"rosterUpdate","updates":[]`)
	f(Ignored, `"type":"rosterUpdate","subscriptionIndex":1,"updates":[]`)
	f(Ignored, `"type":"callInfoUpdate","subscriptionIndex":2,"callInfo":{}`)
	f(Accepted, `"type":"rosterUpdate","subscriptionIndex":2,"updates":[]`)
	f(Ignored, `"type":"rosterUpdate","subscriptionIndex":2,"updates":[{"participant":"x","updateType":"remove"}]`)
	f(Ignored, `"type":"rosterUpdate","subscriptionIndex":2,"updates":[{"updateType":"add"}]`)
	f(Ignored, `"type":"callListUpdate","subscriptionIndex":7,"updates":[]`)
	f(Accepted, `"type":"callListUpdate","updates":[]`)
	f(Ignored, `"type":"callListUpdate","subscriptionIndex":1,"updates":[{"call":"x","updateType":"remove"},{"updateType":"add"}]`)
	f(Ignored, `"type":"subscriptionUpdate","subscriptions":[{"index":99,"state":"deactivated"}]`)
	f(Accepted, `"type":"subscriptionUpdate","subscriptions":[{"index":2,"state":"active"},{"index":2,"state":"strange"}]`)
	f(ListEnded, `"type":"subscriptionUpdate","subscriptions":[{"index":2,"state":"active"},{"index":1,"state":"deactivated"}]`)
	assert.Equal(t, m.calls[0], w.c.SubscriptionSet(0, 0)[1].Call)
}

// Advance has no work before the time that Next returns.
func TestNext(t *testing.T) {
	w := newWorld(t, Options{Servers: 1, MaxConnections: 1})
	assert.True(t, w.c.Next().IsZero())
	w.open(0, 0)
	assert.Equal(t, w.now, w.c.Next())
	w.pump(time.Minute)
	assert.True(t, w.c.Next().IsZero(), "nothing is absent")
	w.addPerson(w.beginMeeting(0), 0)
	assert.Equal(t, w.now.Add(coalesceDelay), w.c.Next())
	w.pump(time.Minute)
	w.close(0, 0)
	w.pump(0)
	assert.Equal(t, w.now.Add(5*time.Minute), w.c.Next())
	w.meetings = nil
	w.open(0, 0)
	w.pump(time.Second)
	assert.Equal(t, w.now.Add(2*time.Second), w.c.Next(), "the end of the list's snapshot")
	w.pump(3 * time.Second)
	assert.True(t, w.c.Next().IsZero())
}

// A participant takes at most 1 KiB of heap.
func TestHeapPerParticipant(t *testing.T) {
	const calls, people = 100, 200
	w := newWorld(t, Options{Servers: 1, MaxConnections: 3})
	w.c.sink = sinkFunc(func(*Change) bool { return true })
	for slot := range 3 {
		w.open(0, slot)
	}
	frame := func(i, p int) string {
		return fmt.Sprintf(`{"participant":"%08d-0000-4000-8000-%012d","updateType":"add","name":"Firstname Lastname %d","uri":"firstname.lastname%[3]d",`+
			`"state":"connected","direction":"incoming","audioMuted":false,"videoMuted":false,"importance":null,"layout":"speakerOnly","activeSpeaker":false,`+
			`"presenter":false,"endpointRecording":"inactive","canMove":true,"canMoveToLobby":true,"movedParticipant":"383e2b95-73ef-4a8d-84ca-189e795009b8",`+
			`"movedParticipantCallBridge":"d80df859-cbc0-44ee-8611-449ab1bf39d7"}`, i, p, p)
	}
	for i := range calls {
		w.send(0, 0, fmt.Sprintf(`"type":"callListUpdate","subscriptionIndex":1,"updates":[{"call":"call-%d","updateType":"add","callCorrelator":"c%[1]d"}]`, i))
	}
	w.c.Advance(w.now.Add(time.Second))
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range calls {
		k := w.c.servers[0].calls[fmt.Sprintf("call-%d", i)]
		require.NotNil(t, k.rosterSub)
		for p := range people {
			w.send(0, k.rosterSub.slot, fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[%s]`, k.rosterSub.index, frame(i, p)))
		}
	}
	each := float64(heap()-before) / calls / people
	t.Logf("%.0f bytes for each participant", each)
	assert.Less(t, each, 1024.0)
	runtime.KeepAlive(w)
}

// On a full server, a meeting that only this server hosts displaces a meeting that another
// server hosts too.
func TestMakeRoom(t *testing.T) {
	w := newConnectedWorld(t, Options{Servers: 2, MaxConnections: 1})
	for range 99 {
		m := w.beginMeeting(0, 1)
		w.addPerson(m, 0)
		w.addPerson(m, 1)
		w.addPerson(m, 1)
	}
	w.pump(time.Second)
	for range 90 {
		w.addPerson(w.beginMeeting(0), 0)
	}
	w.pump(10 * time.Second)
	for _, m := range w.meetings {
		assert.Len(t, w.rosterServers(m), 1)
	}
	w.pump(time.Minute)
	w.verify()
}
