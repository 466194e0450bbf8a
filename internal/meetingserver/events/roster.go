// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"cmp"
	"slices"
	"time"
)

// participant is somebody in a meeting.
type participant struct {
	id     string
	call   *call // whose roster told of it last, or first if several do
	fields record
	// seen has a bit for each server whose roster has it at the moment.
	seen   uint64
	absent absence // while no roster has it
	made   uint64
	place  int // in the meeting's participants

	charged   int32 // bytes of the state of call.server
	state     StateLabel
	direction DirectionLabel

	told, untold bool
}

// who is the participant's name or, without one, their address.
func (p *participant) who() []byte {
	if name := p.fields.text(Name); len(name) > 0 {
		return name
	}
	return p.fields.text(URI)
}

func byMade(a, b *participant) int { return cmp.Compare(a.made, b.made) }

// receiveRoster takes what a server says of the participants of one call.
func (c *Cluster) receiveRoster(now time.Time, k *call, f *Frame) Outcome {
	outcome := Ignored
	k.sweep.news(now, false)
	if len(f.Updates) == 0 {
		return Accepted
	}
	for i := range f.Updates {
		u := &f.Updates[i]
		if len(u.Participant) == 0 {
			continue
		}
		var done bool
		if p := c.participants[string(u.Participant)]; p == nil {
			done = c.addParticipant(now, k, u, f.Fields(u))
		} else {
			done = c.updateParticipant(now, k, p, u, f.Fields(u))
		}
		if done {
			outcome = Accepted
		}
	}
	return outcome
}

func (c *Cluster) addParticipant(now time.Time, k *call, u *Update, fields []Field) bool {
	switch {
	case u.Type == OtherUpdate, c.removals.late(now, u, k), u.Type == Remove:
		return false
	case u.Type != Add:
		return c.tellStray(now, k, u, fields)
	case len(c.participants) >= c.opts.Limits.Participants, !c.fits(k.server, newParticipantCost(u, fields)):
		c.leaveOut(now, k.server)
		return false
	}
	p := &participant{id: string(u.Participant), call: k, seen: 1 << k.server, made: c.number()}
	c.participants[p.id] = p
	k.meeting.add(p)
	p.fields, c.changed = p.fields.merge(fields, c.changed[:0])
	p.label(c.changed)
	c.chargeParticipant(now, p)
	if c.revive(participantKey(p)) {
		p.told, p.untold = true, true
		c.bridges[k.server].behind = true
		return true
	}
	p.told = c.tellParticipant(now, p, ParticipantAdded, fields, nil)
	return true
}

// tellStray passes on news of somebody who never came. They are not there by
// it: an add has all there is to know of them, and it will come if they do.
func (c *Cluster) tellStray(now time.Time, k *call, u *Update, fields []Field) bool {
	p := participant{id: string(u.Participant), call: k}
	p.fields, c.changed = p.fields.merge(fields, c.changed[:0])
	p.label(c.changed)
	if !c.tellParticipant(now, &p, ParticipantChanged, fields, nil) {
		c.dropped++
	}
	return true
}

func (c *Cluster) updateParticipant(now time.Time, k *call, p *participant, u *Update, fields []Field) bool {
	mine := uint64(1) << k.server
	switch u.Type {
	case Remove:
		if p.call.meeting != k.meeting {
			return false // it went elsewhere, and was told so
		}
		p.seen &^= mine
		// Only the bridge that hosts somebody says why they left: as long as
		// another one has them, the reason may still come.
		switch reason := reasonOf(fields); {
		case len(reason) == 0 && p.seen != 0:
		case len(reason) == 0 && c.mayHandOver(k):
			c.awaitHandOver(now, p, k)
		default:
			c.rememberRemoval(now, p.id, k.server)
			c.removeParticipant(now, p, reason)
		}
		return true
	case OtherUpdate:
		return false
	}
	moved := p.call.meeting != k.meeting
	if moved {
		p.call.meeting.remove(p)
		k.meeting.add(p)
		p.seen = 0
	}
	if moved || p.call.roster == nil {
		c.hand(p, k)
	}
	p.seen |= mine
	if p.absent.is() {
		p.absent = absence{}
		k.sweep.news(now, true)
	}
	p.fields, c.changed = p.fields.merge(fields, c.changed[:0])
	if len(c.changed) > 0 || moved {
		p.label(c.changed)
		c.chargeParticipant(now, p)
		if p.told && !c.tellParticipant(now, p, ParticipantChanged, c.changed, nil) {
			p.untold = true
		}
	}
	return true
}

