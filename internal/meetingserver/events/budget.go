// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "time"

// The state of a server is counted in bytes: text by its length, and each object by one of
// these constants, which were measured and rounded up.
//
// Each record is charged for at least reservedRecord bytes. The documented elements need no
// more while each is at most shortText bytes long. So an object within the limit can always
// change its state, flags and ids. Longer text above the limit is emitted and not kept.
const (
	callCost        = 2 << 10
	participantCost = 512
	removalCost     = 256
	reservedRecord  = 1 << 10
	shortText       = 64
)

func (r packedElements) cost() int { return max(reservedRecord, cap(r)) }

// recordCost returns the charge of a record with these elements.
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

func (g *unreportedRemoval) cost() int {
	return removalCost + len(g.call) + len(g.callName) + len(g.correlator) + len(g.participant) + len(g.participantName) + len(g.reason)
}

// fits reports whether n more bytes of a server are within the limit.
func (c *Cluster) fits(server, n int) bool {
	limit := c.opts.Limits.Bytes
	return limit == 0 || c.servers[server].stateBytes+n <= limit
}

// countUntracked counts an object or text above the limits.
func (c *Cluster) countUntracked(now time.Time, server int) {
	c.untracked++
	c.servers[server].lastFullAt = now
}

// chargeParticipant updates the charge of a participant. It drops long text above the
// limit.
func (c *Cluster) chargeParticipant(now time.Time, p *participant) {
	if more := p.cost() - int(p.chargedBytes); more != 0 {
		c.addCharge(now, p, more)
	}
}

func (p *participant) cost() int { return participantCost + len(p.id) + p.fields.cost() }

// addCharge adds more bytes to the charge of a participant, or drops their long text.
func (c *Cluster) addCharge(now time.Time, p *participant, more int) {
	server := p.call.server
	if more > 0 && !c.fits(server, more) {
		p.fields = p.fields.compact()
		more = p.cost() - int(p.chargedBytes)
		c.countUntracked(now, server)
	}
	p.chargedBytes += int32(more) //nolint:gosec // a record is bounded by maxRecord and by the documented fields
	c.servers[server].stateBytes += more
}

// chargeCall updates the charge of a call, as chargeParticipant does.
func (c *Cluster) chargeCall(now time.Time, k *call) {
	more := k.cost() - k.chargedBytes
	if more == 0 {
		return
	}
	if more > 0 && !c.fits(k.server, more) {
		k.listFields, k.infoFields = k.listFields.compact(), k.infoFields.compact()
		more = k.cost() - k.chargedBytes
		c.countUntracked(now, k.server)
	}
	k.chargedBytes += more
	c.servers[k.server].stateBytes += more
}

func (k *call) cost() int { return callCost + len(k.id) + k.listFields.cost() + k.infoFields.cost() }

// compact returns the record without unknown elements and long text.
func (r packedElements) compact() packedElements {
	compacted := make(packedElements, 0, reservedRecord)
	var e entry
	for i := 0; i < len(r); i = e.end {
		if e = r.entryAt(i); e.element != Unknown && len(e.value) <= shortText {
			compacted = append(compacted, r[e.begin:e.end]...)
		}
	}
	return compacted
}

// StateBytes returns the charged bytes of a server's state.
func (c *Cluster) StateBytes(server int) int { return c.servers[server].stateBytes }
