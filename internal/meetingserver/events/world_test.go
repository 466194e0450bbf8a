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

// world is a cluster of bridges and a client's picture of it. What is true is
// in meetings; what the client is told goes through frames, as on the wire.
type world struct {
	t        *testing.T
	c        *Cluster
	now      time.Time
	meetings []*worldMeeting
	servers  []*worldServer
	made     int
	messages int64

	full bool // the sink takes nothing
	// clears tells whether a bridge that leaves a meeting empties its roster first.
	clears bool
	// mute tells whether a subscription stays pending.
	mute func(server int, sub Subscription) bool
	// garbled tells whether a snapshot comes damaged.
	garbled func(Kind) bool
	dumb    func(Kind) bool // the snapshots that do not begin; nil: all do
	// told is what somebody knows who took all changes.
	told  map[string]map[string]string
	calls map[string]bool
}

type worldMeeting struct {
	correlator string
	calls      map[int]string // by server
	people     []*worldPerson
	recording  string
	secret     bool // the servers do not say the correlator yet
}

type worldPerson struct {
	id, name, state string
	server          int // that hosts them
}

type worldServer struct {
	slots []worldSlot
	used  map[int64]string
}

type worldSlot struct {
	open    bool
	version uint64
	subs    map[int64]Subscription
}

func newWorld(t *testing.T, opts Options) *world {
	t.Helper()
	for k := range opts.Elements {
		opts.Elements[k] = DocumentedElements(Kind(k))
	}
	opts.SnapshotGrace, opts.LostAfter, opts.Limits = 3*time.Second, 5*time.Minute, DefaultLimits
	w := &world{t: t, now: time.Unix(1_700_000_000, 0), told: map[string]map[string]string{}, calls: map[string]bool{}}
	w.c = NewCluster(opts, w)
	for range opts.Servers {
		w.servers = append(w.servers, &worldServer{slots: make([]worldSlot, opts.MaxConnections), used: map[int64]string{}})
	}
	return w
}

// Accept implements Sink: it folds what it is told, and finds what does not follow.
func (w *world) Accept(c *Change) bool {
	if w.full {
		return false
	}
	switch c.Kind {
	case CallAdded:
		assert.False(w.t, w.calls[c.Call], "call %s added twice", c.Call)
		w.calls[c.Call] = true
	case CallChanged, InfoChanged:
		assert.True(w.t, w.calls[c.Call], "call %s changed, but is not there", c.Call)
	case CallRemoved:
		assert.True(w.t, w.calls[c.Call], "call %s removed, but is not there", c.Call)
		delete(w.calls, c.Call)
	case ParticipantAdded:
		assert.NotContains(w.t, w.told, c.Participant, "added twice")
		w.told[c.Participant] = map[string]string{}
		w.put(c)
	case ParticipantChanged:
		assert.Contains(w.t, w.told, c.Participant, "changed, but is not there")
		w.put(c)
	case ParticipantRemoved:
		assert.Contains(w.t, w.told, c.Participant, "removed, but is not there")
		delete(w.told, c.Participant)
	}
	return true
}

func (w *world) put(c *Change) {
	for _, v := range c.Fields {
		w.told[c.Participant][v.Element.String()] = string(v.Text)
	}
}

// send gives the client one message.
func (w *world) send(server, slot int, content string) Outcome {
	var f Frame
	w.messages++
	text := fmt.Sprintf(`{"type":"message","message":{"messageId":%d,%s}}`, w.messages, content)
	require.NoError(w.t, new(Decoder).Decode([]byte(text), &f), text)
	return w.c.Receive(w.now, server, slot, &f)
}

