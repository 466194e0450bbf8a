// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"cmp"
	"slices"
	"time"

	"github.com/legato-otel/legato/internal/names"
)

// The reasons that the cluster gives for a removal without a reason from a server.
const (
	// NotListed: the call's server did not list it again in a new snapshot of its list.
	NotListed = "not_listed"
	// LostConnection has four cases. No server listed the call or participant for LostAfter. A new
	// roster snapshot does not list the participant. The last call of the participant's meeting
	// was removed as NotListed. The server listed another call of the same meeting while this
	// call was absent.
	LostConnection = names.ReasonLostConnection
	// NotWatched: the meeting has no roster subscription, because busier meetings use all
	// subscriptions.
	NotWatched = names.ReasonNotWatched
	// CallEnded: the participant's call is over. Servers use the same word.
	CallEnded = "callEnded"
)

// call is one call of one server.
type call struct {
	id       string
	server   int
	sequence uint64 // from nextSequence; an older object has a lower one
	meeting  *meeting
	// absence is set while the call's server does not list it.
	absence absence
	// unconfirmed means that the list subscription was renewed and the new one has not
	// listed the call yet. The call is absent but keeps its own subscriptions.
	unconfirmed  bool
	chargedBytes int // part of serverState.stateBytes
	// listFields and infoFields hold the elements from the list of calls and from the
	// call's own subscription. Each source is compared with its own earlier values, because
	// one of them may report more elements.
	listFields, infoFields packedElements

	rosterSub, infoSub *sub                // nil: not subscribed
	planned            [subKinds]bool      // by the current plan
	retryAt            [subKinds]time.Time // when a deactivated subscription is tried again
	failures           [subKinds]uint8     // deactivated subscriptions in a row
	neverActive        [subKinds]bool      // the server accepted the last subscription, but it did not become active in time
	renewal            [subKinds]renewalBackoff
	rosterSweep        sweep // removes participants absent from the roster

	// announced means that the sink accepted CallAdded. The ChangePending flags mean that
	// it refused a later change, which EmitPending emits.
	announced, listChangePending, infoChangePending bool
}

// name returns the call's name; the list takes precedence over the call info.
func (k *call) name() []byte {
	if name := k.listFields.text(Name); len(name) > 0 {
		return name
	}
	return k.infoFields.text(Name)
}

// hasActiveSub reports whether a subscription to the call is active. Its server then reports
// the call, even while the list of calls is down.
func (k *call) hasActiveSub() bool {
	return k.rosterSub != nil && k.rosterSub.state == Active || k.infoSub != nil && k.infoSub.state == Active
}

// restartAbsence starts the LostAfter period of an absent call again when its last active
// subscription ends.
func (c *Cluster) restartAbsence(now time.Time, k *call) {
	if !k.absence.isSet() || k.hasActiveSub() {
		return
	}
	k.absence.since = now
	if srv := &c.servers[k.server]; srv.firstAbsence.IsZero() {
		srv.firstAbsence = now
	}
}

// hasActiveCallSub reports whether a subscription to one of the server's calls is active.
func (srv *serverState) hasActiveCallSub() bool {
	for _, k := range srv.calls {
		if k.hasActiveSub() {
			return true
		}
	}
	return false
}

// receiveCallList applies a CallListUpdate.
func (c *Cluster) receiveCallList(now time.Time, server int, f *Frame) Outcome {
	srv := &c.servers[server]
	c.beginListSnapshot(now, srv)
	srv.listSweep.recordMessage(now)
	outcome := Ignored
	if len(f.Updates) == 0 {
		return Accepted
	}
	for i := range f.Updates {
		u := &f.Updates[i]
		known := srv.calls[string(u.Call)]
		switch {
		case len(u.Call) == 0, known == nil && (u.Type == Remove || u.Type == UnrecognizedUpdate):
			continue
		case known == nil && u.Type != Add:
			c.emitUnknownCall(now, server, u, f.Fields(u))
		case u.Type == Remove:
			c.removeCall(now, known, removalReason(f.Fields(u)), CallEnded)
		default:
			if known == nil {
				if len(srv.calls) >= c.opts.Limits.Calls || !c.fits(server, newCallCost(u, f.Fields(u))) {
					c.countUntracked(now, server)
					continue
				}
				c.addCall(now, server, string(u.Call), f.Fields(u))
			} else {
				c.updateCall(now, known, f.Fields(u))
			}
		}
		outcome = Accepted
	}
	return outcome
}

