// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"slices"
	"time"
)

// Options configure a Cluster.
type Options struct {
	// Servers is the number of Call Bridges, at most MaxServers.
	Servers int
	// MaxConnections is the largest number of sockets to one server.
	MaxConnections int
	// Elements are the elements to subscribe to, by SubKind. An empty CallInfo or CallRoster
	// list disables subscriptions of that kind.
	Elements [3][]string
	// RosterOnAllBridges subscribes to the roster of a meeting on every server that hosts
	// it.
	RosterOnAllBridges bool
	// SnapshotGrace is how long a new snapshot must list no absent object before the remaining
	// absent objects are removed: servers do not mark a snapshot's end. This quiet time adds
	// up over interrupted snapshots. The removal comes at most 5 × SnapshotGrace after the
	// snapshot began.
	SnapshotGrace time.Duration
	// LostAfter is how long the cluster keeps a call or participant that no server lists.
	LostAfter time.Duration
	// Limits bound the cluster state.
	Limits Limits
}

// Limits bound the cluster state. Objects above a limit are ignored and counted in
// Untracked.
type Limits struct {
	// Calls is the largest number of calls of one server.
	Calls int
	// Participants is the largest number of participants of all servers together.
	Participants int
	// Bytes bounds the state of one server: its calls and participants with all their text,
	// and its unreported removals. 0 means no bound.
	Bytes int
}

// MaxServers is the largest number of servers of a Cluster.
const MaxServers = 64

// DefaultLimits are ten times as large as the largest cluster that Cisco documents.
var DefaultLimits = Limits{Calls: 20_000, Participants: 200_000, Bytes: 64 << 20}

// MaxSubscriptions is the largest number of subscriptions of one socket.
const MaxSubscriptions = 100

// coalesceDelay is how long a changed plan waits for further changes, so that calls that
// begin at the same time share one request.
const coalesceDelay = 100 * time.Millisecond

// Cluster holds the calls and participants that the servers of a Call Bridge cluster
// reported, and plans the subscriptions that keep this state current.
type Cluster struct {
	opts Options
	sink Sink

	servers            []serverState
	meetings           map[*meeting]struct{}
	byCorrelator       map[string]*meeting
	participants       map[string]*participant
	recentRemovals     recentRemovals                  // participants removed in the last seconds; late updates of other servers must not add them again
	unreportedRemovals map[objectKey]unreportedRemoval // removals that the sink has not accepted yet

	rosterSweeps       []*call       // calls whose roster snapshot may still list absent participants
	meetingsWithAbsent []*meeting    // meetings with at least one absent participant
	heldRemovals       []heldRemoval // removals without a reason, held because the server may be leaving the meeting; by removeAt
	scheduledRenewals  []*sub        // subscriptions to renew at their renewAt: a message was malformed, or an add that was ignored as stale may have been true
	nextPendingTimeout time.Time     // when the first pending subscription expires; zero: no subscription is pending
	nextPlan           time.Time     // when to plan subscriptions again; zero: the plan is current
	lastSequence       uint64        // the last sequence number; objects are numbered for a stable order
	untracked          uint64        // objects and texts ignored because of Limits, and changes of unknown objects that the sink refused

	changedFields []Field // reused by every merge
	emittedChange Change  // reused by every emit
}

// serverState is the state of one server: one Call Bridge.
type serverState struct {
	calls      map[string]*call
	sockets    []socket
	lastIndex  int64 // the highest subscription index in use so far; an index is never reused
	listSub    *sub  // subscription to the list of calls
	listActive bool  // the server reports its list of calls
	hasState   bool  // the cluster holds a list of this server that is not too old
	// listDownSince is when the list subscription ended. Advance moves it forward while a
	// subscription to one of the calls is active. It is zero while the list is active.
	listDownSince time.Time
	listSweep     sweep // removes calls absent from a new snapshot of the list, after SnapshotGrace
	// interruptedQuiet is the total quiet time of interrupted list snapshots.
	interruptedQuiet time.Duration
	// No absence of a call without an active subscription began before firstAbsence; zero:
	// there is no such call.
	firstAbsence  time.Time
	listRenewal   renewalBackoff
	lastMalformed time.Time // of a message of any subscription; zero: never

	stateBytes int       // charged bytes of the server's state
	lastFullAt time.Time // when an object last exceeded Limits; zero: never
	// elements are the elements that requests to the server name. leftOut are the
	// configured elements that the server refuses: it accepted a request without them.
	elements        [subKinds][]string
	leftOut         []string
	nextLeaveOutSet int // index into leaveOutSets with which the next element trial of a socket begins (elementtrial.go)

	// wanted counts the planned subscriptions, unplaced those of them without room on a socket.
	wanted, unplaced, socketsWanted int

	hasPendingChanges bool // EmitPending has work: the sink refused a change of this server, a pending change moved to it, or an object came back before its removal was reported
}

