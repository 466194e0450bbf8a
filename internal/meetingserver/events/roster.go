// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"cmp"
	"slices"
	"time"
)

// participant is a person or device in a meeting.
type participant struct {
	id     string
	call   *call // the call under which changes are emitted
	fields packedElements
	// listedBy has one bit for each server whose roster lists the participant now.
	listedBy uint64
	absence  absence // set while listedBy is empty
	sequence uint64  // from nextSequence; an older object has a lower one
	position int     // index into meeting.participants

	chargedBytes int32 // part of the stateBytes of call.server
	// state and direction are the elements of the same name in fields, as labels of the gauges.
	state     StateLabel
	direction DirectionLabel

	// announced means that the sink accepted ParticipantAdded. changePending means that it
	// refused a later change, which EmitPending emits.
	announced, changePending bool
}

// displayName returns the participant's name or, without one, their address.
func (p *participant) displayName() []byte {
	if name := p.fields.text(Name); len(name) > 0 {
		return name
	}
	return p.fields.text(URI)
}

func bySequence(a, b *participant) int { return cmp.Compare(a.sequence, b.sequence) }

// receiveRoster applies a RosterUpdate of one call.
func (c *Cluster) receiveRoster(now time.Time, k *call, f *Frame) Outcome {
	outcome := Ignored
	k.rosterSweep.recordMessage(now)
	if len(f.Updates) == 0 {
		return Accepted
	}
	for i := range f.Updates {
		u := &f.Updates[i]
		if len(u.Participant) == 0 {
			continue
		}
		var accepted bool
		if p := c.participants[string(u.Participant)]; p == nil {
			accepted = c.addParticipant(now, k, u, f.Fields(u))
		} else {
			accepted = c.updateParticipant(now, k, p, u, f.Fields(u))
		}
		if accepted {
			outcome = Accepted
		}
	}
	return outcome
}

// addParticipant applies an update for an unknown participant, and reports whether it
// accepted the update.
func (c *Cluster) addParticipant(now time.Time, k *call, u *Update, fields []Field) bool {
	switch {
	case u.Type == UnrecognizedUpdate, c.recentRemovals.isStale(now, u, k), u.Type == Remove:
		return false
	case u.Type != Add:
		return c.emitUnknownParticipant(now, k, u, fields)
	case len(c.participants) >= c.opts.Limits.Participants, !c.fits(k.server, newParticipantCost(u, fields)):
		c.countUntracked(now, k.server)
		return false
	}
	p := &participant{id: string(u.Participant), call: k, listedBy: 1 << k.server, sequence: c.nextSequence()}
	c.participants[p.id] = p
	k.meeting.addParticipant(p)
	p.fields, c.changedFields = p.fields.merge(fields, c.changedFields[:0])
	p.updateLabels(c.changedFields)
	c.chargeParticipant(now, p)
	if c.cancelUnreportedRemoval(participantKey(p)) {
		// The sink still knows the participant: EmitPending emits their return as a change.
		p.announced, p.changePending = true, true
		c.servers[k.server].hasPendingChanges = true
		return true
	}
	p.announced = c.emitParticipant(now, p, ParticipantAdded, fields, nil)
	return true
}

// emitUnknownParticipant emits the change of a participant that the cluster does not hold.
// This does not add the participant; a later add carries their full state.
func (c *Cluster) emitUnknownParticipant(now time.Time, k *call, u *Update, fields []Field) bool {
	p := participant{id: string(u.Participant), call: k}
	p.fields, c.changedFields = p.fields.merge(fields, c.changedFields[:0])
	p.updateLabels(c.changedFields)
	if !c.emitParticipant(now, &p, ParticipantChanged, fields, nil) {
		c.untracked++ // the sink will not learn of this change
	}
	return true
}

// updateParticipant applies an update for a known participant, and reports whether it
// accepted the update.
func (c *Cluster) updateParticipant(now time.Time, k *call, p *participant, u *Update, fields []Field) bool {
	serverBit := uint64(1) << k.server
	switch u.Type {
	case Remove:
		if p.call.meeting != k.meeting {
			return false // they moved to another meeting, whose roster lists them
		}
		p.listedBy &^= serverBit
		// Only the server that hosts a participant gives a reason. While another server
		// lists them, the reason may still arrive.
		switch reason := removalReason(fields); {
		case len(reason) == 0 && p.listedBy != 0:
		case len(reason) == 0 && c.anotherServerMayTakeOver(k):
			c.holdRemoval(now, p, k)
		default:
			c.addRecentRemoval(now, p.id, k.server)
			c.removeParticipant(now, p, reason)
		}
		return true
	case UnrecognizedUpdate:
		return false
	}
	moved := p.call.meeting != k.meeting
	if moved {
		p.call.meeting.removeParticipant(p)
		k.meeting.addParticipant(p)
		p.listedBy = 0
	}
	if moved || p.call.rosterSub == nil {
		c.assignCall(p, k)
	}
	p.listedBy |= serverBit
	if p.absence.isSet() {
		p.absence = absence{}
		k.rosterSweep.recordReturn(now)
	}
	p.fields, c.changedFields = p.fields.merge(fields, c.changedFields[:0])
	if len(c.changedFields) > 0 || moved {
		p.updateLabels(c.changedFields)
		c.chargeParticipant(now, p)
		if p.announced && !c.emitParticipant(now, p, ParticipantChanged, c.changedFields, nil) {
			p.changePending = true
		}
	}
	return true
}

