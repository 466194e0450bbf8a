// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "time"

// heldRemoval is a participant that a server removed without a reason from a meeting
// that other servers host too. A server that leaves a meeting removes all participants from
// its roster, those on other servers included, and then ends the subscription. Such
// participants did not leave: the next server lists them.
type heldRemoval struct {
	participant *participant
	roster      *sub
	removeAt    time.Time // when they are removed unless the server left the meeting
}

const (
	// handoverTimeout is how long after the removals a server may take to end the
	// subscription.
	handoverTimeout = time.Second
	// maxHeldRemovals bounds the held removals; above it a participant is removed
	// at once.
	maxHeldRemovals = 100_000
)

// anotherServerMayTakeOver reports whether another server could take over k's meeting: it hosts the
// meeting, and its roster is not subscribed to yet.
func (c *Cluster) anotherServerMayTakeOver(k *call) bool {
	possible := false
	for _, other := range k.meeting.calls {
		switch {
		case other == k:
		case other.rosterSub != nil && other.rosterSub.state == Active:
			return false // its roster lists all participants
		case c.servers[other.server].listActive && !other.absence.isSet():
			possible = true
		}
	}
	return possible && len(c.heldRemovals) < maxHeldRemovals
}

// holdRemoval keeps a removed participant as absent until removeHeld decides whether
// their server left the meeting.
func (c *Cluster) holdRemoval(now time.Time, p *participant, k *call) {
	m := k.meeting
	p.absence = absence{since: now, interruptedQuietBefore: m.interruptedQuiet, removedByServer: true}
	if m.firstAbsence.IsZero() {
		m.firstAbsence = now
		c.meetingsWithAbsent = append(c.meetingsWithAbsent, m)
	}
	c.heldRemovals = append(c.heldRemovals, heldRemoval{p, k.rosterSub, now.Add(handoverTimeout)})
}

// removeHeld removes the held removals whose server stayed in the meeting. The
// others stay absent until another server lists them.
func (c *Cluster) removeHeld(now time.Time) {
	if len(c.heldRemovals) == 0 {
		return
	}
	affected := make(map[*meeting]struct{})
	for len(c.heldRemovals) > 0 && !now.Before(c.heldRemovals[0].removeAt) {
		d := c.heldRemovals[0]
		c.heldRemovals[0] = heldRemoval{}
		c.heldRemovals = c.heldRemovals[1:]
		p := d.participant
		stillPending := c.participants[p.id] == p && p.absence.removedByServer && p.absence.since.Add(handoverTimeout).Equal(d.removeAt)
		if !stillPending || d.roster == nil || d.roster.call.rosterSub != d.roster {
			continue
		}
		affected[p.call.meeting] = struct{}{}
		c.addRecentRemoval(now, p.id, d.roster.server)
		c.removeParticipant(now, p, nil)
	}
	for m := range affected {
		c.updateAbsences(m)
	}
	if len(c.heldRemovals) == 0 {
		c.heldRemovals = nil
	}
}
