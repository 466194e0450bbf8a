// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"cmp"
	"slices"
	"time"
)

// socket is one connection of a server with its subscriptions.
type socket struct {
	open       bool
	setVersion uint64
	subs       []*sub // by index
	trial      elementTrial

	renewal renewalBackoff // for damaged messages without a readable index
	renewAt time.Time      // when all subscriptions are renewed; zero: no renewal is scheduled
}

// sub is one subscription.
type sub struct {
	index        int64
	kind         SubKind
	call         *call // nil for Calls
	state        SubState
	server, slot int

	createdAt  time.Time // when the plan first wanted it
	acceptedAt time.Time // when the server accepted the request; zero: not yet
	renewAt    time.Time // when a damaged subscription is renewed; zero: no renewal is scheduled
	isRenewal  bool      // it replaces a damaged subscription
}

func (s *socket) find(index int64) *sub {
	i, found := slices.BinarySearchFunc(s.subs, index, func(s *sub, index int64) int { return cmp.Compare(s.index, index) })
	if !found {
		return nil
	}
	return s.subs[i]
}

// subscribe adds a new subscription to a socket's set, under an index that was never used.
func (c *Cluster) subscribe(now time.Time, server, slot int, kind SubKind, k *call) *sub {
	srv := &c.servers[server]
	srv.lastIndex++
	s := &sub{index: srv.lastIndex, kind: kind, call: k, state: Requested, server: server, slot: slot, createdAt: now}
	at := &srv.sockets[slot]
	at.subs = append(at.subs, s)
	at.setVersion++
	switch kind {
	case CallInfo:
		k.infoSub = s
	case CallRoster:
		k.rosterSub = s
	}
	return s
}

// unsubscribe removes a subscription from its socket's set. Receive ignores later messages
// under its index.
func (c *Cluster) unsubscribe(now time.Time, s *sub) {
	at := &c.servers[s.server].sockets[s.slot]
	at.remove(s)
	c.scheduledRenewals = slices.DeleteFunc(c.scheduledRenewals, func(other *sub) bool { return other == s })
	switch s.kind {
	case CallInfo:
		s.call.infoSub = nil
	case CallRoster:
		s.call.rosterSub = nil
		c.markRosterDown(now, s.call)
	}
	if s.kind != Calls && s.state == Active {
		c.restartAbsence(now, s.call)
	}
}

func (s *socket) remove(gone *sub) {
	s.subs = slices.DeleteFunc(s.subs, func(other *sub) bool { return other == gone })
	s.setVersion++
}

// SubscriptionSetVersion returns a number that changes with the set of a socket's
// subscriptions.
func (c *Cluster) SubscriptionSetVersion(server, slot int) uint64 {
	return c.servers[server].sockets[slot].setVersion
}

// SubscriptionSet returns the complete set of a socket's subscriptions, for a
// subscribeRequest.
func (c *Cluster) SubscriptionSet(server, slot int) []Subscription {
	subs := c.servers[server].sockets[slot].subs
	elements := c.servers[server].elementsFor(slot)
	set := make([]Subscription, 0, len(subs))
	for _, s := range subs {
		entry := Subscription{Index: s.index, Kind: s.kind, Elements: elements[s.kind]}
		if s.call != nil {
			entry.Call = s.call.id
		}
		set = append(set, entry)
	}
	return set
}

// SocketsWanted returns how many sockets a server should have.
func (c *Cluster) SocketsWanted(server int) int {
	srv := &c.servers[server]
	wanted := srv.socketsWanted
	for slot := range srv.sockets {
		if len(srv.sockets[slot].subs) > 0 {
			wanted = max(wanted, slot+1)
		}
	}
	return wanted
}
