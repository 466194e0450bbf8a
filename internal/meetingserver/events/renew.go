// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"slices"
	"time"
)

// damage counts how often a subscription was asked for anew because what it sent
// could not be read.
type renewalBackoff struct {
	attempts uint8
	last     time.Time
}

const (
	// renewPause is how long the first renewal waits; each next one waits twice as
	// long, up to 2^maxRenewals times, which is 8.5 minutes.
	renewDelay  = time.Second
	maxRenewals = 9
	// undamaged is how long no damage must come for the waits to begin anew.
	renewReset = 20 * time.Minute
	// damagedFor is how long after a damaged message a server is said to send such.
	damagedWindow = 10 * time.Minute
	// socketRenewals is where the waits of a whole socket go on after the first: at
	// 32 s, because one renewal may be of 100 subscriptions.
	socketBackoffStart = 5
)

// pause returns how long the next renewal waits.
func (d *renewalBackoff) nextDelay(now time.Time) time.Duration {
	if now.Sub(d.last) > renewReset {
		d.attempts = 0
	}
	delay := renewDelay << d.attempts
	d.attempts, d.last = min(d.attempts+1, maxRenewals), now
	return delay
}

// Damaged says that a message of a subscription was acknowledged and could not be
// read. That subscription alone is asked for anew, under a fresh index, ever less
// often. Nobody is removed because a snapshot that cannot be read lacks them.
func (c *Cluster) HandleDamagedMessage(now time.Time, server, slot int, index int64) (found bool) {
	c.servers[server].damage.last = now
	s := c.servers[server].sockets[slot].find(index)
	if s == nil {
		return false
	}
	c.markAllListed(now, s)
	c.scheduleRenewal(now, s)
	return true
}

// DamagedUnindexed records that a message was acknowledged and could not be read,
// not even the index of its subscription. Every subscription of the socket may be
// the one whose news is lost: all are renewed together, with one back-off. A
// damaged CallListUpdate is of the list alone.
func (c *Cluster) HandleUnindexedDamage(now time.Time, server, slot int, t MessageType) (found bool) {
	srv := &c.servers[server]
	if t == CallListUpdate && srv.listSub != nil && srv.listSub.slot == slot {
		return c.HandleDamagedMessage(now, server, slot, srv.listSub.index)
	}
	srv.damage.last = now
	at := &srv.sockets[slot]
	if len(at.subs) == 0 {
		return false
	}
	for _, s := range at.subs {
		c.markAllListed(now, s)
	}
	if at.renewAt.IsZero() {
		at.renewAt = now.Add(at.renewal.nextDelay(now))
		at.renewal.attempts = max(at.renewal.attempts, socketBackoffStart)
	}
	return true
}

// renewLater plans the renewal of a subscription, unless it is planned.
func (c *Cluster) scheduleRenewal(now time.Time, s *sub) {
	if !s.renewAt.IsZero() {
		return
	}
	d := &c.servers[s.server].listRenewal
	if s.call != nil {
		d = &s.call.renewal[s.kind]
	}
	s.renewAt = now.Add(d.nextDelay(now))
	c.pendingRenewals = append(c.pendingRenewals, s)
}

// keepAnnounced takes all that a subscription may announce for announced.
func (c *Cluster) markAllListed(now time.Time, s *sub) {
	switch s.kind {
	case Calls:
		srv := &c.servers[s.server]
		for _, k := range srv.calls {
			k.absence, k.unconfirmed = absence{}, false
		}
		c.scheduleListSweep(srv)
		c.schedulePlan(now.Add(coalesceDelay))
	case CallRoster:
		k := s.call
		for _, p := range k.meeting.participants {
			if p.absence.isSet() && !p.absence.removedByServer {
				p.absence = absence{}
				p.listedBy |= 1 << k.server
			}
		}
		c.cancelRosterSweep(k)
		c.trackAbsent(k.meeting)
	}
}

// renewDamaged replaces the subscriptions whose time has come.
func (c *Cluster) renewDue(now time.Time) {
	for server := range c.servers {
		for slot := range c.servers[server].sockets {
			if at := &c.servers[server].sockets[slot]; !at.renewAt.IsZero() && !now.Before(at.renewAt) {
				c.renewSocket(now, at)
			}
		}
	}
	waiting := c.pendingRenewals[:0]
	for _, s := range c.pendingRenewals {
		if now.Before(s.renewAt) {
			waiting = append(waiting, s)
			continue
		}
		c.renewSubscription(now, s)
	}
	clear(c.pendingRenewals[len(waiting):])
	c.pendingRenewals = waiting
}

// renewSocket replaces all subscriptions of a socket.
func (c *Cluster) renewSocket(now time.Time, at *socket) {
	at.renewAt = time.Time{}
	all := slices.Clone(at.subs)
	c.pendingRenewals = slices.DeleteFunc(c.pendingRenewals, func(s *sub) bool { return slices.Contains(all, s) })
	for _, s := range all {
		c.renewSubscription(now, s)
	}
}

// renew replaces a subscription by one with a fresh index. What the former one
// announced counts until the new one is active.
func (c *Cluster) renewSubscription(now time.Time, s *sub) {
	fresh := c.subscribe(now, s.server, s.slot, s.kind, s.call)
	fresh.isRenewal = true
	if s.kind == Calls {
		c.servers[s.server].listSub = fresh
	}
	c.servers[s.server].sockets[s.slot].remove(s)
	if s.call != nil && s.state == Active {
		c.restartAbsence(now, s.call)
	}
}

// awaitListAnew waits for each call of a list that was asked for anew.
func (c *Cluster) beginListRenewal(now time.Time, srv *serverState) {
	c.markCallsAbsent(now, srv, true)
	srv.listSweep.begin(now, c.opts.SnapshotGrace)
	c.scheduleListSweep(srv)
}
