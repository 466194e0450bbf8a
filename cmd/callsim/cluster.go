// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"sync/atomic"

	"github.com/legato-otel/legato/cmd/callsim/internal/accounting"
	"github.com/legato-otel/legato/cmd/callsim/internal/bridge"
	"github.com/legato-otel/legato/cmd/callsim/internal/events"
	"github.com/legato-otel/legato/cmd/callsim/internal/mediasense"
	"github.com/legato-otel/legato/cmd/callsim/internal/recording"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
	"github.com/legato-otel/legato/cmd/callsim/internal/syslog"
	"github.com/legato-otel/legato/cmd/callsim/internal/truth"
	"github.com/legato-otel/legato/cmd/callsim/internal/wire"
)

// maxHold is how many records a bridge holds back at most when reordering.
const maxHold = 200

// cluster is the scenario with the queues its records go to.
type cluster struct {
	opts    options
	world   *scenario.World
	bridges []scenario.Bridge
	queues  []*bridge.Queue
	witness *truth.Recorder // nil without a truth file
	events  *events.Cluster // nil without Events servers
	written []uint64        // records by bridge, since it started

	recordings *recording.World    // nil without MediaSense servers
	mediasense *mediasense.Cluster // likewise

	accounting *accounting.Proxy // nil without -ocms
	syslog     *syslog.Log       // nil without -syslog, -syslog-udp and -syslog-tcp

	endToggle func() // of the Events servers

	openOn   []int64 // open calls by bridge; owned by the goroutine that runs the scenario
	openCall atomic.Int64
}

func newCluster(opts options) (*cluster, error) {
	plan, err := bridge.NewPlan(opts.seed, countRecords(opts), opts.faults.Faults)
	if err != nil {
		return nil, usageError{fmt.Errorf("-faults: %w, got %q", err, opts.faults.text)}
	}
	c := &cluster{opts: opts, world: scenario.New(opts.scenario())}
	c.bridges = c.world.Bridges()
	c.openOn, c.written = make([]int64, len(c.bridges)), make([]uint64, len(c.bridges))
	if opts.truth != "" {
		c.witness = truth.NewRecorder(c.bridges)
	}
	if opts.mediasense.wanted() {
		c.recordings = recording.New(opts.recordings())
		if c.witness != nil {
			c.witness.WatchRecordings()
		}
	}
	for i, session := range c.world.Sessions() {
		c.queues = append(c.queues, bridge.NewQueue(bridge.Options{
			Seed: opts.seed, Bridge: i, CallBridge: c.bridges[i].CallBridge, Session: session,
			Limit: opts.limit(), Hold: min(maxHold, opts.buffer/2),
			Faults: opts.faults.Faults, Plan: plan,
		}))
	}
	return c, nil
}

// limit is where a queue begins to drop records. Without a pace of its own the
// scenario waits for the receiver instead.
func (o *options) limit() int {
	if o.speed == 0 || o.print {
		return 0
	}
	return o.buffer
}

// applyEvent applies one event to its bridge and to the truth recorder.
func (c *cluster) applyEvent(ev scenario.Event) {
	var index uint64
	if rec, ok := wire.Encode(ev); ok && c.opts.sends() {
		index = c.queues[ev.Bridge].Append(rec)
		c.written[ev.Bridge] = index + 1
	}
	change := int64(0)
	switch ev.Payload.(type) {
	case scenario.BridgeRestarted:
		c.queues[ev.Bridge].Restart(ev.Session)
		change = -c.openOn[ev.Bridge]
		c.written[ev.Bridge] = 0
	case scenario.CallStarted:
		change = 1
	case scenario.CallEnded:
		change = -1
	}
	c.openOn[ev.Bridge] += change
	c.openCall.Add(change)
	if c.events != nil {
		c.events.Observe(ev, c.written[ev.Bridge])
	}
	if c.accounting != nil {
		c.accounting.Observe(ev)
	}
	if c.syslog != nil {
		c.syslog.Observe(ev)
	}
	if c.witness != nil {
		c.witness.Observe(ev, index)
	}
}

// endAll ends all queues and servers: nothing more will come.
func (c *cluster) endAll() {
	if c.mediasense != nil {
		c.mediasense.End()
	}
	for _, q := range c.queues {
		q.End()
	}
}

// acknowledged counts the good records the receiver has confirmed.
func (c *cluster) acknowledged() uint64 {
	var sum uint64
	for _, q := range c.queues {
		for _, n := range q.Acknowledged() {
			sum += n
		}
	}
	return sum
}
