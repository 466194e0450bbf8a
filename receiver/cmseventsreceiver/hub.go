// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/meetingserver/events"
	"github.com/legato-otel/legato/receiver/cmseventsreceiver/internal/metadata"
)

// hub guards the events.Cluster of all servers. Code that holds its lock changes state, fills
// queues and signals goroutines. It does no network I/O and does not block.
type hub struct {
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
	servers   []*server
	wake      chan struct{} // holds a token if run has work

	mu              sync.Mutex // guards everything below
	cluster         *events.Cluster
	lastTime        time.Time  // last time that nextTime returned
	nextAdvance     time.Time  // when run wakes up by itself; zero: never
	setVersions     [][]uint64 // subscription set versions that the sockets know
	loggedUnplaced  []int64    // subscriptions for which no socket has room, as last logged
	emittingPending []bool     // by server: the queue overflowed and EmitPending has not finished
}

func newHub(config *Config, telemetry *metadata.TelemetryBuilder, logger *zap.Logger) *hub {
	n := len(config.Servers)
	h := &hub{
		telemetry: telemetry, logger: logger, wake: make(chan struct{}, 1),
		setVersions: make([][]uint64, n), loggedUnplaced: make([]int64, n), emittingPending: make([]bool, n),
	}
	for i := range h.setVersions {
		h.setVersions[i] = make([]uint64, config.MaxConnections)
	}
	h.cluster = events.NewCluster(events.Options{
		Servers:        n,
		MaxConnections: config.MaxConnections,
		Elements: [3][]string{
			events.Calls: config.Elements.Calls, events.CallInfo: config.Elements.CallInfo, events.CallRoster: config.Elements.CallRoster,
		},
		RosterOnAllBridges: config.RosterOnAllBridges,
		SnapshotGrace:      config.SnapshotGrace,
		LostAfter:          config.LostAfter,
		Limits: events.Limits{
			Calls: events.DefaultLimits.Calls, Participants: events.DefaultLimits.Participants, Bytes: config.MaxStateSize,
		},
	}, h)
	return h
}

// Accept implements events.Sink. The caller holds the lock.
func (h *hub) Accept(c *events.Change) bool {
	q := h.servers[c.Server].queue
	return q == nil || q.addChange(c)
}

// nextTime returns now, or a time just after the last returned one. Distinct timestamps put
// the records of several queues in order.
func (h *hub) nextTime(now time.Time) time.Time {
	if !now.After(h.lastTime) {
		now = h.lastTime.Add(1)
	}
	h.lastTime = now
	return now
}

// wakeRun makes run advance the cluster.
func (h *hub) wakeRun() { signal(h.wake) }

// run advances the cluster until ctx ends.
func (h *hub) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-h.wake:
		case <-ctx.Done():
			return
		}
		h.mu.Lock()
		now := h.nextTime(time.Now())
		h.cluster.Advance(now)
		h.emitPending(ctx, now)
		h.notifyServers()
		h.nextAdvance = h.cluster.Next()
		if !h.nextAdvance.IsZero() {
			timer.Reset(max(0, h.nextAdvance.Sub(now)))
		}
		h.mu.Unlock()
	}
}

// emitPending emits changes that a full queue refused, once the queue has room.
func (h *hub) emitPending(ctx context.Context, now time.Time) {
	for i, srv := range h.servers {
		if srv.queue == nil || !h.cluster.HasPendingChanges(i) || !h.emittingPending[i] && !srv.queue.isHalfEmpty() {
			continue
		}
		if !h.emittingPending[i] {
			h.emittingPending[i] = true
			h.telemetry.ReceiverCmseventsResyncs.Add(ctx, 1, resyncOptions["overflow"]...)
			h.logger.Warn("The queue has room after an overflow; reporting the difference", zap.String("server", srv.address))
		}
		if h.cluster.EmitPending(now, i) {
			h.emittingPending[i] = false
		}
	}
}

// notifyServers tells sockets that their subscription set changed, and servers how many sockets
// to connect.
func (h *hub) notifyServers() {
	for i, srv := range h.servers {
		for socketIndex := range h.setVersions[i] {
			if v := h.cluster.SubscriptionSetVersion(i, socketIndex); v != h.setVersions[i][socketIndex] {
				h.setVersions[i][socketIndex] = v
				srv.sockets[socketIndex].notifySubscriptions()
			}
		}
		srv.setSocketsWanted(h.cluster.SocketsWanted(i))
		if n := h.cluster.Unplaced(i); n != h.loggedUnplaced[i] {
			if n > 0 && h.loggedUnplaced[i] == 0 {
				h.logger.Warn("The Call Bridge has more calls than its sockets can watch; watching the busiest. Raise max_connections to watch more",
					zap.String("server", srv.address), zap.Int64("unplaced", n))
			} else if n == 0 {
				h.logger.Info("All calls are watched", zap.String("server", srv.address))
			}
			h.loggedUnplaced[i] = n
		}
	}
	h.wakeIfEarlier()
}

