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

// A batch holds at most maxBatchRecords and maxBatchBytes, as estimated by estimateBytes. A
// larger record is a batch of its own.
// Consumers refuse a batch above 4 MiB as a whole, which is the default limit of gRPC.
const (
	maxBatchRecords = 1000
	maxBatchBytes   = 2 << 20
)

// queue holds the records of one server until the next consumer accepts them. Its only
// reader is run.
type queue struct {
	next        consumer.Logs
	maxRecords  int
	maxBytes    int // as estimated by estimateBytes
	putResource func(pcommon.Map)
	version     string
	obsreport   *receiverhelper.ObsReport
	telemetry   *metadata.TelemetryBuilder
	logger      *zap.Logger
	// onHalfEmpty is called when an overflowing queue is half empty.
	onHalfEmpty func()

	hasRecords chan struct{} // holds a token if there may be records
	batchReady chan struct{} // holds a token if there are enough records for a batch
	stop       chan struct{} // closed: run delivers all records and returns

	mu          sync.Mutex // guards everything below
	batches     []batch    // the last one is being filled
	recordCount int        // of all batches, the one being delivered included
	byteCount   int        // of the same records
	overflowing bool       // refused a record and is not yet half empty
}

type batch struct {
	logs    plog.Logs
	records plog.LogRecordSlice
	bytes   int
	closed  bool // no further record may be added
}

// addChange adds the record of a change. It returns false if the queue is full.
func (q *queue) addChange(c *events.Change) bool {
	return q.addRecord(context.Background(), estimateBytes(c), func(lr plog.LogRecord) { putRecord(lr, c) })
}

// addMalformed adds the record of a frame that is not understood. A full queue drops it.
func (q *queue) addMalformed(ctx context.Context, now time.Time, text, kind, reason string) {
	if q != nil {
		q.addRecord(ctx, recordBytes+len(text)+len(reason), func(lr plog.LogRecord) { putMalformed(lr, now, text, kind, reason) })
	}
}

// addRecord adds a record of an estimated size, unless the queue is full.
func (q *queue) addRecord(ctx context.Context, size int, put func(plog.LogRecord)) bool {
	q.mu.Lock()
	if q.recordCount >= q.maxRecords || q.byteCount+size > q.maxBytes && q.recordCount > 0 {
		q.overflowing = true
		q.mu.Unlock()
		q.telemetry.ReceiverCmseventsRecords.Add(ctx, 1, recordOptions[recordOverflow]...)
		return false
	}
	n := len(q.batches)
	if n == 0 || q.batches[n-1].closed || q.batches[n-1].records.Len() >= maxBatchRecords || q.batches[n-1].bytes+size > maxBatchBytes {
		q.batches = append(q.batches, q.newBatch())
		n++
	}
	b := &q.batches[n-1]
	put(b.records.AppendEmpty())
	b.bytes += size
	q.recordCount++
	q.byteCount += size
	enough := q.recordCount >= min(maxBatchRecords, q.maxRecords/2) || q.byteCount >= min(maxBatchBytes, q.maxBytes/2)
	q.mu.Unlock()
	signal(q.hasRecords)
	if enough {
		signal(q.batchReady)
	}
	return true
}

const (
	// recordBytes is the size of a record without its text, attributeBytes of each
	// attribute. Both were measured and rounded up.
	recordBytes    = 768
	attributeBytes = 128
)

// estimateBytes estimates the memory of a change's record.
func estimateBytes(c *events.Change) int {
	n := recordBytes + len(c.Call) + len(c.Correlator) + 2*len(c.CallName) + len(c.Participant) + len(c.ParticipantName) + 2*len(c.Reason)
	for i := range c.Fields {
		n += attributeBytes + len(c.Fields[i].Name) + len(c.Fields[i].Text)
	}
	return n
}

// closeBatch makes the next record begin a batch with a new resource. It accepts a nil
// queue.
func (q *queue) closeBatch() {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.batches); n > 0 {
		q.batches[n-1].closed = true
	}
}