// NewCluster returns a Cluster without calls that emits its changes to sink.
func NewCluster(opts Options, sink Sink) *Cluster {
	c := &Cluster{
		opts: opts, sink: sink,
		servers:            make([]serverState, opts.Servers),
		meetings:           make(map[*meeting]struct{}),
		byCorrelator:       make(map[string]*meeting),
		participants:       make(map[string]*participant),
		recentRemovals:     recentRemovals{byParticipant: make(map[string]recentRemoval)},
		unreportedRemovals: make(map[objectKey]unreportedRemoval),
	}
	for i := range c.servers {
		c.servers[i] = serverState{
			calls: make(map[string]*call), sockets: make([]socket, opts.MaxConnections), socketsWanted: 1, elements: opts.Elements,
		}
	}
	return c
}

// SocketOpened records that a socket is connected. The first socket of a server subscribes
// to its list of calls. Further sockets carry the subscriptions that do not fit into the
// first.
func (c *Cluster) SocketOpened(now time.Time, server, slot int) {
	srv := &c.servers[server]
	srv.sockets[slot].open = true
	if slot == 0 {
		srv.listSub = c.subscribe(now, server, slot, Calls, nil)
	}
	c.schedulePlan(now)
}

// SocketClosed records that a socket and its subscriptions are gone. Without its first
// socket a server reports no new calls. Subscriptions on its other sockets continue.
func (c *Cluster) SocketClosed(now time.Time, server, slot int) {
	srv := &c.servers[server]
	if slot == 0 && srv.sockets[0].open {
		c.markListDown(now, srv)
	}
	for _, s := range slices.Clone(srv.sockets[slot].subs) {
		c.unsubscribe(now, s)
	}
	srv.sockets[slot].open, srv.sockets[slot].renewAt = false, time.Time{}
	c.schedulePlan(now)
}

// Outcome is the result of a received message.
type Outcome uint8

// The outcomes of a message.
const (
	// Accepted means that the message updated the cluster state.
	Accepted Outcome = iota
	// Ignored means that the message belongs to an ended subscription or an unknown object.
	Ignored
	// UnknownType means that the message type is not documented.
	UnknownType
	// ListEnded means that the server ended the subscription to its list of calls.
	ListEnded
)

// Receive applies one message of a server to the cluster state.
func (c *Cluster) Receive(now time.Time, server, slot int, f *Frame) Outcome {
	switch f.Type {
	case SubscriptionUpdate:
		return c.receiveStates(now, server, slot, f.States)
	case CallListUpdate:
		// A server has one list of calls, so the message needs no index.
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

// receiveStates applies a SubscriptionUpdate. Subscriptions that it does not name keep
// their state.
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

// activate marks a subscription as active and begins its snapshot. Data arrive only on an
// active subscription, so the first data message has the same effect as the state "active".
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
			c.markNoneListed(now, s.call)
		}
		c.beginRosterSnapshot(now, s.call)
	}
	if s.call != nil {
		s.call.failures[s.kind], s.call.neverActive[s.kind] = 0, false
	}
}

// beginListSnapshot starts the sweep of a server's list of calls.
func (c *Cluster) beginListSnapshot(now time.Time, srv *serverState) {
	if !srv.listActive {
		srv.listActive, srv.hasState, srv.listDownSince = true, true, time.Time{}
		srv.listSweep.begin(now, c.opts.SnapshotGrace)
		c.scheduleListSweep(srv)
		c.schedulePlan(now.Add(coalesceDelay))
	}
}