// removalReason returns the reason element of a removal; nil: the server gave none.
func removalReason(fields []Field) []byte {
	for i := range fields {
		if fields[i].Element == Reason && fields[i].Kind == Text {
			return fields[i].Text
		}
	}
	return nil
}

// addCall adds a call that a server listed for the first time.
func (c *Cluster) addCall(now time.Time, server int, id string, fields []Field) {
	srv := &c.servers[server]
	k := &call{id: id, server: server, sequence: c.nextSequence()}
	srv.calls[k.id] = k
	k.listFields, c.changedFields = k.listFields.merge(fields, c.changedFields[:0])
	c.chargeCall(now, k)
	c.joinMeeting(now, k, k.listFields.text(CallCorrelator))
	c.schedulePlan(now.Add(coalesceDelay))
	if c.cancelUnreportedRemoval(callKey(k)) {
		// The sink still knows the call: EmitPending emits its return as a change.
		k.announced, k.listChangePending, srv.hasPendingChanges = true, true, true
		return
	}
	k.announced = c.emitCall(now, k, CallAdded, fields, nil)
}

// emitUnknownCall emits the change of a call that the cluster does not hold. This does not
// add the call; a later add carries its full state.
func (c *Cluster) emitUnknownCall(now time.Time, server int, u *Update, fields []Field) {
	k := call{id: string(u.Call), server: server, meeting: &meeting{}}
	k.listFields, c.changedFields = k.listFields.merge(fields, c.changedFields[:0])
	k.meeting.correlator = string(k.listFields.text(CallCorrelator))
	if !c.emitCall(now, &k, CallChanged, fields, nil) {
		c.untracked++ // the sink will not learn of this change
	}
}

// updateCall applies the listed elements to a known call.
func (c *Cluster) updateCall(now time.Time, k *call, fields []Field) {
	if k.absence.isSet() {
		k.absence, k.unconfirmed = absence{}, false
		c.servers[k.server].listSweep.recordReturn(now)
		c.schedulePlan(now.Add(coalesceDelay))
	}
	k.listFields, c.changedFields = k.listFields.merge(fields, c.changedFields[:0])
	if len(c.changedFields) == 0 {
		return
	}
	c.chargeCall(now, k)
	c.moveIfCorrelatorChanged(now, k, c.changedFields)
	c.replanIfResized(now, k, c.changedFields)
	if k.announced && !c.emitCall(now, k, CallChanged, c.changedFields, nil) {
		k.listChangePending = true
	}
}

// receiveCallInfo applies a CallInfoUpdate.
func (c *Cluster) receiveCallInfo(now time.Time, k *call, f *Frame) Outcome {
	for i := range f.Updates {
		k.infoFields, c.changedFields = k.infoFields.merge(f.Fields(&f.Updates[i]), c.changedFields[:0])
		if len(c.changedFields) == 0 {
			continue
		}
		c.chargeCall(now, k)
		c.moveIfCorrelatorChanged(now, k, c.changedFields)
		c.replanIfResized(now, k, c.changedFields)
		if k.announced && !c.emitCall(now, k, InfoChanged, c.changedFields, nil) {
			k.infoChangePending = true
		}
	}
	return Accepted
}

// moveIfCorrelatorChanged moves a call to another meeting if changed has a new correlator.
func (c *Cluster) moveIfCorrelatorChanged(now time.Time, k *call, changed []Field) {
	for i := range changed {
		if v := &changed[i]; v.Element == CallCorrelator && v.Kind == Text && len(v.Text) > 0 && string(v.Text) != k.meeting.correlator {
			c.moveToMeeting(now, k, string(v.Text))
			return
		}
	}
}

// replanIfResized plans the subscriptions again if the number of participants changed and
// the server has more wanted subscriptions than its sockets hold: the busiest meetings get
// them first.
func (c *Cluster) replanIfResized(now time.Time, k *call, changed []Field) {
	if c.servers[k.server].unplaced == 0 {
		return
	}
	for i := range changed {
		if changed[i].Element == Participants {
			c.schedulePlan(now.Add(replanDelay))
			return
		}
	}
}

// replanDelay is how long after a changed number of participants the subscriptions are
// planned again, so that several changes share one plan.
const replanDelay = 5 * time.Second

