// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"math/rand/v2"
	"time"
)

// Faults are the faults between the bridges and the receiver.
type Faults struct {
	// LostAck is the probability that a 200 never arrives: the batch was
	// delivered, and is sent again. It never happens to a batch twice in a
	// row, so that even a probability of 1 makes progress.
	LostAck float64
	// Lossy is the probability that something else answers 200 to a batch, so that it
	// never arrives.
	Lossy float64
	// Silent is when a bridge ceases to post, in real time after the start: the records that
	// it would have posted are lost.
	Silent time.Duration
	// Shift makes every resend take fewer or more records than the try before.
	Shift bool
	// Malformed is the probability that a record is damaged. A body holds one
	// damaged record at most, and a record stays damaged when it is resent.
	Malformed float64
	// Reorder makes each bridge hold its records back until a number of them
	// wait, so that they arrive long after those of the others.
	Reorder bool
	// Overflow is how many times records are dropped as if the buffer had
	// overflowed, 1 to 200 each time.
	Overflow int
	// Garbage is how many bodies are posted that are no XML at all.
	Garbage int
}

// Streams of random numbers, one for each decision, so that asking for one
// fault does not change another. They are far from those of the scenario.
const (
	streamPlan uint64 = iota + 1000
	streamDamage
	streamHold
	streamNetwork
	streamLoss
)

// chances returns the random numbers of one decision on one bridge.
func chances(seed, stream uint64, bridge int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, stream<<16|uint64(bridge)))
}
