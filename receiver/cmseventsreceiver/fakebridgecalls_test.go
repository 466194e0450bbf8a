// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"fmt"
	"maps"
	"slices"
)

// The calls and participants of a fakeBridge.

// eachSubscription calls f for each subscription of a kind and call.
func (b *fakeBridge) eachSubscription(kind, call string, f func(p *fakeSocket, index int64)) {
	for p := range b.sockets {
		for index, s := range p.subs {
			if s.kind == kind && s.call == call {
				f(p, index)
			}
		}
	}
}

func (b *fakeBridge) addCall(id string, e elements) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[id] = &bridgeCall{elements: maps.Clone(e), people: map[string]elements{}}
	b.order = append(b.order, id)
	b.eachSubscription("calls", "", func(p *fakeSocket, index int64) {
		p.sendUpdates("callListUpdate", index, []string{updateJSON("call", id, "add", e)})
	})
}

func (b *fakeBridge) updateCall(id string, e elements) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.Copy(b.calls[id].elements, e)
	b.eachSubscription("calls", "", func(p *fakeSocket, index int64) {
		p.sendUpdates("callListUpdate", index, []string{updateJSON("call", id, "update", e)})
	})
	b.eachSubscription("callInfo", id, func(p *fakeSocket, index int64) { p.sendCallInfo(index, e) })
}

// removeCall ends a call: first its subscriptions, then its entry in the list.
func (b *fakeBridge) removeCall(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.calls, id)
	b.order = slices.DeleteFunc(b.order, func(other string) bool { return other == id })
	for p := range b.sockets {
		for index, s := range p.subs {
			if s.call == id && s.kind != "calls" {
				delete(p.subs, index)
				p.sendMessage(fmt.Sprintf(`"type":"subscriptionUpdate","subscriptions":[{"index":%d,"state":"deactivated"}]`, index))
			}
		}
	}
	b.eachSubscription("calls", "", func(p *fakeSocket, index int64) {
		p.sendUpdates("callListUpdate", index, []string{updateJSON("call", id, "remove", nil)})
	})
}

func (b *fakeBridge) addParticipant(call, id string, e elements) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.calls[call]
	c.people[id] = maps.Clone(e)
	c.order = append(c.order, id)
	b.eachSubscription("callRoster", call, func(p *fakeSocket, index int64) {
		p.sendUpdates("rosterUpdate", index, []string{updateJSON("participant", id, "add", e)})
	})
}

func (b *fakeBridge) updateParticipant(call, id string, e elements) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.Copy(b.calls[call].people[id], e)
	b.eachSubscription("callRoster", call, func(p *fakeSocket, index int64) {
		p.sendUpdates("rosterUpdate", index, []string{updateJSON("participant", id, "update", e)})
	})
}

func (b *fakeBridge) removeParticipant(call, id, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.calls[call]
	delete(c.people, id)
	c.order = slices.DeleteFunc(c.order, func(other string) bool { return other == id })
	e := elements{}
	if reason != "" {
		e["reason"] = reason
	}
	b.eachSubscription("callRoster", call, func(p *fakeSocket, index int64) {
		p.sendUpdates("rosterUpdate", index, []string{updateJSON("participant", id, "remove", e)})
	})
}

// leaveMeeting makes the bridge leave a meeting that another bridge continues: it removes
// all participants from its roster, remote ones included, then ends the subscriptions, then
// the call.
func (b *fakeBridge) leaveMeeting(call string) {
	b.mu.Lock()
	for _, id := range b.calls[call].order {
		b.eachSubscription("callRoster", call, func(p *fakeSocket, index int64) {
			p.sendUpdates("rosterUpdate", index, []string{updateJSON("participant", id, "remove", nil)})
		})
	}
	b.mu.Unlock()
	b.removeCall(call)
}
