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
	RosterOnAllBridges bool
	// Grace is how long a snapshot, or several that are cut short, must be quiet
	// for what was known before and not announced again to be gone.
	SnapshotGrace time.Duration
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
const MaxSubscriptions = 100

// coalesce is how long a change of the wanted set waits for others: N calls
// that begin at once are one request.
const coalesceDelay = 100 * time.Millisecond

// Cluster is the picture of the calls and participants of a cluster of Call
// Bridges, and the plan of the subscriptions that make it.
type Cluster struct {
	opts Options
	sink Sink

	servers            []serverState
	meetings           map[*meeting]struct{}
	byCorrelator       map[string]*meeting
	participants       map[string]*participant
	recent             recentRemovals
	unreportedRemovals map[objectKey]unreportedRemoval

	rosterSweeps       []*call
	meetingsWithAbsent []*meeting
	pendingDepartures  []pendingDeparture
	pendingRenewals    []*sub    // damaged subscriptions that wait for a fresh index
	nextPendingTimeout time.Time // when a subscription has been pending for too long; zero: none waits
	nextPlan           time.Time // zero: no plan is due
	lastSequence       uint64    // numbers objects, for a stable order
	untracked          uint64

	changedFields []Field // room that is used again
	emittedChange Change
}

// bridge is one server.
type serverState struct {
	calls      map[string]*call
	sockets    []socket
	lastIndex  int64 // the highest index given out; none is ever used again
	listSub    *sub
	listActive bool // the server announces its calls
	hasState   bool // the picture says something of this server
	// down is since when nothing comes of the server's calls, neither the list nor,
	// as of the last look, of one of them; zero while the list is followed.
	listDownSince time.Time
	listSweep     sweep // of the list
	priorQuiet    time.Duration
	// missingSince is the first absence of a call that is not followed, or earlier;
	// zero for none.
	earliestAbsence time.Time
	listRenewal     renewalBackoff
	damage          renewalBackoff // of any message

	stateBytes int       // of the server's state
	lastFullAt time.Time // when something last found no room in it; zero: never
	// elements are those that the server is asked for, and leftOut those that it
	// refuses: it took a request without them.
	elements        [kinds][]string
	leftOut         []string
	nextLeaveOutSet int // the first set of refusable that a refused socket leaves out

	wanted, unplaced, socketsWanted int

	hasPendingChanges bool // something could not be told
}

// NewCluster returns an empty picture; sink is told what changes in it.
func NewCluster(opts Options, sink Sink) *Cluster {
	c := &Cluster{
		opts: opts, sink: sink,
		servers:            make([]serverState, opts.Servers),
		meetings:           make(map[*meeting]struct{}),
		byCorrelator:       make(map[string]*meeting),
		participants:       make(map[string]*participant),
		recent:             recentRemovals{byParticipant: make(map[string]recentRemoval)},
		unreportedRemovals: make(map[objectKey]unreportedRemoval),
	}
	for i := range c.servers {
		c.servers[i] = serverState{
			calls: make(map[string]*call), sockets: make([]socket, opts.MaxConnections), socketsWanted: 1, elements: opts.Elements,
		}
	}
	return c
}

// Opened says that a socket is connected. The first of a server asks for its
// calls, the others are there for what does not fit into the first.
func (c *Cluster) SocketOpened(now time.Time, server, slot int) {
	srv := &c.servers[server]
	srv.sockets[slot].open = true
	if slot == 0 {
		srv.listSub = c.subscribe(now, server, slot, Calls, nil)
	}
	c.schedulePlan(now)
}

// Closed says that a socket is gone, and with it its subscriptions. Without the
// first socket nothing new is known of a server's calls; what the other sockets
// follow goes on.
func (c *Cluster) SocketClosed(now time.Time, server, slot int) {
	srv := &c.servers[server]
	if slot == 0 && srv.sockets[0].open {
		c.markListLost(now, srv)
	}
	for _, s := range slices.Clone(srv.sockets[slot].subs) {
		c.unsubscribe(now, s)
	}
	srv.sockets[slot].open, srv.sockets[slot].renewAt = false, time.Time{}
	c.schedulePlan(now)
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
	ListEnded
)

