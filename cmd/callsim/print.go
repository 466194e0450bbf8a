// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/bridge"
)

// print runs the scenario to a writer as if it were a receiver that answers at once:
// whatever waits at the end of a simulated second is sent.
func (c *cluster) print(ctx context.Context, out io.Writer) error {
	w := bufio.NewWriter(out)
	couriers := make([]*bridge.Courier, len(c.queues))
	show := func(url string, body []byte) { _ = printer(w, url)(ctx, body) }
	if err := c.openMediaSense(io.Discard, show); err != nil { //nolint:contextcheck // servers live until they are closed
		return err
	}
	defer c.closeMediaSense()
	for i, q := range c.queues {
		if c.opts.target == nil {
			break // nothing is ever ready
		}
		post := printer(w, c.opts.url(c.bridges[i].Name))
		couriers[i] = bridge.NewCourier(q, c.opts.maxBatch, post)
	}
	err := c.printAll(ctx, w, couriers)
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func (c *cluster) printAll(ctx context.Context, w *bufio.Writer, couriers []*bridge.Courier) error {
	wait, now := newPace(c.opts), time.Time{}
	for m := range c.timedEvents() {
		if !m.at.Equal(now) {
			if err := c.printWaiting(ctx, w, couriers); err != nil {
				return err
			}
			if !wait(ctx, m.at) {
				return nil
			}
			now = m.at
		}
		c.applyTimedEvent(m)
	}
	c.endAll()
	return c.printWaiting(ctx, w, couriers)
}

// printWaiting sends all ready batches. A try fails only by a fault, so it is repeated at
// once.
func (c *cluster) printWaiting(ctx context.Context, w *bufio.Writer, couriers []*bridge.Courier) error {
	for i, q := range c.queues {
		for q.Ready() {
			_ = couriers[i].Deliver(ctx)
			if _, err := w.Write(nil); err != nil {
				return err
			}
		}
	}
	return w.Flush()
}

// printer posts by printing. Every body ends with a line feed in print.
func printer(w *bufio.Writer, url string) bridge.Post {
	return func(_ context.Context, body []byte) error {
		end := ""
		if body[len(body)-1] != '\n' {
			end = "\n"
		}
		_, err := fmt.Fprintf(w, "-- POST %s\n%s%s", url, body, end)
		return err
	}
}