// wakeIfEarlier wakes run if the cluster has work earlier than run knows.
func (h *hub) wakeIfEarlier() {
	if next := h.cluster.Next(); !next.IsZero() && (h.nextAdvance.IsZero() || next.Before(h.nextAdvance)) {
		h.wakeRun()
	}
}

func (h *hub) socketOpened(server, socketIndex int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cluster.SocketOpened(h.nextTime(time.Now()), server, socketIndex)
	h.notifyServers()
}

func (h *hub) socketClosed(server, socketIndex int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cluster.SocketClosed(h.nextTime(time.Now()), server, socketIndex)
	h.notifyServers()
}

// handleMalformed records that a message could not be decoded. It reports whether the cluster
// scheduled the renewal of the affected subscriptions.
func (h *hub) handleMalformed(now time.Time, server, socketIndex int, f *events.Frame) (scheduled bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.HasIndex {
		scheduled = h.cluster.HandleMalformedMessage(h.nextTime(now), server, socketIndex, f.Index)
	} else {
		scheduled = h.cluster.HandleUnindexedMalformed(h.nextTime(now), server, socketIndex, f.Type)
	}
	h.notifyServers()
	return scheduled
}

// requestAccepted records that a server accepted a request.
func (h *hub) requestAccepted(server, socketIndex int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cluster.RequestAccepted(h.nextTime(time.Now()), server, socketIndex)
	h.notifyServers()
}

// requestRefused records that a server refused a request. It returns the elements that the
// next request leaves out, and whether that request differs from the refused one.
func (h *hub) requestRefused(server, socketIndex int) (leftOut []string, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	leftOut, changed = h.cluster.RequestRefused(server, socketIndex)
	h.notifyServers()
	return leftOut, changed
}

// listPendingSince returns since when a server's accepted list subscription has waited to become
// active; zero: it is active, not accepted or not requested.
func (h *hub) listPendingSince(server int) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cluster.ListPendingSince(server)
}

// problems returns why the state of a server is incomplete.
func (h *hub) problems(server int) events.Problems {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cluster.Problems(h.nextTime(time.Now()), server)
}

// receive applies the decoded message in f. listActive reports whether the server's list of
// calls is active.
func (h *hub) receive(now time.Time, server, socketIndex int, f *events.Frame) (outcome events.Outcome, listActive bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	outcome = h.cluster.Receive(h.nextTime(now), server, socketIndex, f)
	switch {
	case f.Type != events.RosterUpdate:
		h.notifyServers()
	case f.AddsOrRemoves():
		h.wakeIfEarlier()
	default: // most of the traffic: changes of elements affect no subscription set and no timer
	}
	return outcome, h.cluster.ListActive(server)
}

// subscriptionSet returns a socket's subscriptions, unless the caller knows their version.
func (h *hub) subscriptionSet(server, socketIndex int, known uint64) (set []events.Subscription, version uint64, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	version = h.cluster.SubscriptionSetVersion(server, socketIndex)
	if version == known {
		return nil, version, false
	}
	return h.cluster.SubscriptionSet(server, socketIndex), version, true
}

func (h *hub) subscriptionCounts() []events.SubscriptionCounts {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]events.SubscriptionCounts, len(h.servers))
	for i := range all {
		all[i] = h.cluster.SubscriptionCounts(i)
	}
	return all
}

// stateBytes returns the size of a server's state.
func (h *hub) stateBytes(server int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cluster.StateBytes(server)
}

// untracked returns how many objects, texts and changes the cluster dropped, see
// events.Cluster.Untracked.
func (h *hub) untracked() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return int64(h.cluster.Untracked()) //nolint:gosec // a count
}

// gauges returns the gauge values of all servers, and which servers have current state.
func (h *hub) gauges() (all []events.Gauges, hasState []bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hasState = make([]bool, len(h.servers))
	for i := range hasState {
		hasState[i] = h.cluster.HasState(i)
	}
	return h.cluster.Gauges(), hasState
}
