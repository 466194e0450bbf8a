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

// resource is the target of a subscription.
type resource struct{ kind, call string }

// subscription is a pending or active subscription.
type subscription struct {
	index    int64
	resource resource
	elements []string // known elements of the request, sorted
	// reactivated means that the server had ended a subscription with this index; the
	// client may not have known that when it sent the request.
	reactivated bool
}

// filter returns the elements that the subscription names.
func (s *subscription) filter(e elements) elements {
	kept := elements{}
	for _, name := range s.elements {
		if value, ok := e[name]; ok {
			kept[name] = value
		}
	}
	return kept
}

// applyRequest replaces the subscriptions of a socket by those of a request.
func (k *socket) applyRequest(id int64, list []wanted) {
	k.server.account.Requests++
	if len(list) > maxSubscriptions {
		k.recordMisuse(OverLimit, "%d subscriptions in request %d", len(list), id)
		k.queueAck(id, statusFailure)
		return
	}
	if k.server.cluster.drawOdd() {
		k.server.account.Faults["odd_refusal"]++
		k.queueAck(id, statusFailure)
		return
	}
	k.queueAck(id, statusSuccess)
	subs := k.parseAll(list)
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
	k.activateNew(kept, fresh)
}

// activateNew sends the states and snapshots of new subscriptions.
func (k *socket) activateNew(kept, fresh []*subscription) {
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
			k.deactivate(s)
			continue
		}
		k.queueState(s.index, stateActive)
		active = append(active, s)
	}
	for _, s := range active {
		k.sendSnapshot(s)
	}
}

// call returns the call of a resource on this bridge, or nil.
func (k *socket) call(r resource) *call {
	if c := k.server.cluster.stage.calls[r.call]; c != nil && c.bridge == k.server.stage {
		return c
	}
	return nil
}

// deactivate ends a subscription.
func (k *socket) deactivate(s *subscription) {
	delete(k.subs, s.index)
	delete(k.byResource, s.resource)
	k.queueState(s.index, stateDeactivated)
	k.ended[s.index] = true
}

// sendSnapshot queues all objects of an active subscription.
func (k *socket) sendSnapshot(s *subscription) {
	switch s.resource.kind {
	case typeCalls:
		k.queueUpdate(s)
		for _, c := range k.server.stage.calls {
			k.queueUpdate(s, update{id: c.ID, kind: kindAdd, elements: c.reportedList})
		}
	case typeInfo:
		k.queueInfo(s, k.call(s.resource).reportedInfo)
	case typeRoster:
		k.queueUpdate(s)
		for _, p := range k.call(s.resource).roster() {
			k.queueUpdate(s, update{id: p.leg.Participant, kind: kindAdd, elements: p.reported})
		}
	}
}

// parseAll parses the subscriptions of a request and records misuse. If a resource occurs
// twice, the last index counts, as if it came in a later request.
func (k *socket) parseAll(list []wanted) []*subscription {
	var subs []*subscription
	for _, w := range list {
		s := k.parse(w)
		if s == nil {
			continue
		}
		if slices.ContainsFunc(subs, func(x *subscription) bool { return x.index == s.index }) {
			k.recordMisuse(DuplicateIndex, "index %d", s.index)
			continue
		}
		if at := slices.IndexFunc(subs, func(x *subscription) bool { return x.resource == s.resource }); at >= 0 {
			k.recordMisuse(DuplicateResource, "indexes %d and %d for %s %s", subs[at].index, s.index, s.resource.kind, s.resource.call)
			subs = slices.Delete(subs, at, at+1)
		}
		k.checkIndex(s)
		subs = append(subs, s)
	}
	return subs
}

// checkIndex records misuse of an index: one resource has one index.
func (k *socket) checkIndex(s *subscription) {
	if former, ok := k.lastResource[s.index]; ok && former != s.resource {
		k.recordMisuse(IndexReused, "index %d was %s %s, is %s %s", s.index, former.kind, former.call, s.resource.kind, s.resource.call)
	}
	k.lastResource[s.index] = s.resource
	s.reactivated = k.ended[s.index]
	if former := k.byResource[s.resource]; former != nil && former.index != s.index && !former.reactivated {
		k.recordMisuse(Renumbered, "index %d becomes %d for %s %s", former.index, s.index, s.resource.kind, s.resource.call)
	}
}

// parse parses one subscription; nil if it is invalid.
func (k *socket) parse(w wanted) *subscription {
	known, ok := elementNames[w.Type]
	switch {
	case w.Index == nil:
		k.recordMisuse(MissingIndex, "a subscription of type %q", w.Type)
		return nil
	case !ok:
		k.recordMisuse(UnknownType, "%q at index %d", w.Type, *w.Index)
		return nil
	}
	s := &subscription{index: *w.Index, resource: resource{w.Type, w.Call}}
	for _, name := range w.Elements {
		if slices.Contains(known, name) {
			s.elements = append(s.elements, name)
		} else {
			k.recordMisuse(UnknownElement, "%q of %s", name, w.Type)
		}
	}
	slices.Sort(s.elements)
	s.elements = slices.Compact(s.elements)
	return s
}
