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
	sequence     uint64
	calls        []*call // at most one of each server
	participants []*participant
	// orphanedAt is the first absence of a participant; zero for none.
	earliestAbsence time.Time
	priorQuiet      time.Duration // of all snapshots of its rosters that were cut short
	planSize        int           // used by plan
}

// join puts a new call into the meeting of its correlator. A correlator lasts
// as long as its space, not as long as a meeting: a server has one call of it at
// a time, so one it has not announced again is over, and one it has is another
// meeting.
func (c *Cluster) joinMeeting(now time.Time, k *call, correlator []byte) {
	m := c.byCorrelator[string(correlator)]
	if len(correlator) == 0 {
		m = nil
	}
	var former *call
	if m != nil {
		former = m.callOf(k.server)
	}
	if m == nil || former != nil && !former.absence.isSet() {
		m = &meeting{correlator: string(correlator), sequence: c.nextSequence()}
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
func (c *Cluster) moveToMeeting(now time.Time, k *call, correlator string) {
	from := k.meeting
	if from.correlator == "" && c.byCorrelator[correlator] == nil {
		from.correlator = correlator
		c.byCorrelator[correlator] = from
		return
	}
	from.calls = slices.DeleteFunc(from.calls, func(other *call) bool { return other == k })
	c.joinMeeting(now, k, []byte(correlator))
	for _, p := range slices.Clone(from.participants) {
		if p.call == k || len(from.calls) == 0 {
			from.removeParticipant(p)
			c.assignCall(p, k)
			k.meeting.addParticipant(p)
			p.setListedBy(now, p.listedBy&(1<<k.server), k.meeting)
		} else {
			p.setListedBy(now, p.listedBy&^(1<<k.server), from)
		}
	}
	c.trackAbsent(k.meeting)
	if c.trackAbsent(from); len(from.calls) == 0 {
		c.forgetMeeting(from)
	}
	c.schedulePlan(now.Add(coalesceDelay))
}

// seenBy says which rosters have somebody after their meeting was parted: what
// those of the other part say is not of them any more.
func (p *participant) setListedBy(now time.Time, servers uint64, m *meeting) {
	if p.listedBy = servers; p.listedBy != 0 {
		return
	}
	if !p.absence.isSet() {
		p.absence.since = now
	}
	p.absence.priorQuiet = m.priorQuiet
}

// leave takes a call out of its meeting. If it was the last one the meeting is
// over and its participants are removed.
func (c *Cluster) leaveMeeting(now time.Time, k *call, reason []byte) {
	m := k.meeting
	m.calls = slices.DeleteFunc(m.calls, func(other *call) bool { return other == k })
	if len(m.calls) > 0 {
		for _, p := range m.participants {
			if p.call == k {
				c.assignCall(p, m.calls[0])
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
	c.meetingsWithAbsent = slices.DeleteFunc(c.meetingsWithAbsent, func(other *meeting) bool { return other == m })
}

func (m *meeting) addParticipant(p *participant) {
	p.position = len(m.participants)
	m.participants = append(m.participants, p)
}

func (m *meeting) removeParticipant(p *participant) {
	last := len(m.participants) - 1
	moved := m.participants[last]
	m.participants[p.position], moved.position = moved, p.position
	m.participants[last] = nil
	m.participants = m.participants[:last]
}

// orphan looks whether some of a meeting's participants are told of by nobody,
// and returns the first absence.
func (c *Cluster) trackAbsent(m *meeting) (summary absenceSummary) {
	for _, p := range m.participants {
		if p.absence.isSet() {
			summary.add(&p.absence)
		}
	}
	switch {
	case summary.since.IsZero():
		c.meetingsWithAbsent = slices.DeleteFunc(c.meetingsWithAbsent, func(other *meeting) bool { return other == m })
	case m.earliestAbsence.IsZero():
		c.meetingsWithAbsent = append(c.meetingsWithAbsent, m)
	}
	m.earliestAbsence = summary.since
	return summary
}

// removeOrphans removes those of the participants that nobody tells of who are
// gone.
func (c *Cluster) removeAbsent(now time.Time, m *meeting, reason string, gone func(*participant) bool) {
	all := slices.DeleteFunc(slices.Clone(m.participants), func(p *participant) bool { return !p.absence.isSet() || !gone(p) })
	slices.SortFunc(all, bySequence)
	for _, p := range all {
		removalReason := []byte(reason)
		if p.absence.removedByServer {
			removalReason = nil // a server removed them and gave no reason
		}
		c.removeParticipant(now, p, removalReason)
	}
	c.trackAbsent(m)
}

// sweepOrphans removes those that nobody has told of for too long.
func (c *Cluster) removeLostParticipants(now time.Time) {
	for _, m := range slices.Clone(c.meetingsWithAbsent) {
		if c.isLost(now, m.earliestAbsence) {
			reason := LostConnection
			if c.lacksRoom(now, m) {
				reason = NotWatched
			}
			c.removeAbsent(now, m, reason, func(p *participant) bool { return c.isLost(now, p.absence.since) })
		}
	}
}
