// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"cmp"
	"slices"
	"time"
)

// ChangeKind says what changed.
type ChangeKind uint8

// The kinds of changes.
const (
	CallAdded ChangeKind = iota
	CallChanged
	CallRemoved
	InfoChanged
	ParticipantAdded
	ParticipantChanged
	ParticipantRemoved
	ChangeKinds
)

// Change of the picture. Nothing in it lasts longer than the Take it is given to.
type Change struct {
	Kind   ChangeKind
	Time   time.Time
	Server int

	Call, Correlator string
	CallName         []byte

	// Participant is "" in the change of a call. Who is their name or, without
	// one, their address.
	Participant string
	Who         []byte
	State       StateLabel

	// Fields are the elements of an add, and those that changed in an update.
	Fields []Field
	// Reason of a removal; nil if there is none.
	Reason []byte
}

// Sink is told of changes.
type Sink interface {
	// Take returns false if the change cannot be taken now. Heal tells what it
	// amounts to later.
	Take(c *Change) bool
}

func (c *Cluster) tellCall(now time.Time, k *call, kind ChangeKind, fields []Field, reason []byte) bool {
	c.change = Change{
		Kind: kind, Time: now, Server: k.server, Call: k.id, Correlator: k.meeting.correlator, CallName: k.name(),
		Fields: fields, Reason: reason,
	}
	return c.tell()
}

func (c *Cluster) tellParticipant(now time.Time, p *participant, kind ChangeKind, fields []Field, reason []byte) bool {
	c.change = Change{
		Kind: kind, Time: now, Server: p.call.server, Call: p.call.id, Correlator: p.call.meeting.correlator, CallName: p.call.name(),
		Participant: p.id, Who: p.who(), State: p.state, Fields: fields, Reason: reason,
	}
	return c.tell()
}

func (c *Cluster) tell() bool {
	told := c.sink.Take(&c.change)
	if !told {
		c.bridges[c.change.Server].behind = true
	}
	return told
}

// ghost is something that is gone, and whoever is told does not know.
type ghost struct {
	made                       uint64
	server                     int
	kind                       ChangeKind
	call, callName, correlator string
	participant, who, reason   string
	charged                    int // bytes of the server's state
}

// ghostKey says whose ghost it is. Participants have one id on all servers.
type ghostKey struct {
	server int
	id     string
}

func callKey(k *call) ghostKey               { return ghostKey{k.server, k.id} }
func participantKey(p *participant) ghostKey { return ghostKey{-1, p.id} }

// maxGhosts bounds the removals remembered.
const maxGhosts = 100_000

func (c *Cluster) haunt(now time.Time, key ghostKey, g ghost) {
	g.charged = g.cost()
	if !c.fits(g.server, g.charged) {
		g.callName, g.who = "", ""
		g.charged = g.cost()
	}
	if len(c.ghosts) >= maxGhosts || !c.fits(g.server, g.charged) {
		c.leaveOut(now, g.server)
		return
	}
	c.bridges[g.server].bytes += g.charged
	g.made = c.number()
	c.ghosts[key] = g
}

// revive tells whether something that came back is not known to be gone. Then
// its return is not to be told as an add.
func (c *Cluster) revive(key ghostKey) bool {
	g, found := c.ghosts[key]
	c.forgetGhost(key, &g)
	return found
}

func (c *Cluster) forgetGhost(key ghostKey, g *ghost) {
	delete(c.ghosts, key)
	c.bridges[g.server].bytes -= g.charged
}

// lay tells that the ghosts of a server are gone.
func (c *Cluster) lay(now time.Time, server int) bool {
	var keys []ghostKey
	for key, g := range c.ghosts {
		if g.server == server {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b ghostKey) int { return cmp.Compare(c.ghosts[a].made, c.ghosts[b].made) })
	for _, key := range keys {
		g := c.ghosts[key]
		c.change = Change{
			Kind: g.kind, Time: now, Server: server, Call: g.call, Correlator: g.correlator, CallName: []byte(g.callName),
			Participant: g.participant, Who: []byte(g.who), Reason: []byte(g.reason),
		}
		if !c.tell() {
			return false
		}
		c.forgetGhost(key, &g)
	}
	return true
}

// Behind tells whether changes of a server could not be taken.
func (c *Cluster) Behind(server int) bool { return c.bridges[server].behind }

// Heal tells what the changes that could not be taken amount to: the picture is
// right all the time, so that the difference between it and what was told is all
// that is missing. It ends early when the sink is full again.
func (c *Cluster) Heal(now time.Time, server int) (healed bool) {
	b := &c.bridges[server]
	if !c.lay(now, server) {
		return false
	}
	calls := make([]*call, 0, len(b.calls))
	for _, k := range b.calls {
		calls = append(calls, k)
	}
	slices.SortFunc(calls, func(a, b *call) int { return cmp.Compare(a.made, b.made) })
	for _, k := range calls {
		if !c.healCall(now, k) {
			return false
		}
	}
	var people []*participant
	for _, p := range c.participants {
		if p.call.server == server && (!p.told || p.untold) {
			people = append(people, p)
		}
	}
	slices.SortFunc(people, byMade)
	for _, p := range people {
		kind := ParticipantChanged
		if !p.told {
			kind = ParticipantAdded
		}
		if !c.tellParticipant(now, p, kind, p.fields.fields(), nil) {
			return false
		}
		p.told, p.untold = true, false
	}
	b.behind = false
	return true
}

func (c *Cluster) healCall(now time.Time, k *call) bool {
	if !k.told {
		if !c.tellCall(now, k, CallAdded, k.list.fields(), nil) {
			return false
		}
		k.told, k.listUntold, k.infoUntold = true, false, len(k.info) > 0
	}
	if k.listUntold {
		if !c.tellCall(now, k, CallChanged, k.list.fields(), nil) {
			return false
		}
		k.listUntold = false
	}
	if k.infoUntold {
		if !c.tellCall(now, k, InfoChanged, k.info.fields(), nil) {
			return false
		}
		k.infoUntold = false
	}
	return true
}
