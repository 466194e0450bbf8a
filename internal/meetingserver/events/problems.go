// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"slices"
	"time"
)

// pendingTimeout is how long a subscription may stay pending after the server accepted its
// request.
const pendingTimeout = 30 * time.Second

// RequestAccepted records that the server accepted the newest request of a socket.
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

// ListPendingSince returns since when a server has accepted the subscription to its list of
// calls without beginning the list; zero: the list is active or not requested.
func (c *Cluster) ListPendingSince(server int) time.Time {
	if s := c.servers[server].listSub; s != nil && s.state != Active {
		return s.acceptedAt
	}
	return time.Time{}
}

// expirePending ends subscriptions that stay pending. They are retried like deactivated
// subscriptions, possibly on another server of the meeting.
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

// Problems are the reasons why the state of a server is incomplete.
type Problems struct {
	// Full means that objects or texts exceeded Limits within fullWindow.
	Full bool
	// Damaged means that messages within damagedWindow could not be decoded.
	Damaged bool
	// Pending is the number of calls without data because their subscription never became
	// active.
	Pending int
	// LeftOut are the elements that the server refuses.
	LeftOut []string
}

// fullWindow is how long a server counts as full after an object exceeded Limits.
const fullWindow = 5 * time.Minute

// Problems returns the reasons why the state of a server is incomplete.
func (c *Cluster) Problems(now time.Time, server int) Problems {
	srv := &c.servers[server]
	p := Problems{
		Full:    !srv.lastFullAt.IsZero() && now.Sub(srv.lastFullAt) < fullWindow,
		Damaged: !srv.lastMalformed.IsZero() && now.Sub(srv.lastMalformed) < damagedWindow,
		LeftOut: srv.leftOut,
	}
	for _, k := range srv.calls {
		if k.neverActive[CallRoster] && !k.meeting.hasActiveSub(CallRoster) || k.neverActive[CallInfo] && !k.meeting.hasActiveSub(CallInfo) {
			p.Pending++
		}
	}
	return p
}

// hasActiveSub reports whether a subscription of this kind to one of the meeting's calls is
// active.
func (m *meeting) hasActiveSub(kind SubKind) bool {
	return slices.ContainsFunc(m.calls, func(k *call) bool {
		s := k.rosterSub
		if kind == CallInfo {
			s = k.infoSub
		}
		return s != nil && s.state == Active
	})
}
