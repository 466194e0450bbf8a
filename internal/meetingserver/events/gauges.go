// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"bytes"
	"strings"
)

// StateLabel is a participant's state as one of a bounded set of metric labels.
type StateLabel uint8

// The states of a participant. NoState: the server did not send one.
const (
	NoState StateLabel = iota
	Initial
	Ringing
	Connected
	OnHold
	OtherParticipantState
	StateLabels
)

// DirectionLabel is a participant's direction as one of a bounded set of metric labels.
type DirectionLabel uint8

// The directions of a participant. NoDirection: the server did not send one.
const (
	NoDirection DirectionLabel = iota
	Incoming
	Outgoing
	OtherDirection
	DirectionLabels
)

// String returns the wire name; "" for a missing or undocumented state.
func (s StateLabel) String() string {
	return string(stateLabels[s])
}

// String returns the wire name; "" for a missing or undocumented direction.
func (d DirectionLabel) String() string {
	return string(directionLabels[d])
}

// updateLabels sets the labels from the changed elements.
func (p *participant) updateLabels(changed []Field) {
	for i := range changed {
		switch v := &changed[i]; v.Element {
		case State:
			p.state = stateLabel(v)
		case Direction:
			p.direction = directionLabel(v)
		}
	}
}

// stateLabels and directionLabels are the wire names by label.
var (
	stateLabels     = [StateLabels][]byte{Initial: []byte("initial"), Ringing: []byte("ringing"), Connected: []byte("connected"), OnHold: []byte("onHold")}
	directionLabels = [DirectionLabels][]byte{Incoming: []byte("incoming"), Outgoing: []byte("outgoing")}
)

func stateLabel(v *Field) StateLabel {
	if len(v.Text) == 0 {
		return NoState
	}
	for label, word := range stateLabels {
		if len(word) > 0 && bytes.EqualFold(v.Text, word) {
			return StateLabel(label)
		}
	}
	return OtherParticipantState
}

func directionLabel(v *Field) DirectionLabel {
	if len(v.Text) == 0 {
		return NoDirection
	}
	for label, word := range directionLabels {
		if len(word) > 0 && bytes.EqualFold(v.Text, word) {
			return DirectionLabel(label)
		}
	}
	return OtherDirection
}

// Gauges are the gauge values of one server.
type Gauges struct {
	Calls, Recording, Streaming, Locked int64
	Participants                        [StateLabels][DirectionLabels]int64
}

// Gauges returns the gauge values of each server. It counts each meeting and participant
// once, on the server that the cluster subscribes to for it.
func (c *Cluster) Gauges() []Gauges {
	all := make([]Gauges, len(c.servers))
	for m := range c.meetings {
		if len(m.calls) == 0 {
			continue
		}
		g := &all[c.gaugeCall(m).server]
		g.Calls++
		if m.hasValue(Recording, "active") {
			g.Recording++
		}
		if m.hasValue(Streaming, "active") {
			g.Streaming++
		}
		// Not locked is notLocked in the list and unlocked in the call info.
		if m.hasValue(LockState, "locked") {
			g.Locked++
		}
		for _, p := range m.participants {
			all[p.call.server].Participants[p.state][p.direction]++
		}
	}
	return all
}

// gaugeCall returns the call under which a meeting is counted: a call with a roster
// subscription, else with a call info subscription, else on a server with an active list,
// else the first.
func (c *Cluster) gaugeCall(m *meeting) *call {
	best, rank := m.calls[0], -1
	for _, k := range m.calls {
		r := 0
		if c.servers[k.server].listActive {
			r++
		}
		if k.infoSub != nil {
			r += 2
		}
		if k.rosterSub != nil {
			r += 4
		}
		if r > rank {
			best, rank = k, r
		}
	}
	return best
}

// hasValue reports whether an element of one of the meeting's calls has a value, in any
// case of letters. The list takes precedence: every call has it, the call info depends on
// free slots.
func (m *meeting) hasValue(element Element, value string) bool {
	for _, k := range m.calls {
		e, found := k.listFields.find(element, nil)
		if !found {
			e, found = k.infoFields.find(element, nil)
		}
		if found && e.kind == Text && strings.EqualFold(string(e.value), value) {
			return true
		}
	}
	return false
}

// SubscriptionCounts are the numbers of a server's subscriptions by state.
type SubscriptionCounts struct{ Wanted, Active, Unplaced int64 }

// SubscriptionCounts counts the subscriptions of a server. An unplaced subscription is
// wanted too.
func (c *Cluster) SubscriptionCounts(server int) (n SubscriptionCounts) {
	srv := &c.servers[server]
	for i := range srv.sockets {
		n.Wanted += int64(len(srv.sockets[i].subs))
		for _, s := range srv.sockets[i].subs {
			if s.state == Active {
				n.Active++
			}
		}
	}
	n.Unplaced = int64(srv.unplaced)
	n.Wanted += n.Unplaced
	return n
}

// Unplaced returns how many subscriptions of a server have no slot.
func (c *Cluster) Unplaced(server int) int64 { return int64(c.servers[server].unplaced) }

// Size returns the numbers of calls and participants in the cluster state.
func (c *Cluster) Size() (calls, participants int) {
	for i := range c.servers {
		calls += len(c.servers[i].calls)
	}
	return calls, len(c.participants)
}
