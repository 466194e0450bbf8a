// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"context"
	"errors"
	"math/rand/v2"
)

// errLostAck stands for a 200 that never reaches the bridge.
var errLostAck = errors.New("the acknowledgement was lost")

// Post delivers one body. It returns nil only for the answer 200.
type Post func(ctx context.Context, body []byte) error

// Courier delivers the records of a queue by stop-and-wait: the head of the queue is sent
// until it is acknowledged, and only then the next record.
type Courier struct {
	queue    *Queue
	post     Post
	maxBatch int // records in a batch
	faults   Faults
	luck     *rand.Rand
	losses   *rand.Rand

	lastSize int  // records in the try before, 0 when that was released
	lost     bool // the acknowledgement of the try before was lost
}

// NewCourier makes the courier of a queue that sends at most the given number
// of records in a batch.
func NewCourier(q *Queue, maxBatch int, post Post) *Courier {
	return &Courier{
		queue: q, post: post, maxBatch: maxBatch, faults: q.opts.Faults,
		luck:   chances(q.opts.Seed, streamNetwork, q.opts.Bridge),
		losses: chances(q.opts.Seed, streamLoss, q.opts.Bridge),
	}
}

// Deliver sends the head of a queue that is ready once, and releases it when it
// is acknowledged. An error means that it must be sent again.
func (c *Courier) Deliver(ctx context.Context) error {
	b := c.queue.takeBatch(c.nextBatchSize())
	if c.lastSize == 0 && c.faults.Lossy > 0 && c.losses.Float64() < c.faults.Lossy {
		c.queue.discardBatch(b)
		return nil
	}
	err := c.post(ctx, b.body)
	if err == nil && c.losesAck(b) {
		err = errLostAck
	}
	if err != nil {
		c.lastSize = len(b.items)
		return err
	}
	c.lastSize = 0
	c.queue.releaseBatch(b)
	return nil
}

// Lose discards the head of a ready queue as if another server had taken it.
func (c *Courier) Lose() {
	c.queue.discardBatch(c.queue.takeBatch(c.maxBatch))
	c.lastSize = 0
}

// losesAck decides whether the acknowledgement of a batch is lost, but never that of
// garbage, because duplicates of garbage are indistinguishable.
func (c *Courier) losesAck(b batch) bool {
	c.lost = !b.isGarbage() && !c.lost && c.faults.LostAck > 0 && c.luck.Float64() < c.faults.LostAck
	return c.lost
}

// nextBatchSize returns how many records the next try takes: all that wait, unless a resend
// must have other boundaries than the try before.
func (c *Courier) nextBatchSize() int {
	if c.lastSize == 0 || !c.faults.Shift {
		return c.maxBatch
	}
	waiting := c.queue.batchable(c.maxBatch)
	more := waiting - c.lastSize
	switch {
	case c.lastSize > 1 && (more <= 0 || c.luck.IntN(2) == 0):
		return 1 + c.luck.IntN(c.lastSize-1)
	case more > 0:
		return c.lastSize + 1 + c.luck.IntN(more)
	default:
		return c.lastSize
	}
}