// hand makes k the call that somebody's changes are told of. What could not be
// told goes with them.
func (c *Cluster) hand(p *participant, k *call) {
	c.bridges[p.call.server].bytes -= int(p.charged)
	c.bridges[k.server].bytes += int(p.charged)
	p.call = k
	if !p.told || p.untold {
		c.bridges[k.server].behind = true
	}
}

// removeParticipant ends somebody's part.
func (c *Cluster) removeParticipant(now time.Time, p *participant, reason []byte) {
	delete(c.participants, p.id)
	c.bridges[p.call.server].bytes -= int(p.charged)
	p.call.meeting.remove(p)
	if p.told && !c.tellParticipant(now, p, ParticipantRemoved, nil, reason) {
		c.haunt(now, participantKey(p), ghost{
			server: p.call.server, kind: ParticipantRemoved, call: p.call.id, callName: string(p.call.name()), correlator: p.call.meeting.correlator,
			participant: p.id, who: string(p.who()), reason: string(reason),
		})
	}
}

// rosterBegins: the server announces who is in the call.
func (c *Cluster) rosterBegins(now time.Time, k *call) {
	k.sweep.begin(now, c.opts.Grace)
	c.awaitPeople(k)
}

// rosterLost: this server does not tell of the call's participants any more.
// They stay until somebody else does, or nobody has for too long.
func (c *Cluster) rosterLost(now time.Time, k *call) {
	m := k.meeting
	m.quiet += k.sweep.cut(now)
	c.forgetSweep(k)
	if !c.unseen(now, k) {
		return
	}
	c.orphan(m)
	// Another bridge that has not told of them knows them to be gone, or is
	// about to tell.
	for _, other := range m.calls {
		if other != k && other.roster != nil && other.roster.state == Active {
			c.rosterBegins(now, other)
		}
	}
}

// unseen marks that a call's roster announces nobody any more, and tells whether
// that leaves somebody whom no roster announces.
func (c *Cluster) unseen(now time.Time, k *call) (left bool) {
	m := k.meeting
	for _, p := range m.participants {
		if p.seen &^= 1 << k.server; p.seen == 0 && !p.absent.is() {
			p.absent = absence{since: now, quiet: m.quiet}
			left = true
		}
	}
	return left
}

// awaitPeople looks who of a meeting is missing, and until when to wait for
// them in a call's roster.
func (c *Cluster) awaitPeople(k *call) {
	first := c.orphan(k.meeting)
	if first.since.IsZero() {
		c.forgetSweep(k)
		return
	}
	k.sweep.await(c.opts.Grace - (k.meeting.quiet - first.quiet))
	if !slices.Contains(c.sweeping, k) {
		c.sweeping = append(c.sweeping, k)
	}
}

// sweepRoster removes those that a roster did not announce: it has everybody,
// remote participants too.
func (c *Cluster) sweepRoster(now time.Time, k *call) {
	c.removeOrphans(now, k.meeting, LostConnection, func(p *participant) bool {
		return c.lost(now, p.absent.since) || c.missed(now, &p.absent, &k.sweep, k.meeting.quiet)
	})
	c.awaitPeople(k)
}

func (c *Cluster) forgetSweep(k *call) {
	k.sweep = sweep{}
	c.sweeping = slices.DeleteFunc(c.sweeping, func(other *call) bool { return other == k })
}
