// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "time"

// pendingDeparture is a participant that a server removed without a reason from a meeting
// that other servers host too. A server that leaves a meeting removes all participants from
// its roster, those on other servers included, and then ends the subscription. Such
// participants did not leave: the next server lists them.
type pendingDeparture struct {
	participant *participant
	roster      *sub
	removeAt    time.Time // when they are removed unless the server left the meeting
}

const (
	// handoverTimeout is how long after the removals a server may take to end the
	// subscription.
	handoverTimeout = time.Second
	// maxPendingDepartures bounds the pending departures; above it a participant is removed
	// at once.
	maxPendingDepartures = 100_000
)

// mayBeHandover reports whether another server could take over k's meeting: it hosts the
// meeting, and its roster is not subscribed to yet.
func (c *Cluster) mayBeHandover(k *call) bool {
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
	return possible && len(c.pendingDepartures) < maxPendingDepartures
}

// holdRemoval keeps a removed participant as absent until removeDeparted decides whether
// their server left the meeting.
func (c *Cluster) holdRemoval(now time.Time, p *participant, k *call) {
	m := k.meeting
	p.absence = absence{since: now, interruptedQuiet: m.interruptedQuiet, removedByServer: true}
	if m.earliestAbsence.IsZero() {
		m.earliestAbsence = now
		c.meetingsWithAbsent = append(c.meetingsWithAbsent, m)
	}
	c.pendingDepartures = append(c.pendingDepartures, pendingDeparture{p, k.rosterSub, now.Add(handoverTimeout)})
}

// removeDeparted removes the pending departures whose server stayed in the meeting. The
// others stay absent until another server lists them.
func (c *Cluster) removeDeparted(now time.Time) {
	if len(c.pendingDepartures) == 0 {
		return
	}
	affected := make(map[*meeting]struct{})
	for len(c.pendingDepartures) > 0 && !now.Before(c.pendingDepartures[0].removeAt) {
		d := c.pendingDepartures[0]
		c.pendingDepartures[0] = pendingDeparture{}
		c.pendingDepartures = c.pendingDepartures[1:]
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
	if len(c.pendingDepartures) == 0 {
		c.pendingDepartures = nil
	}
}
