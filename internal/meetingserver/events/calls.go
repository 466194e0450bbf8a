// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"cmp"
	"slices"
	"time"

	"github.com/legato-otel/legato/internal/names"
)

// The reasons of a removal that no server said.
const (
	// NotListed: its server did not announce it again after a reconnect.
	NotListed = "not_listed"
	// LostConnection: its server has not been heard of for long, or announced something
	// else in its place.
	LostConnection = names.ReasonLostConnection
	// NotWatched: there are busier calls, and no room for all of them.
	NotWatched = names.ReasonNotWatched
	// CallEnded is the bridges' own word: its call is over.
	CallEnded = "callEnded"
)

// call is one call of one bridge.
type call struct {
	id      string
	server  int
	made    uint64
	meeting *meeting
	// absent while the server does not announce it.
	absent absence
	// doubted tells that the call is absent because its list was asked for anew:
	// its subscriptions stay.
	doubted bool
	charged int // bytes of the server's state
	// list and info are what the two subscriptions said; one of them may
	// know more, and each is compared with itself.
	list, info record

	roster, infos *sub // nil: not subscribed
	wanted        [kinds]bool
	blocked       [kinds]time.Time
	blocks        [kinds]uint8
	stuck         [kinds]bool // the last subscription never became active
	damage        [kinds]damage
	sweep         sweep // of the roster

	told, listUntold, infoUntold bool
}

func (k *call) name() []byte {
	if name := k.list.text(Name); len(name) > 0 {
		return name
	}
	return k.info.text(Name)
}

// followed tells whether a subscription to the call is active. Then its server
// reports it, on whatever socket, though the list of calls may be down.
func (k *call) followed() bool {
	return k.roster != nil && k.roster.state == Active || k.infos != nil && k.infos.state == Active
}

// unfollowed records that an active subscription to a call ended. LostAfter counts
// from here for a call that its list does not announce.
func (c *Cluster) unfollowed(now time.Time, k *call) {
	if !k.absent.is() || k.followed() {
		return
	}
	k.absent.since = now
	if b := &c.bridges[k.server]; b.missingSince.IsZero() {
		b.missingSince = now
	}
}

// follows tells whether one of a server's calls is followed.
func (b *bridge) follows() bool {
	for _, k := range b.calls {
		if k.followed() {
			return true
		}
	}
	return false
}

// receiveList takes a server's changes to its list of calls.
func (c *Cluster) receiveList(now time.Time, server int, f *Frame) Outcome {
	b := &c.bridges[server]
	c.listBegins(now, b)
	b.sweep.news(now, false)
	outcome := Ignored
	if len(f.Updates) == 0 {
		return Accepted
	}
	for i := range f.Updates {
		u := &f.Updates[i]
		known := b.calls[string(u.Call)]
		switch {
		case len(u.Call) == 0, known == nil && (u.Type == Remove || u.Type == OtherUpdate):
			continue
		case known == nil && u.Type != Add:
			c.tellStrayCall(now, server, u, f.Fields(u))
		case u.Type == Remove:
			c.removeCall(now, known, reasonOf(f.Fields(u)), CallEnded)
		default:
			if known == nil {
				if len(b.calls) >= c.opts.Limits.Calls || !c.fits(server, newCallCost(u, f.Fields(u))) {
					c.leaveOut(now, server)
					continue
				}
				c.addCall(now, server, string(u.Call), f.Fields(u))
			} else {
				c.updateCall(now, known, f.Fields(u))
			}
		}
		outcome = Accepted
	}
	return outcome
}

func reasonOf(fields []Field) []byte {
	for i := range fields {
		if fields[i].Element == Reason && fields[i].Kind == Text {
			return fields[i].Text
		}
	}
	return nil
}

// addCall begins a call.
func (c *Cluster) addCall(now time.Time, server int, id string, fields []Field) {
	b := &c.bridges[server]
	k := &call{id: id, server: server, made: c.number()}
	b.calls[k.id] = k
	k.list, c.changed = k.list.merge(fields, c.changed[:0])
	c.chargeCall(now, k)
	c.join(now, k, k.list.text(CallCorrelator))
	c.planBy(now.Add(coalesce))
	if c.revive(callKey(k)) {
		k.told, k.listUntold, b.behind = true, true, true
		return
	}
	k.told = c.tellCall(now, k, CallAdded, fields, nil)
}

// tellStrayCall passes on news of a call that nobody announced. It is not
// followed: an add has all there is to know of it, and it will come.
func (c *Cluster) tellStrayCall(now time.Time, server int, u *Update, fields []Field) {
	k := call{id: string(u.Call), server: server, meeting: &meeting{}}
	k.list, c.changed = k.list.merge(fields, c.changed[:0])
	k.meeting.correlator = string(k.list.text(CallCorrelator))
	if !c.tellCall(now, &k, CallChanged, fields, nil) {
		c.dropped++
	}
}

