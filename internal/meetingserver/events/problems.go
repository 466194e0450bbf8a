// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"slices"
	"time"
)

// pendingFor is how long a subscription may be pending after the server took the
// request for it.
const pendingTimeout = 30 * time.Second

// Asked says that the server took the newest request of a socket.
func (c *Cluster) RequestAccepted(now time.Time, server, slot int) {
	c.endElementTrials(server, slot)
	at := &c.servers[server].sockets[slot]
	for _, s := range at.subs {
		if !s.acceptedAt.IsZero() {
			continue
		}
		s.acceptedAt = now
		if due := now.Add(pendingTimeout); s.state != Active && s.kind != Calls && (c.nextPendingTimeout.IsZero() || due.Before(c.nextPendingTimeout)) {
			c.nextPendingTimeout = due
		}
	}
}

// ListPending returns since when a server has not begun a list of its calls that
// it was asked for; zero if it has, or was not asked.
func (c *Cluster) ListPendingSince(server int) time.Time {
	if s := c.servers[server].listSub; s != nil && s.state != Active {
		return s.acceptedAt
	}
	return time.Time{}
}

// endPending gives up subscriptions that stay pending. They are tried again as
// those that a server ended, and another bridge of the meeting may be asked.
func (c *Cluster) expirePending(now time.Time) {
	if c.nextPendingTimeout.IsZero() || now.Before(c.nextPendingTimeout) {
		return
	}
	c.nextPendingTimeout = time.Time{}
	for server := range c.servers {
		for slot := range c.servers[server].sockets {
			for _, s := range slices.Clone(c.servers[server].sockets[slot].subs) {
				if s.state == Active || s.acceptedAt.IsZero() || s.kind == Calls {
					continue
				}
				if due := s.acceptedAt.Add(pendingTimeout); now.Before(due) {
					if c.nextPendingTimeout.IsZero() || due.Before(c.nextPendingTimeout) {
						c.nextPendingTimeout = due
					}
					continue
				}
				s.call.neverActive[s.kind] = true
				c.resubscribeLater(now, s)
			}
		}
	}
}

// Problems are what keeps the picture of a server from being whole.
type Problems struct {
	// Full tells that something found no room in the last minutes.
	Full bool
	// Damaged tells that messages came in the last minutes that cannot be read.
	Damaged bool
	// Pending is how many calls are not followed because their subscription never
	// became active.
	Pending int
	// LeftOut are the elements that the server refuses.
	LeftOut []string
}

// fullFor is how long after something found no room a server is called full.
const fullWindow = 5 * time.Minute

// Problems returns what keeps the picture of a server from being whole.
func (c *Cluster) Problems(now time.Time, server int) Problems {
	srv := &c.servers[server]
	p := Problems{
		Full:    !srv.lastFullAt.IsZero() && now.Sub(srv.lastFullAt) < fullWindow,
		Damaged: !srv.damage.last.IsZero() && now.Sub(srv.damage.last) < damagedWindow,
		LeftOut: srv.leftOut,
	}
	for _, k := range srv.calls {
		if k.neverActive[CallRoster] && !k.meeting.isFollowed(CallRoster) || k.neverActive[CallInfo] && !k.meeting.isFollowed(CallInfo) {
			p.Pending++
		}
	}
	return p
}

// followed tells whether one of a meeting's calls has an active subscription.
func (m *meeting) isFollowed(kind Kind) bool {
	return slices.ContainsFunc(m.calls, func(k *call) bool {
		s := k.rosterSub
		if kind == CallInfo {
			s = k.infoSub
		}
		return s != nil && s.state == Active
	})
}
