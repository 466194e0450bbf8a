// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "time"

// departure is somebody whom a bridge removed without a reason, from a meeting
// that other bridges host too. A bridge that leaves a meeting removes everybody
// from its roster, remote people included, and then ends the subscription: they
// did not leave, and the next bridge announces them.
type departure struct {
	who    *participant
	roster *sub
	at     time.Time // when they are gone, unless the bridge left
}

const (
	// handOverWait is how long after the removals a bridge may take to end the
	// subscription.
	handOverWait = time.Second
	// maxDepartures bounds those who wait; above it they are gone at once.
	maxDepartures = 100_000
)

// mayHandOver tells whether a bridge that leaves k's meeting would be followed by
// another one that is not asked yet.
func (c *Cluster) mayHandOver(k *call) bool {
	possible := false
	for _, other := range k.meeting.calls {
		switch {
		case other == k:
		case other.roster != nil && other.roster.state == Active:
			return false // it has everybody
		case c.bridges[other.server].live && !other.absent.is():
			possible = true
		}
	}
	return possible && len(c.departures) < maxDepartures
}

// awaitHandOver keeps somebody for as long as it can be that their bridge leaves
// rather than they.
func (c *Cluster) awaitHandOver(now time.Time, p *participant, k *call) {
	m := k.meeting
	p.absent = absence{since: now, quiet: m.quiet, removed: true}
	if m.orphanedAt.IsZero() {
		m.orphanedAt = now
		c.orphaned = append(c.orphaned, m)
	}
	c.departures = append(c.departures, departure{p, k.roster, now.Add(handOverWait)})
}

// depart removes those whose bridge stayed. The others are absent until another
// bridge announces the meeting.
func (c *Cluster) depart(now time.Time) {
	if len(c.departures) == 0 {
		return
	}
	touched := make(map[*meeting]struct{})
	for len(c.departures) > 0 && !now.Before(c.departures[0].at) {
		d := c.departures[0]
		c.departures[0] = departure{}
		c.departures = c.departures[1:]
		p := d.who
		waits := c.participants[p.id] == p && p.absent.removed && p.absent.since.Add(handOverWait).Equal(d.at)
		if !waits || d.roster == nil || d.roster.call.roster != d.roster {
			continue
		}
		touched[p.call.meeting] = struct{}{}
		c.rememberRemoval(now, p.id, d.roster.server)
		c.removeParticipant(now, p, nil)
	}
	for m := range touched {
		c.orphan(m)
	}
	if len(c.departures) == 0 {
		c.departures = nil
	}
}
