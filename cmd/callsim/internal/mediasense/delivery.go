// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/recording"
)

// eventDelivery is an event of the scenario with the state of its delivery.
type eventDelivery struct {
	ev      recording.Event
	kind    Kind
	shape   shape
	tried   bool // posted whole at least once
	arrived bool // and acknowledged
}

// sessions returns the ids of the event's sessions.
func (n *eventDelivery) sessions() []string {
	switch payload := n.ev.Payload.(type) {
	case recording.Started:
		return []string{payload.Session.ID}
	case recording.Updated:
		return []string{payload.Session.ID}
	case recording.Ended:
		return []string{payload.Session.ID}
	case recording.Removed:
		return payload.IDs
	case recording.Tagged:
		return []string{payload.Session}
	}
	return nil
}

// deliveryLog counts the events and their deliveries.
type deliveryLog struct {
	keepPending bool // keep events without an acknowledgement, for Report.Missed
	happened    map[Kind]int
	arrived     map[Kind]int
	states      map[string]int // sessions that ended, by state
	tags        map[string]int // tags added, by type
	deleted     int            // sessions named by events that arrived
	pruned      int
	damaged     map[[sha256.Size]byte]bool // damaged bodies that arrived
	pending     []*eventDelivery           // did not arrive so far; none unless kept
}

func newDeliveryLog(keep bool) deliveryLog {
	return deliveryLog{keepPending: keep, happened: map[Kind]int{}, arrived: map[Kind]int{}, states: map[string]int{}, tags: map[string]int{}, damaged: map[[sha256.Size]byte]bool{}}
}

func (d *deliveryLog) add(ev recording.Event, s shape) *eventDelivery {
	n := &eventDelivery{ev: ev, kind: kindOf(ev), shape: s}
	d.happened[n.kind]++
	if d.keepPending {
		d.dropArrived()
		d.pending = append(d.pending, n)
	}
	return n
}

// dropArrived removes arrived events when they are most of the list.
func (d *deliveryLog) dropArrived() {
	if len(d.pending) >= 1024 && len(d.pending) == cap(d.pending) {
		d.pending = slices.DeleteFunc(d.pending, func(n *eventDelivery) bool { return n.arrived })
	}
}

// markArrived counts an event at its first acknowledgement.
func (d *deliveryLog) markArrived(n *eventDelivery) {
	if n.arrived {
		return
	}
	n.arrived = true
	d.arrived[n.kind]++
	switch payload := n.ev.Payload.(type) {
	case recording.Ended:
		d.states[string(payload.Session.State)]++
	case recording.Removed:
		if payload.Pruned {
			d.pruned += len(payload.IDs)
		} else {
			d.deleted += len(payload.IDs)
		}
	case recording.Tagged:
		if payload.Action == recording.TagAdded && payload.Tag.User {
			d.tags["USER_DEFINED"]++
		} else if payload.Action == recording.TagAdded {
			d.tags["SYSTEM_DEFINED"]++
		}
	}
}

// Missed is an event without an acknowledgement.
type Missed struct {
	At       time.Time
	Kind     Kind
	Sessions []string
	// Tried: it may have arrived all the same.
	Tried bool
}

func (d *deliveryLog) missed() []Missed {
	var list []Missed
	for _, n := range d.pending {
		if !n.arrived {
			list = append(list, Missed{At: n.ev.At, Kind: n.kind, Sessions: n.sessions(), Tried: n.tried})
		}
	}
	return list
}
