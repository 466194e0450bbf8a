// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsevents

import "time"

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

// renew replaces a subscription by one with a fresh index. What the former one
// announced counts until the new one is active.
func (c *Cluster) renew(now time.Time, s *sub) {
	fresh := c.subscribe(now, s.server, s.slot, s.kind, s.call)
	fresh.renewed = true
	if s.kind == Calls {
		c.bridges[s.server].list = fresh
	}
	c.bridges[s.server].sockets[s.slot].remove(s)
}

// awaitListAnew waits for each call of a list that was asked for anew.
func (c *Cluster) awaitListAnew(now time.Time, b *bridge) {
	c.callsAbsent(now, b, true)
	b.sweep.begin(now, c.opts.Grace)
	c.awaitCalls(b)
}