// pump lets time pass, and the servers do what they are asked.
func (w *world) pump(d time.Duration) {
	for end := w.now.Add(d); ; {
		w.c.Advance(w.now)
		if !w.full {
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

// answer does what a request asks, if there is a new one.
func (w *world) answer(server, slot int) {
	s := w.servers[server]
	at := &s.slots[slot]
	if !at.open || w.c.SubscriptionSetVersion(server, slot) == at.version {
		return
	}
	at.version = w.c.SubscriptionSetVersion(server, slot)
	w.c.RequestAccepted(w.now, server, slot)
	set := w.c.SubscriptionSet(server, slot)
	require.LessOrEqual(w.t, len(set), MaxSubscriptions)
	former := at.subs
	at.subs = map[int64]Subscription{}
	for _, sub := range set {
		what := sub.Kind.String() + " " + sub.Call
		if sub.Kind == Calls {
			what += strconv.FormatInt(sub.Index, 10)
		}
		if used, again := s.used[sub.Index]; again {
			require.Equal(w.t, used, what, "an index for something else")
		}
		s.used[sub.Index] = what
		at.subs[sub.Index] = sub
	}
	for _, sub := range set {
		if _, known := former[sub.Index]; !known && at.subs[sub.Index].Index == sub.Index {
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
	if w.mute != nil && w.mute(server, sub) {
		return
	}
	state("active")
	if w.dumb != nil && w.dumb(sub.Kind) {
		return
	}
	if w.garbled != nil && w.garbled(sub.Kind) {
		w.c.HandleDamagedMessage(w.now, server, slot, sub.Index)
		return
	}
	switch sub.Kind {
	case Calls:
		for _, m := range w.meetings {
			if call, here := m.calls[server]; here {
				w.list(server, slot, sub.Index, call, "add", m)
			}
		}
	case CallInfo:
		w.send(server, slot, fmt.Sprintf(`"type":"callInfoUpdate","subscriptionIndex":%d,"callInfo":%s`, sub.Index, m.object()))
	case CallRoster:
		var all []string
		for _, p := range m.people {
			all = append(all, p.entry("add"))
		}
		w.send(server, slot, fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[%s]`, sub.Index, strings.Join(all, ",")))
	}
}

func (w *world) list(server, slot int, index int64, call, what string, m *worldMeeting) {
	object := strings.TrimPrefix(m.object(), "{")
	if what == "remove" {
		object = `"x":1}`
	}
	w.send(server, slot, fmt.Sprintf(`"type":"callListUpdate","subscriptionIndex":%d,"updates":[{"call":%q,"updateType":%q,%s]`, index, call, what, object))
}

func (m *worldMeeting) object() string {
	object := map[string]any{"name": "M", "participants": len(m.people), "recording": m.recording}
	if !m.secret {
		object["callCorrelator"] = m.correlator
	}
	text, _ := json.Marshal(object)
	return string(text)
}

func (p *worldPerson) entry(what string) string {
	return fmt.Sprintf(`{"participant":%q,"updateType":%q,"name":%q,"state":%q,"direction":"incoming"}`, p.id, what, p.name, p.state)
}

func (w *world) meetingOf(server int, call string) *worldMeeting {
	for _, m := range w.meetings {
		if m.calls[server] == call && call != "" {
			return m
		}
	}
	return nil
}

// each calls f for each open subscription of a kind to a call of a server.
func (w *world) each(server int, kind Kind, call string, f func(slot int, index int64)) {
	for slot := range w.servers[server].slots {
		at := &w.servers[server].slots[slot]
		for _, index := range slices.Sorted(maps.Keys(at.subs)) {
			if sub := at.subs[index]; at.open && sub.Kind == kind && sub.Call == call {
				f(slot, index)
			}
		}
	}
}

// What can happen.

func (w *world) open(server, slot int) {
	w.servers[server].slots[slot] = worldSlot{open: true, subs: map[int64]Subscription{}}
	w.c.SocketOpened(w.now, server, slot)
}

func (w *world) close(server, slot int) {
	if at := &w.servers[server].slots[slot]; at.open {
		*at = worldSlot{}
		w.c.SocketClosed(w.now, server, slot)
	}
}

func (w *world) id(kind string) string {
	w.made++
	return fmt.Sprintf("%s-%05d", kind, w.made)
}

// begin begins a meeting on some servers.
func (w *world) begin(servers ...int) *worldMeeting {
	m := &worldMeeting{correlator: w.id("correlator"), calls: map[int]string{}, recording: "inactive"}
	w.meetings = append(w.meetings, m)
	for _, server := range servers {
		w.extend(m, server)
	}
	return m
}

func (w *world) extend(m *worldMeeting, server int) {
	if _, here := m.calls[server]; here || m.secret && len(m.calls) > 0 {
		return
	}
	m.calls[server] = w.id("call")
	w.each(server, Calls, "", func(slot int, index int64) { w.list(server, slot, index, m.calls[server], "add", m) })
}

// leave ends a meeting's call on a server.
func (w *world) leave(m *worldMeeting, server int) {
	call := m.calls[server]
	delete(m.calls, server)
	if w.clears {
		w.each(server, CallRoster, call, func(slot int, index int64) {
			for _, p := range m.people {
				w.send(server, slot, fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[{"participant":%q,"updateType":"remove"}]`, index, p.id))
			}
		})
	}
	for _, kind := range []Kind{CallRoster, CallInfo} {
		w.each(server, kind, call, func(slot int, index int64) {
			delete(w.servers[server].slots[slot].subs, index)
			w.send(server, slot, fmt.Sprintf(`"type":"subscriptionUpdate","subscriptions":[{"index":%d,"state":"deactivated"}]`, index))
		})
	}
	w.each(server, Calls, "", func(slot int, index int64) { w.list(server, slot, index, call, "remove", m) })
}

func (w *world) end(m *worldMeeting) {
	w.meetings = slices.DeleteFunc(w.meetings, func(other *worldMeeting) bool { return other == m })
	for _, server := range slices.Sorted(maps.Keys(m.calls)) {
		w.leave(m, server)
	}
}

func (w *world) roster(m *worldMeeting, content func(server int) string) {
	for _, server := range slices.Sorted(maps.Keys(m.calls)) {
		w.each(server, CallRoster, m.calls[server], func(slot int, index int64) {
			w.send(server, slot, fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[%s]`, index, content(server)))
		})
	}
}

func (w *world) join(m *worldMeeting, server int) *worldPerson {
	p := &worldPerson{id: w.id("person"), name: "n", state: "ringing", server: server}
	m.people = append(m.people, p)
	w.roster(m, func(int) string { return p.entry("add") })
	return p
}

func (w *world) change(m *worldMeeting, p *worldPerson, name string) {
	p.name, p.state = name, "connected"
	w.roster(m, func(int) string { return p.entry("update") })
}

func (w *world) part(m *worldMeeting, p *worldPerson, reason string) {
	m.people = slices.DeleteFunc(m.people, func(other *worldPerson) bool { return other == p })
	w.roster(m, func(server int) string {
		said := ""
		if server == p.server && reason != "" {
			said = fmt.Sprintf(`,"reason":%q`, reason)
		}
		return fmt.Sprintf(`{"participant":%q,"updateType":"remove"%s}`, p.id, said)
	})
}

// reveal makes the servers say which calls are one meeting.
func (w *world) reveal(m *worldMeeting) {
	if m.secret {
		m.secret = false
		w.record(m, m.recording)
	}
}

func (w *world) record(m *worldMeeting, state string) {
	m.recording = state
	for server, call := range m.calls {
		w.each(server, Calls, "", func(slot int, index int64) { w.list(server, slot, index, call, "update", m) })
		w.each(server, CallInfo, call, func(slot int, index int64) {
			w.send(server, slot, fmt.Sprintf(`"type":"callInfoUpdate","subscriptionIndex":%d,"callInfo":%s`, index, m.object()))
		})
	}
}

// verify holds what was told, and what the gauges show, against what is true.
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
	assert.Equal(w.t, people, w.told)
	assert.Len(w.t, w.calls, calls)
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

// random does something that can happen.
func (w *world) random(r *rand.Rand) {
	pick := func() *worldMeeting {
		if len(w.meetings) == 0 {
			return nil
		}
		return w.meetings[r.IntN(len(w.meetings))]
	}
	server, m := r.IntN(len(w.servers)), pick()
	switch n := r.IntN(40); {
	case n < 3 || m == nil:
		m = w.begin()
		m.secret = r.IntN(4) == 0
		w.extend(m, server)
		w.join(m, server)
	case n < 12:
		if w.extend(m, server); m.calls[server] != "" {
			w.join(m, server)
		}
	case n < 18 && len(m.people) > 0:
		w.change(m, m.people[r.IntN(len(m.people))], strconv.Itoa(w.made))
	case n < 26 && len(m.people) > 1:
		p := m.people[r.IntN(len(m.people))]
		w.part(m, p, []string{"", "remoteTeardown"}[r.IntN(2)])
		// A bridge without a participant of its own leaves.
		if !slices.ContainsFunc(m.people, func(other *worldPerson) bool { return other.server == p.server }) && len(m.calls) > 1 {
			w.leave(m, p.server)
		}
	case n < 28:
		w.end(m)
	case n < 30:
		w.record(m, []string{"active", "inactive"}[r.IntN(2)])
	case n < 32:
		w.close(server, r.IntN(len(w.servers[server].slots)))
	case n < 36:
		if slot := r.IntN(len(w.servers[server].slots)); !w.servers[server].slots[slot].open {
			w.open(server, slot)
		}
	case n < 37:
		w.full = !w.full
	case n < 39:
		w.reveal(m)
	case n < 40:
		// A message that cannot be read: nothing of it is known but its index, or
		// not even that.
		slot := r.IntN(len(w.servers[server].slots))
		if t := MessageType(r.IntN(2 * int(MessageTypes))); t < MessageTypes {
			w.c.HandleUnindexedDamage(w.now, server, slot, t)
		} else if indexes := slices.Sorted(maps.Keys(w.servers[server].slots[slot].subs)); len(indexes) > 0 {
			w.c.HandleDamagedMessage(w.now, server, slot, indexes[r.IntN(len(indexes))])
		}
	}
	w.pump(time.Duration(r.IntN(1500)) * time.Millisecond)
}

// Whatever happens: nobody is told of what did not happen, and when all servers
// are there again, what was told is what is true.
func TestWorld(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		w := newWorld(t, Options{Servers: 1 + int(seed%3), MaxConnections: 1 + int(seed%4)/3, RosterOnAllBridges: seed%2 == 1})
		w.clears = seed%5 > 1
		for range 400 {
			w.random(r)
		}
		w.full = false
		for _, m := range w.meetings {
			w.reveal(m)
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
