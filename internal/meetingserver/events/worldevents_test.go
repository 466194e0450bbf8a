// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

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

func (w *world) newID(kind string) string {
	w.lastID++
	return fmt.Sprintf("%s-%05d", kind, w.lastID)
}

// beginMeeting begins a meeting on some servers.
func (w *world) beginMeeting(servers ...int) *worldMeeting {
	m := &worldMeeting{correlator: w.newID("correlator"), calls: map[int]string{}, recording: "inactive"}
	w.meetings = append(w.meetings, m)
	for _, server := range servers {
		w.addCall(m, server)
	}
	return m
}

// addCall begins a meeting's call on a further server.
func (w *world) addCall(m *worldMeeting, server int) {
	if _, here := m.calls[server]; here || m.correlatorHidden && len(m.calls) > 0 {
		return
	}
	m.calls[server] = w.newID("call")
	w.eachSubscription(server, Calls, "", func(slot int, index int64) { w.sendListUpdate(server, slot, index, m.calls[server], "add", m) })
}

// endCall ends a meeting's call on a server.
func (w *world) endCall(m *worldMeeting, server int) {
	call := m.calls[server]
	delete(m.calls, server)
	if w.clearsRoster {
		w.eachSubscription(server, CallRoster, call, func(slot int, index int64) {
			for _, p := range m.people {
				w.send(server, slot, fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[{"participant":%q,"updateType":"remove"}]`, index, p.id))
			}
		})
	}
	for _, kind := range []SubKind{CallRoster, CallInfo} {
		w.eachSubscription(server, kind, call, func(slot int, index int64) {
			delete(w.servers[server].slots[slot].subs, index)
			w.send(server, slot, fmt.Sprintf(`"type":"subscriptionUpdate","subscriptions":[{"index":%d,"state":"deactivated"}]`, index))
		})
	}
	w.eachSubscription(server, Calls, "", func(slot int, index int64) { w.sendListUpdate(server, slot, index, call, "remove", m) })
}

func (w *world) endMeeting(m *worldMeeting) {
	w.meetings = slices.DeleteFunc(w.meetings, func(other *worldMeeting) bool { return other == m })
	for _, server := range slices.Sorted(maps.Keys(m.calls)) {
		w.endCall(m, server)
	}
}

func (w *world) sendRoster(m *worldMeeting, content func(server int) string) {
	for _, server := range slices.Sorted(maps.Keys(m.calls)) {
		w.eachSubscription(server, CallRoster, m.calls[server], func(slot int, index int64) {
			w.send(server, slot, fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[%s]`, index, content(server)))
		})
	}
}

func (w *world) addPerson(m *worldMeeting, server int) *worldPerson {
	p := &worldPerson{id: w.newID("person"), name: "n", state: "ringing", server: server}
	m.people = append(m.people, p)
	w.sendRoster(m, func(int) string { return p.update("add") })
	return p
}

func (w *world) renamePerson(m *worldMeeting, p *worldPerson, name string) {
	p.name, p.state = name, "connected"
	w.sendRoster(m, func(int) string { return p.update("update") })
}

func (w *world) removePerson(m *worldMeeting, p *worldPerson, reason string) {
	m.people = slices.DeleteFunc(m.people, func(other *worldPerson) bool { return other == p })
	w.sendRoster(m, func(server int) string {
		reasonField := ""
		if server == p.server && reason != "" {
			reasonField = fmt.Sprintf(`,"reason":%q`, reason)
		}
		return fmt.Sprintf(`{"participant":%q,"updateType":"remove"%s}`, p.id, reasonField)
	})
}

// revealCorrelator makes the servers report the correlator of a meeting.
func (w *world) revealCorrelator(m *worldMeeting) {
	if m.correlatorHidden {
		m.correlatorHidden = false
		w.setRecording(m, m.recording)
	}
}

func (w *world) setRecording(m *worldMeeting, state string) {
	m.recording = state
	for server, call := range m.calls {
		w.eachSubscription(server, Calls, "", func(slot int, index int64) { w.sendListUpdate(server, slot, index, call, "update", m) })
		w.eachSubscription(server, CallInfo, call, func(slot int, index int64) {
			w.send(server, slot, fmt.Sprintf(`"type":"callInfoUpdate","subscriptionIndex":%d,"callInfo":%s`, index, m.json()))
		})
	}
}

// randomEvent makes one random event happen.
func (w *world) randomEvent(r *rand.Rand) {
	pick := func() *worldMeeting {
		if len(w.meetings) == 0 {
			return nil
		}
		return w.meetings[r.IntN(len(w.meetings))]
	}
	server, m := r.IntN(len(w.servers)), pick()
	switch n := r.IntN(40); {
	case n < 3 || m == nil:
		m = w.beginMeeting()
		m.correlatorHidden = r.IntN(4) == 0
		w.addCall(m, server)
		w.addPerson(m, server)
	case n < 12:
		if w.addCall(m, server); m.calls[server] != "" {
			w.addPerson(m, server)
		}
	case n < 18 && len(m.people) > 0:
		w.renamePerson(m, m.people[r.IntN(len(m.people))], strconv.Itoa(w.lastID))
	case n < 26 && len(m.people) > 1:
		p := m.people[r.IntN(len(m.people))]
		w.removePerson(m, p, []string{"", "remoteTeardown"}[r.IntN(2)])
		// A server without a participant of its own leaves.
		if !slices.ContainsFunc(m.people, func(other *worldPerson) bool { return other.server == p.server }) && len(m.calls) > 1 {
			w.endCall(m, p.server)
		}
	case n < 28:
		w.endMeeting(m)
	case n < 30:
		w.setRecording(m, []string{"active", "inactive"}[r.IntN(2)])
	case n < 32:
		w.close(server, r.IntN(len(w.servers[server].slots)))
	case n < 36:
		if slot := r.IntN(len(w.servers[server].slots)); !w.servers[server].slots[slot].open {
			w.open(server, slot)
		}
	case n < 37:
		w.sinkFull = !w.sinkFull
	case n < 39:
		w.revealCorrelator(m)
	case n < 40:
		// A damaged message, with or without a readable index.
		slot := r.IntN(len(w.servers[server].slots))
		if t := MessageType(r.IntN(2 * int(MessageTypes))); t < MessageTypes {
			w.c.HandleUnindexedMalformed(w.now, server, slot, t)
		} else if indexes := slices.Sorted(maps.Keys(w.servers[server].slots[slot].subs)); len(indexes) > 0 {
			w.c.HandleMalformedMessage(w.now, server, slot, indexes[r.IntN(len(indexes))])
		}
	}
	w.pump(time.Duration(r.IntN(1500)) * time.Millisecond)
}
