// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"slices"
	"time"
)

// meeting is what people take part in: the calls of several bridges with one
// correlator, or one call without.
type meeting struct {
	correlator   string
	made         uint64
	calls        []*call // at most one of each server
	participants []*participant
	// orphanedAt is the first absence of a participant; zero for none.
	orphanedAt time.Time
	quiet      time.Duration // of all snapshots of its rosters that were cut short
	size       int           // used by plan
}

// join puts a new call into the meeting of its correlator. A correlator lasts
// as long as its space, not as long as a meeting: a server has one call of it at
// a time, so one it has not announced again is over, and one it has is another
// meeting.
func (c *Cluster) join(now time.Time, k *call, correlator []byte) {
	m := c.byCorrelator[string(correlator)]
	if len(correlator) == 0 {
		m = nil
	}
	var former *call
	if m != nil {
		former = m.callOf(k.server)
	}
	if m == nil || former != nil && !former.absent.is() {
		m = &meeting{correlator: string(correlator), made: c.number()}
		c.meetings[m] = struct{}{}
		if m.correlator != "" {
			c.byCorrelator[m.correlator] = m
		}
		former = nil
	}
	k.meeting = m
	m.calls = append(m.calls, k)
	if former != nil {
		c.removeCall(now, former, nil, LostConnection)
	}
}

func (m *meeting) callOf(server int) *call {
	for _, k := range m.calls {
		if k.server == server {
			return k
		}
	}
	return nil
}

// rejoin moves a call, and those seen in it, to the meeting of another
// correlator.
func (c *Cluster) rejoin(now time.Time, k *call, correlator string) {
	from := k.meeting
	if from.correlator == "" && c.byCorrelator[correlator] == nil {
		from.correlator = correlator
		c.byCorrelator[correlator] = from
		return
	}
	from.calls = slices.DeleteFunc(from.calls, func(other *call) bool { return other == k })
	c.join(now, k, []byte(correlator))
	for _, p := range slices.Clone(from.participants) {
		if p.call == k || len(from.calls) == 0 {
			from.remove(p)
			c.hand(p, k)
			k.meeting.add(p)
			p.seenBy(now, p.seen&(1<<k.server), k.meeting)
		} else {
			p.seenBy(now, p.seen&^(1<<k.server), from)
		}
	}
	c.orphan(k.meeting)
	if c.orphan(from); len(from.calls) == 0 {
		c.forgetMeeting(from)
	}
	c.planBy(now.Add(coalesce))
}

// seenBy says which rosters have somebody after their meeting was parted: what
// those of the other part say is not of them any more.
func (p *participant) seenBy(now time.Time, servers uint64, m *meeting) {
	if p.seen = servers; p.seen != 0 {
		return
	}
	if !p.absent.is() {
		p.absent.since = now
	}
	p.absent.quiet = m.quiet
}

// leave takes a call out of its meeting. If it was the last one the meeting is
// over and its participants are removed.
func (c *Cluster) leave(now time.Time, k *call, reason []byte) {
	m := k.meeting
	m.calls = slices.DeleteFunc(m.calls, func(other *call) bool { return other == k })
	if len(m.calls) > 0 {
		for _, p := range m.participants {
			if p.call == k {
				c.hand(p, m.calls[0])
			}
		}
		return
	}
	for _, p := range slices.Clone(m.participants) {
		c.removeParticipant(now, p, reason)
	}
	c.forgetMeeting(m)
}

func (c *Cluster) forgetMeeting(m *meeting) {
	delete(c.meetings, m)
	if c.byCorrelator[m.correlator] == m {
		delete(c.byCorrelator, m.correlator)
	}
	c.orphaned = slices.DeleteFunc(c.orphaned, func(other *meeting) bool { return other == m })
}

func (m *meeting) add(p *participant) {
	p.place = len(m.participants)
	m.participants = append(m.participants, p)
}

func (m *meeting) remove(p *participant) {
	last := len(m.participants) - 1
	moved := m.participants[last]
	m.participants[p.place], moved.place = moved, p.place
	m.participants[last] = nil
	m.participants = m.participants[:last]
}

// orphan looks whether some of a meeting's participants are told of by nobody,
// and returns the first absence.
func (c *Cluster) orphan(m *meeting) (first missing) {
	for _, p := range m.participants {
		if p.absent.is() {
			first.add(&p.absent)
		}
	}
	switch {
	case first.since.IsZero():
		c.orphaned = slices.DeleteFunc(c.orphaned, func(other *meeting) bool { return other == m })
	case m.orphanedAt.IsZero():
		c.orphaned = append(c.orphaned, m)
	}
	m.orphanedAt = first.since
	return first
}

// removeOrphans removes those of the participants that nobody tells of who are
// gone.
func (c *Cluster) removeOrphans(now time.Time, m *meeting, reason string, gone func(*participant) bool) {
	all := slices.DeleteFunc(slices.Clone(m.participants), func(p *participant) bool { return !p.absent.is() || !gone(p) })
	slices.SortFunc(all, byMade)
	for _, p := range all {
		why := []byte(reason)
		if p.absent.removed {
			why = nil // a server removed them and gave no reason
		}
		c.removeParticipant(now, p, why)
	}
	c.orphan(m)
}

// sweepOrphans removes those that nobody has told of for too long.
func (c *Cluster) sweepOrphans(now time.Time) {
	for _, m := range slices.Clone(c.orphaned) {
		if c.lost(now, m.orphanedAt) {
			reason := LostConnection
			if c.crowdedOut(now, m) {
				reason = NotWatched
			}
			c.removeOrphans(now, m, reason, func(p *participant) bool { return c.lost(now, p.absent.since) })
		}
	}
}
