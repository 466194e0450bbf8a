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

// ready is a world whose servers are all connected.
func ready(t *testing.T, opts Options) *world {
	t.Helper()
	w := newWorld(t, opts)
	for server := range w.servers {
		w.open(server, 0)
	}
	w.pump(time.Second)
	return w
}

// watched returns on which servers a meeting's roster is subscribed to.
func (w *world) watched(m *worldMeeting) (servers []int) {
	for server, call := range m.calls {
		w.each(server, CallRoster, call, func(int, int64) { servers = append(servers, server) })
	}
	return servers
}

// A bridge that leaves a call hands over to another one that hosts it, without
// anybody leaving or joining.
func TestHandOver(t *testing.T) {
	w := ready(t, Options{Servers: 3, MaxConnections: 1})
	m := w.begin(0, 1, 2)
	for server := range 3 {
		w.join(m, server)
	}
	w.pump(time.Second)
	first := w.watched(m)
	require.Len(t, first, 1, "one of them is enough")
	w.leave(m, first[0])
	w.pump(time.Second)
	second := w.watched(m)
	require.Len(t, second, 1)
	assert.NotEqual(t, first, second)
	w.pump(time.Minute)
	w.verify()

	// The server that it is watched on goes away: the same.
	w.close(second[0], 0)
	w.pump(time.Second)
	third := w.watched(m)
	require.Len(t, third, 1)
	assert.NotEqual(t, second, third)
	assert.Len(t, w.told, 3)
	w.open(second[0], 0)
	w.pump(time.Minute)
	assert.Equal(t, third, w.watched(m), "it stays where it is")
	w.verify()
}

// With the roster on all bridges a reason is told, whichever bridge is first.
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
	m := w.begin(0, 1)
	near, far := w.join(m, 0), w.join(m, 1)
	w.pump(time.Second)
	assert.Len(t, w.watched(m), 2)
	w.part(m, near, "remoteTeardown") // bridge 0 says why, then bridge 1 says nothing
	w.part(m, far, "timeout")         // bridge 0 says nothing, then bridge 1 says why
	assert.Equal(t, map[string]string{near.id: "remoteTeardown", far.id: "timeout"}, reasons)
	// Late news of one who left does not bring them back.
	w.roster(m, func(int) string { return near.entry("update") })
	w.pump(time.Minute)
	w.verify()
}

type sinkFunc func(*Change) bool

func (f sinkFunc) Accept(c *Change) bool { return f(c) }

// A call that says late which meeting it is part of joins it, with its people.
func TestLateCorrelator(t *testing.T) {
	w := ready(t, Options{Servers: 2, MaxConnections: 1})
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
	// And elsewhere, alone.
	w.send(1, 0, `"type":"callListUpdate","subscriptionIndex":1,"updates":[{"call":"b","updateType":"update","callCorrelator":"d"}]`)
	assert.Len(t, w.c.meetings, 2)
	assert.Len(t, b.meeting.participants, 1)
	assert.Equal(t, map[string]*meeting{"c": w.c.servers[0].calls["a"].meeting, "d": b.meeting}, w.c.byCorrelator)
}

// A space has one correlator for all of its meetings: the next one on the same
// bridge is another meeting, whether the end of the last was seen or not.
func TestOneSpaceTwoMeetings(t *testing.T) {
	w := ready(t, Options{Servers: 1, MaxConnections: 1})
	one := w.begin(0)
	w.join(one, 0)
	w.pump(time.Second)
	w.close(0, 0)
	w.meetings = nil
	two := w.begin(0)
	two.correlator = one.correlator
	w.join(two, 0)
	w.open(0, 0)
	w.pump(time.Minute)
	w.verify()

	three := w.begin(0)
	three.correlator = one.correlator
	w.join(three, 0)
	w.pump(time.Second)
	w.verify()
	w.end(two)
	w.pump(time.Second)
	w.verify()
}