// isOverflowing reports whether the queue refused records and is not yet half empty. A nil
// queue never overflows.
func (q *queue) isOverflowing() bool {
	if q == nil {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.overflowing
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
	q.putResource(rl.Resource().Attributes())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(metadata.ScopeName)
	sl.Scope().SetVersion(q.version)
	return batch{logs: logs, records: sl.LogRecords()}
}

// counts returns the number of waiting records and their bytes.
func (q *queue) counts() (records, bytes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.recordCount, q.byteCount
}

// isHalfEmpty reports whether the queue is at most half full, which ends an overflow.
func (q *queue) isHalfEmpty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.isHalfEmptyLocked()
}

func (q *queue) isHalfEmptyLocked() bool {
	return q.recordCount <= q.maxRecords/2 && q.byteCount <= q.maxBytes/2
}

// takeBatch removes the oldest batch. Its records take up room until release.
func (q *queue) takeBatch() (b batch, found bool) {
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

// release frees the room of delivered or lost records.
func (q *queue) release(n, size int) {
	q.mu.Lock()
	q.recordCount -= n
	q.byteCount -= size
	drained := q.overflowing && q.isHalfEmptyLocked()
	if drained {
		q.overflowing = false
	}
	q.mu.Unlock()
	if drained {
		q.onHalfEmpty()
	}
}

// run delivers records until stop is closed and the queue is empty, or ctx ends.
func (q *queue) run(ctx context.Context) {
	for {
		b, found := q.takeBatch()
		if found {
			n := b.records.Len()
			q.deliver(ctx, b.logs, n)
			q.release(n, b.bytes)
			continue
		}
		select {
		case <-q.hasRecords:
			q.awaitBatch(ctx)
		case <-q.stop:
			if records, _ := q.counts(); records == 0 {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// batchDelay is how long the first record of a batch waits for more: delivering single
// records costs more than making them.
const batchDelay = 10 * time.Millisecond

// awaitBatch waits for more records.
func (q *queue) awaitBatch(ctx context.Context) {
	timer := time.NewTimer(batchDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-q.batchReady:
	case <-q.stop:
	case <-ctx.Done():
	}
}

// deliver passes a batch to the next consumer, with retries on retryable errors. After the
// stop it continues until ctx ends.
func (q *queue) deliver(ctx context.Context, logs plog.Logs, n int) {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = 100*time.Millisecond, 5*time.Second
	for warned := false; ; warned = true {
		err := q.deliverOnce(ctx, logs, n)
		switch {
		case err == nil:
			q.telemetry.ReceiverCmseventsRecords.Add(ctx, int64(n), recordOptions[recordAccepted]...)
			return
		case consume.IsPermanent(err) || ctx.Err() != nil:
			q.telemetry.ReceiverCmseventsRecords.Add(ctx, int64(n), recordOptions[recordRefused]...)
			q.logger.Error("The next consumer returned a permanent error or the stop timed out; event records are lost", zap.Int("records", n), zap.Error(err))
			return
		case !warned:
			q.logger.Warn("The next consumer refuses event records; retrying", zap.Error(err))
		}
		wait, stop := retry.NextBackOff(), q.stop
		if q.isStopping() {
			wait, stop = min(wait, maxStopRetryDelay), nil
		}
		select {
		case <-time.After(wait):
		case <-stop:
		case <-ctx.Done():
		}
	}
}

// maxStopRetryDelay bounds the retry delay after the stop.
const maxStopRetryDelay = 250 * time.Millisecond

func (q *queue) isStopping() bool {
	select {
	case <-q.stop:
		return true
	default:
		return false
	}
}

// deliverOnce passes a batch to the next consumer once. A consumer that mutates data gets a
// copy, because a retry needs the batch.
func (q *queue) deliverOnce(ctx context.Context, logs plog.Logs, n int) error {
	if q.next.Capabilities().MutatesData {
		given := plog.NewLogs()
		logs.CopyTo(given)
		logs = given
	}
	ctx = q.obsreport.StartLogsOp(ctx)
	err := q.next.ConsumeLogs(cluster.WithMetadata(ctx, logs), logs)
	q.obsreport.EndLogsOp(ctx, metadata.Type.String(), n, err)
	return err
}
