// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"slices"
	"time"
)

// pendingFor is how long a subscription may be pending after the server took the
// request for it.
const pendingFor = 30 * time.Second

// Asked says that the server took the newest request of a socket.
func (c *Cluster) Asked(now time.Time, server, slot int) {
	c.taken(server, slot)
	at := &c.bridges[server].sockets[slot]
	for _, s := range at.subs {
		if !s.asked.IsZero() {
			continue
		}
		s.asked = now
		if due := now.Add(pendingFor); s.state != Active && s.kind != Calls && (c.pendingBy.IsZero() || due.Before(c.pendingBy)) {
			c.pendingBy = due
		}
	}
}

// ListPending returns since when a server has not begun a list of its calls that
// it was asked for; zero if it has, or was not asked.
func (c *Cluster) ListPending(server int) time.Time {
	if s := c.bridges[server].list; s != nil && s.state != Active {
		return s.asked
	}
	return time.Time{}
}

// endPending gives up subscriptions that stay pending. They are tried again as
// those that a server ended, and another bridge of the meeting may be asked.
func (c *Cluster) endPending(now time.Time) {
	if c.pendingBy.IsZero() || now.Before(c.pendingBy) {
		return
	}
	c.pendingBy = time.Time{}
	for server := range c.bridges {
		for slot := range c.bridges[server].sockets {
			for _, s := range slices.Clone(c.bridges[server].sockets[slot].subs) {
				if s.state == Active || s.asked.IsZero() || s.kind == Calls {
					continue
				}
				if due := s.asked.Add(pendingFor); now.Before(due) {
					if c.pendingBy.IsZero() || due.Before(c.pendingBy) {
						c.pendingBy = due
					}
					continue
				}
				s.call.stuck[s.kind] = true
				c.deactivated(now, s)
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
const fullFor = 5 * time.Minute

// Problems returns what keeps the picture of a server from being whole.
func (c *Cluster) Problems(now time.Time, server int) Problems {
	b := &c.bridges[server]
	p := Problems{
		Full:    !b.fullAt.IsZero() && now.Sub(b.fullAt) < fullFor,
		Damaged: !b.damage.last.IsZero() && now.Sub(b.damage.last) < damagedFor,
		LeftOut: b.leftOut,
	}
	for _, k := range b.calls {
		if k.stuck[CallRoster] && !k.meeting.followed(CallRoster) || k.stuck[CallInfo] && !k.meeting.followed(CallInfo) {
			p.Pending++
		}
	}
	return p
}

// followed tells whether one of a meeting's calls has an active subscription.
func (m *meeting) followed(kind Kind) bool {
	return slices.ContainsFunc(m.calls, func(k *call) bool {
		s := k.roster
		if kind == CallInfo {
			s = k.infos
		}
		return s != nil && s.state == Active
	})
}
