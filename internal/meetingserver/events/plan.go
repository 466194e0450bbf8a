// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"cmp"
	"slices"
	"time"
)

// planSubscriptions distributes the free slots of all sockets. First each meeting gets a
// roster subscription, the busiest meeting first; then each meeting gets a call info
// subscription. A subscription stays on its server while that server has a slot for it.
func (c *Cluster) planSubscriptions(now time.Time) {
	c.nextPlan = time.Time{}
	free := make([]int, len(c.servers))
	for server := range c.servers {
		srv := &c.servers[server]
		srv.wanted, srv.unplaced = 1, 0
		for slot := range srv.sockets {
			if srv.sockets[slot].open {
				free[server] += MaxSubscriptions
			}
		}
		if srv.sockets[0].open {
			free[server]-- // taken by the list subscription
		}
		for _, k := range srv.calls {
			k.planned = [subKinds]bool{}
		}
	}
	order := c.meetingsBySize()
	for _, kind := range [...]SubKind{CallRoster, CallInfo} {
		if len(c.opts.Elements[kind]) == 0 {
			continue
		}
		for _, m := range order {
			c.planMeeting(now, m, kind, free)
		}
	}
	c.applyPlan(now)
	for _, m := range order {
		if !m.firstAbsence.IsZero() && c.lacksRoom(now, m) && c.hasAllSockets(m) {
			c.removeAbsent(now, m, NotWatched, func(*participant) bool { return true })
		}
	}
	for server := range c.servers {
		srv := &c.servers[server]
		srv.socketsWanted = min(c.opts.MaxConnections, (srv.wanted+MaxSubscriptions-1)/MaxSubscriptions)
	}
}

// meetingsBySize returns the meetings, busiest first. The size of a meeting with a roster
// subscription counts one and a half times, so that two meetings of similar size do not
// alternate.
func (c *Cluster) meetingsBySize() []*meeting {
	all := make([]*meeting, 0, len(c.meetings))
	for m := range c.meetings {
		size, watched := int64(len(m.participants)), false
		for _, k := range m.calls {
			// Each server reports the participants of the whole meeting, so take the
			// maximum, not the sum.
			for _, fields := range [...]packedElements{k.listFields, k.infoFields} {
				if n, ok := fields.integer(Participants); ok {
					size = max(size, min(n, 1<<20))
				}
			}
			watched = watched || k.rosterSub != nil || len(m.participants) > 0
		}
		if m.planSize = int(size) * 2; watched {
			m.planSize += int(size) + 4
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *meeting) int {
		return cmp.Or(cmp.Compare(b.planSize, a.planSize), cmp.Compare(a.sequence, b.sequence))
	})
	return all
}

// planMeeting reserves slots for one kind of subscription of a meeting: on one of its
// servers, or on each with RosterOnAllBridges.
func (c *Cluster) planMeeting(now time.Time, m *meeting, kind SubKind, free []int) {
	if kind == CallRoster && c.opts.RosterOnAllBridges {
		for _, k := range m.calls {
			if c.isSubscribable(now, k, kind) {
				c.reserve(k, kind, free)
			}
		}
		return
	}
	var best *call
	for _, k := range m.calls {
		if c.isSubscribable(now, k, kind) && (best == nil || c.isBetterHost(k, best, kind, free)) {
			best = k
		}
	}
	if best != nil {
		if kind == CallRoster && free[best.server] == 0 {
			c.makeRoom(now, best.server, free)
		}
		c.reserve(best, kind, free)
	}
}

// makeRoom frees a slot of a server for a meeting that only this server hosts: it moves the
// roster subscription of another meeting to a server with free slots.
func (c *Cluster) makeRoom(now time.Time, server int, free []int) {
	var from, to *call
	for _, k := range c.servers[server].calls {
		if !k.planned[CallRoster] {
			continue
		}
		for _, other := range k.meeting.calls {
			if other.server != server && free[other.server] > 0 && c.isSubscribable(now, other, CallRoster) &&
				(from == nil || k.sequence > from.sequence || k == from && free[other.server] > free[to.server]) {
				from, to = k, other
			}
		}
	}
	if from != nil {
		from.planned[CallRoster], to.planned[CallRoster] = false, true
		free[from.server]++
		free[to.server]--
		c.servers[from.server].wanted--
		c.servers[to.server].wanted++
	}
}

