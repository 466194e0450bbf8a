// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"cmp"
	"slices"
	"time"
)

// ghost is something that is gone, and whoever is told does not know.
type unreportedRemoval struct {
	sequence                             uint64
	server                               int
	kind                                 ChangeKind
	call, callName, correlator           string
	participant, participantName, reason string
	chargedBytes                         int // bytes of the server's state
}

// ghostKey says whose ghost it is. Participants have one id on all servers.
type objectKey struct {
	server int
	id     string
}

func callKey(k *call) objectKey               { return objectKey{k.server, k.id} }
func participantKey(p *participant) objectKey { return objectKey{-1, p.id} }

// maxGhosts bounds the removals remembered.
const maxUnreportedRemovals = 100_000

func (c *Cluster) rememberRemoval(now time.Time, key objectKey, r unreportedRemoval) {
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

// revive tells whether something that came back is not known to be gone. Then
// its return is not to be told as an add.
func (c *Cluster) cancelPendingRemoval(key objectKey) bool {
	r, found := c.unreportedRemovals[key]
	c.dropUnreportedRemoval(key, &r)
	return found
}

func (c *Cluster) dropUnreportedRemoval(key objectKey, r *unreportedRemoval) {
	delete(c.unreportedRemovals, key)
	c.servers[r.server].stateBytes -= r.chargedBytes
}

// lay tells that the ghosts of a server are gone.
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

// Behind tells whether changes of a server could not be taken.
func (c *Cluster) HasPendingChanges(server int) bool { return c.servers[server].hasPendingChanges }

// Heal tells what the changes that could not be taken amount to: the picture is
// right all the time, so that the difference between it and what was told is all
// that is missing. It ends early when the sink is full again.
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
