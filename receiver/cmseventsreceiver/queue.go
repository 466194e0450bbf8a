// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/meetingserver/events"
	"github.com/legato-otel/legato/internal/otel/cluster"
	"github.com/legato-otel/legato/internal/otel/consume"
	"github.com/legato-otel/legato/receiver/cmseventsreceiver/internal/metadata"
)

// A batch is passed on at once: at most so many records, and so many bytes as
// estimated by sizeOf. Consumers refuse what is above 4 MiB, as gRPC does by
// default, and would refuse all of it.
const (
	batchSize  = 1000
	batchBytes = 2 << 20
)

// queue holds the records of one server until the next consumer takes them. It
// has one reader, run.
type queue struct {
	next      consumer.Logs
	limit     int // records
	limitSize int // bytes, as estimated by sizeOf
	resource  func(pcommon.Map)
	version   string
	obsreport *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
	// drained is called after a full queue has room again.
	drained func()

	ready chan struct{} // holds a token if there may be something to do
	many  chan struct{} // holds a token if there is enough for a batch
	stop  chan struct{} // closed: pass on what there is, and end

	mu      sync.Mutex // guards everything below
	batches []batch    // the last one is being filled
	held    int        // records of all batches, and of the one being passed on
	size    int        // bytes of the same
	full    bool
}

type batch struct {
	logs    plog.Logs
	records plog.LogRecordSlice
	size    int // bytes
	closed  bool
}

// add appends a change. It returns false if there is no room.
func (q *queue) add(c *events.Change) bool {
	return q.append(context.Background(), sizeOf(c), func(lr plog.LogRecord) { putRecord(lr, c) })
}

// addRaw appends a frame that is not understood. Without room it is left out.
func (q *queue) addRaw(ctx context.Context, now time.Time, text, kind, reason string) {
	if q != nil {
		q.append(ctx, recordSize+len(text)+len(reason), func(lr plog.LogRecord) { putRaw(lr, now, text, kind, reason) })
	}
}

func (q *queue) append(ctx context.Context, size int, put func(plog.LogRecord)) bool {
	q.mu.Lock()
	if q.held >= q.limit || q.size+size > q.limitSize && q.held > 0 {
		q.full = true
		q.mu.Unlock()
		q.telemetry.ReceiverCmseventsRecords.Add(ctx, 1, recordOptions[overflow]...)
		return false
	}
	n := len(q.batches)
	if n == 0 || q.batches[n-1].closed || q.batches[n-1].records.Len() >= batchSize || q.batches[n-1].size+size > batchBytes {
		q.batches = append(q.batches, q.newBatch())
		n++
	}
	b := &q.batches[n-1]
	put(b.records.AppendEmpty())
	b.size += size
	q.held++
	q.size += size
	many := q.held >= min(batchSize, q.limit/2) || q.size >= min(batchBytes, q.limitSize/2)
	q.mu.Unlock()
	signal(q.ready)
	if many {
		signal(q.many)
	}
	return true
}

const (
	// recordSize is what a record takes besides its text, attributeSize each of
	// its attributes. Both were measured and rounded up.
	recordSize    = 768
	attributeSize = 128
)

// sizeOf estimates what the record of a change takes, in bytes.
func sizeOf(c *events.Change) int {
	n := recordSize + len(c.Call) + len(c.Correlator) + 2*len(c.CallName) + len(c.Participant) + len(c.ParticipantName) + 2*len(c.Reason)
	for i := range c.Fields {
		n += attributeSize + len(c.Fields[i].Name) + len(c.Fields[i].Text)
	}
	return n
}

// renewResource makes the next record begin a batch, whose resource is written
// anew. Without a queue it does nothing.
func (q *queue) renewResource() {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.batches); n > 0 {
		q.batches[n-1].closed = true
	}
}

