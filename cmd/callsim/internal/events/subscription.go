// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"maps"
	"slices"
)

// The limits of a real server.
const (
	maxSubscriptions = 100 // of a socket
	maxSockets       = 5   // of a server
)

// resource is what a subscription is about.
type resource struct{ kind, call string }

// subscription is one that is pending or active; it is forgotten when it ends.
type subscription struct {
	index    int64
	resource resource
	elements []string // asked for and known, sorted
	// revived tells that the server had ended a subscription of this index: the
	// client may not have known yet when it asked for it again.
	revived bool
}

// asked keeps of the elements those that were asked for.
func (s *subscription) asked(e elements) elements {
	kept := elements{}
	for _, name := range s.elements {
		if value, ok := e[name]; ok {
			kept[name] = value
		}
	}
	return kept
}

// subscribe replaces the subscriptions of a socket by those wanted.
func (k *socket) subscribe(id int64, list []wanted) {
	k.server.account.Requests++
	if len(list) > maxSubscriptions {
		k.blame(OverLimit, "%d subscriptions in request %d", len(list), id)
		k.answer(id, statusFailure)
		return
	}
	if k.server.cluster.strange() {
		k.server.account.Faults["odd_refusal"]++
		k.answer(id, statusFailure)
		return
	}
	k.answer(id, statusSuccess)
	subs := k.choose(list)
	k.server.account.MostSubscriptions = max(k.server.account.MostSubscriptions, len(subs))

	before := k.subs
	k.subs, k.byResource = map[int64]*subscription{}, map[resource]*subscription{}
	var kept, fresh []*subscription
	for _, s := range subs {
		former := before[s.index]
		if former != nil && former.resource == s.resource && slices.Equal(former.elements, s.elements) {
			s = former
			kept = append(kept, s)
		} else {
			fresh = append(fresh, s)
		}
		k.subs[s.index], k.byResource[s.resource] = s, s
	}
	for _, index := range slices.Sorted(maps.Keys(before)) {
		if k.subs[index] == nil {
			k.queueState(index, stateDeactivated)
		}
	}
	k.begin(kept, fresh)
}

// begin takes new subscriptions through their states to their snapshots.
func (k *socket) begin(kept, fresh []*subscription) {
	if len(fresh) == 0 {
		return
	}
	for _, s := range fresh {
		k.queueState(s.index, statePending)
	}
	for _, s := range kept {
		k.queueState(s.index, stateActive)
	}
	var active []*subscription
	for _, s := range fresh {
		if s.resource.kind != typeCalls && k.call(s.resource) == nil {
			k.drop(s)
			continue
		}
		k.queueState(s.index, stateActive)
		active = append(active, s)
	}
	for _, s := range active {
		k.snapshot(s)
	}
}

// call finds the call of a resource on this bridge, nil for none.
func (k *socket) call(r resource) *call {
	if c := k.server.cluster.stage.calls[r.call]; c != nil && c.on == k.server.stage {
		return c
	}
	return nil
}

// drop ends a subscription.
func (k *socket) drop(s *subscription) {
	delete(k.subs, s.index)
	delete(k.byResource, s.resource)
	k.queueState(s.index, stateDeactivated)
	k.ended[s.index] = true
}

// snapshot queues all there is to a subscription that has become active.
func (k *socket) snapshot(s *subscription) {
	switch s.resource.kind {
	case typeCalls:
		k.queueUpdate(s)
		for _, c := range k.server.stage.calls {
			k.queueUpdate(s, update{id: c.ID, kind: kindAdd, elements: c.shownList})
		}
	case typeInfo:
		k.queueInfo(s, k.call(s.resource).shownInfo)
	case typeRoster:
		k.queueUpdate(s)
		for _, p := range k.call(s.resource).everybody() {
			k.queueUpdate(s, update{id: p.leg.Participant, kind: kindAdd, elements: p.shown})
		}
	}
}

// choose reads the wanted subscriptions as well as they can be, and blames the
// client for what cannot be meant. Of a resource wanted twice the last index
// counts, as if it had come in a request of its own.
func (k *socket) choose(list []wanted) []*subscription {
	var subs []*subscription
	for _, w := range list {
		s := k.parse(w)
		if s == nil {
			continue
		}
		if slices.ContainsFunc(subs, func(x *subscription) bool { return x.index == s.index }) {
			k.blame(DuplicateIndex, "index %d", s.index)
			continue
		}
		if at := slices.IndexFunc(subs, func(x *subscription) bool { return x.resource == s.resource }); at >= 0 {
			k.blame(DuplicateResource, "indexes %d and %d for %s %s", subs[at].index, s.index, s.resource.kind, s.resource.call)
			subs = slices.Delete(subs, at, at+1)
		}
		k.checkIndex(s)
		subs = append(subs, s)
	}
	return subs
}

// checkIndex holds the client to one index for one resource.
func (k *socket) checkIndex(s *subscription) {
	if former, ok := k.meant[s.index]; ok && former != s.resource {
		k.blame(IndexReused, "index %d was %s %s, is %s %s", s.index, former.kind, former.call, s.resource.kind, s.resource.call)
	}
	k.meant[s.index] = s.resource
	s.revived = k.ended[s.index]
	if former := k.byResource[s.resource]; former != nil && former.index != s.index && !former.revived {
		k.blame(Renumbered, "index %d becomes %d for %s %s", former.index, s.index, s.resource.kind, s.resource.call)
	}
}

// parse makes a subscription, nil when it makes no sense.
func (k *socket) parse(w wanted) *subscription {
	known, ok := names[w.Type]
	switch {
	case w.Index == nil:
		k.blame(MissingIndex, "a subscription of type %q", w.Type)
		return nil
	case !ok:
		k.blame(UnknownType, "%q at index %d", w.Type, *w.Index)
		return nil
	}
	s := &subscription{index: *w.Index, resource: resource{w.Type, w.Call}}
	for _, name := range w.Elements {
		if slices.Contains(known, name) {
			s.elements = append(s.elements, name)
		} else {
			k.blame(UnknownElement, "%q of %s", name, w.Type)
		}
	}
	slices.Sort(s.elements)
	s.elements = slices.Compact(s.elements)
	return s
}
