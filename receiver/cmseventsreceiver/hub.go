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

// hub guards the events.Cluster that all links share. While its lock is held, nothing is
// sent and nothing waits.
type hub struct {
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
	links     []*link
	wake      chan struct{} // holds a token if run has work

	mu              sync.Mutex // guards everything below
	cluster         *events.Cluster
	lastTime        time.Time  // last time that nextTime returned
	nextAdvance     time.Time  // when run wakes up by itself; zero: never
	setVersions     [][]uint64 // subscription set versions that the sockets know
	loggedUnplaced  []int64    // unplaced subscriptions, as last logged
	emittingPending []bool     // by link: the queue overflowed and EmitPending has not finished
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
	q := h.links[c.Server].queue
	return q == nil || q.add(c)
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
		h.notifyLinks()
		h.nextAdvance = h.cluster.Next()
		if !h.nextAdvance.IsZero() {
			timer.Reset(max(0, h.nextAdvance.Sub(now)))
		}
		h.mu.Unlock()
	}
}

// emitPending emits changes that a full queue refused, once the queue has room.
func (h *hub) emitPending(ctx context.Context, now time.Time) {
	for i, l := range h.links {
		if l.queue == nil || !h.cluster.HasPendingChanges(i) || !h.emittingPending[i] && !l.queue.hasRoom() {
			continue
		}
		if !h.emittingPending[i] {
			h.emittingPending[i] = true
			h.telemetry.ReceiverCmseventsResyncs.Add(ctx, 1, resyncOptions["overflow"]...)
			h.logger.Warn("The queue has room after an overflow; reporting the difference", zap.String("server", l.address))
		}
		if h.cluster.EmitPending(now, i) {
			h.emittingPending[i] = false
		}
	}
}

// notifyLinks tells sockets that their subscription set changed, and links how many sockets
// to connect.
func (h *hub) notifyLinks() {
	for i, l := range h.links {
		for slot := range h.setVersions[i] {
			if v := h.cluster.SubscriptionSetVersion(i, slot); v != h.setVersions[i][slot] {
				h.setVersions[i][slot] = v
				l.sockets[slot].notifySubscriptions()
			}
		}
		l.setSocketsWanted(h.cluster.SocketsWanted(i))
		if n := h.cluster.Unplaced(i); n != h.loggedUnplaced[i] {
			if n > 0 && h.loggedUnplaced[i] == 0 {
				h.logger.Warn("The Call Bridge has more calls than its sockets can follow; following the busiest. Raise max_connections to follow more",
					zap.String("server", l.address), zap.Int64("unplaced", n))
			} else if n == 0 {
				h.logger.Info("All calls are followed", zap.String("server", l.address))
			}
			h.loggedUnplaced[i] = n
		}
	}
	if next := h.cluster.Next(); !next.IsZero() && (h.nextAdvance.IsZero() || next.Before(h.nextAdvance)) {
		h.wakeRun()
	}
}

func (h *hub) socketOpened(server, slot int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cluster.SocketOpened(h.nextTime(time.Now()), server, slot)
	h.notifyLinks()
}

func (h *hub) socketClosed(server, slot int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cluster.SocketClosed(h.nextTime(time.Now()), server, slot)
	h.notifyLinks()
}

// handleDamaged records that a message could not be decoded. It reports whether a renewal
// is scheduled.
func (h *hub) handleDamaged(now time.Time, server, slot int, f *events.Frame) (scheduled bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.HasIndex {
		scheduled = h.cluster.HandleDamagedMessage(h.nextTime(now), server, slot, f.Index)
	} else {
		scheduled = h.cluster.HandleUnindexedDamage(h.nextTime(now), server, slot, f.Type)
	}
	h.notifyLinks()
	return scheduled
}

// requestAccepted records that a server accepted a request.
func (h *hub) requestAccepted(server, slot int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cluster.RequestAccepted(h.nextTime(time.Now()), server, slot)
	h.notifyLinks()
}

// requestRefused records that a server refused a request. It returns the elements that the
// next request leaves out, and whether that request differs from the refused one.
func (h *hub) requestRefused(server, slot int) (leftOut []string, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	leftOut, changed = h.cluster.RequestRefused(server, slot)
	h.notifyLinks()
	return leftOut, changed
}

// listPendingSince returns since when a server has not begun its list of calls; zero: the
// list is active.
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

// receive applies a message. listActive reports whether the server reports its list of
// calls.
func (h *hub) receive(now time.Time, server, slot int, f *events.Frame) (outcome events.Outcome, listActive bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	outcome = h.cluster.Receive(h.nextTime(now), server, slot, f)
	// A roster update changes no subscription set and no timer; it is most of the traffic.
	if f.Type != events.RosterUpdate {
		h.notifyLinks()
	}
	return outcome, h.cluster.ListActive(server)
}

// subscriptionSet returns a socket's subscriptions, unless the caller knows their version.
func (h *hub) subscriptionSet(server, slot int, known uint64) (set []events.Subscription, version uint64, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	version = h.cluster.SubscriptionSetVersion(server, slot)
	if version == known {
		return nil, version, false
	}
	return h.cluster.SubscriptionSet(server, slot), version, true
}

func (h *hub) subscriptionCounts() []events.SubscriptionCounts {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]events.SubscriptionCounts, len(h.links))
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

func (h *hub) untracked() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return int64(h.cluster.Untracked()) //nolint:gosec // a count
}

// gauges returns the gauge values of all servers, and which servers have current state.
func (h *hub) gauges() (all []events.Gauges, hasState []bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hasState = make([]bool, len(h.links))
	for i := range hasState {
		hasState[i] = h.cluster.HasState(i)
	}
	return h.cluster.Gauges(), hasState
}