// resubscribeLater ends a subscription that the server deactivated: the call ended, or the
// server left the meeting. If the call stays in the list, planSubscriptions tries again
// after a growing delay.
func (c *Cluster) resubscribeLater(now time.Time, s *sub) {
	k := s.call
	k.retryAt[s.kind] = now.Add(retryDelay << min(k.failures[s.kind], 5))
	k.failures[s.kind]++
	c.unsubscribe(now, s)
	c.schedulePlan(now.Add(coalesceDelay))
}

// retryDelay is how long the first retry of a deactivated subscription waits. Each further
// failure doubles the delay, up to 32 × retryDelay.
const retryDelay = 5 * time.Second

// Advance runs everything that is due at now: sweeps, removals, renewals, timeouts and the
// plan. Next returns when to call it again.
func (c *Cluster) Advance(now time.Time) {
	for server := range c.servers {
		srv := &c.servers[server]
		if srv.listSweep.isDue(now) || c.isLost(now, srv.firstAbsence) {
			c.removeAbsentCalls(now, server)
		}
		switch {
		case !c.isLost(now, srv.listDownSince):
		case srv.hasActiveCallSub():
			srv.listDownSince = now // an active subscription still reports one of its calls
		default:
			srv.listDownSince, srv.hasState = time.Time{}, false
		}
	}
	for _, k := range slices.Clone(c.rosterSweeps) {
		if k.rosterSweep.isDue(now) {
			c.removeAbsentParticipants(now, k)
		}
	}
	c.removeHeld(now)
	c.removeLostParticipants(now)
	c.dropExpiredRemovals(now)
	c.renewDue(now)
	c.expirePending(now)
	if !c.nextPlan.IsZero() && !now.Before(c.nextPlan) {
		c.planSubscriptions(now)
	}
}

// Next returns when Advance has work; zero: never.
func (c *Cluster) Next() (next time.Time) {
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	sooner(c.nextPlan)
	sooner(c.nextPendingTimeout)
	sooner(c.recentRemovals.nextExpiry())
	if len(c.heldRemovals) > 0 {
		sooner(c.heldRemovals[0].removeAt)
	}
	for _, s := range c.scheduledRenewals {
		sooner(s.renewAt)
	}
	for i := range c.servers {
		sooner(c.servers[i].listSweep.dueAt)
		for slot := range c.servers[i].sockets {
			sooner(c.servers[i].sockets[slot].renewAt)
		}
		for _, since := range [...]time.Time{c.servers[i].listDownSince, c.servers[i].firstAbsence} {
			if !since.IsZero() {
				sooner(since.Add(c.opts.LostAfter))
			}
		}
	}
	for _, k := range c.rosterSweeps {
		sooner(k.rosterSweep.dueAt)
	}
	for _, m := range c.meetingsWithAbsent {
		sooner(m.firstAbsence.Add(c.opts.LostAfter))
	}
	return next
}

// isLost reports whether an absence is longer than LostAfter. A zero since is no absence.
func (c *Cluster) isLost(now, since time.Time) bool {
	return !since.IsZero() && now.Sub(since) >= c.opts.LostAfter
}

// schedulePlan makes Advance plan subscriptions at the given time or earlier.
func (c *Cluster) schedulePlan(at time.Time) {
	if c.nextPlan.IsZero() || at.Before(c.nextPlan) {
		c.nextPlan = at
	}
}

// ListActive reports whether a server reports its list of calls.
func (c *Cluster) ListActive(server int) bool { return c.servers[server].listActive }

// HasState reports whether the cluster holds current state of a server: the server listed its
// calls, and the list is not down for LostAfter. An active subscription to one of its calls
// extends that time.
func (c *Cluster) HasState(server int) bool { return c.servers[server].hasState }

// nextSequence returns the sequence number of a new object.
func (c *Cluster) nextSequence() uint64 {
	c.lastSequence++
	return c.lastSequence
}

// Untracked returns how many objects and long texts were ignored because of Limits, and how
// many changes of unknown objects the sink refused.
func (c *Cluster) Untracked() uint64 { return c.untracked }
