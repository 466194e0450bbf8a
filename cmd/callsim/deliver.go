// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/bridge"
)

// grace is how long a POST under way may take after the simulation was stopped.
// Cutting it at once would leave in doubt records that were delivered.
const grace = 500 * time.Millisecond

// progressEvery is the time between two lines of progress.
const progressEvery = 5 * time.Second

var errGaveUp = errors.New("gave up")

// deliver runs the scenario over the network. It returns when everything is acknowledged,
// or soon after ctx ended.
func (c *cluster) deliver(ctx context.Context, stderr io.Writer) error {
	stop := ctx
	if c.opts.giveUp > 0 {
		var cancel context.CancelFunc
		stop, cancel = context.WithTimeoutCause(ctx, c.opts.giveUp, errGaveUp)
		defer cancel()
	}
	cut, cancelCut := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelCut()

	senders := c.senders()
	began := time.Now()
	done := make(chan struct{})
	var helpers sync.WaitGroup
	helpers.Go(func() { cutAfter(stop, done, cancelCut) })
	helpers.Go(func() { c.report(stderr, senders, done) })

	var work sync.WaitGroup
	work.Go(func() { c.play(stop) })
	for _, s := range senders {
		work.Go(func() { s.Run(stop, cut) })
	}
	work.Wait()
	close(done)
	helpers.Wait()

	fmt.Fprintf(stderr, "%s, %d not, %.1f s\n", c.progress(nil), c.waiting(), time.Since(began).Seconds())
	gaveUp := errors.Is(context.Cause(stop), errGaveUp)
	c.endEvents(ctx, gaveUp, stderr)
	c.endMediaSense(ctx, gaveUp, stderr)
	c.endToggle()
	if gaveUp {
		return fmt.Errorf("%w after %s: %s", errGaveUp, c.opts.giveUp, c.undeliveredText(senders))
	}
	return nil
}

func (c *cluster) senders() []*bridge.Sender {
	if !c.opts.sends() {
		return nil
	}
	list := make([]*bridge.Sender, len(c.queues))
	for i, q := range c.queues {
		o := c.opts
		var report func(bool)
		if c.events != nil {
			report = func(fails bool) { c.events.ReportDelivery(i, fails) }
		}
		list[i] = bridge.NewSender(q, c.destination(i), o.maxBatch, o.retry, o.timeout, o.tls.config, report)
	}
	return list
}

// destination is where a bridge posts its records to.
func (c *cluster) destination(i int) bridge.Destination {
	registered := func() ([]string, bool) { return c.events.Receivers(i) }
	if c.opts.registered {
		return registered
	}
	uris := []string{c.opts.url(c.bridges[i].Name)}
	return func() ([]string, bool) {
		if c.events == nil {
			return uris, false
		}
		_, gone := registered()
		return uris, gone
	}
}

// play appends the records of the scenario at its pace, to its end or to the end of stop.
func (c *cluster) play(stop context.Context) {
	if !c.beginMediaSense(stop) || !c.awaitEventClients(stop) {
		return
	}
	wait := newPace(c.opts)
	for m := range c.timedEvents() {
		if !wait(stop, m.at) {
			return
		}
		if c.opts.speed == 0 && !c.awaitRoom(stop, m) {
			return
		}
		c.applyTimedEvent(m)
	}
	c.endAll()
}

// awaitRoom waits for slow receivers if the scenario has no pace of its own.
func (c *cluster) awaitRoom(stop context.Context, m timedEvent) bool {
	if m.recorded {
		return c.mediasense.AwaitRoom(stop, maxEventBacklog)
	}
	return c.queues[m.ev.Bridge].AwaitRoom(stop, c.opts.buffer) && c.awaitEventRoom(stop)
}

// cutAfter calls cut a moment after stop ended, unless done is closed before.
func cutAfter(stop context.Context, done <-chan struct{}, cut func()) {
	select {
	case <-done:
		return
	case <-stop.Done():
	}
	select {
	case <-done:
	case <-time.After(grace):
		cut()
	}
}

// report writes a line of progress every few seconds until done is closed.
func (c *cluster) report(w io.Writer, senders []*bridge.Sender, done <-chan struct{}) {
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			fmt.Fprintln(w, c.progress(senders))
		case <-done:
			return
		}
	}
}

// progress returns the progress of the simulation and the senders with problems.
func (c *cluster) progress(senders []*bridge.Sender) string {
	var line strings.Builder
	fmt.Fprintf(&line, "callsim: %d bridges, %d calls open, %d records acknowledged",
		len(c.queues), c.openCall.Load(), c.acknowledged())
	if c.mediasense != nil {
		posts, acknowledged := c.mediasense.Sum()
		fmt.Fprintf(&line, ", %d of %d posts of MediaSense", acknowledged, posts)
	}
	for i, s := range senders {
		if problem := s.Problem(); problem != "" {
			fmt.Fprintf(&line, "; %s sends again: %s", c.bridges[i].Name, problem)
		}
	}
	return line.String()
}

// waiting returns the number of records without an acknowledgement.
func (c *cluster) waiting() int {
	sum := 0
	for _, q := range c.queues {
		sum += q.Waiting()
	}
	return sum
}

// undeliveredText returns the number of undelivered records of each bridge, and the reason.
func (c *cluster) undeliveredText(senders []*bridge.Sender) string {
	var parts []string
	for i, q := range c.queues {
		if n := q.Waiting(); n > 0 {
			why := cmp.Or(senders[i].Problem(), "still sending")
			parts = append(parts, fmt.Sprintf("%s has %d records not acknowledged (%s)", c.bridges[i].Name, n, why))
		}
	}
	if len(parts) == 0 {
		return "the scenario has not ended"
	}
	return strings.Join(parts, ", ")
}