// overflowed tells whether records found no room, and there is none yet. Without
// a queue there is nothing to find room for.
func (q *queue) overflowed() bool {
	if q == nil {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.full
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (q *queue) newBatch() batch {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	q.resource(rl.Resource().Attributes())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(metadata.ScopeName)
	sl.Scope().SetVersion(q.version)
	return batch{logs: logs, records: sl.LogRecords()}
}

// sizes returns how many records wait, and what they take in bytes.
func (q *queue) sizes() (held, size int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held, q.size
}

// roomy tells whether enough room is left to go on after an overflow.
func (q *queue) roomy() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.halfEmpty()
}

func (q *queue) halfEmpty() bool { return q.held <= q.limit/2 && q.size <= q.limitSize/2 }

func (q *queue) take() (b batch, found bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.batches) == 0 {
		return batch{}, false
	}
	b = q.batches[0]
	q.batches[0] = batch{}
	if q.batches = q.batches[1:]; len(q.batches) == 0 {
		q.batches = nil
	}
	return b, true
}

func (q *queue) done(n, size int) {
	q.mu.Lock()
	q.held -= n
	q.size -= size
	again := q.full && q.halfEmpty()
	if again {
		q.full = false
	}
	q.mu.Unlock()
	if again {
		q.drained()
	}
}

// run passes records on until stop is closed and nothing is left. ctx ends it
// at once.
func (q *queue) run(ctx context.Context) {
	for {
		b, found := q.take()
		if found {
			n := b.records.Len()
			q.passOn(ctx, b.logs, n)
			q.done(n, b.size)
			continue
		}
		select {
		case <-q.ready:
			q.gather(ctx)
		case <-q.stop:
			if held, _ := q.sizes(); held == 0 {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// gathering is how long the first record of a batch waits for others: passing
// each on alone costs more than all that is done to make it.
const gathering = 10 * time.Millisecond

// gather waits for more records.
func (q *queue) gather(ctx context.Context) {
	timer := time.NewTimer(gathering)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-q.many:
	case <-q.stop:
	case <-ctx.Done():
	}
}

// passOn passes a batch on, again and again if the next consumer refuses it for
// now. After the stop it goes on until ctx ends, with the stop's own time.
func (q *queue) passOn(ctx context.Context, logs plog.Logs, n int) {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = 100*time.Millisecond, 5*time.Second
	for warned := false; ; warned = true {
		err := q.offer(ctx, logs, n)
		switch {
		case err == nil:
			q.telemetry.ReceiverCmseventsRecords.Add(ctx, int64(n), recordOptions[accepted]...)
			return
		case consume.IsPermanent(err) || ctx.Err() != nil:
			q.telemetry.ReceiverCmseventsRecords.Add(ctx, int64(n), recordOptions[refused]...)
			q.logger.Error("Event records refused by the next consumer are lost", zap.Int("records", n), zap.Error(err))
			return
		case !warned:
			q.logger.Warn("The next consumer refuses event records; trying again", zap.Error(err))
		}
		wait, stop := retry.NextBackOff(), q.stop
		if q.stopped() {
			wait, stop = min(wait, lastRetry), nil
		}
		select {
		case <-time.After(wait):
		case <-stop:
		case <-ctx.Done():
		}
	}
}

// lastRetry bounds the wait between two tries after the stop.
const lastRetry = 250 * time.Millisecond

func (q *queue) stopped() bool {
	select {
	case <-q.stop:
		return true
	default:
		return false
	}
}

// offer offers a batch once. A consumer that changes what it is given gets a
// copy: the batch may be needed again.
func (q *queue) offer(ctx context.Context, logs plog.Logs, n int) error {
	if q.next.Capabilities().MutatesData {
		given := plog.NewLogs()
		logs.CopyTo(given)
		logs = given
	}
	ctx = q.obsreport.StartLogsOp(ctx)
	err := q.next.ConsumeLogs(cluster.Context(ctx, logs), logs)
	q.obsreport.EndLogsOp(ctx, metadata.Type.String(), n, err)
	return err
}
