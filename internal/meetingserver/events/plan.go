// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"cmp"
	"slices"
	"time"
)

// plan distributes the room: the roster of each meeting first, the busiest
// meeting first, then the info of each. What is subscribed stays where it is
// unless there is no room for it any more.
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
			free[server]-- // for the list
		}
		for _, k := range srv.calls {
			k.wanted = [kinds]bool{}
		}
	}
	order := c.meetingsBySize()
	for _, kind := range [...]Kind{CallRoster, CallInfo} {
		if len(c.opts.Elements[kind]) == 0 {
			continue
		}
		for _, m := range order {
			c.planMeeting(now, m, kind, free)
		}
	}
	c.applyPlan(now)
	for _, m := range order {
		if !m.earliestAbsence.IsZero() && c.lacksRoom(now, m) && c.hasAllSockets(m) {
			c.removeAbsent(now, m, NotWatched, func(*participant) bool { return true })
		}
	}
	for server := range c.servers {
		srv := &c.servers[server]
		srv.socketsWanted = min(c.opts.MaxConnections, (srv.wanted+MaxSubscriptions-1)/MaxSubscriptions)
	}
}

// busiestFirst orders the meetings by their participants. One that is watched
// counts half as many again, so that two of a size do not change places.
func (c *Cluster) meetingsBySize() []*meeting {
	all := make([]*meeting, 0, len(c.meetings))
	for m := range c.meetings {
		size, watched := int64(len(m.participants)), false
		for _, k := range m.calls {
			// The whole meeting's, on each of its bridges: not to be added up.
			for _, fields := range [...]record{k.listFields, k.infoFields} {
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

// planMeeting finds a place for one kind of subscription of a meeting: on one of
// its bridges, or on each.
func (c *Cluster) planMeeting(now time.Time, m *meeting, kind Kind, free []int) {
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

// makeRoom moves one meeting that is wanted on a server to another of its
// bridges that has room: what only this one hosts has no other place.
func (c *Cluster) makeRoom(now time.Time, server int, free []int) {
	var from, to *call
	for _, k := range c.servers[server].calls {
		if !k.wanted[CallRoster] {
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
		from.wanted[CallRoster], to.wanted[CallRoster] = false, true
		free[from.server]++
		free[to.server]--
		c.servers[from.server].wanted--
		c.servers[to.server].wanted++
	}
}

// better tells whether k is the better place: one with room, where it is
// already, where the meeting's roster is, where there is most room.
func (c *Cluster) isBetterHost(k, than *call, kind Kind, free []int) bool {
	rank := func(k *call) int {
		r := 0
		if free[k.server] > 0 {
			r += 4
		}
		if kind == CallRoster && k.rosterSub != nil || kind == CallInfo && k.infoSub != nil {
			r += 2
		}
		if k.wanted[CallRoster] {
			r++
		}
		return r
	}
	return cmp.Or(cmp.Compare(rank(k), rank(than)), cmp.Compare(free[k.server], free[than.server])) > 0
}

func (c *Cluster) reserve(k *call, kind Kind, free []int) {
	srv := &c.servers[k.server]
	srv.wanted++
	if free[k.server] > 0 {
		free[k.server]--
		k.wanted[kind] = true
	} else {
		srv.unplaced++
	}
}

// usable tells whether a call can be subscribed to at its server. If that is a
// matter of time, the plan is made again then.
func (c *Cluster) isSubscribable(now time.Time, k *call, kind Kind) bool {
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

// crowdedOut tells whether a meeting could be watched if there were more room.
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

// noMoreRoom tells whether each bridge of a meeting has all sockets it may have.
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

// carryOut makes the sets what is wanted: first what goes, then what comes.
func (c *Cluster) applyPlan(now time.Time) {
	var added []*call
	for server := range c.servers {
		for _, k := range c.servers[server].calls {
			if k.rosterSub != nil && !k.wanted[CallRoster] {
				c.unsubscribe(now, k.rosterSub)
			}
			if k.infoSub != nil && !k.wanted[CallInfo] {
				c.unsubscribe(now, k.infoSub)
			}
			if k.rosterSub == nil && k.wanted[CallRoster] || k.infoSub == nil && k.wanted[CallInfo] {
				added = append(added, k)
			}
		}
	}
	slices.SortFunc(added, func(a, b *call) int { return cmp.Compare(a.sequence, b.sequence) })
	for _, kind := range [...]Kind{CallRoster, CallInfo} {
		for _, k := range added {
			if !k.wanted[kind] || kind == CallRoster && k.rosterSub != nil || kind == CallInfo && k.infoSub != nil {
				continue
			}
			if slot := c.servers[k.server].socketWithRoom(); slot >= 0 {
				c.subscribe(now, k.server, slot, kind, k)
			}
		}
	}
}

// place returns a socket with room.
func (srv *serverState) socketWithRoom() (slot int) {
	for slot := range srv.sockets {
		if srv.sockets[slot].open && len(srv.sockets[slot].subs) < MaxSubscriptions {
			return slot
		}
	}
	return -1
}