func (c *Cluster) updateCall(now time.Time, k *call, fields []Field) {
	if k.absent.is() {
		k.absent, k.doubted = absence{}, false
		c.bridges[k.server].sweep.news(now, true)
		c.planBy(now.Add(coalesce))
	}
	k.list, c.changed = k.list.merge(fields, c.changed[:0])
	if len(c.changed) == 0 {
		return
	}
	c.chargeCall(now, k)
	c.correlate(now, k, c.changed)
	c.resized(now, k, c.changed)
	if k.told && !c.tellCall(now, k, CallChanged, c.changed, nil) {
		k.listUntold = true
	}
}

// receiveInfo takes what a server says of one call.
func (c *Cluster) receiveInfo(now time.Time, k *call, f *Frame) Outcome {
	for i := range f.Updates {
		k.info, c.changed = k.info.merge(f.Fields(&f.Updates[i]), c.changed[:0])
		if len(c.changed) == 0 {
			continue
		}
		c.chargeCall(now, k)
		c.correlate(now, k, c.changed)
		c.resized(now, k, c.changed)
		if k.told && !c.tellCall(now, k, InfoChanged, c.changed, nil) {
			k.infoUntold = true
		}
	}
	return Accepted
}

// correlate moves a call to the meeting of its correlator if that changed.
func (c *Cluster) correlate(now time.Time, k *call, changed []Field) {
	for i := range changed {
		if v := &changed[i]; v.Element == CallCorrelator && v.Kind == Text && len(v.Text) > 0 && string(v.Text) != k.meeting.correlator {
			c.rejoin(now, k, string(v.Text))
			return
		}
	}
}

// resized lets the busiest calls have what room there is.
func (c *Cluster) resized(now time.Time, k *call, changed []Field) {
	if c.bridges[k.server].unplaced == 0 {
		return
	}
	for i := range changed {
		if changed[i].Element == Participants {
			c.planBy(now.Add(replanAfter))
			return
		}
	}
}

// replanAfter is how often, at most, the room is distributed anew.
const replanAfter = 5 * time.Second

// removeCall ends a call. Its participants stay if the meeting goes on, on
// another bridge; if not they are removed, with the reason that the server gave
// or, without one, with without.
func (c *Cluster) removeCall(now time.Time, k *call, reason []byte, without string) {
	for _, s := range [...]*sub{k.roster, k.infos} {
		if s != nil {
			c.unsubscribe(now, s)
		}
	}
	delete(c.bridges[k.server].calls, k.id)
	c.bridges[k.server].bytes -= k.charged
	c.forgetSweep(k)
	people := reason
	if len(people) == 0 {
		people = []byte(without)
	}
	if without == NotListed { // nobody saw how they left
		people = []byte(LostConnection)
	}
	c.leave(now, k, people)
	if len(reason) == 0 && without != CallEnded {
		reason = []byte(without)
	}
	if k.told && !c.tellCall(now, k, CallRemoved, nil, reason) {
		c.haunt(now, callKey(k), ghost{
			server: k.server, kind: CallRemoved, call: k.id, callName: string(k.name()), correlator: k.meeting.correlator, reason: string(reason),
		})
	}
	c.planBy(now.Add(coalesce))
}

// listLost: nothing is known of the server's calls until it announces them anew.
func (c *Cluster) listLost(now time.Time, b *bridge) {
	b.list = nil
	b.quiet += b.sweep.cut(now)
	if !b.live {
		return
	}
	b.live, b.down = false, now
	c.callsAbsent(now, b, false)
	c.awaitCalls(b)
}

// callsAbsent marks the calls of a server as not announced.
func (c *Cluster) callsAbsent(now time.Time, b *bridge, doubted bool) {
	for _, k := range b.calls {
		if !k.absent.is() {
			k.absent = absence{since: now, quiet: b.quiet}
		}
		k.doubted = doubted
	}
}

// awaitCalls looks which calls are missing, and until when to wait for them.
func (c *Cluster) awaitCalls(b *bridge) {
	var first missing
	b.missingSince = time.Time{}
	for _, k := range b.calls {
		if !k.absent.is() {
			continue
		}
		first.add(&k.absent)
		if since := k.absent.since; !k.followed() && (b.missingSince.IsZero() || since.Before(b.missingSince)) {
			b.missingSince = since
		}
	}
	switch {
	case first.since.IsZero():
		b.sweep = sweep{}
	case !b.sweep.since.IsZero():
		b.sweep.await(c.opts.Grace - (b.quiet - first.quiet))
	}
}

// sweepList removes the calls that a server did not announce again.
func (c *Cluster) sweepList(now time.Time, server int) {
	b := &c.bridges[server]
	var gone []*call
	reasons := make(map[*call]string)
	for _, k := range b.calls {
		switch {
		case !k.absent.is():
			continue
		case c.missed(now, &k.absent, &b.sweep, b.quiet):
			reasons[k] = NotListed
		case !k.followed() && c.lost(now, k.absent.since):
			reasons[k] = LostConnection
		default:
			continue
		}
		gone = append(gone, k)
	}
	slices.SortFunc(gone, func(a, b *call) int { return cmp.Compare(a.made, b.made) })
	for _, k := range gone {
		c.removeCall(now, k, nil, reasons[k])
	}
	c.awaitCalls(b)
}
