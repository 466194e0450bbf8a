// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "time"

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

// Change of the picture. Nothing in it lasts longer than the call of Accept.
type Change struct {
	Kind   ChangeKind
	Time   time.Time
	Server int

	Call, Correlator string
	CallName         []byte

	// Participant is "" in the change of a call. Who is their name or, without
	// one, their address.
	Participant     string
	ParticipantName []byte
	State           StateLabel

	// Fields are the elements of an add, and those that changed in an update.
	Fields []Field
	// Reason of a removal; nil if there is none.
	Reason []byte
}

// Sink is told of changes.
type Sink interface {
	// Take returns false if the change cannot be taken now. Heal tells what it
	// amounts to later.
	Accept(c *Change) bool
}

func (c *Cluster) emitCall(now time.Time, k *call, kind ChangeKind, fields []Field, reason []byte) bool {
	c.emittedChange = Change{
		Kind: kind, Time: now, Server: k.server, Call: k.id, Correlator: k.meeting.correlator, CallName: k.name(),
		Fields: fields, Reason: reason,
	}
	return c.emit()
}

func (c *Cluster) emitParticipant(now time.Time, p *participant, kind ChangeKind, fields []Field, reason []byte) bool {
	c.emittedChange = Change{
		Kind: kind, Time: now, Server: p.call.server, Call: p.call.id, Correlator: p.call.meeting.correlator, CallName: p.call.name(),
		Participant: p.id, ParticipantName: p.displayName(), State: p.state, Fields: fields, Reason: reason,
	}
	return c.emit()
}

func (c *Cluster) emit() bool {
	accepted := c.sink.Accept(&c.emittedChange)
	if !accepted {
		c.servers[c.emittedChange.Server].hasPendingChanges = true
	}
	return accepted
}
