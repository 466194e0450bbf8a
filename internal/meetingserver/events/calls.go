// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"cmp"
	"slices"
	"time"

	"github.com/legato-otel/legato/internal/names"
)

// The reasons of a removal that no server said.
const (
	// NotListed: its server did not announce it again after a reconnect.
	NotListed = "not_listed"
	// LostConnection: its server has not been heard of for long, or announced something
	// else in its place.
	LostConnection = names.ReasonLostConnection
	// NotWatched: there are busier calls, and no room for all of them.
	NotWatched = names.ReasonNotWatched
	// CallEnded is the bridges' own word: its call is over.
	CallEnded = "callEnded"
)

// call is one call of one bridge.
type call struct {
	id       string
	server   int
	sequence uint64
	meeting  *meeting
	// absent while the server does not announce it.
	absence absence
	// doubted tells that the call is absent because its list was asked for anew:
	// its subscriptions stay.
	unconfirmed  bool
	chargedBytes int // bytes of the server's state
	// list and info are what the two subscriptions said; one of them may
	// know more, and each is compared with itself.
	listFields, infoFields record

	rosterSub, infoSub *sub // nil: not subscribed
	wanted             [kinds]bool
	retryAt            [kinds]time.Time
	failures           [kinds]uint8
	neverActive        [kinds]bool // the last subscription never became active
	renewal            [kinds]renewalBackoff
	rosterSweep        sweep // of the roster

	announced, listChangePending, infoChangePending bool
}

func (k *call) name() []byte {
	if name := k.listFields.text(Name); len(name) > 0 {
		return name
	}
	return k.infoFields.text(Name)
}

// followed tells whether a subscription to the call is active. Then its server
// reports it, on whatever socket, though the list of calls may be down.
func (k *call) isFollowed() bool {
	return k.rosterSub != nil && k.rosterSub.state == Active || k.infoSub != nil && k.infoSub.state == Active
}

// unfollowed records that an active subscription to a call ended. LostAfter counts
// from here for a call that its list does not announce.
func (c *Cluster) restartAbsence(now time.Time, k *call) {
	if !k.absence.isSet() || k.isFollowed() {
		return
	}
	k.absence.since = now
	if srv := &c.servers[k.server]; srv.earliestAbsence.IsZero() {
		srv.earliestAbsence = now
	}
}

// follows tells whether one of a server's calls is followed.
func (srv *serverState) followsAnyCall() bool {
	for _, k := range srv.calls {
		if k.isFollowed() {
			return true
		}
	}
	return false
}

