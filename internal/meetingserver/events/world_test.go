// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// world simulates the servers of a cluster and is the sink of the Cluster under test.
// meetings are the truth; the Cluster learns it through frames, as on the wire.
type world struct {
	t        *testing.T
	c        *Cluster
	now      time.Time
	meetings []*worldMeeting
	servers  []*worldServer
	lastID   int
	messages int64

	sinkFull bool // the sink refuses every change
	// clearsRoster makes a server that leaves a meeting empty its roster first.
	clearsRoster bool
	// staysPending reports whether a subscription never becomes active.
	staysPending func(server int, sub Subscription) bool
	// snapshotDamaged reports whether a snapshot arrives damaged.
	snapshotDamaged     func(SubKind) bool
	snapshotNeverBegins func(SubKind) bool // nil: every snapshot begins
	// sinkPeople and sinkCalls are the objects after all accepted changes.
	sinkPeople map[string]map[string]string
	sinkCalls  map[string]bool
}

type worldMeeting struct {
	correlator       string
	calls            map[int]string // by server
	people           []*worldPerson
	recording        string
	correlatorHidden bool // the servers do not report the correlator yet
}

type worldPerson struct {
	id, name, state string
	server          int // the server that hosts them
}

type worldServer struct {
	slots       []worldSlot
	usedIndexes map[int64]string
}

type worldSlot struct {
	open    bool
	version uint64
	subs    map[int64]Subscription
}

func newWorld(t *testing.T, opts Options) *world {
	t.Helper()
	for k := range opts.Elements {
		opts.Elements[k] = DocumentedElements(SubKind(k))
	}
	opts.SnapshotGrace, opts.LostAfter, opts.Limits = 3*time.Second, 5*time.Minute, DefaultLimits
	w := &world{t: t, now: time.Unix(1_700_000_000, 0), sinkPeople: map[string]map[string]string{}, sinkCalls: map[string]bool{}}
	w.c = NewCluster(opts, w)
	for range opts.Servers {
		w.servers = append(w.servers, &worldServer{slots: make([]worldSlot, opts.MaxConnections), usedIndexes: map[int64]string{}})
	}
	return w
}

// Accept implements Sink. It applies the change, and fails the test if the change does not
// follow from the changes before.
func (w *world) Accept(c *Change) bool {
	if w.sinkFull {
		return false
	}
	switch c.Kind {
	case CallAdded:
		assert.False(w.t, w.sinkCalls[c.Call], "call %s added twice", c.Call)
		w.sinkCalls[c.Call] = true
	case CallChanged, InfoChanged:
		assert.True(w.t, w.sinkCalls[c.Call], "call %s changed, but is not there", c.Call)
	case CallRemoved:
		assert.True(w.t, w.sinkCalls[c.Call], "call %s removed, but is not there", c.Call)
		delete(w.sinkCalls, c.Call)
	case ParticipantAdded:
		assert.NotContains(w.t, w.sinkPeople, c.Participant, "added twice")
		w.sinkPeople[c.Participant] = map[string]string{}
		w.storeFields(c)
	case ParticipantChanged:
		assert.Contains(w.t, w.sinkPeople, c.Participant, "changed, but is not there")
		w.storeFields(c)
	case ParticipantRemoved:
		assert.Contains(w.t, w.sinkPeople, c.Participant, "removed, but is not there")
		delete(w.sinkPeople, c.Participant)
	}
	return true
}

func (w *world) storeFields(c *Change) {
	for _, v := range c.Fields {
		w.sinkPeople[c.Participant][v.Element.String()] = string(v.Text)
	}
}

// send passes one message of a server to the Cluster.
func (w *world) send(server, slot int, content string) Outcome {
	var f Frame
	w.messages++
	text := fmt.Sprintf(`{"type":"message","message":{"messageId":%d,%s}}`, w.messages, content)
	require.NoError(w.t, new(Decoder).Decode([]byte(text), &f), text)
	return w.c.Receive(w.now, server, slot, &f)
}

// pump advances the clock by d in steps of 50 ms. In each step the servers answer new
// requests.
func (w *world) pump(d time.Duration) {
	for end := w.now.Add(d); ; {
		w.c.Advance(w.now)
		if !w.sinkFull {
			for server := range w.servers {
				if w.c.HasPendingChanges(server) {
					assert.True(w.t, w.c.EmitPending(w.now, server))
				}
			}
		}
		for server, s := range w.servers {
			for slot := range s.slots {
				w.answer(server, slot)
			}
		}
		if !w.now.Before(end) {
			return
		}
		w.now = w.now.Add(min(50*time.Millisecond, end.Sub(w.now)))
	}
}

// answer makes a server apply the newest request of a socket.
func (w *world) answer(server, slot int) {
	s := w.servers[server]
	slotState := &s.slots[slot]
	if !slotState.open || w.c.SubscriptionSetVersion(server, slot) == slotState.version {
		return
	}
	slotState.version = w.c.SubscriptionSetVersion(server, slot)
	w.c.RequestAccepted(w.now, server, slot)
	set := w.c.SubscriptionSet(server, slot)
	require.LessOrEqual(w.t, len(set), MaxSubscriptions)
	former := slotState.subs
	slotState.subs = map[int64]Subscription{}
	for _, sub := range set {
		target := sub.Kind.String() + " " + sub.Call
		if sub.Kind == Calls {
			target += strconv.FormatInt(sub.Index, 10)
		}
		if used, again := s.usedIndexes[sub.Index]; again {
			require.Equal(w.t, used, target, "an index is reused")
		}
		s.usedIndexes[sub.Index] = target
		slotState.subs[sub.Index] = sub
	}
	for _, sub := range set {
		if _, known := former[sub.Index]; !known && slotState.subs[sub.Index].Index == sub.Index {
			w.snapshot(server, slot, sub)
		}
	}
}

