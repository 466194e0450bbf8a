// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"maps"
	"slices"
)

// maxUpdates is how many updates one message holds at most, so that the largest
// snapshot stays below a few hundred kilobytes.
const maxUpdates = 250

// maxQueue is how much may wait for a client before the server gives it up.
const maxQueue = 100_000

// item waits in the queue of a socket, small enough to be joined with its
// neighbours into one message.
type item struct {
	kind    string // of the message
	index   int64
	state   string     // of a subscription
	entries []elements // of a list
	info    elements
	odd     *message // sent as it is
}

// The types of messages.
const (
	messageState  = "subscriptionUpdate"
	messageCalls  = "callListUpdate"
	messageInfo   = "callInfoUpdate"
	messageRoster = "rosterUpdate"
)

func (k *socket) queueState(index int64, state string) {
	k.push(item{kind: messageState, index: index, state: state})
}

// queueUpdate queues updates as the subscription shows them; no updates at all
// make a message without any.
func (k *socket) queueUpdate(s *subscription, list ...update) {
	it, identifier := item{kind: messageCalls, index: s.index}, "call"
	if s.resource.kind == typeRoster {
		it.kind, identifier = messageRoster, "participant"
	}
	for _, u := range list {
		e := u.entry(identifier, s.asked)
		if u.kind == kindUpdate && len(e) == 2 {
			return // nothing of it was asked for
		}
		it.entries = append(it.entries, e)
	}
	k.push(it)
}

func (k *socket) queueInfo(s *subscription, e elements) {
	k.push(item{kind: messageInfo, index: s.index, info: s.asked(e)})
}

// push queues an item, unless nothing will be sent any more.
func (k *socket) push(it item) {
	if k.silent {
		return
	}
	if len(k.queue) >= maxQueue {
		k.blame(Backlog, "%d updates wait", len(k.queue))
		k.hush()
		return
	}
	k.queue = append(k.queue, it)
	k.nudge()
}

// hush makes the socket silent for ever.
func (k *socket) hush() {
	k.silent = true
	k.queue = nil
	k.server.cluster.changed()
}

// pop joins as many items as fit into the next message.
func (k *socket) pop() message {
	first := k.queue[0]
	n := 1
	for n < len(k.queue) && first.join(k.queue[:n], k.queue[n]) {
		n++
	}
	m := build(k.queue[:n])
	k.queue = slices.Delete(k.queue, 0, n)
	if len(k.queue) == 0 {
		k.queue = nil
	}
	return m
}

// join tells whether an item goes into one message with those before it.
func (it item) join(before []item, next item) bool {
	switch {
	case it.odd != nil || next.odd != nil || it.kind != next.kind || len(before) >= maxUpdates:
		return false
	case it.kind == messageState:
		return !slices.ContainsFunc(before, func(x item) bool { return x.index == next.index })
	default:
		return it.index == next.index
	}
}

// build makes the message of items that belong together.
func build(items []item) message {
	first := items[0]
	if first.odd != nil {
		return *first.odd
	}
	m := message{Type: first.kind}
	switch first.kind {
	case messageState:
		for _, it := range items {
			m.Subscriptions = append(m.Subscriptions, subscriptionState{it.index, it.state})
		}
		return m
	case messageInfo:
		info := elements{}
		for _, it := range items {
			maps.Copy(info, it.info)
		}
		m.CallInfo = &info
	default:
		list := []elements{}
		for _, it := range items {
			list = append(list, it.entries...)
		}
		m.Updates = &list
	}
	m.SubscriptionIndex = &first.index
	return m
}
