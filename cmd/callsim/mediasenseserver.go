// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/mediasense"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// timedEvent is an event of one of the two scenarios.
type timedEvent struct {
	at       time.Time
	ev       scenario.Event
	recorded bool // of the recording scenario
}

// timedEvents yields the events of both scenarios in the order of time. The scenario of the
// Call Bridges sets the end: afterwards no further calls begin, and the recordings end.
func (c *cluster) timedEvents() iter.Seq[timedEvent] {
	return func(yield func(timedEvent) bool) {
		for ev := range c.opts.scenarioEvents(c.world, c.events != nil) {
			if !c.recordUntil(ev.At, yield) || !yield(timedEvent{at: ev.At, ev: ev}) {
				return
			}
		}
		if c.recordings == nil {
			return
		}
		c.recordings.Close()
		end := c.opts.start.Add(c.opts.playFor)
		if c.opts.playFor == 0 {
			end = time.Unix(1<<40, 0)
		}
		c.recordUntil(end, yield)
	}
}

// recordUntil yields the actions of the recordings before a moment. Who takes one keeps it,
// or ends the scenario.
func (c *cluster) recordUntil(end time.Time, yield func(timedEvent) bool) bool {
	if c.recordings == nil {
		return true
	}
	for {
		at, more := c.recordings.When()
		if !more || !at.Before(end) {
			return true
		}
		if !yield(timedEvent{at: at, recorded: true}) {
			return false
		}
	}
}

// applyTimedEvent applies one event of either scenario.
func (c *cluster) applyTimedEvent(m timedEvent) {
	if !m.recorded {
		c.applyEvent(m.ev)
		return
	}
	for _, ev := range c.recordings.Step() {
		c.mediasense.Observe(ev)
		if c.witness != nil {
			c.witness.ObserveRecording(ev)
		}
	}
}

// openMediaSense starts the MediaSense servers, if they are wanted. With show
// they post nothing but call it.
func (c *cluster) openMediaSense(stderr io.Writer, show func(url string, body []byte)) error {
	o := c.opts.mediasense
	if c.recordings == nil {
		return nil
	}
	config, err := o.config()
	if err != nil {
		return err
	}
	c.mediasense, err = mediasense.Open(mediasense.Options{
		Seed: c.opts.seed, Servers: o.servers, Addresses: o.addresses, Targets: o.targets,
		User: o.user, Password: o.password, TLS: config, Faults: c.opts.faults.mediasense,
		Timeout: c.opts.timeout, PostTLS: c.opts.tls.config, Retry: o.retry, Print: show, Keep: c.witness != nil,
		Logf: func(format string, args ...any) { fmt.Fprintf(stderr, "callsim: "+format+"\n", args...) },
	})
	if err != nil {
		return fmt.Errorf("-mediasense-api: %w", err)
	}
	for i, url := range c.mediasense.URLs() {
		fmt.Fprintf(stderr, "callsim: MediaSense API of ms%d at %s\n", i+1, url)
	}
	return nil
}

// closeMediaSense ends the servers; their state can still be queried.
func (c *cluster) closeMediaSense() {
	if c.mediasense != nil {
		c.mediasense.Close()
	}
}

// beginMediaSense waits for subscribers if the scenario must not begin without.
func (c *cluster) beginMediaSense(stop context.Context) bool {
	return !c.opts.mediasense.await || c.mediasense.AwaitSubscribers(stop)
}

// endMediaSense posts the waiting events and lets clients sign out before it closes the API: a
// while after the end of the scenario, a moment after the simulation was stopped or gave up.
func (c *cluster) endMediaSense(ctx context.Context, gaveUp bool, stderr io.Writer) {
	if c.mediasense == nil {
		return
	}
	defer c.closeMediaSense()
	if ctx.Err() != nil || gaveUp || !c.mediasense.Drain(ctx) {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		c.mediasense.Drain(last)
		return
	}
	if len(c.opts.mediasense.addresses) == 0 {
		return
	}
	wait, text := ctx, "until stopped"
	if d := c.opts.mediasense.linger; d > 0 {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, d)
		defer cancel()
		text = "for " + d.String()
	}
	fmt.Fprintf(stderr, "callsim: all recordings have ended, the MediaSense API is served %s\n", text)
	<-wait.Done()
}