// assignCall makes k the call under which a participant's changes are emitted. Pending
// changes move with the participant.
func (c *Cluster) assignCall(p *participant, k *call) {
	c.servers[p.call.server].stateBytes -= int(p.chargedBytes)
	c.servers[k.server].stateBytes += int(p.chargedBytes)
	p.call = k
	if !p.announced || p.changePending {
		c.servers[k.server].hasPendingChanges = true
	}
}

// removeParticipant removes a participant and emits the removal.
func (c *Cluster) removeParticipant(now time.Time, p *participant, reason []byte) {
	delete(c.participants, p.id)
	c.servers[p.call.server].stateBytes -= int(p.chargedBytes)
	p.call.meeting.removeParticipant(p)
	if p.announced && !c.emitParticipant(now, p, ParticipantRemoved, nil, reason) {
		c.addUnreportedRemoval(now, participantKey(p), unreportedRemoval{
			server: p.call.server, kind: ParticipantRemoved, call: p.call.id, callName: string(p.call.name()), correlator: p.call.meeting.correlator,
			participant: p.id, participantName: string(p.displayName()), reason: string(reason),
		})
	}
}

// beginRosterSnapshot starts the sweep of a call's roster.
func (c *Cluster) beginRosterSnapshot(now time.Time, k *call) {
	k.rosterSweep.begin(now, c.opts.SnapshotGrace)
	c.scheduleRosterSweep(k)
}

// markRosterDown records that the roster subscription of a call ended. Participants
// that no other roster lists become absent. They are removed if a new roster snapshot does not
// list them, or after LostAfter.
func (c *Cluster) markRosterDown(now time.Time, k *call) {
	m := k.meeting
	// The quiet time of an interrupted snapshot still counts towards SnapshotGrace.
	m.interruptedQuiet += k.rosterSweep.interrupt(now)
	c.cancelRosterSweep(k)
	if !c.markNoneListed(now, k) {
		return
	}
	c.updateAbsences(m)
	// Another roster may be active without listing them: then they have left, or it will
	// list them soon. Its sweep decides.
	for _, other := range m.calls {
		if other != k && other.rosterSub != nil && other.rosterSub.state == Active {
			c.beginRosterSnapshot(now, other)
		}
	}
}

// markNoneListed records that a call's roster lists no participant. It reports whether that
// makes any participant absent.
func (c *Cluster) markNoneListed(now time.Time, k *call) (anyAbsent bool) {
	m := k.meeting
	for _, p := range m.participants {
		if p.listedBy &^= 1 << k.server; p.listedBy == 0 && !p.absence.isSet() {
			p.absence = absence{since: now, interruptedQuietBefore: m.interruptedQuiet}
			anyAbsent = true
		}
	}
	return anyAbsent
}

// scheduleRosterSweep computes from the absent participants of a meeting when the sweep of
// k's roster is due.
func (c *Cluster) scheduleRosterSweep(k *call) {
	summary := c.updateAbsences(k.meeting)
	if summary.since.IsZero() {
		c.cancelRosterSweep(k)
		return
	}
	// Quiet time of interrupted snapshots since the first absence counts towards
	// SnapshotGrace.
	k.rosterSweep.requireQuiet(c.opts.SnapshotGrace - (k.meeting.interruptedQuiet - summary.interruptedQuietBefore))
	if !slices.Contains(c.rosterSweeps, k) {
		c.rosterSweeps = append(c.rosterSweeps, k)
	}
}

// removeAbsentParticipants removes the absent participants of k's meeting that its roster
// did not list for SnapshotGrace, or that no server listed for LostAfter. A roster lists the
// participants of the whole meeting, those on other servers too.
func (c *Cluster) removeAbsentParticipants(now time.Time, k *call) {
	c.removeAbsent(now, k.meeting, LostConnection, func(p *participant) bool {
		return c.isLost(now, p.absence.since) || c.isAbsentFromSnapshot(now, &p.absence, &k.rosterSweep, k.meeting.interruptedQuiet)
	})
	c.scheduleRosterSweep(k)
}

// cancelRosterSweep stops the sweep of a call's roster.
func (c *Cluster) cancelRosterSweep(k *call) {
	k.rosterSweep = sweep{}
	c.rosterSweeps = slices.DeleteFunc(c.rosterSweeps, func(other *call) bool { return other == k })
}
