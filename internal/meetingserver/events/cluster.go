// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"slices"
	"time"
)

// Options of a Cluster.
type Options struct {
	// Servers is how many Call Bridges there are, at most MaxServers.
	Servers int
	// MaxConnections is how many sockets one server is given at most.
	MaxConnections int
	// Elements to subscribe to. No elements of CallInfo or CallRoster means no
	// subscription of that kind.
	Elements [3][]string
	// RosterOnAll watches the roster of a call on every bridge that hosts it.
	RosterOnAll bool
	// Grace is how long a snapshot, or several that are cut short, must be quiet
	// for what was known before and not announced again to be gone.
	Grace time.Duration
	// LostAfter is how long what nobody tells of any more is kept.
	LostAfter time.Duration
	// Limits of what is held.
	Limits Limits
}

// Limits bound what is held. What is above is ignored and counted.
type Limits struct {
	// Calls of one server.
	Calls int
	// Participants of all.
	Participants int
	// Bytes of the state of one server: its calls and participants with all their
	// text, and the removals that are not reported yet. 0 means no bound.
	Bytes int
}

// MaxServers is how many servers a Cluster can hold.
const MaxServers = 64

// DefaultLimits are an order of magnitude above the largest cluster documented.
var DefaultLimits = Limits{Calls: 20_000, Participants: 200_000, Bytes: 64 << 20}

// Subscriptions is how many of them one socket can have.
const Subscriptions = 100

// coalesce is how long a change of the wanted set waits for others: N calls
// that begin at once are one request.
const coalesce = 100 * time.Millisecond

// Cluster is the picture of the calls and participants of a cluster of Call
// Bridges, and the plan of the subscriptions that make it.
type Cluster struct {
	opts Options
	sink Sink

	bridges      []bridge
	meetings     map[*meeting]struct{}
	byCorrelator map[string]*meeting
	participants map[string]*participant
	removals     removals
	ghosts       map[ghostKey]ghost

	sweeping   []*call
	orphaned   []*meeting
	departures []departure
	renewals   []*sub    // damaged subscriptions that wait for a fresh index
	pendingBy  time.Time // when a subscription has been pending for too long; zero: none waits
	planAt     time.Time // zero: no plan is due
	made       uint64    // numbers objects, for a stable order
	dropped    uint64

	changed []Field // room that is used again
	change  Change
}

// bridge is one server.
type bridge struct {
	calls   map[string]*call
	sockets []socket
	last    int64 // the highest index given out; none is ever used again
	list    *sub
	live    bool // the server announces its calls
	known   bool // the picture says something of this server
	// down is since when nothing comes of the server's calls, neither the list nor,
	// as of the last look, of one of them; zero while the list is followed.
	down  time.Time
	sweep sweep // of the list
	quiet time.Duration
	// missingSince is the first absence of a call that is not followed, or earlier;
	// zero for none.
	missingSince time.Time
	listDamage   damage
	damage       damage // of any message

	bytes  int       // of the server's state
	fullAt time.Time // when something last found no room in it; zero: never
	// elements are those that the server is asked for, and leftOut those that it
	// refuses: it took a request without them.
	elements [kinds][]string
	leftOut  []string
	nextTry  int // the first set of refusable that a refused socket leaves out

	wanted, unplaced, socketsWanted int

	behind bool // something could not be told
}

// NewCluster returns an empty picture; sink is told what changes in it.
func NewCluster(opts Options, sink Sink) *Cluster {
	c := &Cluster{
		opts: opts, sink: sink,
		bridges:      make([]bridge, opts.Servers),
		meetings:     make(map[*meeting]struct{}),
		byCorrelator: make(map[string]*meeting),
		participants: make(map[string]*participant),
		removals:     removals{by: make(map[string]removal)},
		ghosts:       make(map[ghostKey]ghost),
	}
	for i := range c.bridges {
		c.bridges[i] = bridge{
			calls: make(map[string]*call), sockets: make([]socket, opts.MaxConnections), socketsWanted: 1, elements: opts.Elements,
		}
	}
	return c
}

// Opened says that a socket is connected. The first of a server asks for its
// calls, the others are there for what does not fit into the first.
func (c *Cluster) Opened(now time.Time, server, slot int) {
	b := &c.bridges[server]
	b.sockets[slot].open = true
	if slot == 0 {
		b.list = c.subscribe(now, server, slot, Calls, nil)
	}
	c.planBy(now)
}

// Closed says that a socket is gone, and with it its subscriptions. Without the
// first socket nothing new is known of a server's calls; what the other sockets
// follow goes on.
func (c *Cluster) Closed(now time.Time, server, slot int) {
	b := &c.bridges[server]
	if slot == 0 && b.sockets[0].open {
		c.listLost(now, b)
	}
	for _, s := range slices.Clone(b.sockets[slot].subs) {
		c.unsubscribe(now, s)
	}
	b.sockets[slot].open, b.sockets[slot].renewAt = false, time.Time{}
	c.planBy(now)
}

// Outcome says what became of a message.
type Outcome uint8

// What becomes of a message.
const (
	// Accepted: it is part of the picture.
	Accepted Outcome = iota
	// Ignored: it is of a subscription that there is no more, or of an object
	// that is not known.
	Ignored
	// UnknownType: nobody knows what it is.
	UnknownType
	// Broken: the server ended the list of its calls.
	Broken
)

