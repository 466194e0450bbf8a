// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "time"

// departure is somebody whom a bridge removed without a reason, from a meeting
// that other bridges host too. A bridge that leaves a meeting removes everybody
// from its roster, remote people included, and then ends the subscription: they
// did not leave, and the next bridge announces them.
type pendingDeparture struct {
	participant *participant
	roster      *sub
	removeAt    time.Time // when they are gone, unless the bridge left
}

const (
	// handOverWait is how long after the removals a bridge may take to end the
	// subscription.
	handoverTimeout = time.Second
	// maxDepartures bounds those who wait; above it they are gone at once.
	maxPendingDepartures = 100_000
)

// mayHandOver tells whether a bridge that leaves k's meeting would be followed by
// another one that is not asked yet.
func (c *Cluster) mayBeHandover(k *call) bool {
	possible := false
	for _, other := range k.meeting.calls {
		switch {
		case other == k:
		case other.rosterSub != nil && other.rosterSub.state == Active:
			return false // it has everybody
		case c.servers[other.server].listActive && !other.absence.isSet():
			possible = true
		}
	}
	return possible && len(c.pendingDepartures) < maxPendingDepartures
}

// awaitHandOver keeps somebody for as long as it can be that their bridge leaves
// rather than they.
func (c *Cluster) holdRemoval(now time.Time, p *participant, k *call) {
	m := k.meeting
	p.absence = absence{since: now, priorQuiet: m.priorQuiet, removedByServer: true}
	if m.earliestAbsence.IsZero() {
		m.earliestAbsence = now
		c.meetingsWithAbsent = append(c.meetingsWithAbsent, m)
	}
	c.pendingDepartures = append(c.pendingDepartures, pendingDeparture{p, k.rosterSub, now.Add(handoverTimeout)})
}

// depart removes those whose bridge stayed. The others are absent until another
// bridge announces the meeting.
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
		c.trackAbsent(m)
	}
	if len(c.pendingDepartures) == 0 {
		c.pendingDepartures = nil
	}
}
