// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "time"

// ChangeKind is the kind of a change.
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

// Change is one change of the cluster state. Its contents are valid during the call of
// Accept only.
type Change struct {
	Kind   ChangeKind
	Time   time.Time
	Server int

	Call, Correlator string
	CallName         []byte

	// Participant is the participant's id; "" in the change of a call. ParticipantName is
	// their name or, without one, their address.
	Participant     string
	ParticipantName []byte
	State           StateLabel

	// Fields are all elements in an add, and the changed elements in an update.
	Fields []Field
	// Reason of a removal; nil if there is none.
	Reason []byte
}

// Sink receives the changes of a Cluster.
type Sink interface {
	// Accept returns false if the sink has no room. EmitPending later emits the change
	// again, merged with the changes that followed.
	Accept(c *Change) bool
}

// emitCall emits a change of a call, and reports whether the sink accepted it.
func (c *Cluster) emitCall(now time.Time, k *call, kind ChangeKind, fields []Field, reason []byte) bool {
	c.emittedChange = Change{
		Kind: kind, Time: now, Server: k.server, Call: k.id, Correlator: k.meeting.correlator, CallName: k.name(),
		Fields: fields, Reason: reason,
	}
	return c.emit()
}

// emitParticipant emits a change of a participant, and reports whether the sink accepted
// it.
func (c *Cluster) emitParticipant(now time.Time, p *participant, kind ChangeKind, fields []Field, reason []byte) bool {
	c.emittedChange = Change{
		Kind: kind, Time: now, Server: p.call.server, Call: p.call.id, Correlator: p.call.meeting.correlator, CallName: p.call.name(),
		Participant: p.id, ParticipantName: p.displayName(), State: p.state, Fields: fields, Reason: reason,
	}
	return c.emit()
}

// emit passes emittedChange to the sink.
func (c *Cluster) emit() bool {
	accepted := c.sink.Accept(&c.emittedChange)
	if !accepted {
		c.servers[c.emittedChange.Server].hasPendingChanges = true
	}
	return accepted
}