// isBetterHost reports whether to subscribe to k rather than to than. It prefers a server
// with free slots, then the server that has the subscription, then the server of the
// meeting's roster, then the most free slots.
func (c *Cluster) isBetterHost(k, other *call, kind SubKind, free []int) bool {
	rank := func(k *call) int {
		r := 0
		if free[k.server] > 0 {
			r += 4
		}
		if kind == CallRoster && k.rosterSub != nil || kind == CallInfo && k.infoSub != nil {
			r += 2
		}
		if k.planned[CallRoster] {
			r++
		}
		return r
	}
	return cmp.Or(cmp.Compare(rank(k), rank(other)), cmp.Compare(free[k.server], free[other.server])) > 0
}

// reserve takes a free slot of the call's server for a subscription. If there is none, the
// subscription is unplaced.
func (c *Cluster) reserve(k *call, kind SubKind, free []int) {
	srv := &c.servers[k.server]
	srv.wanted++
	if free[k.server] > 0 {
		free[k.server]--
		k.planned[kind] = true
	} else {
		srv.unplaced++
	}
}

// isSubscribable reports whether a call can be subscribed to. If a retry is due later, it
// schedules a plan for that time.
func (c *Cluster) isSubscribable(now time.Time, k *call, kind SubKind) bool {
	if subscribed := kind == CallRoster && k.rosterSub != nil || kind == CallInfo && k.infoSub != nil; !subscribed {
		if !c.servers[k.server].listActive || k.absence.isSet() && !k.unconfirmed {
			return false
		}
	}
	if now.Before(k.retryAt[kind]) {
		c.schedulePlan(k.retryAt[kind])
		return false
	}
	return true
}

// lacksRoom reports whether a meeting has no roster subscription because no server has a free
// slot: at least one of its calls is subscribable.
func (c *Cluster) lacksRoom(now time.Time, m *meeting) bool {
	usable := false
	for _, k := range m.calls {
		if k.rosterSub != nil {
			return false
		}
		usable = usable || c.isSubscribable(now, k, CallRoster)
	}
	return usable
}

// hasAllSockets reports whether each server of a meeting has its largest number of sockets
// open.
func (c *Cluster) hasAllSockets(m *meeting) bool {
	for _, k := range m.calls {
		for i := range c.servers[k.server].sockets {
			if !c.servers[k.server].sockets[i].open {
				return false
			}
		}
	}
	return true
}

// applyPlan ends the subscriptions that the plan does not want, then adds the subscriptions
// that it wants.
func (c *Cluster) applyPlan(now time.Time) {
	var added []*call
	for server := range c.servers {
		for _, k := range c.servers[server].calls {
			if k.rosterSub != nil && !k.planned[CallRoster] {
				c.unsubscribe(now, k.rosterSub)
			}
			if k.infoSub != nil && !k.planned[CallInfo] {
				c.unsubscribe(now, k.infoSub)
			}
			if k.rosterSub == nil && k.planned[CallRoster] || k.infoSub == nil && k.planned[CallInfo] {
				added = append(added, k)
			}
		}
	}
	slices.SortFunc(added, func(a, b *call) int { return cmp.Compare(a.sequence, b.sequence) })
	for _, kind := range [...]SubKind{CallRoster, CallInfo} {
		for _, k := range added {
			if !k.planned[kind] || kind == CallRoster && k.rosterSub != nil || kind == CallInfo && k.infoSub != nil {
				continue
			}
			if slot := c.servers[k.server].socketWithRoom(); slot >= 0 {
				c.subscribe(now, k.server, slot, kind, k)
			}
		}
	}
}

// socketWithRoom returns an open socket with a free slot, or -1.
func (srv *serverState) socketWithRoom() (slot int) {
	for slot := range srv.sockets {
		if srv.sockets[slot].open && len(srv.sockets[slot].subs) < MaxSubscriptions {
			return slot
		}
	}
	return -1
}
