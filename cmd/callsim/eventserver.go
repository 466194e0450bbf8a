// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/legato-otel/legato/cmd/callsim/internal/events"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// maxEventBacklog is how many updates may wait for a client before a scenario without a
// pace of its own waits.
const maxEventBacklog = 1000

// lockedWriter is a writer for several goroutines.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// serve starts all servers that are wanted.
func (c *cluster) serve(stderr io.Writer) error {
	if err := c.serveEvents(stderr); err != nil {
		return err
	}
	if err := c.openMediaSense(stderr, nil); err != nil {
		if c.events != nil {
			c.events.Close()
		}
		return err
	}
	c.endToggle = c.toggleServers(stderr)
	return nil
}

// serveEvents starts the Events servers, if they are wanted.
func (c *cluster) serveEvents(stderr io.Writer) error {
	o := c.opts
	if len(o.events.addresses) == 0 {
		return nil
	}
	config, err := o.events.config()
	if err != nil {
		return err
	}
	c.events, err = events.Open(events.Options{
		Seed: o.seed, Bridges: c.bridges, Addresses: o.events.addresses,
		User: o.events.user, Password: o.events.password, TLS: config,
		Faults: o.faults.events, AckTimeout: o.events.ack, Start: o.start, Speed: o.speed,
		Target: o.targetURI(),
		Logf:   func(format string, args ...any) { fmt.Fprintf(stderr, "callsim: "+format+"\n", args...) },
	})
	if err != nil {
		return fmt.Errorf("-events: %w", err)
	}
	for i, url := range c.events.URLs() {
		fmt.Fprintf(stderr, "callsim: events of %s at %s\n", c.bridges[i].Name, url)
	}
	if c.witness != nil {
		c.witness.WatchEvents()
	}
	return nil
}

// awaitEventClients waits for clients if the scenario must not begin without them.
func (c *cluster) awaitEventClients(stop context.Context) bool {
	if c.events == nil {
		return true
	}
	if c.opts.events.await && !c.events.AwaitClients(stop) {
		return false
	}
	if followed := c.opts.events.followed; followed != nil {
		if !c.events.AwaitFirstClient(stop) {
			return false
		}
		followed()
	}
	c.events.Begin()
	return true
}

// awaitEventRoom waits for slow clients if the scenario has no pace of its own.
func (c *cluster) awaitEventRoom(stop context.Context) bool {
	return c.events == nil || c.events.AwaitRoom(stop, maxEventBacklog)
}

// endEvents waits until the clients have acknowledged everything, then closes their
// sockets: after the linger time if the scenario ended, soon if the simulation was stopped
// or gave up.
func (c *cluster) endEvents(ctx context.Context, gaveUp bool, stderr io.Writer) {
	if c.events == nil {
		return
	}
	// All ends have been sent to all clients.
	if ctx.Err() == nil && !gaveUp && c.events.Drain(ctx) {
		wait, text := ctx, "until stopped"
		if d := c.opts.events.linger; d > 0 {
			var cancel context.CancelFunc
			wait, cancel = context.WithTimeout(ctx, d)
			defer cancel()
			text = "for " + d.String()
		}
		fmt.Fprintf(stderr, "callsim: the scenario has ended, its end state is served %s\n", text)
		<-wait.Done()
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	c.events.Drain(last)
	c.events.Close()
}

// scenarioEvents returns the events of the scenario, to its end or to the end of playFor; with
// the behavior of people if withBehavior is set.
func (o *options) scenarioEvents(world *scenario.World, withBehavior bool) iter.Seq[scenario.Event] {
	all := world.Events()
	if withBehavior {
		all = scenario.WithBehavior(o.scenario(), all)
	}
	if o.playFor == 0 {
		return all
	}
	end := o.start.Add(o.playFor)
	return func(yield func(scenario.Event) bool) {
		for ev := range all {
			if ev.At.After(end) || !yield(ev) {
				return
			}
		}
	}
}

// targetURI returns the URI that the bridges post to, as their API shows it; "" for none.
func (o *options) targetURI() string {
	if o.target == nil {
		return ""
	}
	return o.target.String()
}
