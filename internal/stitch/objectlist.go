// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

// listLinks are an object's links in a list.
type listLinks struct{ previous, next uint32 }

// list is a doubly linked list of objects. linksOf returns the links of an object that this
// list uses, because an object is in several lists.
type list struct{ head, tail uint32 }

func (l *list) push(e *Engine, slot uint32, linksOf func(*object) *listLinks) {
	*linksOf(e.objects.at(slot)) = listLinks{previous: l.tail}
	if l.tail != 0 {
		linksOf(e.objects.at(l.tail)).next = slot
	} else {
		l.head = slot
	}
	l.tail = slot
}

func (l *list) remove(e *Engine, slot uint32, linksOf func(*object) *listLinks) {
	links := linksOf(e.objects.at(slot))
	if links.previous != 0 {
		linksOf(e.objects.at(links.previous)).next = links.next
	} else {
		l.head = links.next
	}
	if links.next != 0 {
		linksOf(e.objects.at(links.next)).previous = links.previous
	} else {
		l.tail = links.previous
	}
	*links = listLinks{}
}

func byState(o *object) *listLinks   { return &o.queue }
func bySession(o *object) *listLinks { return &o.ofSession }

func byCall(o *object) *listLinks { return &o.ofCall }

// setState moves an object to the end of a state's queue. All objects of a state wait for the
// same time, so each queue is in the order of its deadlines.
func (e *Engine) setState(slot uint32, to state, since int64) {
	o := e.objects.at(slot)
	if o.state != free {
		e.queues[o.state].remove(e, slot, byState)
		e.counts[o.kind][o.state]--
	}
	if o.state == open {
		e.removeFromOpenLists(slot)
	}
	e.removeFromSessionEnded(slot)
	o.state, o.since = to, since
	e.counts[o.kind][to]++
	e.queues[to].push(e, slot, byState)
	if to == open {
		e.addToOpenLists(slot)
	}
	e.markDirty(slot, flagDirty)
}

// addToOpenLists adds an open object to the lists of its sender's session and of its call.
func (e *Engine) addToOpenLists(slot uint32) {
	o := e.objects.at(slot)
	if o.session != 0 {
		e.sessions.at(o.session).open.push(e, slot, bySession)
	}
	if o.containerSlot != 0 && o.kind != Track {
		e.infoOf(o.containerSlot).open.push(e, slot, byCall)
	}
}

// removeFromOpenLists undoes addToOpenLists.
func (e *Engine) removeFromOpenLists(slot uint32) {
	o := e.objects.at(slot)
	if o.session != 0 {
		e.sessions.at(o.session).open.remove(e, slot, bySession)
	}
	if o.containerSlot != 0 && o.kind != Track {
		e.infoOf(o.containerSlot).open.remove(e, slot, byCall)
	}
}
