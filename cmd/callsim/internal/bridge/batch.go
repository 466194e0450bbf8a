// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"slices"

	"github.com/legato-otel/legato/cmd/callsim/internal/wire"
)

// batch is the content of one POST: records of one session, or one garbage body.
type batch struct {
	items []*item
	body  []byte
}

func (b batch) isGarbage() bool { return b.items[0].garbage != nil }

// batchable counts the items at the head of the queue that may share a body, n
// at most.
func (q *Queue) batchable(n int) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.head(n))
}

// head returns the items at the head of the queue that may share a body: they
// are of one session, with one damaged record at most, a truncated one last.
func (q *Queue) head(n int) []*item {
	damaged := false
	for i, it := range q.items[:min(n, len(q.items))] {
		switch {
		case it.garbage != nil:
			return q.items[:max(i, 1)]
		case it.run != q.items[0].run:
			return q.items[:i]
		case it.Damage != wire.Intact && damaged:
			return q.items[:i]
		case it.Damage == wire.Truncated:
			return q.items[:i+1]
		}
		damaged = damaged || it.Damage != wire.Intact
	}
	return q.items[:min(n, len(q.items))]
}

// takeBatch prepares up to n items for sending. They stay in the queue. From now on they
// may have been delivered: their numbers are final, and they are never dropped.
func (q *Queue) takeBatch(n int) batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := batch{items: slices.Clone(q.head(n))}
	if b.isGarbage() {
		b.items[0].tried = true
		b.body = b.items[0].garbage
		return b
	}
	records := make([]wire.Numbered, len(b.items))
	for i, it := range b.items {
		if !it.tried {
			it.tried = true
			it.run.legacy++
			it.Legacy = it.run.legacy
		}
		records[i] = it.Numbered
	}
	b.body = wire.Body(b.items[0].run.Session, q.opts.CallBridge, records)
	return b
}

// discardBatch removes a batch that never arrives although the bridge counts it as
// delivered: no record reports the loss.
func (q *Queue) discardBatch(b batch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = slices.Delete(q.items, 0, len(b.items))
	for _, it := range b.items {
		if it.garbage == nil {
			it.run.Dropped.Add(it.Correlator)
		}
	}
	if len(q.items) == 0 {
		q.drawHold()
	}
	q.notifyWaiters()
}

// releaseBatch removes a batch that was answered with 200.
func (q *Queue) releaseBatch(b batch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = slices.Delete(q.items, 0, len(b.items))
	for _, it := range b.items {
		if it.garbage != nil {
			q.garbage = append(q.garbage, it.garbage)
			continue
		}
		it.run.recordAcknowledged(it.Numbered)
		if it.Damage == wire.Intact {
			q.counts[it.Type]++
		}
	}
	if len(q.items) == 0 {
		q.drawHold()
	}
	q.notifyWaiters()
}
