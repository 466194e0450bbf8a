// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"cmp"
	"slices"
	"time"
)

// socket is one connection with its subscriptions.
type socket struct {
	open    bool
	version uint64
	subs    []*sub // by index
	refusal refusal

	damage  damage    // of messages without a readable index
	renewAt time.Time // when all subscriptions are replaced; zero: they are not
}

// sub is one subscription.
type sub struct {
	index        int64
	kind         Kind
	call         *call // nil for Calls
	state        SubState
	server, slot int

	began   time.Time // when it was first wanted
	asked   time.Time // when the server took the request for it; zero: not yet
	renewAt time.Time // when a damaged subscription is replaced; zero: it is not
	renewed bool      // it replaces a damaged one
}

func (s *socket) find(index int64) *sub {
	i, found := slices.BinarySearchFunc(s.subs, index, func(s *sub, index int64) int { return cmp.Compare(s.index, index) })
	if !found {
		return nil
	}
	return s.subs[i]
}

// subscribe puts a new subscription into a socket's set, under an index that
// was never used.
func (c *Cluster) subscribe(now time.Time, server, slot int, kind Kind, k *call) *sub {
	b := &c.bridges[server]
	b.last++
	s := &sub{index: b.last, kind: kind, call: k, state: Requested, server: server, slot: slot, began: now}
	at := &b.sockets[slot]
	at.subs = append(at.subs, s)
	at.version++
	switch kind {
	case CallInfo:
		k.infos = s
	case CallRoster:
		k.roster = s
	}
	return s
}

// unsubscribe takes a subscription out of its socket's set. What the server
// still says under its index is ignored.
func (c *Cluster) unsubscribe(now time.Time, s *sub) {
	at := &c.bridges[s.server].sockets[s.slot]
	at.remove(s)
	c.renewals = slices.DeleteFunc(c.renewals, func(other *sub) bool { return other == s })
	switch s.kind {
	case CallInfo:
		s.call.infos = nil
	case CallRoster:
		s.call.roster = nil
		c.rosterLost(now, s.call)
	}
	if s.kind != Calls && s.state == Active {
		c.unfollowed(now, s.call)
	}
}

func (s *socket) remove(gone *sub) {
	s.subs = slices.DeleteFunc(s.subs, func(other *sub) bool { return other == gone })
	s.version++
}

// Version changes with the set of a socket's subscriptions.
func (c *Cluster) Version(server, slot int) uint64 {
	return c.bridges[server].sockets[slot].version
}

// Request returns the complete set of a socket's subscriptions.
func (c *Cluster) Request(server, slot int) []Subscription {
	subs := c.bridges[server].sockets[slot].subs
	elements := c.bridges[server].elementsFor(slot)
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
	b := &c.bridges[server]
	wanted := b.socketsWanted
	for slot := range b.sockets {
		if len(b.sockets[slot].subs) > 0 {
			wanted = max(wanted, slot+1)
		}
	}
	return wanted
}

// plan distributes the room: the roster of each meeting first, the busiest
// meeting first, then the info of each. What is subscribed stays where it is
// unless there is no room for it any more.
func (c *Cluster) plan(now time.Time) {
	c.planAt = time.Time{}
	room := make([]int, len(c.bridges))
	for server := range c.bridges {
		b := &c.bridges[server]
		b.wanted, b.unplaced = 1, 0
		for slot := range b.sockets {
			if b.sockets[slot].open {
				room[server] += Subscriptions
			}
		}
		if b.sockets[0].open {
			room[server]-- // for the list
		}
		for _, k := range b.calls {
			k.wanted = [kinds]bool{}
		}
	}
	order := c.busiestFirst()
	for _, kind := range [...]Kind{CallRoster, CallInfo} {
		if len(c.opts.Elements[kind]) == 0 {
			continue
		}
		for _, m := range order {
			c.planMeeting(now, m, kind, room)
		}
	}
	c.carryOut(now)
	for _, m := range order {
		if !m.orphanedAt.IsZero() && c.crowdedOut(now, m) && c.noMoreRoom(m) {
			c.removeOrphans(now, m, NotWatched, func(*participant) bool { return true })
		}
	}
	for server := range c.bridges {
		b := &c.bridges[server]
		b.socketsWanted = min(c.opts.MaxConnections, (b.wanted+Subscriptions-1)/Subscriptions)
	}
}

// busiestFirst orders the meetings by their participants. One that is watched
// counts half as many again, so that two of a size do not change places.
func (c *Cluster) busiestFirst() []*meeting {
	all := make([]*meeting, 0, len(c.meetings))
	for m := range c.meetings {
		size, watched := int64(len(m.participants)), false
		for _, k := range m.calls {
			// The whole meeting's, on each of its bridges: not to be added up.
			for _, held := range [...]record{k.list, k.info} {
				if n, ok := held.integer(Participants); ok {
					size = max(size, min(n, 1<<20))
				}
			}
			watched = watched || k.roster != nil || len(m.participants) > 0
		}
		if m.size = int(size) * 2; watched {
			m.size += int(size) + 4
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *meeting) int {
		return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(a.made, b.made))
	})
	return all
}

