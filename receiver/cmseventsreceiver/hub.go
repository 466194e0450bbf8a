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

// hub guards the picture, which all servers share. Nothing is sent, and nobody
// waited for, while its lock is held.
type hub struct {
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
	links     []*link
	wake      chan struct{} // holds a token if run should look again

	mu       sync.Mutex // guards everything below
	cluster  *events.Cluster
	last     time.Time  // what clock said
	armed    time.Time  // when run looks again by itself; zero for never
	versions [][]uint64 // of the sets that the sockets were told of
	unplaced []int64    // as last logged
	healing  []bool
}

func newHub(config *Config, telemetry *metadata.TelemetryBuilder, logger *zap.Logger) *hub {
	n := len(config.Servers)
	h := &hub{
		telemetry: telemetry, logger: logger, wake: make(chan struct{}, 1),
		versions: make([][]uint64, n), unplaced: make([]int64, n), healing: make([]bool, n),
	}
	for i := range h.versions {
		h.versions[i] = make([]uint64, config.MaxConnections)
	}
	h.cluster = events.NewCluster(events.Options{
		Servers:        n,
		MaxConnections: config.MaxConnections,
		Elements: [3][]string{
			events.Calls: config.Elements.Calls, events.CallInfo: config.Elements.CallInfo, events.CallRoster: config.Elements.CallRoster,
		},
		RosterOnAllBridges: config.RosterOnAllBridges,
		SnapshotGrace:       config.SnapshotGrace,
		LostAfter:   config.LostAfter,
		Limits: events.Limits{
			Calls: events.DefaultLimits.Calls, Participants: events.DefaultLimits.Participants, Bytes: config.MaxStateSize,
		},
	}, h)
	return h
}

// Accept implements events.Sink. It is called with the lock held.
func (h *hub) Accept(c *events.Change) bool {
	q := h.links[c.Server].queue
	return q == nil || q.add(c)
}

// clock returns the time of what happens now, after that of all that happened
// before: so records of several queues can be put in order.
func (h *hub) clock(now time.Time) time.Time {
	if !now.After(h.last) {
		now = h.last.Add(1)
	}
	h.last = now
	return now
}

// poke makes run look again.
func (h *hub) poke() { signal(h.wake) }

// run does what time brings until ctx ends.
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
		now := h.clock(time.Now())
		h.cluster.Advance(now)
		h.heal(ctx, now)
		h.settle()
		h.armed = h.cluster.Next()
		if !h.armed.IsZero() {
			timer.Reset(max(0, h.armed.Sub(now)))
		}
		h.mu.Unlock()
	}
}

// heal tells what could not be told, where there is room again.
func (h *hub) heal(ctx context.Context, now time.Time) {
	for i, l := range h.links {
		if l.queue == nil || !h.cluster.HasPendingChanges(i) || !h.healing[i] && !l.queue.roomy() {
			continue
		}
		if !h.healing[i] {
			h.healing[i] = true
			h.telemetry.ReceiverCmseventsResyncs.Add(ctx, 1, resyncOptions["overflow"]...)
			h.logger.Warn("The queue had overflowed; reporting what changed meanwhile", zap.String("server", l.name))
		}
		if h.cluster.EmitPending(now, i) {
			h.healing[i] = false
		}
	}
}

// settle tells the sockets whose sets changed, and the links that need another
// number of sockets.
func (h *hub) settle() {
	for i, l := range h.links {
		for slot := range h.versions[i] {
			if v := h.cluster.SubscriptionSetVersion(i, slot); v != h.versions[i][slot] {
				h.versions[i][slot] = v
				l.sockets[slot].changed()
			}
		}
		l.want(h.cluster.SocketsWanted(i))
		if n := h.cluster.Unplaced(i); n != h.unplaced[i] {
			if n > 0 && h.unplaced[i] == 0 {
				h.logger.Warn("There are more calls than can be watched; the busiest are. More max_connections give more room",
					zap.String("server", l.name), zap.Int64("unplaced", n))
			} else if n == 0 {
				h.logger.Info("All calls are watched", zap.String("server", l.name))
			}
			h.unplaced[i] = n
		}
	}
	if next := h.cluster.Next(); !next.IsZero() && (h.armed.IsZero() || next.Before(h.armed)) {
		h.poke()
	}
}

func (h *hub) opened(server, slot int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cluster.SocketOpened(h.clock(time.Now()), server, slot)
	h.settle()
}

func (h *hub) closed(server, slot int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cluster.SocketClosed(h.clock(time.Now()), server, slot)
	h.settle()
}

// damaged records that a message could not be read, and returns whether anything
// is asked for anew.
func (h *hub) damaged(now time.Time, server, slot int, f *events.Frame) (found bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.HasIndex {
		found = h.cluster.HandleDamagedMessage(h.clock(now), server, slot, f.Index)
	} else {
		found = h.cluster.HandleUnindexedDamage(h.clock(now), server, slot, f.Type)
	}
	h.settle()
	return found
}

// asked says that a server took a request.
func (h *hub) asked(server, slot int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cluster.RequestAccepted(h.clock(time.Now()), server, slot)
	h.settle()
}

// refused says that a server did not take a request. It returns what is left out
// of the next one, and whether that is worth a try.
func (h *hub) refused(server, slot int) (leftOut []string, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	leftOut, changed = h.cluster.RequestRefused(server, slot)
	h.settle()
	return leftOut, changed
}

// listPending returns since when a server has not begun the list of its calls.
func (h *hub) listPending(server int) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cluster.ListPendingSince(server)
}

// problems returns what keeps the picture of a server from being whole.
func (h *hub) problems(server int) events.Problems {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cluster.Problems(h.clock(time.Now()), server)
}

// receive takes a message. live tells whether the server announces its calls.
func (h *hub) receive(now time.Time, server, slot int, f *events.Frame) (outcome events.Outcome, live bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	outcome = h.cluster.Receive(h.clock(now), server, slot, f)
	// A roster changes neither sets nor times; it is most of the traffic.
	if f.Type != events.RosterUpdate {
		h.settle()
	}
	return outcome, h.cluster.ListActive(server)
}

// request returns a socket's set unless it is of the version known.
func (h *hub) request(server, slot int, known uint64) (set []events.Subscription, version uint64, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	version = h.cluster.SubscriptionSetVersion(server, slot)
	if version == known {
		return nil, version, false
	}
	return h.cluster.SubscriptionSet(server, slot), version, true
}

func (h *hub) subscribed() []events.SubscriptionCounts {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]events.SubscriptionCounts, len(h.links))
	for i := range all {
		all[i] = h.cluster.SubscriptionCounts(i)
	}
	return all
}

// bytes returns how many bytes of a server are held.
func (h *hub) bytes(server int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cluster.StateBytes(server)
}

func (h *hub) untracked() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return int64(h.cluster.Untracked()) //nolint:gosec // a count
}

// gauges returns the picture in numbers, and of which servers there is one.
func (h *hub) gauges() (all []events.Gauges, known []bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known = make([]bool, len(h.links))
	for i := range known {
		known[i] = h.cluster.HasState(i)
	}
	return h.cluster.Gauges(), known
}
