// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"fmt"
	"maps"
	"slices"
)

// The life of the bridge's calls.

// each calls f for each subscription of a kind and call.
func (b *bridge) each(kind, call string, f func(p *peer, index int64)) {
	for p := range b.sockets {
		for index, s := range p.subs {
			if s.kind == kind && s.call == call {
				f(p, index)
			}
		}
	}
}

func (b *bridge) addCall(id string, e elements) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[id] = &bridgeCall{elements: maps.Clone(e), people: map[string]elements{}}
	b.order = append(b.order, id)
	b.each("calls", "", func(p *peer, index int64) {
		p.updates("callListUpdate", index, []string{entry("call", id, "add", e)})
	})
}

func (b *bridge) updateCall(id string, e elements) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.Copy(b.calls[id].elements, e)
	b.each("calls", "", func(p *peer, index int64) {
		p.updates("callListUpdate", index, []string{entry("call", id, "update", e)})
	})
	b.each("callInfo", id, func(p *peer, index int64) { p.info(index, e) })
}

// removeCall ends a call: its subscriptions, then its place in the list.
func (b *bridge) removeCall(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.calls, id)
	b.order = slices.DeleteFunc(b.order, func(other string) bool { return other == id })
	for p := range b.sockets {
		for index, s := range p.subs {
			if s.call == id && s.kind != "calls" {
				delete(p.subs, index)
				p.message(fmt.Sprintf(`"type":"subscriptionUpdate","subscriptions":[{"index":%d,"state":"deactivated"}]`, index))
			}
		}
	}
	b.each("calls", "", func(p *peer, index int64) {
		p.updates("callListUpdate", index, []string{entry("call", id, "remove", nil)})
	})
}

func (b *bridge) addParticipant(call, id string, e elements) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.calls[call]
	c.people[id] = maps.Clone(e)
	c.order = append(c.order, id)
	b.each("callRoster", call, func(p *peer, index int64) {
		p.updates("rosterUpdate", index, []string{entry("participant", id, "add", e)})
	})
}

func (b *bridge) updateParticipant(call, id string, e elements) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.Copy(b.calls[call].people[id], e)
	b.each("callRoster", call, func(p *peer, index int64) {
		p.updates("rosterUpdate", index, []string{entry("participant", id, "update", e)})
	})
}

func (b *bridge) removeParticipant(call, id, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.calls[call]
	delete(c.people, id)
	c.order = slices.DeleteFunc(c.order, func(other string) bool { return other == id })
	e := elements{}
	if reason != "" {
		e["reason"] = reason
	}
	b.each("callRoster", call, func(p *peer, index int64) {
		p.updates("rosterUpdate", index, []string{entry("participant", id, "remove", e)})
	})
}

// leave ends a bridge's part in a meeting that goes on elsewhere: everybody goes
// from its roster, remote people included, then its subscriptions, then its call.
func (b *bridge) leave(call string) {
	b.mu.Lock()
	for _, id := range b.calls[call].order {
		b.each("callRoster", call, func(p *peer, index int64) {
			p.updates("rosterUpdate", index, []string{entry("participant", id, "remove", nil)})
		})
	}
	b.mu.Unlock()
	b.removeCall(call)
}