// receiveList takes a server's changes to its list of calls.
func (c *Cluster) receiveCallList(now time.Time, server int, f *Frame) Outcome {
	srv := &c.servers[server]
	c.beginListSnapshot(now, srv)
	srv.listSweep.resetQuiet(now, false)
	outcome := Ignored
	if len(f.Updates) == 0 {
		return Accepted
	}
	for i := range f.Updates {
		u := &f.Updates[i]
		known := srv.calls[string(u.Call)]
		switch {
		case len(u.Call) == 0, known == nil && (u.Type == Remove || u.Type == OtherUpdate):
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

func removalReason(fields []Field) []byte {
	for i := range fields {
		if fields[i].Element == Reason && fields[i].Kind == Text {
			return fields[i].Text
		}
	}
	return nil
}

// addCall begins a call.
func (c *Cluster) addCall(now time.Time, server int, id string, fields []Field) {
	srv := &c.servers[server]
	k := &call{id: id, server: server, sequence: c.nextSequence()}
	srv.calls[k.id] = k
	k.listFields, c.changedFields = k.listFields.merge(fields, c.changedFields[:0])
	c.chargeCall(now, k)
	c.joinMeeting(now, k, k.listFields.text(CallCorrelator))
	c.schedulePlan(now.Add(coalesceDelay))
	if c.cancelPendingRemoval(callKey(k)) {
		k.announced, k.listChangePending, srv.hasPendingChanges = true, true, true
		return
	}
	k.announced = c.emitCall(now, k, CallAdded, fields, nil)
}

// tellStrayCall passes on news of a call that nobody announced. It is not
// followed: an add has all there is to know of it, and it will come.
func (c *Cluster) emitUnknownCall(now time.Time, server int, u *Update, fields []Field) {
	k := call{id: string(u.Call), server: server, meeting: &meeting{}}
	k.listFields, c.changedFields = k.listFields.merge(fields, c.changedFields[:0])
	k.meeting.correlator = string(k.listFields.text(CallCorrelator))
	if !c.emitCall(now, &k, CallChanged, fields, nil) {
		c.untracked++
	}
}

func (c *Cluster) updateCall(now time.Time, k *call, fields []Field) {
	if k.absence.isSet() {
		k.absence, k.unconfirmed = absence{}, false
		c.servers[k.server].listSweep.resetQuiet(now, true)
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

// receiveInfo takes what a server says of one call.
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

// correlate moves a call to the meeting of its correlator if that changed.
func (c *Cluster) moveIfCorrelatorChanged(now time.Time, k *call, changed []Field) {
	for i := range changed {
		if v := &changed[i]; v.Element == CallCorrelator && v.Kind == Text && len(v.Text) > 0 && string(v.Text) != k.meeting.correlator {
			c.moveToMeeting(now, k, string(v.Text))
			return
		}
	}
}

// resized lets the busiest calls have what room there is.
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

// replanAfter is how often, at most, the room is distributed anew.
const replanDelay = 5 * time.Second

// removeCall ends a call. Its participants stay if the meeting goes on, on
// another bridge; if not they are removed, with the reason that the server gave
// or, without one, with without.
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
	if defaultReason == NotListed { // nobody saw how they left
		participantReason = []byte(LostConnection)
	}
	c.leaveMeeting(now, k, participantReason)
	if len(reason) == 0 && defaultReason != CallEnded {
		reason = []byte(defaultReason)
	}
	if k.announced && !c.emitCall(now, k, CallRemoved, nil, reason) {
		c.rememberRemoval(now, callKey(k), unreportedRemoval{
			server: k.server, kind: CallRemoved, call: k.id, callName: string(k.name()), correlator: k.meeting.correlator, reason: string(reason),
		})
	}
	c.schedulePlan(now.Add(coalesceDelay))
}

// listLost: nothing is known of the server's calls until it announces them anew.
func (c *Cluster) markListLost(now time.Time, srv *serverState) {
	srv.listSub = nil
	srv.priorQuiet += srv.listSweep.cutShort(now)
	if !srv.listActive {
		return
	}
	srv.listActive, srv.listDownSince = false, now
	c.markCallsAbsent(now, srv, false)
	c.scheduleListSweep(srv)
}

// callsAbsent marks the calls of a server as not announced.
func (c *Cluster) markCallsAbsent(now time.Time, srv *serverState, unconfirmed bool) {
	for _, k := range srv.calls {
		if !k.absence.isSet() {
			k.absence = absence{since: now, priorQuiet: srv.priorQuiet}
		}
		k.unconfirmed = unconfirmed
	}
}

// awaitCalls looks which calls are missing, and until when to wait for them.
func (c *Cluster) scheduleListSweep(srv *serverState) {
	var summary absenceSummary
	srv.earliestAbsence = time.Time{}
	for _, k := range srv.calls {
		if !k.absence.isSet() {
			continue
		}
		summary.add(&k.absence)
		if since := k.absence.since; !k.isFollowed() && (srv.earliestAbsence.IsZero() || since.Before(srv.earliestAbsence)) {
			srv.earliestAbsence = since
		}
	}
	switch {
	case summary.since.IsZero():
		srv.listSweep = sweep{}
	case !srv.listSweep.quietSince.IsZero():
		srv.listSweep.requireQuiet(c.opts.SnapshotGrace - (srv.priorQuiet - summary.priorQuiet))
	}
}

// sweepList removes the calls that a server did not announce again.
func (c *Cluster) removeUnlistedCalls(now time.Time, server int) {
	srv := &c.servers[server]
	var gone []*call
	reasons := make(map[*call]string)
	for _, k := range srv.calls {
		switch {
		case !k.absence.isSet():
			continue
		case c.isUnlisted(now, &k.absence, &srv.listSweep, srv.priorQuiet):
			reasons[k] = NotListed
		case !k.isFollowed() && c.isLost(now, k.absence.since):
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