// removeCall removes a call. If no other server hosts the meeting, it also removes the
// participants. Their reason is LostConnection if defaultReason is NotListed; otherwise it is
// the server's reason or, without one, defaultReason.
func (c *Cluster) removeCall(now time.Time, k *call, reason []byte, defaultReason string) {
	for _, s := range [...]*sub{k.rosterSub, k.infoSub} {
		if s != nil {
			c.unsubscribe(now, s)
		}
	}
	delete(c.servers[k.server].calls, k.id)
	c.servers[k.server].stateBytes -= k.chargedBytes
	c.cancelRosterSweep(k)
	participantReason := reason
	if len(participantReason) == 0 {
		participantReason = []byte(defaultReason)
	}
	if defaultReason == NotListed { // no server reported their leaving
		participantReason = []byte(LostConnection)
	}
	c.leaveMeeting(now, k, participantReason)
	// A call that its server removed needs no reason; CallEnded is for its participants only.
	if len(reason) == 0 && defaultReason != CallEnded {
		reason = []byte(defaultReason)
	}
	if k.announced && !c.emitCall(now, k, CallRemoved, nil, reason) {
		c.addUnreportedRemoval(now, callKey(k), unreportedRemoval{
			server: k.server, kind: CallRemoved, call: k.id, callName: string(k.name()), correlator: k.meeting.correlator, reason: string(reason),
		})
	}
	c.schedulePlan(now.Add(coalesceDelay))
}

// markListDown records that the list subscription of a server ended. All calls are absent
// until the server lists them again.
func (c *Cluster) markListDown(now time.Time, srv *serverState) {
	srv.listSub = nil
	// The quiet time of an interrupted snapshot still counts towards SnapshotGrace.
	srv.interruptedQuiet += srv.listSweep.interrupt(now)
	if !srv.listActive {
		return
	}
	srv.listActive, srv.listDownSince = false, now
	c.markCallsAbsent(now, srv, false)
	c.scheduleListSweep(srv)
}

// markCallsAbsent marks all calls of a server as absent; calls that are absent already keep
// their absence.
func (c *Cluster) markCallsAbsent(now time.Time, srv *serverState, unconfirmed bool) {
	for _, k := range srv.calls {
		if !k.absence.isSet() {
			k.absence = absence{since: now, interruptedQuietBefore: srv.interruptedQuiet}
		}
		k.unconfirmed = unconfirmed
	}
}

// scheduleListSweep computes from the absent calls of a server when the sweep of its list
// is due.
func (c *Cluster) scheduleListSweep(srv *serverState) {
	var summary absenceSummary
	srv.firstAbsence = time.Time{}
	for _, k := range srv.calls {
		if !k.absence.isSet() {
			continue
		}
		summary.add(&k.absence)
		if since := k.absence.since; !k.hasActiveSub() && (srv.firstAbsence.IsZero() || since.Before(srv.firstAbsence)) {
			srv.firstAbsence = since
		}
	}
	switch {
	case summary.since.IsZero():
		srv.listSweep = sweep{}
	case !srv.listSweep.quietSince.IsZero():
		// Quiet time of interrupted snapshots since the first absence counts towards
		// SnapshotGrace.
		srv.listSweep.requireQuiet(c.opts.SnapshotGrace - (srv.interruptedQuiet - summary.interruptedQuietBefore))
	}
}

// removeAbsentCalls removes the absent calls whose grace time or LostAfter is over.
func (c *Cluster) removeAbsentCalls(now time.Time, server int) {
	srv := &c.servers[server]
	var gone []*call
	reasons := make(map[*call]string)
	for _, k := range srv.calls {
		switch {
		case !k.absence.isSet():
			continue
		case c.isAbsentFromSnapshot(now, &k.absence, &srv.listSweep, srv.interruptedQuiet):
			reasons[k] = NotListed
		case !k.hasActiveSub() && c.isLost(now, k.absence.since):
			reasons[k] = LostConnection
		default:
			continue
		}
		gone = append(gone, k)
	}
	slices.SortFunc(gone, func(a, b *call) int { return cmp.Compare(a.sequence, b.sequence) })
	for _, k := range gone {
		c.removeCall(now, k, nil, reasons[k])
	}
	c.scheduleListSweep(srv)
}