// planMeeting finds a place for one kind of subscription of a meeting: on one of
// its bridges, or on each.
func (c *Cluster) planMeeting(now time.Time, m *meeting, kind Kind, room []int) {
	if kind == CallRoster && c.opts.RosterOnAll {
		for _, k := range m.calls {
			if c.usable(now, k, kind) {
				c.want(k, kind, room)
			}
		}
		return
	}
	var best *call
	for _, k := range m.calls {
		if c.usable(now, k, kind) && (best == nil || c.better(k, best, kind, room)) {
			best = k
		}
	}
	if best != nil {
		if kind == CallRoster && room[best.server] == 0 {
			c.makeRoom(now, best.server, room)
		}
		c.want(best, kind, room)
	}
}

// makeRoom moves one meeting that is wanted on a server to another of its
// bridges that has room: what only this one hosts has no other place.
func (c *Cluster) makeRoom(now time.Time, server int, room []int) {
	var from, to *call
	for _, k := range c.bridges[server].calls {
		if !k.wanted[CallRoster] {
			continue
		}
		for _, other := range k.meeting.calls {
			if other.server != server && room[other.server] > 0 && c.usable(now, other, CallRoster) &&
				(from == nil || k.made > from.made || k == from && room[other.server] > room[to.server]) {
				from, to = k, other
			}
		}
	}
	if from != nil {
		from.wanted[CallRoster], to.wanted[CallRoster] = false, true
		room[from.server]++
		room[to.server]--
		c.bridges[from.server].wanted--
		c.bridges[to.server].wanted++
	}
}

// better tells whether k is the better place: one with room, where it is
// already, where the meeting's roster is, where there is most room.
func (c *Cluster) better(k, than *call, kind Kind, room []int) bool {
	rank := func(k *call) int {
		r := 0
		if room[k.server] > 0 {
			r += 4
		}
		if kind == CallRoster && k.roster != nil || kind == CallInfo && k.infos != nil {
			r += 2
		}
		if k.wanted[CallRoster] {
			r++
		}
		return r
	}
	return cmp.Or(cmp.Compare(rank(k), rank(than)), cmp.Compare(room[k.server], room[than.server])) > 0
}

func (c *Cluster) want(k *call, kind Kind, room []int) {
	b := &c.bridges[k.server]
	b.wanted++
	if room[k.server] > 0 {
		room[k.server]--
		k.wanted[kind] = true
	} else {
		b.unplaced++
	}
}

// usable tells whether a call can be subscribed to at its server. If that is a
// matter of time, the plan is made again then.
func (c *Cluster) usable(now time.Time, k *call, kind Kind) bool {
	if held := kind == CallRoster && k.roster != nil || kind == CallInfo && k.infos != nil; !held {
		if !c.bridges[k.server].live || k.absent.is() && !k.doubted {
			return false
		}
	}
	if now.Before(k.blocked[kind]) {
		c.planBy(k.blocked[kind])
		return false
	}
	return true
}

// crowdedOut tells whether a meeting could be watched if there were more room.
func (c *Cluster) crowdedOut(now time.Time, m *meeting) bool {
	usable := false
	for _, k := range m.calls {
		if k.roster != nil {
			return false
		}
		usable = usable || c.usable(now, k, CallRoster)
	}
	return usable
}

// noMoreRoom tells whether each bridge of a meeting has all sockets it may have.
func (c *Cluster) noMoreRoom(m *meeting) bool {
	for _, k := range m.calls {
		for i := range c.bridges[k.server].sockets {
			if !c.bridges[k.server].sockets[i].open {
				return false
			}
		}
	}
	return true
}

// carryOut makes the sets what is wanted: first what goes, then what comes.
func (c *Cluster) carryOut(now time.Time) {
	var come []*call
	for server := range c.bridges {
		for _, k := range c.bridges[server].calls {
			if k.roster != nil && !k.wanted[CallRoster] {
				c.unsubscribe(now, k.roster)
			}
			if k.infos != nil && !k.wanted[CallInfo] {
				c.unsubscribe(now, k.infos)
			}
			if k.roster == nil && k.wanted[CallRoster] || k.infos == nil && k.wanted[CallInfo] {
				come = append(come, k)
			}
		}
	}
	slices.SortFunc(come, func(a, b *call) int { return cmp.Compare(a.made, b.made) })
	for _, kind := range [...]Kind{CallRoster, CallInfo} {
		for _, k := range come {
			if !k.wanted[kind] || kind == CallRoster && k.roster != nil || kind == CallInfo && k.infos != nil {
				continue
			}
			if slot := c.bridges[k.server].place(); slot >= 0 {
				c.subscribe(now, k.server, slot, kind, k)
			}
		}
	}
}

// place returns a socket with room.
func (b *bridge) place() (slot int) {
	for slot := range b.sockets {
		if b.sockets[slot].open && len(b.sockets[slot].subs) < Subscriptions {
			return slot
		}
	}
	return -1
}
