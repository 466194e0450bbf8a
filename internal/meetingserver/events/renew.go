// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"slices"
	"time"
)

// damage counts how often a subscription was asked for anew because what it sent
// could not be read.
type damage struct {
	times uint8
	last  time.Time
}

const (
	// renewPause is how long the first renewal waits; each next one waits twice as
	// long, up to 2^maxRenewals times, which is 8.5 minutes.
	renewPause  = time.Second
	maxRenewals = 9
	// undamaged is how long no damage must come for the waits to begin anew.
	undamaged = 20 * time.Minute
	// damagedFor is how long after a damaged message a server is said to send such.
	damagedFor = 10 * time.Minute
	// socketRenewals is where the waits of a whole socket go on after the first: at
	// 32 s, because one renewal may be of 100 subscriptions.
	socketRenewals = 5
)

// pause returns how long the next renewal waits.
func (d *damage) pause(now time.Time) time.Duration {
	if now.Sub(d.last) > undamaged {
		d.times = 0
	}
	pause := renewPause << d.times
	d.times, d.last = min(d.times+1, maxRenewals), now
	return pause
}

// Damaged says that a message of a subscription was acknowledged and could not be
// read. That subscription alone is asked for anew, under a fresh index, ever less
// often. Nobody is removed because a snapshot that cannot be read lacks them.
func (c *Cluster) Damaged(now time.Time, server, slot int, index int64) (found bool) {
	c.bridges[server].damage.last = now
	s := c.bridges[server].sockets[slot].find(index)
	if s == nil {
		return false
	}
	c.keepAnnounced(now, s)
	c.renewLater(now, s)
	return true
}

// DamagedUnindexed records that a message was acknowledged and could not be read,
// not even the index of its subscription. Every subscription of the socket may be
// the one whose news is lost: all are renewed together, with one back-off. A
// damaged CallListUpdate is of the list alone.
func (c *Cluster) DamagedUnindexed(now time.Time, server, slot int, t MessageType) (found bool) {
	b := &c.bridges[server]
	if t == CallListUpdate && b.list != nil && b.list.slot == slot {
		return c.Damaged(now, server, slot, b.list.index)
	}
	b.damage.last = now
	at := &b.sockets[slot]
	if len(at.subs) == 0 {
		return false
	}
	for _, s := range at.subs {
		c.keepAnnounced(now, s)
	}
	if at.renewAt.IsZero() {
		at.renewAt = now.Add(at.damage.pause(now))
		at.damage.times = max(at.damage.times, socketRenewals)
	}
	return true
}

// renewLater plans the renewal of a subscription, unless it is planned.
func (c *Cluster) renewLater(now time.Time, s *sub) {
	if !s.renewAt.IsZero() {
		return
	}
	d := &c.bridges[s.server].listDamage
	if s.call != nil {
		d = &s.call.damage[s.kind]
	}
	s.renewAt = now.Add(d.pause(now))
	c.renewals = append(c.renewals, s)
}

// keepAnnounced takes all that a subscription may announce for announced.
func (c *Cluster) keepAnnounced(now time.Time, s *sub) {
	switch s.kind {
	case Calls:
		b := &c.bridges[s.server]
		for _, k := range b.calls {
			k.absent, k.doubted = absence{}, false
		}
		c.awaitCalls(b)
		c.planBy(now.Add(coalesce))
	case CallRoster:
		k := s.call
		for _, p := range k.meeting.participants {
			if p.absent.is() && !p.absent.removed {
				p.absent = absence{}
				p.seen |= 1 << k.server
			}
		}
		c.forgetSweep(k)
		c.orphan(k.meeting)
	}
}

// renewDamaged replaces the subscriptions whose time has come.
func (c *Cluster) renewDamaged(now time.Time) {
	for server := range c.bridges {
		for slot := range c.bridges[server].sockets {
			if at := &c.bridges[server].sockets[slot]; !at.renewAt.IsZero() && !now.Before(at.renewAt) {
				c.renewSocket(now, at)
			}
		}
	}
	waiting := c.renewals[:0]
	for _, s := range c.renewals {
		if now.Before(s.renewAt) {
			waiting = append(waiting, s)
			continue
		}
		c.renew(now, s)
	}
	clear(c.renewals[len(waiting):])
	c.renewals = waiting
}

// renewSocket replaces all subscriptions of a socket.
func (c *Cluster) renewSocket(now time.Time, at *socket) {
	at.renewAt = time.Time{}
	all := slices.Clone(at.subs)
	c.renewals = slices.DeleteFunc(c.renewals, func(s *sub) bool { return slices.Contains(all, s) })
	for _, s := range all {
		c.renew(now, s)
	}
}

// renew replaces a subscription by one with a fresh index. What the former one
// announced counts until the new one is active.
func (c *Cluster) renew(now time.Time, s *sub) {
	fresh := c.subscribe(now, s.server, s.slot, s.kind, s.call)
	fresh.renewed = true
	if s.kind == Calls {
		c.bridges[s.server].list = fresh
	}
	c.bridges[s.server].sockets[s.slot].remove(s)
	if s.call != nil && s.state == Active {
		c.unfollowed(now, s.call)
	}
}

// awaitListAnew waits for each call of a list that was asked for anew.
func (c *Cluster) awaitListAnew(now time.Time, b *bridge) {
	c.callsAbsent(now, b, true)
	b.sweep.begin(now, c.opts.Grace)
	c.awaitCalls(b)
}
