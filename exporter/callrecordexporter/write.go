// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/concurrency/groupcall"
)

// writeRequest is a request that waits for its transaction.
type writeRequest struct {
	batch  *store.Batch
	counts recordCounts
	bytes  int // of its records as OTLP
}

const (
	// maxTransaction is how much one transaction writes at most, unless one request
	// is more: bytes of records as OTLP, and rowWeight more for each row, because of
	// which a transaction takes long even if its rows are short.
	maxTransaction = 2 << 20
	rowWeight      = 1 << 10
	// maxRequests bounds the requests of one transaction.
	maxRequests = 1024
)

func (p *writeRequest) size() int { return p.bytes + rowWeight*p.batch.Len() }

// export writes the rows of the records. Requests that come while a transaction is under way
// share the next one. An error is always one that may pass: values that the database can never
// hold are left out and counted.
func (e *callRecord) export(ctx context.Context, logs plog.Logs) error {
	if e.archive.Load() == nil {
		e.telemetry.ExporterCallrecordWriteFailures.Add(ctx, 1)
		return errNotOpen
	}
	p := &writeRequest{}
	p.batch, p.counts = convert(logs)
	if p.batch.Len() == 0 {
		e.countSkipped(ctx, p)
		return nil
	}
	p.bytes = (&plog.ProtoMarshaler{}).LogsSize(logs)
	if err := e.writes.Do(ctx, p); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	e.countSkipped(ctx, p)
	return nil
}

func (e *callRecord) countSkipped(ctx context.Context, p *writeRequest) {
	e.count(ctx, outcomeSkipped, p.counts.skipped)
	e.count(ctx, outcomeInvalid, p.counts.invalid)
}

// write writes the rows of requests in one transaction.
func (e *callRecord) write(ctx context.Context, requests []*groupcall.Request[*writeRequest]) {
	archive := e.archive.Load()
	if archive == nil {
		for _, r := range requests {
			r.Answer(errNotOpen)
		}
		return
	}
	batches := make([]*store.Batch, len(requests))
	for i, r := range requests {
		batches[i] = r.Value.batch
	}
	result, errs := archive.WriteTogether(ctx, batches)
	e.report(ctx, &result, requests, errs)
	for i, r := range requests {
		r.Answer(errs[i])
	}
}

// report counts and logs the outcomes of requests that were written together.
func (e *callRecord) report(ctx context.Context, result *store.Result, requests []*groupcall.Request[*writeRequest], errs []error) {
	for _, r := range result.Rejected {
		e.settings.Logger.Error("The database cannot hold a row; it is left out",
			zap.String("table", r.Table), zap.String("span_id", r.SpanID), zap.String("code", r.Code))
	}
	rows := 0
	for i, r := range requests {
		if errs[i] == nil {
			rows += r.Value.counts.rows
		}
	}
	e.telemetry.ExporterCallrecordTransactions.Add(ctx, int64(result.Transactions))
	e.telemetry.ExporterCallrecordWriteFailures.Add(ctx, int64(result.Failed))
	refused := len(result.Rejected)
	e.count(ctx, outcomeStored, rows-refused-result.Unchanged)
	e.count(ctx, outcomeUnchanged, result.Unchanged)
	e.count(ctx, outcomeRefused, refused)
}
