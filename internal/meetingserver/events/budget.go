// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "time"

// What is held of a server is counted in bytes: text as it is, and what belongs
// to every object by the constants below, which were measured and rounded up.
//
// Each record is charged for reservedRecord bytes at least. That is what the
// documented elements need while none is longer than shortText, so an object
// that was let in can always change its state, its flags and its ids. Longer
// text that finds no room is reported and not held.
const (
	callCost        = 2 << 10
	participantCost = 512
	ghostCost       = 256
	reservedRecord  = 1 << 10
	shortText       = 64
)

func (r record) cost() int { return max(reservedRecord, cap(r)) }

// recordCost is what a record of these elements costs.
func recordCost(fields []Field) int {
	n := 0
	for i := range fields {
		n += fields[i].size()
	}
	return max(reservedRecord, n)
}

func newCallCost(u *Update, fields []Field) int {
	return callCost + len(u.Call) + recordCost(fields) + reservedRecord
}

func newParticipantCost(u *Update, fields []Field) int {
	return participantCost + len(u.Participant) + recordCost(fields)
}

func (g *ghost) cost() int {
	return ghostCost + len(g.call) + len(g.callName) + len(g.correlator) + len(g.participant) + len(g.who) + len(g.reason)
}

// fits tells whether n more bytes of a server can be held.
func (c *Cluster) fits(server, n int) bool {
	limit := c.opts.Limits.Bytes
	return limit == 0 || c.bridges[server].bytes+n <= limit
}

// leaveOut counts something that found no room.
func (c *Cluster) leaveOut(now time.Time, server int) {
	c.dropped++
	c.bridges[server].fullAt = now
}

// chargeParticipant counts what somebody takes. Long text for which there is no
// room is let go.
func (c *Cluster) chargeParticipant(now time.Time, p *participant) {
	if more := p.cost() - int(p.charged); more != 0 {
		c.charge(now, p, more)
	}
}

func (p *participant) cost() int { return participantCost + len(p.id) + p.fields.cost() }

func (c *Cluster) charge(now time.Time, p *participant, more int) {
	server := p.call.server
	if more > 0 && !c.fits(server, more) {
		p.fields = p.fields.short()
		more = p.cost() - int(p.charged)
		c.leaveOut(now, server)
	}
	p.charged += int32(more) //nolint:gosec // a record is bounded by maxRecord and what is documented
	c.bridges[server].bytes += more
}

// chargeCall counts what a call takes, as chargeParticipant does.
func (c *Cluster) chargeCall(now time.Time, k *call) {
	more := k.cost() - k.charged
	if more == 0 {
		return
	}
	if more > 0 && !c.fits(k.server, more) {
		k.list, k.info = k.list.short(), k.info.short()
		more = k.cost() - k.charged
		c.leaveOut(now, k.server)
	}
	k.charged += more
	c.bridges[k.server].bytes += more
}

func (k *call) cost() int { return callCost + len(k.id) + k.list.cost() + k.info.cost() }

// short returns what is left of a record without its unknown elements and its
// long text.
func (r record) short() record {
	kept := make(record, 0, reservedRecord)
	var e entry
	for i := 0; i < len(r); i = e.end {
		if e = r.at(i); e.element != Unknown && len(e.value) <= shortText {
			kept = append(kept, r[e.begin:e.end]...)
		}
	}
	return kept
}

// Bytes returns how many bytes of a server are held.
func (c *Cluster) Bytes(server int) int { return c.bridges[server].bytes }