// More calls than there is room for: the busiest are watched, more sockets give
// more room, and what is not watched is counted.
func TestRoom(t *testing.T) {
	w := ready(t, Options{Servers: 1, MaxConnections: 2})
	for i := range 150 {
		m := w.begin(0)
		for range 1 + i%5 {
			w.join(m, 0)
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
		watched += len(w.watched(m))
	}
	assert.Equal(t, 150, watched, "rosters first")

	for range 150 {
		w.join(w.begin(0), 0)
	}
	w.pump(10 * time.Second)
	var small, large int
	for _, m := range w.meetings {
		if len(w.watched(m)) > 0 {
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

	// A meeting that grows takes the place of one that does not. Who is not
	// followed any more is said to be gone, for that reason.
	var quiet *worldMeeting
	for _, m := range w.meetings {
		if len(w.watched(m)) == 0 {
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
		w.join(quiet, 0)
	}
	w.record(quiet, "inactive")
	w.pump(10 * time.Second)
	assert.Len(t, w.watched(quiet), 1)
	assert.Equal(t, map[string]int{NotWatched: 1}, reasons)

	// The second socket is refused: what was on it is not forgotten at once.
	before := len(w.told)
	w.close(0, 1)
	w.pump(time.Second)
	assert.Len(t, w.told, before)
	w.open(0, 1)
	w.pump(10 * time.Second)
	assert.InDelta(t, before, len(w.told), 0)

	for len(w.meetings) > 20 {
		w.end(w.meetings[0])
	}
	w.pump(10 * time.Second)
	assert.Equal(t, SubscriptionCounts{Wanted: 41, Active: 41}, w.c.SubscriptionCounts(0))
	w.close(0, 1)
	w.pump(10 * time.Second)
	assert.Equal(t, 1, w.c.SocketsWanted(0))
	w.verify()
}

// A server that does not come back: what nobody tells of any more is gone.
func TestLost(t *testing.T) {
	w := ready(t, Options{Servers: 2, MaxConnections: 1})
	both, one := w.begin(0, 1), w.begin(1)
	w.join(both, 0)
	w.join(one, 1)
	w.pump(time.Second)
	assert.True(t, w.c.HasState(1))
	w.close(1, 0)
	w.pump(4 * time.Minute)
	assert.Len(t, w.told, 2, "it is kept for a while")
	assert.True(t, w.c.HasState(1))
	w.pump(2 * time.Minute)
	assert.Len(t, w.told, 1)
	assert.Len(t, w.calls, 1)
	assert.False(t, w.c.HasState(1), "there is no picture of it")
	assert.False(t, w.c.ListActive(1))
	w.open(1, 0)
	w.pump(time.Minute)
	w.verify()
}

// What is above the limits is left out, and counted.
func TestLimits(t *testing.T) {
	w := ready(t, Options{Servers: 1, MaxConnections: 1})
	w.c.opts.Limits = Limits{Calls: 3, Participants: 4}
	for range 5 {
		w.join(w.begin(0), 0)
	}
	w.pump(time.Second)
	for range 5 {
		w.join(w.meetings[0], 0)
	}
	calls, people := w.c.Size()
	assert.Equal(t, 3, calls)
	assert.Equal(t, 4, people)
	assert.Equal(t, uint64(2+4), w.c.Untracked())
}

// Messages that belong to nothing: taken, and ignored.
func TestIgnored(t *testing.T) {
	w := ready(t, Options{Servers: 1, MaxConnections: 1})
	m := w.begin(0)
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

// Advance has nothing to do before Next says so.
func TestNext(t *testing.T) {
	w := newWorld(t, Options{Servers: 1, MaxConnections: 1})
	assert.True(t, w.c.Next().IsZero())
	w.open(0, 0)
	assert.Equal(t, w.now, w.c.Next())
	w.pump(time.Minute)
	assert.True(t, w.c.Next().IsZero(), "nothing was known before, so nothing is missing")
	w.join(w.begin(0), 0)
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

// The project's bound: 1 KiB of heap for each participant that is watched.
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

// A meeting that only a full bridge hosts gets the place of one that has others.
func TestMakeRoom(t *testing.T) {
	w := ready(t, Options{Servers: 2, MaxConnections: 1})
	for range 99 {
		m := w.begin(0, 1)
		w.join(m, 0)
		w.join(m, 1)
		w.join(m, 1)
	}
	w.pump(time.Second)
	for range 90 {
		w.join(w.begin(0), 0)
	}
	w.pump(10 * time.Second)
	for _, m := range w.meetings {
		assert.Len(t, w.watched(m), 1)
	}
	w.pump(time.Minute)
	w.verify()
}
