// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"cmp"
	"slices"
	"time"
)

// unreportedRemoval is the removal of a call or participant that the sink has not accepted
// yet.
type unreportedRemoval struct {
	sequence                             uint64
	server                               int
	kind                                 ChangeKind
	call, callName, correlator           string
	participant, participantName, reason string
	chargedBytes                         int // bytes of the server's state
}

// objectKey identifies a call or participant. A participant has one id on all servers; its
// server is -1.
type objectKey struct {
	server int
	id     string
}

func callKey(k *call) objectKey               { return objectKey{k.server, k.id} }
func participantKey(p *participant) objectKey { return objectKey{-1, p.id} }

// maxUnreportedRemovals bounds the unreported removals.
const maxUnreportedRemovals = 100_000

// addUnreportedRemoval stores a removal that the sink refused. It drops names, then the removal
// itself, to stay within the limits.
func (c *Cluster) addUnreportedRemoval(now time.Time, key objectKey, r unreportedRemoval) {
	r.chargedBytes = r.cost()
	if !c.fits(r.server, r.chargedBytes) {
		r.callName, r.participantName = "", ""
		r.chargedBytes = r.cost()
	}
	if len(c.unreportedRemovals) >= maxUnreportedRemovals || !c.fits(r.server, r.chargedBytes) {
		c.countUntracked(now, r.server)
		return
	}
	c.servers[r.server].stateBytes += r.chargedBytes
	r.sequence = c.nextSequence()
	c.unreportedRemovals[key] = r
}

// cancelUnreportedRemoval drops the unreported removal of an object that returned. It reports
// whether there was one: the sink still knows the object, so its return is a change rather
// than an add.
func (c *Cluster) cancelUnreportedRemoval(key objectKey) bool {
	r, found := c.unreportedRemovals[key]
	c.dropUnreportedRemoval(key, &r)
	return found
}

// dropUnreportedRemoval deletes an unreported removal and its charge.
func (c *Cluster) dropUnreportedRemoval(key objectKey, r *unreportedRemoval) {
	delete(c.unreportedRemovals, key)
	c.servers[r.server].stateBytes -= r.chargedBytes
}

// emitRemovals emits the unreported removals of a server, oldest first. It returns false
// when the sink refuses one.
func (c *Cluster) emitRemovals(now time.Time, server int) bool {
	var keys []objectKey
	for key, r := range c.unreportedRemovals {
		if r.server == server {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b objectKey) int {
		return cmp.Compare(c.unreportedRemovals[a].sequence, c.unreportedRemovals[b].sequence)
	})
	for _, key := range keys {
		r := c.unreportedRemovals[key]
		c.emittedChange = Change{
			Kind: r.kind, Time: now, Server: server, Call: r.call, Correlator: r.correlator, CallName: []byte(r.callName),
			Participant: r.participant, ParticipantName: []byte(r.participantName), Reason: []byte(r.reason),
		}
		if !c.emit() {
			return false
		}
		c.dropUnreportedRemoval(key, &r)
	}
	return true
}

// HasPendingChanges reports whether the sink refused changes of a server that EmitPending
// has not emitted yet.
func (c *Cluster) HasPendingChanges(server int) bool { return c.servers[server].hasPendingChanges }

// EmitPending emits the difference between the cluster state of a server and the state that
// the sink knows: first removals, then adds and changes of calls, then of participants. It
// returns false when the sink refuses one of them.
func (c *Cluster) EmitPending(now time.Time, server int) (done bool) {
	srv := &c.servers[server]
	if !c.emitRemovals(now, server) {
		return false
	}
	calls := make([]*call, 0, len(srv.calls))
	for _, k := range srv.calls {
		calls = append(calls, k)
	}
	slices.SortFunc(calls, func(a, b *call) int { return cmp.Compare(a.sequence, b.sequence) })
	for _, k := range calls {
		if !c.emitPendingCall(now, k) {
			return false
		}
	}
	var pending []*participant
	for _, p := range c.participants {
		if p.call.server == server && (!p.announced || p.changePending) {
			pending = append(pending, p)
		}
	}
	slices.SortFunc(pending, bySequence)
	for _, p := range pending {
		kind := ParticipantChanged
		if !p.announced {
			kind = ParticipantAdded
		}
		if !c.emitParticipant(now, p, kind, p.fields.fields(), nil) {
			return false
		}
		p.announced, p.changePending = true, false
	}
	srv.hasPendingChanges = false
	return true
}

// emitPendingCall emits the pending changes of one call.
func (c *Cluster) emitPendingCall(now time.Time, k *call) bool {
	if !k.announced {
		if !c.emitCall(now, k, CallAdded, k.listFields.fields(), nil) {
			return false
		}
		k.announced, k.listChangePending, k.infoChangePending = true, false, len(k.infoFields) > 0
	}
	if k.listChangePending {
		if !c.emitCall(now, k, CallChanged, k.listFields.fields(), nil) {
			return false
		}
		k.listChangePending = false
	}
	if k.infoChangePending {
		if !c.emitCall(now, k, InfoChanged, k.infoFields.fields(), nil) {
			return false
		}
		k.infoChangePending = false
	}
	return true
}
