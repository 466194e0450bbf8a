// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"slices"
	"time"
)

// renewalBackoff grows the delay between renewals of a subscription whose messages cannot
// be decoded.
type renewalBackoff struct {
	attempts uint8
	last     time.Time
}

const (
	// renewDelay is the delay of the first renewal. Each further renewal waits twice as
	// long, up to 2^maxRenewals times: 8.5 minutes.
	renewDelay  = time.Second
	maxRenewals = 9
	// renewReset is how long no damaged message may arrive before delays start at
	// renewDelay again.
	renewReset = 20 * time.Minute
	// damagedWindow is how long a server counts as damaged after a damaged message.
	damagedWindow = 10 * time.Minute
	// socketBackoffStart is the attempt at which the delays of a whole socket continue
	// after the first: 32 s, because one renewal may replace 100 subscriptions.
	socketBackoffStart = 5
)

// nextDelay returns the delay of the next renewal.
func (d *renewalBackoff) nextDelay(now time.Time) time.Duration {
	if now.Sub(d.last) > renewReset {
		d.attempts = 0
	}
	delay := renewDelay << d.attempts
	d.attempts, d.last = min(d.attempts+1, maxRenewals), now
	return delay
}

// HandleMalformedMessage records that a message of the subscription index was acknowledged and
// could not be decoded. It schedules a renewal of that subscription alone, under a new index
// and after a growing delay. A snapshot that cannot be decoded removes no participant.
// scheduled is false if the subscription does not exist.
func (c *Cluster) HandleMalformedMessage(now time.Time, server, slot int, index int64) (scheduled bool) {
	c.servers[server].lastMalformed = now
	s := c.servers[server].sockets[slot].find(index)
	if s == nil {
		return false
	}
	c.markAllListed(now, s)
	c.scheduleRenewal(now, s)
	return true
}

// HandleUnindexedMalformed records that a message was acknowledged and could not be decoded,
// its subscription index included. The lost update may belong to any subscription of the
// socket, so all of them are renewed together, with one backoff. A damaged CallListUpdate
// belongs to the list subscription.
func (c *Cluster) HandleUnindexedMalformed(now time.Time, server, slot int, t MessageType) (scheduled bool) {
	srv := &c.servers[server]
	if t == CallListUpdate && srv.listSub != nil && srv.listSub.slot == slot {
		return c.HandleMalformedMessage(now, server, slot, srv.listSub.index)
	}
	srv.lastMalformed = now
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

// scheduleRenewal schedules the renewal of a subscription unless one is scheduled already.
func (c *Cluster) scheduleRenewal(now time.Time, s *sub) {
	if !s.renewAt.IsZero() {
		return
	}
	d := &c.servers[s.server].listRenewal
	if s.call != nil {
		d = &s.call.renewal[s.kind]
	}
	s.renewAt = now.Add(d.nextDelay(now))
	c.scheduledRenewals = append(c.scheduledRenewals, s)
}

// markAllListed treats every object that a damaged message of s may have listed as listed.
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
		c.updateAbsences(k.meeting)
	}
}

// renewDue renews the subscriptions and sockets whose renewAt has come.
func (c *Cluster) renewDue(now time.Time) {
	for server := range c.servers {
		for slot := range c.servers[server].sockets {
			if at := &c.servers[server].sockets[slot]; !at.renewAt.IsZero() && !now.Before(at.renewAt) {
				c.renewSocket(now, at)
			}
		}
	}
	waiting := c.scheduledRenewals[:0]
	for _, s := range c.scheduledRenewals {
		if now.Before(s.renewAt) {
			waiting = append(waiting, s)
			continue
		}
		c.renewSubscription(now, s)
	}
	clear(c.scheduledRenewals[len(waiting):])
	c.scheduledRenewals = waiting
}

// renewSocket renews all subscriptions of a socket.
func (c *Cluster) renewSocket(now time.Time, at *socket) {
	at.renewAt = time.Time{}
	all := slices.Clone(at.subs)
	c.scheduledRenewals = slices.DeleteFunc(c.scheduledRenewals, func(s *sub) bool { return slices.Contains(all, s) })
	for _, s := range all {
		c.renewSubscription(now, s)
	}
}

// renewSubscription replaces a subscription by one with a new index. Objects that the
// former subscription listed stay listed until the new one is active.
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

// beginListRenewal marks all calls as absent until the renewed list lists them.
func (c *Cluster) beginListRenewal(now time.Time, srv *serverState) {
	c.markCallsAbsent(now, srv, true)
	srv.listSweep.begin(now, c.opts.SnapshotGrace)
	c.scheduleListSweep(srv)
}
