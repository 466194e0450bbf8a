// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"slices"
	"time"
)

// meeting groups the calls of several servers with one correlator, or one call without a
// correlator. Participants belong to a meeting.
type meeting struct {
	correlator   string
	sequence     uint64
	calls        []*call // at most one of each server
	participants []*participant
	// firstAbsence is the first absence of a participant; zero: all are listed.
	firstAbsence     time.Time
	interruptedQuiet time.Duration // total quiet time of its interrupted roster snapshots
	planSize         int           // sort key of meetingsBySize
}

// joinMeeting puts a new call into the meeting of its correlator. A correlator lasts as
// long as its space, so successive meetings share it. A server hosts one call of a
// correlator at a time. If the server's former call is absent, the new call joins its meeting
// and replaces it. If the former call is listed, the new call begins another meeting.
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

// callOf returns the meeting's call on a server, or nil.
func (m *meeting) callOf(server int) *call {
	for _, k := range m.calls {
		if k.server == server {
			return k
		}
	}
	return nil
}

// moveToMeeting moves a call to the meeting of another correlator, together with the
// participants that its roster lists.
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
	c.updateAbsences(k.meeting)
	if c.updateAbsences(from); len(from.calls) == 0 {
		c.forgetMeeting(from)
	}
	c.schedulePlan(now.Add(coalesceDelay))
}

// setListedBy replaces the set of servers that list a participant after a meeting was
// divided. The rosters of the other part no longer count.
func (p *participant) setListedBy(now time.Time, servers uint64, m *meeting) {
	if p.listedBy = servers; p.listedBy != 0 {
		return
	}
	if !p.absence.isSet() {
		p.absence.since = now
	}
	p.absence.interruptedQuietBefore = m.interruptedQuiet
}

// leaveMeeting removes a call from its meeting. Without further calls the meeting is over,
// and its participants are removed with reason.
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

// updateAbsences updates whether a meeting is in meetingsWithAbsent, and returns the summary
// of its absent participants.
func (c *Cluster) updateAbsences(m *meeting) (summary absenceSummary) {
	for _, p := range m.participants {
		if p.absence.isSet() {
			summary.add(&p.absence)
		}
	}
	switch {
	case summary.since.IsZero():
		c.meetingsWithAbsent = slices.DeleteFunc(c.meetingsWithAbsent, func(other *meeting) bool { return other == m })
	case m.firstAbsence.IsZero():
		c.meetingsWithAbsent = append(c.meetingsWithAbsent, m)
	}
	m.firstAbsence = summary.since
	return summary
}

// removeAbsent removes the absent participants of a meeting for which gone returns true.
func (c *Cluster) removeAbsent(now time.Time, m *meeting, reason string, isGone func(*participant) bool) {
	all := slices.DeleteFunc(slices.Clone(m.participants), func(p *participant) bool { return !p.absence.isSet() || !isGone(p) })
	slices.SortFunc(all, bySequence)
	for _, p := range all {
		removalReason := []byte(reason)
		if p.absence.removedByServer {
			removalReason = nil // a server removed them without a reason
		}
		c.removeParticipant(now, p, removalReason)
	}
	c.updateAbsences(m)
}

// removeLostParticipants removes participants that no server listed for LostAfter.
func (c *Cluster) removeLostParticipants(now time.Time) {
	for _, m := range slices.Clone(c.meetingsWithAbsent) {
		if c.isLost(now, m.firstAbsence) {
			reason := LostConnection
			if c.lacksRoom(now, m) {
				reason = NotWatched
			}
			c.removeAbsent(now, m, reason, func(p *participant) bool { return c.isLost(now, p.absence.since) })
		}
	}
}
