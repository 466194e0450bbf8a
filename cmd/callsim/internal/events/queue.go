// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"maps"
	"slices"
)

// maxUpdates is the largest number of updates in one message, which keeps the largest
// snapshot below a few hundred kilobytes.
const maxUpdates = 250

// maxQueue is the largest number of queued updates before the server gives up a client.
const maxQueue = 100_000

// item is an entry of a socket's queue, small enough that adjacent items share a message.
type item struct {
	kind    string // type of the message
	index   int64
	state   string     // of a subscription
	entries []elements // of a list
	info    elements
	odd     *message // sent unchanged
}

// The types of messages.
const (
	messageState  = "subscriptionUpdate"
	messageCalls  = "callListUpdate"
	messageInfo   = "callInfoUpdate"
	messageRoster = "rosterUpdate"
)

func (k *socket) queueState(index int64, state string) {
	k.enqueue(item{kind: messageState, index: index, state: state})
}

// queueUpdate queues updates with the elements of the subscription. Without updates it
// queues an empty message.
func (k *socket) queueUpdate(s *subscription, list ...update) {
	it, identifier := item{kind: messageCalls, index: s.index}, "call"
	if s.resource.kind == typeRoster {
		it.kind, identifier = messageRoster, "participant"
	}
	for _, u := range list {
		e := u.json(identifier, s.filter)
		if u.kind == kindUpdate && len(e) == 2 {
			return // no subscribed element changed
		}
		it.entries = append(it.entries, e)
	}
	k.enqueue(it)
}

func (k *socket) queueInfo(s *subscription, e elements) {
	k.enqueue(item{kind: messageInfo, index: s.index, info: s.filter(e)})
}

// enqueue adds an item unless the socket is silent.
func (k *socket) enqueue(it item) {
	if k.silent {
		return
	}
	if len(k.queue) >= maxQueue {
		k.recordMisuse(Backlog, "%d updates wait", len(k.queue))
		k.silence()
		return
	}
	k.queue = append(k.queue, it)
	k.wakeWriter()
}

// silence stops all messages of the socket permanently.
func (k *socket) silence() {
	k.silent = true
	k.queue = nil
	k.server.cluster.notifyWaiters()
}

// nextMessage joins as many items as fit into one message.
func (k *socket) nextMessage() message {
	first := k.queue[0]
	n := 1
	for n < len(k.queue) && first.canFollow(k.queue[:n], k.queue[n]) {
		n++
	}
	m := buildMessage(k.queue[:n])
	k.queue = slices.Delete(k.queue, 0, n)
	if len(k.queue) == 0 {
		k.queue = nil
	}
	return m
}

// canFollow reports whether next fits into one message with the items before it.
func (it item) canFollow(before []item, next item) bool {
	switch {
	case it.odd != nil || next.odd != nil || it.kind != next.kind || len(before) >= maxUpdates:
		return false
	case it.kind == messageState:
		return !slices.ContainsFunc(before, func(x item) bool { return x.index == next.index })
	default:
		return it.index == next.index
	}
}

// buildMessage returns the message of items that fit together.
func buildMessage(items []item) message {
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
