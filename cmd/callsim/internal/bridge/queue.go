// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/legato-otel/legato/cmd/callsim/internal/wire"
)

// item is a record in the queue, or a body that is garbage.
type item struct {
	wire.Numbered
	run     *run
	tried   bool
	garbage []byte // not nil: no record
}

// Options make a queue.
type Options struct {
	Seed       uint64
	Bridge     int // index of the bridge, which makes its luck its own
	CallBridge string
	Session    string
	// Limit is how many records are kept before the oldest are dropped; 0
	// keeps all.
	Limit  int
	Hold   int // most records held back when reordering
	Faults Faults
	Plan   *Plan
}

// Queue numbers and stores the records of one bridge.
type Queue struct {
	opts   Options
	damage *rand.Rand
	holds  *rand.Rand

	mu       sync.Mutex
	items    []*item // tried ones first
	runs     []*run
	counts   map[string]uint64 // acknowledged records by type
	garbage  [][]byte          // acknowledged ones
	ended    bool              // no record will be appended
	draining bool              // the hold has ended until the queue is empty
	hold     int
	changed  chan struct{} // closed at the next change
}

// NewQueue makes the empty queue of a bridge that has just started.
func NewQueue(opts Options) *Queue {
	q := &Queue{
		opts:    opts,
		damage:  chances(opts.Seed, streamDamage, opts.Bridge),
		holds:   chances(opts.Seed, streamHold, opts.Bridge),
		counts:  map[string]uint64{},
		changed: make(chan struct{}),
	}
	q.runs = []*run{{Report: Report{Session: opts.Session}}}
	q.drawHold()
	return q
}

// Restart begins a new session. Waiting records of the old one are still sent.
func (q *Queue) Restart(session string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.runs = append(q.runs, &run{Report: Report{Session: session}})
}

// Append numbers a record and queues it, unless the plan drops it. It returns
// the index of the record in the present session.
func (q *Queue) Append(rec wire.Record) uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer q.notifyWaiters()
	r := q.runs[len(q.runs)-1]
	index := r.Generated
	r.Generated++
	r.LastRecord = rec.Time
	for _, body := range q.opts.Plan.garbage[r.Session][index] {
		q.items = append(q.items, &item{garbage: body})
	}
	it := &item{run: r, Numbered: wire.Numbered{Record: rec, Correlator: index, Damage: q.drawDamage()}}
	if q.opts.Plan.drops[r.Session].Has(index) {
		q.recordDrop(it, nil)
		return index
	}
	q.items = append(q.items, it)
	q.reportMissing(it, r.pending)
	r.pending = 0
	q.dropOverLimit()
	return index
}

// dropOverLimit drops the oldest record that was never tried from a queue above its limit.
func (q *Queue) dropOverLimit() {
	if q.opts.Limit == 0 || len(q.items) <= q.opts.Limit {
		return
	}
	at := slices.IndexFunc(q.items, func(it *item) bool { return !it.tried && it.garbage == nil })
	if at < 0 {
		return
	}
	victim := q.items[at]
	q.items = slices.Delete(q.items, at, at+1)
	rest := q.items[at:]
	heir := slices.IndexFunc(rest, func(it *item) bool { return it.run == victim.run })
	if heir < 0 {
		q.recordDrop(victim, nil)
		return
	}
	q.recordDrop(victim, rest[heir])
}

// recordDrop counts a dropped record. heir, the next record of the session, reports the
// loss; without one the record appended next does. If the session has ended, no record
// reports it, as on a real bridge.
func (q *Queue) recordDrop(victim, heir *item) {
	r := victim.run
	r.Dropped.Add(victim.Correlator)
	if heir == nil {
		r.pending += victim.Missing + 1
		return
	}
	q.reportMissing(heir, victim.Missing+1)
}

// reportMissing makes a record report lost records before it. Such a record is never
// damaged: a loss in a damaged record would not be exact.
func (q *Queue) reportMissing(it *item, lost uint64) {
	if lost > 0 {
		it.Missing += lost
		it.Damage = wire.Intact
	}
}

func (q *Queue) drawDamage() wire.Damage {
	if q.opts.Faults.Malformed == 0 || q.damage.Float64() >= q.opts.Faults.Malformed {
		return wire.Intact
	}
	if q.damage.IntN(3) == 0 {
		return wire.Truncated
	}
	return wire.Mismatched
}

// End records that nothing more will be appended.
func (q *Queue) End() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.notifyWaiters()
}

// notifyWaiters wakes the callers of await. The lock must be held.
func (q *Queue) notifyWaiters() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// await waits until done returns true; it calls done with the lock held. It returns false
// when ctx ends first.
func (q *Queue) await(ctx context.Context, done func() bool) bool {
	for ctx.Err() == nil {
		q.mu.Lock()
		is, changed := done(), q.changed
		q.mu.Unlock()
		if is {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return false
}

// AwaitRoom waits until fewer than n items wait; false means that ctx ended.
func (q *Queue) AwaitRoom(ctx context.Context, n int) bool {
	return q.await(ctx, func() bool { return len(q.items) < n })
}

// AwaitWork waits until an item may be sent; false means that there is nothing more to send
// or that ctx ended.
func (q *Queue) AwaitWork(ctx context.Context) bool {
	ok := q.await(ctx, func() bool { return q.ready() || q.ended })
	return ok && q.Ready()
}

// Ready reports whether something may be sent now.
func (q *Queue) Ready() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.ready()
}

func (q *Queue) ready() bool {
	q.draining = q.draining || q.ended || len(q.items) >= q.hold
	return q.draining && len(q.items) > 0
}

// drawHold decides how many records must wait before the next are sent.
func (q *Queue) drawHold() {
	q.draining, q.hold = false, 0
	if q.opts.Faults.Reorder {
		q.hold = 1 + q.holds.IntN(max(1, q.opts.Hold))
	}
}