func (w *world) snapshot(server, slot int, sub Subscription) {
	state := func(state string) {
		w.send(server, slot, fmt.Sprintf(`"type":"subscriptionUpdate","subscriptions":[{"index":%d,"state":%q}]`, sub.Index, state))
	}
	m := w.meetingOf(server, sub.Call)
	if sub.Kind != Calls && m == nil {
		delete(w.servers[server].slots[slot].subs, sub.Index)
		state("deactivated")
		return
	}
	state("pending")
	if w.staysPending != nil && w.staysPending(server, sub) {
		return
	}
	state("active")
	if w.snapshotNeverBegins != nil && w.snapshotNeverBegins(sub.Kind) {
		return
	}
	if w.snapshotDamaged != nil && w.snapshotDamaged(sub.Kind) {
		w.c.HandleMalformedMessage(w.now, server, slot, sub.Index)
		return
	}
	switch sub.Kind {
	case Calls:
		for _, m := range w.meetings {
			if call, here := m.calls[server]; here {
				w.sendListUpdate(server, slot, sub.Index, call, "add", m)
			}
		}
	case CallInfo:
		w.send(server, slot, fmt.Sprintf(`"type":"callInfoUpdate","subscriptionIndex":%d,"callInfo":%s`, sub.Index, m.json()))
	case CallRoster:
		var all []string
		for _, p := range m.people {
			all = append(all, p.update("add"))
		}
		w.send(server, slot, fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[%s]`, sub.Index, strings.Join(all, ",")))
	}
}

func (w *world) sendListUpdate(server, slot int, index int64, call, updateType string, m *worldMeeting) {
	object := strings.TrimPrefix(m.json(), "{")
	if updateType == "remove" {
		object = `"x":1}`
	}
	w.send(server, slot, fmt.Sprintf(`"type":"callListUpdate","subscriptionIndex":%d,"updates":[{"call":%q,"updateType":%q,%s]`, index, call, updateType, object))
}

func (m *worldMeeting) json() string {
	object := map[string]any{"name": "M", "participants": len(m.people), "recording": m.recording}
	if !m.correlatorHidden {
		object["callCorrelator"] = m.correlator
	}
	text, _ := json.Marshal(object)
	return string(text)
}

func (p *worldPerson) update(updateType string) string {
	return fmt.Sprintf(`{"participant":%q,"updateType":%q,"name":%q,"state":%q,"direction":"incoming"}`, p.id, updateType, p.name, p.state)
}

func (w *world) meetingOf(server int, call string) *worldMeeting {
	for _, m := range w.meetings {
		if m.calls[server] == call && call != "" {
			return m
		}
	}
	return nil
}

// eachSubscription calls f for each open subscription of a kind to a call of a server.
func (w *world) eachSubscription(server int, kind SubKind, call string, f func(slot int, index int64)) {
	for slot := range w.servers[server].slots {
		at := &w.servers[server].slots[slot]
		for _, index := range slices.Sorted(maps.Keys(at.subs)) {
			if sub := at.subs[index]; at.open && sub.Kind == kind && sub.Call == call {
				f(slot, index)
			}
		}
	}
}

// verify compares the emitted changes and the gauges with the truth.
func (w *world) verify() {
	w.t.Helper()
	people, recording, calls := map[string]map[string]string{}, int64(0), 0
	for _, m := range w.meetings {
		if m.recording == "active" {
			recording++
		}
		calls += len(m.calls)
		for _, p := range m.people {
			people[p.id] = map[string]string{"name": p.name, "state": p.state, "direction": "incoming"}
		}
	}
	assert.Equal(w.t, people, w.sinkPeople)
	assert.Len(w.t, w.sinkCalls, calls)
	var sum Gauges
	var connected, all int64
	for _, g := range w.c.Gauges() {
		sum.Calls += g.Calls
		sum.Recording += g.Recording
		for s := range g.Participants {
			for _, n := range g.Participants[s] {
				all += n
			}
		}
		connected += g.Participants[Connected][Incoming]
	}
	assert.Equal(w.t, int64(len(w.meetings)), sum.Calls)
	assert.Equal(w.t, recording, sum.Recording)
	assert.Equal(w.t, int64(len(people)), all)
	w.checkBytes()
	held, in := w.c.Size()
	assert.Equal(w.t, calls, held)
	assert.Equal(w.t, len(people), in)
	for m := range w.c.meetings {
		for i, p := range m.participants {
			assert.Equal(w.t, i, p.position)
			assert.Same(w.t, m, p.call.meeting)
		}
		seen := map[int]bool{}
		for _, k := range m.calls {
			assert.False(w.t, seen[k.server], "one call of a server in a meeting")
			seen[k.server] = true
		}
	}
}

// TestWorld: after any series of random events the emitted changes follow from each other,
// and after all servers have reconnected they equal the truth.
func TestWorld(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		w := newWorld(t, Options{Servers: 1 + int(seed%3), MaxConnections: 1 + int(seed%4)/3, RosterOnAllBridges: seed%2 == 1})
		w.clearsRoster = seed%5 > 1
		for range 400 {
			w.randomEvent(r)
		}
		w.sinkFull = false
		for _, m := range w.meetings {
			w.revealCorrelator(m)
		}
		for server := range w.servers {
			if !w.servers[server].slots[0].open {
				w.open(server, 0)
			}
		}
		w.pump(3 * time.Minute)
		w.verify()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