// Receive takes a message of a server.
func (c *Cluster) Receive(now time.Time, server, slot int, f *Frame) Outcome {
	switch f.Type {
	case SubscriptionUpdate:
		return c.receiveStates(now, server, slot, f.States)
	case CallListUpdate:
		// There is one list on a server: no index is needed to know it.
		if s := c.servers[server].listSub; s != nil && s.slot == slot && (!f.HasIndex || f.Index == s.index) {
			c.activate(now, s)
			return c.receiveCallList(now, server, f)
		}
	case CallInfoUpdate:
		if s := c.servers[server].sockets[slot].find(f.Index); s != nil && f.HasIndex && s.kind == CallInfo {
			c.activate(now, s)
			return c.receiveCallInfo(now, s.call, f)
		}
	case RosterUpdate:
		if s := c.servers[server].sockets[slot].find(f.Index); s != nil && f.HasIndex && s.kind == CallRoster {
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
	for _, reported := range states {
		s := c.servers[server].sockets[slot].find(reported.Index)
		if s == nil {
			continue
		}
		if outcome == Ignored {
			outcome = Accepted
		}
		switch reported.State {
		case Pending:
			if s.state == Requested {
				s.state = Pending
			}
		case Active:
			c.activate(now, s)
		case Deactivated:
			if s.kind == Calls {
				outcome = ListEnded
				continue
			}
			c.resubscribeLater(now, s)
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
		srv := &c.servers[s.server]
		if s.isRenewal {
			c.beginListRenewal(now, srv)
		}
		c.beginListSnapshot(now, srv)
	case CallRoster:
		if s.isRenewal {
			c.markUnlisted(now, s.call)
		}
		c.beginRosterSnapshot(now, s.call)
	}
	if s.call != nil {
		s.call.failures[s.kind], s.call.neverActive[s.kind] = 0, false
	}
}

func (c *Cluster) beginListSnapshot(now time.Time, srv *serverState) {
	if !srv.listActive {
		srv.listActive, srv.hasState, srv.listDownSince = true, true, time.Time{}
		srv.listSweep.begin(now, c.opts.SnapshotGrace)
		c.scheduleListSweep(srv)
		c.schedulePlan(now.Add(coalesceDelay))
	}
}

// deactivated ends a subscription: the call ended, or the bridge left it. If the
// call stays in the list, the subscription is tried again, ever less often.
func (c *Cluster) resubscribeLater(now time.Time, s *sub) {
	k := s.call
	k.retryAt[s.kind] = now.Add(retryDelay << min(k.failures[s.kind], 5))
	k.failures[s.kind]++
	c.unsubscribe(now, s)
	c.schedulePlan(now.Add(coalesceDelay))
}

// retryAfter is how long a subscription that a server ended is not asked for.
const retryDelay = 5 * time.Second

// Advance does what time brings. Next says when to call it again.
func (c *Cluster) Advance(now time.Time) {
	for server := range c.servers {
		srv := &c.servers[server]
		if srv.listSweep.isDue(now) || c.isLost(now, srv.earliestAbsence) {
			c.removeUnlistedCalls(now, server)
		}
		switch {
		case !c.isLost(now, srv.listDownSince):
		case srv.followsAnyCall():
			srv.listDownSince = now // the server still reports some of its calls
		default:
			srv.listDownSince, srv.hasState = time.Time{}, false
		}
	}
	for _, k := range slices.Clone(c.rosterSweeps) {
		if k.rosterSweep.isDue(now) {
			c.removeUnlistedParticipants(now, k)
		}
	}
	c.removeDeparted(now)
	c.removeLostParticipants(now)
	c.dropExpiredRemovals(now)
	c.renewDue(now)
	c.expirePending(now)
	if !c.nextPlan.IsZero() && !now.Before(c.nextPlan) {
		c.planSubscriptions(now)
	}
}

// Next returns when Advance has something to do, zero for never.
func (c *Cluster) Next() (next time.Time) {
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	sooner(c.nextPlan)
	sooner(c.nextPendingTimeout)
	sooner(c.recent.nextExpiry())
	if len(c.pendingDepartures) > 0 {
		sooner(c.pendingDepartures[0].removeAt)
	}
	for _, s := range c.pendingRenewals {
		sooner(s.renewAt)
	}
	for i := range c.servers {
		sooner(c.servers[i].listSweep.dueAt)
		for slot := range c.servers[i].sockets {
			sooner(c.servers[i].sockets[slot].renewAt)
		}
		for _, since := range [...]time.Time{c.servers[i].listDownSince, c.servers[i].earliestAbsence} {
			if !since.IsZero() {
				sooner(since.Add(c.opts.LostAfter))
			}
		}
	}
	for _, k := range c.rosterSweeps {
		sooner(k.rosterSweep.dueAt)
	}
	for _, m := range c.meetingsWithAbsent {
		sooner(m.earliestAbsence.Add(c.opts.LostAfter))
	}
	return next
}

// lost tells whether something is not told of for too long.
func (c *Cluster) isLost(now, since time.Time) bool {
	return !since.IsZero() && now.Sub(since) >= c.opts.LostAfter
}

func (c *Cluster) schedulePlan(at time.Time) {
	if c.nextPlan.IsZero() || at.Before(c.nextPlan) {
		c.nextPlan = at
	}
}

// Live tells whether a server announces its calls.
func (c *Cluster) ListActive(server int) bool { return c.servers[server].listActive }

// Known tells whether there is a picture of a server: it announced its calls, and
// has not been gone for too long.
func (c *Cluster) HasState(server int) bool { return c.servers[server].hasState }

// number returns the next number of an object.
func (c *Cluster) nextSequence() uint64 {
	c.lastSequence++
	return c.lastSequence
}

// Dropped returns how many objects were ignored because of the Limits.
func (c *Cluster) Untracked() uint64 { return c.untracked }