// Receive takes a message of a server.
func (c *Cluster) Receive(now time.Time, server, slot int, f *Frame) Outcome {
	switch f.Type {
	case SubscriptionUpdate:
		return c.receiveStates(now, server, slot, f.States)
	case CallListUpdate:
		// There is one list on a server: no index is needed to know it.
		if s := c.bridges[server].list; s != nil && s.slot == slot && (!f.HasIndex || f.Index == s.index) {
			c.activate(now, s)
			return c.receiveList(now, server, f)
		}
	case CallInfoUpdate:
		if s := c.bridges[server].sockets[slot].find(f.Index); s != nil && f.HasIndex && s.kind == CallInfo {
			c.activate(now, s)
			return c.receiveInfo(now, s.call, f)
		}
	case RosterUpdate:
		if s := c.bridges[server].sockets[slot].find(f.Index); s != nil && f.HasIndex && s.kind == CallRoster {
			c.activate(now, s)
			return c.receiveRoster(now, s.call, f)
		}
	default:
		return UnknownType
	}
	return Ignored
}

// receiveStates takes the states listed; those not listed stay as they are.
func (c *Cluster) receiveStates(now time.Time, server, slot int, states []SubscriptionState) Outcome {
	outcome := Ignored
	for _, said := range states {
		s := c.bridges[server].sockets[slot].find(said.Index)
		if s == nil {
			continue
		}
		if outcome == Ignored {
			outcome = Accepted
		}
		switch said.State {
		case Pending:
			if s.state == Requested {
				s.state = Pending
			}
		case Active:
			c.activate(now, s)
		case Deactivated:
			if s.kind == Calls {
				outcome = Broken
				continue
			}
			c.deactivated(now, s)
		}
	}
	return outcome
}

// activate begins what an active subscription announces. Data come of an active
// one only, so they say the same as the state.
func (c *Cluster) activate(now time.Time, s *sub) {
	if s.state == Active {
		return
	}
	s.state = Active
	switch s.kind {
	case Calls:
		b := &c.bridges[s.server]
		if s.renewed {
			c.awaitListAnew(now, b)
		}
		c.listBegins(now, b)
	case CallRoster:
		if s.renewed {
			c.unseen(now, s.call)
		}
		c.rosterBegins(now, s.call)
	}
	if s.call != nil {
		s.call.blocks[s.kind], s.call.stuck[s.kind] = 0, false
	}
}

func (c *Cluster) listBegins(now time.Time, b *bridge) {
	if !b.live {
		b.live, b.known, b.down = true, true, time.Time{}
		b.sweep.begin(now, c.opts.Grace)
		c.awaitCalls(b)
		c.planBy(now.Add(coalesce))
	}
}

// deactivated ends a subscription: the call ended, or the bridge left it. If the
// call stays in the list, the subscription is tried again, ever less often.
func (c *Cluster) deactivated(now time.Time, s *sub) {
	k := s.call
	k.blocked[s.kind] = now.Add(retryAfter << min(k.blocks[s.kind], 5))
	k.blocks[s.kind]++
	c.unsubscribe(now, s)
	c.planBy(now.Add(coalesce))
}

// retryAfter is how long a subscription that a server ended is not asked for.
const retryAfter = 5 * time.Second

// Advance does what time brings. Next says when to call it again.
func (c *Cluster) Advance(now time.Time) {
	for server := range c.bridges {
		b := &c.bridges[server]
		if b.sweep.due(now) || c.lost(now, b.missingSince) {
			c.sweepList(now, server)
		}
		switch {
		case !c.lost(now, b.down):
		case b.follows():
			b.down = now // the server still reports some of its calls
		default:
			b.down, b.known = time.Time{}, false
		}
	}
	for _, k := range slices.Clone(c.sweeping) {
		if k.sweep.due(now) {
			c.sweepRoster(now, k)
		}
	}
	c.depart(now)
	c.sweepOrphans(now)
	c.forgetRemovals(now)
	c.renewDamaged(now)
	c.endPending(now)
	if !c.planAt.IsZero() && !now.Before(c.planAt) {
		c.plan(now)
	}
}

// Next returns when Advance has something to do, zero for never.
func (c *Cluster) Next() (next time.Time) {
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	sooner(c.planAt)
	sooner(c.pendingBy)
	sooner(c.removals.next())
	if len(c.departures) > 0 {
		sooner(c.departures[0].at)
	}
	for _, s := range c.renewals {
		sooner(s.renewAt)
	}
	for i := range c.bridges {
		sooner(c.bridges[i].sweep.at)
		for slot := range c.bridges[i].sockets {
			sooner(c.bridges[i].sockets[slot].renewAt)
		}
		for _, since := range [...]time.Time{c.bridges[i].down, c.bridges[i].missingSince} {
			if !since.IsZero() {
				sooner(since.Add(c.opts.LostAfter))
			}
		}
	}
	for _, k := range c.sweeping {
		sooner(k.sweep.at)
	}
	for _, m := range c.orphaned {
		sooner(m.orphanedAt.Add(c.opts.LostAfter))
	}
	return next
}

// lost tells whether something is not told of for too long.
func (c *Cluster) lost(now, since time.Time) bool {
	return !since.IsZero() && now.Sub(since) >= c.opts.LostAfter
}

func (c *Cluster) planBy(at time.Time) {
	if c.planAt.IsZero() || at.Before(c.planAt) {
		c.planAt = at
	}
}

// Live tells whether a server announces its calls.
func (c *Cluster) Live(server int) bool { return c.bridges[server].live }

// Known tells whether there is a picture of a server: it announced its calls, and
// has not been gone for too long.
func (c *Cluster) Known(server int) bool { return c.bridges[server].known }

// number returns the next number of an object.
func (c *Cluster) number() uint64 {
	c.made++
	return c.made
}

// Dropped returns how many objects were ignored because of the Limits.
func (c *Cluster) Dropped() uint64 { return c.dropped }
